"""How far the naming of the levels can be trusted: by their names, and by counting the bones."""

from __future__ import annotations

from dataclasses import replace

import cc3d
import numpy as np
from numpy.typing import NDArray

from foramen.anatomy.column import read_column
from foramen.anatomy.counting import ColumnBone, count_column, in_words, rank
from foramen.errors import LevelError
from foramen.knowledge.labels import FIRST_STRUCTURE, structure_value
from foramen.model.anatomy import LevelCount
from foramen.model.levels import USUAL_ORDER, VERTEBRA_NUMBERS, Vertebra
from foramen.model.space import LabelMap

FEWEST_VOXELS_NAMED = 20
"""Fewer voxels of a vertebra than this are labelling crumbs and name nothing."""

UNNAMED = 100
"""First number of the bones that the label map shows without a name."""

_NAME_OF_NUMBER = {number: name for name, number in VERTEBRA_NUMBERS.items()}

_ANCHORS = ("C1", "C2", "S1")
"""Vertebrae whose form tells their name, so that a label of them can be believed and counted from."""


def labelled_levels(labels: LabelMap) -> tuple[Vertebra, ...]:
    """Vertebrae in a label map, from above downwards; raises `LevelError` if there is none."""
    numbers, counts = np.unique(labels.values[labels.values < FIRST_STRUCTURE] // 100, return_counts=True)
    shown = {int(n) for n, c in zip(numbers, counts, strict=True) if n > 0 and c >= FEWEST_VOXELS_NAMED}
    found = [Vertebra(name) for name, number in VERTEBRA_NUMBERS.items() if number in shown]
    if not found and (labels.values == structure_value("unnamed_vertebra")).any():
        raise LevelError(
            "No vertebra of the label map has a name: counting was ambiguous. Import it again and name one with "
            "--level-of ID=LEVEL."
        )
    if not found:
        raise LevelError("The label map shows no vertebra. Give a label map of the spine (case import --labels).")
    return tuple(sorted(found, key=lambda vertebra: rank(vertebra.name)))


def count_levels(labels: LabelMap, levels: tuple[Vertebra, ...]) -> LevelCount:
    """How the levels were named and every reason to doubt it: names and the count of the bones together."""
    names = [v.name for v in levels]
    ribs = np.isin(labels.values, (structure_value("ribs_left"), structure_value("ribs_right")))
    doubts = _doubts_of_names(names, has_ribs=bool(ribs.any())) + _doubts_of_counting(labels, ribs)
    reason = (
        "; ".join(doubts) or "thoracic vertebrae with ribs, five lumbar vertebrae and the sacrum are labelled in order"
    )
    return LevelCount(
        method=f"names in the label map ({names[0]} to {names[-1]})", is_ambiguous=bool(doubts), reason=reason
    )


def _doubts_of_names(names: list[str], *, has_ribs: bool) -> list[str]:
    doubts = []
    if "S1" not in names:
        doubts.append("the sacrum is not labelled, so the count from below cannot be checked")
    if not {"T11", "T12"} & set(names):
        doubts.append("neither T11 nor T12 is labelled, so the count from above cannot be checked")
    elif not has_ribs:
        doubts.append("no rib is labelled, so the lowest thoracic vertebra cannot be told from a lumbar one")
    doubts.extend(
        f"{extra} is labelled: a transitional or supernumerary vertebra" for extra in names if extra in ("T13", "L6")
    )
    usual = [USUAL_ORDER.index(n) for n in names if n in USUAL_ORDER]
    missing = [USUAL_ORDER[i] for i in range(usual[0], usual[-1] + 1) if i not in usual] if usual else []
    if missing:
        doubts.append(f"{', '.join(missing)} between {names[0]} and {names[-1]} is not labelled")
    return doubts


def _doubts_of_counting(labels: LabelMap, ribs: NDArray[np.bool_]) -> list[str]:
    """What the bones themselves say against their names, in words."""
    bones = _bones(labels)
    known = {number: name for number, name in _NAME_OF_NUMBER.items() if name in _ANCHORS}
    column = read_column(bones, labels.geometry, ribs=ribs if ribs.any() else None, known=known)
    titled = [replace(bone, title=_NAME_OF_NUMBER.get(bone.number, "one without a name")) for bone in column]
    count = count_column(titled)
    doubts = [doubt for doubt in count.doubts if "nothing in view" not in doubt]
    unnamed = [bone for bone in column if bone.number >= UNNAMED]
    if unnamed:
        words = "1 vertebra is" if len(unnamed) == 1 else f"{len(unnamed)} vertebrae are"
        doubts.append(f"{words} labelled without a name, because counting did not fix it")
    for bone in column:
        name = _NAME_OF_NUMBER.get(bone.number)
        options = (count.names[bone.number],) if bone.number in count.names else count.candidates[bone.number]
        if name is not None and options and name not in options:
            doubts.append(f"the vertebra labelled {name} would be {in_words(options)} by counting{_from(column)}")
    return doubts


def _bones(labels: LabelMap) -> NDArray[np.uint16]:
    """A number for each vertebra: that of its level, or from 100 on for those without a name."""
    bones = np.where(labels.values < FIRST_STRUCTURE, labels.values // 100, 0).astype(np.uint16)
    is_unnamed = labels.values == structure_value("unnamed_vertebra")
    if is_unnamed.any():
        pieces = cc3d.connected_components(is_unnamed, connectivity=26)
        bones = np.where(is_unnamed, UNNAMED + pieces, bones).astype(np.uint16)
    return bones


def _from(column: tuple[ColumnBone, ...]) -> str:
    told = [bone.known for bone in column if bone.known]
    return f" from {' and '.join(told)}" if told else ""
