"""Small copies of an image and its labels for a page: whole blocks of voxels averaged, 256 grey levels.

They are for looking at. Nothing is planned or measured on them.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from foramen.io.nifti import RAS_FROM_LPS
from foramen.knowledge.facts import numbers
from foramen.model.space import FloatArray, LabelMap, Modality, Volume

MOST_VOXELS = 12_000_000
"""More voxels than these burden a browser's graphics memory."""

GREY_LEVELS = 256

MR_QUANTILES = (0.0, 0.999)
"""Part of an MR's values that the grey levels span."""

Factors = tuple[int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CompactImage:
    """A gzipped NIfTI file of a small copy, how many voxels became one along each axis, and what it spans."""

    content: bytes
    factors: Factors
    spacing_mm: tuple[float, float, float]
    shape: tuple[int, int, int]
    low: float
    high: float


def compact_image(image: Volume, *, limit_bytes: int) -> CompactImage:
    """The finest copy of an image whose file is not larger than `limit_bytes`.

    Notes
    -----
    Blocks of voxels are averaged; each step joins two along the axis with the smallest voxels. What a block hangs
    over the image's edge is filled with the edge.
    """
    low, high = _range(image)
    factors: Factors = (1, 1, 1)
    while True:
        if np.prod([-(-n // f) for n, f in zip(image.geometry.shape, factors, strict=True)]) <= MOST_VOXELS:
            found = _copy(image, factors, low, high)
            if len(found.content) <= limit_bytes or max(found.shape) == 1:
                return found
        factors = _coarser(image, factors)


def _range(image: Volume) -> tuple[float, float]:
    if image.modality is Modality.CT:
        low, high = numbers("display.compact_range_hu")
    else:
        low, high = (float(value) for value in np.quantile(image.values, MR_QUANTILES))
    return low, max(high, low + 1.0)


def _coarser(image: Volume, factors: Factors) -> Factors:
    sizes = image.geometry.spacing_mm * np.array(factors)
    sizes[np.array(factors) >= image.geometry.shape] = np.inf
    joined = list(factors)
    joined[int(np.argmin(sizes))] += 1
    return joined[0], joined[1], joined[2]


def _copy(image: Volume, factors: Factors, low: float, high: float) -> CompactImage:
    values = block_means(image.values, factors)
    slope = (high - low) / (GREY_LEVELS - 1)
    grey = np.rint((np.clip(values, low, high) - low) / slope).astype(np.uint8)
    centre = (np.array(factors) - 1) / 2
    affine_mm = _scaled(image.geometry.affine_mm, factors, image.geometry.lps_mm(centre))
    spacing = np.linalg.norm(affine_mm[:3, :3], axis=0)
    return CompactImage(
        content=_nifti(grey, affine_mm, slope=slope, intercept=low),
        factors=factors,
        spacing_mm=(float(spacing[0]), float(spacing[1]), float(spacing[2])),
        shape=(grey.shape[0], grey.shape[1], grey.shape[2]),
        low=low,
        high=high,
    )


def block_means(values: NDArray[np.float32], factors: Factors) -> NDArray[np.float32]:
    """Means of whole blocks of voxels; an axis that they do not divide is continued by its last voxel."""
    means = values
    for axis, factor in enumerate(factors):
        if factor == 1:
            continue
        over = -means.shape[axis] % factor
        pads = [(0, over if place == axis else 0) for place in range(3)]
        means = np.pad(means, pads, mode="edge") if over else means
        shape = (*means.shape[:axis], means.shape[axis] // factor, factor, *means.shape[axis + 1 :])
        means = means.reshape(shape).mean(axis=axis + 1, dtype=np.float32)
    return means


def compact_labels(
    labels: LabelMap, table: NDArray[np.uint8], factors: Factors
) -> tuple[NDArray[np.uint8], FloatArray]:
    """Every `factors`-th voxel of a label map, renumbered, and the affine (LPS) that puts each where it was.

    Parameters
    ----------
    table : ndarray of uint8
        New number for each label value.
    """
    starts = [factor // 2 if factor // 2 < n else 0 for factor, n in zip(factors, labels.geometry.shape, strict=True)]
    thin = labels.values[starts[0] :: factors[0], starts[1] :: factors[1], starts[2] :: factors[2]]
    affine_mm = _scaled(labels.geometry.affine_mm, factors, labels.geometry.lps_mm(np.array(starts, dtype=np.float64)))
    return table[thin], affine_mm


def labels_nifti(values: NDArray[np.uint8], affine_mm: FloatArray) -> bytes:
    """A gzipped NIfTI file of small labels; the same content gives the same bytes."""
    return _nifti(values, affine_mm, slope=1.0, intercept=0.0)


def _scaled(affine_mm: FloatArray, factors: Factors, first_mm: FloatArray) -> FloatArray:
    scaled = affine_mm.copy()
    scaled[:3, :3] = affine_mm[:3, :3] * np.array(factors)
    scaled[:3, 3] = first_mm
    return scaled


def _nifti(values: NDArray[np.uint8], affine_mm: FloatArray, *, slope: float, intercept: float) -> bytes:
    image = nib.Nifti1Image(values, RAS_FROM_LPS @ affine_mm)
    image.header.set_xyzt_units("mm")
    image.set_sform(image.affine, code=1)
    image.set_qform(image.affine, code=1)
    content = bytearray(image.to_bytes())
    if (slope, intercept) != (1.0, 0.0):
        header = image.header.copy()
        header["scl_slope"], header["scl_inter"] = slope, intercept
        header["vox_offset"] = 352
        content[: len(header.binaryblock)] = header.binaryblock
    return gzip.compress(bytes(content), compresslevel=9, mtime=0)
