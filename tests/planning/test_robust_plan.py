"""What robustness does to a plan: it adds a check, and lifts nothing."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from foramen.model.plan import Check, CheckStatus, PlanStatus
from foramen.model.robust import Probability, RobustDecision
from foramen.planning.robust import with_robustness
from foramen.planning.robust.decision import known_limits, worst_of
from foramen.planning.robust.estimate import Looks, sampled
from foramen.planning.robust.judge import Judge
from planning.robust_case import EXACT, NONE, make_reduced, make_sampler
from planning.robust_effect import make_robust
from report.plan_factory import make_case, make_plan

PASSED = Check(id="all", text="all", status=CheckStatus.PASS, reason="")
FAILED = Check(id="heat", text="heat", status=CheckStatus.FAIL, reason="")
NEVER = Probability(estimate_fraction=0.0, low_fraction=0.0, high_fraction=0.01)


@pytest.mark.parametrize(
    ("decision", "status"),
    [
        (RobustDecision.ACCEPTABLE, PlanStatus.ACCEPTABLE),
        (RobustDecision.CAUTION, PlanStatus.CAUTION),
        (RobustDecision.UNDECIDED, PlanStatus.CAUTION),
        (RobustDecision.REJECTED, PlanStatus.REJECTED),
    ],
)
def test_the_decision_becomes_a_check(decision: RobustDecision, status: PlanStatus) -> None:
    plain = dataclasses.replace(make_plan(make_case()), checks=(PASSED,), status=PlanStatus.ACCEPTABLE)
    found = with_robustness(plain, make_robust(decision=decision))
    assert found.status is status
    assert found.robust is not None
    assert [check.id for check in found.checks] == ["all", "robust"]
    assert len(with_robustness(found, make_robust()).checks) == 2  # computed anew, it takes the old one's place
    assert "MEM" in {citation.key for citation in found.citations}


@pytest.mark.parametrize("decision", list(RobustDecision))
def test_a_rejected_plan_stays_rejected(decision: RobustDecision) -> None:
    rejected = dataclasses.replace(make_plan(make_case()), checks=(FAILED,), status=PlanStatus.REJECTED)
    assert with_robustness(rejected, make_robust(decision=decision)).status is PlanStatus.REJECTED


def test_the_worst_question_decides() -> None:
    order = [RobustDecision.ACCEPTABLE, RobustDecision.CAUTION, RobustDecision.UNDECIDED, RobustDecision.REJECTED]
    for rank, decision in enumerate(order):
        assert worst_of(order[: rank + 1]) is decision


def test_what_is_not_shown_never_counts_as_cool() -> None:
    """With the neighbour hidden its probability is 0, and the decision is a caution all the same."""
    shown = make_reduced(NONE)
    hidden_neighbour = dataclasses.replace(shown.scene.neighbours[0], points_mm=None, course=None)
    hidden = dataclasses.replace(shown, scene=dataclasses.replace(shown.scene, neighbours=(hidden_neighbour,)))
    for model, expected in ((shown, RobustDecision.ACCEPTABLE), (hidden, RobustDecision.CAUTION)):
        judge = Judge(
            reduced=(model,),
            laws=(EXACT,),
            is_boiling=(False,),
            looks=Looks(counts=(40,), error=0.05),
            limits=known_limits(),
        )
        assert judge.keep_out_decision(NEVER) is expected
        assert judge.unknown == (() if model is shown else ("left L4 spinal nerve",))


def test_boiling_tissue_is_not_counted() -> None:
    """Certain capture in a model that boils is at best a caution."""
    judge = Judge(
        reduced=(make_reduced(NONE, neighbour_mm=30.0),),
        laws=(EXACT,),
        is_boiling=(True,),
        looks=Looks(counts=(400,), error=0.05),
        limits=known_limits(),
    )
    (sample,) = sampled(judge.reduced, make_sampler(), range(400))
    assert np.all(sample.fraction == 1.0)
    assert judge.decisions([sample]) == (RobustDecision.CAUTION, RobustDecision.ACCEPTABLE)
