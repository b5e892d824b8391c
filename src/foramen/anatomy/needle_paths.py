"""How near straight needles come to everything around them, many needles at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foramen.anatomy.obstacles import Obstacles
from foramen.geometry.segments import point_segment_distance
from foramen.geometry.skin import Body
from foramen.knowledge.facts import number
from foramen.model.space import FloatArray

ELECTRODE_STEP_MM = 0.5
SHAFT_STEP_MM = 1.0
"""Steps at which distances are read along the bare part and along the shaft."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Needles:
    """Straight needles of one kind.

    Parameters
    ----------
    tips_mm : ndarray, shape (n, 3)
        Distal ends, LPS.
    backs : ndarray, shape (n, 3)
        Unit vectors from tip to hub.
    radius_mm, active_mm : float
        Outer radius, and length of the bare part.
    """

    tips_mm: FloatArray
    backs: FloatArray
    radius_mm: float
    active_mm: float

    def at(self, distances_mm: FloatArray) -> FloatArray:
        """Points (n, k, 3) on the axes at distances (k,) or (n, k) from the tips."""
        distances = np.broadcast_to(distances_mm, (len(self.tips_mm), np.shape(distances_mm)[-1]))
        points: FloatArray = self.tips_mm[:, None] + distances[..., None] * self.backs[:, None]
        return points

    @property
    def active_ends_mm(self) -> FloatArray:
        """Proximal ends (n, 3) of the bare parts."""
        ends: FloatArray = self.tips_mm + self.active_mm * self.backs
        return ends

    def take(self, which: NDArray[np.intp]) -> Needles:
        """Some of the needles."""
        return Needles(
            tips_mm=self.tips_mm[which], backs=self.backs[which], radius_mm=self.radius_mm, active_mm=self.active_mm
        )


def bone_overlap_mm(needles: Needles, obstacles: Obstacles) -> FloatArray:
    """Depth (n,) mm to which the bare part's surface lies in bone; negative where it does not touch."""
    steps = np.arange(0.0, needles.active_mm + ELECTRODE_STEP_MM / 2, ELECTRODE_STEP_MM)
    # The rounded end narrows to a point: its axis counts from one radius behind the tip.
    nearest: FloatArray = obstacles.bone.signed(needles.at(np.maximum(steps, needles.radius_mm))).min(axis=1)
    return needles.radius_mm - nearest


def shaft_bone_gap_mm(
    needles: Needles, lengths_mm: FloatArray, obstacles: Obstacles, *, free_mm: float
) -> tuple[FloatArray, FloatArray]:
    """Gap (n,) mm between shaft and bone from `free_mm` behind the bare part to the skin, and the place (n, 3)."""
    longest = float(lengths_mm.max())
    steps = np.arange(needles.active_mm + free_mm, max(longest, needles.active_mm + free_mm + 1.0), SHAFT_STEP_MM)
    distances = np.minimum(steps[None], lengths_mm[:, None])
    points = needles.at(distances)
    gap = obstacles.bone.signed(points) - needles.radius_mm
    worst = gap.argmin(axis=1)
    row = np.arange(len(gap))
    return gap[row, worst], points[row, worst]


def keep_out_gaps_mm(
    needles: Needles, lengths_mm: FloatArray, obstacles: Obstacles, *, within_mm: float = np.inf
) -> FloatArray:
    """Gaps (n, number of keep-outs) mm between the whole needle's surface and each keep-out.

    Gaps above `within_mm` may be given as infinite.
    """
    steps = np.arange(0.0, float(lengths_mm.max()) + SHAFT_STEP_MM, SHAFT_STEP_MM)
    points = needles.at(np.minimum(steps[None], lengths_mm[:, None]))
    reach = within_mm + needles.radius_mm
    gaps = [cloud.distance_mm(points, within_mm=reach).min(axis=1) - needles.radius_mm for cloud in obstacles.keep_outs]
    return np.stack(gaps, axis=1) if gaps else np.empty((len(lengths_mm), 0))


def nerve_gaps_mm(needles: Needles, ends_mm: FloatArray, obstacles: Obstacles) -> FloatArray:
    """Gaps (n, number of nerves) mm between needle surface (tip to `ends_mm`) and nerve surface."""
    return obstacles.nerve_distances_mm(needles.tips_mm, ends_mm) - needles.radius_mm


def mean_nerve_distance_mm(needles: Needles, segment_mm: FloatArray) -> FloatArray:
    """Mean distance (n,) mm of the points of a nerve (m, 3) from the axis of the bare part."""
    distance = point_segment_distance(segment_mm[None], needles.tips_mm[:, None], needles.active_ends_mm[:, None])
    mean: FloatArray = distance.mean(axis=1)
    return mean


def skin_distances_mm(needles: Needles, body: Body) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Distances (n,) mm from tips to the skin along the needles, and which of them stay in the image."""
    return body.exit_distance_mm(needles.tips_mm, needles.backs, longest_mm=number("trajectory.longest_path_mm"))
