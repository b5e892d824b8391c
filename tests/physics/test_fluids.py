"""Fluids that carry heat off: cerebrospinal fluid held at body temperature, and vessels that flow on."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from numpy.typing import NDArray

from foramen.knowledge.thermal import perfusion_law, tissue_properties
from foramen.model.thermal import GeneratorLimits
from foramen.physics.bioheat import advance, heat_system, hold
from foramen.physics.generator import Generator
from foramen.physics.grid import RevolvedGrid
from foramen.physics.lesion import Lesion, LesionEnd
from foramen.physics.rf_lesion import simulate_lesion
from foramen.physics.tissue import TissueField, held_sink_W_per_K, is_mostly, tissue_field, uniform_field
from physics.closed_forms import CAPACITY, THERMAL, sphere_grid
from physics.lesion_case import distance_across_m, make_generator, make_grid, make_model, make_muscle, run_lesion

MUSCLE, FLUID, BLOOD = (tissue_properties(n, frequency_hz=500e3) for n in ("muscle", "csf", "blood"))
LAYER_M = (3e-3, 6e-3)
RISE_K = 10.0


def layer(grid: RevolvedGrid) -> NDArray[np.bool_]:
    """Cells between 3 and 6 mm to one side of the needle."""
    across = distance_across_m(grid)
    inside: NDArray[np.bool_] = (across > LAYER_M[0]) & (across < LAYER_M[1])
    return inside


def layered(grid: RevolvedGrid, *, is_held: bool, is_perfused: bool = True) -> TissueField:
    """Muscle with the layer of cerebrospinal fluid."""
    table = [MUSCLE, dataclasses.replace(FLUID, is_held=is_held)]
    return tissue_field(table, layer(grid)[None].astype(np.intp), is_perfused=is_perfused)


def fixed_volts() -> Generator:
    """12 V throughout: the limit decides."""
    limits = GeneratorLimits(voltage_V=12.0, current_A=10.0, power_W=1000.0)
    return make_generator(set_degC=150.0, time_s=60.0, ramp_s=0.0, limits=limits)


def test_tissue_between_a_hot_sphere_and_held_fluid() -> None:
    """dT = dTs (1/r - 1/R) / (1/a - 1/R) up to the first held node R, nothing beyond: 0.2 %."""
    grid = sphere_grid(radius_m=2e-3, far_m=50e-3, cells=120)
    distance = grid.node_r_m[:, :, None] ** 2 + grid.node_z_m[:, :, None] ** 2
    distance = np.sqrt(distance)
    first = float(grid.radial_nodes_m[0])
    fluid = distance > 8e-3
    wall = float(distance[fluid].min())
    uniform = heat_system(grid, np.full(grid.shape, THERMAL), np.full(grid.shape, CAPACITY))
    system, source = hold(uniform, distance <= first * 1.0001, np.full(grid.shape, RISE_K))
    field = dataclasses.replace(uniform_field(MUSCLE, grid, is_perfused=False), is_held=fluid)
    sink = held_sink_W_per_K(field, uniform.diagonal)
    rise = advance(system, sink_W_per_K=sink, source_W=source, storage_W_per_K=None, start=np.zeros(grid.shape))
    exact = np.where(fluid, 0.0, RISE_K * (1 / distance - 1 / wall) / (1 / first - 1 / wall))
    assert np.abs(rise - exact).max() < 2e-3 * RISE_K
    assert rise[fluid].max() < 1e-3


@pytest.fixture(scope="module")
def at_fixed_volts() -> tuple[RevolvedGrid, Lesion, Lesion]:
    """Still and held fluid beside the needle, with the same source of heat."""
    grid = make_grid(step=0.3, angles=8)
    model = make_model(grid, has_law=False)
    still, held = (
        run_lesion(grid, tissue=layered(grid, is_held=is_held), model=model, generator=fixed_volts())
        for is_held in (False, True)
    )
    return grid, still, held


def test_held_fluid_cools_everything(at_fixed_volts: tuple[RevolvedGrid, Lesion, Lesion]) -> None:
    """The same heat with a further sink: nowhere warmer, and far colder behind the layer."""
    grid, still, held = at_fixed_volts
    fluid = layer(grid)
    assert still.peak_degC[grid.inner :][fluid].max() > 37 + 5
    assert held.peak_degC[grid.inner :][fluid].max() < 37 + 0.01
    assert (held.peak_degC <= still.peak_degC + 1e-3).all()
    behind = (distance_across_m(grid) > LAYER_M[1]) & (still.peak_degC[grid.inner :] > 37 + 0.5)
    assert behind.any()
    rise_held, rise_still = (lesion.peak_degC[grid.inner :][behind].max() - 37 for lesion in (held, still))
    assert rise_held < 0.3 * rise_still


def test_what_held_fluid_takes_stands_in_the_balance() -> None:
    """Without perfusion the fluid alone carries heat off, and delivered = stored + fluid + far field."""
    grid = make_grid(step=0.3, angles=8)
    errors, taken = [], []
    for fine in (1, 3):
        energy = run_lesion(
            grid, tissue=layered(grid, is_held=True, is_perfused=False), model=make_model(grid, fine=fine)
        ).energy
        errors.append(abs(energy.error_fraction))
        taken.append(energy.perfusion_J / energy.delivered_J)
    assert min(taken) > 0.1
    assert errors[0] < 0.01
    assert errors[1] < 0.0025


def test_nothing_frees_held_fluid() -> None:
    """At the needle itself, with perfusion that answers warmth, none at all, or all of it stopped before: 0.01 K."""
    grid = make_grid(step=0.35, angles=4)
    table = [MUSCLE, dataclasses.replace(FLUID, is_held=True, flow_gain_fraction=8.0)]
    beside = (distance_across_m(grid) > 0.0)[None].astype(np.intp)
    model = dataclasses.replace(make_model(grid), flow=perfusion_law())
    stopped = LesionEnd(rise_K=np.zeros(grid.shape), flow_left=np.zeros(beside[0].shape))
    for is_perfused, start in ((True, None), (False, None), (True, stopped)):
        tissue = tissue_field(table, beside, is_perfused=is_perfused)
        lesion = simulate_lesion(grid, tissue, generator=make_generator(), model=model, start=start)
        assert lesion.peak_degC[grid.inner :][beside[0] > 0].max() < 37 + 0.01


def test_held_cells_are_those_that_are_mostly_fluid() -> None:
    """Half of the samples of a cell decide."""
    samples = np.array([[0, 0, 1], [0, 1, 1], [0, 1, 1], [0, 0, 1]]).reshape(4, 3, 1, 1)
    assert is_mostly([False, True], samples).ravel().tolist() == [False, True, True]
    field = tissue_field([MUSCLE, dataclasses.replace(FLUID, is_held=True)], samples, is_perfused=True)
    assert field.is_held.ravel().tolist() == [False, True, True]


def test_coagulation_does_not_stop_a_vessel() -> None:
    """In blood alone the damage law changes nothing; in a tissue of the same flow that can die it does."""
    grid = make_grid(step=0.35)
    model = make_model(grid)
    endless = dataclasses.replace(model, stops_perfusion=None)
    vessel = uniform_field(BLOOD, grid, is_perfused=True)
    mortal = uniform_field(dataclasses.replace(BLOOD, keeps_flowing=False), grid, is_perfused=True)
    flowing, unstopped, stopped = (
        run_lesion(grid, tissue=tissue, model=law)
        for tissue, law in ((vessel, model), (vessel, endless), (mortal, model))
    )
    assert np.array_equal(flowing.peak_degC, unstopped.peak_degC)
    assert flowing.energy.perfusion_J > 1.05 * stopped.energy.perfusion_J
    near = stopped.peak_degC[grid.inner :] > 50
    assert stopped.peak_degC[grid.inner :][near].mean() > flowing.peak_degC[grid.inner :][near].mean() + 1


def test_a_cell_with_a_vessel_in_it_loses_only_its_own_flow() -> None:
    """Half muscle, half blood: the lasting part is that of the blood; muscle alone lasts not at all."""
    samples = np.array([[0, 0, 1], [0, 1, 1]]).reshape(2, 3, 1, 1)
    field = tissue_field([MUSCLE, BLOOD], samples, is_perfused=True)
    share = BLOOD.perfusion_W_per_m3_K / (BLOOD.perfusion_W_per_m3_K + MUSCLE.perfusion_W_per_m3_K)
    assert field.lasting_fraction.ravel() == pytest.approx([0.0, share, 1.0])
    assert not tissue_field([MUSCLE, BLOOD], samples, is_perfused=False).lasting_fraction.any()
    assert not make_muscle(make_grid(step=0.35)).lasting_fraction.any()
