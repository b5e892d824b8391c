"""Shapes of which the reference body is drawn, with their provenance.

A YAML file of this package may have a top-level list ``drawings``. One drawing is one anatomical structure; its keys
are ``id unit src prov note`` (the id begins with the file's stem) and, by name, any of

numbers
    Single numbers; the name ends with the unit where there is one.
rows
    Lists of numbers: one for each vertebra of the region that the file draws (from T12 downwards in
    `reference_bones`), or the components (left, posterior, superior) of a vector.
points
    Lists of points (left, posterior, superior).
struts, tubes, ellipsoids
    Shapes, see `StrutShape`, `TubeShape` and `EllipsoidShape`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from pydantic import TypeAdapter

from foramen.errors import KnowledgeError
from foramen.knowledge.documents import STRICT, Document, SourceKeys, Traced, document_of_stem

Vector = tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class StrutShape:
    """A tapered capsule: ends relative to where the drawing code places them, radii at its start and at its end.

    `wide` is the direction of the first radius (None: the drawing code turns it). What radii are relative to, if not
    absolute, the drawing's note says.
    """

    __pydantic_config__ = STRICT

    part: str
    radii_mm: tuple[tuple[float, float], tuple[float, float]]
    blend_mm: float
    start_mm: Vector = (0.0, 0.0, 0.0)
    end_mm: Vector = (0.0, 0.0, 0.0)
    wide: Vector | None = None
    cap_mm: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TubeShape:
    """A paired tube along the spine: place and half-axes at each vertebra, T12 to S1.

    Its middle lies behind ``body_weight (body + body_shift_mm) + spinous_weight (spinous tip + spinous_shift_mm)`` by
    `posterior_mm`.
    """

    __pydantic_config__ = STRICT

    lateral_mm: tuple[float, ...]
    posterior_mm: tuple[float, ...]
    half_width_mm: tuple[float, ...]
    half_depth_mm: tuple[float, ...]
    body_weight: float = 0.0
    body_shift_mm: float = 0.0
    spinous_weight: float = 0.0
    spinous_shift_mm: float = 0.0
    turn_deg: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class EllipsoidShape:
    """An ellipsoid; its centre is relative to what the drawing code takes: the height of `level` where it is given."""

    __pydantic_config__ = STRICT

    centre_mm: Vector
    radii_mm: Vector
    level: str = ""
    turn_deg: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """One anatomical structure as it is drawn, and where its numbers come from."""

    __pydantic_config__ = STRICT

    id: str
    unit: str
    trace: Traced
    sources: SourceKeys
    note: str
    numbers: Mapping[str, float] = field(default_factory=dict)
    rows: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    points: Mapping[str, tuple[Vector, ...]] = field(default_factory=dict)
    struts: Mapping[str, StrutShape] = field(default_factory=dict)
    tubes: Mapping[str, TubeShape] = field(default_factory=dict)
    ellipsoids: Mapping[str, EllipsoidShape] = field(default_factory=dict)


_DRAWINGS = TypeAdapter(list[Drawing])


def drawings_of(document: Document, *, stem: str) -> dict[str, Drawing]:
    """The drawings of a knowledge file by id; a wrong entry raises `KnowledgeError` with its position."""
    if "drawings" not in document.content:
        return {}
    listed = document.parse(_DRAWINGS, ("drawings",))
    return document.by_id(listed, "drawings", stem=stem)


@cache
def _drawings(stem: str) -> dict[str, Drawing]:
    return drawings_of(document_of_stem(stem), stem=stem)


@cache
def drawing(drawing_id: str) -> Drawing:
    """The drawing of that id; raises `KnowledgeError` if no file declares it."""
    found = _drawings(drawing_id.partition(".")[0]).get(drawing_id)
    if found is None:
        raise KnowledgeError(f"No knowledge file declares the drawing {drawing_id!r}.")
    return found
