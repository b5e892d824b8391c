"""Nerves laid beside the bones that they pass: on the surface, or clear of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from scipy.ndimage import gaussian_filter1d

from foramen.model.space import FloatArray

REACH_MM = 1.5
"""A stretch nearer to the bone than its offset and this runs along the bone, and is laid on it."""

BRANCH_SMOOTHING_STEPS, SPINAL_SMOOTHING_STEPS = 1.5, 2.0
"""Standard deviation, in steps of the course, by which a course is smoothed."""


class SolidBone(Protocol):
    """A bone of which distances in LPS are known."""

    def at(self, points_mm: FloatArray) -> FloatArray:
        """Signed distance (n,) to the surface at LPS points (n, 3), negative inside."""
        ...

    def onto_surface(self, points_mm: FloatArray, *, offset_mm: float = 0.0) -> FloatArray:
        """LPS points (n, 3) moved to `offset_mm` outside the surface."""
        ...


def beside_bone(bone: SolidBone, line_mm: FloatArray, offset_mm: float) -> FloatArray:
    """The course (n, 3) with every stretch near the bone laid at `offset_mm` from it, and none inside."""
    line = line_mm.copy()
    for _ in range(3):
        close = bone.at(line) < offset_mm + REACH_MM
        line[close] = bone.onto_surface(line[close], offset_mm=offset_mm)
        line[1:-1] = gaussian_filter1d(line, BRANCH_SMOOTHING_STEPS, axis=0, mode="nearest")[1:-1]
    close = bone.at(line) < offset_mm
    line[close] = bone.onto_surface(line[close], offset_mm=offset_mm)
    return line


def clear_of_bones(bones: Sequence[SolidBone], line_mm: FloatArray, radius_mm: float) -> FloatArray:
    """The course (n, 3) pushed out of bones by the nerve's radius, and smoothed."""
    line = line_mm.copy()
    for _ in range(3):
        for bone in bones:
            close = bone.at(line) < radius_mm
            if close.any():
                line[close] = bone.onto_surface(line[close], offset_mm=radius_mm)
        line[1:-1] = gaussian_filter1d(line, SPINAL_SMOOTHING_STEPS, axis=0, mode="nearest")[1:-1]
    return line
