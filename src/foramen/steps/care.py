"""What must happen before, during and after? Preparation with dates, the steps of the day, aftercare."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from foramen.errors import InputError
from foramen.knowledge.medicine_review import Occasion, moved, review_medicines, review_restart
from foramen.knowledge.record_facts import answered, check_answer, record_fact
from foramen.knowledge.technique_facts import CareStatement, TechniqueKnowledge, technique_knowledge
from foramen.model.care import Care, CareItem, CareKind, CarePhase
from foramen.model.evidence import Trace
from foramen.model.record import UNKNOWN, ClinicalRecord, Unknown

_CHECKS = (
    (
        "device.cied",
        "Device plan before the day: interrogation, settings agreed with its clinic, monitoring, return pad away.",
        "radiofrequency",
        "ASPN2023_DEVICE",
    ),
    (
        "device.neurostimulator",
        "Stimulator or pump: off before heating, no contact, impedance checked afterwards.",
        "radiofrequency",
        "ASPN2023_DEVICE",
    ),
    ("allergy.local_anaesthetic", "No local anaesthetic until the allergy is clarified.", "local_anaesthetic", "MEM"),
    ("allergy.contrast", "Plan without contrast.", "contrast", "MEM"),
    ("allergy.chlorhexidine", "Use another skin disinfectant.", "", "MEM"),
    ("allergy.latex", "Use a latex-free set.", "", "MEM"),
)
"""Fact, what to do if it holds, the part of the technique that it matters to (empty: always), source."""


def plan_care(record: ClinicalRecord, *, technique: str, procedure_at: datetime, is_sedated: bool | Unknown) -> Care:
    """All care around one procedure: preparation in the order of time, the day, aftercare.

    Parameters
    ----------
    record : ClinicalRecord
        What is known of the patient.
    technique : str
        Id of a technique with a knowledge file.
    procedure_at : datetime
        Planned start, local time (with or without a zone).
    is_sedated : bool or UNKNOWN
        Whether sedation is planned; fasting, escort and driving follow from it. UNKNOWN asks, and shows both.

    Raises
    ------
    InputError
        If the time of day is missing.
    RecordError
        If an answer of the record is impossible or undeclared.
    """
    if not isinstance(procedure_at, datetime):
        raise InputError(f"The procedure needs date and time of day, not {procedure_at!r}: intervals are in hours.")
    for key, answer in record.facts.items():
        check_answer(key, answer.value)
    known = technique_knowledge(technique)
    occasion = Occasion(
        record=record, level=known.bleeding_class.value, procedure_at=procedure_at, is_sedated=is_sedated
    )
    preparation = (
        *_sedation_question(is_sedated),
        *_stated(known.preparation, CarePhase.PREPARATION, occasion),
        *review_medicines(occasion),
        *_patient_checks(record, known),
    )
    day = (*_stated(known.day, CarePhase.DAY, occasion), *_drug_limit(record, known), *_steps(known))
    aftercare = (*_stated(known.aftercare, CarePhase.AFTERCARE, occasion), *review_restart(occasion))
    return Care(
        procedure_at=procedure_at.isoformat(timespec="minutes"),
        items=(*sorted(preparation, key=_time_order), *day, *sorted(aftercare, key=_time_order)),
    )


def _time_order(item: CareItem) -> str:
    return item.when if item.when[:4].isdigit() else ""  # undated lines first, then by date


def _sedation_question(is_sedated: bool | Unknown) -> Iterator[CareItem]:
    if is_sedated is UNKNOWN:
        yield CareItem(
            phase=CarePhase.PREPARATION,
            kind=CareKind.QUESTION,
            text="Is sedation planned?",
            reason="Fasting, escort and driving follow from it; until then those lines are conditional.",
            sources=("ASA2017_SEC",),
            trace=Trace.SEEN,
        )


def _stated(statements: tuple[CareStatement, ...], phase: CarePhase, occasion: Occasion) -> Iterator[CareItem]:
    for statement in statements:
        condition = ""
        if statement.only_if:
            is_for_sedated = statement.only_if == "sedated"
            if isinstance(occasion.is_sedated, bool) and occasion.is_sedated is not is_for_sedated:
                continue
            if occasion.is_sedated is UNKNOWN:
                condition = "If sedated: " if is_for_sedated else "If not sedated: "
        hours = statement.hours_after if statement.hours_before is None else -statement.hours_before
        yield CareItem(
            phase=phase,
            kind=statement.kind,
            text=condition + statement.text,
            reason=statement.reason,
            sources=statement.sources,
            trace=statement.trace,
            when="" if hours is None else moved(occasion.procedure_at, hours),
        )


def _steps(known: TechniqueKnowledge) -> Iterator[CareItem]:
    for step in known.steps:
        yield CareItem(
            phase=CarePhase.DAY,
            kind=CareKind.STEP,
            text=step.text,
            reason=f"Step {step.id} of the technique.",
            sources=step.sources,
            trace=step.trace,
        )
    for stop in known.stop_rules:
        yield CareItem(
            phase=CarePhase.DAY,
            kind=CareKind.STOP_RULE,
            text=f"If: {known.condition(stop)} Then: {stop.action}",
            reason=f"Stop rule {stop.id} of the technique.",
            sources=stop.sources,
            trace=stop.trace,
        )


def _drug_limit(record: ClinicalRecord, known: TechniqueKnowledge) -> Iterator[CareItem]:
    if "local_anaesthetic" not in known.uses:
        return
    per_kg, most = known.fact("lidocaine_max_mg_per_kg"), known.fact("lidocaine_max_mg")
    weight, words = answered(record, "weight_kg")
    text = "Plain lidocaine: weigh the patient first; the maximum depends on the weight."
    if isinstance(weight, float | int):
        text = f"Plain lidocaine: at most {min(per_kg.number * weight, most.number):.0f} mg in all ({words})."
    yield CareItem(
        phase=CarePhase.DAY,
        kind=CareKind.CHECK,
        text=text,
        reason=f"{per_kg.number:g} mg/kg, at most {most.number:g} mg, less in the frail. "
        "Of several agents the fractions of each maximum add up to at most 1.",
        sources=per_kg.sources,
        trace=per_kg.trace,
    )


def _patient_checks(record: ClinicalRecord, known: TechniqueKnowledge) -> Iterator[CareItem]:
    for key, text, matters_to, source in _CHECKS:
        if matters_to and matters_to not in known.uses:
            continue
        value, words = answered(record, key)
        if value is UNKNOWN:
            yield _asked(key, "Not recorded; it changes the preparation.")
        elif value not in (False, "none"):
            yield _checked(text, f"{words}.", source)
    pregnant, words = answered(record, "pregnant")
    sex, _ = answered(record, "sex")
    if pregnant is True:
        yield _checked("Defer: pregnant.", f"{words}. Elective procedure under X-ray.", "MEM")
    elif pregnant is UNKNOWN and sex != "male":
        yield _asked("pregnant", "Elective procedure under X-ray: ask, and test on the day where it is possible.")


def _asked(key: str, reason: str) -> CareItem:
    return CareItem(
        phase=CarePhase.PREPARATION,
        kind=CareKind.QUESTION,
        text=record_fact(key).question,
        reason=reason,
        sources=("MEM",),
        trace=Trace.UNVERIFIED,
    )


def _checked(text: str, reason: str, source: str) -> CareItem:
    return CareItem(
        phase=CarePhase.PREPARATION,
        kind=CareKind.CHECK,
        text=text,
        reason=reason,
        sources=(source,),
        trace=Trace.UNVERIFIED,
    )
