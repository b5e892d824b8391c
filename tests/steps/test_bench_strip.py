"""The bench-top lesion of electrodes in a row (`foramen lesion --spacing-mm`)."""

from __future__ import annotations

import json

import pytest

from foramen.errors import InputError
from foramen.model.device import Thermocouple
from foramen.steps.bench import BenchStrip, Order, Tines, bench_lesion, bench_strip


def strip(**changes: object) -> BenchStrip:
    """Two 18 G x 10 mm electrodes 8 mm apart, 80 degC, 30 s in muscle, on a coarse grid, with changes."""
    usual: dict[str, object] = {
        "outer_diameter_mm": 1.27,
        "inner_diameter_mm": 0.838,
        "tip_mm": 10.0,
        "temperature_degC": 80.0,
        "time_s": 30.0,
        "spacing_mm": 8.0,
        "cells_per_radius": 0.8,
        "growth": 0.25,
    }
    return bench_strip(**(usual | changes))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def pair() -> BenchStrip:
    """The usual pair."""
    return strip()


def test_json_has_the_agreed_keys(pair: BenchStrip) -> None:
    """Scripts rely on these names; the object can be written as JSON."""
    found = json.loads(json.dumps(pair.as_json(), allow_nan=False))
    assert set(found["isotherms"]) == {"45", "50", "60"}
    keys = {"across_mm", "thickness_mm", "length_mm", "volume_mm3", "is_one_body", "necks"}
    for size in found["isotherms"].values():
        assert keys == set(size)
    assert len(found["midpoint_peak_degC"]) == 1
    assert len(found["tip_temperatures_degC"]) == 2
    assert {"impedance_ohm", "power_w", "hottest_tissue_degC", "cem43", "coagulation", "elapsed_s"} <= set(found)


def test_isotherms_are_nested(pair: BenchStrip) -> None:
    """Hotter lies inside colder, and the neck is never thicker than the whole."""
    sizes = pair.isotherms
    assert sizes["60"].volume_mm3 < sizes["50"].volume_mm3 < sizes["45"].volume_mm3
    for size in sizes.values():
        assert size.necks[0].thickness_mm <= size.thickness_mm + 1e-6
        assert size.necks[0].length_mm <= size.length_mm + 1e-6
        assert size.across_mm > size.thickness_mm


def test_wider_spacing_cools_the_middle_and_parts_the_lesion(pair: BenchStrip) -> None:
    """At 8 mm the middle is hotter than at 16 mm, where 30 s leave two bodies without a neck."""
    far = strip(spacing_mm=16.0)
    assert far.midpoint_peak_degC[0] < 45 < pair.midpoint_peak_degC[0]
    assert pair.isotherms["50"].is_one_body
    assert not far.isotherms["50"].is_one_body
    assert far.isotherms["50"].necks[0].thickness_mm == 0
    assert far.impedance_initial_ohm > pair.impedance_initial_ohm


def test_longer_and_hotter_never_shrink(pair: BenchStrip) -> None:
    """Under temperature hold, below boiling."""
    longer, hotter = strip(time_s=45.0), strip(temperature_degC=85.0)
    for level in ("45", "50"):
        assert longer.isotherms[level].volume_mm3 >= pair.isotherms[level].volume_mm3
        assert hotter.isotherms[level].volume_mm3 >= pair.isotherms[level].volume_mm3


def test_three_at_once_are_symmetric_and_need_both_gaps() -> None:
    """Poles + - +: both gaps alike, the middle electrode carries the current of both."""
    found = strip(electrodes=3, order=Order.SIMULTANEOUS, growth=0.3)
    assert found.midpoint_peak_degC[0] == pytest.approx(found.midpoint_peak_degC[1], abs=0.05)
    assert found.display_degC[1] == pytest.approx(80, abs=0.01)
    assert found.display_degC[0] < found.display_degC[1]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"spacing_mm": 1.2}, "overlap"),
        ({"spacing_mm": 1.3}, "touch"),
        ({"spacing_mm": float("nan")}, "overlap"),
        ({"spacing_mm": 80.0}, "40 mm"),
        ({"electrodes": 0}, "not modelled"),
        ({"electrodes": 20}, "not modelled"),
        ({"electrodes": 1}, "at least two"),
        ({"time_s": -5.0}, "outside what is modelled"),
        ({"ramp_s": 40.0}, "ramp"),
        ({"tip_mm": 60.0}, "outside what is modelled"),
        ({"tip_mm": 1.0}, "at least as long"),
        ({"inner_diameter_mm": 1.4}, "lumen"),
        ({"cool_down_s": -1.0}, "cool-down"),
        ({"tissue": "air"}, "no current"),
        ({"tissue": "cheese"}, "no tissue"),
        ({"baseline_temperature_degC": 50.0}, "baseline"),
        ({"thermocouple": Thermocouple.NONE}, "thermocouple"),
        ({"is_cooled": True, "cannula_conduction": False}, "conduction"),
    ],
)
def test_impossible_input_says_what_to_do(changes: dict[str, object], says: str) -> None:
    with pytest.raises(InputError, match=says):
        strip(**changes)


def test_one_electrode_against_a_pad_agrees_with_the_bench_lesion() -> None:
    """The other engine, the same question: 50 degC and impedance within 4 % at the default fineness."""
    same = {
        "outer_diameter_mm": 1.27,
        "inner_diameter_mm": 0.838,
        "tip_mm": 5.0,
        "temperature_degC": 75.0,
        "time_s": 30.0,
        "thermocouple": Thermocouple.MID,
    }
    one, bench = bench_strip(electrodes=1, growth=0.2, **same), bench_lesion(**same)  # type: ignore[arg-type]
    assert one.isotherms["50"].across_mm == pytest.approx(bench.isotherms["50"].width_mm, rel=0.04)
    assert one.isotherms["50"].length_mm == pytest.approx(bench.isotherms["50"].length_mm, rel=0.04)
    assert one.impedance_final_ohm == pytest.approx(bench.impedance_final_ohm, rel=0.04)
    assert one.midpoint_peak_degC == ()


def single(**changes: object) -> BenchStrip:
    """One electrode against a pad, with changes."""
    return strip(electrodes=1, spacing_mm=0.0, **changes)


def test_a_bend_widens_the_lesion_in_its_plane_and_a_slight_one_changes_nothing() -> None:
    straight, slight, bent = single(), single(bend_radius_mm=5000.0), single(bend_radius_mm=12.0)
    assert slight.isotherms["50"].across_mm == pytest.approx(straight.isotherms["50"].across_mm, rel=0.02)
    assert bent.isotherms["50"].across_mm > straight.isotherms["50"].across_mm + 0.5
    assert bent.isotherms["50"].thickness_mm == pytest.approx(straight.isotherms["50"].thickness_mm, rel=0.05)
    assert bent.isotherms["50"].volume_mm3 == pytest.approx(straight.isotherms["50"].volume_mm3, rel=0.1)


def test_tines_lower_the_resistance_and_widen_the_lesion() -> None:
    wires = Tines(count=3, length_mm=3.0, diameter_mm=0.6, splay_deg=45.0, leave_mm=1.5)
    plain, tined = single(tip_mm=5.0), single(tip_mm=5.0, tines=wires)
    assert tined.impedance_initial_ohm < 0.85 * plain.impedance_initial_ohm
    assert tined.isotherms["50"].across_mm > plain.isotherms["50"].across_mm + 1
    assert tined.midpoint_peak_degC == ()
    assert len(tined.as_json()["tip_temperatures_degC"]) == 1  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"bend_radius_mm": 2.0}, "turns back on itself"),
        ({"bend_radius_mm": 0.5}, "tighter than"),
        ({"electrodes": 0}, "0 electrodes is not modelled"),
        ({"bend_radius_mm": 15.0, "electrodes": 2, "spacing_mm": 8.0}, "one at a time"),
        ({"tines": Tines(count=3, length_mm=3.0, diameter_mm=0.5, splay_deg=120.0, leave_mm=1.5)}, "do not fit"),
        ({"tines": Tines(count=3, length_mm=3.0, diameter_mm=0.5, splay_deg=45.0, leave_mm=15.0)}, "do not fit"),
    ],
)
def test_impossible_shapes_are_refused(changes: dict[str, object], says: str) -> None:
    with pytest.raises(InputError, match=says):
        strip(**({"electrodes": 1, "spacing_mm": 0.0} | changes))


def test_impossible_tines_are_refused() -> None:
    with pytest.raises(InputError, match="give 1 to 6"):
        Tines(count=0, length_mm=3.0, diameter_mm=0.5, splay_deg=45.0, leave_mm=1.0)
    with pytest.raises(InputError, match="of diameter"):
        Tines(count=3, length_mm=3.0, diameter_mm=0.0, splay_deg=45.0, leave_mm=1.0)
