"""Lesions in the patient: their fields at LPS points, and several composed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from foramen.geometry.needle_frame import NeedleFrame
from foramen.kernels.needle_field import read_field
from foramen.model.space import FloatArray
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
        """Monotone cubic away from the needle, linear along and about it; constant beyond the far field."""
        grid, frame = self.lesion.grid, self.frame
        axes = np.stack([frame.across, frame.sideways, frame.axis])
        points_m = np.ascontiguousarray(points_mm) / MM_PER_M
        found: FloatArray = read_field(points_m, frame.tip_mm / MM_PER_M, axes, grid.rays, values)
        return found


def composed_peak_degC(lesions: Sequence[PlacedLesion], points_mm: FloatArray) -> FloatArray:
    """Highest temperature over all lesions at LPS points (n, 3); each starts from the baseline."""
    peaks: FloatArray = np.max([lesion.peak_degC_at(points_mm) for lesion in lesions], axis=0)
    return peaks


def composed_omega(lesions: Sequence[PlacedLesion], name: str, points_mm: FloatArray) -> FloatArray:
    """Sum of Omega over all lesions at LPS points (n, 3)."""
    total: FloatArray = np.sum([lesion.omega_at(name, points_mm) for lesion in lesions], axis=0)
    return total
