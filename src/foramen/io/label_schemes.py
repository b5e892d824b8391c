"""Label numbers of other programs (`knowledge/label_maps/*.yaml`, or a file of the user's own)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated

from pydantic import Field, TypeAdapter

from foramen.errors import ForamenError, KnowledgeError
from foramen.knowledge.documents import STRICT, Document, parse_document
from foramen.knowledge.labels import disc_value, label, part_names, structure_value, vertebra_value
from foramen.model.levels import VERTEBRA_NUMBERS, Vertebra

FORAMEN = "foramen"
"""Name of the scheme of Foramen's own numbers (`knowledge/labels.yaml`)."""


class SchemeKind(StrEnum):
    """What the numbers of a scheme stand for."""

    STRUCTURES = "structures"  # named structures
    REFINEMENT = "refinement"  # parts of vertebrae that another map names
    INSTANCES = "instances"  # vertebrae without names, to be counted


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    __pydantic_config__ = STRICT

    scheme: str
    title: str
    kind: SchemeKind
    values: Annotated[dict[int, str], Field(min_length=1)]
    ignore: dict[int, str] = Field(default_factory=dict)
    detect: bool = True
    head_to_foot: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelScheme:
    """Meaning of the numbers in another program's label map.

    Parameters
    ----------
    name, title : str
        How it is called on the command line, and in words.
    kind : SchemeKind
        Whether it names structures, divides vertebrae that another map names, or counts vertebrae without names.
    values : dict
        Their number -> Foramen's number, of structures with a name.
    parts : dict
        Refinement only: their number -> part of whichever vertebra is there.
    vertebrae : frozenset of int
        Instances only: their numbers of vertebrae without a name.
    discs : frozenset of int
        Their numbers of discs without a name, which take that of the vertebra above.
    ignored : frozenset of int
        Their numbers that are known and left unlabelled.
    head_to_foot : tuple of int
        Their numbers of vertebrae from above downwards.
    is_detected : bool
        Whether a file may be taken for it without being told.
    """

    name: str
    title: str
    kind: SchemeKind
    values: dict[int, int]
    parts: dict[int, str]
    vertebrae: frozenset[int]
    discs: frozenset[int]
    ignored: frozenset[int]
    head_to_foot: tuple[int, ...]
    is_detected: bool = True

    @property
    def known(self) -> frozenset[int]:
        """Every number that the scheme knows."""
        return frozenset(self.values) | frozenset(self.parts) | self.vertebrae | self.discs | self.ignored

    def unknown(self, found: frozenset[int]) -> tuple[int, ...]:
        """The numbers among those found that the scheme does not know, in order."""
        if self.name == FORAMEN:
            return tuple(sorted(value for value in found if label(value) is None))
        return tuple(sorted(found - self.known))


_PARSER = TypeAdapter(_File)


@cache
def foramen_scheme() -> LabelScheme:
    """The scheme of Foramen's own numbers."""
    return LabelScheme(
        name=FORAMEN,
        title="Foramen's own numbers (labels.yaml)",
        kind=SchemeKind.STRUCTURES,
        values={},
        parts={},
        vertebrae=frozenset(),
        discs=frozenset(),
        ignored=frozenset(),
        head_to_foot=(),
    )


@cache
def shipped_schemes() -> dict[str, LabelScheme]:
    """All schemes that Foramen knows, by name, its own first."""
    folder = resources.files("foramen.knowledge").joinpath("label_maps")
    found = {FORAMEN: foramen_scheme()}
    for entry in sorted(folder.iterdir(), key=lambda item: item.name):
        if entry.name.endswith(".yaml"):
            scheme = _scheme(parse_document(entry.read_text(encoding="utf-8"), name=f"label_maps/{entry.name}"))
            found[scheme.name] = scheme
    return found


def read_scheme(path: Path) -> LabelScheme:
    """The scheme of a mapping file of the user's own; raises `KnowledgeError` with line and column."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as failure:
        raise KnowledgeError(f"The mapping file {path} cannot be read ({failure}).") from failure
    return _scheme(parse_document(text, name=path.name))


def _scheme(document: Document) -> LabelScheme:
    file = document.parse(_PARSER)
    values: dict[int, int] = {}
    parts: dict[int, str] = {}
    discs: set[int] = set()
    vertebrae: set[int] = set()
    for number, text in file.values.items():
        words = text.split()
        if file.kind is SchemeKind.REFINEMENT and words[:1] == ["part"] and " ".join(words[1:]) in part_names():
            parts[number] = words[1]
        elif file.kind is SchemeKind.INSTANCES and words == ["vertebra"]:
            vertebrae.add(number)
        elif words == ["disc"]:
            discs.add(number)
        else:
            try:
                values[number] = label_number(text)
            except ForamenError as failure:
                raise document.error(("values", number), str(failure)) from failure
    repeated = sorted(set(file.values) & set(file.ignore))
    if repeated:
        raise document.error(("ignore", repeated[0]), f"{repeated[0]} stands under values and under ignore.")
    return LabelScheme(
        name=file.scheme,
        title=file.title,
        kind=file.kind,
        values=values,
        parts=parts,
        vertebrae=frozenset(vertebrae),
        discs=frozenset(discs),
        ignored=frozenset(file.ignore),
        head_to_foot=file.head_to_foot,
        is_detected=file.detect,
    )


def label_number(text: str) -> int:
    """Foramen's number of a label in words: ``L4``, ``L4 body``, ``disc below L4`` or ``kidney_left``.

    Raises
    ------
    LevelError, KnowledgeError
        If it is none of these.
    """
    words = text.split()
    if words[:2] == ["disc", "below"] and len(words) == 3:
        return disc_value(Vertebra(words[2]))
    if words and words[0] in VERTEBRA_NUMBERS and len(words) <= 2:
        return vertebra_value(Vertebra(words[0]), words[1] if len(words) == 2 else "whole")
    try:
        return structure_value(text)
    except KnowledgeError as failure:
        raise KnowledgeError(
            f"{text!r} is no label. Write a vertebra (L4), a part of it (L4 body), a disc (disc below L4) or a "
            "structure of labels.yaml (kidney_left); put what is to be left out under ignore."
        ) from failure
