"""Heat conduction, perfusion and time stepping against exact solutions."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import erfc

from foramen.physics.bioheat import HeatSystem, advance, backward_formula, heat_system, hold
from foramen.physics.conduction import solve_potential
from foramen.physics.grid import NeedleShape, Resolution, RevolvedGrid, needle_grid
from physics.closed_forms import CAPACITY, SIGMA, SINK, THERMAL, cylinder_grid, sphere_grid

FloatArray = NDArray[np.float64]
RISE_K = 10.0


def uniform(grid: RevolvedGrid, *, is_low_far: bool = False) -> HeatSystem:
    """Muscle without perfusion everywhere."""
    return heat_system(grid, np.full(grid.shape, THERMAL), np.full(grid.shape, CAPACITY), is_low_far=is_low_far)


def joule_error(step: float) -> float:
    """Largest relative error of the steady temperature about a needle at 1 V against the Joule law."""
    shape = NeedleShape(radius_m=0.635e-3, bore_m=0.42e-3, tip_m=10e-3, is_conducting=False)
    grid = needle_grid(shape, Resolution(step=step), far_m=0.05)
    field = solve_potential(grid, np.full(grid.shape, SIGMA))
    none = np.zeros(grid.shape)
    rise = advance(uniform(grid), sink_W_per_K=none, source_W=field.heat_w, storage_W_per_K=None, start=none)
    exact = SIGMA / (2 * THERMAL) * (2 * field.potential - field.potential**2)
    return float(np.abs(rise - exact).max() / exact.max())


def test_joule_law_of_a_real_needle() -> None:
    """dT = sigma (2 V phi - phi^2) / 2k holds for any electrode with an adiabatic surface: 0.1 %, second order.

    Adiabatic needle, insulated shaft and grounded far field at baseline satisfy its conditions exactly.
    """
    coarse, fine = joule_error(0.2), joule_error(0.1)
    assert fine < 1.5e-3
    assert math.log2(coarse / fine) > 1.5


def held_sphere(grid: RevolvedGrid, radius_m: float, *, is_low_far: bool) -> tuple[HeatSystem, FloatArray, FloatArray]:
    """A ball of cells held at `RISE_K`, its source, and the distance of every cell from the centre."""
    distance = np.hypot(grid.node_r_m, grid.node_z_m)[:, :, None]
    system, source = hold(uniform(grid, is_low_far=is_low_far), distance <= radius_m, np.full(grid.shape, RISE_K))
    return system, source, distance


def test_perfused_tissue_about_a_hot_sphere() -> None:
    """Pennes: dT = dTs (a/r) exp(-(r-a)/lambda), a sphere staircased in a plain grid: 2 % of its rise (3 % asked)."""
    radius = 2e-3
    grid = cylinder_grid(fine_m=0.1e-3, until_r_m=4e-3, until_z_m=4e-3, far_m=0.15, growth=1.1)
    system, source, distance = held_sphere(grid, radius, is_low_far=True)
    sink = np.where(distance <= radius, 0.0, SINK * system.volume_m3)
    rise = advance(system, sink_W_per_K=sink, source_W=source, storage_W_per_K=None, start=np.zeros(grid.shape))
    exact = RISE_K * radius / distance * np.exp(-(distance - radius) * math.sqrt(SINK / THERMAL))
    outside = (distance > radius + 0.3e-3) & (distance < 20e-3)
    assert np.abs(rise - exact)[outside].max() < 0.02 * RISE_K


def test_perfused_shells_are_second_order() -> None:
    """The same on concentric shells about the node of a held layer: 0.1 %, rate 2 in the cell size."""
    errors = []
    for cells in (30, 60):
        grid = sphere_grid(radius_m=2e-3, far_m=0.3, cells=cells)
        system, source, distance = held_sphere(grid, float(grid.radial_nodes_m[0]) * 1.0001, is_low_far=False)
        radius = float(grid.radial_nodes_m[0])
        sink = np.where(distance <= radius * 1.0001, 0.0, SINK * system.volume_m3)
        rise = advance(system, sink_W_per_K=sink, source_W=source, storage_W_per_K=None, start=np.zeros(grid.shape))
        exact = RISE_K * radius / distance * np.exp(-(distance - radius) * math.sqrt(SINK / THERMAL))
        errors.append(float(np.abs(rise - exact).max() / RISE_K))
    assert errors[1] < 5e-3
    assert math.log2(errors[0] / errors[1]) > 1.7


def transient_error(steps: int, *, cells: int = 300) -> float:
    """Largest error (of the held rise) 60 s after a sphere was made hot, in `steps` growing steps of BDF2."""
    grid = sphere_grid(radius_m=2e-3, far_m=0.2, cells=cells, polar=2)
    first = float(grid.radial_nodes_m[0])
    system, source, distance = held_sphere(grid, first * 1.0001, is_low_far=False)
    rise, before, last = np.zeros(grid.shape), np.zeros(grid.shape), None
    ends = 60.0 * (np.arange(steps + 1) / steps) ** 3
    for start_s, end_s in itertools.pairwise(ends):
        length = end_s - start_s
        # steps that more than double would make the two-step formula unstable
        formula = backward_formula(length, last if last is not None and length < 2.2 * last else None)
        inertia = system.capacity_J_per_K * (formula.last * rise - formula.before * before) / length
        found = advance(
            system,
            sink_W_per_K=np.zeros(grid.shape),
            source_W=source + inertia,
            storage_W_per_K=system.capacity_J_per_K * formula.now / length,
            start=rise,
        )
        before, rise, last = rise, found, length
    spread = 2 * math.sqrt(THERMAL / CAPACITY * 60)
    exact = RISE_K * first / distance * erfc((distance - first) / spread)
    return float(np.abs(rise - exact).max() / RISE_K)


def test_heat_spreads_from_a_sphere_in_time() -> None:
    """dT = dTs (a/r) erfc((r-a)/(2 sqrt(alpha t))): 0.5 % in 40 steps (3 % asked), better than first order in time."""
    coarse, fine = transient_error(20), transient_error(40)
    assert fine < 5e-3
    assert math.log2(coarse / fine) > 1.5


@pytest.mark.parametrize("ratio", [0.3, 1.0, 1.9])
def test_backward_formula_is_exact_for_parabolas(ratio: float) -> None:
    """Second order: the formula differentiates t^2 exactly for any ratio of steps."""
    last_s, step_s = 1.0, ratio
    formula = backward_formula(step_s, last_s)
    now = last_s + step_s
    slope = (formula.now * now**2 - formula.last * last_s**2 + formula.before * 0.0) / step_s
    assert slope == pytest.approx(2 * now, rel=1e-12)


def test_insulation_resists() -> None:
    """A needle whose coating conducts nothing exchanges no heat with tissue along its shaft."""
    shape = NeedleShape(radius_m=0.5e-3, bore_m=0.3e-3, tip_m=5e-3, is_conducting=True)
    grid = needle_grid(shape, Resolution(step=0.3), far_m=0.05)
    blocked = np.where(grid.is_active, 0.0, 1e12)
    value = np.full(grid.shape, THERMAL)
    system = heat_system(grid, value, value, surface_resistance_m2K_per_W=blocked)
    face = system.links[0][grid.inner - 1]
    assert face[~grid.is_active].max() < 1e-12 * face[grid.is_active].min()
