"""Declared facts of a clinical record (`facts.yaml`): what may be asked, answered and named in a rule."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cache
from typing import Literal

from pydantic import TypeAdapter

from foramen.errors import KnowledgeError, RecordError
from foramen.knowledge.documents import STRICT, Document, read_document
from foramen.model.record import UNKNOWN, AnswerValue, ClinicalRecord, Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordFact:
    """One declared fact.

    `of` says where its value stands: an answer of the record, or a field of each complaint or block. `list_name`
    and `terms` name a list of the record (allergies, conditions) that answers the fact too. With `denies` false the
    list can say yes but never no: that a problem list names no acute sign does not mean that anybody asked.
    """

    __pydantic_config__ = STRICT

    key: str
    type: Literal["bool", "number", "choice"]
    label: str
    question: str
    of: Literal["answer", "complaint", "block"] = "answer"
    unit: str = ""
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    list: Literal["", "allergies", "conditions"] = ""
    terms: tuple[str, ...] = ()
    denies: bool = True
    fhir: str = ""

    def refusal(self, value: AnswerValue) -> str:
        """Why the value cannot be an answer to this fact, or an empty string if it can."""
        if self.type == "bool":
            return "" if isinstance(value, bool) else "it must be true or false"
        if self.type == "choice":
            if isinstance(value, str) and (not self.choices or value in self.choices):
                return ""
            return f"it must be one of {', '.join(self.choices)}"
        if isinstance(value, bool) or not isinstance(value, int | float):
            return f"it must be a number{f' ({self.unit})' if self.unit else ''}"
        is_low = self.low is not None and value < self.low
        is_high = self.high is not None and value > self.high
        if is_low or is_high or math.isnan(value):
            return f"it must lie between {self.low:g} and {self.high:g} {self.unit}".rstrip()
        return ""


def record_facts_of(document: Document) -> dict[str, RecordFact]:
    """The declared facts of a file by key; a wrong or repeated one raises `KnowledgeError` with its position."""
    found: dict[str, RecordFact] = {}
    entries = document.parse(TypeAdapter(tuple[RecordFact, ...]), ("record_facts",))
    for index, entry in enumerate(entries):
        path = ("record_facts", index, "key")
        if entry.key in found:
            raise document.error(path, f"The fact {entry.key!r} is declared twice.")
        if bool(entry.list) != bool(entry.terms) or (entry.list and entry.type != "bool"):
            raise document.error(path, "A list needs terms and the other way round, and the fact must be a bool.")
        if entry.type == "number" and (entry.low is None or entry.high is None):
            raise document.error(path, "A number needs low and high: what is possible at all.")
        found[entry.key] = entry
    return found


@cache
def record_facts() -> dict[str, RecordFact]:
    """Every declared fact by key."""
    return record_facts_of(read_document("facts.yaml"))


def record_fact(key: str) -> RecordFact:
    """The declared fact of that key; raises `KnowledgeError` if there is none."""
    found = record_facts().get(key)
    if found is None:
        raise KnowledgeError(f"facts.yaml declares no fact {key!r}. Add it there, or correct the spelling.")
    return found


def check_answer(key: str, value: AnswerValue) -> None:
    """Raise `RecordError` if the key is not declared or the value cannot be its answer."""
    declared = record_facts().get(key)
    if declared is None or declared.of != "answer":
        raise RecordError(f"The record answers {key!r}, which is not a declared fact. docs/record.md lists them.")
    refusal = declared.refusal(value)
    if refusal:
        raise RecordError(f"The record says {key} = {shown(value)}: {refusal}. Correct the record.")


def shown(value: object) -> str:
    """A refused value for a message; a text is not repeated, since it may be a patient's name."""
    return repr(value) if isinstance(value, bool | int | float) else "(a text)"


def answered(record: ClinicalRecord, key: str) -> tuple[AnswerValue | Unknown, str]:
    """The value of a fact in a record (UNKNOWN if nobody has said) and the words in which the record says it.

    A list of the record that was declared complete answers a bool fact too. Raises `RecordError` where the
    answer and the list contradict each other: neither may quietly win.
    """
    declared = record_fact(key)
    answer = record.facts.get(key)
    value: AnswerValue | Unknown = UNKNOWN if answer is None else answer.value
    listed, words = _listed(record, declared)
    if value is UNKNOWN:
        return listed, words
    if listed is not UNKNOWN and listed != value:
        raise RecordError(
            f"The record contradicts itself: {declared.label} ({key}) is answered {spoken(value)}, but {words}. "
            "Correct one of them."
        )
    if answer is not None:
        told = ", ".join(part for part in (answer.when, answer.source) if part)
        words = f"{declared.label}: {spoken(value, declared.unit)}{f' ({told})' if told else ''}"
    return value, words


def _listed(record: ClinicalRecord, declared: RecordFact) -> tuple[bool | Unknown, str]:
    if not declared.list:
        return UNKNOWN, f"{declared.label}: not recorded"
    items = record.allergies if declared.list == "allergies" else record.conditions
    told = [entry for entry in items.items if not entry.strip().lower().startswith(("no ", "family history"))]
    hits = [entry for entry in told if any(term in _affirmed(entry) for term in declared.terms)]
    if hits:
        return True, f"{declared.label}: yes (the list of {declared.list} has {'; '.join(hits)})"
    if items.complete_as_of and declared.denies:
        return False, f"{declared.label}: no (not in the list of {declared.list}, complete {items.complete_as_of})"
    return UNKNOWN, f"{declared.label}: not recorded"


def _affirmed(entry: str) -> str:
    """What an entry says is there: "spondylosis without myelopathy" does not say myelopathy."""
    return re.sub(r"\bwithout\b[^,;()]*", " ", entry.lower())


def spoken(value: AnswerValue | Unknown, unit: str = "") -> str:
    """A value in words."""
    if value is UNKNOWN:
        return "not recorded"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return f"{value:g} {unit}".rstrip() if unit != "1" else f"{value:g}"
    return str(value)
