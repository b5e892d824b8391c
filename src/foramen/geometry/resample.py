"""Cropping and resampling of volumes and label maps onto another grid of the same frame."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import map_coordinates

from foramen.errors import ImageError
from foramen.model.space import FloatArray, LabelMap, Volume, VolumeGeometry, require_same_frame


def box_geometry(low_mm: FloatArray, high_mm: FloatArray, *, spacing_mm: float, frame_uid: str) -> VolumeGeometry:
    """Isotropic grid along the LPS axes that covers a box, shape (3,) corners in LPS."""
    shape = np.ceil((np.asarray(high_mm) - np.asarray(low_mm)) / spacing_mm).astype(int) + 1
    affine = np.diag([spacing_mm, spacing_mm, spacing_mm, 1.0])
    affine[:3, 3] = low_mm
    return VolumeGeometry(shape=(int(shape[0]), int(shape[1]), int(shape[2])), affine_mm=affine, frame_uid=frame_uid)


def crop_slices(geometry: VolumeGeometry, low_mm: FloatArray, high_mm: FloatArray) -> tuple[slice, slice, slice]:
    """Index slices of the smallest block of a grid that covers an LPS box; raises `ImageError` if they do not meet."""
    corners = np.array(np.meshgrid(*zip(low_mm, high_mm, strict=True))).reshape(3, -1).T
    index = geometry.index(corners)
    first = np.maximum(np.floor(index.min(axis=0)).astype(int), 0)
    last = np.minimum(np.ceil(index.max(axis=0)).astype(int) + 1, geometry.shape)
    if (last <= first).any():
        raise ImageError("The box to cut out lies outside the image. Choose a box within its field of view.")
    i, j, k = (slice(int(a), int(b)) for a, b in zip(first, last, strict=True))
    return i, j, k


def crop_geometry(geometry: VolumeGeometry, slices: tuple[slice, slice, slice]) -> VolumeGeometry:
    """Grid of a block of another grid."""
    start = np.array([s.start for s in slices], dtype=np.float64)
    affine = geometry.affine_mm.copy()
    affine[:3, 3] = geometry.lps_mm(start)
    i, j, k = (s.stop - s.start for s in slices)
    return VolumeGeometry(shape=(i, j, k), affine_mm=affine, frame_uid=geometry.frame_uid)


def crop(volume: Volume, low_mm: FloatArray, high_mm: FloatArray) -> Volume:
    """The smallest block of a volume that covers an LPS box."""
    slices = crop_slices(volume.geometry, low_mm, high_mm)
    geometry = crop_geometry(volume.geometry, slices)
    return Volume(
        geometry=geometry,
        values=np.ascontiguousarray(volume.values[slices]),
        modality=volume.modality,
        sequence=volume.sequence,
    )


def crop_labels(labels: LabelMap, low_mm: FloatArray, high_mm: FloatArray) -> LabelMap:
    """The smallest block of a label map that covers an LPS box."""
    slices = crop_slices(labels.geometry, low_mm, high_mm)
    return LabelMap(geometry=crop_geometry(labels.geometry, slices), values=np.ascontiguousarray(labels.values[slices]))


def resample_volume(volume: Volume, geometry: VolumeGeometry, *, outside: float) -> Volume:
    """The volume on another grid of the same frame, trilinear; `outside` fills what the image does not cover."""
    index = _source_index(volume.geometry, geometry)
    values = map_coordinates(volume.values, index, order=1, cval=outside, output=np.float32)
    return Volume(
        geometry=geometry, values=values.reshape(geometry.shape), modality=volume.modality, sequence=volume.sequence
    )


def resample_labels(labels: LabelMap, geometry: VolumeGeometry) -> LabelMap:
    """The label map on another grid of the same frame, nearest voxel; 0 outside."""
    index = _source_index(labels.geometry, geometry)
    values = map_coordinates(labels.values, index, order=0, cval=0, output=np.uint16)
    return LabelMap(geometry=geometry, values=values.reshape(geometry.shape))


def _source_index(source: VolumeGeometry, wanted: VolumeGeometry) -> FloatArray:
    require_same_frame(source.frame_uid, wanted.frame_uid, "Resampling")
    to_source = np.linalg.inv(source.affine_mm) @ wanted.affine_mm
    i, j, k = np.indices(wanted.shape, dtype=np.float64).reshape(3, -1)
    index: FloatArray = to_source[:3, :3] @ np.stack([i, j, k]) + to_source[:3, 3:4]
    return index
