"""Courses of spinal nerves and medial branches T12 to S1, drawn on the bones that they pass.

The spinal nerve is placed in the frame of its own vertebra (it leaves below that pedicle), the medial branch
on the bone below. Courses are given for the left and mirrored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from scipy.ndimage import gaussian_filter1d

from foramen.anatomy.reference_body import thoracic_nerves
from foramen.anatomy.reference_body.course import STEP_MM, Course, Lie, smooth_course
from foramen.anatomy.reference_body.dimensions import VertebraDimensions, dimensions, per_level
from foramen.anatomy.reference_body.field import BoneField
from foramen.anatomy.reference_body.lumbar_landmarks import sacral_exit
from foramen.anatomy.reference_body.regions import region_of
from foramen.knowledge.drawings import drawing
from foramen.knowledge.facts import number
from foramen.model.anatomy import LandmarkName, NerveKind
from foramen.model.levels import Root, Vertebra, neighbour_above
from foramen.model.space import FloatArray

SMOOTHING_STEPS = 2.0
"""Standard deviation, in steps of the course, by which a branch is smoothed."""


def spinal_nerve(own: VertebraDimensions) -> FloatArray:
    """Course (n, 3) of a left spinal nerve from the sac to the psoas, in the frame of its own vertebra."""
    shape = drawing("reference_bones.spinal_nerve")
    if own.level.name == "S1":
        return smooth_course(np.array(shape.points["sacral"]))
    x, wall, below = foramen_corner(own)
    inner = 0.5 * own.canal_width_mm
    points = np.array(shape.points["course"])
    points[:, 0] += [shape.numbers["at_sac_fraction"] * inner, inner, inner, x, x, x, x]
    points[:, 1:] += [wall, below]
    if own.level.name == "L5":  # the fifth root lies against the disc
        points += shape.numbers["l5_shift_mm"] * np.array(shape.points["l5_shifts"])
    return smooth_course(points)


def foramen_corner(own: VertebraDimensions) -> tuple[float, float, float]:
    """Left roof of the foramen: middle of the pedicle, posterior wall, lower border of the pedicle (own frame)."""
    below_endplate_mm = drawing("reference_bones.pedicle").numbers["below_endplate_mm"]
    below = 0.5 * own.body_height_mm - own.pedicle_height_mm - below_endplate_mm
    return 0.5 * (own.canal_width_mm + own.pedicle_width_mm), own.posterior_wall_mm, below


def ganglion_span(own: VertebraDimensions, nerve_mm: FloatArray, length_mm: float) -> tuple[int, int]:
    """First and last point of a left spinal nerve's course (own frame) that are the dorsal root ganglion."""
    lateral_mm, _, _ = foramen_corner(own)
    if own.level.name == "S1":
        lateral_mm = drawing("reference_bones.spinal_nerve").numbers["sacral_ganglion_lateral_mm"]
    middle = int(np.argmin(np.abs(nerve_mm[:, 0] - lateral_mm)))
    half = max(round(0.5 * length_mm / STEP_MM), 1)
    return max(middle - half, 0), min(middle + half, len(nerve_mm) - 1)


def ramus_begin(own: VertebraDimensions, nerve_mm: FloatArray) -> int:
    """Point of a left spinal nerve's course (own frame), just outside the foramen, where the dorsal ramus leaves it."""
    lateral_mm = foramen_corner(own)[0] + drawing("reference_bones.spinal_nerve").numbers["ramus_beyond_pedicle_mm"]
    return int(np.argmin(np.abs(nerve_mm[:, 0] - lateral_mm)))


def lumbar_courses(
    level: Vertebra, bone: BoneField, landmarks_mm: Mapping[LandmarkName, FloatArray]
) -> tuple[tuple[Course, ...], FloatArray]:
    """Nerves that pass a bone T12 to S1, and the branch's point on the neck of its superior articular process (3,).

    The branch that crosses it, the spinal nerve below its pedicle, and that of the vertebra above as this bone sees
    it.
    """
    upper = neighbour_above(level) or level
    nerve, begin = _nerve_above(level, upper)
    if level.name == "S1":
        line, neck = medial_branch(bone, nerve[begin], landmarks_mm[LandmarkName.SACRAL_ALA_NOTCH], sacral_exit(bone))
    else:
        junction, notch = (
            landmarks_mm[name] for name in (LandmarkName.SAP_TP_JUNCTION, LandmarkName.MAMILLO_ACCESSORY_NOTCH)
        )
        line, neck = medial_branch(bone, nerve[begin], junction, notch)
    own = _spinal(level, spinal_nerve(dimensions(level)), is_own=True)
    return (own, _branch(upper, level, line, begin), *_passing_above(level, upper, nerve)), neck


def _passing_above(level: Vertebra, upper: Vertebra, nerve_mm: FloatArray) -> tuple[Course, ...]:
    """Nerves that the vertebra above owns, as this bone sees them."""
    if region_of(upper) == "thoracic":
        return tuple(
            replace(course, points_mm=thoracic_nerves.seen_from(level, upper, course.points_mm), is_own=False)
            for course in thoracic_nerves.own_courses(upper)
        )
    return (_spinal(upper, nerve_mm, is_own=False),)


def _branch(upper: Vertebra, level: Vertebra, line_mm: FloatArray, begin: int) -> Course:
    is_ramus = level.name == "S1"
    return Course(
        name=f"{upper} {'dorsal ramus' if is_ramus else 'medial branch'}",
        kind=NerveKind.DORSAL_RAMUS if is_ramus else NerveKind.MEDIAL_BRANCH,
        root=Root(upper.name),
        points_mm=line_mm,
        radius_mm=0.5 * number("anatomy.medial_branch_diameter_mm"),
        variation_sd_mm=number("anatomy.medial_branch_variation_sd_mm"),
        lie=Lie.ON_BONE,
        needs=(LandmarkName.SACRAL_ALA_NOTCH if is_ramus else LandmarkName.SAP_TP_JUNCTION,),
        begins_at=begin,
    )


def _spinal(level: Vertebra, nerve_mm: FloatArray, *, is_own: bool) -> Course:
    own = spinal_nerve(dimensions(level))
    return Course(
        name=f"{level} spinal nerve",
        kind=NerveKind.SPINAL_NERVE,
        root=Root(level.name),
        points_mm=nerve_mm,
        radius_mm=0.5 * per_level("spinal_nerve_diameter_mm", level),
        variation_sd_mm=number("anatomy.spinal_nerve_variation_sd_mm"),
        lie=Lie.IN_BONE if level.name == "S1" else Lie.CLEAR_OF_BONE,
        is_own=is_own,
        ganglion=ganglion_span(dimensions(level), own, per_level("drg_length_mm", level)),
        ganglion_radius_mm=0.5 * per_level("drg_width_mm", level),
    )


def _nerve_above(level: Vertebra, upper: Vertebra) -> tuple[FloatArray, int]:
    """Left spinal nerve (n, 3) above a bone in its frame, and the point where its dorsal ramus leaves it."""
    own = dimensions(upper)
    if region_of(upper) == "thoracic":
        nerve, begin = thoracic_nerves.spinal_nerve(own), thoracic_nerves.ramus_begin(own)
    else:
        nerve = spinal_nerve(own)
        begin = ramus_begin(own, nerve)
    return thoracic_nerves.seen_from(level, upper, nerve), begin


def medial_branch(
    bone: BoneField, origin_mm: FloatArray, junction_mm: FloatArray, notch_mm: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Course (n, 3) of a left medial branch across the bone below its root, and its point on the SAP neck (3,).

    From `origin_mm` over the groove at `junction_mm`, along the lateral neck of the superior articular process,
    under the mamillo-accessory ligament at `notch_mm`, then medially on the lamina into multifidus.
    """
    shape = drawing("reference_bones.medial_branch")
    from_bone_mm = shape.numbers["from_bone_mm"]
    approach = junction_mm + np.array(shape.rows["approach_mm"])
    neck = 0.5 * (junction_mm + notch_mm)
    lamina = notch_mm + np.array(shape.rows["lamina_mm"])
    end = notch_mm + np.array(shape.rows["end_mm"])
    on_bone = bone.onto_surface(np.stack([approach, junction_mm, neck, notch_mm, lamina]), offset_mm=from_bone_mm)
    end = bone.onto_surface(end, offset_mm=shape.numbers["end_from_bone_mm"])[0]
    line = smooth_course([origin_mm, *on_bone, end])
    near = [int(np.argmin(np.linalg.norm(line - p, axis=1))) for p in (on_bone[0], on_bone[4])]
    for _ in range(3):
        touching = slice(near[0], near[1] + 1)
        line[touching] = bone.onto_surface(line[touching], offset_mm=from_bone_mm)
        inner = gaussian_filter1d(line, SMOOTHING_STEPS, axis=0, mode="nearest")
        line[1:-1] = inner[1:-1]
        line = _off_bone(bone, line, from_bone_mm)
    return line, bone.onto_surface(on_bone[2])[0]


def _off_bone(bone: BoneField, line_mm: FloatArray, from_bone_mm: float) -> FloatArray:
    close = bone.at(line_mm) < from_bone_mm
    close[0] = False
    if close.any():
        line_mm = line_mm.copy()
        line_mm[close] = bone.onto_surface(line_mm[close], offset_mm=from_bone_mm)
    return line_mm
