"""What the segments of a DICOM segmentation stand for: by coded term, else by their name in words."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from foramen.errors import ForamenError, ImageError
from foramen.io.label_schemes import LabelScheme, SchemeKind, label_number
from foramen.knowledge.documents import STRICT, read_document
from foramen.knowledge.labels import label

SNOMED = "SCT"
"""Designator of the codes that are looked up; the older SRT has other values for the same terms."""

_VERTEBRA = re.compile(r"(?:vertebrae?_)?([ctl]\d{1,2}|s1)(?:_vertebrae?)?")
_SIDES = ("left", "right")


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    __pydantic_config__ = STRICT

    version: int
    sides: dict[str, str]
    codes: dict[str, str]
    sided: dict[str, str]
    ignore: dict[str, str]
    words: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One segment's header: number, name, code of its type and side as the code's modifiers give it."""

    number: int
    name: str
    code: str
    side: str

    def __str__(self) -> str:
        return f"{self.number} {self.name!r}" + (f" (code {self.code})" if self.code else "")


@cache
def _terms() -> _File:
    return read_document("segment_codes.yaml").parse(TypeAdapter(_File))


def read_segments(header: Any) -> tuple[Segment, ...]:
    """The segments that a DICOM segmentation declares, without a background (number 0)."""
    return tuple(
        Segment(
            number=int(item.SegmentNumber),
            name=str(getattr(item, "SegmentLabel", "") or ""),
            code=_code(item),
            side=_side(item),
        )
        for item in header.SegmentSequence
        if int(item.SegmentNumber) > 0
    )


def _code(item: Any) -> str:
    for kind in getattr(item, "SegmentedPropertyTypeCodeSequence", None) or ():
        if str(getattr(kind, "CodingSchemeDesignator", "")) == SNOMED:
            return str(getattr(kind, "CodeValue", "") or getattr(kind, "LongCodeValue", "") or "")
    return ""


def _side(item: Any) -> str:
    """Left or right, from the modifiers of the type or of the anatomic region, wherever a program puts them."""
    places = [item]
    for name in ("SegmentedPropertyTypeCodeSequence", "AnatomicRegionSequence"):
        places += list(getattr(item, name, None) or ())
    found: set[str] = set()
    for place in places:
        for name in ("SegmentedPropertyTypeModifierCodeSequence", "AnatomicRegionModifierSequence"):
            for modifier in getattr(place, name, None) or ():
                found |= {_terms().sides.get(str(getattr(modifier, "CodeValue", "")), "")}
    found.discard("")
    return found.pop() if len(found) == 1 else ""


def segment_scheme(segments: tuple[Segment, ...], *, source: str) -> LabelScheme:
    """The scheme of a segmentation's segment numbers.

    Raises
    ------
    ImageError
        If segments are not known, contradict themselves (code and name), or two have one vertebra's name.
    """
    values: dict[int, int] = {}
    ignored: set[int] = set()
    unknown: list[Segment] = []
    for segment in segments:
        by_code, by_name = _by_code(segment), _by_name(segment.name)
        if by_code is not None and by_name is not None and by_code != by_name:
            raise ImageError(
                f"{source}: segment {segment} is {_called(by_code)} by its code and {_called(by_name)} by its name. "
                f"Correct it, or write {source}:MAPPING.yaml with a mapping file of segment numbers."
            )
        if segment.code in _terms().ignore:
            ignored.add(segment.number)
            continue
        value = by_code if by_code is not None else by_name
        if value is None:
            unknown.append(segment)
        else:
            values[segment.number] = value
    if unknown:
        listed = ", ".join(map(str, unknown[:20])) + (f" and {len(unknown) - 20} more" if len(unknown) > 20 else "")
        raise ImageError(
            f"{source} has segments that are not known by code or name: {listed}. Write {source}:MAPPING.yaml with "
            "a mapping file from segment numbers to labels (docs/labels.md), and what is to be left out under ignore."
        )
    _require_one_each(values, segments, source)
    return LabelScheme(
        name="dicom_seg",
        title="DICOM segmentation",
        kind=SchemeKind.STRUCTURES,
        values=values,
        parts={},
        vertebrae=frozenset(),
        discs=frozenset(),
        ignored=frozenset(ignored),
        head_to_foot=(),
    )


def _by_code(segment: Segment) -> int | None:
    terms = _terms()
    if segment.code in terms.codes:
        return label_number(terms.codes[segment.code])
    if segment.code in terms.sided and segment.side:
        return label_number(f"{terms.sided[segment.code]}_{segment.side}")
    return None


def _by_name(name: str) -> int | None:
    """The label of a segment's name, such as ``vertebrae_L4``, ``L4 vertebra``, ``left kidney`` or ``rib_left_12``."""
    words = re.sub(r"[\s\-/,.]+", "_", name.strip().lower()).strip("_")
    vertebra = _VERTEBRA.fullmatch(words)
    if vertebra:
        words = vertebra.group(1).upper()
    else:
        parts = [part for part in words.split("_") if part not in _SIDES and not part.isdigit()]
        sides = [part for part in words.split("_") if part in _SIDES]
        stem = "_".join(parts)
        words = "_".join([_terms().words.get(stem, stem), *sides[:1]])
    try:
        return label_number(words)
    except ForamenError:
        return None


def _require_one_each(values: dict[int, int], segments: tuple[Segment, ...], source: str) -> None:
    """Raise `ImageError` if two segments are the same vertebra."""
    first: dict[int, int] = {}
    for segment in segments:
        value = values.get(segment.number)
        meaning = label(value) if value is not None else None
        if value is None or meaning is None or meaning.vertebra is None or meaning.vertebra.name == "S1":
            continue
        if value in first:
            raise ImageError(
                f"{source}: segments {first[value]} and {segment.number} are both {meaning.vertebra}. One of them "
                f"has a wrong name: correct it, or write {source}:MAPPING.yaml."
            )
        first[value] = segment.number


def _called(value: int) -> str:
    meaning = label(value)
    return meaning.name.removesuffix(" whole") if meaning is not None else str(value)
