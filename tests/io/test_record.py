"""Records: what is said is kept with its date, what is not said stays UNKNOWN, what is impossible is refused."""

from __future__ import annotations

import datetime
import json
from pathlib import Path

import pytest

from foramen.errors import RecordError
from foramen.io.fhir import record_of_bundle
from foramen.io.record import parse_record, read_record, record_from_json, record_to_json, require_same_patient
from foramen.model.record import UNKNOWN, BlockKind, ClinicalRecord

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "record_facet.yaml"
ON = datetime.date(2026, 4, 1)


def test_example_record_is_read() -> None:
    record = read_record(EXAMPLE)
    assert record.value("age_years") == 58
    assert record.value("neuro.cauda_equina") is False
    assert record.value("bmi") is UNKNOWN
    assert record.facts["renal.egfr_ml_min"].when == "2026-03-02"
    assert record.facts["age_years"].when == "2026-03-16"
    first = record.blocks.items[0]
    assert (first.kind, first.nerves, first.side) == (BlockKind.MEDIAL_BRANCH, frozenset({"L3", "L4", "L5"}), "left")
    assert record.blocks.complete_as_of == "2026-03-16"
    assert {m.text for m in record.medicines.items} == {"aspirin", "ibuprofen", "lisinopril"}


def test_stored_record_is_the_same() -> None:
    record = read_record(EXAMPLE)
    assert record_from_json(record_to_json(record), name="x") == record
    sparse = parse_record(
        "patient_id: '7'\ncomplaints: [{nrs: 3}]\nblocks: {items: [{date: 2026-01-02, kind: other}]}", name="r"
    )
    assert record_from_json(record_to_json(sparse), name="x") == sparse
    assert sparse.complaints[0].region is UNKNOWN
    assert sparse.blocks.items[0].nerves is UNKNOWN
    assert sparse.blocks.complete_as_of == ""


def test_an_identifier_without_quotes_is_refused_since_it_may_be_another_patient_s() -> None:
    with pytest.raises(RecordError, match="between quotes"):
        parse_record("patient_id: 00123\n", name="r")  # YAML reads 83
    assert parse_record("patient_id: '00123'\n", name="r").patient_id == "00123"


def test_a_record_that_says_nothing_is_unknown_throughout() -> None:
    record = parse_record("patient_id: A-1\n", name="r.yaml")
    assert record.facts == {}
    assert record.medicines.complete_as_of == ""
    assert record.value("pregnant") is UNKNOWN


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty|mapping"),
        ("- 1\n", "mapping"),
        ("{}", "Field required"),
        ("patient_id: x\nage: 4\n", r"line 2, column 6 .*age.*(not permitted|Unexpected)"),
        ("patient_id: x\nfacts:\n  age: 4\n", r"line 3, column 8 \(facts\.age\).*not a declared fact"),
        ("patient_id: x\nfacts: {age_years: 158}\n", "between 0 and 120"),
        ("patient_id: x\nfacts: {age_years: -3}\n", "between 0 and 120"),
        ("patient_id: x\nfacts: {age_years: old}\n", "must be a number"),
        ("patient_id: x\nfacts: {pregnant: 3}\n", "true or false"),
        ("patient_id: x\nfacts: {device.cied: radio}\n", "one of none, pacemaker, icd"),
        ("patient_id: x\nfacts: {block.side: left}\n", "not a declared fact"),
        ("patient_id: x\ncomplaints: [{nrs: 11}]\n", "between 0 and 10"),
        ("patient_id: x\ncomplaints: [{region: foot}]\n", "one of cervical"),
        ("patient_id: x\nblocks: {items: [{date: 2026-02-30, kind: other}]}\n", "impossible"),
        ("patient_id: x\nblocks: {items: [{date: 2026-02-03, kind: facet}]}\n", "kind"),
        ("patient_id: x\nblocks: {items: [{date: 2026-02-03, kind: other, nerves: [L9]}]}\n", "not a nerve root"),
        ("patient_id: x\nblocks: {items: [{date: 2026-02-03, kind: other, side: both}]}\n", "one of left, right"),
        (
            "patient_id: x\nblocks: {items: [{date: 2026-02-03, kind: other, relief_percent: 120}]}\n",
            "between 0 and 100",
        ),
        ("patient_id: x\npatient_id: y\n", "repeated"),
        ("patient_id: [\n", "line 2"),
    ],
)
def test_impossible_records_name_the_place(text: str, message: str) -> None:
    with pytest.raises(RecordError, match=message):
        parse_record(text, name="r.yaml")


def test_empty_and_unreadable_files(tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text("  \n")
    with pytest.raises(RecordError, match="is empty"):
        read_record(tmp_path / "r.yaml")
    with pytest.raises(RecordError, match="cannot be read"):
        read_record(tmp_path / "absent.yaml")
    (tmp_path / "r.json").write_text("{")
    with pytest.raises(RecordError, match="not valid JSON"):
        read_record(tmp_path / "r.json")
    (tmp_path / "r.json.gz").write_bytes(b"no gzip")
    with pytest.raises(RecordError, match="cannot be read"):
        read_record(tmp_path / "r.json.gz")


def test_unknown_medicines_keep_their_text() -> None:
    record = parse_record(
        "patient_id: x\nmedicines: {items: [zorblaxin 5 mg, {text: Apixaban, dose: 5 mg twice}]}\n", name="r.yaml"
    )
    unknown, known = record.medicines.items
    assert (unknown.text, unknown.drug) == ("zorblaxin 5 mg", "")
    assert known.drug == "apixaban"
    assert known.dose == "5 mg twice"


def test_another_patients_record_is_refused_without_printing_identifiers() -> None:
    record = ClinicalRecord(patient_id="SECRET-1")
    require_same_patient(record, "SECRET-1")
    require_same_patient(record, "")
    with pytest.raises(RecordError, match="different patients") as caught:
        require_same_patient(record, "SECRET-2")
    assert "SECRET" not in str(caught.value)


def bundle(*resources: dict[str, object], birth_date: str = "1967-06-30", **patient: object) -> dict[str, object]:
    person = {
        "resourceType": "Patient",
        "id": "p1",
        "identifier": [{"value": "other"}, {"type": {"coding": [{"code": "MR"}]}, "value": "MRN-5"}],
        "gender": "female",
        "birthDate": birth_date,
        **patient,
    }
    entries = [{"fullUrl": "urn:uuid:p1", "resource": person}]
    entries += [{"fullUrl": f"urn:uuid:{i}", "resource": r} for i, r in enumerate(resources)]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def observation(loinc: str, day: str, value: float, unit: str, **more: object) -> dict[str, object]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": loinc}]},
        "subject": {"reference": "urn:uuid:p1"},
        "effectiveDateTime": day,
        "valueQuantity": {"value": value, "code": unit, "system": "http://unitsofmeasure.org"},
        **more,
    }


def coded(kind: str, text: str, subject: str = "subject", status: str = "active", **more: object) -> dict[str, object]:
    return {
        "resourceType": kind,
        "code": {"text": text},
        subject: {"reference": "Patient/p1"},
        "clinicalStatus": {"coding": [{"code": status}]},
        **more,
    }


def read(content: dict[str, object]) -> ClinicalRecord:
    return record_of_bundle(json.loads(json.dumps(content)), name="b.json", on=ON)


def test_bundle_gives_what_it_says_and_nothing_more() -> None:
    medicine = {
        "resourceType": "MedicationRequest",
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": {"text": "Apixaban 5 MG Oral Tablet"},
        "subject": {"reference": "urn:uuid:p1"},
        "dosageInstruction": [{"text": "twice a day"}],
    }
    record = read(
        bundle(
            observation("72514-3", "2026-01-05", 4, "{score}"),
            observation("72514-3", "2026-03-05", 7, "{score}"),
            observation("72514-3", "2027-03-05", 1, "{score}"),  # after the day asked for
            observation("72514-3", "2026-03-20", 2, "{score}", status="entered-in-error"),
            observation("29463-7", "2026-03-05", 160, "[lb_av]"),
            observation("6301-6", "2026-03-05", 2.4, "furlong"),
            coded("Condition", "Atrial fibrillation"),
            coded("Condition", "Measles", status="resolved"),
            coded("AllergyIntolerance", "Iodinated contrast", subject="patient"),
            medicine,
            {**medicine, "status": "stopped", "medicationCodeableConcept": {"text": "Warfarin"}},
        )
    )
    assert record.patient_id == "MRN-5"
    assert record.value("age_years") == 58  # turns 59 on 30 June 2026
    assert record.value("sex") == "female"
    assert record.complaints[0].nrs == 7
    assert record.complaints[0].region is UNKNOWN
    assert record.value("weight_kg") == pytest.approx(160 * 0.45359237)
    assert record.value("coagulation.inr") is UNKNOWN
    assert "coagulation.inr not taken" in record.origin
    assert record.value("pregnant") is UNKNOWN
    assert record.conditions.items == ("Atrial fibrillation",)
    assert [(m.text, m.drug, m.dose) for m in record.medicines.items] == [
        ("Apixaban 5 MG Oral Tablet", "apixaban", "twice a day")
    ]
    assert record.allergies.items == ("Iodinated contrast",)
    assert (record.medicines.complete_as_of, record.allergies.complete_as_of, record.blocks.complete_as_of) == (
        "",
        "",
        "",
    )


def test_lists_are_complete_only_when_the_bundle_says_so() -> None:
    listing = {
        "resourceType": "List",
        "status": "current",
        "mode": "snapshot",
        "code": {"coding": [{"system": "http://loinc.org", "code": "10160-0"}]},
        "date": "2026-03-20T10:00:00Z",
    }
    none_known = coded("AllergyIntolerance", "No known allergies", subject="patient", recordedDate="2026-02-01")
    record = read(bundle(listing, none_known))
    assert record.medicines.complete_as_of == "2026-03-20"
    assert record.allergies.complete_as_of == "2026-02-01"
    assert record.allergies.items == ()
    assert record.conditions.complete_as_of == ""
    both = read(bundle(none_known, coded("AllergyIntolerance", "Latex", subject="patient")))
    assert both.allergies.complete_as_of == "", "a list that contradicts itself is not complete"


LISTING = {
    "resourceType": "List",
    "status": "current",
    "mode": "snapshot",
    "code": {"coding": [{"system": "http://loinc.org", "code": "48765-2"}]},
    "date": "2026-03-20T10:00:00Z",
}


def without(resource: dict[str, object], *keys: str) -> dict[str, object]:
    return {key: value for key, value in resource.items() if key not in keys}


def test_what_may_hold_is_never_dropped_beside_a_list_that_counts_as_complete() -> None:
    allergy = without(coded("AllergyIntolerance", "Lidocaine", subject="patient"), "clinicalStatus")
    condition = without(coded("Condition", "Sepsis"), "clinicalStatus")
    taken = {
        "resourceType": "MedicationStatement",
        "status": "active",
        "medicationCodeableConcept": {"text": "Warfarin"},
        "subject": {"reference": "urn:uuid:p1"},
    }
    asked = {**taken, "resourceType": "MedicationRequest", "status": "unknown", "intent": "order"}
    asked["medicationCodeableConcept"] = {"text": "Apixaban"}
    record = read(bundle(LISTING, allergy, condition, taken, asked))
    assert record.allergies.complete_as_of == "2026-03-20"
    assert record.allergies.items == ("Lidocaine",)
    assert record.conditions.items == ("Sepsis",)
    assert {medicine.drug for medicine in record.medicines.items} == {"warfarin", "apixaban"}
    nameless = coded("AllergyIntolerance", "", subject="patient")
    with pytest.raises(RecordError, match="names nothing"):
        read(bundle(LISTING, {**nameless, "code": {"coding": []}}))


def test_the_list_of_another_patient_completes_nothing() -> None:
    with pytest.raises(RecordError, match="belongs to another patient"):
        read(bundle({**LISTING, "subject": {"reference": "Patient/somebody-else"}}))


@pytest.mark.parametrize(("died", "age_years"), [("2025", 58), ("2013-09", 46), ("2013-09-04T10:00:00Z", 46)])
def test_a_death_is_recorded_whatever_the_precision_of_its_date(died: str, age_years: int) -> None:
    content = bundle()
    content["entry"][0]["resource"]["deceasedDateTime"] = died  # type: ignore[index]
    record = read(content)
    assert record.value("deceased") is True
    assert record.value("age_years") == age_years  # born on 30 June 1967


def test_pregnancy_is_taken_only_while_it_can_last() -> None:
    pregnant = coded("Condition", "Normal pregnancy", onsetDateTime="2026-01-10")
    assert read(bundle(pregnant)).value("pregnant") is True
    assert read(bundle({**pregnant, "onsetDateTime": "2021-01-10"})).value("pregnant") is UNKNOWN
    status = observation("82810-3", "2026-03-28", 0, "1")
    del status["valueQuantity"]
    status["valueCodeableConcept"] = {"text": "Not pregnant"}
    assert read(bundle(status)).value("pregnant") is False


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "not a FHIR bundle"),
        ({"resourceType": "Patient"}, "not a FHIR bundle"),
        ({"resourceType": "Bundle", "type": "collection", "entry": []}, "empty bundle"),
        (bundle(birth_date="1867-06-30"), "between 0 and 120"),
        (bundle(birth_date="2031-06-30"), "lies after"),
        (bundle(birth_date="yesterday"), "breaks FHIR R4 at birthDate"),
        (bundle(observation("72514-3", "2026-01-05", 17, "{score}")), "outside 0 to 10"),
        (bundle(observation("39156-5", "2026-01-05", 900, "kg/m2")), "between 8 and 120"),
        (bundle(coded("Condition", "x") | {"subject": {"reference": "Patient/p2"}}), "belongs to another patient"),
        (bundle({"resourceType": "Patient", "id": "p2"}), "holds 2 patients"),
        (bundle({"resourceType": "Condition", "code": {"text": "x"}}), "Condition breaks FHIR R4"),
    ],
)
def test_impossible_bundles(content: object, message: str) -> None:
    with pytest.raises(RecordError, match=message):
        record_of_bundle(content, name="b.json", on=ON)


@pytest.mark.data
def test_real_bundles(data_folder: Path) -> None:
    paths = sorted((data_folder / "fhir").glob("*.json.gz"))
    assert paths
    for path in paths[:3]:
        record = read_record(path, on=ON)
        age = record.value("age_years")
        assert isinstance(age, float)
        assert 0 <= age < 70  # born between 1961 and 2014 by their files
        assert record.patient_id
        assert isinstance(record.complaints[0].nrs, float)
        assert record.medicines.complete_as_of == ""
        assert record_from_json(record_to_json(record), name="x") == record
