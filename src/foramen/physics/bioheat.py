"""Pennes' bioheat equation: rho c dT/dt = div(k grad T) - w rho_b c_b (T - T_b) + q, in the rise above baseline.

Baseline and arterial temperature are the same; metabolic heat is part of the baseline. The far field stays at
baseline. Time: backward Euler, or the second-order backward formula (BDF2) with variable steps.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from foramen.physics.conduction import Conductances, conductances
from foramen.physics.grid import BoolArray, RevolvedGrid
from foramen.physics.linear_system import LinearSystem, Links, detached, linear_system

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HeatSystem:
    """Conduction and heat capacity of all cells, needle included (W/K and J/K)."""

    links: Links
    link: Conductances
    capacity_J_per_K: FloatArray
    volume_m3: FloatArray
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
    whole = replace(link, radial=radial)
    volume = np.broadcast_to(grid.volume_m3[:, :, None], conductivity_W_per_m_K.shape)
    return HeatSystem(
        links=(radial, link.meridian, link.angular),
        link=whole,
        capacity_J_per_K=heat_capacity_J_per_m3_K * volume,
        volume_m3=volume,
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


def implicit_system(
    system: HeatSystem,
    *,
    sink_W_per_K: FloatArray,
    storage_W_per_K: FloatArray | None,
    like: LinearSystem | None = None,
) -> LinearSystem:
    """The linear system of one implicit step, or of the steady state if `storage_W_per_K` is None.

    `like` may be the system of a step of about the same length.
    """
    diagonal = system.diagonal + sink_W_per_K
    if storage_W_per_K is not None:
        diagonal += storage_W_per_K
    return linear_system(diagonal, system.links, is_revolved=True, like=like)


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
    implicit = implicit_system(system, sink_W_per_K=sink_W_per_K, storage_W_per_K=storage_W_per_K)
    rise, _ = implicit.solve(source_W, start, tolerance=tolerance, what="bioheat equation")
    return rise


def hold(system: HeatSystem, cells: BoolArray, value: FloatArray) -> tuple[HeatSystem, FloatArray]:
    """The system with `cells` held at a temperature rise, and the source that goes with it (W)."""
    links, source = detached(system.links, cells, value)
    held = HeatSystem(
        links=links,
        link=system.link,
        capacity_J_per_K=np.where(cells, 0.0, system.capacity_J_per_K),
        volume_m3=system.volume_m3,
        diagonal=np.where(cells, 1.0, system.diagonal),
    )
    return held, np.where(cells, value, source)
