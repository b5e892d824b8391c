"""The commands of `foramen`, each a thin layer over `api`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import cyclopts
from cyclopts import Parameter
from rich.table import Table

from foramen import __version__
from foramen.cli.printing import (
    DISCLAIMER,
    moment,
    print_json,
    progress_bar,
    stdout,
    tell_plan,
    tell_verdict,
)
from foramen.errors import InputError, PlanRejected

app = cyclopts.App(
    name="foramen",
    help=f"Treatment planning for image-guided pain procedures of the spine. {DISCLAIMER}",
    version=__version__,
    result_action="return_value",
    suppress_keyboard_interrupt=False,  # entry.main says that nothing was left behind, and exits as documented
)
case_app = cyclopts.App(name="case", help="Import and inspect patient cases.")
knowledge_app = cyclopts.App(name="knowledge", help="Check and show the sourced facts.")
app.command(case_app)
app.command(knowledge_app)

Json = Annotated[
    bool, Parameter(name="--json", negative="", help="Print one JSON object on stdout; logs go to stderr.")
]

CasePath = Annotated[Path, Parameter(help="Case folder, made by `foramen case import`.")]
TechniqueName = Annotated[str, Parameter(help="Id of a technique, or another name for it (see `foramen techniques`).")]
LevelName = Annotated[str, Parameter(help="Level as the technique spells it, such as L4-L5 for a joint.")]
SideName = Annotated[str, Parameter(help="left or right, of the patient.")]
ProfileName = Annotated[str, Parameter(help="Whose rules: society, sis_strict, cms_lcd, bcbs_nd.")]
Switch = Literal["on", "off"]


@app.command
def demo(
    *,
    out: Annotated[Path, Parameter(help="Folder for the case, the plan and its pages.")] = Path("foramen-demo"),
    level: LevelName = "L4-L5",
    side: SideName = "left",
    technique: TechniqueName = "lumbar_medial_branch_rf",
    spacing_mm: float = 1.0,
    seed: Annotated[int | None, Parameter(help="Vary the size of the body; the mean body without it.")] = None,
    overwrite: Annotated[bool, Parameter(help="Replace the folder of an earlier demo.")] = False,
    json: Json = False,
) -> None:
    """Plan the built-in reference body from end to end: case, plan, report, card."""
    import shutil
    import time
    from concurrent.futures import ThreadPoolExecutor

    started = time.perf_counter()
    replaces = _is_earlier_demo(out, overwrite=overwrite)
    compile_ahead()
    from foramen import api
    from foramen.io.atomic_file import require_writable

    require_writable(out / "new" if replaces else out)

    with progress_bar(quiet=json) as progress:
        progress("making the reference body", 0.0)
        case = api.reference_case(spacing_mm=spacing_mm, seed=seed)
        stages = {"imports and reference body": time.perf_counter() - started}
        planned = api.plan(
            case,
            technique=technique,
            level=level,
            side=side,
            procedure_at=api.REFERENCE_PROCEDURE_AT,
            progress=lambda stage, fraction: progress(stage, 0.1 + 0.6 * fraction),
        )
        stages |= planned.stage_seconds
        if replaces:  # not before everything that was asked for could be made
            shutil.rmtree(out)
        with ThreadPoolExecutor(max_workers=1) as beside:  # packing the scan needs one core, the pages the other
            case_saved = beside.submit(api.save_case, case, out / "case", anatomy=planned.anatomy)
            saved = api.save(
                planned,
                case,
                out / "plan",
                case_path=out / "case",
                progress=lambda stage, fraction: progress(stage, 0.7 + 0.3 * fraction),
            )
            stages |= saved.stage_seconds
            case_saved.result()
    stages["total"] = time.perf_counter() - started
    tell_plan(planned.plan, saved, stages, as_json=json)
    if planned.plan.status == "rejected":
        raise SystemExit(PlanRejected.exit_code)


def compile_ahead() -> None:
    """Start compiling the kernels in a process of its own, so that no plan waits for the compiler in the middle."""
    import subprocess
    import sys
    from functools import partial
    from threading import Thread

    command = [sys.executable, "-m", "foramen.kernels.compile_ahead"]
    silently = partial(subprocess.run, command, check=False, stdin=subprocess.DEVNULL, capture_output=True)
    Thread(target=silently, daemon=True).start()


DEMO_WRITES = {
    "case": {"case.json", "image.nii.gz", "labels.nii.gz", "record.json", "anatomy.json", ".lock"},
    "plan": {"plan.json", "effect.zarr", "report.html", "report.pdf", "card.pdf", "figures"},
}
"""Folders of a demo, and what it writes into each."""


def _is_earlier_demo(out: Path, *, overwrite: bool) -> bool:
    """Whether the folder holds an earlier demo, whole or interrupted, and nothing else, so that it may be replaced.

    Raises
    ------
    InputError
        If it holds anything else, or may not be overwritten.
    """
    from foramen.io.atomic_file import is_temporary, remove_dead

    if not out.exists():
        return False
    if out.is_dir():
        remove_dead(out)
        parts = {entry for entry in out.iterdir() if not is_temporary(entry)}
        if not parts:
            return False
        if overwrite and all(
            part.is_dir()
            and part.name in DEMO_WRITES
            and {entry.name for entry in part.iterdir()} <= DEMO_WRITES[part.name]
            and (part / f"{part.name}.json").is_file()
            for part in parts
        ):
            return True
    raise InputError(f"{out} exists already. Choose another --out, or --overwrite the folder of an earlier demo.")


@case_app.command(name="import")
def case_import(
    scan: Annotated[Path, Parameter(help="NIfTI file, or folder of one DICOM series (CT or MR).")],
    *,
    out: Annotated[Path, Parameter(help="Case folder to make.")],
    labels: Annotated[
        tuple[str, ...], Parameter(help="Label map FILE or FILE:SCHEME; repeat it, the first wins.")
    ] = (),
    segment: Annotated[
        str, Parameter(help="Label the scan by totalsegmentator or totalspineseg, which you have installed.")
    ] = "",
    segment_program: Annotated[Path | None, Parameter(help="That program, if it is not on PATH.")] = None,
    segment_timeout_min: Annotated[float, Parameter(help="How long that program may take.")] = 60.0,
    level_of: Annotated[
        tuple[str, ...],
        Parameter(help="Level of a vertebra that the labels only number, such as 3=L4; repeat it where needed."),
    ] = (),
    record: Annotated[
        Path | None, Parameter(help="Clinical record: YAML, or FHIR R4 bundle (.json, .json.gz).")
    ] = None,
    patient_position: Annotated[
        str, Parameter(help="HFS, HFP, FFS or FFP, for NIfTI, which carries none.")
    ] = "UNKNOWN",
    patient_id: Annotated[str, Parameter(help="Patient id of a NIfTI scan.")] = "",
    acquired_on: Annotated[str, Parameter(help="Day of a NIfTI scan, such as 2026-03-10.")] = "",
    series_uid: Annotated[str | None, Parameter(help="Which series, if the folder holds several.")] = None,
    modality: Annotated[str | None, Parameter(help="CT or MR, of a NIfTI scan; CT without it.")] = None,
    sequence: Annotated[str, Parameter(help="T1 or T2, of an MR whose headers do not tell it.")] = "UNKNOWN",
    json: Json = False,
) -> None:
    """Make a case folder from a CT or MR scan, label maps and a clinical record."""
    from foramen import api

    with progress_bar(quiet=json) as progress:
        progress("importing", 0.1)
        case = api.import_case(
            scan,
            out=out,
            labels=labels,
            levels_of=level_of,
            segment=segment,
            segment_program=segment_program,
            segment_timeout_s=60.0 * segment_timeout_min,
            progress=lambda stage, fraction: progress(stage, 0.1 + 0.8 * min(fraction, 1.0)),
            record=record,
            patient_position=patient_position,
            patient_id=patient_id,
            series_uid=series_uid,
            acquired_on=acquired_on,
            modality=modality,
            sequence=sequence,
        )
    inspection = api.inspect_labels(case)
    if json:
        print_json({"case": str(out), **inspection.as_json()})
        return
    stdout.print(f"Case written to {out}", markup=False)
    for line in inspection.lines():
        stdout.print(line, markup=False)
    stdout.print(f"Now look at the labels: foramen case inspect {out}", markup=False)


@case_app.command(name="inspect")
def case_inspect(
    case: CasePath,
    *,
    picture: Annotated[
        Path | None, Parameter(help="Where to write the contact sheet (PNG); CASE/contact_sheet.png without it.")
    ] = None,
    html: Annotated[
        Path | None, Parameter(help="Also write a page with a viewer, for a browser without network.")
    ] = None,
    json: Json = False,
) -> None:
    """Show levels, landmarks, nerves and what is missing; write a contact sheet, and a page with a viewer if wanted."""
    from foramen import api

    opened = api.open_case(case)
    sheet = picture or case / api.CONTACT_SHEET_FILE
    for path in (sheet, html):
        if path is not None:
            api.require_replaceable(path)
    with progress_bar(quiet=json) as progress:
        progress("finding landmarks", 0.1)
        inspected = api.inspect_with_anatomy(opened)
        progress("drawing", 0.5)
        api.save_contact_sheet(opened, sheet, inspected=inspected)
        if html is not None:
            progress("making the page", 0.7)
            api.save_inspection_page(opened, html, inspected=inspected, sheet=sheet.read_bytes())
    if json:
        files = {"contact_sheet": str(sheet), "page": None if html is None else str(html)}
        print_json({"case": str(case), **files, **inspected.inspection.as_json()})
        return
    for line in inspected.inspection.lines():
        stdout.print(line, markup=False)
    if html is not None:
        stdout.print(f"Page: {html}. Open it in a browser; it needs no network.", markup=False)
    stdout.print(f"Contact sheet: {sheet}. Look at it before you trust labels, levels and landmarks.", markup=False)
    stdout.print(DISCLAIMER)


@app.command
def assess(
    case: CasePath,
    *,
    technique: TechniqueName,
    level: LevelName,
    side: SideName,
    profile: ProfileName = "society",
    procedure_at: Annotated[str | None, Parameter(help="Date and hour, such as 2026-12-01T09:30.")] = None,
    json: Json = False,
) -> None:
    """May this patient have it? Exits 3 if not."""
    from foramen import api

    verdict = api.assess(
        api.open_case(case),
        technique=technique,
        level=level,
        side=side,
        profile=profile,
        procedure_at=moment(procedure_at),
    )
    if json:
        print_json(api.plain(verdict))
    else:
        tell_verdict(verdict)
    if verdict.status == "not_acceptable":
        raise SystemExit(PlanRejected.exit_code)


@app.command
def plan(
    case: CasePath,
    *,
    technique: TechniqueName,
    level: LevelName,
    side: SideName,
    out: Annotated[Path | None, Parameter(help="Plan folder; default CASE/plans/<plan-id>.")] = None,
    procedure_at: Annotated[str | None, Parameter(help="Date and hour, such as 2026-12-01T09:30.")] = None,
    profile: ProfileName = "society",
    sedated: Annotated[bool | None, Parameter(help="Whether sedation is planned; unknown without it.")] = None,
    device: Annotated[str | None, Parameter(help="Id of an RF cannula (see `foramen devices`).")] = None,
    temperature_c: float | None = None,
    time_s: float | None = None,
    lesions: int | None = None,
    scan_age_limit_months: float | None = None,
    confirm_levels: Annotated[str, Parameter(help="How a person counted the levels.")] = "",
    confirm_side: bool = False,
    confirm_landmarks: bool = False,
    by: Annotated[str, Parameter(help="Who confirmed.")] = "",
    answers: Annotated[Path | None, Parameter(help="YAML with by, levels, side, landmarks.")] = None,
    robust: Annotated[
        bool, Parameter(negative="", help="Capture probabilities over needle, nerve, tissue and generator errors.")
    ] = False,
    robust_seed: Annotated[int, Parameter(help="Seed of the scenarios of --robust.")] = 0,
    json: Json = False,
) -> None:
    """Plan one technique at one level and side. Exits 3 if the plan is rejected; it is written all the same."""
    compile_ahead()
    from foramen import api

    opened = api.open_case(case)
    api.require_writable(case_path=case, folder=out)
    confirmation = api.confirmation(
        by=by, levels=confirm_levels, side=confirm_side, landmarks=confirm_landmarks, answers=answers
    )
    with progress_bar(quiet=json) as progress:
        planned = api.plan(
            opened,
            technique=technique,
            level=level,
            side=side,
            procedure_at=moment(procedure_at),
            profile=profile,
            is_sedated=sedated,
            device=device,
            temperature_degC=temperature_c,
            time_s=time_s,
            lesions=lesions,
            image_age_max_months=scan_age_limit_months,
            confirmation=confirmation,
            robust_seed=robust_seed if robust else None,
            progress=lambda stage, fraction: progress(stage, 0.6 * fraction),
        )
        saved = api.save_in_case(
            planned,
            opened,
            case_path=case,
            folder=out,
            progress=lambda stage, fraction: progress(stage, 0.6 + 0.4 * fraction),
        )
    tell_plan(planned.plan, saved, planned.stage_seconds | saved.stage_seconds, as_json=json)
    if planned.plan.status == "rejected":
        raise SystemExit(PlanRejected.exit_code)


@app.command
def techniques(search: Annotated[str, Parameter(help="Part of a name.")] = "", /, *, json: Json = False) -> None:
    """List the techniques that can be planned."""
    from foramen import api

    rows = api.technique_rows(search)
    if not rows:
        raise InputError(f"No technique is known by {search!r}. `foramen techniques` lists them all.")
    if json:
        print_json({"techniques": rows})
        return
    for row in rows:
        stdout.print(f"{row['id']}  {row['name']}", markup=False)
        stdout.print(
            f"    level: {row['level_kind']}, region: {row['region']}, guidance: {row['guidance']}, "
            f"effect: {row['effect_model']}; also called {row['aliases']}",
            markup=False,
        )
        if row["note"]:
            stdout.print(f"    {row['note']}", markup=False)


@app.command
def devices(*, json: Json = False) -> None:
    """List the instruments of the catalogue."""
    from foramen import api

    catalogue = api.devices()
    if json:
        print_json({"devices": [api.plain(device) for device in catalogue]})
        return
    table = Table("id", "kind", "name")
    for device in catalogue:
        table.add_row(device.id, device.kind, device.name)
    stdout.print(table)


@knowledge_app.command(name="check")
def knowledge_check(*, json: Json = False) -> None:
    """Check every knowledge file: schema, sources, names, units, rules. Exits 2 if one is wrong."""
    from foramen.knowledge.check import FindingKind, check_knowledge, trace_counts

    findings = check_knowledge()
    errors = [finding for finding in findings if finding.kind is FindingKind.ERROR]
    counts = trace_counts()
    if json:
        rows: list[object] = [
            {"kind": f.kind.value, "file": f.file, "line": f.line, "column": f.column, "text": f.text} for f in findings
        ]
        print_json({"errors": len(errors), "counts": dict(counts), "findings": rows})
    else:
        for finding in findings:
            if finding.kind is not FindingKind.UNVERIFIED:
                place = f"{finding.file}:{finding.line}:{finding.column}"
                stdout.print(f"{finding.kind.value}: {place}: {finding.text}", markup=False)
        table = Table("file", "seen", "derived", "unverified")
        for name, count in counts.items():
            table.add_row(name, *(str(count.get(key, 0)) for key in ("seen", "derived", "unverified")))
        stdout.print(table)
        stdout.print(f"{len(errors)} errors. Unverified statements are listed with --json.")
    if errors:
        raise SystemExit(InputError.exit_code)
