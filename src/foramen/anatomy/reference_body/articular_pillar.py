"""The articular pillar of a cervical vertebra: a rhomboid with a waist, cut above and below by its facets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from foramen.anatomy.reference_body.primitives import Box, Field, Vector, smooth_maximum

APART_MM = 0.01
"""The lower half is drawn by this much nearer than the whole pillar, so that its part's name wins there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pillar:
    """A left articular pillar in its vertebra's frame, bounded by two facet planes and four walls.

    Parameters
    ----------
    top, top_normal, bottom, bottom_normal : tuple of float
        A point of each facet, and the unit normals, which point out of the bone.
    medial_mm, lateral_mm : tuple of float
        Left coordinates of its side walls at the heights of the upper and the lower facet.
    front_mm, back_mm : tuple of float
        Posterior coordinates of its anterior and posterior walls at the heights of the upper and the lower facet.
    form : mapping
        `waist_mm` (how far the lateral wall is hollowed halfway up), `edge_mm` (rounding of the edges) and
        `rim_edge_mm` (rounding of the facets' rims).
    is_lower_half : bool
        Only the half of the lower facet.
    """

    top: Vector
    top_normal: Vector
    bottom: Vector
    bottom_normal: Vector
    medial_mm: tuple[float, float]
    lateral_mm: tuple[float, float]
    front_mm: tuple[float, float]
    back_mm: tuple[float, float]
    form: Mapping[str, float]
    part: str
    blend_mm: float
    is_lower_half: bool = False

    @property
    def box(self) -> Box:
        """Corners of a box around the pillar."""
        steepest = max(
            -min(self.bottom_normal[1] / self.bottom_normal[2], 0.0), self.top_normal[1] / self.top_normal[2]
        )
        depth = max(self.back_mm) - min(self.front_mm)
        low = (min(self.medial_mm), min(self.front_mm), self.bottom[2] - steepest * depth)
        return low, (max(self.lateral_mm), max(self.back_mm), self.top[2] + steepest * depth)

    def distance(self, x: Field, y: Field, z: Field) -> Field:
        """Signed distance at broadcastable coordinates, first order in the waist."""
        middle = np.float32(0.5 * (self.top[2] + self.bottom[2]))
        half = np.float32(0.5 * (self.top[2] - self.bottom[2]))
        height = (z - middle) / half
        share = np.clip(0.5 * (1 - height), 0, 1)  # 0 at the upper facet, 1 at the lower
        hollow = np.float32(self.form["waist_mm"]) * np.clip(1 - height * height, 0, 1)
        lateral = x - (_between(self.lateral_mm, share) - hollow)
        front = _between(self.front_mm, share) - y
        back = y - _between(self.back_mm, share)
        edge = self.form["edge_mm"]
        walls = smooth_maximum(smooth_maximum(lateral, _between(self.medial_mm, share) - x, edge), front, edge)
        walls = smooth_maximum(walls, back, edge)
        ends = np.maximum(
            _beyond(self.top, self.top_normal, x, y, z), _beyond(self.bottom, self.bottom_normal, x, y, z)
        )
        found = smooth_maximum(walls, ends, self.form["rim_edge_mm"])
        if self.is_lower_half:
            cut = z - middle
            found = np.maximum(found, cut) - np.float32(APART_MM)
        whole: Field = found.astype(np.float32)
        return whole


def _between(ends: tuple[float, float], share: Field) -> Field:
    found: Field = np.float32(ends[0]) + np.float32(ends[1] - ends[0]) * share
    return found


def _beyond(point: Vector, normal: Vector, x: Field, y: Field, z: Field) -> Field:
    """Distance beyond a plane, along its normal."""
    found: Field = sum(np.float32(n) * (c - np.float32(p)) for n, c, p in zip(normal, (x, y, z), point, strict=True))  # type: ignore[assignment]
    return found
