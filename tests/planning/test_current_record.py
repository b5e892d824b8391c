"""A record on the day of the procedure: stale lists deny nothing, the dead are not treated."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from foramen.errors import RecordError
from foramen.model.record import Answer, ClinicalRecord, Listed
from foramen.planning.current_record import current_record

ON = date(2026, 4, 14)
RECORD = ClinicalRecord(patient_id="p", allergies=Listed(items=("latex",), complete_as_of="2026-03-01"))


@pytest.mark.parametrize(
    ("complete", "kept"),
    [("2026-03-01", True), ("2025-04-20", True), ("2025-03-01", False), ("1996-01-01", False), ("2036-01-01", False)],
)
def test_a_list_denies_only_for_a_time_and_never_before_its_day(complete: str, kept: bool) -> None:
    record = replace(RECORD, allergies=replace(RECORD.allergies, complete_as_of=complete))
    found = current_record(record, on=ON, list_valid_months=12).allergies
    assert found.items == ("latex",)
    assert found.complete_as_of == (complete if kept else "")


def test_nothing_is_planned_for_a_patient_who_has_died() -> None:
    dead = replace(RECORD, facts={"deceased": Answer(value=True)})
    with pytest.raises(RecordError, match="has died"):
        current_record(dead, on=ON, list_valid_months=12)
