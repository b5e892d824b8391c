"""Intervals over several looks: their coverage, computed exactly."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from foramen.model.robust import Probability, RobustDecision
from foramen.planning.robust.decision import judge_feared, judge_wanted
from foramen.planning.robust.estimate import Looks, probability
from foramen.planning.robust.sequential import look_interval
from foramen.planning.robust.surrogate_error import error_law

LOOKS = (25, 50, 100, 200)
ERROR = 0.05


def interval(hits: int, count: int) -> tuple[float, float]:
    return look_interval(hits, count, error=ERROR, looks=len(LOOKS))


def probability_of(share: float, is_bad: Callable[[int, int], bool]) -> float:
    """Exact probability that a bad state is met at any look, by the recursion over looks."""
    alive = np.array([1.0])
    bad, before = 0.0, 0
    for count in LOOKS:
        alive = np.convolve(alive, stats.binom.pmf(np.arange(count - before + 1), count - before, share))
        for hits in range(count + 1):
            if is_bad(hits, count):
                bad += alive[hits]
                alive[hits] = 0.0
        before = count
    return bad


@pytest.mark.parametrize("share", [0.01, 0.05, 0.2, 0.5, 0.8, 0.97])
def test_all_looks_hold_together(share: float) -> None:
    """The chance that the truth lies outside of the interval at any look is at most the stated error."""
    table = {count: [interval(hits, count) for hits in range(count + 1)] for count in LOOKS}

    def misses(hits: int, count: int) -> bool:
        low, high = table[count][hits]
        return not low <= share <= high

    assert probability_of(share, misses) <= ERROR


@pytest.mark.parametrize(("share", "wrong"), [(0.79, RobustDecision.ACCEPTABLE), (0.21, RobustDecision.REJECTED)])
def test_a_wrong_decision_is_rare_just_beyond_the_limit(share: float, wrong: RobustDecision) -> None:
    """Sampling until decided errs to one side at most with half of the error, though it looks four times."""
    table = {count: [interval(hits, count) for hits in range(count + 1)] for count in LOOKS}

    def is_wrong(hits: int, count: int) -> bool:
        low, high = table[count][hits]
        found = Probability(estimate_fraction=hits / count, low_fraction=low, high_fraction=high)
        return judge_wanted(found, accept=0.8, reject=0.2) is wrong

    assert 0 < probability_of(share, is_wrong) <= ERROR / 2


@pytest.mark.parametrize(
    ("low", "high", "wanted", "feared"),
    [
        (0.85, 0.9, RobustDecision.ACCEPTABLE, RobustDecision.REJECTED),
        (0.3, 0.5, RobustDecision.CAUTION, RobustDecision.REJECTED),
        (0.75, 0.85, RobustDecision.UNDECIDED, RobustDecision.REJECTED),
        (0.1, 0.15, RobustDecision.REJECTED, RobustDecision.CAUTION),
        (0.15, 0.25, RobustDecision.UNDECIDED, RobustDecision.UNDECIDED),
        (0.0, 0.04, RobustDecision.REJECTED, RobustDecision.ACCEPTABLE),
    ],
)
def test_only_the_bounds_decide(low: float, high: float, wanted: RobustDecision, feared: RobustDecision) -> None:
    """The estimate itself decides nothing; an interval across a limit is undecided."""
    found = Probability(estimate_fraction=0.99, low_fraction=low, high_fraction=high)
    assert judge_wanted(found, accept=0.8, reject=0.2) is wanted
    assert judge_feared(found, accept=0.05, reject=0.2) is feared


def decided(mean_K: float, errors: np.ndarray, rng: np.random.Generator) -> RobustDecision:
    """The decision on a target whose margins are normal (7 K about a mean), by the looks of the knowledge."""
    looks = Looks(counts=(250, 500, 1000, 2000, 4000), error=0.025)
    margins = rng.normal(mean_K, 7.0, looks.counts[-1])
    errors_K = error_law(errors, error=0.025).draws(rng.normal(size=looks.counts[-1]))
    events = margins + errors_K >= 0
    for count in looks.counts:
        found = judge_wanted(probability(events[:, :count], looks), accept=0.8, reject=0.2)
        if found is not RobustDecision.UNDECIDED:
            return found
    return RobustDecision.UNDECIDED


def test_seeds_do_not_contradict_each_other() -> None:
    """40 plans from hopeless to certain, 10 seeds each: none accepted and refused, at most 5 % of other changes."""
    changes = 0
    for plan in range(40):
        errors = np.random.default_rng([1, plan]).normal(0.0, 1.3, 16)
        found = [decided(-12 + 30 * plan / 39, errors, np.random.default_rng([2, plan, seed])) for seed in range(10)]
        assert not {RobustDecision.ACCEPTABLE, RobustDecision.REJECTED} <= set(found)
        changes += 10 - max(found.count(decision) for decision in RobustDecision)
    assert changes <= 20
