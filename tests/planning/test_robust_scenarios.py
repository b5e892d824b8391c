"""Scenarios and probabilities on a lesion by formula: replay, limits without spread, monotony, known spreads."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foramen.planning.robust import estimate
from foramen.planning.robust.estimate import Looks, any_passes, capture_probabilities, sampled, until_decided
from foramen.planning.robust.histogram import histograms, volumes_at
from foramen.planning.robust.outcome import Reduced
from foramen.planning.robust.scenario import Sampler, moved_axes, moved_trajectory, nerve_waves
from foramen.planning.robust.surrogate_error import error_law
from foramen.planning.robust.uncertainty import known_uncertainty
from planning.robust_case import EXACT, FALL_MM, NONE, RISE_K, make_reduced, make_sampler
from steps.effect_case import make_trajectory

WIDE = dataclasses.replace(known_uncertainty(18), perfusion_log=0.0, thermal_log=0.0, contrast_log=0.0)
LOOKS = Looks(counts=(60, 120), error=0.05)


def scaled(factor: float) -> Reduced:
    """The same scene with every spread of place times a factor."""
    spread = dataclasses.replace(
        WIDE,
        across_mm=WIDE.across_mm * factor,
        along_mm=WIDE.along_mm * factor,
        angle_deg=0.0,
        curvature_per_mm=0.0,
        calibration_K=0.0,
        baseline_K=0.0,
        nerve_factor=factor,
        registration_factor=factor,
    )
    return make_reduced(spread)


def test_a_scenario_is_its_number_whatever_else_is_drawn() -> None:
    """Item 7 of a seed is the same alone and among others; other seeds and items differ."""
    sampler = make_sampler()
    alone = sampler.draw(7)
    among = [sampler.draw(index) for index in (9, 7, 1)][1]
    assert np.array_equal(alone.nerves, among.nerves)
    assert np.array_equal(alone.common, among.common)
    assert not np.array_equal(alone.common, sampler.draw(8).common)
    assert not np.array_equal(alone.common, make_sampler(seed=4).draw(7).common)


@pytest.mark.parametrize("block", [1, 7, 25])
@pytest.mark.parametrize("threads", [1, 2])
def test_replay_is_equal_to_the_last_bit(block: int, threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads, block size and the division into looks change no bit."""
    model = make_reduced(WIDE)
    (whole,) = sampled([model], make_sampler(), range(60), threads=2)
    monkeypatch.setattr(estimate, "BLOCK", block)
    first, second = (sampled([model], make_sampler(), part, threads=threads)[0] for part in (range(13), range(13, 60)))
    joined = first.joined(second)
    for name in whole.__slots__:
        assert np.array_equal(getattr(whole, name), getattr(joined, name)), name


def test_without_spread_probabilities_are_zero_or_one() -> None:
    """All scenarios are the plan: captured wholly at 1.5 mm, not at 9 mm; the neighbour passes 45 degC at 5 mm only."""
    for aside, captured in ((1.5, 1.0), (9.0, 0.0)):
        model = make_reduced(NONE, aside_mm=aside, neighbour_mm=5.0 if captured else 30.0)
        (sample,) = sampled([model], make_sampler(), range(40))
        for found in capture_probabilities(sample, EXACT, model.fractions, LOOKS):
            assert found.probability.estimate_fraction == captured
        assert any_passes([sample], [EXACT], [np.array([45.0])], LOOKS).estimate_fraction == captured
        nominal = model.outcome(make_sampler().nominal())
        assert np.all(sample.margins_K == nominal.margins_K)
        assert np.all(sample.peaks_degC == nominal.peaks_degC)


@settings(max_examples=12, deadline=None)
@given(smaller=st.floats(0.0, 1.5), more=st.floats(0.05, 1.5))
def test_more_spread_never_captures_more(smaller: float, more: float) -> None:
    """Where the plan captures wholly, moving the same scenarios farther captures in no more of them."""
    few, many = (sampled([scaled(f)], make_sampler(), range(80))[0] for f in (smaller, smaller + more))
    for q in range(3):
        assert np.mean(many.margins_K[:, q] >= 0) <= np.mean(few.margins_K[:, q] >= 0)


def test_the_course_of_a_nerve_has_its_spread() -> None:
    """Everywhere along the nerve the standard deviation is the stated one (4,000 draws: 2 %), and it is smooth."""
    along = np.array([0.0, 2.0, 25.0])
    sampler = make_sampler()
    drawn = np.array([sampler.draw(i).nerve_mm(0, nerve_waves(along, 10.0), WIDE, 1.3) for i in range(4000)])
    assert drawn.std(axis=0) == pytest.approx(np.full((3, 3), 1.3), rel=0.05)
    near, far = (np.corrcoef(drawn[:, 0, 0], drawn[:, at, 0])[0, 1] for at in (1, 2))
    assert near > 0.95
    assert abs(far) < 0.6


def test_place_and_direction_have_their_spreads() -> None:
    """Tip across and along, and the angle of aim and bend together: sqrt(aim^2 + (curvature depth / 2)^2)."""
    bending = dataclasses.replace(WIDE, curvature_per_mm=2e-3)
    scenarios = [make_sampler().draw(i) for i in range(4000)]
    place = np.array([s.place(0, bending) for s in scenarios])
    tilt = np.array([s.tilt_rad(0, bending, 80.0) for s in scenarios])
    assert place.std(axis=0) == pytest.approx([WIDE.across_mm, WIDE.across_mm, WIDE.along_mm], rel=0.05)
    assert tilt.std(axis=0) == pytest.approx(np.hypot(np.radians(WIDE.angle_deg), 0.08), rel=0.05)


def test_a_moved_needle_is_where_it_is_said_to_be() -> None:
    """Displacement in the needle's frame, tilt about the tip, same length, axes still orthonormal."""
    path = make_trajectory()
    axes = make_reduced(NONE).bases[0].axes
    moved = moved_trajectory(path, axes, np.array([1.0, 2.0, -3.0]), np.array([0.1, 0.0]))
    assert moved.tip_mm - path.tip_mm == pytest.approx(axes[0] + 2 * axes[1] - 3 * axes[2])
    assert np.linalg.norm(moved.entry_mm - moved.tip_mm) == pytest.approx(60.0)
    tilted = moved_axes(axes, np.array([0.1, 0.0]))
    assert tilted @ tilted.T == pytest.approx(np.eye(3), abs=1e-12)
    assert tilted[2] @ axes[2] == pytest.approx(np.cos(0.1))
    assert tilted[2] @ axes[0] == pytest.approx(np.sin(0.1))


def test_margin_and_peak_are_those_of_the_formula() -> None:
    """Deciding point: the rim away from the tip (2.5 mm), by 60 degC; the neighbour at 8 mm (3 %: a coarse grid)."""
    found = make_reduced(NONE).outcome(make_sampler().nominal())
    rise = RISE_K * np.exp(-2.5 / FALL_MM)
    assert found.margins_K[2] == pytest.approx(37 + rise - 60, abs=0.03 * rise)
    assert found.peaks_degC[0] - 37 == pytest.approx(RISE_K * np.exp(-8.0 / FALL_MM), rel=0.03)
    assert found.fraction == 1.0


def test_perfusion_acts_by_its_slope() -> None:
    """With a slope of -0.5 in the log of perfusion the rise is exp(-0.5 x) of the plan's."""
    spread = dataclasses.replace(NONE, perfusion_log=0.7)
    model, sampler = make_reduced(spread, slope=-0.5), make_sampler()
    scenario = sampler.draw(2)
    expected = np.exp(-0.5 * 0.7 * scenario.common[3])
    nominal, found = (model.outcome(s).peaks_degC[0] - 37 for s in (sampler.nominal(), scenario))
    assert found / nominal == pytest.approx(expected, rel=1e-6)


def test_sampling_stops_when_decided_and_not_before() -> None:
    """It stops at the look that decides; undecided it goes on to the last."""
    model, sampler = make_reduced(NONE), make_sampler()
    for decide_at, drawn in ((60, 60), (120, 120), (10**9, 120)):
        (sample,) = until_decided(
            lambda part: sampled([model], sampler, part),
            lambda found, at=decide_at: len(found[0].fraction) >= at,
            LOOKS,
        )
        assert len(sample.fraction) == drawn


def test_the_error_of_the_reduced_model_widens_the_interval() -> None:
    """A bias of 32 differences is corrected, and its uncertainty makes the interval wider than sampling does."""
    (sample,) = sampled([scaled(1.0)], make_sampler(), range(120))
    errors = np.random.default_rng(0).normal(-1.0, 1.0, 32)
    laws = dataclasses.replace(EXACT, margin=error_law(errors, error=0.025))
    plain, wide = (capture_probabilities(sample, law, (0.8, 0.9, 1.0), LOOKS)[2].probability for law in (EXACT, laws))
    assert wide.estimate_fraction < plain.estimate_fraction
    assert wide.high_fraction - wide.low_fraction > plain.high_fraction - plain.low_fraction


def test_the_law_of_errors_covers_the_truth() -> None:
    """In 2,000 repetitions bias and spread of the parent miss the corners as often as stated."""
    rng, missed = np.random.default_rng(8), 0
    for _ in range(2000):
        corners = np.array(error_law(rng.normal(0.3, 0.7, 16), error=0.1).corners)
        missed += not (
            corners[:, 0].min() <= 0.3 <= corners[:, 0].max() and corners[:, 1].min() <= 0.7 <= corners[:, 1].max()
        )
    assert missed / 2000 < 0.12  # 0.1 and three standard errors of 2,000 repetitions


def test_histogram_of_a_linear_field() -> None:
    """Temperature rising evenly from 40 to 60 degC over 200 mm3: the volume at or above T is 10 (60 - T)."""
    values = np.linspace(40, 60, 2001)
    found = volumes_at(values, (38, 40, 45, 50, 59, 60.1), np.full(2001, 200 / 2001))
    assert found == pytest.approx([200, 200, 150, 100, 10, 0], abs=0.2)


def test_histograms_fall_and_hold_their_volume() -> None:
    """Never rising, at most the whole volume; the band lies about the median; without spread it has no width."""
    for spread, is_narrow in ((WIDE, False), (NONE, True)):
        model, sampler = make_reduced(spread), make_sampler()
        found = histograms(
            model,
            [sampler.draw(i) for i in range(30)],
            sampler.nominal(),
            warm=frozenset({"left L4 spinal nerve"}),
        )
        assert {h.structure for h in found} == {"L3 medial branch", "left L4 spinal nerve"}
        for h in found:
            assert np.all(np.diff(h.median_mm3) <= 1e-9)
            assert np.all(np.array(h.low_mm3) <= np.array(h.high_mm3))
            assert max(h.high_mm3) <= h.total_mm3 * (1 + 1e-12)
            assert (h.low_mm3 == h.high_mm3 == h.nominal_mm3) == is_narrow
        target = next(h for h in found if h.structure == "L3 medial branch")
        assert target.total_mm3 == pytest.approx(np.pi * 7.0, rel=1e-6)


def test_latin_hypercube_covers_every_variable_evenly() -> None:
    """Each of 16 strata of each variable holds one scenario, and the design is the same every time."""
    sampler = Sampler(seed=0, lesions=2, nerves=3, targets=1)
    first, again = sampler.spread_out(16), sampler.spread_out(16)
    from scipy import stats

    strata = np.sort(np.floor(16 * stats.norm.cdf([s.common[3] for s in first])))
    assert np.array_equal(strata, np.arange(16))
    assert all(np.array_equal(a.nerves, b.nerves) for a, b in zip(first, again, strict=True))
