"""Landmarks, nerves and keep-outs of a reference body: its truth in LPS."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from foramen.anatomy.reference_body.bone import bone_field
from foramen.anatomy.reference_body.course import Course, Lie
from foramen.anatomy.reference_body.lay_course import clear_of_bones
from foramen.anatomy.reference_body.nerve_variation import NerveVariation, on_this_bone, out_of_crowding, person_differs
from foramen.anatomy.reference_body.pathology import TransitionalKind
from foramen.anatomy.reference_body.person import MEAN_PERSON, Person
from foramen.anatomy.reference_body.placement import Placement
from foramen.anatomy.reference_body.regions import region_of
from foramen.anatomy.reference_body.root_names import name_of, root_of
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
_BRANCH = "reference_bones.medial_branch"

Placements = Mapping[Vertebra, Placement]

_COUNTS = {
    TransitionalKind.L6: "This body has six lumbar vertebrae: roots are counted, S1 leaves below L6.",
    TransitionalKind.SACRALISED_L5: "L5 of this body is sacralised: it meets the sacral ala.",
    TransitionalKind.T13: "This body has thirteen vertebrae with ribs and five lumbar ones; T13's root is not listed.",
}


def true_anatomy(
    placements: Placements, frame_uid: str, levels: tuple[Vertebra, ...], person: Person = MEAN_PERSON
) -> Anatomy:
    """The truth of a body: frames, landmarks and nerves of `levels`, and its keep-outs.

    Parameters
    ----------
    placements : mapping
        All bones of the body, also those beside the image.
    frame_uid : str
        Frame of reference of the body.
    levels : tuple of Vertebra
        Bones in the image, from above downwards.
    person : Person
        Whose body it is: natural variation of nerves, and the count of vertebrae.

    Notes
    -----
    A landmark is a material point: it moves with its bone. Where disease has made the bone grow, it lies on the new
    surface.
    """
    variation = NerveVariation(person=person)
    spinal = [n for level in levels for side in SIDES for n in _spinal_nerves(level, side, placements, variation)]
    branches = [n for level in levels for side in SIDES for n in _branches(level, side, placements, variation)]
    return Anatomy(
        frame_uid=frame_uid,
        vertebrae=tuple(_vertebra(placements[level]) for level in levels),
        nerves=(*spinal, *branches),
        keep_outs=_keep_outs(tuple(placements[level].drawn_as for level in levels)),
        level_count=_level_count(person),
        is_patient_specific=False,
        notes=("Reference body made by code: not a patient.",),
    )


def _level_count(person: Person) -> LevelCount:
    transitional = person.pathologies.transitional
    reason = "The reference body names its own levels."
    if transitional is not None:
        reason += f" {_COUNTS[transitional.kind]}"
    return LevelCount(method="generated", is_ambiguous=False, reason=reason)


def _vertebra(placement: Placement) -> VertebraAnatomy:
    reference = reference_vertebra(placement.drawn_as)
    sd_mm = drawing("reference_bones.landmarks").numbers["sd_mm"]
    landmarks = tuple(
        Landmark(
            name=name,
            vertebra=placement.level,
            side=side,
            position_mm=placement.to_lps(_where_it_grew(point, placement)),
            sd_mm=sd_mm,
            confidence_fraction=1.0,
            origin=Origin.TRUTH,
        )
        for (name, side), point in reference.landmarks.items()
    )
    return VertebraAnatomy(level=placement.level, frame=placement.frame, landmarks=landmarks, is_complete=True)


def _where_it_grew(point_mm: FloatArray, placement: Placement) -> FloatArray:
    """A landmark (3,) of the reference bone on the surface of a bone that has grown; within the bone it stays."""
    if placement.diseased is None or placement.bone.at(point_mm)[0] >= bone_field(placement.drawn_as).at(point_mm)[0]:
        return point_mm
    found: FloatArray = placement.bone.onto_surface(point_mm)[0]
    return found


def _spinal_nerves(
    level: Vertebra, side: Side | None, placements: Placements, variation: NerveVariation
) -> list[Nerve]:
    """Nerves of a bone that it does not carry on its surface: spinal nerves with their ganglia, and others."""
    found = []
    for course in reference_vertebra(placements[level].drawn_as).courses:
        root = root_of(course, level, placements)
        if not course.is_own or course.lie is Lie.ON_BONE or root is None or side not in course.sides:
            continue
        line = _spinal_line(level, course, root, side, placements, variation)
        found.append(_nerve(course, root, line, side, None))
        if course.ganglion is not None:
            found.append(_ganglion(course, root, line, side, variation))
    return found


def _branches(level: Vertebra, side: Side | None, placements: Placements, variation: NerveVariation) -> list[Nerve]:
    """Nerves that cross a bone's surface, each begun on its spinal nerve in this body."""
    found = []
    placement = placements[level]
    for course in reference_vertebra(placement.drawn_as).courses:
        root = root_of(course, level, placements)
        if course.lie is not Lie.ON_BONE or root is None or side not in course.sides:
            continue
        mean = placement.to_lps(on_side(course.points_mm, side))
        line = variation.beside(mean, course, root, side)
        if course.begins_at is not None:
            spinal = _root_line(root, side, placements, variation)
            line = line if spinal is None else _begun_at(line, spinal[min(course.begins_at, len(spinal) - 1)])
        if line is not mean and (placement.diseased is not None or variation.person.has_nerve_variation):
            line = on_this_bone(placement, mean, line)
        if person_differs(variation.person):
            offset_mm = drawing(_BRANCH).numbers["from_bone_mm"]
            line = out_of_crowding(_about(level, placements), line, offset_mm, keeps_start=True)
        found.append(_nerve(course, root, line, side, level))
    return found


def _root_line(root: Root, side: Side | None, placements: Placements, variation: NerveVariation) -> FloatArray | None:
    for level, placement in placements.items():
        for course in reference_vertebra(placement.drawn_as).courses:
            if course.is_own and course.kind is NerveKind.SPINAL_NERVE and root_of(course, level, placements) == root:
                return _spinal_line(level, course, root, side, placements, variation)
    return None


def _spinal_line(
    level: Vertebra, course: Course, root: Root, side: Side | None, placements: Placements, variation: NerveVariation
) -> FloatArray:
    """Course in LPS: the mean of what the bones that list the nerve see, out of them where it runs beside bone."""
    listing = [
        (placement, seen)
        for other, placement in placements.items()
        for seen in reference_vertebra(placement.drawn_as).courses
        if seen.kind is course.kind
        and len(seen.points_mm) == len(course.points_mm)
        and root_of(seen, other, placements) == root
    ]
    views = [placement.to_lps(on_side(seen.points_mm, side)) for placement, seen in listing]
    line: FloatArray = np.mean(views, axis=0)
    line = variation.beside(variation.conjoined(line, level, course, side), course, root, side)
    if course.lie is Lie.CLEAR_OF_BONE:
        line = clear_of_bones([placement for placement, _ in listing], line, course.radius_mm)
        if person_differs(variation.person):
            line = out_of_crowding(_about(level, placements), line, course.radius_mm)
    return line


def _about(level: Vertebra, placements: Placements) -> list[Placement]:
    """The bones above and below a level, and its own last."""
    bones = list(placements.values())
    place = list(placements).index(level)
    return [*bones[max(place - 1, 0) : place], *bones[place + 1 : place + 2], bones[place]]


def _ganglion(course: Course, root: Root, line_mm: FloatArray, side: Side | None, variation: NerveVariation) -> Nerve:
    first, last = variation.ganglion(course, root, side, len(line_mm))
    return Nerve(
        name=f"{root} dorsal root ganglion",
        kind=NerveKind.DORSAL_ROOT_GANGLION,
        root=root,
        side=side,
        crosses=None,
        centreline_mm=line_mm[first : last + 1],
        radius_mm=course.ganglion_radius_mm,
        variation_sd_mm=course.variation_sd_mm,
        origin=Origin.TRUTH,
    )


def _nerve(course: Course, root: Root, line_mm: FloatArray, side: Side | None, crosses: Vertebra | None) -> Nerve:
    return Nerve(
        name=name_of(course, root),
        kind=course.kind,
        root=root,
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
