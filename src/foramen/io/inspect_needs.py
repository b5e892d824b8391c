"""What each technique lacks in a case, level by level and side by side: vertebrae, landmarks, nerves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from foramen.errors import ForamenError, LandmarkError, LevelError
from foramen.model.anatomy import Anatomy, LandmarkName, Nerve, NerveKind
from foramen.model.levels import (
    USUAL_ORDER,
    Level,
    LevelKind,
    Root,
    Segment,
    Side,
    Vertebra,
    VertebraSet,
    neighbour_below,
)
from foramen.model.plan import Target
from foramen.model.technique import Technique

_REGION_LETTERS = {"cervical": "C", "thoracic": "T", "lumbar": "L"}

_ROOT_KINDS = (NerveKind.SPINAL_NERVE, NerveKind.DORSAL_ROOT_GANGLION)


@dataclass(frozen=True, slots=True, kw_only=True)
class SideNeeds:
    """What a technique lacks on one side of a level.

    Parameters
    ----------
    missing_landmarks : tuple of str
        Such as ``L4 sap_tp_junction``.
    missing_nerves : tuple of str
        Roots of nerves that the technique treats here and that were not placed.
    problem : str
        Why no target can be placed, in words; empty if all of them can.
    confidence_fraction : float or None
        Lowest confidence of a target's landmarks; None without targets.
    position_sd_mm : float or None
        Largest standard uncertainty of a target's position; None without targets.
    """

    side: str
    missing_landmarks: tuple[str, ...]
    missing_nerves: tuple[str, ...]
    problem: str
    confidence_fraction: float | None
    position_sd_mm: float | None

    @property
    def is_plannable(self) -> bool:
        """Whether every target was placed."""
        return not self.problem


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelNeeds:
    """Whether a technique can be planned at one level as far as the labels go, and what it lacks.

    `sides` is empty where no anatomy was looked for or found.
    """

    level: str
    missing: tuple[str, ...]
    cut_off: tuple[str, ...]
    sides: tuple[SideNeeds, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TechniqueNeeds:
    """The levels of one technique; those of which no vertebra is in the image are left out."""

    technique: str
    name: str
    levels: tuple[LevelNeeds, ...]

    def in_words(self) -> str:
        """The levels with what they lack, in one line."""
        return (
            "; ".join(_level_in_words(level) for level in self.levels) or "no level of this technique is in the image"
        )


def _level_in_words(level: LevelNeeds) -> str:
    words = level.level
    if level.missing:
        return f"{words} (missing {', '.join(level.missing)})"
    if level.cut_off:
        words += f" ({', '.join(level.cut_off)} cut by the image's border)"
    failed = [side for side in level.sides if not side.is_plannable]
    if len(failed) == 2 and failed[0].problem == failed[1].problem:
        return f"{words} (no target: {failed[0].problem})"
    return words + "".join(f" ({side.side}: no target: {side.problem})" for side in failed)


def technique_needs(
    technique: Technique, found: tuple[Vertebra, ...], cut_off: tuple[Vertebra, ...], anatomy: Anatomy | None
) -> TechniqueNeeds:
    """What a technique lacks at each of its levels that are at least in part in the image.

    Parameters
    ----------
    found, cut_off : tuple of Vertebra
        Labelled vertebrae, and those of them that touch the image's border.
    anatomy : Anatomy or None
        As planning uses it; without it only vertebrae can be told.
    """
    levels: list[LevelNeeds] = []
    for level, needed in _levels_in_image(technique, found):
        levels.append(
            LevelNeeds(
                level=str(level),
                missing=tuple(v.name for v in needed if v not in found),
                cut_off=tuple(v.name for v in needed if v in cut_off),
                sides=() if anatomy is None else tuple(_side(technique, level, side, anatomy) for side in Side),
            )
        )
    return TechniqueNeeds(technique=technique.id, name=technique.name, levels=tuple(levels))


def landmarks_needed(
    techniques: Iterable[Technique], found: tuple[Vertebra, ...]
) -> dict[Vertebra, frozenset[LandmarkName]]:
    """The landmarks that some technique needs on each labelled vertebra, at any of its levels."""
    needed: dict[Vertebra, set[LandmarkName]] = {vertebra: set() for vertebra in found}
    for technique in techniques:
        for level, _ in _levels_in_image(technique, found):
            for vertebra, name in technique.needs_landmarks(level):
                needed.setdefault(vertebra, set()).add(name)
    return {vertebra: frozenset(names) for vertebra, names in needed.items()}


def _levels_in_image(technique: Technique, found: tuple[Vertebra, ...]) -> list[tuple[Level, tuple[Vertebra, ...]]]:
    levels = []
    for level in _levels_of(technique):
        try:
            needed = technique.needs_vertebrae(level)
        except LevelError:
            continue  # the technique does not treat this level
        if any(vertebra in found for vertebra in needed):
            levels.append((level, needed))
    return levels


def _side(technique: Technique, level: Level, side: Side, anatomy: Anatomy) -> SideNeeds:
    missing = [
        f"{vertebra} {name.value}"
        for vertebra, name in technique.needs_landmarks(level)
        if not _has_landmark(anatomy, vertebra, name, side)
    ]
    bones = technique.needs_vertebrae(level)
    placed = {n.root.name for n in anatomy.nerves if n.side is side and _is_treated(technique, n, bones)}
    problem = ""
    targets: tuple[Target, ...] = ()
    try:
        targets = technique.find_targets(anatomy, level, side)
    except ForamenError as failure:
        problem = str(failure)
    return SideNeeds(
        side=side.value,
        missing_landmarks=tuple(dict.fromkeys(missing)),
        missing_nerves=tuple(sorted(technique.treated_nerves(level) - placed)),
        problem=problem,
        confidence_fraction=round(min(t.confidence_fraction for t in targets), 4) if targets else None,
        position_sd_mm=round(max(t.position_sd_mm for t in targets), 3) if targets else None,
    )


def _has_landmark(anatomy: Anatomy, vertebra: Vertebra, name: LandmarkName, side: Side) -> bool:
    try:
        anatomy.vertebra(vertebra).landmark(name, side)
    except (LandmarkError, LevelError):
        return False
    return True


def _is_treated(technique: Technique, nerve: Nerve, bones: tuple[Vertebra, ...]) -> bool:
    """Whether a nerve is of the sort that a technique treats: the root itself, or a branch on one of its bones."""
    if technique.level_kind is LevelKind.ROOT:
        return nerve.kind in _ROOT_KINDS
    return nerve.crosses in bones


def _levels_of(technique: Technique) -> Iterable[Level]:
    letter = _REGION_LETTERS.get(technique.region, "")
    vertebrae = [Vertebra(name) for name in USUAL_ORDER]
    if technique.level_kind is LevelKind.SEGMENT:
        pairs = [(v, below) for v in vertebrae if (below := neighbour_below(v)) is not None]
        return [Segment(f"{upper}-{lower}") for upper, lower in pairs if upper.name.startswith(letter)]
    here = [v for v in vertebrae if v.name.startswith(letter)]
    if technique.level_kind is LevelKind.ROOT:
        return [Root(v.name) for v in here]
    if technique.level_kind is LevelKind.VERTEBRA_SET:
        return [VertebraSet((v,)) for v in here]
    if technique.level_kind is LevelKind.SACRUM:
        return [Vertebra("S1")]
    return here
