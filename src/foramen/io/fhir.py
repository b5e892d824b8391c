"""A clinical record from a FHIR R4 bundle; what the bundle does not say stays UNKNOWN.

Read are Patient, Observation (by the LOINC codes that `knowledge/facts.yaml` names), Condition,
MedicationRequest, MedicationStatement, AllergyIntolerance and List (which alone can say that a list is complete).
An entry without a status counts as active: what may hold is never dropped.
"""

from __future__ import annotations

import calendar
import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from foramen.errors import RecordError
from foramen.io.medicine_names import recognised
from foramen.knowledge.facts import number
from foramen.knowledge.record_facts import check_answer, record_facts
from foramen.model.record import UNKNOWN, Answer, ClinicalRecord, Complaint, Listed, Medicine

LOINC = "http://loinc.org"
PREGNANCY_STATUS_LOINC = "82810-3"
"""LOINC 82810-3, Pregnancy status."""

LIST_LOINC = {"10160-0": "medicines", "48765-2": "allergies", "11450-4": "conditions"}
"""Document section codes (LOINC) that a FHIR List carries: medication use, allergies, problem list."""


_UNITS: dict[str, dict[str, float]] = {
    "kg": {"kg": 1.0, "g": 1e-3, "[lb_av]": 0.45359237},
    "kg/m2": {"kg/m2": 1.0},
    "1e9/L": {"10*9/L": 1.0, "10*3/uL": 1.0},
    "mL/min/1.73m2": {"mL/min/{1.73_m2}": 1.0, "mL/min/1.73.m2": 1.0, "mL/min/1.73m2": 1.0},
    "1": {"1": 1.0, "{INR}": 1.0, "{ratio}": 1.0, "": 1.0},
    "%": {"%": 1.0},
    "": {"{score}": 1.0, "1": 1.0, "": 1.0},
}
"""UCUM codes accepted for a fact's unit, and the factor to it."""

_CURRENT = {"final", "amended", "corrected"}

_MAY_BE_TAKEN = {"active", "on-hold", "intended", "unknown"}
"""States of a prescription or statement in which the patient may be taking the medicine."""


@dataclass(slots=True)
class _Bundle:
    """The resources that are read, by type, and remarks on what could not be used."""

    name: str
    on: datetime.date
    by_type: dict[str, list[Mapping[str, Any]]] = field(default_factory=dict)
    by_reference: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    def of(self, kind: str) -> list[Mapping[str, Any]]:
        return self.by_type.get(kind, [])


def record_of_bundle(bundle: object, *, name: str, on: datetime.date) -> ClinicalRecord:
    """The clinical record of a FHIR R4 bundle.

    Parameters
    ----------
    bundle : object
        Parsed JSON.
    name : str
        Name of the file, for messages.
    on : date
        Day for which the age is computed (the day of death, if the patient has died before).

    Raises
    ------
    RecordError
        If it is no bundle with exactly one patient, a resource breaks R4, or a value is impossible.
    """
    read = _collect(bundle, name, on)
    patient = _one_patient(read)
    facts = {**_person(patient, read), **_observed(read)}
    pregnancy = _pregnancy(read)
    if pregnancy is not None:
        facts["pregnant"] = pregnancy
    for key, answer in facts.items():
        try:
            check_answer(key, answer.value)
        except RecordError as failure:
            raise RecordError(f"{name}: {failure}") from failure
    complete = _completeness(read)
    medicines = Listed(items=_medicines(read), complete_as_of=complete.get("medicines", ""))
    allergies, none_known = _allergies(read)
    return ClinicalRecord(
        patient_id=_patient_id(patient),
        facts={key: facts[key] for key in facts if key in record_facts()},
        complaints=_complaints(read),
        medicines=medicines,
        allergies=Listed(items=allergies, complete_as_of=complete.get("allergies", none_known)),
        conditions=Listed(items=_conditions(read), complete_as_of=complete.get("conditions", "")),
        origin="; ".join([f"FHIR bundle {name}", *read.remarks]),
    )


def _collect(bundle: object, name: str, on: datetime.date) -> _Bundle:
    if not isinstance(bundle, dict) or bundle.get("resourceType") != "Bundle":
        raise RecordError(f"{name} is not a FHIR bundle (no resourceType Bundle). Export the patient as an R4 bundle.")
    entries = bundle.get("entry") or []
    if not entries:
        raise RecordError(f"{name} is an empty bundle. Leave --record out if there is no record.")
    read = _Bundle(name, on)
    for place, entry in enumerate(entries):
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if not isinstance(resource, dict) or "resourceType" not in resource:
            raise RecordError(f"{name}, entry {place}: no resource in it. Export the bundle again.")
        kind = str(resource["resourceType"])
        if kind in _READ and _is_relevant(resource):
            _validate(kind, resource, f"{name}, entry {place}")
            read.by_type.setdefault(kind, []).append(resource)
        for key in (entry.get("fullUrl"), f"{kind}/{resource.get('id')}"):
            if key:
                read.by_reference[str(key)] = resource
    return read


_READ = {
    "Patient",
    "Observation",
    "Condition",
    "MedicationRequest",
    "MedicationStatement",
    "Medication",
    "AllergyIntolerance",
    "List",
}


def _is_relevant(resource: Mapping[str, Any]) -> bool:
    if resource["resourceType"] != "Observation":
        return True
    wanted = {PREGNANCY_STATUS_LOINC, *(code for code, _, _ in _loinc_facts())}
    return any(code in wanted for code in _loinc(resource))


def _validate(kind: str, resource: Mapping[str, Any], where: str) -> None:
    from fhir.resources.R4B import get_fhir_model_class

    try:
        get_fhir_model_class(kind).model_validate(resource)
    except ValidationError as failure:
        first = failure.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise RecordError(
            f"{where}: {kind} breaks FHIR R4 at {place}: {first['msg']}. Correct the export."
        ) from failure


def _loinc(resource: Mapping[str, Any]) -> list[str]:
    codings = (resource.get("code") or {}).get("coding") or []
    return [str(coding.get("code")) for coding in codings if coding.get("system") == LOINC]


def _loinc_facts() -> list[tuple[str, str, str]]:
    """LOINC code, fact key and fact unit of every fact that names an observation."""
    found: list[tuple[str, str, str]] = []
    for declared in record_facts().values():
        match = re.fullmatch(r"Observation LOINC (\d+-\d)", declared.fhir)
        if match:
            found.append((match[1], declared.key, declared.unit))
    return found


def _one_patient(read: _Bundle) -> Mapping[str, Any]:
    patients = read.of("Patient")
    if len(patients) != 1:
        raise RecordError(
            f"{read.name} holds {len(patients)} patients; exactly one is needed. Export one patient alone."
        )
    patient = patients[0]
    for kind, subject in (
        ("Observation", "subject"),
        ("Condition", "subject"),
        ("MedicationRequest", "subject"),
        ("MedicationStatement", "subject"),
        ("AllergyIntolerance", "patient"),
        ("List", "subject"),
    ):
        for resource in read.of(kind):
            reference = str((resource.get(subject) or {}).get("reference", ""))
            if (
                reference
                and read.by_reference.get(reference) is not patient
                and reference != f"Patient/{patient.get('id')}"
            ):
                raise RecordError(
                    f"{read.name}: {kind} {resource.get('id', '')} belongs to another patient. "
                    "Export one patient alone."
                )
    return patient


def _patient_id(patient: Mapping[str, Any]) -> str:
    """The medical record number if there is one, else the first identifier, else the resource's id."""
    identifiers = patient.get("identifier") or []
    for identifier in identifiers:
        codings = (identifier.get("type") or {}).get("coding") or []
        if any(coding.get("code") == "MR" for coding in codings) and identifier.get("value"):
            return str(identifier["value"])
    for identifier in identifiers:
        if identifier.get("value"):
            return str(identifier["value"])
    return str(patient.get("id", ""))


def _last_day(text: str, what: str) -> datetime.date:
    """The last day of a FHIR date, which may be a year, a month or a day (with or without a time)."""
    found = re.match(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?", text)
    try:
        if found is None:
            raise ValueError(text)
        year, month = int(found[1]), int(found[2] or 12)
        return datetime.date(year, month, int(found[3] or calendar.monthrange(year, month)[1]))
    except ValueError:
        raise RecordError(f"{what} {text!r} is no date. Correct the export.") from None


def _person(patient: Mapping[str, Any], read: _Bundle) -> dict[str, Answer]:
    facts: dict[str, Answer] = {}
    on = read.on
    died = patient.get("deceasedDateTime")
    if died:
        on = min(on, _last_day(str(died), f"{read.name}: date of death"))
        read.remarks.append(f"the patient died on {str(died)[:10]}; age at that day")
    elif patient.get("deceasedBoolean"):
        read.remarks.append("the patient has died")
    if died or patient.get("deceasedBoolean"):
        facts["deceased"] = Answer(value=True, when=str(died or "")[:10], source="FHIR Patient.deceased")
    born = str(patient.get("birthDate") or "")
    if len(born) == 10:
        birthday = datetime.date.fromisoformat(born)
        age_years = on.year - birthday.year - ((on.month, on.day) < (birthday.month, birthday.day))
        if birthday > on:
            raise RecordError(f"{read.name}: the birth date {born} lies after {on}. Correct the record.")
        facts["age_years"] = Answer(value=float(age_years), when=on.isoformat(), source="FHIR Patient.birthDate")
    elif born:
        read.remarks.append(f"birth date {born} is incomplete: age not computed")
    if patient.get("gender") in {"female", "male", "other"}:
        facts["sex"] = Answer(value=str(patient["gender"]), source="FHIR Patient.gender")
    return facts


def _day(resource: Mapping[str, Any]) -> str:
    for key in ("effectiveDateTime", "effectiveInstant", "issued"):
        if resource.get(key):
            return str(resource[key])
    return str((resource.get("effectivePeriod") or {}).get("start", ""))


def _latest(read: _Bundle, loinc: str) -> Mapping[str, Any] | None:
    found = [
        resource
        for resource in read.of("Observation")
        if loinc in _loinc(resource)
        and resource.get("status") in _CURRENT
        and _day(resource)[:10] <= read.on.isoformat()
    ]
    return max(found, key=_day, default=None)


def _number(read: _Bundle, resource: Mapping[str, Any], key: str, unit: str) -> float | None:
    quantity = resource.get("valueQuantity") or {}
    value = quantity.get("value", resource.get("valueInteger"))
    if value is None:
        return None
    code = str(quantity.get("code") or quantity.get("unit") or "")
    factor = _UNITS.get(unit, {}).get(code)
    if factor is None:
        read.remarks.append(f"{key} not taken: unit {code!r} is not convertible to {unit!r}")
        return None
    return float(value) * factor


def _observed(read: _Bundle) -> dict[str, Answer]:
    facts: dict[str, Answer] = {}
    for loinc, key, unit in _loinc_facts():
        resource = _latest(read, loinc)
        if resource is None or record_facts()[key].of != "answer":
            continue
        value = _number(read, resource, key, unit)
        if value is not None:
            facts[key] = Answer(value=value, when=_day(resource)[:10], source=f"FHIR Observation, LOINC {loinc}")
    return facts


def _complaints(read: _Bundle) -> tuple[Complaint, ...]:
    """One complaint with the latest pain rating; where and what kind of pain the bundle does not say."""
    for loinc, key, unit in _loinc_facts():
        resource = _latest(read, loinc) if key == "complaint.nrs" else None
        if resource is None:
            continue
        value = _number(read, resource, key, unit)
        if value is not None:
            read.remarks.append(f"pain rating of {_day(resource)[:10]}")
            return (Complaint(region=UNKNOWN, side=UNKNOWN, pattern=UNKNOWN, nrs=value, duration_weeks=UNKNOWN),)
    return ()


def _words(concept: Mapping[str, Any] | None) -> str:
    concept = concept or {}
    for coding in concept.get("coding") or []:
        if coding.get("display"):
            return str(coding["display"])
    return str(concept.get("text") or "")


def _status(resource: Mapping[str, Any], key: str) -> str:
    codings = (resource.get(key) or {}).get("coding") or [{}]
    return str(codings[0].get("code", ""))


def _is_active(resource: Mapping[str, Any]) -> bool:
    refuted = _status(resource, "verificationStatus") in {"refuted", "entered-in-error"}
    return not refuted and _status(resource, "clinicalStatus") not in {"inactive", "remission", "resolved"}


def _conditions(read: _Bundle) -> tuple[str, ...]:
    active = (_named(read, resource) for resource in read.of("Condition") if _is_active(resource))
    return tuple(dict.fromkeys(active))


def _named(read: _Bundle, resource: Mapping[str, Any]) -> str:
    """The words of an active entry; one that names nothing cannot be left out of a list that counts as complete."""
    words = _words(resource.get("code"))
    if not words:
        raise RecordError(
            f"{read.name}: {resource['resourceType']} {resource.get('id', '')} is active but names nothing. "
            "Correct the export."
        )
    return words


def _pregnancy(read: _Bundle) -> Answer | None:
    resource = _latest(read, PREGNANCY_STATUS_LOINC)
    earliest = (read.on - datetime.timedelta(weeks=number("import_checks.longest_pregnancy_weeks"))).isoformat()
    if resource is not None and _day(resource)[:10] >= earliest:
        words = _words(resource.get("valueCodeableConcept")).lower()
        source = f"FHIR Observation, LOINC {PREGNANCY_STATUS_LOINC}"
        if words in {"pregnant", "pregnancy"}:
            return Answer(value=True, when=_day(resource)[:10], source=source)
        if words == "not pregnant":
            return Answer(value=False, when=_day(resource)[:10], source=source)
    for resource in read.of("Condition"):
        codings = (resource.get("code") or {}).get("coding") or []
        is_named = any(str(coding.get("code")) in {"Z33", "Z33.1"} for coding in codings) or re.match(
            r"(normal )?pregnan(t|cy)\b", _words(resource.get("code")).lower()
        )
        onset = str(resource.get("onsetDateTime", ""))[:10]
        if is_named and _is_active(resource) and (not onset or onset >= earliest):
            return Answer(value=True, when=onset, source="FHIR Condition")
    return None


def _medicines(read: _Bundle) -> tuple[Medicine, ...]:
    found: dict[str, tuple[Medicine, ...]] = {}
    for resource in (*read.of("MedicationRequest"), *read.of("MedicationStatement")):
        if resource.get("status") not in _MAY_BE_TAKEN:
            continue
        concept = resource.get("medicationCodeableConcept")
        if concept is None:
            reference = str((resource.get("medicationReference") or {}).get("reference", ""))
            concept = read.by_reference.get(reference, {}).get("code")
        text = _words(concept)
        if not text:
            raise RecordError(
                f"{read.name}: {resource['resourceType']} {resource.get('id', '')} is active but names no medicine. "
                "Correct the export."
            )
        dosage = (resource.get("dosageInstruction") or resource.get("dosage") or [{}])[0]
        found.setdefault(text, recognised(text, dose=str(dosage.get("text", ""))))
    return tuple(medicine for medicines in found.values() for medicine in medicines)


def _allergies(read: _Bundle) -> tuple[tuple[str, ...], str]:
    """Active allergies in words, and the day on which "none known" was recorded (empty if it was not)."""
    words: list[str] = []
    none_known = ""
    for resource in read.of("AllergyIntolerance"):
        if not _is_active(resource):
            continue
        text = _named(read, resource)
        if re.match(r"no (known )?(drug )?allerg", text.lower()):
            none_known = max(none_known, str(resource.get("recordedDate", ""))[:10])
        else:
            words.append(text)
    return tuple(dict.fromkeys(words)), "" if words else none_known


def _completeness(read: _Bundle) -> dict[str, str]:
    """Day on which each list was declared complete, from FHIR List resources (snapshot, current)."""
    complete: dict[str, str] = {}
    for resource in read.of("List"):
        if resource.get("status") != "current" or resource.get("mode") != "snapshot":
            continue
        for code in _loinc(resource):
            if code in LIST_LOINC and resource.get("date"):
                key = LIST_LOINC[code]
                complete[key] = max(complete.get(key, ""), str(resource["date"])[:10])
    return complete
