"""Medicines around procedures (`drugs.yaml`)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from foramen.errors import KnowledgeError
from foramen.knowledge.documents import STRICT, Document, SourceKeys, Traced, read_document

BleedingLevel = Literal["low", "intermediate", "high"]
Hold = Annotated[float, Field(gt=0)] | Literal["shared", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drug:
    """One medicine or group, its names, and the interval to discuss by bleeding class of the procedure.

    `hold_h` is hours between last dose and needle, "shared" (shared decision without an interval) or "none" (no
    routine hold); `restart_h` hours after the procedure.
    """

    __pydantic_config__ = STRICT

    id: str
    drug_class: Annotated[str, Field(validation_alias="class")]
    antithrombotic: bool
    names: tuple[str, ...]
    hold_h: dict[BleedingLevel, Hold]
    sources: SourceKeys
    trace: Traced
    restart_h: dict[BleedingLevel, float] | None = None
    note: str = ""


def drugs_of(document: Document) -> dict[str, Drug]:
    """The medicines of a file by id; a wrong or repeated entry raises `KnowledgeError` with its position."""
    found: dict[str, Drug] = {}
    names: dict[str, str] = {}
    entries = document.parse(TypeAdapter(tuple[Drug, ...]), ("drugs",))
    for index, entry in enumerate(entries):
        if entry.id in found:
            raise document.error(("drugs", index, "id"), f"The id {entry.id!r} is used twice.")
        for name in entry.names:
            if name in names:
                raise document.error(("drugs", index, "names"), f"{name!r} also names {names[name]!r}.")
            names[name] = entry.id
        if set(entry.hold_h) != {"low", "intermediate", "high"}:
            raise document.error(("drugs", index, "hold_h"), "Say low, intermediate and high.")
        found[entry.id] = entry
    return found


@cache
def drugs() -> dict[str, Drug]:
    """Every medicine of the table by id."""
    return drugs_of(read_document("drugs.yaml"))


def drug(drug_id: str) -> Drug:
    """The medicine of that id; raises `KnowledgeError` if the table does not have it."""
    found = drugs().get(drug_id)
    if found is None:
        raise KnowledgeError(f"drugs.yaml has no medicine {drug_id!r}.")
    return found


def recognised(text: str) -> tuple[str, ...]:
    """Ids of the medicines named in a text, such as ``Eliquis 5 mg``; empty if the table knows none of its words.

    Every name is looked for, so that a combination product names all its parts it has in the table. Of names that
    contain each other the longest counts ("heparin infusion" is not "heparin").
    """
    wanted = text.lower()
    hits: dict[str, str] = {}
    for entry in drugs().values():
        for name in entry.names:
            if re.search(rf"(?<![a-z0-9]){re.escape(name)}(?![a-z])", wanted):
                hits[name] = entry.id
    longest = [name for name in hits if not any(name != other and name in other for other in hits)]
    return tuple(dict.fromkeys(hits[name] for name in longest))
