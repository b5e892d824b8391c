"""What a case contains, and what is missing for which technique."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from foramen.anatomy.keep_outs import find_keep_outs
from foramen.errors import LevelError
from foramen.geometry.skin import find_body
from foramen.io.dataclass_json import to_data
from foramen.io.label_maps import vertebrae_found
from foramen.knowledge.facts import number
from foramen.knowledge.labels import FIRST_STRUCTURE
from foramen.model.anatomy import KeepOutStatus, NerveKind
from foramen.model.case import Case
from foramen.model.levels import (
    USUAL_ORDER,
    Level,
    LevelKind,
    Root,
    Segment,
    Vertebra,
    VertebraSet,
    neighbour_below,
)
from foramen.model.space import LabelMap, PatientPosition, VolumeGeometry
from foramen.model.technique import Technique
from foramen.techniques import all_techniques

_LETTERS = (("L", "R"), ("P", "A"), ("H", "F"))

_REGION_LETTERS = {"cervical": "C", "thoracic": "T", "lumbar": "L"}


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelNeeds:
    """Whether a technique can be planned at one level as far as the labels go, and what it lacks."""

    level: str
    missing: tuple[str, ...]
    cut_off: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TechniqueNeeds:
    """The levels of one technique; those of which no vertebra is in the image are left out."""

    technique: str
    name: str
    levels: tuple[LevelNeeds, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """What a person should know of a case before trusting it.

    Parameters
    ----------
    levels : tuple of str
        Labelled vertebrae from above downwards.
    cut_off : tuple of str
        Those that touch the border of the image, so that a part may be missing.
    absent_between : tuple of str
        Vertebrae that the usual count puts between two labelled ones and that are not labelled.
    axes : str
        Where the array axes point: L R P A H F, most important letter of each.
    unlabelled_body_fraction : float or None
        Part of the body's voxels without a label (tissue is then inferred from HU); None without an image of a body.
    keep_outs_shown, keep_outs_unknown : tuple of str
        Structures to keep away from that the labels show, and those that they do not.
    """

    levels: tuple[str, ...]
    cut_off: tuple[str, ...]
    absent_between: tuple[str, ...]
    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    axes: str
    patient_position: str
    acquired_on: str
    unlabelled_body_fraction: float | None
    keep_outs_shown: tuple[str, ...]
    keep_outs_unknown: tuple[str, ...]
    techniques: tuple[TechniqueNeeds, ...]
    history: tuple[str, ...]

    def as_json(self) -> dict[str, object]:
        """The inspection as plain data."""
        data = to_data(self)
        if not isinstance(data, dict):
            raise TypeError("An inspection must become an object.")
        return data

    def lines(self) -> tuple[str, ...]:
        """The inspection in words, a line each."""
        spacing = " x ".join(f"{value:.3g}" for value in self.spacing_mm)
        is_stated = self.patient_position != PatientPosition.UNKNOWN
        lines = [
            f"Levels found: {', '.join(self.levels) or 'none'}",
            *([f"Touch the image's border, may be incomplete: {', '.join(self.cut_off)}"] if self.cut_off else []),
            *([f"Not labelled between others: {', '.join(self.absent_between)}"] if self.absent_between else []),
            f"Image: {' x '.join(str(n) for n in self.shape)} voxels of {spacing} mm, axes towards {self.axes}",
            f"Patient position: {self.patient_position}{'' if is_stated else ' (plans stay at caution)'}",
            f"Acquired: {self.acquired_on or 'not known (NIfTI carries no date)'}",
        ]
        if self.unlabelled_body_fraction is not None:
            share = 100 * self.unlabelled_body_fraction
            lines.append(f"Body without a label: {share:.0f} % of its voxels, tissue inferred from HU")
        lines.append(f"Keep-outs that the labels show: {', '.join(self.keep_outs_shown) or 'none'}")
        lines.append(f"Keep-outs not imaged or not labelled (UNKNOWN): {', '.join(self.keep_outs_unknown) or 'none'}")
        for technique in self.techniques:
            lines.append(f"{technique.technique}: {_levels_in_words(technique)}")
        return (*lines, *self.history)


def _levels_in_words(needs: TechniqueNeeds) -> str:
    words = [
        level.level
        + (f" (missing {', '.join(level.missing)})" if level.missing else "")
        + (f" ({', '.join(level.cut_off)} cut by the image's border)" if level.cut_off and not level.missing else "")
        for level in needs.levels
    ]
    return "; ".join(words) or "no level of this technique is in the image"


def inspect_case(case: Case) -> Inspection:
    """What a case contains, and what each technique lacks in it."""
    found = vertebrae_found(case.labels)
    cut_off = _touching_border(case.labels, found)
    geometry = case.image.geometry
    neural = {kind.value for kind in NerveKind}  # derived from the bones when planning, never labelled
    keep_outs = [keep_out for keep_out in find_keep_outs(case.labels, ()) if keep_out.name not in neural]
    spacing = geometry.spacing_mm
    return Inspection(
        levels=tuple(v.name for v in found),
        cut_off=tuple(v.name for v in cut_off),
        absent_between=_absent_between(found),
        shape=geometry.shape,
        spacing_mm=(float(spacing[0]), float(spacing[1]), float(spacing[2])),
        axes=axis_letters(geometry),
        patient_position=case.patient_position.value,
        acquired_on=case.acquired_on,
        unlabelled_body_fraction=_unlabelled_body_fraction(case),
        keep_outs_shown=tuple(k.name for k in keep_outs if k.status is KeepOutStatus.SHOWN),
        keep_outs_unknown=tuple(k.name for k in keep_outs if k.status is KeepOutStatus.UNKNOWN),
        techniques=tuple(_needs(technique, found, cut_off) for technique in all_techniques()),
        history=case.history,
    )


def axis_letters(geometry: VolumeGeometry) -> str:
    """Where the three array axes point, such as ``LPH`` (left, posterior, head)."""
    letters = ""
    for axis in range(3):
        direction = geometry.axes[:, axis]
        strongest = int(np.argmax(np.abs(direction)))
        letters += _LETTERS[strongest][0 if direction[strongest] > 0 else 1]
    return letters


def _touching_border(labels: LabelMap, found: tuple[Vertebra, ...]) -> tuple[Vertebra, ...]:
    border: set[int] = set()
    values = labels.values
    for axis in range(3):
        for end in (0, -1):
            face: NDArray[np.uint16] = np.take(values, end, axis=axis)
            border |= {int(n) // 100 for n in np.unique(face) if 0 < n < FIRST_STRUCTURE}
    return tuple(vertebra for vertebra in found if vertebra.number in border)


def _absent_between(found: tuple[Vertebra, ...]) -> tuple[str, ...]:
    names = [v.name for v in found if v.name in USUAL_ORDER]
    absent: list[str] = []
    for upper, lower in pairwise(names):
        absent += USUAL_ORDER[USUAL_ORDER.index(upper) + 1 : USUAL_ORDER.index(lower)]
    return tuple(absent)


def _unlabelled_body_fraction(case: Case) -> float | None:
    body = find_body(case.image, threshold_hu=number("tissues.air_below_hu"))
    thin = np.maximum(1, np.rint(body.geometry.spacing_mm / case.image.geometry.spacing_mm)).astype(int)
    inside = body.inside >= 0.5
    if not inside.any():
        return None
    labels = case.labels.values[:: thin[0], :: thin[1], :: thin[2]]
    return float((labels[inside] == 0).mean())


def _needs(technique: Technique, found: tuple[Vertebra, ...], cut_off: tuple[Vertebra, ...]) -> TechniqueNeeds:
    levels: list[LevelNeeds] = []
    for level in _levels_of(technique):
        try:
            needed = technique.needs_vertebrae(level)
        except LevelError:
            continue  # the technique does not treat this level
        if not any(vertebra in found for vertebra in needed):
            continue
        levels.append(
            LevelNeeds(
                level=str(level),
                missing=tuple(v.name for v in needed if v not in found),
                cut_off=tuple(v.name for v in needed if v in cut_off),
            )
        )
    return TechniqueNeeds(technique=technique.id, name=technique.name, levels=tuple(levels))


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
