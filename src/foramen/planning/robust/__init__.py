"""How robust is a plan? Scenarios over what is not known exactly, probabilities with intervals, a decision."""

from __future__ import annotations

from dataclasses import replace

from foramen.jobs.blas import with_one_blas_thread
from foramen.knowledge.facts import number, numbers
from foramen.knowledge.sources import citation
from foramen.model.plan import Plan
from foramen.model.robust import RobustDecision, RobustEffect
from foramen.planning.checks import plan_status
from foramen.planning.robust.decision import RobustLimits, known_limits, robust_check
from foramen.planning.robust.estimate import Looks, TargetSample, sampled, until_decided
from foramen.planning.robust.judge import Judge
from foramen.planning.robust.prepare import Prepared, prepare
from foramen.planning.robust.result import robust_effect
from foramen.planning.robust.uncertainty import Uncertainty, known_uncertainty

__all__ = ["Prepared", "Uncertainty", "known_uncertainty", "prepare", "robustness", "with_robustness"]


@with_one_blas_thread
def robustness(
    prepared: Prepared, *, seed: int = 0, threads: int | None = None, limits: RobustLimits | None = None
) -> RobustEffect:
    """Probabilities and decision of a prepared plan by scenarios of a seed; equal to the last bit for any `threads`."""
    sampler = prepared.sampler(seed)
    looks = Looks(
        counts=tuple(int(count) for count in numbers("robust.looks")),
        error=(1 - number("robust.confidence_fraction")) / 2,
    )
    judge = Judge(
        reduced=prepared.reduced,
        laws=prepared.laws,
        is_boiling=prepared.is_boiling,
        looks=looks,
        limits=limits or known_limits(),
    )

    def draw(indices: range) -> list[TargetSample]:
        return sampled(prepared.reduced, sampler, indices, threads=threads)

    samples = until_decided(draw, lambda found: RobustDecision.UNDECIDED not in judge.decisions(found), looks)
    return robust_effect(prepared, judge, samples, sampler)


def with_robustness(plan: Plan, robust: RobustEffect) -> Plan:
    """The plan with its robustness and the check that follows from it; no other check is lifted."""
    own = robust_check(robust)
    checks = (*(check for check in plan.checks if check.id != own.id), own)
    cited = {c.key: c for c in plan.citations} | {key: citation(key) for v in robust.varied for key in v.sources}
    citations = tuple(cited[key] for key in sorted(cited))
    return replace(plan, robust=robust, checks=checks, status=plan_status(checks), citations=citations)
