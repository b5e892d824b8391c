"""A label file as numbers on the image's grid, before anything is known of what they mean."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from foramen.errors import ImageError
from foramen.io.dicom_segmentation import is_dicom, read_segmentation
from foramen.io.label_agreement import Region, regions
from foramen.io.label_schemes import LabelScheme
from foramen.io.nifti import on_grid_of, read_array
from foramen.model.space import Modality, Volume

LARGEST_NUMBER = 65535
"""Largest number of a label map (uint16)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelSource:
    """One label file and, where stated, the scheme of its numbers (a name or a mapping file)."""

    path: Path
    scheme: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RawMap:
    """The numbers of one file in the axes of the image, and where each lies."""

    source: LabelSource
    values: NDArray[np.uint16]
    regions: tuple[Region, ...]
    is_ct: bool = True
    own_scheme: LabelScheme | None = None
    note: str = ""

    @property
    def numbers(self) -> frozenset[int]:
        """Every number above 0."""
        return frozenset(region.value for region in self.regions)


def parse_label_source(text: str) -> LabelSource:
    """The file and scheme of an argument ``FILE`` or ``FILE:SCHEME``."""
    path, colon, scheme = text.rpartition(":")
    if colon and path and not Path(text).exists() and not scheme.endswith((".nii", ".nii.gz")):
        return LabelSource(path=Path(path), scheme=scheme)
    return LabelSource(path=Path(text))


def read_raw(source: LabelSource, image: Volume, *, patient_id: str = "") -> RawMap:
    """The numbers of a label file on the grid of `image`; raises `ImageError`, `FrameError` or `RecordError`."""
    if is_dicom(source.path):
        reading = read_segmentation(source.path, image, patient_id=patient_id, is_stated=bool(source.scheme))
        return _raw(source, reading.values, image, own_scheme=reading.scheme, note=reading.note)
    values, affine_mm = read_array(source.path)
    is_whole = np.issubdtype(values.dtype, np.integer)
    if not is_whole and (not np.isfinite(values).all() or not np.array_equal(values, np.rint(values))):
        raise ImageError(f"{source.path} holds values that are not whole numbers: it is no label map.")
    if values.min() < 0:
        raise ImageError(f"{source.path} holds negative values (down to {values.min()}): it is no label map.")
    if values.max() > LARGEST_NUMBER:
        raise ImageError(f"{source.path} holds numbers up to {values.max()}; label maps end at {LARGEST_NUMBER}.")
    turned = on_grid_of(image.geometry, values, affine_mm, name=str(source.path)).astype(np.uint16)
    return _raw(source, turned, image)


def _raw(
    source: LabelSource,
    values: NDArray[np.uint16],
    image: Volume,
    *,
    own_scheme: LabelScheme | None = None,
    note: str = "",
) -> RawMap:
    found = regions(values, image)
    if not found:
        raise ImageError(f"{source.path} labels nothing: every voxel is 0.")
    return RawMap(
        source=source,
        values=values,
        regions=found,
        is_ct=image.modality is Modality.CT,
        own_scheme=own_scheme,
        note=note,
    )
