"""Images in NIfTI files, converted from RAS to LPS at this door."""

from __future__ import annotations

import gzip
import hashlib
import itertools
import os
import zlib
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from nibabel.filebasedimages import ImageFileError
from numpy.typing import NDArray

from foramen.errors import FrameError, ImageError
from foramen.io.hounsfield import require_hounsfield
from foramen.io.mr_signal import require_signal
from foramen.model.space import FloatArray, LabelMap, Modality, MrSequence, Volume, VolumeGeometry

RAS_FROM_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
"""Change of sign between the NIfTI frame (RAS) and ours (LPS); its own inverse."""

GRID_TOLERANCE_MM = 0.02
"""Largest distance of two grids' corners that still counts as the same grid (NIfTI stores float32)."""

FORM_TOLERANCE_FRACTION = 0.1
"""Largest difference of the sform's and qform's corner positions, in voxels."""


def read_image(path: Path, *, modality: Modality = Modality.CT, sequence: MrSequence = MrSequence.UNKNOWN) -> Volume:
    """The image of a NIfTI file, in LPS millimetres and, for CT, Hounsfield units.

    Parameters
    ----------
    path : Path
        ``.nii`` or ``.nii.gz`` with one 3D volume; oblique and flipped axes are kept as they are.
    modality : Modality
        What the caller says the image is; its values are checked for plausibility.
    sequence : MrSequence
        Weighting of an MR, as the caller says.

    Returns
    -------
    Volume
        Its frame UID is derived from the content (NIfTI carries none): the same file gives the same UID.

    Raises
    ------
    ImageError
        If the file is damaged, has no orientation, several volumes, NaN, or is not what it should be.
    """
    values, affine_mm = read_array(path)
    image = np.ascontiguousarray(values, dtype=np.float32)
    shape = (int(image.shape[0]), int(image.shape[1]), int(image.shape[2]))
    geometry = VolumeGeometry(shape=shape, affine_mm=affine_mm, frame_uid=derived_uid(image, affine_mm))
    volume = Volume(geometry=geometry, values=image, modality=modality, sequence=sequence)
    if modality is Modality.CT:
        require_hounsfield(image, str(path))
    else:
        require_signal(image, str(path))
    return volume


def read_array(path: Path) -> tuple[NDArray[Any], FloatArray]:
    """Voxels (i, j, k) and the index-to-LPS affine (4, 4) of a NIfTI file; raises `ImageError`."""
    if not path.exists():
        raise ImageError(f"There is no file {path}.")
    try:
        image = nib.load(os.fspath(path))
        affine_ras = _checked_affine(image, path)
        values = np.asanyarray(image.dataobj)
    except (ImageFileError, OSError, EOFError, ValueError, zlib.error, gzip.BadGzipFile) as failure:
        raise ImageError(f"{path} is not a readable NIfTI file ({failure}). Export or copy it again.") from failure
    if values.ndim == 4 and values.shape[3] == 1:
        values = values[..., 0]
    if values.ndim != 3:
        raise ImageError(
            f"{path} has {values.ndim} axes {values.shape}; one volume with three axes is needed. "
            "Split the series and give the volume that is meant."
        )
    if values.dtype.fields is not None or np.iscomplexobj(values):
        raise ImageError(f"{path} holds colour or complex values, not one number a voxel. Export the grey image.")
    return values, RAS_FROM_LPS @ affine_ras


def _checked_affine(image: Any, path: Path) -> FloatArray:
    header = image.header
    if "sform_code" not in header:
        raise ImageError(f"{path} is not a NIfTI image (found {type(image).__name__}). Convert it to NIfTI.")
    sform, sform_code = header.get_sform(coded=True)
    qform, qform_code = header.get_qform(coded=True)
    if not sform_code and not qform_code:
        raise ImageError(
            f"{path} carries no orientation (sform and qform codes are 0), so left and right are not known. "
            "Convert the scan again from DICOM."
        )
    if sform_code and qform_code:
        shape = np.array(image.shape[:3], dtype=np.float64)
        voxel_mm = float(np.linalg.norm(sform[:3, :3], axis=0).min())
        gap_mm = _corner_distance_mm(sform, qform, shape)
        if gap_mm > FORM_TOLERANCE_FRACTION * voxel_mm:
            raise ImageError(
                f"{path}: its two orientations (sform, qform) differ by {gap_mm:.2f} mm "
                f"(limit {FORM_TOLERANCE_FRACTION} voxel). Decide which is right and store it in both."
            )
    return np.asarray(sform if sform_code else qform, dtype=np.float64)


def _corner_distance_mm(first: FloatArray, second: FloatArray, shape: FloatArray) -> float:
    corners = np.array([[*c, 1.0] for c in itertools.product(*[(0.0, n - 1) for n in shape])])
    return float(np.linalg.norm(corners @ (first - second).T, axis=1).max())


def content_sha256(values: NDArray[Any], affine_mm: FloatArray) -> str:
    """SHA-256 of voxels, shape and affine, independent of file format and compression.

    Minus zero counts as zero: an image stored as whole numbers does not keep its sign.
    """
    digest = hashlib.sha256()
    digest.update(repr((values.shape, values.dtype.str)).encode())
    digest.update(np.ascontiguousarray(affine_mm, dtype="<f8").tobytes())
    digest.update((np.ascontiguousarray(values) + values.dtype.type(0)).tobytes())
    return digest.hexdigest()


def derived_uid(values: NDArray[Any], affine_mm: FloatArray) -> str:
    """A UID below 2.25 made of the image's own content, for files that carry no frame of reference."""
    return f"2.25.{int(content_sha256(values, affine_mm)[:32], 16)}"


def on_grid_of(geometry: VolumeGeometry, values: NDArray[Any], affine_mm: FloatArray, *, name: str) -> NDArray[Any]:
    """The voxels of another file in the axis order of `geometry`, if both have the same grid points.

    Axes may be permuted or flipped (as different converters do); nothing is interpolated.

    Parameters
    ----------
    geometry : VolumeGeometry
        Grid of the image.
    values : ndarray
        Voxels of the other file.
    affine_mm : ndarray, shape (4, 4)
        Its index-to-LPS affine.
    name : str
        Name of the file, for the message.

    Raises
    ------
    FrameError
        If the grids differ.
    """
    other_index = np.linalg.inv(affine_mm) @ geometry.affine_mm  # index of the image -> index of the other file
    rotation = np.rint(other_index[:3, :3])
    is_permutation = np.array_equal(np.abs(rotation).sum(axis=0), np.ones(3)) and np.array_equal(
        np.abs(rotation).sum(axis=1), np.ones(3)
    )
    if is_permutation:
        order = [int(np.argmax(np.abs(rotation[:, axis]))) for axis in range(3)]
        flips = [axis for axis in range(3) if rotation[order[axis], axis] < 0]
        turned = np.flip(np.transpose(values, order), tuple(flips))
        exact = np.eye(4)
        exact[:3, :3] = rotation
        exact[:3, 3] = [values.shape[a] - 1 if rotation[a].sum() < 0 else 0.0 for a in range(3)]
        gap_mm = _corner_distance_mm(affine_mm @ exact, geometry.affine_mm, np.array(geometry.shape, dtype=np.float64))
        if turned.shape == geometry.shape and gap_mm <= GRID_TOLERANCE_MM:
            return np.ascontiguousarray(turned)
    spacing = np.linalg.norm(affine_mm[:3, :3], axis=0).round(3).tolist()
    first_mm = geometry.index(affine_mm[:3, 3]).round(1).tolist()
    raise FrameError(
        f"{name} is on another grid than the image: shape {values.shape}, spacing {spacing} mm, its first voxel at "
        f"image index {first_mm}; the image has {geometry.shape} and {geometry.spacing_mm.round(3).tolist()} mm. "
        "Resample it to the image, or give the file that belongs to this scan."
    )


def image_bytes(volume: Volume | LabelMap) -> bytes:
    """A gzipped NIfTI file of an image or label map; the same content gives the same bytes."""
    values: NDArray[Any] = volume.values
    if isinstance(volume, Volume) and np.array_equal(values, np.rint(values)):
        fits = bool(np.abs(values).max(initial=0) < 32768)
        values = values.astype(np.int16 if fits else np.int32)
    image = nib.Nifti1Image(values, RAS_FROM_LPS @ volume.geometry.affine_mm)
    image.header.set_xyzt_units("mm")
    image.set_sform(image.affine, code=1)
    image.set_qform(image.affine, code=1)
    return gzip.compress(image.to_bytes(), compresslevel=1, mtime=0)
