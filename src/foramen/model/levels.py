"""Levels of the spine, typed by kind, and sides of the body.

A vertebra, a motion segment (disc and joints) and a nerve root that share a name are different
things; treating a joint at the level of a root is a classic wrong-level error. Each technique
therefore states the kind of level it wants, and a wrong kind is refused with the right spelling.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from enum import StrEnum

from foramen.errors import LevelError

VERTEBRA_NUMBERS: dict[str, int] = {
    **{f"C{i}": i for i in range(1, 8)},
    **{f"T{i}": 7 + i for i in range(1, 13)},
    **{f"L{i}": 19 + i for i in range(1, 7)},
    "S1": 26,  # the sacrum is one bone; its first segment names it
    "T13": 28,
}
"""Vertebra number used in label values (100 x number + part); the sacrum is 26."""

USUAL_ORDER: tuple[str, ...] = (
    *(f"C{i}" for i in range(1, 8)),
    *(f"T{i}" for i in range(1, 13)),
    *(f"L{i}" for i in range(1, 6)),
    "S1",
)
"""Vertebrae of a spine with the usual count, from above downwards."""

ROOTS: tuple[str, ...] = (
    *(f"C{i}" for i in range(1, 9)),
    *(f"T{i}" for i in range(1, 13)),
    *(f"L{i}" for i in range(1, 6)),
    *(f"S{i}" for i in range(1, 6)),
)
"""Spinal nerve roots from above downwards."""


class Side(StrEnum):
    """Side of the patient's body, never of the screen."""

    LEFT = "left"
    RIGHT = "right"

    @property
    def sign(self) -> float:
        """+1 for the patient's left (the +x direction of LPS), -1 for the right."""
        return 1.0 if self is Side.LEFT else -1.0

    @property
    def other(self) -> Side:
        """The opposite side."""
        return Side.RIGHT if self is Side.LEFT else Side.LEFT


class LevelKind(StrEnum):
    """Kind of level that a technique is planned for."""

    VERTEBRA = "vertebra"
    SEGMENT = "segment"
    ROOT = "root"
    VERTEBRA_SET = "vertebra_set"
    SACRUM = "sacrum"


@dataclass(frozen=True, slots=True)
class Vertebra:
    """One vertebra, such as ``Vertebra('L4')``; ``S1`` stands for the sacrum."""

    name: str

    def __post_init__(self) -> None:
        if self.name not in VERTEBRA_NUMBERS:
            raise LevelError(f"{self.name!r} is not a vertebra. Use a name such as L4, T12 or S1 (the sacrum).")

    @property
    def number(self) -> int:
        """Number of the vertebra in label values (C1 = 1 ... L5 = 24, sacrum = 26)."""
        return VERTEBRA_NUMBERS[self.name]

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Segment:
    """A motion segment: two neighbouring vertebrae, their disc and joints, such as ``L4-L5``."""

    name: str

    def __post_init__(self) -> None:
        upper, _, lower = self.name.partition("-")
        if upper not in VERTEBRA_NUMBERS or lower not in VERTEBRA_NUMBERS:
            raise LevelError(f"{self.name!r} is not a motion segment. Name both vertebrae, such as L4-L5 or L5-S1.")
        if not _adjacent(upper, lower):
            raise LevelError(f"{self.name!r} is not a motion segment: {upper} and {lower} are not neighbours.")

    @property
    def upper(self) -> Vertebra:
        """Upper vertebra of the segment."""
        return Vertebra(self.name.partition("-")[0])

    @property
    def lower(self) -> Vertebra:
        """Lower vertebra of the segment."""
        return Vertebra(self.name.partition("-")[2])

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Root:
    """A spinal nerve root, such as ``Root('C8')``."""

    name: str

    def __post_init__(self) -> None:
        if self.name not in ROOTS:
            raise LevelError(f"{self.name!r} is not a nerve root. Use a name such as C6, L5 or S1.")

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class VertebraSet:
    """Several vertebrae treated together, from above downwards, such as ``L4,L5``."""

    vertebrae: tuple[Vertebra, ...]

    def __post_init__(self) -> None:
        numbers = [v.number for v in self.vertebrae]
        if not numbers or numbers != sorted(set(numbers)):
            raise LevelError("A set of vertebrae needs at least one name, each once, from above down.")

    def __str__(self) -> str:
        return ",".join(v.name for v in self.vertebrae)


Level = Vertebra | Segment | Root | VertebraSet
"""Any typed level."""


def _adjacent(upper: str, lower: str) -> bool:
    transitional = {("L5", "L6"), ("L6", "S1"), ("T12", "T13"), ("T13", "L1"), ("L4", "S1"), ("T11", "L1")}
    usual = itertools.pairwise(USUAL_ORDER)
    return (upper, lower) in transitional or (upper, lower) in set(usual)


def neighbour_below(vertebra: Vertebra) -> Vertebra | None:
    """Next vertebra below in a spine with the usual count, or None below the sacrum."""
    if vertebra.name not in USUAL_ORDER or vertebra.name == USUAL_ORDER[-1]:
        return None
    return Vertebra(USUAL_ORDER[USUAL_ORDER.index(vertebra.name) + 1])


def neighbour_above(vertebra: Vertebra) -> Vertebra | None:
    """Next vertebra above in a spine with the usual count, or None above C1."""
    if vertebra.name not in USUAL_ORDER or vertebra.name == USUAL_ORDER[0]:
        return None
    return Vertebra(USUAL_ORDER[USUAL_ORDER.index(vertebra.name) - 1])


def parse_level(text: str, *, kind: LevelKind) -> Level:
    """Level of the wanted kind from its spelling.

    Parameters
    ----------
    text : str
        What the user wrote, such as ``L4-L5`` or ``l4/5``.
    kind : LevelKind
        Kind that the technique needs.

    Raises
    ------
    LevelError
        If the spelling is unknown or of another kind; the message gives the right spelling.
    """
    name = text.strip().upper().replace("/", "-").replace("–", "-")
    upper, dash, lower = name.partition("-")
    if dash and lower.isdigit() and upper[:1] in "CTL":
        name = f"{upper}-{'S' if (upper, lower) in {('L5', '1'), ('L6', '1')} else upper[0]}{lower}"
    if kind is LevelKind.SEGMENT:
        if "-" not in name:
            example = _segment_example(name)
            raise LevelError(
                f"This technique treats a joint, so it needs a motion segment, not {text!r}. Write {example}."
            )
        return Segment(name)
    if "-" in name:
        raise LevelError(
            f"This technique needs a {kind.value}, not the motion segment {text!r}. Write one name, such as {upper}."
        )
    if kind is LevelKind.ROOT:
        return Root(name)
    if kind is LevelKind.VERTEBRA_SET:
        return VertebraSet(tuple(Vertebra(part.strip()) for part in name.split(",")))
    return Vertebra(name)


def _segment_example(name: str) -> str:
    if name in USUAL_ORDER and name != USUAL_ORDER[-1]:
        index = USUAL_ORDER.index(name)
        below = f"{name}-{USUAL_ORDER[index + 1]}"
        return below if index == 0 else f"{USUAL_ORDER[index - 1]}-{name} or {below}"
    return "a pair such as L4-L5"


def parse_side(text: str) -> Side:
    """Side from its spelling (left, right, l, r)."""
    name = text.strip().lower()
    for side in Side:
        if name in {side.value, side.value[0]}:
            return side
    raise LevelError(f"{text!r} is not a side. Write left or right (of the patient).")
