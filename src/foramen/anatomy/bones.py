"""One labelled bone on an isotropic grid along the LPS axes, so that all that follows is free of the scan's grid."""

from __future__ import annotations

from dataclasses import dataclass

import cc3d
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage import measure

from foramen.errors import LandmarkError
from foramen.model.levels import Vertebra
from foramen.model.space import FloatArray, LabelMap, VolumeGeometry

GRID_MM = 1.0
"""Spacing of the isotropic grid; finer than that is lost in label maps of 0.7 to 3 mm."""

FEWEST_VOXELS = 100
"""A bone with fewer labelled voxels has no shape to read (a lumbar vertebra at 3 mm has about 2000)."""

SMALLEST_PIECE = 0.02
"""Pieces below this fraction of the largest are labelling errors."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bone:
    """One bone of the label map.

    Parameters
    ----------
    level : Vertebra
        Which bone.
    low_mm : ndarray, shape (3,)
        LPS position of the first grid point; the grid runs along the LPS axes at `GRID_MM`.
    distance_mm : ndarray of float32
        Signed distance to the surface on the grid, negative in the bone.
    surface_mm, normals : ndarray, shape (n, 3)
        Points of the surface with outward unit normals, LPS; faces made by the edge of the scan are left out.
    spacing_mm : float
        Largest voxel edge of the scan.
    scan : VolumeGeometry
        Grid of the scan.
    is_cut : bool
        Whether the bone touches the edge of the scan.
    """

    level: Vertebra
    low_mm: FloatArray
    distance_mm: NDArray[np.float32]
    surface_mm: FloatArray
    normals: FloatArray
    spacing_mm: float
    scan: VolumeGeometry
    is_cut: bool

    def at(self, points_mm: FloatArray) -> FloatArray:
        """Signed distance (n,) to the surface at LPS points (n, 3), trilinear.

        Beyond the grid it is that of the grid's nearest point and the way there: never less than the true distance,
        and more by twice that way at most.
        """
        index = (np.atleast_2d(points_mm) - self.low_mm) / GRID_MM
        inside = np.clip(index, 0.0, np.array(self.distance_mm.shape) - 1.0)
        found: FloatArray = ndimage.map_coordinates(self.distance_mm, inside.T, order=1, output=np.float64)
        found += GRID_MM * np.linalg.norm(index - inside, axis=1)
        return found

    def slope(self, points_mm: FloatArray) -> FloatArray:
        """Unit vectors (n, 3) away from the bone at LPS points (n, 3)."""
        points = np.atleast_2d(points_mm)
        step = GRID_MM * np.eye(3)
        slope = np.stack([self.at(points + s) - self.at(points - s) for s in step], axis=1)
        unit: FloatArray = slope / np.maximum(np.linalg.norm(slope, axis=1, keepdims=True), 1e-9)
        return unit

    def onto_surface(self, points_mm: FloatArray, *, offset_mm: float = 0.0) -> FloatArray:
        """Points (n, 3) moved along the distance field's slope to `offset_mm` outside the surface."""
        points = np.array(np.atleast_2d(points_mm), dtype=np.float64)
        for _ in range(15):
            points -= (0.8 * (self.at(points) - offset_mm))[:, None] * self.slope(points)
        return points

    def margin_mm(self, points_mm: FloatArray) -> FloatArray:
        """Distance (n,) of LPS points from the edge of the scan, negative outside it."""
        return margin_mm(self.scan, points_mm)


def margin_mm(scan: VolumeGeometry, points_mm: FloatArray) -> FloatArray:
    """Distance (n,) of LPS points (n, 3) from the edge of a grid, negative outside it."""
    index = np.atleast_2d(scan.index(points_mm))
    inner = np.minimum(index + 0.5, np.array(scan.shape) - 0.5 - index) * scan.spacing_mm
    found: FloatArray = inner.min(axis=1)
    return found


def level_mask(labels: LabelMap, level: Vertebra) -> NDArray[np.bool_]:
    """Voxels of a vertebra, all its parts together."""
    low = 100 * level.number
    found: NDArray[np.bool_] = (labels.values >= low) & (labels.values < low + 100)
    return found


def extract_bone(geometry: VolumeGeometry, mask: NDArray[np.bool_], level: Vertebra) -> Bone:
    """The bone of a level from its voxels; raises `LandmarkError` if these are too few to have a shape.

    The mask is smoothed by half a voxel along each axis and interpolated, which turns the steps of a
    coarse label map into slopes.
    """
    count = int(mask.sum())
    if count < FEWEST_VOXELS:
        raise LandmarkError(
            f"{level} has {count} labelled voxels; at least {FEWEST_VOXELS} are needed to see its shape. "
            "Label the bone again or choose a finer scan."
        )
    box = ndimage.find_objects(mask.astype(np.uint8))[0]
    start = np.array([s.start for s in box])
    block = np.pad(_without_crumbs(mask[box]), 3)
    smooth = ndimage.gaussian_filter(block.astype(np.float32), 0.5)
    low_mm, occupancy = _isotropic(geometry, smooth, start - 3)
    vertices, _, _, _ = measure.marching_cubes(occupancy, 0.5)
    solid = occupancy > 0.5
    outer, inner = ndimage.distance_transform_edt(~solid), ndimage.distance_transform_edt(solid)
    distance = np.where(solid, 0.5 - inner, outer - 0.5).astype(np.float32) * np.float32(GRID_MM)
    distance = ndimage.gaussian_filter(distance, 0.7)
    surface = low_mm + GRID_MM * vertices.astype(np.float64)
    spacing = float(geometry.spacing_mm.max())
    keep = margin_mm(geometry, surface) > 0.75 * spacing
    bone = Bone(
        level=level,
        low_mm=low_mm,
        distance_mm=distance,
        surface_mm=surface[keep],
        normals=surface[keep],
        spacing_mm=spacing,
        scan=geometry,
        is_cut=bool((~keep).sum() > 50),
    )
    object.__setattr__(bone, "normals", bone.slope(bone.surface_mm))
    return bone


def _without_crumbs(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    pieces, number = cc3d.connected_components(mask, connectivity=26, return_N=True)
    if number <= 1:
        return mask
    sizes = np.bincount(pieces.ravel())
    sizes[0] = 0
    kept: NDArray[np.bool_] = np.isin(pieces, np.flatnonzero(sizes >= SMALLEST_PIECE * sizes.max()))
    return kept & mask


def _isotropic(
    geometry: VolumeGeometry, block: NDArray[np.float32], start: NDArray[np.int64]
) -> tuple[FloatArray, NDArray[np.float32]]:
    corners = np.array(np.meshgrid(*[(a, a + n - 1) for a, n in zip(start, block.shape, strict=True)]))
    box = geometry.lps_mm(corners.reshape(3, -1).T.astype(np.float64))
    low, high = box.min(axis=0), box.max(axis=0)
    shape = np.ceil((high - low) / GRID_MM).astype(int) + 1
    affine = np.diag([GRID_MM, GRID_MM, GRID_MM, 1.0])
    affine[:3, 3] = low
    to_block = np.linalg.inv(geometry.affine_mm) @ affine
    occupancy = ndimage.affine_transform(
        block, to_block[:3, :3], offset=to_block[:3, 3] - start, output_shape=tuple(shape), order=1, cval=0.0
    )
    return low, occupancy
