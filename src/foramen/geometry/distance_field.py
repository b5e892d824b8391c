"""Distance to a structure of a label map, anywhere in space."""

from __future__ import annotations

from dataclasses import dataclass

import edt
import numpy as np
from numpy.typing import NDArray

from foramen.errors import ImageError
from foramen.kernels.distance import sample_trilinear
from foramen.model.space import FloatArray, VolumeGeometry


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DistanceField:
    """Signed distance (mm) to the surface of a mask: positive outside, negative inside.

    Parameters
    ----------
    geometry : VolumeGeometry
        Grid of the field.
    values_mm : ndarray of float32
        Signed distance at the voxel centres.

    Notes
    -----
    The exact Euclidean transform gives the distance between voxel *centres*; the surface of a mask lies
    half a voxel before that. Half of the smallest spacing is taken off on both sides, so the field
    crosses zero midway between an inner and an outer voxel. The true surface may lie anywhere within
    half a voxel diagonal: `tolerance_mm`.
    """

    geometry: VolumeGeometry
    values_mm: NDArray[np.float32]

    @classmethod
    def from_mask(cls, mask: NDArray[np.bool_], geometry: VolumeGeometry) -> DistanceField:
        """The field of a mask on its grid; raises `ImageError` if the mask is empty or of another shape."""
        if mask.shape != geometry.shape:
            raise ImageError(f"Mask {mask.shape} and grid {geometry.shape} differ.")
        if not mask.any():
            raise ImageError("A distance to an empty structure is not defined. Check that the label exists first.")
        spacing = tuple(float(s) for s in geometry.spacing_mm)
        half = min(spacing) / 2
        inside = np.asfortranarray(mask) if mask.flags.f_contiguous else np.ascontiguousarray(mask)
        outer = np.asarray(edt.edt(~inside, anisotropy=spacing, parallel=1), dtype=np.float32)
        inner = np.asarray(edt.edt(inside, anisotropy=spacing, parallel=1), dtype=np.float32)
        values = np.where(mask, half - inner, outer - half).astype(np.float32)
        return cls(geometry=geometry, values_mm=np.ascontiguousarray(values))

    @property
    def tolerance_mm(self) -> float:
        """Half of a voxel's diagonal: how far the true surface may lie from the mask's."""
        return float(np.linalg.norm(self.geometry.spacing_mm) / 2)

    def signed(self, points_mm: FloatArray) -> FloatArray:
        """Signed distances (...) mm of LPS points (..., 3); beyond the grid that of the nearest face."""
        points = np.asarray(points_mm, dtype=np.float64)
        flat = np.ascontiguousarray(points.reshape(-1, 3))
        to_index = np.linalg.inv(self.geometry.affine_mm)[:3]
        values: FloatArray = sample_trilinear(self.values_mm, to_index, flat)
        return values.reshape(points.shape[:-1])

    def at(self, points_mm: FloatArray) -> FloatArray:
        """Distances (...) mm of LPS points (..., 3) to the structure, 0 inside it."""
        distance: FloatArray = np.maximum(self.signed(points_mm), 0.0)
        return distance
