"""May they have it? The verdict on one patient for one technique, with every line of the reasoning."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from foramen.errors import KnowledgeError, LevelError, RecordError
from foramen.knowledge.block_logic import BlockLogic
from foramen.knowledge.contradictions import require_consistent
from foramen.knowledge.judging import Question as RuleQuestion
from foramen.knowledge.judging import judge
from foramen.knowledge.record_facts import check_answer, record_fact
from foramen.knowledge.technique_facts import CriterionRule, Profile, TechniqueKnowledge, technique_knowledge
from foramen.model.levels import Level, Side
from foramen.model.record import ClinicalRecord, Unknown
from foramen.model.verdict import Criterion, Dissent, Question, Severity, Truth, Verdict, VerdictStatus

_ORDER = tuple(Severity)
"""Red flags first, then what excludes, what is required, and what is only shown."""

ASKED_ABSENT = "Answer yes, or no (asked, absent)."
"""Added to every question of yes or no."""


def assess(
    record: ClinicalRecord,
    *,
    technique: str,
    level: Level,
    side: Side,
    nerves: frozenset[str],
    on: date,
    profile: str = "society",
    site: Mapping[str, float] | None = None,
) -> Verdict:
    """The verdict on a patient for a technique at a level and side, in three values.

    Parameters
    ----------
    record : ClinicalRecord
        What is known; what is not in it is UNKNOWN.
    technique : str
        Id of a technique with a knowledge file.
    level, side : Level, Side
        Where the technique is planned.
    nerves : frozenset of str
        Nerves that will be treated, such as ``{"L3", "L4"}`` for the medial branches of L3 and L4.
    on : date
        Day of the assessment; blocks after it do not count.
    profile : str
        Whose thresholds are used.
    site : mapping, optional
        The site's own values of the profile's parameters.

    Raises
    ------
    RecordError
        If an answer is impossible, undeclared, or contradicted by a list of the record.
    KnowledgeError
        If there is no such technique, profile or parameter.
    """
    if not nerves:
        raise LevelError(f"No nerves are planned at {level}. Name those that serve the joint, such as L3 and L4.")
    known = technique_knowledge(technique)
    chosen = known.profile(profile)
    check_record(record)
    require_consistent(record)
    blocks = BlockLogic(record=record, nerves=nerves, side=side, on=on)
    question = RuleQuestion(
        record=record,
        side=side,
        parameters=_parameters(chosen, site or {}),
        count_blocks=blocks.count,
        find_negative=blocks.find_negative,
    )
    rules = [rule for rule in known.criteria if not rule.profiles or profile in rule.profiles]
    criteria = tuple(
        _criterion(rule, question, chosen, site or {})
        for rule in sorted(rules, key=lambda rule: _ORDER.index(rule.severity))
    )
    return Verdict(
        status=status_of(criteria),
        technique=technique,
        profile=profile,
        criteria=criteria,
        questions=_questions(criteria),
        dissent=_dissent(known),
    )


def check_record(record: ClinicalRecord) -> None:
    """Raise `RecordError` if an answer or a complaint of the record is undeclared or impossible."""
    for key, answer in record.facts.items():
        check_answer(key, answer.value)
    for complaint in record.complaints:
        for field in ("region", "side", "pattern", "nrs", "duration_weeks"):
            value = getattr(complaint, field)
            refusal = "" if isinstance(value, Unknown) else record_fact(f"complaint.{field}").refusal(value)
            if refusal:
                raise RecordError(f"A complaint has {field} = {value!r}: {refusal}. Correct the record.")


def status_of(criteria: tuple[Criterion, ...]) -> VerdictStatus:
    """What the deciding criteria lead to: any red flag or exclusion that holds, or requirement that fails, decides."""
    if any(c.speaks_against for c in criteria):
        return VerdictStatus.NOT_ACCEPTABLE
    if any(c.severity.is_deciding and c.truth is Truth.UNKNOWN for c in criteria):
        return VerdictStatus.NEEDS_INFORMATION
    return VerdictStatus.ACCEPTABLE


def _parameters(profile: Profile, site: Mapping[str, float]) -> dict[str, float]:
    unknown = sorted(set(site) - set(profile.parameters))
    if unknown:
        known = ", ".join(sorted(profile.parameters))
        raise KnowledgeError(f"The site sets {unknown[0]!r}, which profile {profile.id} does not have. It has {known}.")
    return {**profile.parameters, **site}


def _criterion(rule: CriterionRule, question: RuleQuestion, profile: Profile, site: Mapping[str, float]) -> Criterion:
    judgement = judge(rule.rule, question)
    state = {Truth.TRUE: "yes", Truth.FALSE: "no", Truth.UNKNOWN: "not known"}[judgement.truth]
    reason = f"{rule.text}: {state}. Found: {'; '.join(judgement.found)}."
    if site:
        reason += " Site values: " + ", ".join(f"{key} {value:g}" for key, value in sorted(site.items())) + "."
    return Criterion(
        id=rule.id,
        severity=rule.severity,
        profile=profile.id,
        text=rule.text,
        truth=judgement.truth,
        reason=reason,
        sources=rule.sources,
        trace=rule.trace,
        missing=judgement.missing,
        action="" if judgement.truth is Truth.FALSE else rule.action,
    )


def _questions(criteria: tuple[Criterion, ...]) -> tuple[Question, ...]:
    asked: dict[str, list[str]] = {}
    for is_deciding in (True, False):
        for criterion in criteria:
            if criterion.truth is Truth.UNKNOWN and criterion.severity.is_deciding is is_deciding:
                for fact in criterion.missing:
                    asked.setdefault(fact, []).append(criterion.text)
    return tuple(
        Question(fact=fact, text=_question_text(fact), why="; ".join(reasons)) for fact, reasons in asked.items()
    )


def _question_text(fact: str) -> str:
    declared = record_fact(fact)
    return f"{declared.question} {ASKED_ABSENT}" if declared.type == "bool" else declared.question


def _dissent(known: TechniqueKnowledge) -> tuple[Dissent, ...]:
    return tuple(
        Dissent(id=entry.id, text=entry.text, sources=entry.sources, trace=entry.trace) for entry in known.dissent
    )
