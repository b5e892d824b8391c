"""A CT or MR series in a folder of DICOM files, sorted by geometry; whatever is doubtful is refused."""

from __future__ import annotations

import contextlib
import datetime
import logging
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import SimpleITK
from numpy.typing import NDArray
from pydicom.encaps import generate_frames
from pydicom.errors import InvalidDicomError

from foramen.errors import ImageError
from foramen.io.hounsfield import require_hounsfield
from foramen.io.mr_signal import require_signal, sequence_of
from foramen.io.nifti import derived_uid
from foramen.model.space import FloatArray, Modality, PatientPosition, Volume, VolumeGeometry

ORIENTATION_TOLERANCE = 1e-3
"""Largest difference of a direction cosine between two slices of one series."""

SPACING_TOLERANCE_FRACTION = 0.05
"""Largest deviation of a slice gap from the usual one."""

SHEAR_TOLERANCE_FRACTION = 0.02
"""Largest sideways shift from slice to slice, as a fraction of the slice gap (0.02 is a tilt of 1.1 degrees)."""

DUPLICATE_MM = 0.01
"""Two slices closer than this are the same slice."""

_JPEG_2000_END = b"\xff\xd9"


@dataclass(frozen=True, slots=True, kw_only=True)
class DicomSeriesFacts:
    """What the headers of a series say beside the image; the patient's identifier is never printed."""

    series_uid: str
    frame_uid: str
    patient_position: PatientPosition
    acquired_on: str
    slices: int
    patient_id: str = field(repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class _Slice:
    path: Path
    header: Any
    position_mm: FloatArray
    axes: FloatArray  # rows: direction along a row, direction down a column


def read_dicom_series(folder: Path, *, series_uid: str | None = None) -> tuple[Volume, DicomSeriesFacts]:
    """The CT (in Hounsfield units) or MR volume of one DICOM series, and what its headers say.

    Parameters
    ----------
    folder : Path
        Folder of single-frame files; hidden files and a DICOMDIR are passed over.
    series_uid : str, optional
        Series Instance UID, needed if the folder holds several series.

    Raises
    ------
    ImageError
        For a truncated or foreign file, several series, another modality, mixed orientations, gantry tilt,
        missing or duplicate slices, or where Patient Position or (of a CT) the rescale values are missing.
    """
    with _quiet_pydicom():
        try:
            return _read_series(folder, series_uid)
        except (ValueError, TypeError, OverflowError) as failure:
            raise ImageError(f"A header in {folder} holds an impossible value. Export the series again.") from failure


@contextlib.contextmanager
def _quiet_pydicom() -> Iterator[None]:
    """Silence pydicom about odd values, which may be a person's; every value that is used is checked here."""
    logger = logging.getLogger("pydicom")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def _read_series(folder: Path, series_uid: str | None) -> tuple[Volume, DicomSeriesFacts]:
    headers = _headers(folder)
    chosen = _one_series(headers, folder, series_uid)
    _require_same(chosen)
    first = chosen[0][1]
    modality = _modality(first, chosen[0][0])
    position = _patient_position(first)
    slices = _sorted_slices(chosen)
    step_mm = _slice_step(slices)
    values = np.stack([_pixels(item, modality) for item in slices], axis=2)
    spacing = [float(value) for value in _needed(first, "PixelSpacing", slices[0].path)]
    if not all(0 < value < np.inf for value in spacing):
        raise ImageError(
            f"{slices[0].path.name}: Pixel Spacing (0028,0030) is {spacing}, not positive. Export it again."
        )
    affine_mm = np.eye(4)
    affine_mm[:3, 0] = slices[0].axes[0] * spacing[1]
    affine_mm[:3, 1] = slices[0].axes[1] * spacing[0]
    affine_mm[:3, 2] = step_mm
    affine_mm[:3, 3] = slices[0].position_mm
    frame_uid = str(getattr(first, "FrameOfReferenceUID", "") or "") or derived_uid(values, affine_mm)
    shape = (int(values.shape[0]), int(values.shape[1]), int(values.shape[2]))
    geometry = VolumeGeometry(shape=shape, affine_mm=affine_mm, frame_uid=frame_uid)
    if modality is Modality.CT:
        require_hounsfield(values, str(folder))
        volume = Volume(geometry=geometry, values=values, modality=modality)
    else:
        require_signal(values, str(folder))
        volume = Volume(geometry=geometry, values=values, modality=modality, sequence=sequence_of(first))
    facts = DicomSeriesFacts(
        series_uid=_series_uid(first),
        frame_uid=frame_uid,
        patient_position=position,
        acquired_on=_acquired_on(first),
        slices=len(slices),
        patient_id=str(getattr(first, "PatientID", "") or ""),
    )
    return volume, facts


def _headers(folder: Path) -> list[tuple[Path, Any]]:
    if not folder.is_dir():
        raise ImageError(f"{folder} is not a folder. Give the folder of one DICOM series (CT or MR), or a NIfTI file.")
    paths = sorted(p for p in folder.iterdir() if p.is_file() and not p.name.startswith(".") and p.name != "DICOMDIR")
    if not paths:
        raise ImageError(f"{folder} holds no files. Give the folder of one DICOM series (CT or MR).")
    return [(path, _header(path)) for path in paths]


def _header(path: Path) -> Any:
    try:
        return pydicom.dcmread(path, stop_before_pixels=True)
    except InvalidDicomError as failure:
        raise ImageError(
            f"{path} is not a DICOM file. Take it out of the folder, or export the series again."
        ) from failure
    except (OSError, EOFError, ValueError, KeyError, NotImplementedError) as failure:
        raise ImageError(f"{path} is truncated or damaged ({failure}). Export the series again.") from failure


def _series_uid(header: Any) -> str:
    return str(getattr(header, "SeriesInstanceUID", "") or "")


def _one_series(headers: list[tuple[Path, Any]], folder: Path, series_uid: str | None) -> list[tuple[Path, Any]]:
    counts = Counter(_series_uid(header) for _, header in headers)
    if series_uid is None and len(counts) > 1:
        described = "; ".join(
            f"{uid or '(no UID)'}: {count} images, "
            + next(str(getattr(h, "Modality", "?")) for _, h in headers if _series_uid(h) == uid)
            for uid, count in counts.most_common()
        )
        raise ImageError(f"{folder} holds {len(counts)} series. Choose one with --series-uid UID: {described}.")
    wanted = next(iter(counts)) if series_uid is None else series_uid
    chosen = [(path, header) for path, header in headers if _series_uid(header) == wanted]
    if not chosen:
        raise ImageError(
            f"{folder} has no series {wanted}. It holds: {', '.join(uid or '(no UID)' for uid in counts)}."
        )
    return chosen


def _require_same(chosen: list[tuple[Path, Any]]) -> None:
    what = {
        "Modality": "modalities",
        "FrameOfReferenceUID": "frames of reference",
        "PatientID": "patients",
        "PatientPosition": "patient positions",
        "Rows": "image heights",
        "Columns": "image widths",
        "PixelSpacing": "pixel spacings",
        "EchoTime": "echo times",
        "RepetitionTime": "repetition times",
    }
    for tag, words in what.items():
        found = {str(getattr(header, tag, "")) for _, header in chosen}
        if len(found) > 1:
            shown = "" if tag == "PatientID" else f" ({', '.join(sorted(found)[:4])})"
            raise ImageError(
                f"The series mixes {len(found)} {words}{shown}. "
                "Export one reconstruction of one patient into its own folder."
            )


def _modality(header: Any, path: Path) -> Modality:
    """CT or MR; raises `ImageError` for anything else and for objects that are not plain images of either."""
    modality = str(getattr(header, "Modality", "") or "missing")
    if modality not in tuple(Modality):
        raise ImageError(
            f"{path.parent} is of modality {modality}, not CT or MR (0008,0060). Give one of these series."
        )
    if int(getattr(header, "NumberOfFrames", 1) or 1) > 1:
        raise ImageError(f"{path} is a multi-frame object. Export the series as single-frame {modality} images.")
    if int(getattr(header, "SamplesPerPixel", 1) or 1) != 1 or header.get("PhotometricInterpretation") == "MONOCHROME1":
        raise ImageError(f"{path} is a picture (colour or inverted), not {modality} data. Export the originals.")
    if modality == Modality.MR:
        return Modality.MR
    rescale_type = str(getattr(header, "RescaleType", "HU") or "HU")
    if rescale_type != "HU":
        raise ImageError(
            f"{path} is scaled to {rescale_type}, not Hounsfield units (0028,1054). Give the plain series."
        )
    return Modality.CT


def _patient_position(header: Any) -> PatientPosition:
    text = str(getattr(header, "PatientPosition", "") or "")
    if text == "" or text not in PatientPosition.__members__ or text == PatientPosition.UNKNOWN:
        raise ImageError(
            f"The series has no usable Patient Position (0018,5100; found {text!r}), "
            "so how the patient lay is not known. "
            "Export it with this tag, or convert it to NIfTI and state --patient-position."
        )
    return PatientPosition(text)


def _needed(header: Any, tag: str, path: Path) -> Any:
    value = getattr(header, tag, None)
    if value is None or (hasattr(value, "__len__") and len(value) == 0):
        raise ImageError(f"{path} has no {tag}. Export the series again as original images.")
    return value


def _sorted_slices(chosen: list[tuple[Path, Any]]) -> list[_Slice]:
    slices: list[_Slice] = []
    for path, header in chosen:
        position = np.array([float(v) for v in _needed(header, "ImagePositionPatient", path)])
        axes = np.array([float(v) for v in _needed(header, "ImageOrientationPatient", path)]).reshape(2, 3)
        slices.append(_Slice(path, header, position, axes))
    first = slices[0].axes
    if np.abs(first @ first.T - np.eye(2)).max() > ORIENTATION_TOLERANCE:
        raise ImageError(f"{slices[0].path}: its row and column directions are not at right angles. Export it again.")
    turned = [s.path.name for s in slices if np.abs(s.axes - first).max() > ORIENTATION_TOLERANCE]
    if turned:
        raise ImageError(
            f"The series mixes image orientations ({turned[0]} differs from {slices[0].path.name}; {len(turned)} of "
            f"{len(slices)}), as localisers do. Export the axial images alone."
        )
    normal = np.cross(first[0], first[1])
    return sorted(slices, key=lambda item: float(item.position_mm @ normal))


def _slice_step(slices: list[_Slice]) -> FloatArray:
    """Vector from one slice to the next (LPS, mm); raises for gaps, duplicates and gantry tilt."""
    if len(slices) < 2:
        raise ImageError(f"The series has {len(slices)} image; at least 2 are needed to know the slice spacing.")
    normal = np.cross(slices[0].axes[0], slices[0].axes[1])
    positions = np.array([item.position_mm for item in slices])
    along_mm = positions @ normal
    gaps_mm = np.diff(along_mm)
    usual_mm = float(np.median(gaps_mm))
    twins = np.flatnonzero(gaps_mm < DUPLICATE_MM)
    if len(twins):
        place = int(twins[0])
        raise ImageError(
            f"{len(twins)} slices are there twice, such as {slices[place].path.name} and "
            f"{slices[place + 1].path.name} at "
            f"{along_mm[place]:.2f} mm. Export one reconstruction into its own folder."
        )
    odd = np.flatnonzero(np.abs(gaps_mm - usual_mm) > SPACING_TOLERANCE_FRACTION * usual_mm)
    if len(odd):
        place = int(odd[0])
        raise ImageError(
            f"The slices are not evenly spaced: between {along_mm[place]:.2f} and {along_mm[place + 1]:.2f} mm "
            f"the gap is "
            f"{gaps_mm[place]:.2f} mm, elsewhere {usual_mm:.2f} mm. "
            "A slice is missing: export the series again, complete."
        )
    step_mm: FloatArray = (positions[-1] - positions[0]) / (len(slices) - 1)
    sideways_mm = float(np.linalg.norm(step_mm - (step_mm @ normal) * normal))
    if sideways_mm > SHEAR_TOLERANCE_FRACTION * usual_mm:
        tilt_deg = float(np.degrees(np.arctan2(sideways_mm, usual_mm)))
        raise ImageError(
            f"The series was taken with a tilted gantry ({tilt_deg:.1f} degrees): its slices are "
            "sheared against each other. "
            "Resample it to right-angled axes first, or give an untilted series."
        )
    bent_mm = np.abs(positions - positions[0] - np.arange(len(slices))[:, None] * step_mm).max()
    if bent_mm > SPACING_TOLERANCE_FRACTION * usual_mm:
        raise ImageError(f"The slices do not lie on one straight row ({bent_mm:.2f} mm off). Export the series again.")
    straight: FloatArray = (step_mm @ normal) * normal
    return straight


def _pixels(item: _Slice, modality: Modality) -> NDArray[np.float32]:
    """Hounsfield units or MR signal of one slice, axes (column, row); an MR may come without a rescale."""
    for tag in ("RescaleSlope", "RescaleIntercept"):
        if modality is Modality.CT and getattr(item.header, tag, None) in (None, ""):
            raise ImageError(
                f"{item.path} has no {tag} (0028,1052 / 1053), so its numbers are not Hounsfield units. "
                "Export it again."
            )
    try:
        full = pydicom.dcmread(item.path)
        _require_whole(full, item.path)
        if full.file_meta.TransferSyntaxUID.is_compressed:
            image = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(item.path), SimpleITK.sitkFloat32))[0]
        else:
            slope, intercept = getattr(full, "RescaleSlope", None), getattr(full, "RescaleIntercept", None)
            image = full.pixel_array * float(1 if slope is None else slope) + float(intercept or 0)
    except (OSError, EOFError, ValueError, KeyError, AttributeError, RuntimeError, NotImplementedError) as failure:
        raise ImageError(f"{item.path} is truncated or damaged ({failure}). Export the series again.") from failure
    values: NDArray[np.float32] = np.ascontiguousarray(image.T, dtype=np.float32)
    return values


def _require_whole(full: Any, path: Path) -> None:
    """Raise unless the pixel data are complete."""
    if "PixelData" not in full:
        raise ImageError(f"{path} is truncated: it has no pixel data. Export the series again.")
    if full.file_meta.TransferSyntaxUID.is_compressed:
        frames = list(generate_frames(full.PixelData, number_of_frames=1))
        is_jpeg = "JPEG" in full.file_meta.TransferSyntaxUID.name
        if len(frames) != 1 or (is_jpeg and _JPEG_2000_END not in frames[0][-4:]):
            raise ImageError(f"{path} is truncated: its compressed image does not end. Export the series again.")
        return
    expected = int(full.Rows) * int(full.Columns) * int(full.BitsAllocated) // 8
    if len(full.PixelData) < expected:
        raise ImageError(
            f"{path} is truncated: {len(full.PixelData)} of {expected} bytes of pixel data. Export the series again."
        )


def _acquired_on(header: Any) -> str:
    for tag in ("AcquisitionDate", "SeriesDate", "ContentDate", "StudyDate"):
        text = str(getattr(header, tag, "") or "")
        if text:
            try:
                return datetime.datetime.strptime(text, "%Y%m%d").date().isoformat()
            except ValueError as failure:
                raise ImageError(f"The series has an impossible {tag}: {text!r}. Correct it or remove it.") from failure
    return ""
