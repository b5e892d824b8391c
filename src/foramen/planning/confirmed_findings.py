"""Findings of images as answers of the record: only those that a person confirmed, at the planned level."""

from __future__ import annotations

from dataclasses import replace

from foramen.errors import RecordError
from foramen.knowledge.record_facts import check_answer, record_facts
from foramen.model.finding import Finding, FindingStatus
from foramen.model.record import Answer, ClinicalRecord

MODIC = "modic_type"
"""Start of the kinds of finding that name a Modic type, one for each endplate."""

ABSENT = "none"
"""Value of an endplate that a person found normal."""


def with_confirmed_findings(record: ClinicalRecord, level: str) -> ClinicalRecord:
    """The record with what was confirmed at a level as answers of ``imaging.*``.

    Measured and suggested findings answer nothing: they stay UNKNOWN. A Modic type is answered only when both
    endplates of the disc are confirmed, or one of them shows a type.

    Raises
    ------
    RecordError
        If the record itself says otherwise: neither may quietly win.
    """
    here = [f for f in record.findings if f.level == level and f.status is FindingStatus.CONFIRMED]
    answers = {f"imaging.{f.kind}": _answer(f, f.value) for f in here if f.value is not None}
    answers = {key: answer for key, answer in answers.items() if key in record_facts()}
    modic = _modic([f for f in record.findings if f.level == level and f.kind.startswith(MODIC)])
    if modic is not None:
        answers[f"imaging.{MODIC}"] = modic
    facts = dict(record.facts)
    for key, answer in answers.items():
        check_answer(key, answer.value)
        if key in facts and facts[key].value != answer.value:
            raise RecordError(
                f"The record answers {key} differently than the finding that {answer.source} at {level}. Correct one."
            )
        facts.setdefault(key, answer)
    return replace(record, facts=facts)


def _answer(finding: Finding, value: float | str) -> Answer:
    source = f"{finding.by} confirmed on the image ({finding.evidence.image_sha256[:12]})"
    return Answer(value=value, when=finding.when, source=source)


def _modic(endplates: list[Finding]) -> Answer | None:
    confirmed = [f for f in endplates if f.status is FindingStatus.CONFIRMED]
    types = {str(f.value) for f in confirmed} - {ABSENT}
    if len(types) > 1:
        return _answer(confirmed[0], "mixed")
    if types:
        return _answer(next(f for f in confirmed if str(f.value) in types), types.pop())
    is_all = bool(confirmed) and len(confirmed) == len(endplates)
    return _answer(confirmed[0], ABSENT) if is_all else None


def confirmed(
    record: ClinicalRecord, *, kind: str, level: str, by: str, when: str, value: float | str | None = None
) -> ClinicalRecord:
    """The record with one finding confirmed by a person, as it was found or with the value that the person gives.

    Raises
    ------
    RecordError
        If there is no such finding, nobody is named, or nothing is there to confirm.
    """
    if not by.strip():
        raise RecordError("A finding is confirmed by a named person: say who with --by.")
    found = [f for f in record.findings if (f.kind, f.level) == (kind, level)]
    if not found:
        kinds = ", ".join(sorted({f.kind for f in record.findings if f.level == level})) or "none"
        raise RecordError(f"There is no finding {kind} at {level}. Found there: {kinds} (foramen case measure).")
    given = found[0].value if value is None else value
    if given is None:
        raise RecordError(f"{kind} at {level} could not be read: give the value that you see with --value.")
    key = f"imaging.{MODIC if kind.startswith(MODIC) else kind}"
    if key in record_facts():
        check_answer(key, given)
    sure = replace(found[0], value=given, status=FindingStatus.CONFIRMED, by=by.strip(), when=when)
    return replace(record, findings=tuple(sure if f is found[0] else f for f in record.findings))


def remeasured(record: ClinicalRecord, findings: tuple[Finding, ...]) -> ClinicalRecord:
    """The record with new findings; those that a person confirmed on the same image and labels stay."""
    kept = {(f.kind, f.level): f for f in record.findings if f.status is FindingStatus.CONFIRMED}

    def stays(new: Finding) -> bool:
        old = kept.get((new.kind, new.level))
        return old is not None and (
            (old.evidence.image_sha256, old.evidence.labels_sha256)
            == (new.evidence.image_sha256, new.evidence.labels_sha256)
        )

    merged = tuple(kept[new.kind, new.level] if stays(new) else new for new in findings)
    return replace(record, findings=merged)
