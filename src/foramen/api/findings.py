"""Measures and readings of a case's images, written into its record, and their confirmation by a person."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from foramen.anatomy.findings import find_all
from foramen.anatomy.of_case import anatomy_of
from foramen.anatomy.signal_ratios import OtherSequence
from foramen.errors import InputError
from foramen.io import case_folder
from foramen.io.nifti import content_sha256, read_image
from foramen.model.anatomy import Anatomy
from foramen.model.case import Case
from foramen.model.finding import Finding
from foramen.model.space import Modality, MrSequence
from foramen.planning.confirmed_findings import confirmed, remeasured


def measure(
    case: Case, *, anatomy: Anatomy | None = None, other: str | Path | None = None, other_sequence: str = "UNKNOWN"
) -> tuple[Finding, ...]:
    """Canal, epidural space, disc and signal at every disc space of a case; see `foramen.anatomy.findings`.

    Parameters
    ----------
    anatomy : Anatomy, optional
        If it is already known; else it is built from the scan.
    other : path, optional
        NIfTI file of the second of T1 and T2, on the grid of the case's MR.
    other_sequence : str
        T1 or T2, which that file is.
    """
    second = None
    if other is not None:
        try:
            sequence = MrSequence(other_sequence.upper())
        except ValueError:
            raise InputError(f"{other_sequence!r} is not a sequence. Use --other-sequence T1 or T2.") from None
        image = read_image(Path(other), modality=Modality.MR, sequence=sequence)
        second = OtherSequence(image=image, sha256=content_sha256(image.values, image.geometry.affine_mm))
    return find_all(case, anatomy_of(case) if anatomy is None else anatomy, second)


def measure_in_case(
    path: str | Path, *, other: str | Path | None = None, other_sequence: str = "UNKNOWN"
) -> tuple[Finding, ...]:
    """Measure a case folder and write the findings into its record; what a person confirmed there stays."""
    folder = Path(path)
    with case_folder.case_lock(folder):
        case = case_folder.open_case(folder)
        record = remeasured(case.record, measure(case, other=other, other_sequence=other_sequence))
        case_folder.write_record(folder, record)
    return record.findings


def confirm_finding(
    path: str | Path, *, kind: str, level: str, by: str, value: float | str | None = None, on: date | None = None
) -> Finding:
    """Confirm one finding in a case's record; from then on it answers the question of the record at its level."""
    folder = Path(path)
    when = (on or date.today()).isoformat()
    with case_folder.case_lock(folder):
        case = case_folder.open_case(folder)
        record = confirmed(case.record, kind=kind, level=level, by=by, when=when, value=value)
        case_folder.write_record(folder, record)
    return next(f for f in record.findings if (f.kind, f.level) == (kind, level))
