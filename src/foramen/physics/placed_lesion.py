"""Lesions in the patient: their fields at LPS points, and several composed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from foramen.geometry.needle_frame import NeedleFrame
from foramen.model.space import FloatArray
from foramen.physics.contours import PARTS, refined
from foramen.physics.lesion import Lesion
from foramen.units import MM_PER_M

_TINY_OMEGA = 1e-30


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlacedLesion:
    """A lesion on the grid about its needle, and where that needle is."""

    lesion: Lesion
    frame: NeedleFrame

    def peak_degC_at(self, points_mm: FloatArray) -> FloatArray:
        """Highest temperature over time at LPS points (n, 3)."""
        return self._interpolate(self.lesion.peak_degC, points_mm)

    def omega_at(self, name: str, points_mm: FloatArray) -> FloatArray:
        """Damage Omega of one set at LPS points (n, 3); its logarithm is interpolated."""
        logarithm = np.log(np.maximum(self.lesion.omega[name], _TINY_OMEGA))
        omega: FloatArray = np.exp(self._interpolate(logarithm, points_mm))
        return omega

    def _interpolate(self, values: FloatArray, points_mm: FloatArray) -> FloatArray:
        """Cubic away from the needle, linear along and about it; constant beyond the far field."""
        grid = self.lesion.grid
        r_mm, z_mm, angle = self.frame.cylindrical(points_mm)
        i, k, j = grid.index(r_mm / MM_PER_M, z_mm / MM_PER_M, angle)
        _, finer = refined(grid.radial_nodes_m, values)
        wrapped = np.concatenate([finer[:, :, -1:], finer, finer[:, :, :1]], axis=2)
        found: FloatArray = ndimage.map_coordinates(wrapped, np.stack([PARTS * i, k, j + 1]), order=1, mode="nearest")
        return found


def composed_peak_degC(lesions: Sequence[PlacedLesion], points_mm: FloatArray) -> FloatArray:
    """Highest temperature over all lesions at LPS points (n, 3); each starts from the baseline."""
    peaks: FloatArray = np.max([lesion.peak_degC_at(points_mm) for lesion in lesions], axis=0)
    return peaks


def composed_omega(lesions: Sequence[PlacedLesion], name: str, points_mm: FloatArray) -> FloatArray:
    """Sum of Omega over all lesions at LPS points (n, 3)."""
    total: FloatArray = np.sum([lesion.omega_at(name, points_mm) for lesion in lesions], axis=0)
    return total
