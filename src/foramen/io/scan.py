"""A scan as a case takes it in: the image, and what headers or the user say of day, posture, patient and sequence."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, replace
from pathlib import Path

from foramen.errors import ImageError, InputError
from foramen.io.dicom import read_dicom_series
from foramen.io.nifti import read_image
from foramen.knowledge.facts import number
from foramen.model.space import Modality, MrSequence, PatientPosition, Volume


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OpenedScan:
    """An image with what is known of how it was taken, and a line on where it came from."""

    image: Volume
    patient_position: PatientPosition
    acquired_on: str
    series_uid: str
    patient_id: str
    source: str


def open_scan(
    scan: Path,
    *,
    series_uid: str | None,
    patient_position: PatientPosition,
    acquired_on: str,
    patient_id: str,
    modality: Modality | None,
    sequence: MrSequence,
) -> OpenedScan:
    """The image of a NIfTI file or a DICOM folder, fine enough to plan on, with what is said of it.

    Raises
    ------
    ImageError
        If it cannot be read or its voxels are too large.
    InputError
        If what the user states contradicts the headers.
    """
    found = (
        _dicom(scan, series_uid, patient_position, acquired_on, patient_id, modality, sequence)
        if scan.is_dir()
        else _nifti(scan, patient_position, acquired_on, patient_id, modality, sequence)
    )
    _require_fine(found.image)
    return found


def _dicom(
    scan: Path,
    series_uid: str | None,
    patient_position: PatientPosition,
    acquired_on: str,
    patient_id: str,
    modality: Modality | None,
    sequence: MrSequence,
) -> OpenedScan:
    image, facts = read_dicom_series(scan, series_uid=series_uid)
    image, stated = with_statements(image, modality, sequence)
    if patient_position not in (PatientPosition.UNKNOWN, facts.patient_position):
        raise InputError(
            f"--patient-position {patient_position} contradicts the scan, whose Patient Position (0018,5100) is "
            f"{facts.patient_position}. Leave the option out."
        )
    if acquired_on and acquired_on != facts.acquired_on:
        told = facts.acquired_on or "a day that it does not tell"
        raise InputError(f"--acquired-on {acquired_on}: the scan was acquired on {told}. Leave the option out.")
    if facts.patient_id and patient_id and patient_id != facts.patient_id:
        raise InputError("--patient-id contradicts the Patient ID (0010,0020) of the scan. Leave the option out.")
    return OpenedScan(
        image=image,
        patient_position=facts.patient_position,
        acquired_on=facts.acquired_on,
        series_uid=facts.series_uid,
        patient_id=facts.patient_id or patient_id,
        source=f"image from a DICOM series of {facts.slices} slices{stated}",
    )


def _nifti(
    scan: Path,
    patient_position: PatientPosition,
    acquired_on: str,
    patient_id: str,
    modality: Modality | None,
    sequence: MrSequence,
) -> OpenedScan:
    require_day(acquired_on)
    kind = stated_modality(modality, sequence)
    posture = "unknown" if patient_position is PatientPosition.UNKNOWN else "as stated by the user"
    source = f"image from {scan.name}; patient position {posture}"
    return OpenedScan(
        image=read_image(scan, modality=kind, sequence=sequence),
        patient_position=patient_position,
        acquired_on=acquired_on,
        series_uid="",
        patient_id=patient_id,
        source=source if kind is Modality.CT else f"{source}; MR, sequence {sequence}, as stated by the user",
    )


def _require_fine(image: Volume) -> None:
    """Raise `ImageError` if the voxels are too large, or too few along an axis, for landmarks of a vertebra."""
    limit_mm = number("import_checks.largest_voxel_mm")
    if float(image.geometry.spacing_mm.max()) > limit_mm or min(image.geometry.shape) < 2:
        size = " x ".join(f"{step:g}" for step in image.geometry.spacing_mm)
        raise ImageError(
            f"The scan has {image.geometry.shape} voxels of {size} mm; landmarks need at most {limit_mm:g} mm along "
            "each axis, and more than one slice. Give a reconstruction with thinner slices."
        )


def require_day(text: str) -> None:
    """Raise `InputError` unless a day of acquisition is empty or a date that has passed."""
    if not text:
        return
    try:
        day = datetime.date.fromisoformat(text)
    except ValueError:
        raise InputError(f"--acquired-on {text!r} is not a date. Write it as 2026-03-10.") from None
    if day > datetime.date.today():
        raise InputError(f"--acquired-on {text} lies in the future. Give the day of the scan.")


def stated_modality(modality: Modality | None, sequence: MrSequence) -> Modality:
    """Modality of an image without headers: as stated, MR where only a sequence is stated, CT otherwise."""
    if modality is None:
        return Modality.CT if sequence is MrSequence.UNKNOWN else Modality.MR
    if modality is Modality.CT and sequence is not MrSequence.UNKNOWN:
        raise InputError(f"--sequence {sequence} belongs to an MR, but --modality is CT. Leave one of them out.")
    return modality


def with_statements(image: Volume, modality: Modality | None, sequence: MrSequence) -> tuple[Volume, str]:
    """A DICOM image with what the user states about it, and a word on it; raises where the headers say otherwise."""
    if modality not in (None, image.modality):
        raise InputError(f"--modality {modality} contradicts the scan (0008,0060): {image.modality}. Leave it out.")
    if image.modality is not Modality.MR:
        if sequence is not MrSequence.UNKNOWN:
            raise InputError(f"--sequence {sequence}: the scan is a {image.modality}. Leave the option out.")
        return image, ""
    if sequence is MrSequence.UNKNOWN or sequence is image.sequence:
        return image, f"; MR, sequence {image.sequence} by its headers"
    if image.sequence is not MrSequence.UNKNOWN:
        raise InputError(f"--sequence {sequence} contradicts the headers of the scan ({image.sequence}). Leave it out.")
    return replace(image, sequence=sequence), f"; MR, sequence {sequence} as stated by the user"
