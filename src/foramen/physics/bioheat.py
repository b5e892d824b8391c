"""Pennes' bioheat equation: rho c dT/dt = div(k grad T) - w rho_b c_b (T - T_b) + q, in the rise above baseline.

Baseline and arterial temperature are the same; metabolic heat is part of the baseline. The far field stays at
baseline. Time: backward Euler, or the second-order backward formula (BDF2) with variable steps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foramen.physics.conduction import Conductances, conductances, solve_linear
from foramen.physics.grid import BoolArray, RevolvedGrid

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HeatSystem:
    """Conduction and heat capacity of all cells, needle included (W/K and J/K)."""

    link: Conductances
    capacity_J_per_K: FloatArray
    volume_m3: FloatArray
    radial: FloatArray
    diagonal: FloatArray

    def stored_J(self, rise: FloatArray) -> float:
        """Heat stored above baseline."""
        return float(np.sum(self.capacity_J_per_K * rise))

    def to_far_field_W(self, rise: FloatArray) -> float:
        """Heat that flows to the far field."""
        return float(np.sum(self.link.far * rise))


def heat_system(
    grid: RevolvedGrid,
    conductivity_W_per_m_K: FloatArray,
    heat_capacity_J_per_m3_K: FloatArray,
    *,
    surface_resistance_m2K_per_W: FloatArray | None = None,
    is_low_far: bool = False,
) -> HeatSystem:
    """The heat equation's matrices for properties of shape (nr, nk, nj).

    `surface_resistance_m2K_per_W` (nk,) is the resistance of the needle's insulation between metal and tissue.
    """
    link = conductances(grid, conductivity_W_per_m_K, first=0, is_low_far=is_low_far)
    radial = link.radial.copy()
    if grid.inner and surface_resistance_m2K_per_W is not None:
        face = radial[grid.inner - 1]
        layer = (surface_resistance_m2K_per_W / grid.surface_area_m2)[:, None]
        radial[grid.inner - 1] = face / (1 + face * layer)
    whole = Conductances(
        radial=radial, meridian=link.meridian, angular=link.angular, far=link.far, surface=link.surface, half=link.half
    )
    volume = np.broadcast_to(grid.volume_m3[:, :, None], conductivity_W_per_m_K.shape)
    return HeatSystem(
        link=whole,
        capacity_J_per_K=heat_capacity_J_per_m3_K * volume,
        volume_m3=volume,
        radial=radial,
        diagonal=whole.diagonal,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeFormula:
    """Weights of a backward formula: (now T_n+1 - last T_n + before T_n-1) / step."""

    now: float
    last: float
    before: float


def backward_formula(step_s: float, previous_step_s: float | None) -> TimeFormula:
    """BDF2 for the ratio of two steps, or backward Euler where there is no previous step."""
    if previous_step_s is None:
        return TimeFormula(now=1.0, last=1.0, before=0.0)
    ratio = step_s / previous_step_s
    return TimeFormula(now=(1 + 2 * ratio) / (1 + ratio), last=1 + ratio, before=ratio**2 / (1 + ratio))


def advance(
    system: HeatSystem,
    *,
    sink_W_per_K: FloatArray,
    source_W: FloatArray,
    storage_W_per_K: FloatArray | None,
    start: FloatArray,
    tolerance: float = 1e-6,
) -> FloatArray:
    """Temperature rise (K) that satisfies one implicit step, or the steady state if `storage_W_per_K` is None.

    Raises
    ------
    SolverError
        If the linear system is not solved to `tolerance`.
    """
    diagonal = system.diagonal + sink_W_per_K
    if storage_W_per_K is not None:
        diagonal = diagonal + storage_W_per_K
    rise = start.copy()
    links = (system.radial, system.link.meridian, system.link.angular)
    solve_linear(diagonal, links, source_W, rise, tolerance, "bioheat equation")
    return rise


def hold(system: HeatSystem, cells: BoolArray, value: FloatArray) -> tuple[HeatSystem, FloatArray]:
    """The system with `cells` held at a temperature rise, and the source that goes with it (W)."""
    state = np.where(cells, value, 0.0)
    source = np.zeros_like(state)
    links = [system.radial.copy(), system.link.meridian.copy(), system.link.angular.copy()]
    for axis, g in enumerate(links):
        if axis == 2 and g.shape[2] == 1:
            continue
        source += g * np.roll(state, -1, axis=axis) + np.roll(g * state, 1, axis=axis)
        g[cells | np.roll(cells, -1, axis=axis)] = 0.0
    diagonal = np.where(cells, 1.0, system.diagonal)
    link = Conductances(
        radial=links[0],
        meridian=links[1],
        angular=links[2],
        far=system.link.far,
        surface=system.link.surface,
        half=system.link.half,
    )
    capacity = np.where(cells, 0.0, system.capacity_J_per_K)
    held = HeatSystem(
        link=link, capacity_J_per_K=capacity, volume_m3=system.volume_m3, radial=links[0], diagonal=diagonal
    )
    return held, np.where(cells, value, source)
