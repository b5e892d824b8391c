"""Courses of spinal nerves C3 to C8, medial branches C3 to C7 and the third occipital nerve, on bones C3 to C7.

Root Cn leaves above vertebra Cn (C8 below C7) over its pedicle, behind the vertebral artery; the medial branch of Cn
crosses the pillar of Cn. Courses are given for the left and mirrored.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.ndimage import gaussian_filter1d

from foramen.anatomy.reference_body.cervical import (
    canal_front_mm,
    facet,
    foramen_middle,
    lower_facet,
    pillar_middle,
    pillars,
    posterior_tip,
    row,
)
from foramen.anatomy.reference_body.course import STEP_MM, Course, Lie, smooth_course
from foramen.anatomy.reference_body.dimensions import VertebraDimensions, dimensions
from foramen.anatomy.reference_body.field import BoneField
from foramen.anatomy.reference_body.posture import mean_frames
from foramen.knowledge.drawings import drawing
from foramen.knowledge.facts import number, numbers
from foramen.model.anatomy import LandmarkName, NerveKind
from foramen.model.levels import ROOTS, Root, Vertebra, neighbour_below
from foramen.model.space import FloatArray

SMOOTHING_STEPS = 2.0
"""Standard deviation, in steps of the course, by which a branch is smoothed."""


def cervical_courses(
    level: Vertebra, bone: BoneField, landmarks_mm: Mapping[LandmarkName, FloatArray]
) -> tuple[Course, ...]:
    """Nerves that pass a bone C3 to C7: its own, that of the vertebra below as this bone sees it, and the branches."""
    own, below = Root(level.name), neighbour_below(level)
    nerve = spinal_nerve(level)
    courses = [spinal_course(own, nerve, ganglion_middle(level, nerve), is_own=True)]
    if level.name == "C7":
        courses.append(eighth_course())
    elif below is not None:
        courses.append(seen_from(level, below))
    courses += sympathetic(level)
    begin = ramus_begin(level, nerve)
    courses.append(_branch(level, medial_branch(level, bone, nerve[begin]), begin))
    if level.name == "C3":
        courses.append(_third_occipital(level, bone, nerve[begin], landmarks_mm, begin))
    return tuple(courses)


def eighth_nerve() -> FloatArray:
    """Course (n, 3) of the left spinal nerve C8, which leaves below C7, in the frame of C7."""
    onwards = drawing("reference_cervical.spinal_nerve").points["c8"]
    return smooth_course([_at_cord(Vertebra("C7"), Root("C8")), *np.array(onwards)])


def eighth_course() -> Course:
    """The spinal nerve C8 as C7, which owns it, lists it."""
    nerve = eighth_nerve()
    return spinal_course(Root("C8"), nerve, at_lateral(nerve, foramen_middle(Vertebra("C7"))[0]), is_own=True)


def eighth_ramus_begin() -> int:
    """Point of the course of C8 where its dorsal ramus leaves it, as those of the nerves above it do."""
    return ramus_begin(Vertebra("C7"), eighth_nerve())


def seen_from(level: Vertebra, below: Vertebra) -> Course:
    """The spinal nerve of the vertebra below, as a bone sees it."""
    frames, nerve = mean_frames(), spinal_nerve(below)
    here = frames[level].to_vertebra(frames[below].to_lps(nerve))
    return spinal_course(Root(below.name), here, ganglion_middle(below, nerve), is_own=False)


def spinal_nerve(level: Vertebra) -> FloatArray:
    """Course (n, 3) of the left root and spinal nerve that leaves above a vertebra C3 to C7, in its frame."""
    own, shape = dimensions(level), drawing("reference_cervical.spinal_nerve")
    corner = np.array([0.5 * own.canal_width_mm, own.posterior_wall_mm, pedicle_top(level)])
    foramen = np.array(shape.points["foramen"]) + corner
    artery = np.array(shape.points["artery"]) + foramen_middle(level) + [0.0, 0.0, pedicle_top(level)]
    transverse = drawing("reference_cervical.transverse")
    front = np.array([row(transverse, f"anterior_{name}_mm", level) for name in ("lateral", "behind", "rise")])
    groove = np.array(shape.points["groove"]) + 0.5 * (front + posterior_tip(own))
    return smooth_course(np.concatenate([_at_cord(level, Root(level.name))[None], foramen, artery, groove]))


def foramen_corner(own: VertebraDimensions) -> tuple[float, float, float]:
    """Left roof of the foramen below a vertebra: middle of the pedicle, posterior wall, lower border of the pedicle."""
    rise = row(drawing("reference_cervical.pedicle"), "rise_mm", own.level)
    lateral = 0.5 * (own.canal_width_mm + own.pedicle_width_mm)
    return lateral, own.posterior_wall_mm, rise - 0.5 * own.pedicle_height_mm


def _at_cord(level: Vertebra, root: Root) -> FloatArray:
    """Where (3,) the left root C3 to C8 leaves the cord, in the frame of the vertebra that owns its nerve."""
    own, form = dimensions(level), drawing("reference_cervical.spinal_nerve").numbers
    above_mm = numbers("cervical.rootlet_above_disc_mm")[ROOTS.index(root.name) - ROOTS.index("C3")]
    frames = mean_frames()
    lower = Vertebra("T1") if root.name == "C8" else level
    upper = Vertebra("C7") if root.name == "C8" else Vertebra(f"C{int(level.name[1:]) - 1}")
    disc = 0.5 * (frames[upper].inferior_endplate_mm + frames[lower].superior_endplate_mm)
    behind = canal_front_mm(own) + form["at_cord_depth_fraction"] * own.canal_depth_mm
    height = float(frames[level].to_vertebra(disc)[2]) + above_mm
    return np.array([form["at_cord_lateral_mm"], behind, height])


def pedicle_top(level: Vertebra) -> float:
    """Height of the upper border of the pedicle."""
    rise = row(drawing("reference_cervical.pedicle"), "rise_mm", level)
    return rise + 0.5 * dimensions(level).pedicle_height_mm


def ganglion_middle(level: Vertebra, nerve_mm: FloatArray) -> int:
    """Point of a left spinal nerve (own frame) in the middle of its ganglion, behind the vertebral artery."""
    shift_mm = drawing("reference_cervical.spinal_nerve").numbers["ganglion_from_foramen_mm"]
    return at_lateral(nerve_mm, foramen_middle(level)[0] + shift_mm)


def ramus_begin(level: Vertebra, nerve_mm: FloatArray) -> int:
    """Point of a left spinal nerve's course (own frame), lateral to the artery, where the dorsal ramus leaves it."""
    beyond = drawing("reference_cervical.spinal_nerve").numbers["ramus_beyond_foramen_mm"]
    return at_lateral(nerve_mm, foramen_middle(level)[0] + beyond)


def medial_branch(level: Vertebra, bone: BoneField, origin_mm: FloatArray) -> FloatArray:
    """Course (n, 3) of a left medial branch from the nerve at `origin_mm` around the lateral side of the pillar."""
    shape, whole = drawing("reference_cervical.medial_branch"), pillars(level)[0]
    middle = pillar_middle(level)
    height = facet(level)[0][2] - lower_facet(level)[0][2]
    rise = row(shape, "height_fraction", level) * height
    share = 0.5 - row(shape, "height_fraction", level)
    walls = (whole.front_mm, whole.back_mm, whole.lateral_mm)
    front, back, lateral = (ends[0] + share * (ends[1] - ends[0]) for ends in walls)
    around = np.array(
        [
            [lateral - 1.5, front + shape.numbers["front_edge_mm"], middle[2] + rise],
            [lateral, 0.5 * (front + back), middle[2] + rise],
            [lateral - 1.0, back - shape.numbers["back_edge_mm"], middle[2] + rise],
        ]
    )
    end = middle + np.array(shape.rows["end_mm"])
    from_bone_mm = shape.numbers["from_bone_mm"]
    on_bone = bone.onto_surface(around, offset_mm=from_bone_mm)
    last = bone.onto_surface(end, offset_mm=shape.numbers["end_from_bone_mm"])
    return laid(bone, smooth_course([origin_mm, *on_bone, *last]), on_bone[0], on_bone[-1], from_bone_mm)


def laid(
    bone: BoneField, line_mm: FloatArray, first_mm: FloatArray, last_mm: FloatArray, from_bone_mm: float
) -> FloatArray:
    """A course (n, 3) laid on the bone between two of its points, smoothed and off the bone everywhere."""
    line = line_mm.copy()
    near = [int(np.argmin(np.linalg.norm(line - p, axis=1))) for p in (first_mm, last_mm)]
    for _ in range(3):
        touching = slice(near[0], near[1] + 1)
        line[touching] = bone.onto_surface(line[touching], offset_mm=from_bone_mm)
        line[1:-1] = gaussian_filter1d(line, SMOOTHING_STEPS, axis=0, mode="nearest")[1:-1]
        close = bone.at(line) < from_bone_mm
        close[0] = False
        if close.any():
            line[close] = bone.onto_surface(line[close], offset_mm=from_bone_mm)
    return line


def spinal_course(root: Root, nerve_mm: FloatArray, ganglion: int, *, is_own: bool) -> Course:
    """Course of a left cervical spinal nerve whose ganglion's middle is the point `ganglion` of it."""
    half = max(round(0.5 * _of_root("ganglion_length_mm", root) / STEP_MM), 1)
    round_fraction = 0.5 * float(np.sqrt(number("cervical.root_flattening_fraction")))  # radius of equal area
    return Course(
        name=f"{root} spinal nerve",
        kind=NerveKind.SPINAL_NERVE,
        root=root,
        points_mm=nerve_mm,
        radius_mm=round_fraction * _of_root("spinal_nerve_width_mm", root),
        variation_sd_mm=number("cervical.spinal_nerve_variation_sd_mm"),
        lie=Lie.CLEAR_OF_BONE,
        is_own=is_own,
        ganglion=(max(ganglion - half, 0), min(ganglion + half, len(nerve_mm) - 1)),
        ganglion_radius_mm=round_fraction * _of_root("ganglion_width_mm", root),
    )


def sympathetic(level: Vertebra) -> list[Course]:
    """Left sympathetic trunk before a vertebra C3 to C7; at C7 also the stellate ganglion, named after C8."""
    points = drawing("reference_cervical.sympathetic").points
    front = np.array([0.0, -0.5 * dimensions(level).body_depth_mm, 0.0])
    found = [(NerveKind.SYMPATHETIC_CHAIN, Root(level.name), np.array(points["trunk"]) + front, "trunk")]
    if level.name == "C7":
        found.append((NerveKind.STELLATE_GANGLION, Root("C8"), np.array(points["stellate"]), "stellate ganglion"))
    return [
        Course(
            name=f"sympathetic trunk at {level}" if name == "trunk" else name,
            kind=kind,
            root=root,
            points_mm=smooth_course(line),
            radius_mm=0.5
            * number(f"cervical.{'sympathetic_trunk' if name == 'trunk' else 'stellate_ganglion'}_diameter_mm"),
            variation_sd_mm=number("cervical.sympathetic_variation_sd_mm"),
            lie=Lie.CLEAR_OF_BONE,
        )
        for kind, root, line, name in found
    ]


def at_lateral(nerve_mm: FloatArray, lateral_mm: float) -> int:
    """Point of a course (n, 3) that lies nearest to a left coordinate."""
    return int(np.argmin(np.abs(nerve_mm[:, 0] - lateral_mm)))


def _branch(level: Vertebra, line_mm: FloatArray, begin: int) -> Course:
    return Course(
        name=f"{level} {'deep ' if level.name == 'C3' else ''}medial branch",
        kind=NerveKind.MEDIAL_BRANCH,
        root=Root(level.name),
        points_mm=line_mm,
        radius_mm=0.5 * number("cervical.medial_branch_diameter_mm"),
        variation_sd_mm=number("cervical.medial_branch_variation_sd_mm"),
        lie=Lie.ON_BONE,
        needs=(LandmarkName.SAP_TP_JUNCTION if level.name == "C7" else LandmarkName.PILLAR_WAIST,),
        begins_at=begin,
    )


def _third_occipital(
    level: Vertebra, bone: BoneField, origin_mm: FloatArray, landmarks_mm: Mapping[LandmarkName, FloatArray], begin: int
) -> Course:
    shape = drawing("reference_cervical.third_occipital_nerve")
    from_bone_mm = shape.numbers["from_bone_mm"]
    joint = landmarks_mm[LandmarkName.JOINT_LATERAL_MIDPOINT]
    course = np.array(shape.points["course"]) + joint
    close = bone.at(course) < from_bone_mm
    course[close] = bone.onto_surface(course[close], offset_mm=from_bone_mm)
    line = smooth_course([origin_mm, *course])
    close = bone.at(line) < from_bone_mm
    close[0] = False
    line[close] = bone.onto_surface(line[close], offset_mm=from_bone_mm)
    return Course(
        name="third occipital nerve",
        kind=NerveKind.THIRD_OCCIPITAL_NERVE,
        root=Root(level.name),
        points_mm=line,
        radius_mm=0.5 * number("cervical.third_occipital_diameter_mm"),
        variation_sd_mm=number("cervical.medial_branch_variation_sd_mm"),
        lie=Lie.ON_BONE,
        needs=(LandmarkName.JOINT_LATERAL_MIDPOINT,),
        begins_at=begin,
    )


def _of_root(name: str, root: Root) -> float:
    return numbers(f"cervical.{name}")[ROOTS.index(root.name)]
