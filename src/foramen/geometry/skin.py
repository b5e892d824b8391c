"""The body's surface in a scan, and where a needle's line leaves it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cc3d
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from foramen.errors import ImageError
from foramen.geometry.mr_body import inside_on_mr
from foramen.geometry.segments import unit
from foramen.kernels.distance import sample_trilinear
from foramen.model.space import FloatArray, Modality, Volume, VolumeGeometry

GRID_MM = 2.0
"""Finest spacing at which the body is found; finer images are thinned to about this."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Body:
    """Where the body is: a mask (1.0 inside) on a grid that is not finer than `GRID_MM`."""

    geometry: VolumeGeometry
    inside: NDArray[np.float32]
    surface_tolerance_mm: float

    def contains(self, points_mm: FloatArray) -> NDArray[np.bool_]:
        """Whether LPS points (..., 3) lie in the body."""
        points = np.asarray(points_mm, dtype=np.float64)
        to_index = np.linalg.inv(self.geometry.affine_mm)[:3]
        share = sample_trilinear(self.inside, to_index, np.ascontiguousarray(points.reshape(-1, 3)))
        inside: NDArray[np.bool_] = (share >= 0.5).reshape(points.shape[:-1])
        return inside

    def exit_distance_mm(
        self, origins_mm: FloatArray, directions: FloatArray, *, longest_mm: float, step_mm: float = 1.0
    ) -> tuple[FloatArray, NDArray[np.bool_]]:
        """Distances (n,) from points inside the body to the skin along rays, and which rays stay in the image.

        Parameters
        ----------
        origins_mm, directions : ndarray, shape (n, 3)
            LPS points inside the body and unit vectors.
        longest_mm : float
            How far to look.

        Returns
        -------
        distance_mm : ndarray, shape (n,)
            Distance to the last point inside the body before the first gap; infinite if none was met.
        is_in_image : ndarray of bool, shape (n,)
            False where the ray leaves the image before it meets the skin.
        """
        steps = np.arange(0.0, longest_mm + step_mm, step_mm)
        points = origins_mm[:, None, :] + steps[None, :, None] * directions[:, None, :]
        is_outside = ~self.contains(points)
        left_body = np.where(is_outside.any(axis=1), is_outside.argmax(axis=1), len(steps))
        distance = steps[np.minimum(left_body, len(steps) - 1)] - step_mm / 2
        is_in_image = (left_body < len(steps)) & (distance < self._grid_exit_mm(origins_mm, directions))
        return np.where(is_in_image, distance, np.inf), is_in_image

    def _grid_exit_mm(self, origins_mm: FloatArray, directions: FloatArray) -> FloatArray:
        """Distances (n,) along rays from inside the image to its outer voxel centres."""
        start = self.geometry.index(origins_mm)
        speed = self.geometry.index(origins_mm + directions) - start
        last = np.array(self.geometry.shape) - 1.0
        room = np.where(speed > 0, last - start, start)
        exit_mm: FloatArray = (room / np.maximum(np.abs(speed), 1e-9)).min(axis=1)
        return exit_mm

    def outward_normals(self, points_mm: FloatArray, *, reach_mm: float = 8.0) -> FloatArray:
        """Unit vectors (n, 3) out of the body at points on the skin, averaged over `reach_mm`."""
        near = np.linspace(-1.0, 1.0, 5)
        box = reach_mm * np.stack(np.meshgrid(near, near, near, indexing="ij"), axis=-1).reshape(-1, 3)
        inside = self.contains(points_mm[:, None] + box[None])
        return -unit((inside[..., None] * box[None]).sum(axis=1) + 1e-9)


@lru_cache(maxsize=1)  # the targets of one plan share it; images are never changed, so identity is enough
def find_body(image: Volume, *, threshold_hu: float) -> Body:
    """The body in a CT: the largest connected part above a threshold, its holes filled slice by slice.

    Parameters
    ----------
    threshold_hu : float
        Above it a voxel is not air; an MR has no such threshold and is read by `mr_body`.

    Raises
    ------
    ImageError
        If nothing in the image is above the threshold.

    Notes
    -----
    A two-voxel opening parts the body from the table on which it lies. Slices are taken across the
    array axis nearest to the body's long axis, so that bowel gas which reaches the image's first or last
    slice is filled too. The surface is known to half a voxel diagonal of the (thinned) grid.
    """
    thin = np.maximum(1, np.floor(GRID_MM / image.geometry.spacing_mm + 1e-6).astype(int))
    values = image.values[:: thin[0], :: thin[1], :: thin[2]]
    affine = image.geometry.affine_mm.copy()
    affine[:3, :3] *= thin
    geometry = VolumeGeometry(shape=values.shape, affine_mm=affine, frame_uid=image.geometry.frame_uid)
    tolerance_mm = float(np.linalg.norm(geometry.spacing_mm) / 2)
    if image.modality is Modality.MR:
        inside = np.ascontiguousarray(inside_on_mr(values, geometry), dtype=np.float32)
        return Body(geometry=geometry, inside=inside, surface_tolerance_mm=tolerance_mm)
    dense = values > threshold_hu
    if not dense.any():
        raise ImageError(f"No voxel is above {threshold_hu:g} HU: this is no CT of a body. Check the image.")
    opened = ndimage.binary_opening(np.pad(dense, 2, mode="edge"), iterations=2)[2:-2, 2:-2, 2:-2]
    parts = np.asarray(cc3d.connected_components(opened if opened.any() else dense, connectivity=6))
    counts = np.bincount(parts.ravel())
    counts[0] = 0
    body = parts == int(counts.argmax())
    across = int(np.abs(geometry.axes[2]).argmax())
    for number in range(geometry.shape[across]):
        cut = [slice(None)] * 3
        cut[across] = slice(number, number + 1)
        body[tuple(cut)] = ndimage.binary_fill_holes(body[tuple(cut)].squeeze(across)).reshape(body[tuple(cut)].shape)
    return Body(
        geometry=geometry,
        inside=np.ascontiguousarray(body, dtype=np.float32),
        surface_tolerance_mm=tolerance_mm,
    )
