"""Which vertebrae one body has, and which reference bone each of them is drawn as.

A sixth lumbar vertebra is made by drawing L2 twice, where neighbours differ least, and naming on from there; a
thirteenth thoracic one by drawing T12 twice. The numbers of the bones in between move by one.
"""

from __future__ import annotations

from dataclasses import dataclass

from foramen.anatomy.reference_body.pathology import Transitional, TransitionalKind
from foramen.anatomy.reference_body.regions import COLUMN, REGIONS
from foramen.model.levels import Vertebra

_SIX_LUMBAR = (
    ("L1", "L1"), ("L2", "L2"), ("L3", "L2"), ("L4", "L3"), ("L5", "L4"), ("L6", "L5"),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One vertebra of a body: its level, and the reference bone whose shape it has."""

    level: Vertebra
    drawn_as: Vertebra


def column_of(transitional: Transitional | None = None) -> tuple[Member, ...]:
    """All vertebrae of a body from above downwards."""
    pairs = [(name, name) for name in COLUMN]
    if transitional is not None and transitional.kind is TransitionalKind.L6:
        pairs = [p for p in pairs if not p[0].startswith("L")]
        pairs[-1:-1] = list(_SIX_LUMBAR)
    elif transitional is not None and transitional.kind is TransitionalKind.T13:
        pairs.insert([p[0] for p in pairs].index("T12") + 1, ("T13", "T12"))
    return tuple(Member(level=Vertebra(name), drawn_as=Vertebra(shape)) for name, shape in pairs)


def lumbar_levels(column: tuple[Member, ...]) -> tuple[str, ...]:
    """Names of the vertebrae of a body that the lumbar region draws, from T12 downwards."""
    return tuple(member.level.name for member in column if member.drawn_as.name in REGIONS["lumbar"])
