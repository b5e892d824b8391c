"""What a case contains, and what is missing for which technique."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from foramen.anatomy.keep_outs import find_keep_outs
from foramen.geometry.skin import find_body
from foramen.io.dataclass_json import to_data
from foramen.io.inspect_anatomy import InspectedAnatomy, inspect_anatomy, no_anatomy
from foramen.io.inspect_needs import TechniqueNeeds, landmarks_needed, technique_needs
from foramen.io.label_maps import vertebrae_found
from foramen.knowledge.facts import number
from foramen.knowledge.labels import FIRST_STRUCTURE
from foramen.model.anatomy import Anatomy, KeepOut, KeepOutStatus, NerveKind
from foramen.model.case import Case
from foramen.model.levels import USUAL_ORDER, Vertebra
from foramen.model.space import LabelMap, Modality, PatientPosition, VolumeGeometry
from foramen.techniques import all_techniques

SCHEMA_NAME = "foramen-inspection"
SCHEMA_VERSION = "1.0"

NOT_LOOKED_FOR = "not looked for"
"""Reason of an inspection that was made without looking for landmarks and nerves."""

_LETTERS = (("L", "R"), ("P", "A"), ("H", "F"))


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
        Part of the body's voxels without a label (inferred from HU, or on an MR soft tissue); None without a body.
    keep_outs_shown, keep_outs_unknown : tuple of str
        Structures to keep away from that the labels show, and those that they do not.
    keep_outs : tuple of KeepOut
        The same with what is known of each; with an anatomy also the nerves to be spared.
    anatomy : InspectedAnatomy
        Level count, vertebrae with landmarks, nerves; or why there are none.
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
    keep_outs: tuple[KeepOut, ...]
    anatomy: InspectedAnatomy
    techniques: tuple[TechniqueNeeds, ...]
    history: tuple[str, ...]
    modality: str
    sequence: str
    is_patient_specific: bool

    def as_json(self) -> dict[str, object]:
        """The inspection as plain data."""
        data = to_data(self)
        if not isinstance(data, dict):
            raise TypeError("An inspection must become an object.")
        return {"schema": {"name": SCHEMA_NAME, "version": SCHEMA_VERSION}, **data}

    def lines(self) -> tuple[str, ...]:
        """The inspection in words, a line each."""
        spacing = " x ".join(f"{value:.3g}" for value in self.spacing_mm)
        is_stated = self.patient_position != PatientPosition.UNKNOWN
        lines = [
            f"Levels found: {', '.join(self.levels) or 'none'}",
            *([f"Touch the image's border, may be incomplete: {', '.join(self.cut_off)}"] if self.cut_off else []),
            *([f"Not labelled between others: {', '.join(self.absent_between)}"] if self.absent_between else []),
            *([] if self.is_patient_specific else ["NOT PATIENT-SPECIFIC: a reference body, no scan of this patient"]),
            f"Modality: {self.modality}{f', sequence {self.sequence}' if self.modality == Modality.MR else ''}",
            *self._lines_of_anatomy(),
            f"Image: {' x '.join(str(n) for n in self.shape)} voxels of {spacing} mm, axes towards {self.axes}",
            f"Patient position: {self.patient_position}{'' if is_stated else ' (plans stay at caution)'}",
            f"Acquired: {self.acquired_on or 'not known (NIfTI carries no date)'}",
        ]
        if self.unlabelled_body_fraction is not None:
            share = 100 * self.unlabelled_body_fraction
            how = "inferred from HU" if self.modality == Modality.CT else "taken as soft tissue"
            lines.append(f"Body without a label: {share:.0f} % of its voxels, tissue {how}")
        lines.append(f"Keep-outs that the labels show: {', '.join(self.keep_outs_shown) or 'none'}")
        lines.append(f"Keep-outs not imaged or not labelled (UNKNOWN): {', '.join(self.keep_outs_unknown) or 'none'}")
        lines += [f"{technique.technique}: {technique.in_words()}" for technique in self.techniques]
        return (*lines, *self.history)

    def lines_in_short(self) -> list[str]:
        """What must be seen at a glance: doubts about levels, bones without landmarks, keep-outs unknown, needs."""
        absent = [f"Not labelled between others: {', '.join(self.absent_between)}"] if self.absent_between else []
        return [
            *absent,
            *self._lines_of_anatomy(is_short=True),
            f"Keep-outs UNKNOWN: {', '.join(self.keep_outs_unknown) or 'none'}",
            *(f"{technique.technique}: {technique.in_words()}" for technique in self.techniques),
        ]

    def _lines_of_anatomy(self, *, is_short: bool = False) -> list[str]:
        anatomy = self.anatomy
        if not anatomy.is_found:
            return [] if anatomy.reason == NOT_LOOKED_FOR else [f"No landmarks, no nerves: {anatomy.reason}"]
        lines = []
        if anatomy.level_count is not None:
            doubt = "AMBIGUOUS" if anatomy.level_count.is_ambiguous else "in order"
            lines.append(f"Level count: {doubt}; {anatomy.level_count.method}; {anatomy.level_count.reason}")
        if not anatomy.is_patient_specific:
            lines.append("Anatomy: NOT patient-specific")
        for vertebra in anatomy.vertebrae:
            if is_short and vertebra.has_frame and not vertebra.note:
                continue
            if is_short:
                lines.append(f"{vertebra.level}: {vertebra.note}")
                continue
            found = [mark for mark in vertebra.landmarks if mark.is_found]
            counts = {word: sum(mark.confidence == word for mark in found) for word in ("high", "medium", "low")}
            words = ", ".join(f"{count} {word}" for word, count in counts.items() if count) or "none"
            lines.append(f"{vertebra.level} landmarks by confidence: {words}. {vertebra.note}".strip())
        lines.append(f"Nerves placed by the model, none of them seen on the scan: {len(anatomy.nerves)}")
        return lines


def inspect_case(case: Case, anatomy: Anatomy | None = None, *, reason: str = NOT_LOOKED_FOR) -> Inspection:
    """What a case contains, and what each technique lacks in it.

    Parameters
    ----------
    anatomy : Anatomy, optional
        Of this case, as planning uses it; without it landmarks and nerves are left out.
    reason : str
        Why there is no anatomy.
    """
    found = vertebrae_found(case.labels)
    cut_off = _touching_border(case.labels, found)
    geometry = case.image.geometry
    neural = {kind.value for kind in NerveKind}  # derived from the bones when planning, never labelled
    keep_outs = [keep_out for keep_out in find_keep_outs(case.labels, ()) if keep_out.name not in neural]
    needed = landmarks_needed(all_techniques(), found)
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
        keep_outs=tuple(keep_outs) if anatomy is None else anatomy.keep_outs,
        anatomy=no_anatomy(reason) if anatomy is None else inspect_anatomy(anatomy, found, needed),
        techniques=tuple(technique_needs(technique, found, cut_off, anatomy) for technique in all_techniques()),
        history=case.history,
        modality=case.image.modality.value,
        sequence=case.image.sequence.value,
        is_patient_specific=case.is_patient_specific,
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
