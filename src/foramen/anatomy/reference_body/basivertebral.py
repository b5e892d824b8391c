"""The basivertebral canal of a vertebral body and its nerve, in the midline (the vertebra's frame).

BASIVERTEBRAL_FORAMEN
    Middle of the opening in the posterior wall of the body, on the wall.
BVN_TERMINUS
    Where the trunk of the nerve ends and branches, before the end of the bony canal: a share of the body's depth from
    the posterior wall, in the midline. It lies within the bone.

The canal is drawn into images, not cut out of the bone: label maps show whole bodies, and registration goes by them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from foramen.anatomy.reference_body.canvas import Canvas
from foramen.anatomy.reference_body.course import Course, Lie, smooth_course
from foramen.anatomy.reference_body.dimensions import VertebraDimensions
from foramen.anatomy.reference_body.field import BoneField
from foramen.knowledge.drawings import drawing
from foramen.knowledge.facts import number
from foramen.model.anatomy import Anatomy, LandmarkName, NerveKind
from foramen.model.levels import Root
from foramen.model.space import FloatArray


def basivertebral_landmarks(own: VertebraDimensions, bone: BoneField) -> dict[LandmarkName, FloatArray]:
    """The two landmarks of the midline, from the field of the bone."""
    lift = drawing("reference_bones.basivertebral").numbers["lift_fraction"] * own.body_height_mm
    lift *= -1.0 if own.level.name in _BELOW_THE_MIDDLE else 1.0
    foramen = bone.onto_surface(np.array([0.0, own.posterior_wall_mm, lift]))[0] * [0.0, 1.0, 1.0]
    depth = number("anatomy.basivertebral_terminus_fraction") * own.body_depth_mm
    return {
        LandmarkName.BASIVERTEBRAL_FORAMEN: foramen,
        LandmarkName.BVN_TERMINUS: foramen - np.array([0.0, depth, 0.0]),
    }


def basivertebral_course(own: VertebraDimensions, bone: BoneField) -> Course:
    """The nerve from its foramen to its terminus."""
    found = basivertebral_landmarks(own, bone)
    ends = found[LandmarkName.BASIVERTEBRAL_FORAMEN], found[LandmarkName.BVN_TERMINUS]
    return Course(
        name=f"{own.level} basivertebral nerve",
        kind=NerveKind.BASIVERTEBRAL_NERVE,
        root=Root(own.level.name),
        points_mm=smooth_course(np.stack(ends)),
        radius_mm=0.5 * number("anatomy.basivertebral_nerve_diameter_mm"),
        variation_sd_mm=number("anatomy.basivertebral_variation_sd_mm"),
        lie=Lie.IN_BONE,
    )


def draw_basivertebral_canals(image: NDArray[np.float32], canvas: Canvas, anatomy: Anatomy, value: float) -> None:
    """Write a value into the image, in place, where the canals of the bodies run, narrowing forwards."""
    form = drawing("reference_bones.basivertebral").numbers
    share = number("anatomy.basivertebral_canal_fraction") / number("anatomy.basivertebral_terminus_fraction")
    x, y, z = (canvas.axis_mm(axis) for axis in range(3))
    for nerve in anatomy.nerves:
        if nerve.kind is not NerveKind.BASIVERTEBRAL_NERVE:
            continue
        line = nerve.centreline_mm
        length = float(np.linalg.norm(line[-1] - line[0])) * share - form["end_radius_mm"]
        for part in np.linspace(0.0, 1.0, len(line)):
            point = line[0] + part * length * (line[-1] - line[0]) / np.linalg.norm(line[-1] - line[0])
            reach = form["foramen_radius_mm"] + part * (form["end_radius_mm"] - form["foramen_radius_mm"])
            i, j, k = (canvas.span(axis, point[axis] - reach, point[axis] + reach) for axis in range(3))
            away = (x[i, None, None] - point[0]) ** 2 + (y[None, j, None] - point[1]) ** 2
            image[i, j, k][away + (z[None, None, k] - point[2]) ** 2 < reach**2] = value


_BELOW_THE_MIDDLE = frozenset({"C7", "T1", "T2", "T3", "T4", "T6", "T7", "T8", "L5"})
"""Vertebrae whose canal lies nearer to the lower rim (Tzika 2021); of the others nearer to the upper."""
