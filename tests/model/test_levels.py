"""Levels are typed, and a wrong kind is refused with the right spelling."""

from __future__ import annotations

import pytest

from foramen.errors import LevelError
from foramen.model.levels import (
    LevelKind,
    Root,
    Segment,
    Side,
    Vertebra,
    VertebraSet,
    neighbour_above,
    neighbour_below,
    parse_level,
    parse_side,
)


@pytest.mark.parametrize(
    ("text", "name"),
    [("L4-L5", "L4-L5"), ("l4/5", "L4-L5"), ("L5/S1", "L5-S1"), ("l5-1", "L5-S1"), (" c3-4 ", "C3-C4")],
)
def test_segment_spellings(text: str, name: str) -> None:
    assert parse_level(text, kind=LevelKind.SEGMENT) == Segment(name)


@pytest.mark.parametrize("text", ["L4-L6", "L5-L4", "L9-L10", "S1-S2", "", "L4-"])
def test_impossible_segments_are_refused(text: str) -> None:
    with pytest.raises(LevelError):
        parse_level(text, kind=LevelKind.SEGMENT)


def test_a_vertebra_is_no_joint_and_the_message_names_the_joints() -> None:
    with pytest.raises(LevelError, match="L3-L4 or L4-L5"):
        parse_level("L4", kind=LevelKind.SEGMENT)


def test_a_joint_is_no_root() -> None:
    with pytest.raises(LevelError, match="such as L4"):
        parse_level("L4-L5", kind=LevelKind.ROOT)


def test_kinds_with_the_same_name_are_different() -> None:
    assert Vertebra("L4") != Root("L4")
    assert parse_level("C8", kind=LevelKind.ROOT) == Root("C8")
    with pytest.raises(LevelError):
        Vertebra("C8")


def test_sets_go_from_above_down() -> None:
    assert str(parse_level("L4,L5", kind=LevelKind.VERTEBRA_SET)) == "L4,L5"
    with pytest.raises(LevelError):
        VertebraSet((Vertebra("L5"), Vertebra("L4")))


def test_label_numbers_of_the_contract() -> None:
    numbers = {name: Vertebra(name).number for name in ("C1", "C7", "T1", "T12", "L1", "L5", "L6", "S1", "T13")}
    assert numbers == {"C1": 1, "C7": 7, "T1": 8, "T12": 19, "L1": 20, "L5": 24, "L6": 25, "S1": 26, "T13": 28}


def test_neighbours() -> None:
    assert neighbour_below(Vertebra("L5")) == Vertebra("S1")
    assert neighbour_above(Vertebra("L1")) == Vertebra("T12")
    assert neighbour_below(Vertebra("S1")) is None


def test_sides() -> None:
    assert parse_side("L") is Side.LEFT
    assert Side.LEFT.other is Side.RIGHT
    assert Side.LEFT.sign == 1.0  # +x of LPS is the patient's left
    with pytest.raises(LevelError, match="of the patient"):
        parse_side("port")
