"""What the lists of a record say to a declared fact."""

from __future__ import annotations

from foramen.knowledge.record_facts import answered
from foramen.model.record import UNKNOWN, ClinicalRecord, Listed


def test_a_diagnosis_without_something_does_not_say_it() -> None:
    """ICD-10-CM M47.816 is "spondylosis without myelopathy or radiculopathy": no red flag."""
    key = "neuro.myelopathy_signs"
    plain = ClinicalRecord(
        patient_id="1", conditions=Listed(items=("Spondylosis without myelopathy or radiculopathy, lumbar region",))
    )
    assert answered(plain, key)[0] is UNKNOWN
    meant = ClinicalRecord(patient_id="1", conditions=Listed(items=("Cervical myelopathy without fracture",)))
    assert answered(meant, key)[0] is True
