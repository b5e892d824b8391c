"""Meaning of the numbers in a label map (`labels.yaml`)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources

import yaml

from foramen.errors import KnowledgeError, LevelError
from foramen.model.levels import VERTEBRA_NUMBERS, Side, Vertebra

FIRST_STRUCTURE = 5000
"""Smallest value that is not part of a vertebra."""

_NAME_OF_NUMBER = {number: name for name, number in VERTEBRA_NUMBERS.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """One entry of the label table."""

    value: int
    name: str
    tissue: str
    side: Side | None
    keep_out: str
    vertebra: Vertebra | None = None
    part: str = ""


@cache
def _table() -> dict[str, dict[int, dict[str, str | None]]]:
    text = resources.files("foramen.knowledge").joinpath("labels.yaml").read_text(encoding="utf-8")
    table: dict[str, dict[int, dict[str, str | None]]] = yaml.safe_load(text)
    return table


def vertebra_value(vertebra: Vertebra, part: str = "whole") -> int:
    """Label value of a part of a vertebra, such as ``vertebra_value(Vertebra('L4'), 'body')`` = 2301."""
    for number, entry in _table()["vertebra_parts"].items():
        if entry["name"] == part:
            return 100 * vertebra.number + number
    raise LevelError(f"{part!r} is not a part of a vertebra in labels.yaml.")


def part_names() -> tuple[str, ...]:
    """Names of the vertebral parts."""
    return tuple(str(entry["name"]) for entry in _table()["vertebra_parts"].values())


def disc_value(upper: Vertebra) -> int:
    """Label value of the disc below a vertebra."""
    return FIRST_STRUCTURE + upper.number


def structure_value(name: str) -> int:
    """Label value of a structure that is neither vertebra nor disc."""
    for value, entry in _table()["structures"].items():
        if entry["name"] == name:
            return value
    raise KnowledgeError(f"labels.yaml has no structure {name!r}.")


def label(value: int) -> Label | None:
    """What a value means, or None if the table does not know it (0 means unlabelled)."""
    if 0 < value < FIRST_STRUCTURE:
        number, part = divmod(value, 100)
        entry = _table()["vertebra_parts"].get(part)
        if number not in _NAME_OF_NUMBER or entry is None:
            return None
        vertebra = Vertebra(_NAME_OF_NUMBER[number])
        side = Side(entry["side"]) if entry["side"] else None
        return Label(
            value=value,
            name=f"{vertebra} {entry['name']}",
            tissue="bone",
            side=side,
            keep_out="",
            vertebra=vertebra,
            part=str(entry["name"]),
        )
    number = value - FIRST_STRUCTURE
    if number in _NAME_OF_NUMBER:
        return Label(value=value, name=f"disc below {_NAME_OF_NUMBER[number]}", tissue="disc", side=None, keep_out="")
    entry = _table()["structures"].get(value)
    if entry is None:
        return None
    return Label(
        value=value,
        name=str(entry["name"]),
        tissue=str(entry["tissue"]),
        side=Side(entry["side"]) if entry["side"] else None,
        keep_out=entry["keep_out"] or "",
    )


def structure_labels() -> tuple[Label, ...]:
    """All structures that are neither vertebra nor disc."""
    found = (label(value) for value in _table()["structures"])
    return tuple(entry for entry in found if entry is not None)
