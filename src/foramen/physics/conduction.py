"""Quasi-static electric conduction: div(sigma grad phi) = 0 with the bare tip at 1 V and the far field grounded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foramen.kernels.conductance import face_conductances, joule_heat_w, sum_of_conductances
from foramen.physics.grid import RevolvedGrid
from foramen.physics.linear_system import LinearSystem, Links, detached, linear_system

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

ITERATIONS_WITHOUT_FACTOR = 10
"""More iterations than this, and the next field is solved with a new factor."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Conductances:
    """Conductances to the next cell along each axis (links) and to the far field, shape (nr, nk, nj) each.

    `surface` (nk, nj) is the conductance from the innermost face to the first layer.
    """

    radial: FloatArray
    meridian: FloatArray
    angular: FloatArray
    far: FloatArray
    surface: FloatArray

    @property
    def links(self) -> Links:
        """Conductances to the next cell along (i, k, j)."""
        return self.radial, self.meridian, self.angular

    @property
    def diagonal(self) -> FloatArray:
        """Sum of a cell's conductances to its neighbours and to the far field."""
        total: FloatArray = sum_of_conductances(self.radial, self.meridian, self.angular, self.far)
        return total


def conductances(grid: RevolvedGrid, value: FloatArray, *, first: int, is_low_far: bool = False) -> Conductances:
    """Two-point conductances for a property (S/m or W/m/K) of the cells from radial layer `first` on.

    A property may be 0 (insulator) or infinite (equipotential). Halves are in series, i.e. harmonic means.
    """
    halves = grid.halves(first)
    radial, meridian, angular, far = face_conductances(value, halves, grid.shaft_count > 0, is_low_far)
    with np.errstate(divide="ignore", invalid="ignore"):
        surface = value[0] / halves[0][0][:, None]
    return Conductances(radial=radial, meridian=meridian, angular=angular, far=far, surface=surface)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ElectricField:
    """Field of 1 V at the electrode: potential (V), heat per cell at 1 V, conductance to ground (S)."""

    potential: FloatArray
    heat_w: FloatArray
    conductance_S: float
    iterations: int
    system: LinearSystem

    @property
    def resistance_ohm(self) -> float:
        """Resistance from the electrode to the far field."""
        return 1 / self.conductance_S


def solve_potential(
    grid: RevolvedGrid,
    conductivity_S_per_m: FloatArray,
    *,
    start: ElectricField | None = None,
    electrode: BoolArray | None = None,
    is_low_far: bool = False,
    tolerance: float = 1e-6,
) -> ElectricField:
    """Field about a needle whose bare surface (and cells of `electrode`) is at 1 V.

    Parameters
    ----------
    grid : RevolvedGrid
        Its first `inner` layers are left out.
    conductivity_S_per_m : ndarray, shape (nr - inner, nk, nj)
        0 in insulators.
    start : ElectricField, optional
        A similar field, from which the iteration starts.
    electrode : ndarray of bool
        Further cells at 1 V (equipotential).

    Raises
    ------
    SolverError
        If the linear system is not solved to `tolerance`.

    Notes
    -----
    The heat of each face current is shared by the two cells in proportion to their part of the resistance, so
    that the heats add up to voltage times current exactly.
    """
    value = conductivity_S_per_m if electrode is None else np.where(electrode, np.inf, conductivity_S_per_m)
    link = conductances(grid, value, first=grid.inner, is_low_far=is_low_far)
    has_surface = grid.radial_m[grid.inner] > 0
    contact = np.where(grid.is_active[:, None], link.surface, 0.0) if has_surface else np.zeros(value.shape[1:])
    diagonal, right, links = link.diagonal, np.zeros_like(value), link.links
    diagonal[0] += contact
    right[0] = contact
    if electrode is not None:
        links, source = detached(links, electrode, np.ones(value.shape))
        diagonal, right = np.where(electrode, 1.0, diagonal), np.where(electrode, 1.0, right + source)
    diagonal[diagonal == 0] = 1.0  # cells that touch nothing but insulators
    # a factor that serves well enough is kept: making it costs as much as several iterations
    like = start.system if start is not None and start.iterations <= ITERATIONS_WITHOUT_FACTOR else None
    system = linear_system(diagonal, links, is_revolved=True, like=like)
    potential, iterations = system.solve(
        right,
        np.zeros_like(value) if start is None else start.potential,
        tolerance=tolerance,
        what="electric potential",
    )
    heat = joule_heat_w(potential, value, grid.halves(grid.inner), *link.links, link.far, contact)
    if electrode is not None:
        heat[electrode] = 0.0
    # as the heat is stationary in the potential, its error is the square of the potential's
    return ElectricField(
        potential=potential,
        heat_w=heat,
        conductance_S=float(np.sum(heat)),
        iterations=iterations,
        system=system,
    )
