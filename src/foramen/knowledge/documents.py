"""Knowledge files with the place of every entry, so that an error names file, line and column."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Annotated, Any, Protocol, TypeVar

import yaml
from pydantic import BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError

from foramen.errors import KnowledgeError
from foramen.model.evidence import Trace

Parsed = TypeVar("Parsed")


class Identified(Protocol):
    """An entry with an id."""

    @property
    def id(self) -> str:
        """Stem of its file, a dot, and a name."""
        ...


Entry = TypeVar("Entry", bound=Identified)
Path = tuple[str | int, ...]
Position = tuple[int, int]

STRICT = ConfigDict(extra="forbid", frozen=True)
"""Pydantic settings of every dataclass that is read from a knowledge file."""

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _as_tuple(value: object) -> object:
    return (value,) if isinstance(value, str) else value


SourceKeys = Annotated[tuple[str, ...], BeforeValidator(_as_tuple), Field(validation_alias="src", min_length=1)]
"""One key or a list of keys of `sources.yaml`; written ``src`` in the files."""

Traced = Annotated[Trace, Field(validation_alias="prov")]
"""Whether the statement was read in its source; written ``prov`` in the files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """The content of one knowledge file and the position (line, column) of each of its entries."""

    name: str
    content: Mapping[str, Any]
    positions: Mapping[Path, Position]

    def error(self, path: Sequence[str | int], message: str) -> KnowledgeError:
        """A `KnowledgeError` that names file, line and column of the entry at `path`."""
        known = self._known_part(path)
        line, column = self.positions[known]
        where = ".".join(str(part) for part in known) or "top level"
        return KnowledgeError(f"{self.name}, line {line}, column {column} ({where}): {message}")

    def _known_part(self, path: Sequence[str | int]) -> Path:
        known: Path = ()
        for part in path:  # tags that pydantic adds for unions are not in the file: skip them
            if (*known, part) in self.positions:
                known = (*known, part)
        return known

    def parse(self, kind: TypeAdapter[Parsed], path: Path = (), *, is_private: bool = False) -> Parsed:
        """The part of the file at `path` as the given type; raises `KnowledgeError` with position.

        With `is_private` the message does not repeat what was found: it may be a patient's name.
        """
        content: Any = self.content
        for part in path:
            content = content[part]
        try:
            return kind.validate_python(content)
        except ValidationError as failure:
            first = failure.errors(include_url=False)[0]
            found = "" if is_private else f" (found {first['input']!r})"
            message = f"{first['msg']}{found}."
            raise self.error((*path, *first["loc"]), message) from (None if is_private else failure)

    def by_id(self, entries: Sequence[Entry], key: str, *, stem: str) -> dict[str, Entry]:
        """The entries of the list at `key` by id; raises `KnowledgeError` for a repeated or foreign id."""
        found: dict[str, Entry] = {}
        for index, entry in enumerate(entries):
            if entry.id.partition(".")[0] != stem:
                raise self.error((key, index, "id"), f"The id {entry.id!r} must begin with {stem!r}.")
            if entry.id in found:
                raise self.error((key, index, "id"), f"The id {entry.id!r} is used twice.")
            found[entry.id] = entry
        return found


def document_of_stem(stem: str) -> Document:
    """The knowledge file whose ids begin with `stem`; raises `KnowledgeError` if there is none."""
    for name in (f"{stem}.yaml", f"techniques/{stem}.yaml"):
        if name in document_names():
            return read_document(name)
    raise KnowledgeError(f"There is no knowledge file {stem}.yaml.")


@cache
def read_document(name: str) -> Document:
    """The knowledge file of that name, such as ``devices.yaml`` or ``techniques/<id>.yaml``."""
    path = resources.files("foramen.knowledge").joinpath(*name.split("/"))
    if not path.is_file():
        raise KnowledgeError(f"There is no knowledge file {name}.")
    return parse_document(path.read_text(encoding="utf-8"), name=name)


def parse_document(text: str, *, name: str) -> Document:
    """The document of a YAML text; repeated keys, aliases, merge keys and broken YAML raise `KnowledgeError`."""
    loader = _Loader(text)
    builder = _Builder(loader=loader, name=name)
    try:
        node = loader.get_single_node()
        if not isinstance(node, yaml.MappingNode):
            raise KnowledgeError(f"{name}: the file must hold a mapping at its top level.")
        content = builder.build(node, ())
    except yaml.YAMLError as failure:
        mark = getattr(failure, "problem_mark", None)
        place = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise KnowledgeError(f"{name}{place}: {getattr(failure, 'problem', failure)}. Correct the YAML.") from failure
    finally:
        loader.dispose()
    return Document(name=name, content=content, positions=builder.positions)


@dataclass(slots=True, kw_only=True)
class _Builder:
    """Turns YAML nodes into plain values and notes where each stood."""

    loader: Any
    name: str
    positions: dict[Path, Position] = field(default_factory=dict)
    seen: set[int] = field(default_factory=set)

    def build(self, node: Any, path: Path) -> Any:
        self.positions[path] = (node.start_mark.line + 1, node.start_mark.column + 1)
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node)
        if id(node) in self.seen:
            raise self._error(node, "aliases (*name) are not allowed")
        self.seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            return [self.build(child, (*path, index)) for index, child in enumerate(node.value)]
        content: dict[Any, Any] = {}
        for key_node, child in node.value:
            if not isinstance(key_node, yaml.ScalarNode) or key_node.tag.endswith(":merge"):
                raise self._error(key_node, "merge keys (<<) and keys that are lists or mappings are not allowed")
            key = self._scalar(key_node)
            if key in content:
                raise self._error(key_node, f"{key!r} is repeated")
            content[key] = self.build(child, (*path, key))
        return content

    def _scalar(self, node: Any) -> Any:
        try:
            return self.loader.construct_object(node)
        except ValueError as failure:  # such as the date 2026-13-01
            raise self._error(node, f"{node.value!r} is impossible ({failure})") from failure

    def _error(self, node: Any, problem: str) -> KnowledgeError:
        mark = node.start_mark
        return KnowledgeError(f"{self.name}, line {mark.line + 1}, column {mark.column + 1}: {problem}. Correct it.")


@cache
def document_names() -> tuple[str, ...]:
    """Names of all knowledge files, in alphabetical order."""
    return tuple(sorted(_walk(resources.files("foramen.knowledge"), "")))


def _walk(folder: Any, prefix: str) -> list[str]:
    names: list[str] = []
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.name.startswith("__"):
            names += _walk(entry, f"{prefix}{entry.name}/")
        elif entry.name.endswith(".yaml"):
            names.append(prefix + entry.name)
    return names


@cache
def knowledge_sha256() -> str:
    """SHA-256 over names and contents of all knowledge files: it changes when any fact does."""
    digest = hashlib.sha256()
    for name in document_names():
        path = resources.files("foramen.knowledge").joinpath(*name.split("/"))
        digest.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
