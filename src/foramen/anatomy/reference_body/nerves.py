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
from foramen.model.space import FloatArray

STEP_MM = 0.5
"""Distance of neighbouring points of a course."""

NERVE_OFFSET_MM = 0.9
"""Distance of a medial branch's axis from the bone on which it lies."""


def course(points_mm: Sequence[FloatArray] | FloatArray) -> FloatArray:
    """Smooth course (n, 3) through points (m, 3), sampled about every `STEP_MM`."""
    points = np.asarray(points_mm, dtype=np.float64)
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    count = max(int(np.ceil(along[-1] / STEP_MM)) + 1, 2)
    found: FloatArray = PchipInterpolator(along, points)(np.linspace(0.0, along[-1], count))
    return found


def spinal_nerve(own: VertebraDimensions) -> FloatArray:
    """Course (n, 3) of a left spinal nerve from the sac to the psoas, in the frame of its own vertebra."""
    wall = own.posterior_wall_mm
    if own.level.name == "S1":
        sacral = [(9, 24, 10), (13, 21, -2), (17.6, 12, -11), (19.5, -4, -18), (21, -18, -25), (22, -26, -34)]
        return course(np.array(sacral, dtype=np.float64))
    pedicle_x = 0.5 * (own.canal_width_mm + own.pedicle_width_mm)
    below = 0.5 * own.body_height_mm - own.pedicle_height_mm - 1.5
    inner = 0.5 * own.canal_width_mm
    low = 1.5 if own.level.name == "L5" else 0.0  # the fifth root lies against the disc
    points = [
        (0.55 * inner, wall + 7.5, below + 17.0),
        (inner - 3.5, wall + 3.2, below + 6.0),
        (inner - 1.5 - low, wall + 2.6 - 0.4 * low, below - 2.0 - 1.8 * low),
        (pedicle_x, wall + 1.0 - 1.2 * low, below - 5.8 - 2.0 * low),
        (pedicle_x + 7.5, wall - 1.5 - low, below - 10.0 - 1.7 * low),
        (pedicle_x + 12.0, wall - 7.0, below - 18.0),
        (pedicle_x + 13.5, wall - 13.0, below - 29.0),
    ]
    return course(np.array(points, dtype=np.float64))


def ganglion(own: VertebraDimensions, nerve_mm: FloatArray, length_mm: float) -> FloatArray:
    """Part (n, 3) of a left spinal nerve's course (own frame) that is the dorsal root ganglion."""
    pedicle_x = 0.5 * (own.canal_width_mm + own.pedicle_width_mm)
    if own.level.name == "S1":
        pedicle_x = 15.5
    middle = int(np.argmin(np.abs(nerve_mm[:, 0] - pedicle_x)))
    half = max(round(0.5 * length_mm / STEP_MM), 1)
    return nerve_mm[max(middle - half, 0) : middle + half + 1]


def ramus_origin(own: VertebraDimensions) -> FloatArray:
    """Point (3,) just outside the foramen where the left dorsal ramus leaves its spinal nerve (own frame)."""
    nerve = spinal_nerve(own)
    pedicle_x = 0.5 * (own.canal_width_mm + own.pedicle_width_mm)
    found: FloatArray = nerve[int(np.argmin(np.abs(nerve[:, 0] - (pedicle_x + 6.5))))]
    return found


def medial_branch(
    bone: BoneField, origin_mm: FloatArray, junction_mm: FloatArray, notch_mm: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Course (n, 3) of a left medial branch across the bone below its root, and its point on the SAP neck (3,).

    From `origin_mm` over the groove at `junction_mm`, along the lateral neck of the superior articular process,
    under the mamillo-accessory ligament at `notch_mm`, then medially on the lamina into multifidus.
    """
    approach = junction_mm + np.array([0.8, -4.0, 0.8])
    neck = 0.5 * (junction_mm + notch_mm)
    lamina = notch_mm + np.array([-4.0, 1.0, -5.0])
    end = notch_mm + np.array([-8.5, 3.5, -11.0])
    on_bone = bone.onto_surface(np.stack([approach, junction_mm, neck, notch_mm, lamina]), offset_mm=NERVE_OFFSET_MM)
    end = bone.onto_surface(end, offset_mm=2.5)[0]
    line = course([origin_mm, *on_bone, end])
    near = [int(np.argmin(np.linalg.norm(line - p, axis=1))) for p in (on_bone[0], on_bone[4])]
    for _ in range(3):
        touching = slice(near[0], near[1] + 1)
        line[touching] = bone.onto_surface(line[touching], offset_mm=NERVE_OFFSET_MM)
        inner = gaussian_filter1d(line, 2.0, axis=0, mode="nearest")
        line[1:-1] = inner[1:-1]
        line = _off_bone(bone, line)
    return line, bone.onto_surface(on_bone[2])[0]


def _off_bone(bone: BoneField, line_mm: FloatArray) -> FloatArray:
    close = bone.at(line_mm) < NERVE_OFFSET_MM
    close[0] = False
    if close.any():
        line_mm = line_mm.copy()
        line_mm[close] = bone.onto_surface(line_mm[close], offset_mm=NERVE_OFFSET_MM)
    return line_mm
