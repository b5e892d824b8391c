"""Courses of spinal nerves and medial branches, drawn on the bones that they pass.

The spinal nerve is placed in the frame of its own vertebra (it leaves below that pedicle), the medial branch
on the bone below. Courses are given for the left and mirrored.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.interpolate import PchipInterpolator
from scipy.ndimage import gaussian_filter1d

from foramen.anatomy.reference_body.dimensions import VertebraDimensions
from foramen.anatomy.reference_body.field import BoneField
from foramen.knowledge.drawings import drawing
from foramen.model.space import FloatArray

STEP_MM = 0.5
"""Distance of neighbouring points of a course."""

SMOOTHING_STEPS = 2.0
"""Standard deviation, in steps of the course, by which a branch is smoothed."""


def course(points_mm: Sequence[FloatArray] | FloatArray) -> FloatArray:
    """Smooth course (n, 3) through points (m, 3), sampled about every `STEP_MM`."""
    points = np.asarray(points_mm, dtype=np.float64)
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    count = max(int(np.ceil(along[-1] / STEP_MM)) + 1, 2)
    found: FloatArray = PchipInterpolator(along, points)(np.linspace(0.0, along[-1], count))
    return found


def spinal_nerve(own: VertebraDimensions) -> FloatArray:
    """Course (n, 3) of a left spinal nerve from the sac to the psoas, in the frame of its own vertebra."""
    shape = drawing("reference_bones.spinal_nerve")
    if own.level.name == "S1":
        return course(np.array(shape.points["sacral"]))
    x, wall, below = foramen_corner(own)
    inner = 0.5 * own.canal_width_mm
    points = np.array(shape.points["course"])
    points[:, 0] += [shape.numbers["at_sac_fraction"] * inner, inner, inner, x, x, x, x]
    points[:, 1:] += [wall, below]
    if own.level.name == "L5":  # the fifth root lies against the disc
        points += shape.numbers["l5_shift_mm"] * np.array(shape.points["l5_shifts"])
    return course(points)


def foramen_corner(own: VertebraDimensions) -> tuple[float, float, float]:
    """Left roof of the foramen: middle of the pedicle, posterior wall, lower border of the pedicle (own frame)."""
    below_endplate_mm = drawing("reference_bones.pedicle").numbers["below_endplate_mm"]
    below = 0.5 * own.body_height_mm - own.pedicle_height_mm - below_endplate_mm
    return 0.5 * (own.canal_width_mm + own.pedicle_width_mm), own.posterior_wall_mm, below


def ganglion(own: VertebraDimensions, nerve_mm: FloatArray, length_mm: float) -> FloatArray:
    """Part (n, 3) of a left spinal nerve's course (own frame) that is the dorsal root ganglion."""
    lateral_mm, _, _ = foramen_corner(own)
    if own.level.name == "S1":
        lateral_mm = drawing("reference_bones.spinal_nerve").numbers["sacral_ganglion_lateral_mm"]
    middle = int(np.argmin(np.abs(nerve_mm[:, 0] - lateral_mm)))
    half = max(round(0.5 * length_mm / STEP_MM), 1)
    return nerve_mm[max(middle - half, 0) : middle + half + 1]


def ramus_origin(own: VertebraDimensions) -> FloatArray:
    """Point (3,) just outside the foramen where the left dorsal ramus leaves its spinal nerve (own frame)."""
    nerve = spinal_nerve(own)
    lateral_mm = foramen_corner(own)[0] + drawing("reference_bones.spinal_nerve").numbers["ramus_beyond_pedicle_mm"]
    found: FloatArray = nerve[int(np.argmin(np.abs(nerve[:, 0] - lateral_mm)))]
    return found


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
    line = course([origin_mm, *on_bone, end])
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
