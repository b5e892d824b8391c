"""Landmarks of the atlas and the axis, and the nerves that pass them (left side, the vertebra's frame).

Landmarks of both bones: SUPERIOR_FACET_CENTRE and INFERIOR_FACET_CENTRE (middle of the joint surface) and
TRANSVERSE_PROCESS_TIP (most lateral point of the transverse process).

PILLAR_POSTERIOR_INFERIOR_EDGE
    C2: corner of its lower pillar that lies furthest back and down.
LATERAL_MASS_CENTRE
    C1: centroid of the lateral mass (within the bone).
VERTEBRAL_ARTERY_GROOVE
    C1: floor of the groove for the vertebral artery on the posterior arch, behind the lateral mass.
"""

from __future__ import annotations

import numpy as np

from foramen.anatomy.reference_body.atlas_axis import upper_facet
from foramen.anatomy.reference_body.cervical import lower_facet
from foramen.anatomy.reference_body.cervical_landmarks import exit_of
from foramen.anatomy.reference_body.cervical_nerves import at_lateral, seen_from, spinal_course
from foramen.anatomy.reference_body.course import Course, smooth_course
from foramen.anatomy.reference_body.field import FIELD_SPACING_MM, BoneField, part_number
from foramen.anatomy.reference_body.posture import mean_frames
from foramen.knowledge.drawings import drawing
from foramen.model.anatomy import LandmarkName
from foramen.model.levels import Root, Vertebra
from foramen.model.space import FloatArray

UP = np.array([0.0, 0.0, 1.0])


def atlas_passing(
    level: Vertebra, bone: BoneField, vertices_mm: FloatArray
) -> tuple[dict[LandmarkName, FloatArray], tuple[Course, ...]]:
    """Left landmarks (3,) of the atlas, from its field and surface vertices (n, 3), and the nerves C1 and C2."""
    left = vertices_mm[vertices_mm[:, 0] > 0]
    centre = _mass_centre(bone)
    floor = np.array(drawing("reference_cervical.atlas").struts["groove_side"].end_mm)
    found = {
        LandmarkName.LATERAL_MASS_CENTRE: centre,
        LandmarkName.SUPERIOR_FACET_CENTRE: exit_of(bone, centre, UP),
        LandmarkName.INFERIOR_FACET_CENTRE: exit_of(bone, centre, -UP),
        LandmarkName.VERTEBRAL_ARTERY_GROOVE: bone.onto_surface(floor)[0],
        LandmarkName.TRANSVERSE_PROCESS_TIP: left[np.argmax(left[:, 0])],
    }
    frames, axis = mean_frames(), Vertebra("C2")
    second = frames[level].to_vertebra(frames[axis].to_lps(upper_nerve(axis)))
    return found, (_course(level, upper_nerve(level), is_own=True), _course(axis, second, is_own=False))


def axis_passing(
    level: Vertebra, bone: BoneField, vertices_mm: FloatArray
) -> tuple[dict[LandmarkName, FloatArray], tuple[Course, ...]]:
    """Left landmarks (3,) of the axis, from its field and surface vertices (n, 3), and the nerves C2 and C3."""
    left = vertices_mm[vertices_mm[:, 0] > 0]
    process = left[bone.part_at(left) == part_number("transverse_left")]
    lower = left[bone.part_at(left) == part_number("inferior_articular_left")]
    found = {
        LandmarkName.SUPERIOR_FACET_CENTRE: bone.onto_surface(upper_facet(level)[0])[0],
        LandmarkName.INFERIOR_FACET_CENTRE: bone.onto_surface(lower_facet(level)[0])[0],
        LandmarkName.PILLAR_POSTERIOR_INFERIOR_EDGE: lower[np.argmax(lower[:, 1] - lower[:, 2])],
        LandmarkName.TRANSVERSE_PROCESS_TIP: process[np.argmax(process[:, 0])],
    }
    return found, (_course(level, upper_nerve(level), is_own=True), seen_from(level, Vertebra("C3")))


def upper_nerve(level: Vertebra) -> FloatArray:
    """Course (n, 3) of the left C1 or C2 spinal nerve in the frame of its vertebra."""
    return smooth_course(np.array(drawing("reference_cervical.upper_nerves").points[level.name.lower()]))


def _course(level: Vertebra, nerve_mm: FloatArray, *, is_own: bool) -> Course:
    lateral = drawing("reference_cervical.upper_nerves").numbers[f"{level.name.lower()}_ganglion_mm"]
    middle = at_lateral(upper_nerve(level), lateral)
    return spinal_course(Root(level.name), nerve_mm, middle, is_own=is_own)


def _mass_centre(bone: BoneField) -> FloatArray:
    inside = np.argwhere(bone.distance_mm < 0)
    points = inside * FIELD_SPACING_MM + np.array(bone.low_mm)
    part = bone.part_at(points)
    names = [part_number(f"{name}_articular_left") for name in ("superior", "inferior")]
    found: FloatArray = points[np.isin(part, names)].mean(axis=0)
    return found
