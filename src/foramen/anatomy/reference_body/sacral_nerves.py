"""Courses of the sacral nerves S1 to S4 and of the lateral branches S1 to S3, in the frame of S1 (left side).

A lateral branch leaves its spinal nerve in the bone, comes out of the posterior foramen, passes over the foramen's
lateral border and runs on the back of the sacrum to the lateral crest and the ligaments behind the sacroiliac joint.
In people there are one to several of each root and their courses differ widely; one is drawn, in their middle.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from foramen.anatomy.reference_body.course import STEP_MM, Course, Lie, smooth_course
from foramen.anatomy.reference_body.field import BoneField
from foramen.anatomy.reference_body.lay_course import beside_bone
from foramen.anatomy.reference_body.sacral_landmarks import CENTRES, LATERAL_BORDERS, axis_of
from foramen.knowledge.drawings import drawing
from foramen.knowledge.facts import number, numbers
from foramen.model.anatomy import LandmarkName, NerveKind
from foramen.model.levels import Root
from foramen.model.space import FloatArray

ROOTS = ("S1", "S2", "S3", "S4")
"""Roots whose spinal nerves are drawn; the first three have lateral branches."""


def sacral_courses(bone: BoneField, landmarks_mm: Mapping[LandmarkName, FloatArray]) -> tuple[Course, ...]:
    """Spinal nerves S2 to S4 (that of S1 is drawn with the lumbar ones) and lateral branches S1 to S3."""
    spinal = [_spinal(place) for place in range(1, len(ROOTS))]
    branches = [_lateral_branch(bone, place, landmarks_mm) for place in range(len(LATERAL_BORDERS))]
    return (*spinal, *branches)


def sacral_nerve(place: int) -> FloatArray:
    """Course (n, 3) of a sacral spinal nerve (0 for S1) from the sac to its ventral foramen."""
    return smooth_course(np.array(drawing("reference_sacrum.nerves").points[ROOTS[place].lower()]))


def _spinal(place: int) -> Course:
    line = sacral_nerve(place)
    lateral_mm = drawing("reference_sacrum.nerves").rows["ganglion_lateral_mm"][place]
    middle = int(np.argmin(np.abs(line[:, 0] - lateral_mm)))
    half = max(round(0.5 * numbers("anatomy.sacral_drg_length_mm")[place] / STEP_MM), 1)
    return Course(
        name=f"{ROOTS[place]} spinal nerve",
        kind=NerveKind.SPINAL_NERVE,
        root=Root(ROOTS[place]),
        points_mm=line,
        radius_mm=0.5 * numbers("anatomy.sacral_nerve_diameter_mm")[place],
        variation_sd_mm=number("anatomy.spinal_nerve_variation_sd_mm"),
        lie=Lie.IN_BONE,
        ganglion=(max(middle - half, 0), min(middle + half, len(line) - 1)),
        ganglion_radius_mm=0.5 * numbers("anatomy.sacral_drg_width_mm")[place],
    )


def _lateral_branch(bone: BoneField, place: int, landmarks_mm: Mapping[LandmarkName, FloatArray]) -> Course:
    spinal = sacral_nerve(place)
    axis, shape = axis_of(place), drawing("reference_sacrum.lateral_branch")
    begin = int(np.argmin(np.linalg.norm(spinal - np.array(axis.start), axis=1)))
    out, border = landmarks_mm[CENTRES[place]], landmarks_mm[LATERAL_BORDERS[place]]
    inner = 0.5 * (np.array(axis.start) + out)
    steps = np.array(shape.points[f"over_bone_{ROOTS[place].lower()}"])
    offset_mm = shape.numbers["from_bone_mm"]
    over = bone.onto_surface(border + steps, offset_mm=offset_mm)
    line = smooth_course([spinal[begin], inner, out, *over])
    first = int(np.argmin(np.linalg.norm(line - over[0], axis=1)))
    line[first:] = beside_bone(bone, line[first:], offset_mm)
    return Course(
        name=f"{ROOTS[place]} lateral branch",
        kind=NerveKind.LATERAL_BRANCH,
        root=Root(ROOTS[place]),
        points_mm=line,
        radius_mm=0.5 * number("anatomy.lateral_branch_diameter_mm"),
        variation_sd_mm=number("anatomy.lateral_branch_variation_sd_mm"),
        lie=Lie.ON_BONE,
        needs=(LATERAL_BORDERS[place],),
        begins_at=begin,
    )
