"""Sourced facts by id.

Every YAML file of this package may have a top-level list ``facts``; an entry's ``id`` begins with the
file's stem (``anatomy.l5_pedicle_width_mm`` stands in ``anatomy.yaml``, ``lumbar_medial_branch_rf.oblique_deg``
in ``techniques/lumbar_medial_branch_rf.yaml``). Keys of an entry: ``id value unit low high sd population src
locator prov note``; ``src`` is one key or a list of keys of ``sources.yaml``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Annotated

from pydantic import Field, TypeAdapter

from foramen.errors import KnowledgeError
from foramen.knowledge.documents import STRICT, Document, SourceKeys, Traced, document_of_stem
from foramen.model.evidence import Fact

_Value = bool | int | float | str | tuple[float, ...] | tuple[str, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    __pydantic_config__ = STRICT

    id: str
    value: _Value
    trace: Traced
    sources: SourceKeys
    unit: str = ""
    low: float | None = None
    high: float | None = None
    sd: Annotated[float | None, Field(ge=0)] = None
    population: str = ""
    locator: str = ""
    note: str = ""


_ENTRIES = TypeAdapter(list[_Entry])


@cache
def _facts(stem: str) -> dict[str, Fact]:
    return facts_of(document_of_stem(stem), stem=stem)


def facts_of(document: Document, *, stem: str) -> dict[str, Fact]:
    """The facts of a knowledge file by id; a wrong entry raises `KnowledgeError` with its position."""
    if "facts" not in document.content:
        return {}
    listed = document.parse(_ENTRIES, ("facts",))
    entries = document.by_id(listed, "facts", stem=stem)
    for index, entry in enumerate(entries.values()):
        if entry.low is not None and entry.high is not None and entry.low > entry.high:
            raise document.error(("facts", index, "low"), f"low {entry.low} is above high {entry.high}.")
    return {entry_id: _fact(entry) for entry_id, entry in entries.items()}


def _fact(entry: _Entry) -> Fact:
    return Fact(
        id=entry.id,
        value=entry.value,
        unit=entry.unit,
        low=entry.low,
        high=entry.high,
        sd=entry.sd,
        population=entry.population,
        sources=entry.sources,
        locator=entry.locator,
        trace=entry.trace,
        note=entry.note,
    )


def fact(fact_id: str) -> Fact:
    """The fact of that id; raises `KnowledgeError` if no file declares it."""
    found = _facts(fact_id.partition(".")[0]).get(fact_id)
    if found is None:
        raise KnowledgeError(f"No knowledge file declares the fact {fact_id!r}.")
    return found


def number(fact_id: str) -> float:
    """The value of a numeric fact."""
    return fact(fact_id).number


@cache
def numbers(fact_id: str) -> tuple[float, ...]:
    """The values of a fact that lists numbers; raises `KnowledgeError` if it does not."""
    value = fact(fact_id).value
    if not isinstance(value, tuple) or any(isinstance(entry, str) for entry in value):
        raise KnowledgeError(f"The fact {fact_id!r} is not a list of numbers: {value!r}.")
    return tuple(float(entry) for entry in value)
