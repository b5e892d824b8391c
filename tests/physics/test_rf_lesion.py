"""The radiofrequency lesion: control, balance, convergence, and laws that must hold for any setting."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foramen.errors import InputError
from foramen.knowledge.thermal import perfusion_law, tissue_properties
from foramen.model.thermal import GeneratorLimits
from foramen.physics.contours import measure
from foramen.physics.lesion import Lesion
from foramen.physics.tissue import perfusion_factor
from physics.lesion_case import (
    as_numbers,
    extent,
    make_generator,
    make_grid,
    make_model,
    make_muscle,
    run_lesion,
)

FEW = settings(max_examples=8, deadline=None, derandomize=True)


@pytest.fixture(scope="module")
def usual() -> Lesion:
    """18 G x 10 mm, 80 degC, 90 s in perfused muscle on a coarse grid."""
    return run_lesion()


def test_thermocouple_follows_the_set_curve(usual: Lesion) -> None:
    """Every step lands on ramp and hold: the response to the squared voltage is linear within a step."""
    generator = make_generator()
    wanted = [generator.wanted_degC(t) for t in usual.history.time_s]
    assert np.allclose(usual.history.tip_degC, wanted, atol=1e-3)
    assert usual.history.time_s[-1] == pytest.approx(90)
    assert not usual.is_limited


def test_energy_is_accounted_for() -> None:
    """Delivered = stored + blood + far field; the rest is the time error of the two-step formula and falls with it."""
    grid = make_grid()
    errors = [abs(run_lesion(grid, model=make_model(grid, fine=fine)).energy.error_fraction) for fine in (1, 3)]
    assert errors[0] < 0.005
    assert errors[1] < 0.0015


def test_impedance_falls_by_a_third_when_hot(usual: Lesion) -> None:
    """About a third less when hot, a quarter on the average of the field (sigma rises 1.5 % per degC)."""
    assert 0.15 < 1 - usual.impedance_final_ohm / usual.impedance_initial_ohm < 0.40


def test_width_at_50_is_about_1_6_times_that_at_60(usual: Lesion) -> None:
    """Calculated 1.6 elsewhere on a separate model."""
    assert extent(usual, 50).width_m / extent(usual, 60).width_m == pytest.approx(1.6, abs=0.08)


def test_thermocouple_position_changes_the_width() -> None:
    """Pole against middle changes the 50 degC width by about 13 % without cannula conduction (a separate model)."""
    grid = make_grid(is_conducting=False)
    pole = extent(run_lesion(grid), 50).width_m
    middle = extent(run_lesion(grid, model=make_model(grid, thermocouple_m=5e-3)), 50).width_m
    assert middle / pole - 1 == pytest.approx(0.13, abs=0.04)


def test_size_converges_in_space() -> None:
    """Each halving of the cells more than halves the change; 1 % at step 0.1 is far from reached."""
    widths = [extent(run_lesion(make_grid(step=step)), 50).width_m * 1e3 for step in (0.3, 0.15, 0.075)]
    assert abs(widths[1] - widths[2]) < 0.5 * abs(widths[0] - widths[1])
    assert abs(widths[1] / widths[2] - 1) < 0.004


def test_size_converges_in_time() -> None:
    """Second order: thrice the steps leave at most a quarter of the error against nine times the steps."""
    grid = make_grid(step=0.3)
    coarse, middle, fine = (
        np.array(as_numbers(extent(run_lesion(grid, model=make_model(grid, fine=f)), 50))) for f in (1 / 2, 1, 3)
    )
    assert np.abs(middle / fine - 1).max() < 0.001
    assert np.abs(middle - fine).max() < 0.5 * np.abs(coarse - fine).max()


@pytest.mark.parametrize("is_conducting", [True, False])
def test_three_dimensions_agree_with_the_axis(is_conducting: bool) -> None:
    """In uniform tissue the angle does not matter: equal to the solver's tolerance."""
    flat, round_ = (run_lesion(make_grid(step=0.3, angles=n, is_conducting=is_conducting)) for n in (1, 6))
    assert as_numbers(extent(round_, 50)) == pytest.approx(as_numbers(extent(flat, 50)), rel=1e-4)
    assert round_.impedance_final_ohm == pytest.approx(flat.impedance_final_ohm, rel=3e-5)  # solved to 3e-5


def test_replay_is_bitwise_equal(usual: Lesion) -> None:
    """The same inputs give the same bits."""
    again = run_lesion()
    assert np.array_equal(again.peak_degC, usual.peak_degC)
    assert again.history.power_W == usual.history.power_W


@FEW
@given(
    set_degC=st.floats(55, 88),
    hotter_K=st.floats(0.5, 8),
    time_s=st.floats(30, 150),
    longer_s=st.floats(1, 60),
)
def test_hotter_or_longer_never_shrinks(set_degC: float, hotter_K: float, time_s: float, longer_s: float) -> None:
    """Below boiling, under temperature hold. 1e-3 allows for the time steps, which differ between the two runs."""
    grid = make_grid(step=0.35)
    base = run_lesion(grid, generator=make_generator(set_degC=set_degC, time_s=time_s))
    hotter = run_lesion(grid, generator=make_generator(set_degC=set_degC + hotter_K, time_s=time_s))
    longer = run_lesion(grid, generator=make_generator(set_degC=set_degC, time_s=time_s + longer_s))
    for level in (45.0, 50.0):
        size = np.array(as_numbers(extent(base, level)))
        assert (np.array(as_numbers(extent(hotter, level))) >= size * (1 - 1e-3)).all()
        assert (np.array(as_numbers(extent(longer, level))) >= size * (1 - 1e-3)).all()


@FEW
@given(scale=st.floats(0.3, 3.0))
def test_uniform_conductivity_does_nothing_under_temperature_hold(scale: float) -> None:
    """Without sigma(T) only volts and amperes change. The generator stays within its limits in this range."""
    grid = make_grid(step=0.35)
    model = make_model(grid, has_law=False)
    base = run_lesion(grid, model=model)
    other = run_lesion(grid, model=model, tissue=make_muscle(grid, conductivity_scale=scale))
    assert as_numbers(extent(other, 50)) == pytest.approx(as_numbers(extent(base, 50)), rel=1e-4)
    assert other.impedance_final_ohm == pytest.approx(base.impedance_final_ohm / scale, rel=1e-4)


@FEW
@given(far_mm=st.floats(4, 12), nearer_mm=st.floats(0.3, 2.5))
def test_a_nearer_vessel_never_enlarges_at_fixed_voltage(far_mm: float, nearer_mm: float) -> None:
    """A vessel that fills everything beyond a distance on one side, at fixed volts (the limit decides throughout).

    Only the heat sink is moved; blood also conducts better, which is left out because it changes the power.
    """
    grid = make_grid(step=0.35, angles=6)
    limits = GeneratorLimits(voltage_V=9.0, current_A=10.0, power_W=1000.0)
    generator = make_generator(set_degC=150.0, time_s=60.0, ramp_s=0.0, limits=limits)
    blood = tissue_properties("blood", frequency_hz=500e3).perfusion_W_per_m3_K
    sizes = []
    for distance_mm in (far_mm, far_mm - nearer_mm):
        muscle = make_muscle(grid)
        across = (grid.node_r_m[:, :, None] * np.cos(grid.angle_nodes_rad))[grid.inner :]
        flow = np.where(across > distance_mm * 1e-3, blood, muscle.perfusion_W_per_m3_K)
        tissue = dataclasses.replace(muscle, perfusion_W_per_m3_K=flow)
        lesion = run_lesion(grid, tissue=tissue, generator=generator, model=make_model(grid, has_law=False))
        assert lesion.is_limited
        assert lesion.voltage_final_V == pytest.approx(9.0)
        sizes.append(extent(lesion, 50).volume_m3)
    assert sizes[1] <= sizes[0] * (1 + 1e-9)


def test_perfusion_shrinks_and_stops_with_coagulation() -> None:
    """Blood makes the lesion smaller; blood that never stops makes it smaller still."""
    grid = make_grid()
    model = make_model(grid)
    still = extent(run_lesion(grid, tissue=make_muscle(grid, is_perfused=False)), 50).volume_m3
    stopping = extent(run_lesion(grid, model=model), 50).volume_m3
    flowing = extent(run_lesion(grid, model=dataclasses.replace(model, stops_perfusion=None)), 50).volume_m3
    assert flowing < stopping < still


def test_perfusion_that_answers_warmth_shrinks_the_lesion_further() -> None:
    """Muscle at 45 degC has almost nine times its flow at rest (Lang 1999); the core coagulates all the same."""
    grid = make_grid()
    model = make_model(grid)
    resting = extent(run_lesion(grid, model=model), 50)
    answering = extent(run_lesion(grid, model=dataclasses.replace(model, flow=perfusion_law())), 50)
    assert 0.6 * resting.width_m < answering.width_m < 0.97 * resting.width_m


def test_perfusion_law_is_the_published_one() -> None:
    """0.45 + 3.55 exp(-(T - 45)^2 / 12) kg/(s m3) in muscle up to 45 degC, 4.00 above."""
    degC = np.array([37.0, 41.0, 45.0, 60.0])
    factor = perfusion_factor(perfusion_law(), np.array(3.55 / 0.45), degC)
    published = np.where(degC <= 45, 0.45 + 3.55 * np.exp(-((degC - 45) ** 2) / 12), 4.0)
    assert 0.45 * factor == pytest.approx(published, rel=1e-3)


def test_strong_sink_at_the_thermocouple_overheats_the_rest() -> None:
    """Under temperature hold a cooled thermocouple raises the volts, and tissue elsewhere exceeds the display."""
    grid = make_grid(is_conducting=False)
    muscle = make_muscle(grid)
    blood = tissue_properties("blood", frequency_hz=500e3).perfusion_W_per_m3_K
    is_near_pole = (grid.node_z_m < 0)[grid.inner :, :, None]
    cooled = dataclasses.replace(
        muscle, perfusion_W_per_m3_K=np.where(is_near_pole, blood, muscle.perfusion_W_per_m3_K)
    )
    base, sink = run_lesion(grid), run_lesion(grid, tissue=cooled, model=make_model(grid))
    assert sink.voltage_final_V > 1.1 * base.voltage_final_V
    assert sink.hottest_tissue_degC > base.hottest_tissue_degC + 5
    assert sink.tip_degC == pytest.approx(80, abs=0.01)


def test_cannula_conduction_carries_heat_up_the_shaft() -> None:
    """The metal lengthens the 45 degC zone along the insulated shaft."""
    cold = run_lesion(make_grid(is_conducting=False))
    assert extent(run_lesion(), 45).length_m > 1.05 * extent(cold, 45).length_m


def test_heat_still_spreads_after_the_generator_stops() -> None:
    """The 45 degC zone grows a little in the cool-down, the 60 degC zone does not."""
    grid = make_grid()
    stopped, cooled = run_lesion(grid), run_lesion(grid, model=make_model(grid, cool_down_s=20))
    assert extent(cooled, 45).width_m > extent(stopped, 45).width_m * 1.005
    assert extent(cooled, 60).width_m == pytest.approx(extent(stopped, 60).width_m, rel=1e-3)
    assert len(cooled.history.time_s) == len(stopped.history.time_s)


def test_limits_of_the_generator_are_kept() -> None:
    """With 2 W at most, the tip stays below the set temperature and the lesion says so."""
    limits = GeneratorLimits(voltage_V=100.0, current_A=1.5, power_W=1.0)
    lesion = run_lesion(generator=make_generator(limits=limits))
    assert lesion.power_peak_W <= 1.0 + 1e-9
    assert lesion.is_limited
    assert lesion.tip_degC < 79


def test_grid_and_material_must_agree() -> None:
    """A conducting needle on a grid without its inside is an error."""
    grid = make_grid(is_conducting=False)
    model = make_model(make_grid(is_conducting=True))
    with pytest.raises(InputError, match="its inside"):
        run_lesion(grid, model=model)


@pytest.mark.parametrize(("set_degC", "ramp_s"), [(36.0, 10.0), (80.0, 90.0)])
def test_impossible_settings(set_degC: float, ramp_s: float) -> None:
    """A set temperature below baseline, and a ramp as long as the lesion."""
    with pytest.raises(InputError):
        make_generator(set_degC=set_degC, ramp_s=ramp_s)


def test_contour_of_a_known_field() -> None:
    """A linear field about the needle: radius 3 mm beside it, volume by calculus; piecewise linear is exact here."""
    grid = make_grid(step=0.1, is_conducting=False)
    nodes = grid.radial_nodes_m[:, None, None]
    is_tip = np.concatenate([np.ones(grid.end_count, bool), grid.shaft_nodes_m < 10e-3])[None, :, None]
    values = np.where(is_tip, 100 - nodes * 1e4, 0.0)
    surface = np.where(is_tip[0], 100 - 0.635e-3 * 1e4, 0.0)
    width, length, volume = as_numbers(measure(grid, values, surface, 70.0))
    ball = 2 / 3 * math.pi * (3**3 - 0.635**3)
    shaft = math.pi * (3**2 - 0.635**2) * (10 - 0.635)
    assert width == pytest.approx(6.0, rel=1e-3)  # a parabola smooths the plateau of widths
    assert volume == pytest.approx(ball + shaft, rel=1e-4)
    assert length == pytest.approx(3 - 0.635 + 10, abs=0.05)  # the end is a jump within one cell
