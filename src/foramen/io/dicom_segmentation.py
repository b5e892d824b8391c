"""A DICOM segmentation (SEG) as numbers of its segments on the image's grid; nothing is interpolated.

A frame is placed by its own position, orientation and spacing, so that any order or direction of frames, rows and
columns lands right. It is placed only if the segmentation names the image's frame of reference.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.errors import InvalidDicomError

from foramen.errors import FrameError, ImageError, RecordError
from foramen.io.label_schemes import LabelScheme
from foramen.io.nifti import GRID_TOLERANCE_MM
from foramen.io.segment_names import Segment, read_segments, segment_scheme
from foramen.knowledge.facts import number
from foramen.model.space import FloatArray, Volume, VolumeGeometry

SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.4"
"""SOP class of segmentations with a frame for each segment and slice."""

LABEL_MAP_SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.7"
"""SOP class of segmentations whose pixels are segment numbers."""

_MAGIC_AT = 128


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SegmentationReading:
    """Segment numbers on the image's grid, what they stand for (None if it is to be stated), and what was decided."""

    values: NDArray[np.uint16]
    scheme: LabelScheme | None
    note: str


def is_dicom(path: Path) -> bool:
    """Whether a file begins as DICOM files do."""
    try:
        with path.open("rb") as file:
            return file.read(_MAGIC_AT + 4)[_MAGIC_AT:] == b"DICM"
    except OSError:
        return False


def read_segmentation(
    path: Path, image: Volume, *, patient_id: str = "", is_stated: bool = False
) -> SegmentationReading:
    """The segments of a DICOM segmentation on the grid of `image`.

    Parameters
    ----------
    path : Path
        One SEG object, binary, fractional or of segment numbers.
    image : Volume
        The scan, read from DICOM so that it has a frame of reference.
    patient_id : str
        Of the scan; empty if it is not known.
    is_stated : bool
        Whether the meaning of the segment numbers is stated, so that unknown segments do not matter.

    Raises
    ------
    ImageError
        If the file is no segmentation, is truncated, or has unknown or contradictory segments.
    FrameError
        If its frame of reference or its grid is not the image's.
    RecordError
        If it is of another patient.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # every value that is used is checked here
        try:
            header = pydicom.dcmread(path)
            _require_segmentation(header, path)
            _require_same(header, path, image, patient_id)
            segments = read_segments(header)
            scheme = None if is_stated else segment_scheme(segments, source=path.name)
            frames = _pixels(header, path)
            return _placed(header, frames, image.geometry, segments, scheme, path)
        except InvalidDicomError as failure:
            raise ImageError(f"{path} is not a DICOM file. Export it again.") from failure
        except (
            OSError,
            EOFError,
            ValueError,
            KeyError,
            AttributeError,
            TypeError,
            IndexError,
            RuntimeError,
        ) as failure:
            raise ImageError(
                f"{path} is truncated, damaged or packed in an unknown way ({failure}). Export it again, uncompressed."
            ) from failure


def _require_segmentation(header: Any, path: Path) -> None:
    if str(header.SOPClassUID) not in (SEGMENTATION, LABEL_MAP_SEGMENTATION):
        raise ImageError(
            f"{path} is a DICOM object of modality {getattr(header, 'Modality', '?')}, not a segmentation (SEG). Give "
            "the segmentation, or the labels as NIfTI."
        )


def _require_same(header: Any, path: Path, image: Volume, patient_id: str) -> None:
    other = str(getattr(header, "PatientID", "") or "")
    if other and patient_id and other != patient_id:
        raise RecordError(
            f"{path} and the scan belong to different patients: their Patient IDs (0010,0020) differ. Give the "
            "segmentation of this scan."
        )
    frame = str(getattr(header, "FrameOfReferenceUID", "") or "")
    if frame != image.geometry.frame_uid:
        raise FrameError(
            f"{path} lies in the frame of reference {frame or '(none)'}, the scan in {image.geometry.frame_uid}. A "
            "segmentation is placed only in its own frame: give the DICOM series that it was made on (a NIfTI scan "
            "carries no frame), or convert both to NIfTI."
        )


def _pixels(header: Any, path: Path) -> NDArray[Any]:
    """Frames, rows and columns; 0 and 1, fractions of the largest, or segment numbers."""
    count = int(getattr(header, "NumberOfFrames", 1))
    rows, columns = int(header.Rows), int(header.Columns)
    if not header.file_meta.TransferSyntaxUID.is_compressed:
        expected = -(-count * rows * columns * int(header.BitsAllocated) // 8)
        if len(header.PixelData) < expected:
            raise ImageError(
                f"{path} is truncated: {len(header.PixelData)} of {expected} bytes of pixel data. Export it again."
            )
    return np.asarray(header.pixel_array).reshape(count, rows, columns)


def _placed(
    header: Any,
    frames: NDArray[Any],
    geometry: VolumeGeometry,
    segments: tuple[Segment, ...],
    scheme: LabelScheme | None,
    path: Path,
) -> SegmentationReading:
    is_numbered = str(header.SOPClassUID) == LABEL_MAP_SEGMENTATION
    largest = int(getattr(header, "MaximumFractionalValue", 1) or 1)
    is_fractional = str(getattr(header, "SegmentationType", "BINARY")) == "FRACTIONAL"
    share = number("import_checks.segment_from_fraction")
    declared = {segment.number for segment in segments}
    places: dict[int, list[NDArray[np.int64]]] = {}
    for place, frame in enumerate(frames):
        group = header.PerFrameFunctionalGroupsSequence[place]
        present = [int(n) for n in np.unique(frame) if n] if is_numbered else [_segment_of(group, header)]
        for segment in present:
            if segment not in declared:
                raise ImageError(f"{path}: frame {place + 1} is of segment {segment}, which is not declared.")
            mask = frame == segment if is_numbered else frame >= (share * largest if is_fractional else 1)
            if mask.any():
                index = _index(mask, _frame_affine(group, header), geometry, f"{path}, frame {place + 1}")
                places.setdefault(segment, []).append(index)
    whole = {segment: np.concatenate(parts) for segment, parts in places.items()}
    values, notes = _resolved(whole, geometry)
    if is_fractional:
        notes.insert(0, f"fractional segments taken from {share:g} upwards")
    return SegmentationReading(values=values, scheme=scheme, note="; ".join(notes))


def _group(group: Any, header: Any, name: str) -> Any:
    """A functional group of one frame, or the one that all frames share."""
    for holder in (group, header.SharedFunctionalGroupsSequence[0]):
        found = getattr(holder, name, None)
        if found:
            return found[0]
    raise ImageError(f"The segmentation has no {name}, so its frames cannot be placed. Export it again.")


def _segment_of(group: Any, header: Any) -> int:
    return int(_group(group, header, "SegmentIdentificationSequence").ReferencedSegmentNumber)


def _frame_affine(group: Any, header: Any) -> FloatArray:
    """Column and row of a frame -> LPS (3, 3): direction along a row, down a column, and position."""
    position = [float(v) for v in _group(group, header, "PlanePositionSequence").ImagePositionPatient]
    axes = np.array([float(v) for v in _group(group, header, "PlaneOrientationSequence").ImageOrientationPatient])
    spacing = [float(v) for v in _group(group, header, "PixelMeasuresSequence").PixelSpacing]
    return np.column_stack([axes[:3] * spacing[1], axes[3:] * spacing[0], position])


def _index(mask: NDArray[np.bool_], affine_mm: FloatArray, geometry: VolumeGeometry, name: str) -> NDArray[np.int64]:
    """Flat index into the image of the voxels of one frame; raises `FrameError` if they are not the image's."""
    rows, columns = np.nonzero(mask)
    points_mm: FloatArray = np.column_stack([columns, rows, np.ones(len(rows))]).astype(np.float64) @ affine_mm.T
    index = geometry.index(points_mm)
    nearest = np.rint(index).astype(np.int64)
    off_mm = float(np.linalg.norm(points_mm - geometry.lps_mm(nearest.astype(np.float64)), axis=1).max())
    is_inside = bool(((nearest >= 0) & (nearest < geometry.shape)).all())
    if off_mm > GRID_TOLERANCE_MM or not is_inside:
        where = f"{off_mm:.2f} mm off the image's grid points" if is_inside else "outside the image"
        raise FrameError(
            f"{name} lies {where} (limit {GRID_TOLERANCE_MM:g} mm). Give the segmentation that was made on this "
            "series, or one resampled to it."
        )
    flat: NDArray[np.int64] = np.ravel_multi_index(tuple(nearest.T), geometry.shape).astype(np.int64)
    return flat


def _resolved(whole: dict[int, NDArray[np.int64]], geometry: VolumeGeometry) -> tuple[NDArray[np.uint16], list[str]]:
    """One segment for each voxel: where several overlap, the smallest; and how many voxels that was."""
    values = np.zeros(int(np.prod(geometry.shape)), dtype=np.uint16)
    overlaps: dict[tuple[int, int], int] = {}
    for segment in sorted(whole, key=lambda number: (-len(whole[number]), number)):
        before = values[whole[segment]]
        for other, voxels in zip(*np.unique(before[before > 0], return_counts=True), strict=True):
            overlaps[int(other), segment] = int(voxels)
        values[whole[segment]] = segment
    notes = [
        f"segment {kept} kept where it overlaps the larger segment {larger} ({voxels} voxels)"
        for (larger, kept), voxels in overlaps.items()
    ]
    return values.reshape(geometry.shape), notes
