"""Three-valued judgement of a rule for one patient (Kleene's strong logic).

What nobody has said is UNKNOWN; it makes a rule UNKNOWN unless the answer could not change it. So deleting an
answer can turn a judgement only into UNKNOWN, never from one certainty into the other.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from foramen.errors import KnowledgeError
from foramen.knowledge.record_facts import answered, record_fact, spoken
from foramen.knowledge.rules import (
    All,
    AnyOf,
    ComplaintTest,
    FactTest,
    NegativeBlocks,
    Not,
    PositiveBlocks,
    Rule,
    Wanted,
)
from foramen.model.levels import Side
from foramen.model.record import UNKNOWN, ClinicalRecord, Complaint, Unknown
from foramen.model.verdict import Truth

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "in": lambda value, allowed: value in allowed,
}


def compare(op: str, value: object, wanted: object) -> bool:
    """Whether a value stands in the relation `op` to what is wanted."""
    return _COMPARE[op](value, wanted)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """Truth of a rule, what was found, and the facts whose answers are missing if it is UNKNOWN."""

    truth: Truth
    found: tuple[str, ...]
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a rule is judged for: the record, the planned nerves and side, and the numbers of the profile.

    `count_blocks` says whether enough blocks (count, cut-off in %) were positive; `find_negative` whether one was not.
    """

    record: ClinicalRecord
    side: Side
    parameters: Mapping[str, float]
    count_blocks: Callable[[int, float], Judgement]
    find_negative: Callable[[float], Judgement]


def truth_of(value: bool | Unknown) -> Truth:
    """A yes, no or UNKNOWN as a truth value."""
    if value is UNKNOWN:
        return Truth.UNKNOWN
    return Truth.TRUE if value else Truth.FALSE


def negated(truth: Truth) -> Truth:
    """Kleene negation."""
    return {Truth.TRUE: Truth.FALSE, Truth.FALSE: Truth.TRUE, Truth.UNKNOWN: Truth.UNKNOWN}[truth]


def all_of(parts: tuple[Judgement, ...]) -> Judgement:
    """Kleene conjunction: FALSE if any part is, else UNKNOWN if any part is, else TRUE."""
    return _combined(parts, decisive=Truth.FALSE)


def any_of(parts: tuple[Judgement, ...]) -> Judgement:
    """Kleene disjunction: TRUE if any part is, else UNKNOWN if any part is, else FALSE."""
    return _combined(parts, decisive=Truth.TRUE)


def _combined(parts: tuple[Judgement, ...], *, decisive: Truth) -> Judgement:
    deciding = tuple(part for part in parts if part.truth is decisive)
    if deciding:
        return Judgement(truth=decisive, found=_joined(part.found for part in deciding))
    unknown = tuple(part for part in parts if part.truth is Truth.UNKNOWN)
    found = _joined(part.found for part in parts)
    if unknown:
        return Judgement(truth=Truth.UNKNOWN, found=found, missing=_joined(part.missing for part in unknown))
    return Judgement(truth=negated(decisive), found=found)


def _joined(groups: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for group in groups for text in group))


def judge(rule: Rule, question: Question) -> Judgement:
    """Truth of a rule for one patient, with what was found and what is missing.

    Raises
    ------
    RecordError
        If the record contradicts itself on a fact of the rule.
    """
    match rule:
        case All(parts=parts):
            return all_of(tuple(judge(part, question) for part in parts))
        case AnyOf(parts=parts):
            return any_of(tuple(judge(part, question) for part in parts))
        case Not(part=part):
            inner = judge(part, question)
            return Judgement(truth=negated(inner.truth), found=inner.found, missing=inner.missing)
        case FactTest():
            return _judge_fact(rule, question)
        case ComplaintTest(complaint=wanted):
            return _judge_complaints(wanted, question)
        case PositiveBlocks(at_least=count, relief_percent_at_least=cutoff):
            return question.count_blocks(round(question.parameters[count]), question.parameters[cutoff])
        case NegativeBlocks(relief_percent_below=cutoff):
            return question.find_negative(question.parameters[cutoff])
    raise KnowledgeError(f"{type(rule).__name__} is not a node of a rule. Rules are parsed from YAML only.")


def _judge_fact(rule: FactTest, question: Question) -> Judgement:
    value, words = answered(question.record, rule.fact)
    if value is UNKNOWN:
        return Judgement(truth=Truth.UNKNOWN, found=(words,), missing=(rule.fact,))
    wanted: object = question.parameters[rule.parameter] if rule.parameter else rule.value
    holds = value is True if wanted is None else compare(rule.op, value, wanted)
    if isinstance(wanted, int | float) and not isinstance(wanted, bool):
        words += f", asked for {rule.op} {spoken(float(wanted), record_fact(rule.fact).unit)}"
    return Judgement(truth=truth_of(holds), found=(words,))


def _judge_complaints(wanted: Wanted, question: Question) -> Judgement:
    if not question.record.complaints:
        fields = [f"complaint.{name}" for name in ("region", "pattern") if getattr(wanted, name)]
        return Judgement(
            truth=Truth.UNKNOWN, found=("no complaint is recorded",), missing=(*fields, *_side_field(wanted))
        )
    return any_of(tuple(_judge_complaint(c, wanted, question.side) for c in question.record.complaints))


def _side_field(wanted: Wanted) -> tuple[str, ...]:
    return ("complaint.side",) if wanted.side else ()


def _judge_complaint(complaint: Complaint, wanted: Wanted, side: Side) -> Judgement:
    words = ", ".join(
        f"{name} {spoken(value)}"
        for name, value in (("region", complaint.region), ("pattern", complaint.pattern), ("side", complaint.side))
    )
    parts: list[tuple[str, bool | Unknown]] = []
    if wanted.region:
        parts.append(("region", _test(complaint.region, lambda v: v in wanted.region)))
    if wanted.pattern:
        parts.append(("pattern", _test(complaint.pattern, lambda v: v in wanted.pattern)))
    if wanted.side:
        parts.append(("side", _on_side(complaint.side, side)))
    for field, least in (("nrs", wanted.nrs_at_least), ("duration_weeks", wanted.duration_weeks_at_least)):
        if least is not None:
            value = getattr(complaint, field)
            words += f", {field.replace('_', ' ')} {spoken(value)}"
            parts.append((field, UNKNOWN if value is UNKNOWN else value >= least))
    return all_of(
        tuple(
            Judgement(
                truth=truth_of(holds),
                found=(f"pain: {words}",),
                missing=(f"complaint.{field}",) if holds is UNKNOWN else (),
            )
            for field, holds in parts
        )
    )


def _test(value: str | Unknown, holds: Callable[[str], bool]) -> bool | Unknown:
    return UNKNOWN if isinstance(value, Unknown) else holds(value)


def _on_side(value: str | Unknown, side: Side) -> bool | Unknown:
    if isinstance(value, Unknown) or value == "midline":  # in the midline no side is stated
        return UNKNOWN
    return value in (side.value, "bilateral")
