"""Cylindrical coordinates about a needle."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from foramen.errors import InputError
from foramen.model.space import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NeedleFrame:
    """Frame of a needle: z runs from the pole of its tip (0) towards the hub, angles start at `across`.

    Parameters
    ----------
    tip_mm : ndarray, shape (3,)
        Pole of the tip, LPS.
    axis, across, sideways : ndarray, shape (3,)
        Right-handed unit vectors, LPS: (across, sideways, axis).
    """

    tip_mm: FloatArray
    axis: FloatArray
    across: FloatArray
    sideways: FloatArray

    def lps_mm(self, r_mm: FloatArray, z_mm: FloatArray, angle_rad: FloatArray) -> FloatArray:
        """LPS points (n, 3) of cylindrical coordinates (n,)."""
        plane = np.cos(angle_rad)[:, None] * self.across + np.sin(angle_rad)[:, None] * self.sideways
        points: FloatArray = self.tip_mm + r_mm[:, None] * plane + z_mm[:, None] * self.axis
        return points

    def cylindrical(self, points_mm: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Distance from the axis (mm), z (mm) and angle (rad) of LPS points (n, 3)."""
        offset = np.asarray(points_mm, dtype=np.float64) - self.tip_mm
        first, second = offset @ self.across, offset @ self.sideways
        return np.hypot(first, second), offset @ self.axis, np.arctan2(second, first)


def needle_frame(tip_mm: FloatArray, entry_mm: FloatArray) -> NeedleFrame:
    """Frame of a needle from its entry to its tip; angles start towards the LPS axis most across it."""
    vector = np.asarray(entry_mm, dtype=np.float64) - tip_mm
    length = float(np.linalg.norm(vector))
    if not length > 0:
        raise InputError("Entry and tip of a needle are the same point.")
    axis = vector / length
    across = np.eye(3)[int(np.abs(axis).argmin())]
    across = across - (across @ axis) * axis
    across /= np.linalg.norm(across)
    return NeedleFrame(
        tip_mm=np.asarray(tip_mm, dtype=np.float64), axis=axis, across=across, sideways=np.cross(axis, across)
    )
