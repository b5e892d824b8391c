"""A clinical record from a small YAML file (docs/record.md) or, by `fhir`, from a FHIR bundle."""

from __future__ import annotations

import datetime
import gzip
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BeforeValidator, Field, TypeAdapter

from foramen.errors import ForamenError, KnowledgeError, RecordError
from foramen.io.dataclass_json import from_data, to_data
from foramen.io.medicine_names import recognised
from foramen.knowledge.documents import STRICT, Document, parse_document
from foramen.knowledge.record_facts import check_answer, record_facts, shown
from foramen.model.levels import Root
from foramen.model.record import (
    UNKNOWN,
    Answer,
    BlockKind,
    ClinicalRecord,
    Complaint,
    DiagnosticBlock,
    Listed,
    Medicine,
    Unknown,
)

Item = TypeVar("Item")


def _as_iso_date(value: object) -> object:
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return value.isoformat()
    if isinstance(value, str) and value:
        return datetime.date.fromisoformat(value).isoformat()
    return value


IsoDate = Annotated[str, BeforeValidator(_as_iso_date)]
"""A day such as 2026-03-01; empty if not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    __pydantic_config__ = STRICT
    value: bool | float | str
    when: IsoDate = ""
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Complaint:
    __pydantic_config__ = STRICT
    region: str | None = None
    side: str | None = None
    pattern: str | None = None
    nrs: float | None = None
    duration_weeks: float | None = None
    dermatome: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Block:
    __pydantic_config__ = STRICT
    date: IsoDate
    kind: BlockKind
    nerves: tuple[str, ...] | None = None
    side: str | None = None
    agent: str | None = None
    relief_percent: float | None = None
    is_concordant: bool | None = None
    was_sedated: bool | None = None
    local_anaesthetic_only: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Medicine:
    __pydantic_config__ = STRICT
    text: Annotated[str, Field(min_length=1)]
    dose: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Blocks:
    __pydantic_config__ = STRICT
    items: tuple[_Block, ...] = ()
    complete_as_of: IsoDate = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Medicines:
    __pydantic_config__ = STRICT
    items: tuple[str | _Medicine, ...] = ()
    complete_as_of: IsoDate = ""


def _quoted(value: object) -> object:
    """The identifier as written; YAML reads an unquoted 00123 as the number 83, which would be another patient."""
    if not isinstance(value, str):
        raise ValueError("write the patient_id between quotes, or its leading zeros are lost")
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class _Texts:
    __pydantic_config__ = STRICT
    items: tuple[str, ...] = ()
    complete_as_of: IsoDate = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    __pydantic_config__ = STRICT
    patient_id: Annotated[str, BeforeValidator(_quoted), Field(min_length=1)]
    recorded_on: IsoDate = ""
    source: str = ""
    facts: dict[str, _Answer | bool | float | str] = Field(default_factory=dict)
    complaints: tuple[_Complaint, ...] = ()
    blocks: _Blocks = Field(default_factory=_Blocks)
    medicines: _Medicines = Field(default_factory=_Medicines)
    allergies: _Texts = Field(default_factory=_Texts)
    conditions: _Texts = Field(default_factory=_Texts)


_PARSER = TypeAdapter(_File)


def read_record(path: Path, *, on: datetime.date | None = None) -> ClinicalRecord:
    """The clinical record of a YAML file or a FHIR R4 bundle (``.json``, ``.json.gz``).

    Parameters
    ----------
    path : Path
        The file.
    on : date, optional
        Day for which an age is computed from a birth date; today if not given.

    Raises
    ------
    RecordError
        If the file is empty, damaged, names an undeclared fact or an impossible value, or holds several
        patients. The message names the place.
    """
    text = _text(path)
    if path.name.endswith((".json", ".json.gz")):
        from foramen.io.fhir import record_of_bundle

        try:
            bundle = json.loads(text)
        except RecursionError as failure:
            raise RecordError(f"{path} is nested too deeply to be a FHIR bundle. Export it again.") from failure
        except json.JSONDecodeError as failure:
            raise RecordError(
                f"{path}, line {failure.lineno}: not valid JSON ({failure.msg}). Export it again."
            ) from failure
        return record_of_bundle(bundle, name=path.name, on=on or datetime.date.today())
    return parse_record(text, name=path.name)


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
        if path.name.endswith(".gz"):
            content = gzip.decompress(content)
        text = content.decode("utf-8")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as failure:
        raise RecordError(f"The record {path} cannot be read ({failure}). Give a readable file.") from failure
    if not text.strip():
        raise RecordError(
            f"The record {path} is empty. Leave --record out if there is none, or write at least patient_id."
        )
    return text


def parse_record(text: str, *, name: str) -> ClinicalRecord:
    """The clinical record of a YAML text; raises `RecordError` with line and column."""
    try:
        document = parse_document(text, name=name)
        file = document.parse(_PARSER, is_private=True)
        return ClinicalRecord(
            patient_id=file.patient_id,
            facts=_answers(file, document),
            complaints=tuple(_complaint(c, i, document) for i, c in enumerate(file.complaints)),
            blocks=Listed(
                items=tuple(_block(b, i, document) for i, b in enumerate(file.blocks.items)),
                complete_as_of=file.blocks.complete_as_of,
            ),
            medicines=Listed(items=_medicines(file.medicines.items), complete_as_of=file.medicines.complete_as_of),
            allergies=Listed(items=file.allergies.items, complete_as_of=file.allergies.complete_as_of),
            conditions=Listed(items=file.conditions.items, complete_as_of=file.conditions.complete_as_of),
            origin=f"{name}{f', {file.source}' if file.source else ''}",
        )
    except KnowledgeError as failure:
        raise RecordError(str(failure)) from failure
    except ValueError as failure:  # YAML refuses a day such as 2026-13-01 in this way
        raise RecordError(f"{name}: a date or number in it is impossible ({failure}). Correct the record.") from failure


def _answers(file: _File, document: Document) -> dict[str, Answer]:
    answers: dict[str, Answer] = {}
    for key, given in file.facts.items():
        answer = given if isinstance(given, _Answer) else _Answer(value=given)
        try:
            check_answer(key, answer.value)
        except RecordError as failure:
            raise document.error(("facts", key), str(failure)) from failure
        answers[key] = Answer(
            value=answer.value, when=answer.when or file.recorded_on, source=answer.source or file.source
        )
    return answers


def _checked(value: Any, key: str, path: Sequence[str | int], document: Document) -> Any:
    """The value, or UNKNOWN for None; raises unless the declared fact allows it."""
    if value is None:
        return UNKNOWN
    declared = record_facts().get(key)
    refusal = declared.refusal(value) if declared is not None else ""
    if refusal:
        raise document.error(path, f"{key} = {shown(value)}: {refusal}.")
    return value


def _complaint(given: _Complaint, place: int, document: Document) -> Complaint:
    def checked(field: str) -> Any:
        return _checked(getattr(given, field), f"complaint.{field}", ("complaints", place, field), document)

    return Complaint(
        region=checked("region"),
        side=checked("side"),
        pattern=checked("pattern"),
        nrs=checked("nrs"),
        duration_weeks=checked("duration_weeks"),
        dermatome=checked("dermatome"),
    )


def _block(given: _Block, place: int, document: Document) -> DiagnosticBlock:
    path = ("blocks", "items", place)

    def checked(field: str) -> Any:
        return _checked(getattr(given, field), f"block.{field}", (*path, field), document)

    nerves: frozenset[str] | Unknown = UNKNOWN
    if given.nerves is not None:
        try:
            nerves = frozenset(Root(nerve).name for nerve in given.nerves)
        except ForamenError as failure:
            raise document.error(
                (*path, "nerves"), f"{failure} For a medial branch write its root, such as L3."
            ) from failure
    return DiagnosticBlock(
        date=given.date,
        kind=given.kind,
        nerves=nerves,
        side=checked("side"),
        agent=UNKNOWN if given.agent is None else given.agent,
        relief_percent=checked("relief_percent"),
        is_concordant=checked("is_concordant"),
        was_sedated=checked("was_sedated"),
        local_anaesthetic_only=checked("local_anaesthetic_only"),
    )


def _medicines(given: tuple[str | _Medicine, ...]) -> tuple[Medicine, ...]:
    found: list[Medicine] = []
    for medicine in given:
        if isinstance(medicine, str):
            found += recognised(medicine)
        else:
            found += recognised(medicine.text, dose=medicine.dose)
    return tuple(found)


def require_same_patient(record: ClinicalRecord, patient_id: str) -> None:
    """Raise `RecordError` if record and scan name different patients (empty = not named)."""
    if record.patient_id and patient_id and record.patient_id != patient_id:
        raise RecordError(
            "The record and the scan belong to different patients: their patient identifiers differ. "
            "Give the record of the patient who was scanned."
        )


def record_to_json(record: ClinicalRecord) -> str:
    """The record as the JSON text of a case folder."""
    data = {"schema": {"name": "foramen-record", "version": "1.0"}, "record": to_data(record)}
    return json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def record_from_json(text: str, *, name: str) -> ClinicalRecord:
    """The record of a case folder's JSON text; raises `CaseError` or `RecordError`."""
    try:
        data = json.loads(text)
        content = data["record"]
    except (json.JSONDecodeError, KeyError, TypeError) as failure:
        raise RecordError(f"{name} is damaged ({failure}). Import the case again.") from failure
    return from_data(ClinicalRecord, content, path="record")
