"""Lesions of embedded electrodes in time: the conformal engine as second method, energy, symmetry, control."""

from __future__ import annotations

import numpy as np
import pytest

from foramen.errors import InputError
from foramen.knowledge.thermal import coolant, generator_limits
from foramen.model.thermal import GeneratorLimits
from foramen.physics.box_conduction import bipolar
from foramen.physics.box_contours import BoxExtent, measure_box
from foramen.physics.contours import measure
from foramen.physics.lesion import Lesion
from foramen.physics.strip_lesion import Control, StripLesion, metal_sensor, tissue_sensor
from foramen.physics.tissue import tissue_field
from physics.box_case import BONE, MUSCLE, TIP_M, make_embedding, make_pair, make_rod, run_strip
from physics.lesion_case import make_generator, make_grid, run_lesion


def extent(lesion: StripLesion, level_degC: float) -> BoxExtent:
    """Extent of an isotherm."""
    return measure_box(lesion.embedding, lesion.peak_degC, level_degC)


@pytest.fixture(scope="module")
def conformal() -> Lesion:
    """The 18 G x 10 mm needle, 80 degC, 60 s, on its own grid."""
    return run_lesion(make_grid(step=0.15), generator=make_generator(time_s=60))


@pytest.fixture(scope="module")
def pair() -> StripLesion:
    """Two such electrodes 8 mm apart, bipolar."""
    return run_strip(make_embedding(make_pair(8e-3)), [bipolar(0, 1, 2)])


@pytest.mark.parametrize("towards_hub", [(0, 0, 1), (1, 0, 1), (1, 2, 3)])
def test_single_electrode_agrees_with_the_conformal_engine(
    conformal: Lesion, towards_hub: tuple[float, float, float]
) -> None:
    """Extents and power within 4 %, impedance too; volume within 6 %, at one cell per radius."""
    lesion = run_strip(make_embedding([make_rod(towards_hub=towards_hub)]))
    for level in (45.0, 50.0, 60.0):
        wanted = measure(conformal.grid, conformal.peak_degC, conformal.surface_peak_degC, level)
        found = extent(lesion, level)
        assert found.volume_m3 == pytest.approx(wanted.volume_m3, rel=0.06)
        if towards_hub == (0, 0, 1):
            assert found.extent_m[0] == pytest.approx(wanted.width_m, rel=0.04)
            assert found.extent_m[1] == pytest.approx(wanted.width_m, rel=0.04)
            assert found.extent_m[2] == pytest.approx(wanted.length_m, rel=0.04)
    last = lesion.history[-1]
    assert last.impedance_ohm == pytest.approx(conformal.impedance_final_ohm, rel=0.04)
    assert last.power_W == pytest.approx(conformal.power_final_W, rel=0.04)
    assert lesion.hottest_tissue_degC == pytest.approx(conformal.hottest_tissue_degC, abs=4)


def test_bone_ahead_of_the_pole_acts_as_on_the_conformal_grid() -> None:
    """Cortical bone from 2 mm ahead: the same interface on both grids, sizes, power and ohm within 4 %."""
    grid, ahead_m = make_grid(step=0.12), 2e-3
    depth = (-ahead_m - grid.node_z_m[grid.inner :, :, None])[None]
    bone = tissue_field([MUSCLE, BONE], (depth > 0).astype(np.intp), is_perfused=True)
    wanted = run_lesion(grid, tissue=bone, generator=make_generator(time_s=60))
    rod = make_rod()
    found = run_strip(make_embedding([rod], growth=0.15), bone_below_m=float(rod.path_m[0, 2]) - ahead_m)
    size, truth = extent(found, 50), measure(grid, wanted.peak_degC, wanted.surface_peak_degC, 50)
    assert size.extent_m[0] == pytest.approx(truth.width_m, rel=0.04)
    assert size.extent_m[2] == pytest.approx(truth.length_m, rel=0.04)
    assert found.history[-1].power_W == pytest.approx(wanted.power_final_W, rel=0.04)
    assert found.history[-1].impedance_ohm == pytest.approx(wanted.impedance_final_ohm, rel=0.04)


def test_energy_is_accounted_for(pair: StripLesion) -> None:
    """Delivered = stored + blood + far field; the rest is the time error of the two-step formula."""
    assert abs(pair.energy.error_fraction) < 0.01
    assert pair.energy.far_field_J < 0.01 * pair.energy.delivered_J


def test_the_hottest_thermocouple_follows_the_set_curve(pair: StripLesion) -> None:
    """Both do, by symmetry; every step lands on ramp and hold."""
    for moment in pair.history:
        wanted = min(37 + 43 * moment.time_s / 10, 80)
        assert max(moment.sensor_degC) == pytest.approx(wanted, abs=1e-3)
        assert min(moment.sensor_degC) == pytest.approx(wanted, abs=0.02)
    assert not pair.is_limited


def test_equal_electrodes_make_a_mirrored_lesion(pair: StripLesion) -> None:
    """Left and right halves agree, and so do front and back, to the solver's tolerance."""
    assert np.abs(pair.peak_degC - pair.peak_degC[::-1]).max() < 0.01
    assert np.abs(pair.peak_degC - pair.peak_degC[:, ::-1]).max() < 0.01


def test_two_heat_more_between_them_than_one(conformal: Lesion, pair: StripLesion) -> None:
    """The region is one body and reaches farther across than two single lesions side by side with a gap."""
    size = extent(pair, 50)
    single = measure(conformal.grid, conformal.peak_degC, conformal.surface_peak_degC, 50)
    assert size.is_one_body
    assert size.extent_m[1] > single.width_m
    assert single.width_m < size.extent_m[0] < 8e-3 + 1.2 * single.width_m


def test_far_apart_each_is_a_lesion_of_its_own(conformal: Lesion) -> None:
    """36 mm apart, bipolar: two bodies, each with the single electrode's length and thickness within 4 %."""
    lesion = run_strip(make_embedding(make_pair(36e-3)), [bipolar(0, 1, 2)])
    size = extent(lesion, 50)
    single = measure(conformal.grid, conformal.peak_degC, conformal.surface_peak_degC, 50)
    assert not size.is_one_body
    assert size.extent_m[1] == pytest.approx(single.width_m, rel=0.04)
    assert size.extent_m[2] == pytest.approx(single.length_m, rel=0.04)
    assert size.volume_m3 == pytest.approx(2 * single.volume_m3, rel=0.06)


def test_pairs_one_after_the_other_carry_the_heat_over() -> None:
    """Three electrodes, two stages: the second pair starts warm, ends at the set temperature, needs less energy."""
    embedding = make_embedding(make_pair(8e-3, electrodes=3), growth=0.3)
    lesion = run_strip(embedding, [bipolar(0, 1, 3), bipolar(1, 2, 3)], time_s=20)
    delivered = [0.0, 0.0]
    before = 0.0
    for moment in lesion.history:
        delivered[moment.stage] += moment.power_W * (moment.time_s - before)
        before = moment.time_s
    assert before == pytest.approx(40)
    assert delivered[1] < delivered[0]
    assert max(lesion.history[-1].sensor_degC[1:]) == pytest.approx(80, abs=0.01)
    assert lesion.history[-1].sensor_degC[0] < 60  # no longer driven
    assert extent(lesion, 50).is_one_body


def test_control_by_the_mean_is_hotter_than_by_the_hottest() -> None:
    """An electrode with half the tip is the hotter pole; by the mean the other may lag, so more power flows."""
    rods = [make_rod(middle_m=(-4e-3, 0, 0)), make_rod(middle_m=(4e-3, 0, 0), electrode=1, tip_m=5e-3)]
    embedding = make_embedding(rods, growth=0.3)
    found = {
        control: run_strip(embedding, [bipolar(0, 1, 2)], time_s=15, control=control).history[-1]
        for control in (Control.HOTTEST, Control.MEAN)
    }
    assert max(found[Control.HOTTEST].sensor_degC) == pytest.approx(80, abs=0.01)
    assert float(np.mean(found[Control.MEAN].sensor_degC)) == pytest.approx(80, abs=0.01)
    assert found[Control.MEAN].power_W > found[Control.HOTTEST].power_W


def test_a_cooled_electrode_shows_less_than_the_tissue_has() -> None:
    """Its metal stays cold, the hottest tissue lies off it and above the display; energy counts the coolant."""
    embedding = make_embedding(make_pair(10e-3), growth=0.25)
    ahead = [
        tissue_sensor(embedding, rod.path_m[0] - np.array([0, 0, 0.5e-3]), number)
        for number, rod in enumerate(embedding.rods)
    ]
    lesion = run_strip(embedding, [bipolar(0, 1, 2)], sensors=ahead, time_s=60, set_degC=60, coolant=coolant())
    metal = metal_sensor(embedding, 0, TIP_M / 2).read(lesion.final_degC)
    assert metal < 45
    assert lesion.hottest_tissue_degC > 65
    assert max(lesion.history[-1].sensor_degC) == pytest.approx(60, abs=0.05)
    gaps = [np.linalg.norm(np.array(lesion.hottest_m)[:2] - rod.path_m[0, :2]) for rod in embedding.rods]
    assert min(gaps) > 1.5 * embedding.rods[0].radius_m
    assert lesion.energy.coolant_J > 0.1 * lesion.energy.delivered_J
    assert abs(lesion.energy.error_fraction) < 0.02


def test_a_weak_generator_is_said_to_be_limited() -> None:
    """At 1 W the set temperature is out of reach."""
    usual = generator_limits()
    weak = GeneratorLimits(voltage_V=usual.voltage_V, current_A=usual.current_A, power_W=1.0)
    lesion = run_strip(make_embedding([make_rod()], growth=0.3), time_s=20, limits=weak)
    assert lesion.is_limited
    assert max(moment.power_W for moment in lesion.history) <= 1 + 1e-9


def test_replay_is_bitwise_equal() -> None:
    """The same inputs give the same bits."""
    first, again = (run_strip(make_embedding([make_rod()], growth=0.3), time_s=15) for _ in range(2))
    assert np.array_equal(first.peak_degC, again.peak_degC)
    assert first.history == again.history


def test_what_cannot_be_run_is_refused() -> None:
    """No stage; a pole without a thermocouple."""
    embedding = make_embedding(make_pair(8e-3, electrodes=3), growth=0.3)
    with pytest.raises(InputError, match="stage"):
        run_strip(embedding, [])
    with pytest.raises(InputError, match="thermocouple"):
        run_strip(embedding, [bipolar(0, 1, 3)], sensors=[metal_sensor(embedding, 2, 0.0)])
