"""Pairs of answers that cannot both be right (`contradictions.yaml`); a record that holds one is refused."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from pydantic import TypeAdapter

from foramen.errors import RecordError
from foramen.knowledge.documents import STRICT, Document, read_document
from foramen.knowledge.judging import compare
from foramen.knowledge.record_facts import answered, record_fact
from foramen.knowledge.rules import Operator
from foramen.knowledge.technique_facts import Statement
from foramen.model.record import UNKNOWN, AnswerValue, ClinicalRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One answer: a fact of the record, compared with a value."""

    __pydantic_config__ = STRICT

    fact: str
    value: AnswerValue
    op: Operator = "=="


@dataclass(frozen=True, slots=True, kw_only=True)
class Contradiction(Statement):
    """Two answers of which one must be wrong."""

    __pydantic_config__ = STRICT

    id: str
    text: str
    first: Told
    second: Told


def contradictions_of(document: Document) -> tuple[Contradiction, ...]:
    """The contradictions of a file; one that names an undeclared fact raises `KnowledgeError`."""
    found = document.parse(TypeAdapter(tuple[Contradiction, ...]), ("contradictions",))
    for entry in found:
        for told in (entry.first, entry.second):
            record_fact(told.fact)
    return found


@cache
def contradictions() -> tuple[Contradiction, ...]:
    """Every contradiction that is looked for."""
    return contradictions_of(read_document("contradictions.yaml"))


def require_consistent(record: ClinicalRecord) -> None:
    """Raise `RecordError` if a record says two things that cannot both be right."""
    for entry in contradictions():
        told = [(answered(record, part.fact), part) for part in (entry.first, entry.second)]
        if all(value is not UNKNOWN and compare(part.op, value, part.value) for (value, _), part in told):
            words = "; ".join(words for (_, words), _ in told)
            raise RecordError(f"The record contradicts itself: {entry.text} ({words}). Correct one of them.")
