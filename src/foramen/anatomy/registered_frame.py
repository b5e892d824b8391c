"""Frame of a vertebra from its registration: midplane and endplates of the reference as they lie in the patient.

The midplane is the plane that best swaps corresponding points of left and right.
A mirror search on the bone alone matches nearest points, and on the nearly round body every plane fits; where
arch and body are turned against each other it follows the body. The registration knows which point of the left
answers to which of the right. Likewise an endplate read off a coarse label by rays may be tilted by ten degrees; the
registered one rests on the whole surface.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from foramen.anatomy.bones import Bone, margin_mm
from foramen.anatomy.reference_body.dimensions import dimensions
from foramen.anatomy.registration import Registration, surface_normals, surface_points_mm
from foramen.model.anatomy import VertebraFrame
from foramen.model.levels import Vertebra
from foramen.model.space import FloatArray

FEWEST_PAIRS_FRACTION = 0.7
"""With fewer of the pairs inside the scan, the plane would rest on bone that was not seen."""

WITHIN_RIM_FRACTION, ABOVE_FRACTION, FACING_UP = 0.8, 0.3, 0.8
"""The endplate's points lie within this share of the body's half width and depth, above the body's middle by this share
of its height, and face up with this cosine."""

TO_OTHER_SIDE = np.array([-1.0, 1.0, 1.0])
"""The reference vertebra is symmetric: its first axis points to the left."""


def registered_frame(bone: Bone, registration: Registration) -> VertebraFrame:
    """The vertebra's frame from its registered midplane and superior endplate.

    Parameters
    ----------
    bone : Bone
        The patient's bone; points outside its scan are not used.
    registration : Registration
        Of the symmetric reference vertebra to it.

    Returns
    -------
    VertebraFrame
        Of each part that the scan shows too little of, the frame keeps what was measured on the label.
    """
    frame = _with_midplane(bone, registration)
    points = _endplate_points_mm(bone.level)
    carried = registration.carry(points)
    seen = bone.margin_mm(carried) > bone.spacing_mm
    if seen.mean() < FEWEST_PAIRS_FRACTION:
        return frame
    offsets = carried[seen] - carried[seen].mean(axis=0)
    normal = np.linalg.svd(offsets, full_matrices=False)[2][2]
    normal *= np.sign(normal @ frame.superior)
    up = normal - (normal @ frame.left) * frame.left
    up /= np.linalg.norm(up)
    axes = np.stack([frame.left, np.cross(up, frame.left), up], axis=1)
    height = 0.5 * dimensions(bone.level).body_height_mm
    top, bottom = registration.carry(np.array([[0.0, 0.0, height], [0.0, 0.0, -height]]))
    is_bottom_seen = float(bone.margin_mm(bottom)[0]) > bone.spacing_mm
    low = bottom if is_bottom_seen else frame.inferior_endplate_mm
    return VertebraFrame(origin_mm=0.5 * (top + low), axes=axes, superior_endplate_mm=top, inferior_endplate_mm=low)


@cache
def _endplate_points_mm(level: Vertebra) -> FloatArray:
    """Surface points (n, 3) of the superior endplate of a reference vertebra, within its rim, in its own frame."""
    own = dimensions(level)
    points, normals = surface_points_mm(level), surface_normals(level)
    half = np.array([0.5 * own.body_width_mm, 0.5 * own.body_depth_mm])
    inside = (np.abs(points[:, :2]) / half <= WITHIN_RIM_FRACTION).all(axis=1)
    inside &= points[:, 2] > ABOVE_FRACTION * own.body_height_mm
    found: FloatArray = points[inside & (normals[:, 2] > FACING_UP)]
    return found


def _with_midplane(bone: Bone, registration: Registration) -> VertebraFrame:
    """The vertebra's frame turned and moved sideways onto the midplane of its registered surface.

    Parameters
    ----------
    bone : Bone
        The patient's bone; points outside its scan are not used.
    registration : Registration
        Of the symmetric reference vertebra to it.

    Returns
    -------
    VertebraFrame
        Up and back change no more than the new left axis demands; unchanged if the scan shows too little.

    Notes
    -----
    The reflection I - 2 n n' that carries the left points a_i nearest to their right counterparts b_i (least
    squares) has for n the eigenvector of the smallest eigenvalue of sum (a_i - a)(b_i - b)' made symmetric,
    and passes through the mean of all points.
    """
    frame = registration.frame
    points = surface_points_mm(bone.level)
    points = points[points[:, 0] > 0]
    left, right = registration.carry(points), registration.carry(points * TO_OTHER_SIDE)
    seen = np.minimum(margin_mm(bone.scan, left), margin_mm(bone.scan, right)) > bone.spacing_mm
    if seen.mean() < FEWEST_PAIRS_FRACTION:
        return frame
    normal, on_plane = _plane_between(left[seen], right[seen])
    axes = np.stack([normal, frame.posterior, frame.superior], axis=1)
    axes[:, 1] -= (axes[:, 1] @ normal) * normal
    axes[:, 1] /= np.linalg.norm(axes[:, 1])
    axes[:, 2] = np.cross(axes[:, 0], axes[:, 1])

    def onto(point: FloatArray) -> FloatArray:
        moved: FloatArray = point - ((point - on_plane) @ normal) * normal
        return moved

    return VertebraFrame(
        origin_mm=onto(frame.origin_mm),
        axes=axes,
        superior_endplate_mm=onto(frame.superior_endplate_mm),
        inferior_endplate_mm=onto(frame.inferior_endplate_mm),
    )


def _plane_between(left: FloatArray, right: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Unit normal towards the left and a point of the plane about which paired points (n, 3) mirror each other."""
    points, images = np.vstack([left, right]), np.vstack([right, left])
    middle = points.mean(axis=0)
    spread = (points - middle).T @ (images - middle)
    _, vectors = np.linalg.eigh(spread + spread.T)
    normal: FloatArray = vectors[:, 0]
    return (normal if normal @ (left - right).mean(axis=0) > 0 else -normal), middle
