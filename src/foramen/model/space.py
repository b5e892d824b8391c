"""Volumes, label maps and surfaces in the patient's coordinate frame (LPS, millimetres)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from foramen.errors import FrameError, ImageError

FloatArray = NDArray[np.float64]

AFFINE_TOLERANCE = 1e-4
"""Largest difference of two affine entries (mm) that still counts as the same grid."""


class PatientPosition(StrEnum):
    """Posture of the patient on the table (DICOM Patient Position, 0018,5100)."""

    HFS = "HFS"
    HFP = "HFP"
    FFS = "FFS"
    FFP = "FFP"
    HFDL = "HFDL"
    HFDR = "HFDR"
    FFDL = "FFDL"
    FFDR = "FFDR"
    UNKNOWN = "UNKNOWN"


class Modality(StrEnum):
    """Kind of image; the values are DICOM modality codes."""

    CT = "CT"
    MR = "MR"


class MrSequence(StrEnum):
    """Weighting of an MR image; UNKNOWN where neither the headers nor a person say it."""

    T1 = "T1"
    T2 = "T2"
    UNKNOWN = "UNKNOWN"


def require_same_frame(first: str, second: str, what: str) -> None:
    """Raise `FrameError` unless two frame-of-reference UIDs are the same."""
    if first != second:
        raise FrameError(
            f"{what}: the frames of reference differ ({first} and {second}). "
            "Register one to the other, or choose the series that belongs to this image."
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class VolumeGeometry:
    """Grid of a volume: shape and the map from voxel index to LPS millimetres.

    Parameters
    ----------
    shape : tuple of int
        Voxels along the array axes (i, j, k).
    affine_mm : ndarray, shape (4, 4)
        Maps homogeneous index (i, j, k, 1) of a voxel's centre to LPS millimetres.
    frame_uid : str
        Frame of Reference UID.
    """

    shape: tuple[int, int, int]
    affine_mm: FloatArray
    frame_uid: str

    def __post_init__(self) -> None:
        if len(self.shape) != 3 or min(self.shape) < 1:
            raise ImageError(f"A volume needs three axes with at least one voxel each, got {self.shape}.")
        affine = np.array(self.affine_mm, dtype=np.float64)
        if affine.shape != (4, 4) or not np.all(np.isfinite(affine)):
            raise ImageError("The image has no finite 4 x 4 affine. Convert it again from DICOM.")
        if not np.allclose(affine[3], (0, 0, 0, 1)):
            raise ImageError("The last row of the image's affine must be 0 0 0 1.")
        if abs(np.linalg.det(affine[:3, :3])) < 1e-9:
            raise ImageError("The image's affine is singular: a voxel has no volume.")
        axes = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
        if np.abs(axes.T @ axes - np.eye(3)).max() > 5e-3:
            raise ImageError("The image's axes are sheared (gantry tilt?). Resample it to a right-angled grid first.")
        if not self.frame_uid:
            raise ImageError("A volume needs a frame of reference UID.")
        affine.setflags(write=False)
        object.__setattr__(self, "affine_mm", affine)

    @property
    def spacing_mm(self) -> FloatArray:
        """Distance between voxel centres along each array axis, shape (3,)."""
        spacing: FloatArray = np.linalg.norm(self.affine_mm[:3, :3], axis=0)
        return spacing

    @property
    def axes(self) -> FloatArray:
        """Unit vectors of the array axes in LPS as columns, shape (3, 3)."""
        unit: FloatArray = self.affine_mm[:3, :3] / self.spacing_mm
        return unit

    def lps_mm(self, index: FloatArray) -> FloatArray:
        """LPS positions (n, 3) or (3,) of voxel indices of the same shape."""
        points: FloatArray = np.asarray(index, dtype=np.float64) @ self.affine_mm[:3, :3].T + self.affine_mm[:3, 3]
        return points

    def index(self, points_mm: FloatArray) -> FloatArray:
        """Fractional voxel indices (n, 3) or (3,) of LPS positions of the same shape."""
        inverse = np.linalg.inv(self.affine_mm[:3, :3])
        found: FloatArray = (np.asarray(points_mm, dtype=np.float64) - self.affine_mm[:3, 3]) @ inverse.T
        return found

    def contains(self, points_mm: FloatArray) -> NDArray[np.bool_]:
        """Whether each LPS position (n, 3) lies within the voxel grid."""
        index = np.atleast_2d(self.index(points_mm))
        inside: NDArray[np.bool_] = np.all((index >= -0.5) & (index <= np.array(self.shape) - 0.5), axis=1)
        return inside

    def same_as(self, other: VolumeGeometry) -> bool:
        """Whether both grids coincide in shape, position and frame of reference."""
        return (
            self.shape == other.shape
            and self.frame_uid == other.frame_uid
            and bool(np.abs(self.affine_mm - other.affine_mm).max() <= AFFINE_TOLERANCE)
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Volume:
    """An image: `values` (float32, axes i, j, k) on a grid; Hounsfield units if CT, signal without a scale if MR."""

    geometry: VolumeGeometry
    values: NDArray[np.float32]
    modality: Modality
    sequence: MrSequence = MrSequence.UNKNOWN

    def __post_init__(self) -> None:
        if self.values.shape != self.geometry.shape:
            raise ImageError(f"Image array {self.values.shape} and grid {self.geometry.shape} differ.")
        if not np.isfinite(self.values).all():
            count = int((~np.isfinite(self.values)).sum())
            raise ImageError(f"The image has {count} voxels without a number (NaN or infinite). Export it again.")
        if self.modality is not Modality.MR and self.sequence is not MrSequence.UNKNOWN:
            raise ImageError(f"A {self.modality} image has no MR sequence, but {self.sequence} is stated.")

    def same_as(self, other: Volume) -> bool:
        """Whether grid, modality and every voxel agree."""
        return (
            self.modality is other.modality
            and self.sequence is other.sequence
            and self.geometry.same_as(other.geometry)
            and bool(np.array_equal(self.values, other.values))
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LabelMap:
    """Structures by number (uint16, `knowledge/labels.yaml`) on the grid of its image."""

    geometry: VolumeGeometry
    values: NDArray[np.uint16]

    def __post_init__(self) -> None:
        if self.values.shape != self.geometry.shape:
            raise ImageError(f"Label array {self.values.shape} and grid {self.geometry.shape} differ.")
        if self.values.dtype != np.uint16:
            raise ImageError(f"A label map must be uint16, not {self.values.dtype}.")

    def same_as(self, other: LabelMap) -> bool:
        """Whether grid and every voxel agree."""
        return self.geometry.same_as(other.geometry) and bool(np.array_equal(self.values, other.values))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Surface:
    """A triangle mesh: vertices (n, 3) LPS millimetres, faces (m, 3) vertex indices."""

    vertices_mm: FloatArray
    faces: NDArray[np.int64]
    frame_uid: str

    def __post_init__(self) -> None:
        if self.vertices_mm.ndim != 2 or self.vertices_mm.shape[1] != 3:
            raise ImageError(f"Surface vertices must be (n, 3), got {self.vertices_mm.shape}.")
        if self.faces.size and int(self.faces.max()) >= len(self.vertices_mm):
            raise ImageError("A surface face names a vertex that does not exist.")

    def same_as(self, other: Surface) -> bool:
        """Whether both meshes have the same vertices, faces and frame."""
        return (
            self.frame_uid == other.frame_uid
            and bool(np.array_equal(self.vertices_mm, other.vertices_mm))
            and bool(np.array_equal(self.faces, other.faces))
        )
