"""A FHIR R4 bundle of a virtual person's story, as a hospital's export would look."""

from __future__ import annotations

from typing import Any

from foramen.anatomy.reference_body.person import Person
from foramen.io.fhir import LIST_LOINC, LOINC
from foramen.io.virtual_story import TOLD_ON, Story
from foramen.model.record import DiagnosticBlock

ICD10 = "http://hl7.org/fhir/sid/icd-10-cm"
UCUM = "http://unitsofmeasure.org"
CLINICAL_STATUS = "http://terminology.hl7.org/CodeSystem/condition-clinical"
ALLERGY_STATUS = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical"

Resource = dict[str, Any]


def bundle_of(story: Story, person: Person) -> Resource:
    """The FHIR R4 collection: Patient, Conditions, Observations, Procedures, medicines, allergies, lists."""
    own = story.patient_id
    subject = {"reference": f"Patient/{own}"}
    resources = [_patient(story, person), *_conditions(story, subject), *_observations(story, person, subject)]
    resources += [_procedure(block, i, own, subject) for i, block in enumerate(story.blocks, 1)]
    for i, (name, dose) in enumerate(story.medicines, 1):
        resources.append(
            {
                "resourceType": "MedicationStatement",
                "id": f"{own}-medicine-{i}",
                "status": "active",
                "subject": subject,
                "medicationCodeableConcept": {"text": name},
                "dosage": [{"text": dose}],
            }
        )
    resources += _allergies(story, subject)
    if story.complete_as_of:
        resources += [_list(story, code, title, subject) for code, title in LIST_LOINC.items()]
    return {
        "resourceType": "Bundle",
        "id": own,
        "type": "collection",
        "timestamp": f"{TOLD_ON.isoformat()}T12:00:00Z",
        "entry": [{"fullUrl": f"urn:foramen:{r['resourceType']}/{r['id']}", "resource": r} for r in resources],
    }


def _patient(story: Story, person: Person) -> Resource:
    return {
        "resourceType": "Patient",
        "id": story.patient_id,
        "identifier": [{"system": "urn:foramen:virtual", "value": story.patient_id}],
        "name": [{"use": "anonymous", "text": story.name, "family": "Synthetic", "given": ["Virtual"]}],
        "gender": person.sex,
        "birthDate": story.birth_date,
    }


def _conditions(story: Story, subject: Resource) -> list[Resource]:
    return [
        {
            "resourceType": "Condition",
            "id": f"{story.patient_id}-condition-{i}",
            "clinicalStatus": {"coding": [{"system": CLINICAL_STATUS, "code": "active"}]},
            "code": {"coding": [{"system": ICD10, "code": told.icd10, "display": told.words}], "text": told.words},
            "subject": subject,
            "onsetDateTime": told.onset,
        }
        for i, told in enumerate(story.conditions, 1)
    ]


def _observations(story: Story, person: Person, subject: Resource) -> list[Resource]:
    told: list[tuple[str, str, str, float, str]] = [
        ("pain", "72514-3", "Pain severity - 0-10 verbal numeric rating", story.nrs, "{score}"),
        ("weight", "29463-7", "Body weight", story.weight_kg, "kg"),
        ("height", "8302-2", "Body height", person.height_cm, "cm"),
        ("bmi", "39156-5", "Body mass index", person.bmi_kg_per_m2, "kg/m2"),
        ("odi", "", "Oswestry Disability Index", story.odi_percent, "%"),
    ]
    found = []
    for name, code, words, value, unit in told:
        concept: Resource = {"text": words}
        if code:
            concept["coding"] = [{"system": LOINC, "code": code, "display": words}]
        found.append(
            {
                "resourceType": "Observation",
                "id": f"{story.patient_id}-{name}",
                "status": "final",
                "code": concept,
                "subject": subject,
                "effectiveDateTime": TOLD_ON.isoformat(),
                "valueQuantity": {"value": value, "unit": unit, "system": UCUM, "code": unit},
            }
        )
    return found


def _procedure(block: DiagnosticBlock, place: int, own: str, subject: Resource) -> Resource:
    nerves = sorted(block.nerves) if isinstance(block.nerves, frozenset) else []
    words = (
        f"nerves: {', '.join(nerves)}; side: {block.side}; agent: {block.agent}; "
        f"relief: {block.relief_percent:g} %; concordant: {'yes' if block.is_concordant is True else 'no'}; "
        f"sedation: {'yes' if block.was_sedated is True else 'no'}; local anaesthetic only: yes"
    )
    return {
        "resourceType": "Procedure",
        "id": f"{own}-block-{place}",
        "status": "completed",
        "code": {"text": "Diagnostic block of lumbar medial branches"},
        "subject": subject,
        "performedDateTime": block.date,
        "bodySite": [{"text": f"{block.side} {' and '.join(nerves)} medial branches"}],
        "outcome": {"text": f"{block.relief_percent:g} % relief"},
        "usedCode": [{"text": str(block.agent)}],
        "note": [{"text": words}],
    }


def _allergies(story: Story, subject: Resource) -> list[Resource]:
    words = story.allergies or (("No known allergies",) if story.complete_as_of else ())
    return [
        {
            "resourceType": "AllergyIntolerance",
            "id": f"{story.patient_id}-allergy-{i}",
            "clinicalStatus": {"coding": [{"system": ALLERGY_STATUS, "code": "active"}]},
            "code": {"text": text},
            "patient": subject,
            "recordedDate": TOLD_ON.isoformat(),
        }
        for i, text in enumerate(words, 1)
    ]


def _list(story: Story, code: str, title: str, subject: Resource) -> Resource:
    return {
        "resourceType": "List",
        "id": f"{story.patient_id}-list-{title}",
        "status": "current",
        "mode": "snapshot",
        "code": {"coding": [{"system": LOINC, "code": code}]},
        "subject": subject,
        "date": story.complete_as_of,
        "title": title,
    }
