"""Courses of spinal nerves, medial branches and sympathetic trunk T1 to T11, drawn on the bones that they pass.

The medial branch of the nerve above a bone crosses the superolateral corner of its transverse process: C8 over T1, T1
to T10 over T2 to T11. In mid-thorax (T5 to T8, over T6 to T9) it hangs in the intertransverse space above the corner
and meets bone only behind the transverse process. Courses are given for the left and mirrored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from scipy.ndimage import gaussian_filter1d

from foramen.anatomy.reference_body import cervical_nerves, thoracic
from foramen.anatomy.reference_body.course import STEP_MM, Course, Lie, smooth_course
from foramen.anatomy.reference_body.dimensions import VertebraDimensions, dimensions, per_level
from foramen.anatomy.reference_body.field import BoneField
from foramen.anatomy.reference_body.posture import mean_frames
from foramen.anatomy.reference_body.regions import region_of
from foramen.anatomy.reference_body.rib_cage import CARRIERS, rib_head
from foramen.knowledge.drawings import drawing
from foramen.knowledge.facts import number
from foramen.model.anatomy import LandmarkName, NerveKind
from foramen.model.levels import Root, Vertebra, neighbour_above, neighbour_below
from foramen.model.space import FloatArray

SMOOTHING_STEPS = 2.0
"""Standard deviation, in steps of the course, by which a branch is smoothed."""


def thoracic_courses(
    level: Vertebra, bone: BoneField, landmarks_mm: Mapping[LandmarkName, FloatArray]
) -> tuple[Course, ...]:
    """Nerves that pass a bone T1 to T11.

    The branch that crosses it, the spinal nerve below its pedicle, that of the vertebra above as this bone sees it,
    and the sympathetic trunk down to the next vertebra.
    """
    above, courses = neighbour_above(level), own_courses(level)
    corner = landmarks_mm[LandmarkName.TRANSVERSE_PROCESS_SUPEROLATERAL]
    if above is None or region_of(above) != "thoracic":
        eighth = seen_from(level, Vertebra("C7"), cervical_nerves.eighth_nerve())
        begin = cervical_nerves.eighth_ramus_begin()
        line = medial_branch(level, bone, eighth[begin], corner)
        passing_c8 = replace(cervical_nerves.eighth_course(), points_mm=eighth, is_own=False)
        return (*courses, _branch(Root("C8"), level, line, begin), passing_c8)
    nerve = seen_from(level, above, spinal_nerve(dimensions(above)))
    begin = ramus_begin(dimensions(above))
    line = medial_branch(level, bone, nerve[begin], corner)
    passing = (
        replace(course, points_mm=seen_from(level, above, course.points_mm), is_own=False)
        for course in own_courses(above)
    )
    return (*courses, _branch(Root(above.name), level, line, begin), *passing)


def own_courses(level: Vertebra) -> tuple[Course, ...]:
    """Spinal nerve and sympathetic trunk of a vertebra T1 to T11, in its frame."""
    return _spinal(level), _trunk(level)


def spinal_nerve(own: VertebraDimensions) -> FloatArray:
    """Course (n, 3) of a left spinal nerve from the sac to the beginning of the intercostal nerve (own frame)."""
    shape = drawing("reference_thoracic.spinal_nerve")
    x, wall, below = foramen_corner(own)
    inner = 0.5 * own.canal_width_mm
    points = np.array(shape.points["course"])
    points[-2:] = points[-3] + thoracic.row(shape, "reach_fraction", own) * (points[-2:] - points[-3])
    points[:, 0] += [shape.numbers["at_sac_fraction"] * inner, inner, inner, *[x] * (len(points) - 3)]
    points[:, 1:] += [wall, below]
    return smooth_course(points)


def foramen_corner(own: VertebraDimensions) -> tuple[float, float, float]:
    """Left roof of the foramen: middle of the pedicle, posterior wall, lower border of the pedicle (own frame)."""
    x, wall, middle = thoracic.pedicle_middle(own)
    return float(x), float(wall), float(middle) - 0.5 * own.pedicle_height_mm


def ramus_begin(own: VertebraDimensions) -> int:
    """Point of a left spinal nerve's course, just outside the foramen, where the dorsal ramus leaves it."""
    beyond_mm = drawing("reference_thoracic.spinal_nerve").numbers["ramus_beyond_pedicle_mm"]
    return int(np.argmin(np.abs(spinal_nerve(own)[:, 0] - foramen_corner(own)[0] - beyond_mm)))


def seen_from(level: Vertebra, other: Vertebra, points_mm: FloatArray) -> FloatArray:
    """Points (n, 3) of another bone's frame in the frame of `level`, both as they stand in the mean body."""
    frames = mean_frames()
    return frames[level].to_vertebra(frames[other].to_lps(points_mm))


def medial_branch(level: Vertebra, bone: BoneField, origin_mm: FloatArray, corner_mm: FloatArray) -> FloatArray:
    """Course (n, 3) of a left medial branch over the transverse process of the bone below its root.

    From `origin_mm` through the intertransverse space to the superolateral corner at `corner_mm` or above it, over
    the back of the transverse process, then medially and down to the lamina into multifidus.
    """
    shape, own = drawing("reference_thoracic.medial_branch"), dimensions(level)
    from_bone_mm = shape.numbers["from_bone_mm"]
    rise = np.array([0.0, 0.0, thoracic.row(shape, "above_corner_mm", own)])
    column, tip = thoracic.column_middle(own), thoracic.transverse_tip(own)
    share, behind = shape.rows["back_of_tip"]
    back = tip + share * (column - tip) + np.array([0.0, behind, 0.0])
    lamina = column + np.array(shape.rows["lamina_mm"])
    laid = np.stack([corner_mm, corner_mm + np.array(shape.rows["over_mm"]), back, lamina])
    laid = bone.onto_surface(laid, offset_mm=from_bone_mm)
    laid[0] += rise
    end = bone.onto_surface(column + np.array(shape.rows["end_mm"]), offset_mm=shape.numbers["end_from_bone_mm"])[0]
    line = smooth_course([origin_mm, corner_mm + np.array(shape.rows["approach_mm"]) + rise, *laid, end])
    first, last = (int(np.argmin(np.linalg.norm(line - p, axis=1))) for p in (laid[1 if rise.any() else 0], laid[3]))
    for _ in range(3):
        line[first : last + 1] = bone.onto_surface(line[first : last + 1], offset_mm=from_bone_mm)
        line[1:-1] = gaussian_filter1d(line, SMOOTHING_STEPS, axis=0, mode="nearest")[1:-1]
        close = bone.at(line) < from_bone_mm
        close[0] = False
        line[close] = bone.onto_surface(line[close], offset_mm=from_bone_mm)
    return line


def _branch(root: Root, level: Vertebra, line_mm: FloatArray, begin: int) -> Course:
    return Course(
        name=f"{root} medial branch",
        kind=NerveKind.MEDIAL_BRANCH,
        root=root,
        points_mm=line_mm,
        radius_mm=0.5 * number("anatomy.medial_branch_diameter_mm"),
        variation_sd_mm=per_level("medial_branch_variation_sd_mm", level),
        lie=Lie.ON_BONE,
        needs=(LandmarkName.TRANSVERSE_PROCESS_SUPEROLATERAL,),
        begins_at=begin,
    )


def _spinal(level: Vertebra) -> Course:
    own = dimensions(level)
    nerve_mm = spinal_nerve(own)
    middle = int(np.argmin(np.abs(nerve_mm[:, 0] - foramen_corner(own)[0])))
    half = max(round(0.5 * per_level("drg_length_mm", level) / STEP_MM), 1)
    return Course(
        name=f"{level} spinal nerve",
        kind=NerveKind.SPINAL_NERVE,
        root=Root(level.name),
        points_mm=nerve_mm,
        radius_mm=0.5 * per_level("spinal_nerve_diameter_mm", level),
        variation_sd_mm=number("anatomy.spinal_nerve_variation_sd_mm"),
        lie=Lie.CLEAR_OF_BONE,
        ganglion=(max(middle - half, 0), min(middle + half, len(nerve_mm) - 1)),
        ganglion_radius_mm=0.5 * per_level("drg_width_mm", level),
    )


def sympathetic_trunk(level: Vertebra) -> FloatArray:
    """Course (n, 3) of the left sympathetic trunk from a vertebra T1 to T11 to the next, in its frame."""
    below = neighbour_below(level) or level
    start, end = trunk_point(level), seen_from(level, below, trunk_point(below)[None])[0]
    waist = 0.5 * (start + end)
    waist[0] -= drawing("reference_thoracic.sympathetic_chain").numbers["waist_mm"]
    return smooth_course([start, waist, end])


def trunk_point(level: Vertebra) -> FloatArray:
    """Point (3,) of the left sympathetic trunk at the rib head of a vertebra T1 to T12."""
    shape, place = drawing("reference_thoracic.sympathetic_chain"), CARRIERS.index(level)
    lateral, forward = (shape.rows[name][place] for name in ("lateral_mm", "forward_mm"))
    found: FloatArray = rib_head(level) + np.array([lateral, -forward, 0.0])
    return found


def _trunk(level: Vertebra) -> Course:
    return Course(
        name=f"{level} sympathetic trunk",
        kind=NerveKind.SYMPATHETIC_CHAIN,
        root=Root(level.name),
        points_mm=sympathetic_trunk(level),
        radius_mm=0.5 * number("thoracic.sympathetic_chain_diameter_mm"),
        variation_sd_mm=number("thoracic.sympathetic_chain_variation_sd_mm"),
        lie=Lie.CLEAR_OF_BONE,
    )
