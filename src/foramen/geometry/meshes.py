"""Triangle surfaces from masks and distance fields."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from skimage.measure import marching_cubes

from foramen.errors import ImageError
from foramen.model.space import Surface, VolumeGeometry


def surface_from_mask(mask: NDArray[np.bool_], geometry: VolumeGeometry, *, smoothing_mm: float = 0.6) -> Surface:
    """Closed surface (LPS mm, outward triangles) of a mask on a grid.

    Parameters
    ----------
    mask : ndarray of bool, shape of the grid
        The structure; what touches the grid's edge is closed there.
    geometry : VolumeGeometry
        Grid of the mask.
    smoothing_mm : float
        Standard deviation of the Gaussian that rounds the voxels' steps; 0 for none.

    Raises
    ------
    ImageError
        If the mask is empty or of another shape.
    """
    if mask.shape != geometry.shape:
        raise ImageError(f"Mask {mask.shape} and grid {geometry.shape} differ. Resample the mask to the grid.")
    if not mask.any():
        raise ImageError("The mask is empty: there is no surface to make. Check the label that it came from.")
    inside = np.argwhere(mask)
    margin = np.ceil(3 * smoothing_mm / geometry.spacing_mm).astype(int) + 1
    low = inside.min(0) - margin
    block = np.zeros(inside.max(0) + margin + 1 - low, dtype=np.float32)
    block[tuple((inside - low).T)] = 1.0
    if smoothing_mm > 0:
        block = gaussian_filter(block, smoothing_mm / geometry.spacing_mm, mode="constant")
    return surface_of_level(block, 0.5, low, geometry, is_inside_above=True)


def surface_of_level(
    values: NDArray[np.float32],
    level: float,
    first_index: NDArray[np.int64],
    geometry: VolumeGeometry,
    *,
    is_inside_above: bool,
) -> Surface:
    """Surface where `values` cross `level`; `values` is a block of the grid that begins at `first_index`.

    Raises
    ------
    ImageError
        If the values never cross the level.
    """
    if not values.min() < level < values.max():
        raise ImageError(f"The values {values.min():.3g} to {values.max():.3g} do not cross {level}: no surface.")
    direction = "ascent" if is_inside_above else "descent"
    vertices, faces, _, _ = marching_cubes(values, level, gradient_direction=direction)
    points = geometry.lps_mm(vertices + first_index)
    if np.linalg.det(geometry.affine_mm[:3, :3]) < 0:
        faces = faces[:, ::-1]
    found: NDArray[np.int64] = np.ascontiguousarray(faces, dtype=np.int64)
    return Surface(vertices_mm=points, faces=found, frame_uid=geometry.frame_uid)
