"""The frame of one disc space, and what is read from a label map in it: lines and cuts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from foramen.errors import LandmarkError
from foramen.model.anatomy import Anatomy, VertebraAnatomy
from foramen.model.levels import Segment
from foramen.model.space import FloatArray, LabelMap

STEP_MM = 0.25
"""Spacing of the points of a line or a cut; finer than any voxel."""

HALF_MM = 30.0
"""Half the edge of a cut: more than the widest canal."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DiscSpace:
    """A disc space between two vertebrae: its middle (LPS) and axes (columns left, posterior, superior)."""

    segment: Segment
    upper: VertebraAnatomy
    lower: VertebraAnatomy
    middle_mm: FloatArray
    axes: FloatArray

    @property
    def posterior(self) -> FloatArray:
        """Unit vector to the back, in the plane of the disc."""
        return self.axes[:, 1]

    @property
    def superior(self) -> FloatArray:
        """Unit vector towards the head, normal to the disc."""
        return self.axes[:, 2]


def disc_space(anatomy: Anatomy, segment: Segment) -> DiscSpace:
    """The disc space of a segment; raises `LevelError` or `LandmarkError` if a vertebra or an endplate is missing."""
    upper, lower = anatomy.vertebra(segment.upper), anatomy.vertebra(segment.lower)
    ends = np.stack([upper.frame.inferior_endplate_mm, lower.frame.superior_endplate_mm])
    if not np.isfinite(ends).all():
        raise LandmarkError(f"{segment}: an endplate of this disc is not in the image. Use an image that shows it.")
    superior = upper.frame.superior + lower.frame.superior
    superior /= np.linalg.norm(superior)
    left = upper.frame.left + lower.frame.left
    left -= (left @ superior) * superior
    left /= np.linalg.norm(left)
    return DiscSpace(
        segment=segment,
        upper=upper,
        lower=lower,
        middle_mm=ends.mean(axis=0),
        axes=np.stack([left, np.cross(superior, left), superior], axis=1),
    )


def is_labelled(labels: LabelMap, points_mm: FloatArray, values: tuple[int, ...]) -> NDArray[np.bool_]:
    """Whether the voxels nearest to LPS points (..., 3) carry one of some values; False beyond the grid."""
    flat = points_mm.reshape(-1, 3)
    index = np.rint(labels.geometry.index(flat)).astype(np.intp)
    inside = np.all((index >= 0) & (index < labels.geometry.shape), axis=1)
    found = np.zeros(len(flat), dtype=bool)
    found[inside] = np.isin(labels.values[tuple(index[inside].T)], values)
    return found.reshape(points_mm.shape[:-1])


def cut(labels: LabelMap, space: DiscSpace, values: tuple[int, ...]) -> tuple[NDArray[np.bool_], FloatArray]:
    """A cut in the plane of the disc: mask (left, posterior) of some values around the canal, and its LPS points.

    Only the piece nearest to the back wall of the disc space is kept; empty if there is none.
    """
    steps = np.arange(-HALF_MM, HALF_MM + STEP_MM / 2, STEP_MM)
    back = steps + HALF_MM  # the canal lies behind the middle of the disc
    points = space.middle_mm + steps[:, None, None] * space.axes[:, 0] + back[None, :, None] * space.axes[:, 1]
    pieces, count = ndimage.label(is_labelled(labels, points, values))
    if count == 0:
        return np.zeros(points.shape[:2], dtype=bool), points
    middle = len(steps) // 2
    away = [float(np.hypot(*(np.argwhere(pieces == n + 1) - [middle, 0]).T).min()) for n in range(count)]
    nearest: NDArray[np.bool_] = pieces == int(np.argmin(away)) + 1
    return nearest, points


def run_behind(
    labels: LabelMap, start_mm: FloatArray, direction: FloatArray, values: tuple[int, ...], reach_mm: float
) -> tuple[float, float] | None:
    """First stretch of some values on a line: distances (mm) of its two ends from the start, or None."""
    along = np.arange(0.0, reach_mm, STEP_MM)
    found = is_labelled(labels, start_mm + along[:, None] * direction, values)
    if not found.any():
        return None
    first = int(found.argmax())
    rest = ~found[first:]
    last = first + int(rest.argmax()) if rest.any() else len(found)
    return float(along[first]), float(along[last - 1] + STEP_MM)


def spacing_along(labels: LabelMap, direction: FloatArray) -> float:
    """Voxel size (mm) of a label map along a direction."""
    return float(np.abs(labels.geometry.axes.T @ direction) @ labels.geometry.spacing_mm)
