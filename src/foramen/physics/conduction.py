"""Quasi-static electric conduction: div(sigma grad phi) = 0 with the bare tip at 1 V and the far field grounded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foramen.errors import SolverError
from foramen.kernels.stencil import conjugate_gradients
from foramen.physics.grid import RevolvedGrid

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

ITERATION_LIMIT = 3000
"""Iterations after which a linear system counts as not solved."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Conductances:
    """Conductances between neighbouring cells and to the far field, shape (nr, nk, nj) each.

    `half` holds the resistance from each centre to its six faces: (inward, outward, lower, upper, angular).
    """

    radial: FloatArray
    meridian: FloatArray
    angular: FloatArray
    far: FloatArray
    surface: FloatArray
    half: tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]

    @property
    def diagonal(self) -> FloatArray:
        """Sum of a cell's conductances to its neighbours and to the far field."""
        total = self.far + self.radial + self.meridian
        total[1:] += self.radial[:-1]
        total[:, 1:] += self.meridian[:, :-1]
        if self.angular.shape[2] > 1:
            total += self.angular + np.roll(self.angular, 1, axis=2)
        return total


def conductances(grid: RevolvedGrid, value: FloatArray, *, first: int, is_low_far: bool = False) -> Conductances:
    """Two-point conductances for a property (S/m or W/m/K) of the cells from radial layer `first` on.

    `surface` (nk, nj) is the conductance from the innermost face to the first layer. A property may be 0
    (insulator) or infinite (equipotential). Halves are in series, i.e. harmonic means.
    """
    inward, outward = (half[first:, :, None] for half in grid.radial_half)
    lower, upper = (half[first:, :, None] for half in grid.meridian_half)
    about = grid.angular_half[first:, :, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        half = (inward / value, outward / value, lower / value, upper / value, about / value)
        radial, meridian, angular, far = (np.zeros_like(value) for _ in range(4))
        radial[:-1] = _series(half[1][:-1], half[0][1:])
        meridian[:, :-1] = _series(half[3][:, :-1], half[2][:, 1:])
        if grid.angles > 1:
            angular[:] = _series(half[4], np.roll(half[4], -1, axis=2))
        far[-1] += 1 / half[1][-1]
        if grid.axial_count:
            far[:, -1] += 1 / half[3][:, -1]
        if is_low_far:
            far[:, 0] += 1 / half[2][:, 0]
        surface = 1 / half[0][0]
    return Conductances(radial=radial, meridian=meridian, angular=angular, far=far, surface=surface, half=half)


def _series(first: FloatArray, second: FloatArray) -> FloatArray:
    total = first + second
    result: FloatArray = np.where(total > 0, 1 / total, 0.0)
    return result


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ElectricField:
    """Field of 1 V at the electrode: `potential` (V), `heat_w` per cell at 1 V, conductance to ground (S)."""

    potential: FloatArray
    heat_w: FloatArray
    conductance_S: float
    iterations: int

    @property
    def resistance_ohm(self) -> float:
        """Resistance from the electrode to the far field."""
        return 1 / self.conductance_S


def solve_potential(
    grid: RevolvedGrid,
    conductivity_S_per_m: FloatArray,
    *,
    start: FloatArray | None = None,
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
    start : ndarray
        Potential from which the iteration starts.
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
    contact = np.zeros_like(value)
    if grid.radial_m[grid.inner] > 0:
        contact[0] = np.where(grid.is_active[:, None], link.surface, 0.0)
    diagonal, right = link.diagonal + contact, contact.copy()
    links = (link.radial, link.meridian, link.angular)
    if electrode is not None:
        links, source = detached(links, electrode, np.ones(value.shape))
        diagonal, right = np.where(electrode, 1.0, diagonal), np.where(electrode, 1.0, right + source)
    diagonal[diagonal == 0] = 1.0  # cells that touch nothing but insulators
    potential = np.zeros_like(value) if start is None else start.copy()
    iterations = solve_linear(diagonal, links, right, potential, tolerance, "electric potential")
    heat = _joule_heat(link, potential, contact)
    if electrode is not None:
        heat[electrode] = 0.0
    current = float(np.sum(link.far * potential))
    return ElectricField(potential=potential, heat_w=heat, conductance_S=current, iterations=iterations)


Links = tuple[FloatArray, FloatArray, FloatArray]
"""Conductances to the next cell along (i, k, j)."""


def detached(links: Links, cells: BoolArray, value: FloatArray) -> tuple[Links, FloatArray]:
    """Links without those of `cells`, and the source that held cells at `value` are to their neighbours."""
    state = np.where(cells, value, 0.0)
    source = np.zeros_like(state)
    free = []
    for axis, link in enumerate(links):
        if link.shape[axis] > 1:
            source += link * np.roll(state, -1, axis=axis) + np.roll(link * state, 1, axis=axis)
        free.append(np.where(cells | np.roll(cells, -1, axis=axis), 0.0, link))
    return (free[0], free[1], free[2]), source


def solve_linear(
    diagonal: FloatArray,
    links: Links,
    right: FloatArray,
    x: FloatArray,
    tolerance: float,
    what: str,
) -> int:
    """Iterations taken to solve a conductance system in place; raises `SolverError` if it does not converge."""
    iterations, error = conjugate_gradients(diagonal, links, right, x, tolerance=tolerance, limit=ITERATION_LIMIT)
    if not np.isfinite(error) or error > tolerance:
        raise SolverError(
            f"The {what} was not solved: relative residual {error:.2e} after {iterations} iterations, "
            f"wanted {tolerance:.1e}. Use a coarser grid, or check the tissue properties for extreme values."
        )
    return int(iterations)


def _joule_heat(link: Conductances, potential: FloatArray, contact: FloatArray) -> FloatArray:
    inward, outward, lower, upper, about = link.half
    heat = contact * (1 - potential) ** 2
    with np.errstate(invalid="ignore"):
        current = link.radial[:-1] * (potential[:-1] - potential[1:])
        heat[:-1] += _dissipated(current, outward[:-1])
        heat[1:] += _dissipated(current, inward[1:])
        current = link.meridian[:, :-1] * (potential[:, :-1] - potential[:, 1:])
        heat[:, :-1] += _dissipated(current, upper[:, :-1])
        heat[:, 1:] += _dissipated(current, lower[:, 1:])
        if potential.shape[2] > 1:
            current = link.angular * (potential - np.roll(potential, -1, axis=2))
            heat += _dissipated(current, about)
            heat += np.roll(_dissipated(current, np.roll(about, -1, axis=2)), 1, axis=2)
    return heat + link.far * potential**2


def _dissipated(current: FloatArray, resistance: FloatArray) -> FloatArray:
    return np.where(current != 0, current**2 * resistance, 0.0)
