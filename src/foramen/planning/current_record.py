"""A record as it can be believed on the day of the procedure."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TypeVar

from foramen.errors import RecordError
from foramen.model.record import ClinicalRecord, Listed

Item = TypeVar("Item")


def current_record(record: ClinicalRecord, *, on: date, list_valid_months: float) -> ClinicalRecord:
    """The record with every list that is too old, or dated after the day, no longer taken for complete.

    What such a list names still holds; what it does not name is UNKNOWN again.

    Raises
    ------
    RecordError
        If the record says that the patient has died, or a date in it is no date.
    """
    if record.value("deceased") is True:
        raise RecordError(
            "The record says that the patient has died: no procedure is planned. Is it the right patient?"
        )

    def current(listed: Listed[Item]) -> Listed[Item]:
        if not listed.complete_as_of:
            return listed
        try:
            told = date.fromisoformat(listed.complete_as_of[:10])
        except ValueError:
            raise RecordError(f"A list is complete as of {listed.complete_as_of!r}, which is no date.") from None
        months = 12 * (on.year - told.year) + on.month - told.month - (on.day < told.day)  # whole months
        return listed if told <= on and months < list_valid_months else replace(listed, complete_as_of="")

    return replace(
        record,
        medicines=current(record.medicines),
        allergies=current(record.allergies),
        conditions=current(record.conditions),
    )
