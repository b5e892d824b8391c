"""Names of vertebrae that a label file only numbers: by counting, or by what a person says of one of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from foramen.anatomy.column import name_known, read_column
from foramen.anatomy.counting import SACRUM, ColumnBone, ColumnCount, count_column, in_words
from foramen.errors import LevelError
from foramen.knowledge.labels import FIRST_STRUCTURE, structure_value, vertebra_value
from foramen.model.levels import VERTEBRA_NUMBERS, Vertebra
from foramen.model.space import VolumeGeometry

OTHERS = 1000
"""Added to the level number of a vertebra that another map names, so that it can stand among the instances."""

_NAME_OF_NUMBER = {number: name for name, number in VERTEBRA_NUMBERS.items()}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Naming:
    """The label map with its instances named as far as counting goes, and a line on how."""

    values: NDArray[np.uint16]
    history: str


def unnamed_value() -> int:
    """Label of a vertebra whose level is not known."""
    return structure_value("unnamed_vertebra")


def parse_levels_of(texts: Sequence[str]) -> dict[int, str]:
    """What a person says of instances, from arguments such as ``3=L4``.

    Raises
    ------
    LevelError
        If one is not spelt ID=LEVEL, or an id is given two levels.
    """
    told: dict[int, str] = {}
    for text in texts:
        number, equals, name = text.partition("=")
        if not equals or not number.strip().isdigit() or name.strip() not in VERTEBRA_NUMBERS:
            raise LevelError(f"--level-of {text!r} is not spelt ID=LEVEL, such as 3=L4 (S1 stands for the sacrum).")
        if told.setdefault(int(number), name.strip()) != name.strip():
            raise LevelError(f"--level-of gives {int(number)} two levels, {told[int(number)]} and {name.strip()}.")
    return told


def name_instances(
    values: NDArray[np.uint16],
    instances: NDArray[np.uint16],
    geometry: VolumeGeometry,
    *,
    told: Mapping[int, str],
    source: str,
) -> Naming:
    """The label map with the vertebrae of an instance map named.

    Parameters
    ----------
    values : ndarray
        Label map in Foramen's numbers; instances still carry the label of an unnamed vertebra.
    instances : ndarray
        The instances' own numbers, 0 elsewhere.
    geometry : VolumeGeometry
        Grid of both.
    told : mapping
        Number -> level, as a person says.
    source : str
        Name of the file, for messages.

    Raises
    ------
    LevelError
        If counting names no vertebra above the sacrum, with the candidates of each and what to do; or a person
        named a number that is not there.
    """
    is_named = (values > 0) & (values < FIRST_STRUCTURE)
    bones = np.where(is_named, OTHERS + values // 100, instances).astype(np.uint16)
    ribs = np.isin(values, (structure_value("ribs_left"), structure_value("ribs_right")))
    known = {OTHERS + int(n): _NAME_OF_NUMBER[int(n)] for n in np.unique(values[is_named] // 100)}
    column = read_column(bones, geometry, ribs=ribs if ribs.any() else None, known=known)
    absent = sorted(set(told) - {bone.number for bone in column})
    if absent:
        there = ", ".join(str(bone.number) for bone in column if bone.number < OTHERS)
        raise LevelError(f"--level-of names {absent[0]}, which {source} does not have. Its vertebrae are {there}.")
    titled = [replace(bone, title=bone.known if bone.number > OTHERS else "") for bone in name_known(column, told)]
    count = count_column(titled)
    names = {number: name for number, name in count.names.items() if number < OTHERS}
    if not any(name != SACRUM for name in names.values()):
        raise LevelError(_why_not(column, count, source))
    named = values.copy()
    for number, name in names.items():
        named[(instances == number) & (values == unnamed_value())] = vertebra_value(Vertebra(name))
    return Naming(values=named, history=_history(count, names, told))


def _why_not(column: Sequence[ColumnBone], count: ColumnCount, source: str) -> str:
    rows = [
        f"{bone.number} ({bone.volume_mm3 / 1000:.0f} mL, {_place(bone)}): "
        + (count.names.get(bone.number) or in_words(count.candidates.get(bone.number, ())))
        for bone in column
        if bone.number < OTHERS
    ]
    return (
        f"{source} numbers vertebrae without naming them, and counting is ambiguous: {'; '.join(count.doubts)}. From "
        f"above downwards: {'; '.join(rows)}. Count on images that reach C2 or the sacrum with the last ribs, and name "
        "one of them with --level-of, such as --level-of "
        f"{next((b.number for b in column if b.number < OTHERS), 1)}=L4."
    )


def _place(bone: ColumnBone) -> str:
    cut = ", cut by the border" if bone.is_cut else ""
    return f"height {bone.centre_mm[2]:.0f} mm{cut}"


def _history(count: ColumnCount, names: Mapping[int, str], told: Mapping[int, str]) -> str:
    ordered = ", ".join(f"{number} = {name}" for number, name in sorted(names.items()))
    words = f"levels counted: {ordered}"
    if told:
        words += f"; a person named {', '.join(f'{number} = {name}' for number, name in sorted(told.items()))}"
    open_ones = {n: options for n, options in count.candidates.items() if n < OTHERS}
    if open_ones:
        words += "; left without a name: " + ", ".join(f"{n} ({in_words(o)})" for n, o in sorted(open_ones.items()))
    return words + (f"; ambiguous: {'; '.join(count.doubts)}" if count.doubts else "")
