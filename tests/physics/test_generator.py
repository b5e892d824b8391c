"""Generators: what they hold, what limits and series resistance take, and the controller's course."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foramen.errors import InputError
from foramen.model.thermal import GeneratorLimits
from foramen.physics.generator import Moment, PowerHeld, ProportionalIntegral, TemperatureHeld, VoltageHeld
from physics.lesion_case import extent, make_grid, make_model, run_lesion

LIMITS = GeneratorLimits(voltage_V=100.0, current_A=1.5, power_W=50.0)


def moment(conductance_S: float = 0.01) -> Moment:
    """A step of 1 s at a conductance."""
    return Moment(
        now_s=10.0,
        length_s=1.0,
        idle_degC=50.0,
        response_K_per_V2=0.1,
        conductance_S=conductance_S,
        last_V2=100.0,
        last_error_K=0.0,
    )


@given(conductance_S=st.floats(1e-3, 0.1), series_ohm=st.floats(0, 300))
def test_held_power_and_voltage_are_those_at_the_terminals(conductance_S: float, series_ohm: float) -> None:
    """P = I^2 (R + Rs) and V = I (R + Rs), with I from the squared voltage at the electrode."""
    total = 1 / conductance_S + series_ohm
    power = PowerHeld(power_W=3.0, time_s=60.0, limits=LIMITS, series_ohm=series_ohm)
    current = np.sqrt(power.demand_V2(moment(conductance_S))) * conductance_S
    assert current**2 * total == pytest.approx(3.0)
    voltage = VoltageHeld(voltage_V=12.0, time_s=60.0, limits=LIMITS, series_ohm=series_ohm)
    current = np.sqrt(voltage.demand_V2(moment(conductance_S))) * conductance_S
    assert current * total == pytest.approx(12.0)


@given(conductance_S=st.floats(1e-3, 0.1), series_ohm=st.floats(0, 300))
def test_the_ceiling_is_the_tightest_limit(conductance_S: float, series_ohm: float) -> None:
    """At the ceiling one of volts, amperes and watts is at its limit and none above it."""
    held = VoltageHeld(voltage_V=12.0, time_s=60.0, limits=LIMITS, series_ohm=series_ohm)
    current = np.sqrt(held.ceiling_V2(conductance_S)) * conductance_S
    total = 1 / conductance_S + series_ohm
    used = np.array([current * total / 100.0, current / 1.5, current**2 * total / 50.0])
    assert used.max() == pytest.approx(1.0)


def test_series_resistance_changes_volts_and_ohms_but_not_the_lesion() -> None:
    """Under temperature hold the tissue gets the same power."""
    grid = make_grid(step=0.35)
    plain, series = (
        run_lesion(
            grid,
            generator=TemperatureHeld(
                set_degC=80.0, start_degC=37.0, ramp_s=10.0, time_s=60.0, limits=LIMITS, series_ohm=ohm
            ),
        )
        for ohm in (0.0, 120.0)
    )
    assert extent(series, 50).width_m == pytest.approx(extent(plain, 50).width_m, rel=1e-9)
    assert series.impedance_initial_ohm == pytest.approx(plain.impedance_initial_ohm + 120)
    assert series.voltage_final_V == pytest.approx(plain.voltage_final_V * (1 + 120 / plain.impedance_final_ohm))


def controlled(time_s: float = 90.0) -> ProportionalIntegral:
    """A controller as in the knowledge."""
    return ProportionalIntegral(
        set_degC=80.0, start_degC=37.0, ramp_s=10.0, time_s=time_s, limits=LIMITS, gain_W_per_K=0.1, reset_s=2.0
    )


def test_the_controller_lags_and_settles() -> None:
    """It trails the ramp, overshoots by some degrees and then holds within 0.5 degC."""
    lesion = run_lesion(make_grid(step=0.35), generator=controlled())
    time, tip = np.array(lesion.history.time_s), np.array(lesion.history.tip_degC)
    wanted = np.array([controlled().wanted_degC(t) for t in time])
    assert (wanted - tip)[time <= 5].max() > 1
    assert 81 < tip.max() < 92
    assert np.abs(tip - 80)[time > 60].max() < 0.5


def test_the_controller_converges_in_time() -> None:
    """Its overshoot with usual steps is within 1 degC of that with steps a quarter as long."""
    grid = make_grid(step=0.35)
    overshoot = [
        max(run_lesion(grid, generator=controlled(), model=make_model(grid, fine=fine)).history.tip_degC)
        for fine in (1, 4)
    ]
    assert overshoot[0] == pytest.approx(overshoot[1], abs=1.0)


@settings(max_examples=6, deadline=None, derandomize=True)
@given(low_V=st.floats(4, 9), more_V=st.floats(0.5, 4))
def test_more_volts_never_shrink_a_lesion(low_V: float, more_V: float) -> None:
    """Below boiling, at a fixed voltage."""
    grid = make_grid(step=0.35)
    sizes = [
        extent(run_lesion(grid, generator=VoltageHeld(voltage_V=volts, time_s=40.0, limits=LIMITS)), 45).volume_m3
        for volts in (low_V, low_V + more_V)
    ]
    assert sizes[1] >= sizes[0]


@pytest.mark.parametrize(
    "make",
    [
        lambda: VoltageHeld(voltage_V=0.0, time_s=60.0, limits=LIMITS),
        lambda: PowerHeld(power_W=-1.0, time_s=60.0, limits=LIMITS),
        lambda: VoltageHeld(voltage_V=10.0, time_s=-5.0, limits=LIMITS),
        lambda: VoltageHeld(voltage_V=10.0, time_s=5.0, limits=LIMITS, series_ohm=-1.0),
        lambda: VoltageHeld(voltage_V=float("nan"), time_s=5.0, limits=LIMITS),
        lambda: ProportionalIntegral(
            set_degC=80.0, start_degC=37.0, ramp_s=1.0, time_s=9.0, limits=LIMITS, gain_W_per_K=0.0, reset_s=1.0
        ),
    ],
)
def test_impossible_generators(make: object) -> None:
    """Each is one clear error."""
    with pytest.raises(InputError):
        make()  # type: ignore[operator]
