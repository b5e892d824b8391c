"""What is wrong, unverified or contradictory in the knowledge files (`foramen knowledge check`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from foramen.errors import KnowledgeError
from foramen.knowledge.contradictions import contradictions_of
from foramen.knowledge.devices import devices_of_document
from foramen.knowledge.documents import (
    STRICT,
    Document,
    Path,
    SourceKeys,
    Traced,
    document_names,
    knowledge_sha256,
    read_document,
)
from foramen.knowledge.drawings import drawings_of
from foramen.knowledge.drugs import drugs_of
from foramen.knowledge.facts import facts_of
from foramen.knowledge.record_facts import record_facts_of
from foramen.knowledge.sources import citations
from foramen.knowledge.technique_facts import technique_knowledge_of
from foramen.model.evidence import Trace

__all__ = ["Conflict", "Finding", "FindingKind", "check_document", "check_knowledge", "conflicts", "knowledge_sha256"]

UNITS = frozenset(
    {
        *("", "1", "%", "G"),
        *("years", "months", "weeks", "h", "min", "s", "ms", "1/s", "Hz"),
        *("mm", "mm2", "mm3", "deg", "1/mm", "1/deg"),
        *("degC", "K", "1/K", "HU", "HU/years"),
        *("V", "A", "W", "W/K", "ohm", "S/m"),
        *("kg", "mg", "mL", "mg/kg", "kg/m2", "m2/kg", "kg/m3", "1e9/L"),
        *("W/(m K)", "W/(m2 K)", "J/(kg K)", "J/(m3 K)", "J/mol", "J/kg", "mL/(min kg)", "mL/min/1.73m2"),
        *("m/s", "Np/m"),
    }
)
"""Units that a fact may have; an empty unit belongs to words."""


class FindingKind(StrEnum):
    """What a finding is about; only an error makes the check fail."""

    ERROR = "error"
    UNVERIFIED = "unverified"
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One finding with its place: file, line and column (0 where a whole file is meant)."""

    kind: FindingKind
    file: str
    line: int
    column: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Saying:
    """What one source says in a conflict."""

    __pydantic_config__ = STRICT
    text: str
    sources: SourceKeys
    trace: Traced


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """Sources that contradict each other, and which is followed and why."""

    __pydantic_config__ = STRICT
    id: str
    about: str
    says: tuple[Saying, ...]
    followed: str


def conflicts_of(document: Document) -> tuple[Conflict, ...]:
    """The conflicts of a file; a wrong or repeated entry raises `KnowledgeError` with its position."""
    found = document.parse(TypeAdapter(tuple[Conflict, ...]), ("conflicts",))
    for index, entry in enumerate(found):
        if entry.id in [other.id for other in found[:index]]:
            raise document.error(("conflicts", index, "id"), f"The id {entry.id!r} is used twice.")
        if len(entry.says) < 2:
            raise document.error(("conflicts", index, "says"), "A conflict needs at least two statements.")
    return found


@cache
def conflicts() -> tuple[Conflict, ...]:
    """Every conflict between sources that is known."""
    return conflicts_of(read_document("conflicts.yaml"))


_LOADERS: dict[str, Callable[[Document], object]] = {
    "facts.yaml": record_facts_of,
    "devices.yaml": devices_of_document,
    "drugs.yaml": drugs_of,
    "conflicts.yaml": conflicts_of,
    "contradictions.yaml": contradictions_of,
}


def check_knowledge() -> tuple[Finding, ...]:
    """Every finding in every knowledge file: errors first, then conflicts, then what is unverified."""
    findings = [finding for name in document_names() for finding in _check_file(name)]
    order = (FindingKind.ERROR, FindingKind.CONFLICT, FindingKind.UNVERIFIED)
    return tuple(sorted(findings, key=lambda finding: (order.index(finding.kind), finding.file, finding.line)))


def _check_file(name: str) -> Iterator[Finding]:
    try:
        document = read_document(name)
    except KnowledgeError as failure:
        yield Finding(kind=FindingKind.ERROR, file=name, line=0, column=0, text=str(failure))
        return
    yield from check_document(document)


def check_document(document: Document) -> Iterator[Finding]:
    """The findings of one file: its schema, its citations and units, what is unverified, and conflicts."""
    stem = document.name.rpartition("/")[2].removesuffix(".yaml")
    loaders: list[Callable[[Document], object]] = [
        lambda d: facts_of(d, stem=stem),
        lambda d: drawings_of(d, stem=stem),
    ]
    if document.name.startswith("techniques/"):
        loaders.append(technique_knowledge_of)
    if document.name in _LOADERS:
        loaders.append(_LOADERS[document.name])
    for load in loaders:
        try:
            load(document)
        except KnowledgeError as failure:
            yield Finding(kind=FindingKind.ERROR, file=document.name, line=0, column=0, text=str(failure))
    for path, entry in _entries(document.content):
        yield from _check_entry(document, path, entry)
    for index, conflict in enumerate(document.content.get("conflicts", ())):
        text = f"{conflict.get('about')} Followed: {conflict.get('followed')}"
        yield _finding(document, ("conflicts", index), FindingKind.CONFLICT, text)


def _entries(content: Any, path: Path = ()) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Every mapping of a file that states something: it has a source, a provenance or a value with a unit."""
    if isinstance(content, dict):
        if content.keys() & {"src", "prov"} or {"id", "value"} <= content.keys():
            yield path, content
        for key, value in content.items():
            yield from _entries(value, (*path, key))
    elif isinstance(content, list):
        for index, value in enumerate(content):
            yield from _entries(value, (*path, index))


def _check_entry(document: Document, path: Path, entry: dict[str, Any]) -> Iterator[Finding]:
    keys = entry.get("src", [])
    keys = [keys] if isinstance(keys, str) else list(keys)
    trace = entry.get("prov")
    name = str(entry.get("id") or entry.get("text") or ".".join(map(str, path)))
    if not keys:
        yield _finding(
            document, path, FindingKind.ERROR, f"{name} has no source (src). Cite one; MEM if none is known."
        )
    for key in keys:
        if key not in citations():
            yield _finding(document, (*path, "src"), FindingKind.ERROR, f"{name}: sources.yaml has no source {key!r}.")
    if trace not in set(Trace):
        yield _finding(document, path, FindingKind.ERROR, f"{name}: prov must be seen, derived or unverified.")
    elif trace == Trace.UNVERIFIED:
        yield _finding(document, path, FindingKind.UNVERIFIED, f"{name}: {_said(entry)}")
    elif keys and not any(key in citations() and citations()[key].is_seen for key in keys):
        text = f"{name} is marked {trace}, but none of its sources ({', '.join(keys)}) was read."
        yield _finding(document, (*path, "prov"), FindingKind.ERROR, text)
    if entry.get("unit", "") not in UNITS:
        yield _finding(
            document, (*path, "unit"), FindingKind.ERROR, f"{name}: the unit {entry['unit']!r} is not known."
        )
    value = entry.get("value")
    if isinstance(value, int | float) and not isinstance(value, bool) and "unit" not in entry and "id" in entry:
        yield _finding(
            document, path, FindingKind.ERROR, f'{name} is a number without a unit. Write unit: "1" for a ratio.'
        )


def _said(entry: dict[str, Any]) -> str:
    for key in ("value", "text", "event", "condition", "answer", "truth", "name", "title", "note"):
        if key in entry:
            return f"{entry[key]} {entry.get('unit', '')}".strip()
    return "not traced"


def _finding(document: Document, path: Path, kind: FindingKind, text: str) -> Finding:
    known = path if path in document.positions else path[:-1]
    line, column = document.positions[known]
    return Finding(kind=kind, file=document.name, line=line, column=column, text=text)


@cache
def trace_counts() -> dict[str, dict[str, int]]:
    """How many statements of each file are seen, derived and unverified."""
    found: dict[str, dict[str, int]] = {}
    for name in document_names():
        counts = Counter(str(entry.get("prov")) for _, entry in _entries(read_document(name).content))
        if counts:
            found[name] = {trace.value: counts.get(trace.value, 0) for trace in Trace}
    return found
