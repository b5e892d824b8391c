"""Pulsed radiofrequency: mean heat against resolved pulses, the field against a closed form, published volts."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from foramen.errors import InputError
from foramen.knowledge.thermal import generator_limits
from foramen.physics.conduction import solve_potential
from foramen.physics.grid import NeedleShape, Resolution, RevolvedGrid, needle_grid
from foramen.physics.lesion import TimeSteps
from foramen.physics.pulsed_rf import (
    MeanOfPulses,
    PulsedLesion,
    Pulses,
    PulseTrain,
    field_beside_per_m,
    field_strength_per_m,
    simulate_pulsed,
)
from foramen.physics.rf_lesion import simulate_lesion
from physics.closed_forms import SIGMA, sphere_grid
from physics.lesion_case import make_model, make_muscle

PULSES = Pulses(rate_Hz=2.0, width_s=0.02)


def thin_grid(*, step: float = 0.25, is_conducting: bool = False) -> RevolvedGrid:
    """Grid about a 22 G x 5 mm cannula."""
    shape = NeedleShape(radius_m=0.359e-3, bore_m=0.2065e-3, tip_m=5e-3, is_conducting=is_conducting)
    return needle_grid(shape, Resolution(step=step), far_m=50e-3)


def pulsed(rms_V: float, *, limit_degC: float | None = None, time_s: float = 120.0) -> PulsedLesion:
    """Pulses in perfused muscle about an adiabatic needle, the case that was calculated elsewhere."""
    grid = thin_grid()
    generator = MeanOfPulses(
        time_s=time_s, limits=generator_limits(), pulses=PULSES, voltage_rms_V=rms_V, limit_degC=limit_degC
    )
    return simulate_pulsed(grid, make_muscle(grid), generator=generator, model=make_model(grid))


@pytest.mark.parametrize(("rms_V", "low", "high"), [(45.0, 67, 70), (45 / math.sqrt(2), 51, 53)])
def test_mean_tip_temperature_is_that_of_a_separate_calculation(rms_V: float, low: float, high: float) -> None:
    """22 G x 5 mm, 4 % duty, 120 s: 67 to 69 degC if 45 V are RMS, 51 to 52 if peak; 1 degC for the other's grid."""
    assert low < pulsed(rms_V, time_s=120.0).mean.tip_degC < high


def test_a_limit_lowers_the_volts() -> None:
    """45 V and 42 degC cannot both hold: the limited mode returns the volts that were delivered."""
    found = pulsed(45 / math.sqrt(2), limit_degC=42.0)
    assert found.mean.tip_degC == pytest.approx(42.0, abs=0.01)
    assert found.delivered_rms_V[-1] < 0.7 * 45 / math.sqrt(2)
    assert found.delivered_rms_V.max() == pytest.approx(45 / math.sqrt(2))
    assert np.array(found.mean.history.tip_degC).max() < 42.01


def test_spikes_stand_on_the_mean() -> None:
    """The pulse rises above the mean and ends below it; the mean over the period is the mean model's within 5 %."""
    found = pulsed(45 / math.sqrt(2))
    history = found.pulse.history
    time, tip = np.array(history.time_s), np.array(history.tip_degC)
    assert tip.max() > found.mean.tip_degC + 1
    assert tip[-1] < found.mean.tip_degC
    mean = np.trapezoid(np.concatenate([[tip[-1]], tip]), np.concatenate([[0.0], time])) / time[-1]
    assert mean - 37 == pytest.approx(found.mean.tip_degC - 37, rel=0.05)


def test_mean_of_pulses_is_the_mean_of_every_pulse() -> None:
    """Twenty pulses one by one against their mean heat, 0.5 mm and more from the needle: 2 % of the rise there."""
    grid = thin_grid()
    model, muscle = make_model(grid), make_muscle(grid)
    mean = simulate_lesion(
        grid,
        muscle,
        generator=MeanOfPulses(time_s=10.0, limits=generator_limits(), pulses=PULSES, voltage_rms_V=30.0),
        model=model,
    )
    steps = TimeSteps(first_s=2.5e-3, growth=1.5, largest_s=0.15)
    train = simulate_lesion(
        grid,
        muscle,
        generator=PulseTrain(time_s=10.0, limits=generator_limits(), pulses=PULSES, voltage_rms_V=30.0),
        model=dataclasses.replace(model, steps=steps),
    )
    outside = (grid.radial_nodes_m - grid.radial_m[0] > 0.5e-3) & (grid.radial_nodes_m < 5e-3)
    ends = [lesion.end.rise_K[outside, grid.end_count + 5, 0] for lesion in (mean, train)]
    assert np.abs(ends[1] - ends[0]).max() < 0.02 * ends[0].max()
    assert train.energy.delivered_J == pytest.approx(mean.energy.delivered_J, rel=0.02)


def test_field_of_a_sphere() -> None:
    """E = V a / r^2 (grounded at 50 mm): central differences on 40 shells are within 1 %."""
    grid = sphere_grid(radius_m=1e-3, far_m=0.05, cells=60, polar=16)
    field = solve_potential(grid, np.full(grid.shape, SIGMA))
    strength = field_strength_per_m(grid, field)[2:-2, 4:-4, 0]
    radius = grid.radial_nodes_m[2:-2, None]
    exact = 1 / (radius**2 * (1 / 1e-3 - 1 / 0.05))
    assert np.abs(strength / exact - 1).max() < 0.01


def test_field_beside_the_tip_is_near_that_of_a_spheroid() -> None:
    """45 V at 22 G x 5 mm: a spheroid of the same size has 47.1 kV/m at its side, 11.0, 5.3 and 3.0 at 1, 2 and 3 mm.

    The capsule's side is longer and its waist no thicker, so it has less at the surface and about the same further off.
    """
    grid = thin_grid(step=0.1)
    field = solve_potential(grid, np.full(grid.shape, SIGMA))
    found = 45e-3 * field_beside_per_m(grid, field, z_m=2.5e-3, distances_m=np.array([0.0, 1e-3, 2e-3, 3e-3]))
    assert found[0] == pytest.approx(47.1, rel=0.10)
    assert found[1:] == pytest.approx([11.0, 5.3, 3.0], rel=0.13)


@pytest.mark.parametrize(("rate_Hz", "width_s"), [(0.0, 0.02), (2.0, -0.02), (2.0, 0.5), (float("nan"), 0.02)])
def test_impossible_pulses(rate_Hz: float, width_s: float) -> None:
    """No rate, a negative width, no pause."""
    with pytest.raises(InputError):
        Pulses(rate_Hz=rate_Hz, width_s=width_s)


def test_no_field_is_read_above_the_bare_tip() -> None:
    """A height on the insulated shaft is an error."""
    grid = thin_grid()
    field = solve_potential(grid, np.full(grid.shape, SIGMA))
    with pytest.raises(InputError, match="bare"):
        field_beside_per_m(grid, field, z_m=9e-3, distances_m=np.zeros(1))
