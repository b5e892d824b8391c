"""Names of vertebrae by counting: right, or "ambiguous" with the candidates.

Every column of 7 cervical, 11 to 13 thoracic and 4 to 6 lumbar vertebrae is held beside the bones in view and what is
known of them: which is the sacrum or C2, which bear ribs. A departure from 7 + 12 + 5 costs one (also where a border
between regions is shifted and the sum stays 24), and so does a rib that a labelling program may have missed. A bone
has a name where every column that costs at most one more than the cheapest gives it the same one. So a sacrum alone
names nothing (a sixth lumbar vertebra looks like a fifth), a sacrum below five vertebrae without ribs below one with
ribs names the five, and the neck is named down from C2.

Two departures at once that together look like a usual spine are not found: a fifth lumbar vertebra that is sacralised
(or labelled as one with the sacrum) and a lowest rib that was not labelled, in a scan that does not reach the neck;
or a thirteenth rib that was not labelled in one that does not reach the sacrum.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, product

import numpy as np

from foramen.knowledge.facts import number, numbers
from foramen.model.levels import VERTEBRA_NUMBERS
from foramen.model.space import FloatArray

SACRUM = "S1"

NEXT_BEST = 1
"""A name must be that of every column that costs at most this much more than the cheapest."""

STILL_OPEN = 2
"""Of a bone without a name, columns that cost at most this much more give the candidates."""

IMPOSSIBLE = 99
"""Cost of a column that the bones in view rule out."""

DEAREST = 1
"""Where the cheapest column costs more than this, the bones show too much that is odd to name any."""

BESIDE = 2
"""How many bones on either side a bone is compared with."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ColumnBone:
    """One vertebra (or the sacrum) of a column.

    Parameters
    ----------
    number : int
        Its number in the label map.
    centre_mm : ndarray, shape (3,)
        Centre of its voxels, LPS.
    volume_mm3 : float
        Volume of its voxels.
    is_cut : bool
        Whether the upper or lower border of the image cuts it, so that centre and volume are not a whole bone's.
    gap_below_mm : float
        Shortest distance to the next bone below; 0 where there is none or it was not measured.
    has_rib : bool or None
        Whether a rib comes near; None where that is not known.
    known : str
        Its name, where a label or a person says so; empty otherwise.
    is_split : bool
        Whether its number lies on two bones.
    title : str
        What it is called in doubts; its number if empty.
    """

    number: int
    centre_mm: FloatArray
    volume_mm3: float
    is_cut: bool = False
    gap_below_mm: float = 0.0
    has_rib: bool | None = None
    known: str = ""
    is_split: bool = False
    title: str = ""

    def __str__(self) -> str:
        return self.title or str(self.number)


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnCount:
    """What counting makes of a column.

    Parameters
    ----------
    names : dict
        Number in the label map -> name, of those bones that can have no other.
    candidates : dict
        Number in the label map -> names that it may have, of the others; empty where it cannot be counted.
    doubts : tuple of str
        Why the count is doubted; none if every bone has its name and the column is the usual one.
    """

    names: Mapping[int, str]
    candidates: Mapping[int, tuple[str, ...]]
    doubts: tuple[str, ...]

    @property
    def is_ambiguous(self) -> bool:
        """Whether a person must confirm the count."""
        return bool(self.doubts)


def count_column(bones: Iterable[ColumnBone]) -> ColumnCount:
    """Names of the bones of one column by counting; they may come in any order.

    Parameters
    ----------
    bones : iterable of ColumnBone
        All of one patient's column, each number once.
    """
    ordered = sorted(bones, key=lambda bone: -float(bone.centre_mm[2]))
    apart, odd, doubts = _faults(ordered)
    names = {bone.number: bone.known for bone in ordered if bone.number in odd and bone.known and not bone.is_split}
    candidates: dict[int, tuple[str, ...]] = dict.fromkeys(sorted(odd - set(names)), ())
    unnamed: list[ColumnBone] = []
    for run in _unbroken(ordered, apart, odd):
        found, cost = _fit(run)
        if not found:
            doubts.append(f"no spine has {_listed(run)} in this order with {_told(run)}")
        elif cost:
            doubts.append(_not_usual(run, found))
        for place, bone in enumerate(run):
            likely = {column[place] for column, price in found.items() if price <= cost + NEXT_BEST}
            if len(likely) == 1 and cost <= DEAREST and _is_anchored(run):
                names[bone.number] = likely.pop()
                continue
            candidates[bone.number] = tuple(sorted({column[place] for column in found}, key=rank))
            if found and not cost:
                unnamed.append(bone)
    unnamed += [bone for bone in ordered if bone.number in candidates and bone not in unnamed and not doubts]
    if unnamed:
        doubts.append(f"nothing in view fixes the names of {', '.join(map(str, unnamed))}")
    return ColumnCount(names=names, candidates=candidates, doubts=tuple(doubts))


def column_names(thoracic: int, lumbar: int) -> tuple[str, ...]:
    """Names from C1 to the sacrum of a spine with so many thoracic and lumbar vertebrae."""
    return (
        *(f"C{i}" for i in range(1, 8)),
        *(f"T{i}" for i in range(1, thoracic + 1)),
        *(f"L{i}" for i in range(1, lumbar + 1)),
        SACRUM,
    )


def rank(name: str) -> float:
    """Place of a name from above downwards; T13 lies between T12 and L1, although its number is 28."""
    return VERTEBRA_NUMBERS["T12"] + 0.5 if name == "T13" else float(VERTEBRA_NUMBERS[name])


def in_words(options: Sequence[str]) -> str:
    """Candidates in words; many are said as a range."""
    if not options:
        return "cannot be counted"
    return f"{options[0]} to {options[-1]}" if len(options) > 4 else " or ".join(options)


def step_limits_mm(name: str) -> tuple[float, float]:
    """Shortest and longest distance from the centre of a vertebra to the next one below, in any adult."""
    shortest, longest = numbers(f"counting.{_region(name)}_step_mm")
    return shortest, longest


def largest_volume_mm3(name: str) -> float:
    """Volume above which no vertebra of that region is; infinite from L1 downwards."""
    region = _region(name) if name != SACRUM else "sacral"
    return float("inf") if region in ("lumbar", "sacral") else number(f"counting.{region}_largest_mm3")


def _faults(bones: Sequence[ColumnBone]) -> tuple[set[int], set[int], list[str]]:
    """Places below which the column is broken, numbers of bones that may be two or none, and both in words."""
    odd, doubts = _odd_bones(bones)
    apart = set[int]()
    steps_mm = [_step_mm(upper, lower) for upper, lower in pairwise(bones)]
    is_whole_step = [_is_whole_step(upper, lower) for upper, lower in pairwise(bones)]
    for place, (upper, lower) in enumerate(pairwise(bones)):
        usual = _beside(steps_mm, is_whole_step, place)
        # beside an odd bone the count stops anyway, and its step says nothing
        is_measure = lower.known != SACRUM and not odd & {upper.number, lower.number}
        is_long = is_measure and usual is not None and steps_mm[place] > number("counting.gap_step_ratio") * usual
        if is_long or upper.gap_below_mm > number("counting.largest_gap_mm"):
            apart.add(place)
            doubts.append(
                f"a vertebra between {upper} and {lower} seems not to be labelled "
                f"({steps_mm[place]:.0f} mm from centre to centre)"
            )
        if upper.centre_mm[2] - lower.centre_mm[2] < number("counting.side_by_side_mm"):
            odd |= {upper.number, lower.number}
            doubts.append(f"{upper} and {lower} lie side by side")
    return apart, odd, doubts


def _odd_bones(bones: Sequence[ColumnBone]) -> tuple[set[int], list[str]]:
    """Numbers of bones that may be two or a piece of one, or that nothing can be held against, and why."""
    odd, doubts = set[int](), list[str]()
    for place, bone in enumerate(bones):
        usual = _neighbours_volume_mm3(bones, place)
        if bone.is_split:
            odd.add(bone.number)
            doubts.append(f"{bone} lies on two bones")
        if bone.known in (SACRUM, "C1"):
            continue
        if usual is None:  # it may be two, and nothing tells
            odd.add(bone.number)
            continue
        size = f"{bone} is {bone.volume_mm3 / usual:.1f} times as large as its neighbours"
        if bone.volume_mm3 > _largest_ratio(bone) * usual:
            odd.add(bone.number)
            doubts.append(f"{size}: two bones?")
        elif not bone.is_cut and bone.volume_mm3 < number("counting.fragment_volume_ratio") * usual:
            odd.add(bone.number)
            doubts.append(f"{size}: a piece of one?")
    return odd, doubts


def _step_mm(upper: ColumnBone, lower: ColumnBone) -> float:
    return float(np.linalg.norm(lower.centre_mm - upper.centre_mm))


def _is_whole_step(upper: ColumnBone, lower: ColumnBone) -> bool:
    """Whether both centres are those of whole vertebrae with a body, so that the step is as long as a vertebra."""
    return not (upper.is_cut or lower.is_cut or lower.known == SACRUM or upper.known == "C1")


def _largest_ratio(bone: ColumnBone) -> float:
    """Volume beside its neighbours' above which a bone may be two."""
    if bone.is_cut:
        return number("counting.cut_volume_ratio")
    return number("counting.axis_volume_ratio" if bone.known == "C2" else "counting.merged_volume_ratio")


def _neighbours_volume_mm3(bones: Sequence[ColumnBone], place: int) -> float | None:
    """Mean volume of the nearest whole vertebra of the usual form above and below a place; None without one near."""
    found = []
    for way in (-1, 1):
        near = [place + way * far for far in range(1, BESIDE + 1) if 0 <= place + way * far < len(bones)]
        found += [bones[i].volume_mm3 for i in near if _is_measure(bones, i)][:1]
    return float(np.mean(found)) if found else None


def _is_measure(bones: Sequence[ColumnBone], place: int) -> bool:
    """Whether a bone is whole and of a size that its neighbours can be held to (no sacrum, no merged pair)."""
    bone = bones[place]
    others = [other.volume_mm3 for other in (*bones[max(0, place - 3) : place], *bones[place + 1 : place + 4])]
    is_large = bool(others) and bone.volume_mm3 > number("counting.merged_volume_ratio") * float(np.median(others))
    return not (bone.is_cut or is_large or bone.known in (SACRUM, "C1", "C2"))


def _beside(values: Sequence[float], is_usable: Sequence[bool], place: int) -> float | None:
    """Median of the usable values near a place, without its own; None if there is none."""
    near = range(max(0, place - BESIDE), min(len(values), place + BESIDE + 1))
    usable = [values[i] for i in near if i != place and is_usable[i]]
    return float(np.median(usable)) if usable else None


def _unbroken(bones: Sequence[ColumnBone], apart: set[int], odd: set[int]) -> list[list[ColumnBone]]:
    """Runs of bones without a break; an odd bone may be two or none, so nothing is counted across it."""
    runs: list[list[ColumnBone]] = [[]]
    for place, bone in enumerate(bones):
        if bone.number in odd:
            runs.append([])
        else:
            runs[-1].append(bone)
        if place in apart:
            runs.append([])
    return [run for run in runs if run]


def _is_anchored(run: Sequence[ColumnBone]) -> bool:
    """Whether anything but size tells where in the spine a run lies."""
    return any(bone.known for bone in run) or {True, False} <= {bone.has_rib for bone in run}


def _fit(run: Sequence[ColumnBone]) -> tuple[dict[tuple[str, ...], int], int]:
    """Every naming of a run that is still open with its cost, and the cost of the cheapest."""
    costs: dict[tuple[str, ...], int] = {}
    for thoracic, lumbar in product((11, 12, 13), (4, 5, 6)):
        column = column_names(thoracic, lumbar)
        for first in range(len(column) - len(run) + 1):
            names = column[first : first + len(run)]
            cost = _departures(thoracic, lumbar) + _misfit(run, names, thoracic)
            costs[names] = min(cost, costs.get(names, IMPOSSIBLE))
    best = min(costs.values(), default=IMPOSSIBLE)
    if best >= IMPOSSIBLE:
        return {}, 0
    return {names: cost for names, cost in costs.items() if cost <= best + STILL_OPEN}, best


def _departures(thoracic: int, lumbar: int) -> int:
    """How many vertebrae lie in another region than usual, or are more or fewer than usual."""
    return max(abs(thoracic - 12), abs(lumbar - 5), abs(thoracic + lumbar - 17))


def _misfit(run: Sequence[ColumnBone], names: Sequence[str], thoracic: int) -> int:
    """What it costs to give a run these names, as far as its bones show."""
    cost = 0
    for bone, name in zip(run, names, strict=True):
        if bone.known not in ("", name) or (name == SACRUM and not (bone.known or bone.is_cut)):
            return IMPOSSIBLE
        cost += _rib_misfit(bone, name, thoracic)
    for (upper, lower), (name, below) in zip(pairwise(run), pairwise(names), strict=True):
        if below == SACRUM:
            continue
        shortest, longest = step_limits_mm(name)
        step = _step_mm(upper, lower)
        if step > longest or (step < shortest and _is_whole_step(upper, lower)):
            return IMPOSSIBLE
    return cost


def _rib_misfit(bone: ColumnBone, name: str, thoracic: int) -> int:
    is_thoracic = name.startswith("T")
    if bone.has_rib is None or bone.has_rib is is_thoracic or (bone.is_cut and not bone.has_rib):
        return 0
    if bone.has_rib and name.startswith("C") and name != "C7":
        return IMPOSSIBLE
    return 1 if name in (f"T{thoracic}", "C7") else 2  # a short lowest rib is missed; C7 may bear one


def _region(name: str) -> str:
    if name.startswith("T"):
        return "upper_thoracic" if int(name[1:]) < 5 else "lower_thoracic"
    return "cervical" if name.startswith("C") else "lumbar"


def _not_usual(run: Sequence[ColumnBone], found: Iterable[tuple[str, ...]]) -> str:
    """In words, that a run fits no usual spine."""
    extra = sorted({name for names in found for name in names} & {"T13", "L6"}, key=rank)
    kind = f", such as {' or '.join(extra)}" if extra else ""
    tops = [place - int(bone.known[1]) for place, bone in enumerate(run) if bone.known in ("C1", "C2")]
    if tops and run[-1].known == SACRUM:
        presacral = len(run) - 2 - tops[0]
        if presacral != number("counting.presacral_vertebrae"):
            return f"{presacral} vertebrae above the sacrum, not 24: one is transitional or missing{kind}"
    return f"{_listed(run)} fit no usual spine: one is transitional, or a rib or a vertebra is not labelled{kind}"


def _told(run: Sequence[ColumnBone]) -> str:
    return ", ".join(f"{bone} as {bone.known}" for bone in run if bone.known) or "these ribs and distances"


def _listed(run: Sequence[ColumnBone]) -> str:
    shown = [str(bone) for bone in run]
    return ", ".join(shown) if len(shown) < 5 else f"{shown[0]}, {shown[1]} ... {shown[-1]}"
