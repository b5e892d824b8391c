"""What `import foramen as fm` offers: the workflow's verbs, and the writing of what they make."""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from importlib import resources
from pathlib import Path

from foramen import workflow
from foramen.anatomy.reference_body import make_reference_body
from foramen.errors import InputError
from foramen.io import atomic_file, case_folder, plan_json
from foramen.io.atomic_file import whole_folder, write_bytes
from foramen.io.dataclass_json import to_data
from foramen.io.label_maps import parse_label_source
from foramen.io.label_naming import parse_levels_of
from foramen.io.record import parse_record
from foramen.io.segmenters import find_segmenter, require_labels
from foramen.model.anatomy import Anatomy
from foramen.model.case import Case
from foramen.model.levels import parse_side
from foramen.model.plan import Confirmation, Plan
from foramen.model.record import ClinicalRecord
from foramen.model.space import Modality, MrSequence, PatientPosition
from foramen.model.technique import Technique
from foramen.model.verdict import Verdict
from foramen.report.figures import figures
from foramen.report.render import render_card, render_pdf, render_report
from foramen.techniques import all_techniques
from foramen.workflow import Planned, PlanRequest, ReportProgress

REFERENCE_ACQUIRED_ON = "2026-03-10"
"""Date on which the reference body counts as scanned."""

REFERENCE_PROCEDURE_AT = datetime(2026, 4, 14, 9, 30)
"""Date and hour of the reference body's procedure, so that its plan is the same on every day."""

SMALLEST_PLAN_BYTES = 2**20
"""No plan with its pictures takes less room on the disk; most take some tens of megabytes."""

DAYS_TO_PROCEDURE = 14
"""A plan without a date assumes this many days from now, at nine in the morning."""


def open_case(path: str | Path) -> Case:
    """The case of a case folder, checked against the hashes it was saved with."""
    return case_folder.open_case(Path(path))


def open_plan(path: str | Path, *, case: str | Path | None = None) -> tuple[Plan, Case]:
    """A stored plan with the case that it was made on.

    Parameters
    ----------
    path : path
        Plan folder or its plan.json.
    case : path, optional
        Case folder, instead of the one that the plan names.

    Raises
    ------
    CaseError
        If either cannot be read, or the case has another image, label map or frame than the plan was made on.
    """
    stored = plan_json.read_plan(Path(path))
    opened = open_case(plan_json.case_path_of(stored, Path(path), case=None if case is None else Path(case)))
    plan_json.require_case(stored, opened)
    return stored, opened


def import_case(
    scan: str | Path,
    *,
    out: str | Path,
    labels: Iterable[str] = (),
    levels_of: Iterable[str] = (),
    segment: str = "",
    segment_program: str | Path | None = None,
    segment_timeout_s: float = 3600.0,
    record: str | Path | None = None,
    patient_position: str = "UNKNOWN",
    patient_id: str = "",
    series_uid: str | None = None,
    acquired_on: str = "",
    progress: Callable[[str, float], None] | None = None,
    modality: str | None = None,
    sequence: str = "UNKNOWN",
) -> Case:
    """The case made of a scan, its label maps and a record, saved as the folder `out`.

    Parameters
    ----------
    scan : path
        NIfTI file, or folder of one DICOM series (CT or MR).
    out : path
        Folder to make; it appears only when everything is complete.
    labels : iterable of str
        ``FILE`` or ``FILE:SCHEME``, in the order of their priority.
    levels_of : iterable of str
        ``ID=LEVEL`` for vertebrae that a label file numbers without naming them.
    segment : str
        ``totalsegmentator`` or ``totalspineseg``: run that program, which must be installed, to label the scan.
    segment_program : path, optional
        The program, if it is not on PATH.
    segment_timeout_s : float
        How long it may take.
    record : path, optional
        YAML record or FHIR R4 bundle; without one every fact is UNKNOWN.
    patient_position : str
        HFS, HFP, FFS or FFP, for a NIfTI scan, which carries none.
    acquired_on : str
        Day of the scan (YYYY-MM-DD), for a NIfTI scan, which carries none.
    modality : str, optional
        CT or MR, for a NIfTI scan, which carries none; CT if not given.
    sequence : str
        T1 or T2, for an MR whose headers do not tell it.
    """
    try:
        position = PatientPosition(patient_position.upper())
    except ValueError:
        raise InputError(f"{patient_position!r} is not a patient position. Use HFS, HFP, FFS or FFP.") from None
    files = tuple(parse_label_source(text) for text in labels)
    segmenter = None
    if segment:
        program = None if segment_program is None else Path(segment_program)
        segmenter = find_segmenter(segment, path=program, timeout_s=segment_timeout_s)
    elif not files:
        atomic_file.require_writable(Path(out))
        require_labels(Path(scan))
    try:
        kind = None if modality is None else Modality(modality.upper())
        weighting = MrSequence(sequence.upper())
    except ValueError as failure:
        raise InputError(f"{failure}. Use --modality CT or MR, and --sequence T1 or T2.") from None
    return case_folder.import_case(
        Path(scan),
        out=Path(out),
        labels=files,
        segmenter=segmenter,
        progress=progress,
        levels_of=parse_levels_of(tuple(levels_of)),
        record=None if record is None else Path(record),
        patient_position=position,
        patient_id=patient_id,
        series_uid=series_uid,
        acquired_on=acquired_on,
        modality=kind,
        sequence=weighting,
    )


def reference_case(*, spacing_mm: float = 1.0, seed: int | None = None) -> Case:
    """The built-in patient: the reference body's CT and labels, and an invented record."""
    body = make_reference_body(spacing_mm=spacing_mm, seed=seed)
    return case_folder.new_case(
        body.image,
        body.labels,
        record=reference_record(),
        patient_position=body.patient_position,
        acquired_on=REFERENCE_ACQUIRED_ON,
        history=("reference body made by code; it belongs to no person",),
    )


def reference_record() -> ClinicalRecord:
    """The invented record of the built-in patient."""
    name = "reference_record.yaml"
    text = resources.files("foramen.io").joinpath(name).read_text(encoding="utf-8")
    return parse_record(text, name=name)


def assess(
    case: Case,
    *,
    technique: str,
    level: str,
    side: str,
    profile: str = "society",
    procedure_at: datetime | None = None,
) -> Verdict:
    """May this patient have it? The verdict with every criterion, its reason and its source."""
    return workflow.assess_case(
        case,
        technique=technique,
        level=level,
        side=parse_side(side),
        profile=profile,
        on=procedure_at or default_procedure_at(),
    )


def plan(
    case: Case,
    *,
    technique: str,
    level: str,
    side: str,
    procedure_at: datetime | None = None,
    profile: str = "society",
    is_sedated: bool | None = None,
    device: str | None = None,
    temperature_degC: float | None = None,
    time_s: float | None = None,
    lesions: int | None = None,
    image_age_max_months: float | None = None,
    confirmation: Confirmation | None = None,
    robust_seed: int | None = None,
    anatomy: Anatomy | None = None,
    progress: ReportProgress = lambda _stage, _fraction: None,
) -> Planned:
    """A checked plan with the anatomy that it was made on; see `foramen.workflow.plan_case`."""
    request = PlanRequest(
        technique=technique,
        level=level,
        side=parse_side(side),
        procedure_at=procedure_at or default_procedure_at(),
        profile=profile,
        is_sedated=is_sedated,
        device=device,
        temperature_degC=temperature_degC,
        time_s=time_s,
        lesions=lesions,
        image_age_max_months=image_age_max_months,
        confirmation=confirmation,
        robust_seed=robust_seed,
    )
    return workflow.plan_case(case, request, anatomy=anatomy, progress=progress)


def robust(
    planned: Planned, case: Case, *, seed: int = 0, progress: ReportProgress = lambda _stage, _fraction: None
) -> Planned:
    """The plan with its geometric capture probabilities under the stated model, and the risk to its neighbours.

    Parameters
    ----------
    seed : int
        Of the scenarios; the same seed gives the same numbers for any number of threads.
    """
    return workflow.add_robustness(planned, case, seed=seed, progress=progress)


def default_procedure_at() -> datetime:
    """Two weeks from now at nine in the morning, for a plan whose date is not yet fixed."""
    return (datetime.now() + timedelta(days=DAYS_TO_PROCEDURE)).replace(hour=9, minute=0, second=0, microsecond=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """Where a plan was written, and the seconds that the pictures and pages took."""

    folder: Path
    report: Path
    report_pdf: Path
    card: Path
    plan: Path
    stage_seconds: dict[str, float]


def save(
    planned: Planned,
    case: Case,
    folder: str | Path,
    *,
    case_path: str | Path | None = None,
    progress: ReportProgress = lambda _stage, _fraction: None,
) -> Saved:
    """Write a plan as a new folder, whole or not at all: plan.json, effect.zarr, report, card, figures.

    Parameters
    ----------
    folder : path
        It must not exist, or be empty.
    case_path : path, optional
        Folder of the case; the plan keeps the relative path to it.

    Raises
    ------
    CaseError
        If the folder is in use, or the disk is full or read-only.
    """
    destination = Path(folder)
    relative = "" if case_path is None else os.path.relpath(Path(case_path), destination)
    plan = replace(planned.plan, case=replace(planned.plan.case, relative_path=relative))
    clock = workflow.Clock(progress=progress)
    with whole_folder(destination) as temporary:
        clock.stage("pictures", 0.05)
        pictures = figures(plan, case, planned.anatomy)
        (temporary / "figures").mkdir()
        for name, png in pictures.items():
            write_bytes(temporary / "figures" / f"{name}.png", png)
        clock.stage("report", 0.5)
        html = render_report(plan, case, planned.anatomy, pictures)
        write_bytes(temporary / "report.html", html.encode())
        clock.stage("report.pdf", 0.6)
        write_bytes(temporary / "report.pdf", render_pdf(plan, case, planned.anatomy, pictures))
        clock.stage("card.pdf", 0.8)
        write_bytes(temporary / "card.pdf", render_card(plan, case, planned.anatomy, pictures))
        clock.stage("plan.json", 0.9)
        plan_json.write_plan(plan, temporary)
    return Saved(
        folder=destination,
        report=destination / "report.html",
        report_pdf=destination / "report.pdf",
        card=destination / "card.pdf",
        plan=destination / "plan.json",
        stage_seconds=clock.stop(),
    )


def save_in_case(
    planned: Planned,
    case: Case,
    *,
    case_path: str | Path,
    folder: str | Path | None = None,
    progress: ReportProgress = lambda _stage, _fraction: None,
) -> Saved:
    """Write a plan into its case (``CASE/plans/<plan-id>``) or into `folder`.

    The case's one writer's lock is held where the plan is written into the case; a plan beside a case changes
    nothing in it, so that the case may then be read-only.
    """
    destination, holding = _destination(Path(case_path), folder, name=planned.plan.id)
    with holding:
        saved = save(planned, case, destination, case_path=case_path, progress=progress)
        if folder is None:
            case_folder.write_anatomy(Path(case_path), planned.anatomy)
        return saved


def require_writable(*, case_path: str | Path, folder: str | Path | None = None) -> None:
    """Raise `CaseError` if `save_in_case` could not write a plan there, before the work of making one.

    Parameters
    ----------
    case_path : path
        Folder of the case.
    folder : path, optional
        Where the plan is to be written, if not into the case.
    """
    destination, holding = _destination(Path(case_path), folder, name=uuid.uuid4().hex)
    with holding:
        atomic_file.require_writable(destination, room_bytes=SMALLEST_PLAN_BYTES)


def _destination(
    home: Path, folder: str | Path | None, *, name: str
) -> tuple[Path, contextlib.AbstractContextManager[None]]:
    """Where a plan is written, and what must be held meanwhile: the case's lock if it is inside the case."""
    destination = home / case_folder.PLANS_FOLDER / name if folder is None else Path(folder)
    is_in_case = home.resolve() in destination.resolve().parents
    return destination, case_folder.case_lock(home) if is_in_case else contextlib.nullcontext()


def plain(value: object) -> object:
    """Any of Foramen's data objects as plain dictionaries, lists, numbers and texts."""
    return to_data(value)


def save_case(case: Case, path: str | Path, *, anatomy: Anatomy | None = None) -> None:
    """Write a case as a new folder, whole or not at all."""
    case_folder.save_case(case, Path(path), anatomy=anatomy)


def techniques() -> tuple[Technique, ...]:
    """Every technique that can be planned."""
    return all_techniques()
