"""The quick model of the search against the reduced model that robustness uses, for a lesion by formula."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from foramen.physics.placed_lesion import PlacedLesion
from foramen.planning.inverse.library import Library, order
from foramen.planning.inverse.quick import Judged, is_outside, turned_axes
from foramen.planning.inverse.space import Ranges
from foramen.planning.robust.basis import PEAK, VARIABLES
from foramen.planning.robust.outcome import deciding_K, outcome, section_margins_K
from foramen.planning.robust.scenario import moved_axes
from planning.inverse_case import make_space
from planning.robust_case import BASELINE_DEGC, NONE, make_basis, make_line, make_scene
from steps.effect_case import make_device, make_setting, make_target, make_trajectory

SLOPE, WARMER_PER_K, LATER = -0.2, 0.02, 0.05


@pytest.fixture(scope="module")
def library() -> Library:
    """A formula's fields, with slopes for perfusion and set temperature, and a change with time."""
    basis = make_basis(slope=SLOPE)
    terms = next(iter(basis.terms.values()))
    terms[..., VARIABLES.index("calibration")] = WARMER_PER_K
    return Library(
        device=make_device(),
        hot_per_K=1.5,
        first=make_setting(temperature_degC=75.0),
        last=make_setting(temperature_degC=75.0, time_s=120.0),
        basis=basis,
        later={name: np.full_like(base, LATER) for name, base in basis.base.items()},
    )


@pytest.mark.parametrize("name", [PEAK, "coagulation"])
def test_moved_fields_are_those_of_the_reduced_model(library: Library, name: str) -> None:
    """A needle moved and tilted, perfusion doubled, the generator 3 K off: to 0.3 K, and 0.1 in log Omega."""
    basis = library.basis
    tissue = np.array([np.log(2.0), 0.0, 0.0, 3.0, 0.0])
    place, tilt = np.array([1.0, -0.5, 2.0]), np.array([0.06, -0.03])
    points = make_line() + np.array([0.3, 1.0, 0.7])
    there = basis.placed(tissue, place, tilt)
    weights = library.weights(75.0, 90.0, tissue[None])
    tip, axes = basis.tip_mm + place @ basis.axes, moved_axes(basis.axes, tilt)
    found = library.read(name, weights, points[None], tip[None], axes[None])[0]
    if name == PEAK:
        assert BASELINE_DEGC + np.exp(found) == pytest.approx(there.peak_degC(points), abs=0.3)
    else:
        assert found == pytest.approx(there.log_dose(name, points), abs=0.1)


def test_temperature_time_and_body_change_the_weights(library: Library) -> None:
    """5 K more on the display count as 5 K of calibration, a warmer body as less; the longest time adds its change."""
    points, still = make_line()[None], np.zeros((1, 5))
    tip, axes = library.basis.tip_mm[None], library.basis.axes[None]

    def rise(temperature_degC: float, time_s: float, tissue: np.ndarray) -> np.ndarray:
        return library.read(PEAK, library.weights(temperature_degC, time_s, tissue), points, tip, axes)[0]

    base = rise(75.0, 90.0, still)
    assert rise(80.0, 90.0, still) - base == pytest.approx(5 * WARMER_PER_K, abs=1e-5)
    assert rise(75.0, 90.0, np.array([[0, 0, 0, 0, 2.0]])) - base == pytest.approx(-2 * WARMER_PER_K, abs=1e-5)
    assert rise(75.0, 120.0, still) - base == pytest.approx(LATER, abs=1e-5)
    assert rise(75.0, 105.0, still) - base == pytest.approx(LATER / 2, abs=1e-5)
    assert library.hottest_at(77.0) == pytest.approx(BASELINE_DEGC + 1.5 * 40)


def test_axes_turn_as_those_of_a_scenario() -> None:
    """The vectorised turn is that of `moved_axes`: no twist about the needle."""
    axes = make_basis().axes
    tilts = np.random.default_rng(1).normal(0, 0.1, (20, 2))
    along = axes[2] + np.tan(tilts) @ axes[:2]
    found = turned_axes(axes, along)
    expected = np.array([moved_axes(axes, tilt) for tilt in tilts])
    assert found == pytest.approx(expected, abs=1e-12)


def test_the_deciding_margin_is_that_of_an_outcome() -> None:
    scene = make_scene()
    shape = scene.sections_mm.shape[:2]
    rng = np.random.default_rng(2)
    degC, log_omega = rng.uniform(45, 75, shape), rng.normal(0, 2, shape)
    margins = section_margins_K(scene, degC, [log_omega], time_s=scene.setting.time_s)
    whole = outcome(
        scene, degC.ravel(), [log_omega.ravel()], np.empty(0), fractions=(0.8, 1.0), baseline_degC=BASELINE_DEGC
    )
    assert [deciding_K(margins, 0.8), deciding_K(margins, 1.0)] == pytest.approx(whole.margins_K)
    several = section_margins_K(scene, np.stack([degC, degC + 1]), [np.stack([log_omega] * 2)], time_s=90.0)
    assert deciding_K(several, 0.8)[0] == pytest.approx(whole.margins_K[0])
    assert deciding_K(several, 0.8)[1] >= deciding_K(several, 0.8)[0]


def test_burnt_tissue_is_counted_outside_the_nerve_only() -> None:
    target = make_target(make_line(), radius_mm=1.0)
    inside, outside = target.needed_segment_mm[5] + [0.5, 0, 0], target.needed_segment_mm[5] + [1.5, 0, 0]
    assert is_outside(target, np.array([inside, outside])).tolist() == [False, True]


def test_fields_are_ordered_only_up_to_boiling() -> None:
    """1.5 K of tissue for each kelvin of display: boiling (99 degC) begins at 78.3, where the fields end."""
    space = make_space()

    class Hot:
        def near_maximum_degC(self, _volume_m3: float) -> float:
            return BASELINE_DEGC + 1.5 * (60 - BASELINE_DEGC)

    class Probed:
        lesion = Hot()

    probed: PlacedLesion = Probed()  # type: ignore[assignment]  # only its hottest tissue is read
    ranges: Ranges = space.ranges
    spread = dataclasses.replace(NONE, calibration_K=2.0)
    found = order(make_trajectory(), ranges, spread, probed=probed, baseline_degC=BASELINE_DEGC)
    high = BASELINE_DEGC + 62 / 1.5
    assert found.first.temperature_degC == pytest.approx((60 + high) / 2)
    assert (found.first.time_s, found.last.time_s) == (90.0, 120.0)
    settings = {setting.temperature_degC + solve.amounts[3] for solve, setting in found.solves}
    assert max(settings) == pytest.approx(high)
    assert min(settings) == pytest.approx(60.0)
    assert len(found.solves) == 4  # the middle, either side, the longest time


def test_the_first_broken_limit_is_named() -> None:
    kept = Judged(capture=0.5, burnt_mm3=1.0, passes=1, excess=(("path", 0.0), ("boiling", -1.0)))
    assert kept.is_kept
    assert kept.first_broken == ""
    assert dataclasses.replace(kept, excess=(("path", 0.0), ("boiling", 0.1))).first_broken == "boiling"
