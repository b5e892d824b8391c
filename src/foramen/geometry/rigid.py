"""Rigid transforms between two frames of reference."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from foramen.errors import FrameError
from foramen.model.space import FloatArray, require_same_frame

ORTHONORMAL_TOLERANCE = 1e-6
"""Largest deviation of R^T R from the identity that still counts as a rotation."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rigid:
    """A rotation followed by a translation that carries points from one frame to another.

    Parameters
    ----------
    rotation : ndarray, shape (3, 3)
        Proper rotation matrix.
    translation_mm : ndarray, shape (3,)
        Added after the rotation.
    from_frame, to_frame : str
        Frame of reference UIDs.

    Raises
    ------
    FrameError
        If the matrix is not a proper rotation (a mirror image is not a motion) or a UID is missing.
    """

    rotation: FloatArray
    translation_mm: FloatArray
    from_frame: str
    to_frame: str

    def __post_init__(self) -> None:
        if self.rotation.shape != (3, 3) or self.translation_mm.shape != (3,):
            raise FrameError("A rigid transform needs a (3, 3) rotation and a (3,) translation.")
        error = float(np.abs(self.rotation.T @ self.rotation - np.eye(3)).max())
        if not error <= ORTHONORMAL_TOLERANCE:
            raise FrameError(f"The matrix is not a rotation: R^T R is off by {error:.1e} (limit 1e-6).")
        if np.linalg.det(self.rotation) < 0:
            raise FrameError("The matrix mirrors the patient: left and right would be exchanged.")
        if not self.from_frame or not self.to_frame:
            raise FrameError("A rigid transform must name the frames that it joins.")

    def apply(self, points_mm: FloatArray, *, frame_uid: str) -> FloatArray:
        """Points (n, 3) or (3,) of `from_frame`, in `to_frame`; `frame_uid` is the frame of the points."""
        require_same_frame(frame_uid, self.from_frame, "Moving points")
        moved: FloatArray = np.asarray(points_mm, dtype=np.float64) @ self.rotation.T + self.translation_mm
        return moved

    def inverse(self) -> Rigid:
        """The transform back."""
        return Rigid(
            rotation=self.rotation.T.copy(),
            translation_mm=-self.rotation.T @ self.translation_mm,
            from_frame=self.to_frame,
            to_frame=self.from_frame,
        )

    def compose(self, first: Rigid) -> Rigid:
        """The transform that applies `first` and then this one; raises `FrameError` if they do not join."""
        require_same_frame(first.to_frame, self.from_frame, "Joining two transforms")
        return Rigid(
            rotation=self.rotation @ first.rotation,
            translation_mm=self.rotation @ first.translation_mm + self.translation_mm,
            from_frame=first.from_frame,
            to_frame=self.to_frame,
        )
