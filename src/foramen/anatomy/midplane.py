"""Midplane of a vertebra from its registration: the plane that best swaps corresponding points of left and right.

A mirror search on the bone alone matches nearest points, and on the nearly round body every plane fits; where
arch and body are turned against each other it follows the body. The registration knows which point of the left
answers to which of the right.
"""

from __future__ import annotations

import numpy as np

from foramen.anatomy.bones import Bone, margin_mm
from foramen.anatomy.registration import Registration, surface_points_mm
from foramen.model.anatomy import VertebraFrame
from foramen.model.space import FloatArray

FEWEST_PAIRS_FRACTION = 0.7
"""With fewer of the pairs inside the scan, the plane would rest on bone that was not seen."""

TO_OTHER_SIDE = np.array([-1.0, 1.0, 1.0])
"""The reference vertebra is symmetric: its first axis points to the left."""


def with_midplane(bone: Bone, registration: Registration) -> VertebraFrame:
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
