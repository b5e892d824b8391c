"""A vertebra as a distance field on a grid in its own frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from foramen.anatomy.reference_body.primitives import FAR_MM, Box, Field, Solid, Strut, smooth_maximum, smooth_minimum
from foramen.knowledge.labels import part_names
from foramen.model.space import FloatArray

FIELD_SPACING_MM = 0.8
"""Grid of the distance fields; trilinear values between are right to about 0.1 mm."""

_REACH_MM = 6.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BoneField:
    """Signed distance (mm, negative in bone) and nearest part of one bone.

    Parameters
    ----------
    low_mm : tuple of float
        Position of the first grid point in the vertebra's frame (left, posterior, superior).
    distance_mm : ndarray of float32
        Signed distance on the grid of `FIELD_SPACING_MM`.
    part : ndarray of uint8
        Number of the nearest vertebral part (labels.yaml).
    """

    low_mm: tuple[float, float, float]
    distance_mm: Field
    part: NDArray[np.uint8]

    @property
    def high_mm(self) -> FloatArray:
        """Position of the last grid point."""
        high: FloatArray = np.array(self.low_mm) + FIELD_SPACING_MM * (np.array(self.distance_mm.shape) - 1)
        return high

    def index(self, points_mm: FloatArray) -> FloatArray:
        """Fractional grid indices (n, 3) of points in the vertebra's frame."""
        found: FloatArray = (np.asarray(points_mm) - np.array(self.low_mm)) / FIELD_SPACING_MM
        return found

    def at(self, points_mm: FloatArray) -> FloatArray:
        """Signed distance (n,) to the bone's surface at points (n, 3), trilinear; far away `FAR_MM`."""
        index = self.index(np.atleast_2d(points_mm)).T
        found: FloatArray = map_coordinates(self.distance_mm, index, order=1, cval=FAR_MM, output=np.float64)
        return found

    def normal(self, points_mm: FloatArray) -> FloatArray:
        """Outward unit normals (n, 3) of the distance field at points (n, 3)."""
        points = np.atleast_2d(points_mm)
        step = FIELD_SPACING_MM * np.eye(3)
        slope = np.stack([self.at(points + s) - self.at(points - s) for s in step], axis=1)
        unit: FloatArray = slope / np.maximum(np.linalg.norm(slope, axis=1, keepdims=True), 1e-9)
        return unit

    def onto_surface(self, points_mm: FloatArray, *, offset_mm: float = 0.0) -> FloatArray:
        """Points (n, 3) moved along the field's gradient to `offset_mm` outside the surface."""
        points = np.array(np.atleast_2d(points_mm), dtype=np.float64)
        for _ in range(8):
            points -= (0.8 * (self.at(points) - offset_mm))[:, None] * self.normal(points)
        return points

    def part_at(self, points_mm: FloatArray) -> NDArray[np.uint8]:
        """Number of the nearest part (n,) at points (n, 3)."""
        index = np.rint(self.index(np.atleast_2d(points_mm))).astype(np.int64)
        index = np.clip(index, 0, np.array(self.part.shape) - 1)
        found: NDArray[np.uint8] = self.part[index[:, 0], index[:, 1], index[:, 2]]
        return found


def part_number(name: str) -> int:
    """Number of a vertebral part in label values (labels.yaml)."""
    return part_names().index(name)


def coordinates(low_mm: tuple[float, float, float], shape: tuple[int, int, int]) -> tuple[Field, Field, Field]:
    """Broadcastable coordinates (x, y, z) of a field's grid."""
    x, y, z = ((low + FIELD_SPACING_MM * np.arange(n)).astype(np.float32) for low, n in zip(low_mm, shape, strict=True))
    return x[:, None, None], y[None, :, None], z[None, None, :]


def union_of(solids: tuple[Solid, ...], box: Box, *, is_paired: bool = True) -> BoneField:
    """Smooth union of solids and their mirror images on a grid over a box, each evaluated only near itself.

    The box is symmetric about the midplane and solids of pairs are given for the left; with `is_paired` false
    nothing is mirrored.
    """
    low, high = box
    shape = tuple(int(np.ceil((b - a) / FIELD_SPACING_MM)) + 1 for a, b in zip(low, high, strict=True))
    grid = coordinates(low, (shape[0], shape[1], shape[2]))
    distance = np.full(shape, FAR_MM, dtype=np.float32)
    nearest = np.full(shape, FAR_MM, dtype=np.float32)
    part = np.zeros(shape, dtype=np.uint8)
    for solid in solids:
        near = _near(solid.box, low, shape)
        x, y, z = grid[0][near[0]], grid[1][:, near[1]], grid[2][:, :, near[2]]
        own = solid.distance(x, y, z)
        block, best = distance[near], nearest[near]
        distance[near] = smooth_minimum(block, own, solid.blend_mm)
        closer = own < best
        part[near] = np.where(closer, np.uint8(part_number(solid.part)), part[near])
        nearest[near] = np.minimum(best, own)
    if not is_paired:
        return BoneField(low_mm=low, distance_mm=distance, part=part)
    right = shape[0] // 2
    part[:right] = _other_side()[part[::-1][:right]]
    return BoneField(low_mm=low, distance_mm=np.minimum(distance, distance[::-1]), part=part)


def carve(field: BoneField, cutters: tuple[Strut, ...]) -> BoneField:
    """The field without the inside of the cutters and their mirror images, each evaluated only near itself."""
    shape = field.distance_mm.shape
    grid = coordinates(field.low_mm, (shape[0], shape[1], shape[2]))
    distance = field.distance_mm.copy()
    for cutter in cutters:
        near = _near(cutter.box, field.low_mm, shape)
        removed = -cutter.distance(grid[0][near[0]], grid[1][:, near[1]], grid[2][:, :, near[2]])
        distance[near] = smooth_maximum(distance[near], removed, cutter.blend_mm)
    return BoneField(low_mm=field.low_mm, distance_mm=np.maximum(distance, distance[::-1]), part=field.part)


def _other_side() -> NDArray[np.uint8]:
    """Part numbers with left and right exchanged."""
    names = part_names()
    swapped = [n.replace("_left", "_?").replace("_right", "_left").replace("_?", "_right") for n in names]
    return np.array([names.index(n) for n in swapped], dtype=np.uint8)


def _near(box: Box, low: tuple[float, float, float], shape: tuple[int, ...]) -> tuple[slice, slice, slice]:
    slices = []
    for axis in range(3):
        first = int(np.floor((box[0][axis] - _REACH_MM - low[axis]) / FIELD_SPACING_MM))
        last = int(np.ceil((box[1][axis] + _REACH_MM - low[axis]) / FIELD_SPACING_MM))
        slices.append(slice(max(first, 0), max(min(last + 1, shape[axis]), 0)))
    return slices[0], slices[1], slices[2]
