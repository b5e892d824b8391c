"""The case folder: one patient's image, labels, record and anatomy on disk.

``case.json  image.nii.gz  labels.nii.gz  record.json  anatomy.json  plans/<plan-id>/``
"""

from __future__ import annotations

import contextlib
import datetime
import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import TypeAdapter, ValidationError

import foramen
from foramen.errors import CaseError, ForamenError
from foramen.io.atomic_file import disk_error, require_writable, whole_folder, write_bytes
from foramen.io.dataclass_json import from_data, to_data
from foramen.io.label_maps import LabelSource, read_any_labels
from foramen.io.nifti import GRID_TOLERANCE_MM, content_sha256, image_bytes, read_array
from foramen.io.record import read_record, record_from_json, record_to_json, require_same_patient
from foramen.io.scan import open_scan
from foramen.io.segmenters import Segmenter, segmented
from foramen.knowledge.documents import STRICT
from foramen.model.anatomy import Anatomy
from foramen.model.case import Case
from foramen.model.record import ClinicalRecord
from foramen.model.space import (
    FloatArray,
    LabelMap,
    Modality,
    MrSequence,
    PatientPosition,
    Volume,
    VolumeGeometry,
    require_same_frame,
)

CASE_FILE = "case.json"
IMAGE_FILE = "image.nii.gz"
LABELS_FILE = "labels.nii.gz"
RECORD_FILE = "record.json"
ANATOMY_FILE = "anatomy.json"
LOCK_FILE = ".lock"
PLANS_FOLDER = "plans"

SCHEMA_NAME = "foramen-case"
SCHEMA_VERSION = "1.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Schema:
    __pydantic_config__ = STRICT
    name: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Grid:
    __pydantic_config__ = STRICT
    shape: tuple[int, int, int]
    affine_mm: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    __pydantic_config__ = STRICT
    schema: _Schema
    uid: str
    frame_uid: str
    modality: Modality
    patient_position: PatientPosition
    acquired_on: str
    series_uid: str
    patient_id: str
    grid: _Grid
    image_sha256: str
    labels_sha256: str
    foramen_version: str
    made_at: str
    history: tuple[str, ...]
    sequence: MrSequence = MrSequence.UNKNOWN
    is_patient_specific: bool = True


_PARSER = TypeAdapter(_File)


def new_case(
    image: Volume,
    labels: LabelMap,
    *,
    record: ClinicalRecord,
    patient_id: str = "",
    patient_position: PatientPosition = PatientPosition.UNKNOWN,
    acquired_on: str = "",
    series_uid: str = "",
    history: tuple[str, ...] = (),
    is_patient_specific: bool = True,
) -> Case:
    """A case of an image and its labels, with hashes over their content and a UID derived from them.

    Parameters
    ----------
    image, labels : Volume, LabelMap
        On one grid in one frame.
    record : ClinicalRecord
        Of the same patient; an empty one leaves everything UNKNOWN.
    patient_id : str
        Of the scan; the record's if empty.
    is_patient_specific : bool
        False where the image is not of this patient.

    Raises
    ------
    FrameError, RecordError
        If the grids or the patients differ.
    """
    require_same_patient(record, patient_id)
    image_sha256 = content_sha256(image.values, image.geometry.affine_mm)
    labels_sha256 = content_sha256(labels.values, labels.geometry.affine_mm)
    return Case(
        uid=_uid(image_sha256, labels_sha256, image, is_patient_specific=is_patient_specific),
        image=image,
        labels=labels,
        record=record,
        patient_id=patient_id or record.patient_id,
        patient_position=patient_position,
        acquired_on=acquired_on,
        series_uid=series_uid,
        image_sha256=image_sha256,
        labels_sha256=labels_sha256,
        history=history,
        is_patient_specific=is_patient_specific,
    )


def _uid(image_sha256: str, labels_sha256: str, image: Volume, *, is_patient_specific: bool) -> str:
    """UID of a case: of its image, its labels and what the image is, so that none of it can be changed unseen."""
    text = f"{image_sha256} {labels_sha256}"
    if image.modality is not Modality.CT or not is_patient_specific:
        text += f" {image.modality} {image.sequence} {'patient' if is_patient_specific else 'not patient-specific'}"
    digest = hashlib.sha256(text.encode()).hexdigest()
    return f"2.25.{int(digest[:32], 16)}"


def import_case(
    scan: Path,
    *,
    out: Path,
    labels: Sequence[LabelSource] = (),
    levels_of: Mapping[int, str] | None = None,
    segmenter: Segmenter | None = None,
    progress: Callable[[str, float], None] | None = None,
    record: Path | None = None,
    patient_position: PatientPosition = PatientPosition.UNKNOWN,
    patient_id: str = "",
    series_uid: str | None = None,
    acquired_on: str = "",
    modality: Modality | None = None,
    sequence: MrSequence = MrSequence.UNKNOWN,
    on: datetime.date | None = None,
) -> Case:
    """The case made of a scan, its label maps and a record, saved as the folder `out`.

    Parameters
    ----------
    scan : Path
        NIfTI file, or folder of one DICOM series (CT or MR).
    out : Path
        Folder to make; it appears only when everything is complete.
    labels : sequence of LabelSource
        Label files in the order of their priority; none leaves everything unlabelled.
    levels_of : mapping, optional
        Number of a vertebra that carries no name -> its level, as a person says.
    segmenter : Segmenter, optional
        Program that labels the scan; its labels come after those of the files.
    progress : callable, optional
        Told what the program does and the share of its time that has passed.
    record : Path, optional
        YAML record or FHIR bundle; without one every fact is UNKNOWN.
    patient_position : PatientPosition
        How the patient lay, for a NIfTI scan, which carries none.
    patient_id : str
        Of the scanned patient, for a NIfTI scan.
    series_uid : str, optional
        Which series, if the folder holds several.
    acquired_on : str
        Day of the scan (YYYY-MM-DD), for a NIfTI scan, which carries none.
    modality : Modality, optional
        Of a NIfTI scan, which carries none; CT if not given.
    sequence : MrSequence
        Weighting of an MR whose headers do not tell it.
    on : date, optional
        Day for which the record's age is computed; today if not given.

    Raises
    ------
    InputError
        (One of its subclasses) if anything given cannot be used.
    CaseError
        If `out` exists or cannot be written.
    """
    require_writable(out)
    opened = open_scan(
        scan,
        series_uid=series_uid,
        patient_position=patient_position,
        acquired_on=acquired_on,
        patient_id=patient_id,
        modality=modality,
        sequence=sequence,
    )
    image, scanned_id, source = opened.image, opened.patient_id, opened.source
    with contextlib.ExitStack() as stack:
        if segmenter is not None:
            labels = (*labels, stack.enter_context(segmented(image, segmenter, progress=progress)))
        reading = read_any_labels(labels, image, levels_of=levels_of, patient_id=scanned_id)
    if segmenter is not None:
        source += f"; labelled by {segmenter.program.name} on this machine"
    clinical = read_record(record, on=on) if record is not None else ClinicalRecord(patient_id=scanned_id)
    case = new_case(
        image,
        reading.labels,
        record=clinical,
        patient_id=scanned_id,
        patient_position=opened.patient_position,
        acquired_on=opened.acquired_on,
        series_uid=opened.series_uid,
        history=(source, *reading.history, f"record: {clinical.origin or 'none given'}"),
    )
    save_case(case, out)
    return case


def save_case(case: Case, path: Path, *, anatomy: Anatomy | None = None) -> None:
    """Write a case as a new folder, whole or not at all; raises `CaseError` if it exists or cannot be written."""
    geometry = case.image.geometry
    described = {
        "schema": {"name": SCHEMA_NAME, "version": SCHEMA_VERSION},
        "uid": case.uid,
        "frame_uid": geometry.frame_uid,
        "modality": case.image.modality.value,
        "sequence": case.image.sequence.value,
        "is_patient_specific": case.is_patient_specific,
        "patient_position": case.patient_position.value,
        "acquired_on": case.acquired_on,
        "series_uid": case.series_uid,
        "patient_id": case.patient_id,
        "grid": {"shape": list(geometry.shape), "affine_mm": geometry.affine_mm.tolist()},
        "image_sha256": case.image_sha256,
        "labels_sha256": case.labels_sha256,
        "foramen_version": foramen.__version__,
        "made_at": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "history": list(case.history),
    }
    with whole_folder(path) as folder:
        write_bytes(folder / IMAGE_FILE, image_bytes(case.image))
        write_bytes(folder / LABELS_FILE, image_bytes(case.labels))
        write_bytes(folder / RECORD_FILE, record_to_json(case.record).encode())
        if anatomy is not None:
            write_anatomy(folder, anatomy)
        write_bytes(folder / CASE_FILE, (json.dumps(described, indent=1, allow_nan=False) + "\n").encode())


def write_record(path: Path, record: ClinicalRecord) -> None:
    """Write the record of a case folder anew; the caller holds the case's lock."""
    write_bytes(path / RECORD_FILE, record_to_json(record).encode())


def open_case(path: Path) -> Case:
    """The case of a folder, checked against the hashes it was saved with.

    Raises
    ------
    CaseError
        If it is no case folder, of a newer major version, or an image or label file was changed.
    """
    described = _described(path)
    if described.acquired_on:
        try:
            datetime.date.fromisoformat(described.acquired_on)
        except ValueError:
            raise CaseError(f"{path / CASE_FILE}: acquired_on is no date. Import the case again.") from None
    affine_mm = np.array(described.grid.affine_mm, dtype=np.float64)
    geometry = VolumeGeometry(shape=described.grid.shape, affine_mm=affine_mm, frame_uid=described.frame_uid)
    try:
        values = _stored(path / IMAGE_FILE, geometry).astype(np.float32)
        numbers = _stored(path / LABELS_FILE, geometry).astype(np.uint16)
        text = (path / RECORD_FILE).read_text(encoding="utf-8")
        record = record_from_json(text, name=str(path / RECORD_FILE))
    except (ForamenError, OSError, UnicodeDecodeError) as failure:
        raise CaseError(f"The case {path} is damaged: {failure} Import it again.") from failure
    for name, array, expected in (
        (IMAGE_FILE, values, described.image_sha256),
        (LABELS_FILE, numbers, described.labels_sha256),
    ):
        if content_sha256(array, affine_mm) != expected:
            raise CaseError(f"{path / name} was changed after the import (SHA-256 differs). Import the case again.")
    image = Volume(geometry=geometry, values=values, modality=described.modality, sequence=described.sequence)
    specific = described.is_patient_specific
    if described.uid != _uid(described.image_sha256, described.labels_sha256, image, is_patient_specific=specific):
        raise CaseError(
            f"{path / CASE_FILE} was changed after the import: its uid does not belong to this image, these labels and "
            "what is said of them (modality, sequence, whether they are the patient's). Import the case again."
        )
    return Case(
        uid=described.uid,
        image=image,
        labels=LabelMap(geometry=geometry, values=numbers),
        record=record,
        patient_id=described.patient_id,
        patient_position=described.patient_position,
        acquired_on=described.acquired_on,
        series_uid=described.series_uid,
        image_sha256=described.image_sha256,
        labels_sha256=described.labels_sha256,
        history=described.history,
        is_patient_specific=specific,
    )


def _described(path: Path) -> _File:
    file = path / CASE_FILE
    if not file.is_file():
        raise CaseError(f"{path} is not a case folder: it has no {CASE_FILE}. Make one with foramen case import.")
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        schema = data["schema"]
        name, major = schema["name"], str(schema["version"]).partition(".")[0]
    except (OSError, ValueError, KeyError, TypeError) as failure:
        raise CaseError(f"{file} is damaged ({failure}). Import the case again.") from failure
    if name != SCHEMA_NAME or major != SCHEMA_VERSION.partition(".")[0]:
        raise CaseError(
            f"{file} is {name} {schema['version']}, this Foramen reads {SCHEMA_NAME} "
            f"{SCHEMA_VERSION}. Use a matching version of Foramen, or import the case again."
        )
    try:
        return _PARSER.validate_python(data)
    except ValidationError as failure:
        first = failure.errors(include_url=False)[0]
        raise CaseError(
            f"{file}: {'.'.join(map(str, first['loc']))}: {first['msg']}. Import the case again."
        ) from failure


def _stored(path: Path, geometry: VolumeGeometry) -> FloatArray:
    values, affine_mm = read_array(path)
    if values.shape != geometry.shape or np.abs(affine_mm - geometry.affine_mm).max() > GRID_TOLERANCE_MM:
        raise CaseError(f"{path.name} is on another grid than case.json says.")
    return values


def write_anatomy(path: Path, anatomy: Anatomy) -> None:
    """Write the anatomy into a case folder, replacing an older one."""
    data = {"schema": {"name": "foramen-anatomy", "version": "1.0"}, "anatomy": to_data(anatomy)}
    write_bytes(path / ANATOMY_FILE, (json.dumps(data, allow_nan=False) + "\n").encode())


def read_anatomy(path: Path, *, frame_uid: str) -> Anatomy | None:
    """The anatomy of a case folder, or None if none was saved.

    Raises
    ------
    CaseError, FrameError
        If the file is damaged, or belongs to another frame than `frame_uid`.
    """
    file = path / ANATOMY_FILE
    if not file.exists():
        return None
    try:
        content = json.loads(file.read_text(encoding="utf-8"))["anatomy"]
    except (OSError, ValueError, KeyError, TypeError) as failure:
        raise CaseError(
            f"{file} is damaged ({failure}). Delete it: it is made again from image and labels."
        ) from failure
    anatomy = from_data(Anatomy, content, path="anatomy")
    require_same_frame(frame_uid, anatomy.frame_uid, str(file))
    return anatomy


@contextlib.contextmanager
def case_lock(path: Path) -> Iterator[None]:
    """Hold the one writer's lock of a case; it is released when the process ends, however it ends.

    Raises
    ------
    CaseError
        If another process writes to the case, or the folder cannot be written to.
    """
    file = path / LOCK_FILE
    if not (path / CASE_FILE).is_file():
        raise CaseError(f"{path} is not a case folder: it has no {CASE_FILE}. Make one with foramen case import.")
    try:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as failure:
        raise disk_error(file, failure) from failure
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as failure:
            holder = os.read(descriptor, 32).decode(errors="replace").strip() or "unknown"
            raise CaseError(
                f"The case {path} is being written by another Foramen (process {holder}). Wait until it has finished."
            ) from failure
        with contextlib.suppress(OSError):  # who holds it is only said; on a full disk the lock itself holds too
            os.ftruncate(descriptor, 0)
            os.write(descriptor, f"{os.getpid()}\n".encode())
        yield
    finally:
        os.close(descriptor)
