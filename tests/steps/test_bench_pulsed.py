"""The bench's generators and pulses, as the command line asks for them."""

from __future__ import annotations

import json
import math

import pytest

from foramen.errors import InputError
from foramen.knowledge.devices import rf_cannulae
from foramen.steps.bench import BenchLesion, BenchPulsed, bench_lesion, bench_pulsed

THIN = {"outer_diameter_mm": 0.718, "inner_diameter_mm": 0.413, "tip_mm": 5.0}
THICK = {"outer_diameter_mm": 1.27, "inner_diameter_mm": 0.838, "tip_mm": 10.0}


def pulses(**changes: float) -> BenchPulsed:
    """22 G x 5 mm for 60 s on a coarse grid."""
    return bench_pulsed(**{**THIN, "time_s": 60.0, "step": 0.3, **changes})  # type: ignore[arg-type]


def heat(**changes: float) -> BenchLesion:
    """18 G x 10 mm for 60 s on a coarse grid."""
    return bench_lesion(**{**THICK, "time_s": 60.0, "step": 0.3, **changes})  # type: ignore[arg-type]


def test_peak_and_rms_are_a_root_of_two_apart() -> None:
    """45 V peak are 31.8 V RMS, to the last digit of the result."""
    peak, rms = pulses(voltage_peak_V=45.0), pulses(voltage_rms_V=45.0 / math.sqrt(2))
    assert peak.display_mean_degC == pytest.approx(rms.display_mean_degC, rel=1e-9)
    assert peak.delivered_peak_V == pytest.approx(45.0)
    assert peak.delivered_rms_V == pytest.approx(45.0 / math.sqrt(2))


def test_the_field_goes_with_the_volts_that_are_delivered() -> None:
    """A limit that lowers the volts lowers the field in proportion."""
    free, limited = pulses(voltage_peak_V=45.0), pulses(voltage_peak_V=45.0, limit_degC=42.0)
    assert limited.is_temperature_limited
    assert not free.is_temperature_limited
    share = limited.delivered_peak_V / 45.0
    assert share < 0.8
    for one, other in zip(free.beside, limited.beside, strict=True):
        assert other.field_peak_kV_per_m == pytest.approx(share * one.field_peak_kV_per_m)
        assert one.spike_degC >= one.mean_degC
    assert json.loads(json.dumps(free.as_json()))["duty"] == pytest.approx(0.04)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"voltage_peak_V": 45.0, "voltage_rms_V": 32.0},
        {"voltage_peak_V": -1.0},
        {"voltage_peak_V": 45.0, "limit_degC": 37.0},
        {"voltage_peak_V": 45.0, "width_s": 0.6},
        {"voltage_peak_V": 45.0, "time_s": -1.0},
        {"voltage_peak_V": 45.0, "tip_mm": 0.2},
    ],
)
def test_impossible_pulses_are_one_clear_error(changes: dict[str, float]) -> None:
    with pytest.raises(InputError):
        pulses(**changes)


def test_every_cannula_of_the_catalogue_can_be_pulsed() -> None:
    """The shortest bare tip on the thickest needle is mostly point: there is still a field beside its shaft."""
    for cannula in (c for c in rf_cannulae() if c.active_tip_mm == 5):
        found = bench_pulsed(
            outer_diameter_mm=cannula.outer_diameter_mm,
            inner_diameter_mm=cannula.inner_diameter_mm,
            tip_mm=cannula.active_tip_mm,
            tip_shape=cannula.tip_shape,
            voltage_peak_V=45,
            time_s=2.0,
            step=0.3,
        )
        strengths = [row.field_peak_kV_per_m for row in found.beside]
        assert strengths == sorted(strengths, reverse=True)
        assert strengths[0] > 10


def test_held_volts_and_watts_are_held() -> None:
    """The log shows what was asked for at every step."""
    volts, watts = heat(voltage_V=10.0), heat(power_W=1.5, series_ohm=50.0)
    assert volts.history.voltage_V == pytest.approx([10.0] * len(volts.history.time_s))
    at_terminals = [v**2 / z for v, z in zip(watts.history.voltage_V, watts.history.impedance_ohm, strict=True)]
    assert at_terminals == pytest.approx([1.5] * len(at_terminals))


def test_a_pool_of_fluid_lowers_the_impedance_and_widens_the_lesion() -> None:
    """Saline conducts better than muscle: less ohms, more watts, a wider lesion under the same display."""
    dry, wet = heat(temperature_degC=80.0), heat(temperature_degC=80.0, fluid_ml=0.5)
    assert wet.impedance_initial_ohm < 0.7 * dry.impedance_initial_ohm
    assert wet.power_mean_w > dry.power_mean_w
    assert wet.isotherms["50"].width_mm > 1.1 * dry.isotherms["50"].width_mm


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"temperature_degC": 80.0, "voltage_V": 10.0},
        {"temperature_degC": 99.5},
        {"temperature_degC": 80.0, "controller": "fuzzy"},
        {"temperature_degC": 80.0, "fluid_ml": -1.0},
        {"temperature_degC": 80.0, "time_s": -60.0},
        {"power_W": float("nan")},
        {"temperature_degC": 80.0, "tip_mm": 60.0},
    ],
)
def test_impossible_settings_are_one_clear_error(changes: dict[str, float]) -> None:
    with pytest.raises(InputError):
        heat(**changes)
