"""How far the naming of the levels can be trusted."""

from __future__ import annotations

import numpy as np

from foramen.errors import LevelError
from foramen.knowledge.labels import structure_value
from foramen.model.anatomy import LevelCount
from foramen.model.levels import USUAL_ORDER, VERTEBRA_NUMBERS, Vertebra
from foramen.model.space import LabelMap

FEWEST_VOXELS_NAMED = 20
"""Fewer voxels of a vertebra than this are labelling crumbs and name nothing."""


def labelled_levels(labels: LabelMap) -> tuple[Vertebra, ...]:
    """Vertebrae in a label map, from above downwards; raises `LevelError` if there is none."""
    numbers, counts = np.unique(labels.values[labels.values < 5000] // 100, return_counts=True)
    shown = {int(n) for n, c in zip(numbers, counts, strict=True) if n > 0 and c >= FEWEST_VOXELS_NAMED}
    found = [Vertebra(name) for name, number in VERTEBRA_NUMBERS.items() if number in shown]
    if not found:
        raise LevelError("The label map shows no vertebra. Give a label map of the spine (case import --labels).")
    return tuple(sorted(found, key=_rank))


def count_levels(labels: LabelMap, levels: tuple[Vertebra, ...]) -> LevelCount:
    """How the levels were named and every reason to doubt it."""
    names = [v.name for v in levels]
    doubts = []
    if "S1" not in names:
        doubts.append("the sacrum is not labelled, so the count from below cannot be checked")
    ribs = {structure_value("ribs_left"), structure_value("ribs_right")} & set(np.unique(labels.values).tolist())
    if not {"T11", "T12"} & set(names):
        doubts.append("no thoracic vertebra is labelled, so the count from above cannot be checked")
    elif not ribs:
        doubts.append("no rib is labelled, so the lowest thoracic vertebra cannot be told from a lumbar one")
    doubts.extend(
        f"{extra} is labelled: a transitional or supernumerary vertebra" for extra in names if extra in _EXTRA
    )
    usual = [USUAL_ORDER.index(n) for n in names if n in USUAL_ORDER]
    missing = [USUAL_ORDER[i] for i in range(usual[0], usual[-1] + 1) if i not in usual] if usual else []
    if missing:
        doubts.append(f"{', '.join(missing)} between {names[0]} and {names[-1]} is not labelled")
    reason = (
        "; ".join(doubts) or "thoracic vertebrae with ribs, five lumbar vertebrae and the sacrum are labelled in order"
    )
    return LevelCount(
        method=f"names in the label map ({names[0]} to {names[-1]})", is_ambiguous=bool(doubts), reason=reason
    )


_EXTRA = ("T13", "L6")


def _rank(vertebra: Vertebra) -> float:
    """Place from above downwards; T13 lies between T12 and L1, although its number is 28."""
    return VERTEBRA_NUMBERS["T12"] + 0.5 if vertebra.name == "T13" else float(vertebra.number)
