"""What the medicines of a record mean for a procedure: continued, shared decision, or review by a person.

Nothing here stops a medicine. A blood thinner leads to a shared decision that prints the harm of stopping, and no
date stands beside it until the prescriber's agreement is recorded. Risk factors lead to a discussion, never to an
automatic hold. A medicine that is not in the table goes to a person.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from foramen.knowledge.drugs import BleedingLevel, Drug, drugs, recognised
from foramen.knowledge.facts import fact, number
from foramen.knowledge.record_facts import answered, record_fact
from foramen.model.care import CareItem, CareKind, CarePhase
from foramen.model.evidence import Trace
from foramen.model.record import UNKNOWN, ClinicalRecord, Medicine, Unknown

RENAL_CLASSES = frozenset({"doac_xa", "doac_iia", "lmwh", "xa_indirect"})
"""Classes of blood thinner that the kidney clears, so that their interval needs the kidney function."""

FASTING_CLASSES = frozenset({"insulin", "sulfonylurea", "sglt2_inhibitor"})
"""Classes of medicine whose dose is agreed again when the patient fasts."""

_RISKS = (
    "bleeding.history",
    "bleeding.severe_liver_disease",
    "bleeding.prior_surgery_or_radiation_in_area",
    "coagulation.uncorrected",
)
_RISK_REASON = (
    "A bleeding risk factor with a blood thinner: shared decision with the prescriber, never an automatic hold."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """Whose medicines, for a procedure of which bleeding class, when, and with sedation or not."""

    record: ClinicalRecord
    level: BleedingLevel
    procedure_at: datetime
    is_sedated: bool | Unknown

    @property
    def thinners(self) -> tuple[tuple[Medicine, Drug], ...]:
        """The blood thinners among the medicines, each once, with the line that names it."""
        named = [(d.id, (m, d)) for m in self.record.medicines.items for d in known_drugs(m) if d.antithrombotic]
        return tuple(dict(reversed(named)).values())[::-1]  # the first line that names it

    @property
    def is_hold_agreed(self) -> bool:
        """Whether the prescriber's agreement is recorded and it is clear which medicine it is about."""
        value, _ = answered(self.record, "prescriber.agreed_hold")
        return value is True and len(self.thinners) == 1


def moved(at: datetime, hours: float) -> str:
    """Local date and time some hours from another, ISO 8601; with a zone, clock changes are counted."""
    later = at + timedelta(hours=hours)
    if at.tzinfo is not None:
        later = (at.astimezone(UTC) + timedelta(hours=hours)).astimezone(at.tzinfo)
    return later.isoformat(timespec="minutes")


def known_drugs(medicine: Medicine) -> tuple[Drug, ...]:
    """Entries of the table that a recorded medicine names; empty if a person must look at it."""
    table = drugs()
    ids = (medicine.drug,) if medicine.drug in table else recognised(medicine.text)
    return tuple(table[drug_id] for drug_id in ids)


def unknown_parts(medicine: Medicine) -> tuple[str, ...]:
    """What the table does not know of a recorded medicine: all of it, or parts of a combination (``a / b``)."""
    if not known_drugs(medicine):
        return (medicine.text,)
    parts = re.split(r"\s/\s|\s\+\s", medicine.text)
    return tuple(part for part in parts if not recognised(part)) if len(parts) > 1 else ()


def harm_of_stopping() -> str:
    """The harm of stopping blood thinners against that of continuing them, in numbers."""
    return (
        f"Harm of stopping: {number('drugs.stopped_serious_events'):g} serious events including "
        f"{number('drugs.stopped_deaths'):g} deaths in {number('drugs.stopped_procedures'):g} procedures with blood "
        f"thinners stopped; none due to them in {number('drugs.continued_procedures'):g} with them continued."
    )


def review_medicines(occasion: Occasion) -> Iterator[CareItem]:
    """One line for each medicine of the record, and the questions and risks that belong to them."""
    lines = (line for medicine in occasion.record.medicines.items for line in _lines(medicine, occasion))
    yield from dict.fromkeys(lines)  # a medicine that is listed twice is said once
    if not occasion.record.medicines.complete_as_of:
        yield _item(
            CareKind.QUESTION,
            "Is the list of medicines complete (blood thinners, diabetes, herbal)?",
            "The list was not declared complete: a medicine that is not on it is unknown, not absent.",
        )
    if occasion.thinners:
        yield from _bleeding_risks(occasion)


def _lines(medicine: Medicine, occasion: Occasion) -> Iterator[CareItem]:
    for part in unknown_parts(medicine):
        yield _item(
            CareKind.CHECK,
            f"{part}: not in the table of medicines. Manual review by a pharmacist or physician.",
            "An unknown medicine is never passed as harmless.",
            is_shared_decision=True,
        )
    for entry in known_drugs(medicine):
        is_held = entry.hold_h[occasion.level] != "none"
        yield _thinner(medicine, entry, occasion) if is_held else _continued(medicine, entry, occasion)


def review_restart(occasion: Occasion) -> Iterator[CareItem]:
    """When an agreed pause ends; nothing where no pause was agreed."""
    for medicine, entry in occasion.thinners:
        if entry.hold_h[occasion.level] == "none" or not occasion.is_hold_agreed:
            continue
        hours = entry.restart_h[occasion.level] if entry.restart_h else None
        table = f", in the table {hours:g} h after the procedure" if hours is not None else ""
        yield CareItem(
            phase=CarePhase.AFTERCARE,
            kind=CareKind.MEDICINE,
            text=f"{medicine.text}: restart as agreed with the prescriber{table}.",
            reason="A paused blood thinner must not stay paused.",
            sources=entry.sources,
            trace=entry.trace,
            when="" if hours is None else moved(occasion.procedure_at, hours),
        )


def _thinner(medicine: Medicine, entry: Drug, occasion: Occasion) -> CareItem:
    hold = entry.hold_h[occasion.level]
    interval = "no interval is given for this class" if isinstance(hold, str) else f"interval in the table {hold:g} h"
    if not occasion.is_hold_agreed:
        text = f"{medicine.text}: do not stop on this plan's say. Shared decision with the prescriber ({interval})."
        when = "no date before the prescriber's agreement is recorded"
    else:
        text = f"{medicine.text}: last dose as agreed with the prescriber ({interval})."
        when = "as the prescriber said" if isinstance(hold, str) else moved(occasion.procedure_at, -hold)
    return _item(
        CareKind.MEDICINE,
        text,
        f"Bleeding class of this procedure: {occasion.level}. {harm_of_stopping()}{_note(entry)}",
        sources=(*entry.sources, "ENDRES2017", "ENDRES2020"),
        trace=entry.trace,
        when=when,
        is_shared_decision=not occasion.is_hold_agreed,
    )


def _continued(medicine: Medicine, entry: Drug, occasion: Occasion) -> CareItem:
    text = f"{medicine.text}: take as usual."
    reason = f"No routine hold for bleeding class {occasion.level}."
    is_shared, sources = False, entry.sources
    if entry.drug_class == "glp1_agonist" and occasion.is_sedated is not False:
        hours = number("drugs.glp1_liquid_diet_h")
        text = f"{medicine.text}: if sedated, shared decision; liquids only for {hours:g} h before."
        reason, is_shared = "Sedation is not ruled out.", True
    elif entry.drug_class in FASTING_CLASSES and occasion.is_sedated is not False:
        text = f"{medicine.text}: if sedated, ask the prescriber for the dose of the fasting morning."
        reason, is_shared = "Fasting follows sedation.", True
    elif entry.drug_class == "biguanide" and _is_kidney_poor(occasion.record):
        text = f"{medicine.text}: ask the prescriber (kidney function)."
        reason, is_shared = "Low eGFR or acute kidney injury: metformin itself needs review.", True
    elif entry.drug_class == "antibiotic":
        text = f"{medicine.text}: ask what infection it treats, and whether it is over."
    elif entry.antithrombotic:
        reason, sources = f"{reason} {harm_of_stopping()}", (*entry.sources, "ENDRES2017", "ENDRES2020")
    return _item(
        CareKind.MEDICINE,
        text,
        f"{reason}{_note(entry)}",
        sources=sources,
        trace=entry.trace,
        is_shared_decision=is_shared,
    )


def _is_kidney_poor(record: ClinicalRecord) -> bool:
    egfr, _ = answered(record, "renal.egfr_ml_min")
    injury, _ = answered(record, "renal.acute_injury")
    return injury is True or (isinstance(egfr, float | int) and egfr < number("drugs.egfr_metformin_min"))


def _bleeding_risks(occasion: Occasion) -> Iterator[CareItem]:
    thinners = [entry for _, entry in occasion.thinners]
    if len(thinners) > 1:
        names = ", ".join(entry.id.replace("_", " ") for entry in thinners)
        yield _item(CareKind.CHECK, f"More than one blood thinner ({names}).", _RISK_REASON, is_shared_decision=True)
    for key in _RISKS:
        value, words = answered(occasion.record, key)
        if value is UNKNOWN:
            yield _item(CareKind.QUESTION, record_fact(key).question, _RISK_REASON)
        elif value is True:
            yield _risk(words, Trace.SEEN)
    egfr, words = answered(occasion.record, "renal.egfr_ml_min")
    if egfr is UNKNOWN and any(entry.drug_class in RENAL_CLASSES for entry in thinners):
        question = record_fact("renal.egfr_ml_min").question
        yield _item(CareKind.QUESTION, question, "The kidney clears this blood thinner: its interval depends on it.")
    threshold = fact("drugs.egfr_bleeding_risk")
    if isinstance(egfr, float | int) and egfr < threshold.number:
        yield _risk(words, threshold.trace)


def _risk(words: str, trace: Trace) -> CareItem:
    return _item(
        CareKind.CHECK,
        f"Bleeding risk factor: {words}.",
        _RISK_REASON,
        sources=("ASRA2018_CLASS",),
        trace=trace,
        is_shared_decision=True,
    )


def _note(entry: Drug) -> str:
    return f" {entry.note.rstrip('.')}." if entry.note else ""


def _item(
    kind: CareKind,
    text: str,
    reason: str,
    *,
    sources: tuple[str, ...] = ("MEM",),
    trace: Trace = Trace.UNVERIFIED,
    when: str = "",
    is_shared_decision: bool = False,
) -> CareItem:
    return CareItem(
        phase=CarePhase.PREPARATION,
        kind=kind,
        text=text,
        reason=reason,
        sources=sources,
        trace=trace,
        when=when,
        is_shared_decision=is_shared_decision,
    )
