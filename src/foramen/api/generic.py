"""A case without a scan: the reference body scaled to the patient, marked as such wherever it shows."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date
from pathlib import Path

from foramen.anatomy.generic_body import make_generic_body
from foramen.errors import InputError
from foramen.io import case_folder
from foramen.io.record import read_record
from foramen.knowledge.record_facts import check_answer
from foramen.model.case import Case
from foramen.model.record import UNKNOWN, Answer, ClinicalRecord
from foramen.units import MM_PER_M

STATED = "stated when the case was made"
"""Source of an answer that was given beside the record."""


def generic_case(
    *,
    record: ClinicalRecord | str | Path | None = None,
    height_cm: float | None = None,
    weight_kg: float | None = None,
    sex: str | None = None,
    age_years: float | None = None,
    spacing_mm: float = 1.0,
    out: str | Path | None = None,
) -> Case:
    """A case of the reference body scaled to a patient of whom there is no usable scan.

    Parameters
    ----------
    record : ClinicalRecord or path, optional
        Of the patient; without one every fact that is not given here is UNKNOWN.
    height_cm : float, optional
        Stature; without it that which weight and body mass index of the record imply.
    weight_kg, sex, age_years : optional
        Answers that the record lacks; they do not change the body, since no source says how.
    out : path, optional
        Folder to save the case in.

    Raises
    ------
    InputError
        If the height is not known, is out of range, or an answer contradicts the record.
    """
    known = record if isinstance(record, ClinicalRecord) else _read(record)
    known = _with_answers(known, {"weight_kg": weight_kg, "sex": sex, "age_years": age_years})
    stature_mm = _stature_mm(known, height_cm)
    body = make_generic_body(stature_mm, spacing_mm=spacing_mm)
    x, y, z = body.scale
    case = case_folder.new_case(
        body.image,
        body.labels,
        record=known,
        patient_position=body.patient_position,
        history=(
            "NOT PATIENT-SPECIFIC: no scan of this patient; the mean reference body made by code",
            f"scaled to a height of {100 * stature_mm / MM_PER_M:.0f} cm by {x:.3f} (width), {y:.3f} (depth), {z:.3f} "
            "(height); sex, age and weight do not change it",
        ),
        is_patient_specific=False,
    )
    if out is not None:
        case_folder.save_case(case, Path(out))
    return case


def _read(record: str | Path | None) -> ClinicalRecord:
    return ClinicalRecord(patient_id="") if record is None else read_record(Path(record))


def _with_answers(record: ClinicalRecord, answers: dict[str, float | str | None]) -> ClinicalRecord:
    """The record with answers that it lacks."""
    facts = dict(record.facts)
    for key, value in answers.items():
        if value is None:
            continue
        check_answer(key, value)
        if key in facts and facts[key].value != value:
            raise InputError(
                f"{key.replace('_', ' ')} {value} contradicts the record, which says {facts[key].value}. Leave it out, "
                "or correct the record."
            )
        facts.setdefault(key, Answer(value=value, when=date.today().isoformat(), source=STATED))
    return replace(record, facts=facts)


def _stature_mm(record: ClinicalRecord, height_cm: float | None) -> float:
    if height_cm is not None:
        if not math.isfinite(height_cm):
            raise InputError(f"A height of {height_cm} cm is not usable. Give it in centimetres, such as 172.")
        return MM_PER_M * height_cm / 100
    weight, index = record.value("weight_kg"), record.value("bmi")
    if weight is UNKNOWN or index is UNKNOWN:
        raise InputError(
            "A plan without a scan needs the patient's height: give --height-cm (or weight and body mass index in the "
            "record)."
        )
    return MM_PER_M * math.sqrt(float(weight) / float(index))
