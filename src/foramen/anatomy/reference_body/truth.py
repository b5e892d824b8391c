"""Landmarks, nerves and keep-outs of a reference body: its truth in LPS."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from foramen.anatomy.reference_body.course import Course, Lie
from foramen.anatomy.reference_body.lay_course import clear_of_bones
from foramen.anatomy.reference_body.placement import Placement
from foramen.anatomy.reference_body.regions import region_of
from foramen.anatomy.reference_body.vertebra import on_side, reference_vertebra
from foramen.knowledge.drawings import drawing
from foramen.knowledge.labels import structure_labels
from foramen.model.anatomy import (
    Anatomy,
    KeepOut,
    KeepOutStatus,
    Landmark,
    LevelCount,
    Nerve,
    NerveKind,
    Origin,
    VertebraAnatomy,
)
from foramen.model.levels import Root, Side, Vertebra
from foramen.model.space import FloatArray

DRAWN_KEEP_OUTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "cervical": (
            "thecal_sac", "canal", "vertebral_artery", "carotid_artery", "jugular_vein", "bowel", "pleura",
            "solid_organs",
        ),
        "thoracic": ("thecal_sac", "canal", "aorta", "other_vessels", "pleura", "bowel"),
        "lumbar": (
            "thecal_sac", "canal", "aorta", "inferior_vena_cava", "iliac_vessels", "kidneys", "bowel", "solid_organs",
        ),
    }
)  # fmt: skip
"""Keep-out groups of labels.yaml that the reference body shows at the vertebrae of a region."""

SIDES: tuple[Side | None, ...] = (*Side, None)
"""Left, right and, for nerves of the midline, none."""

Placements = Mapping[Vertebra, Placement]


def true_anatomy(placements: Placements, frame_uid: str, levels: tuple[Vertebra, ...]) -> Anatomy:
    """The truth of a body: frames, landmarks and nerves of `levels`, and its keep-outs.

    Parameters
    ----------
    placements : mapping
        All bones of the body, also those beside the image.
    frame_uid : str
        Frame of reference of the body.
    levels : tuple of Vertebra
        Bones in the image, from above downwards.
    """
    spinal = [n for level in levels for side in SIDES for n in _spinal_nerves(level, side, placements)]
    branches = [n for level in levels for side in SIDES for n in _branches(level, side, placements)]
    return Anatomy(
        frame_uid=frame_uid,
        vertebrae=tuple(_vertebra(placements[level]) for level in levels),
        nerves=(*spinal, *branches),
        keep_outs=_keep_outs(levels),
        level_count=LevelCount(
            method="generated", is_ambiguous=False, reason="The reference body names its own levels."
        ),
        is_patient_specific=False,
        notes=("Reference body made by code: not a patient.",),
    )


def _vertebra(placement: Placement) -> VertebraAnatomy:
    reference = reference_vertebra(placement.level)
    sd_mm = drawing("reference_bones.landmarks").numbers["sd_mm"]
    landmarks = tuple(
        Landmark(
            name=name,
            vertebra=placement.level,
            side=side,
            position_mm=placement.to_lps(point),
            sd_mm=sd_mm,
            confidence_fraction=1.0,
            origin=Origin.TRUTH,
        )
        for (name, side), point in reference.landmarks.items()
    )
    return VertebraAnatomy(level=placement.level, frame=placement.frame, landmarks=landmarks, is_complete=True)


def _spinal_nerves(level: Vertebra, side: Side | None, placements: Placements) -> list[Nerve]:
    """Nerves of a bone that it does not carry on its surface: spinal nerves with their ganglia, and others."""
    found = []
    for course in reference_vertebra(level).courses:
        if not course.is_own or course.lie is Lie.ON_BONE or side not in course.sides:
            continue
        line = _spinal_line(level, course, side, placements)
        found.append(_nerve(course, line, side, None))
        if course.ganglion is not None:
            found.append(_ganglion(course, line, side))
    return found


def _branches(level: Vertebra, side: Side | None, placements: Placements) -> list[Nerve]:
    """Nerves that cross a bone's surface, each begun on its spinal nerve in this body."""
    found = []
    for course in reference_vertebra(level).courses:
        if course.lie is not Lie.ON_BONE or side not in course.sides:
            continue
        line = placements[level].to_lps(on_side(course.points_mm, side))
        if course.begins_at is not None:
            spinal = _root_line(course.root, side, placements)
            line = line if spinal is None else _begun_at(line, spinal[course.begins_at])
        found.append(_nerve(course, line, side, level))
    return found


def _root_line(root: Root, side: Side | None, placements: Placements) -> FloatArray | None:
    for level in placements:
        for course in reference_vertebra(level).courses:
            if course.is_own and course.kind is NerveKind.SPINAL_NERVE and course.root == root:
                return _spinal_line(level, course, side, placements)
    return None


def _spinal_line(level: Vertebra, course: Course, side: Side | None, placements: Placements) -> FloatArray:
    """Course in LPS: the mean of what the bones that list the nerve see, out of them where it runs beside bone."""
    listing = [
        (placement, seen)
        for placement in placements.values()
        for seen in reference_vertebra(placement.level).courses
        if seen.kind is course.kind and seen.root == course.root
    ]
    views = [placement.to_lps(on_side(seen.points_mm, side)) for placement, seen in listing]
    line: FloatArray = np.mean(views, axis=0)
    if course.lie is Lie.CLEAR_OF_BONE:
        line = clear_of_bones([placement for placement, _ in listing], line, course.radius_mm)
    return line


def _ganglion(course: Course, line_mm: FloatArray, side: Side | None) -> Nerve:
    first, last = course.ganglion if course.ganglion is not None else (0, len(line_mm) - 1)
    return Nerve(
        name=f"{course.root} dorsal root ganglion",
        kind=NerveKind.DORSAL_ROOT_GANGLION,
        root=course.root,
        side=side,
        crosses=None,
        centreline_mm=line_mm[first : last + 1],
        radius_mm=course.ganglion_radius_mm,
        variation_sd_mm=course.variation_sd_mm,
        origin=Origin.TRUTH,
    )


def _nerve(course: Course, line_mm: FloatArray, side: Side | None, crosses: Vertebra | None) -> Nerve:
    return Nerve(
        name=course.name,
        kind=course.kind,
        root=course.root,
        side=side,
        crosses=crosses,
        centreline_mm=line_mm,
        radius_mm=course.radius_mm,
        variation_sd_mm=course.variation_sd_mm,
        origin=Origin.TRUTH,
    )


def _begun_at(line_mm: FloatArray, start_mm: FloatArray) -> FloatArray:
    """The course shifted at its beginning to start on the spinal nerve of this body; unchanged some mm further."""
    blend_mm = drawing("reference_bones.spinal_nerve").numbers["start_blend_mm"]
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(line_mm, axis=0), axis=1))])
    weight = np.clip(1 - along / blend_mm, 0, 1)[:, None]
    found: FloatArray = line_mm + weight * (start_mm - line_mm[0])
    return found


def _keep_outs(levels: tuple[Vertebra, ...]) -> tuple[KeepOut, ...]:
    groups = dict.fromkeys(group for level in levels for group in DRAWN_KEEP_OUTS[region_of(level)])
    shown = tuple(
        KeepOut(
            name=group,
            status=KeepOutStatus.SHOWN,
            label_values=tuple(entry.value for entry in structure_labels() if entry.keep_out == group),
        )
        for group in groups
    )
    nerve = KeepOut(name="spinal_nerve", status=KeepOutStatus.SHOWN, note="as centrelines")
    arteries = KeepOut(
        name="periforaminal_arteries",
        status=KeepOutStatus.UNKNOWN,
        note="not imaged: Doppler / live contrast required",
    )
    return (*shown, nerve, arteries)
