"""From confidence bounds to a decision; what is not shown never counts as cool."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from foramen.knowledge.facts import number
from foramen.model.plan import Check, CheckStatus
from foramen.model.robust import Probability, RobustDecision, RobustEffect

_WORST_FIRST = (RobustDecision.REJECTED, RobustDecision.UNDECIDED, RobustDecision.CAUTION, RobustDecision.ACCEPTABLE)
_STATUS = {
    RobustDecision.ACCEPTABLE: CheckStatus.PASS,
    RobustDecision.CAUTION: CheckStatus.CAUTION,
    RobustDecision.UNDECIDED: CheckStatus.CAUTION,
    RobustDecision.REJECTED: CheckStatus.FAIL,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RobustLimits:
    """Probabilities that accept and that reject; between them the physician weighs."""

    capture_accept: float
    capture_reject: float
    keep_out_accept: float
    keep_out_reject: float


def known_limits() -> RobustLimits:
    """The limits of the knowledge, all site parameters."""
    return RobustLimits(
        capture_accept=number("robust.capture_accept_probability"),
        capture_reject=number("robust.capture_reject_probability"),
        keep_out_accept=number("robust.keep_out_accept_probability"),
        keep_out_reject=number("robust.keep_out_reject_probability"),
    )


def judge_wanted(found: Probability, *, accept: float, reject: float) -> RobustDecision:
    """Decision on something wanted: accepted from `accept` on, rejected below `reject`."""
    if found.low_fraction >= accept:
        return RobustDecision.ACCEPTABLE
    if found.high_fraction < reject:
        return RobustDecision.REJECTED
    is_between = found.low_fraction >= reject and found.high_fraction < accept
    return RobustDecision.CAUTION if is_between else RobustDecision.UNDECIDED


def judge_feared(found: Probability, *, accept: float, reject: float) -> RobustDecision:
    """Decision on something feared: accepted up to `accept`, rejected above `reject`."""
    if found.high_fraction <= accept:
        return RobustDecision.ACCEPTABLE
    if found.low_fraction > reject:
        return RobustDecision.REJECTED
    is_between = found.high_fraction <= reject and found.low_fraction > accept
    return RobustDecision.CAUTION if is_between else RobustDecision.UNDECIDED


def at_best_caution(decision: RobustDecision) -> RobustDecision:
    """The decision where something that matters is not known."""
    return RobustDecision.CAUTION if decision is RobustDecision.ACCEPTABLE else decision


def worst_of(decisions: Sequence[RobustDecision]) -> RobustDecision:
    """The decision of a plan from those of its questions."""
    return next(decision for decision in _WORST_FIRST if decision in decisions)


def robust_check(robust: RobustEffect) -> Check:
    """The check of a plan that carries its robustness; it is added to the others and lifts none of them."""
    return Check(
        id="robust",
        text="Robustness: geometric capture probability under the stated model",
        status=_STATUS[robust.decision],
        reason=robust.reason,
    )
