"""`foramen case generic`, `measure` and `confirm`: a case without a scan, and findings on one with a scan."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from foramen.cli.commands import CasePath, Json, case_app
from foramen.cli.printing import print_json, progress_bar, stdout
from foramen.errors import InputError

if TYPE_CHECKING:
    from foramen.model.finding import Finding


@case_app.command(name="generic")
def case_generic(
    *,
    out: Annotated[Path, Parameter(help="Case folder to make.")],
    height_cm: Annotated[
        float | None, Parameter(help="Height of the patient; without it by the record's weight and body mass index.")
    ] = None,
    record: Annotated[
        Path | None, Parameter(help="Clinical record: YAML, or FHIR R4 bundle (.json, .json.gz).")
    ] = None,
    weight_kg: Annotated[float | None, Parameter(help="For the record, if it lacks it.")] = None,
    sex: Annotated[str | None, Parameter(help="For the record, if it lacks it: female, male, other.")] = None,
    age: Annotated[float | None, Parameter(help="Years, for the record, if it lacks it.")] = None,
    json: Json = False,
) -> None:
    """Make a case without a scan: a reference body scaled to the patient. NOT PATIENT-SPECIFIC on every page."""
    from foramen import api

    with progress_bar(quiet=json) as progress:
        progress("making the reference body", 0.1)
        case = api.generic_case(
            record=record, height_cm=height_cm, weight_kg=weight_kg, sex=sex, age_years=age, out=out
        )
    inspection = api.inspect(case)
    if json:
        print_json({"case": str(out), **inspection.as_json()})
        return
    stdout.print(f"Case written to {out}", markup=False)
    for line in inspection.lines():
        stdout.print(line, markup=False)
    stdout.print("NOT PATIENT-SPECIFIC: plan on it with foramen plan; such a plan is never more than a caution.")


@case_app.command(name="measure")
def case_measure(
    case: CasePath,
    *,
    other: Annotated[Path | None, Parameter(help="NIfTI of the second of T1 and T2, on the same grid.")] = None,
    other_sequence: Annotated[str, Parameter(help="T1 or T2, which --other is.")] = "UNKNOWN",
    json: Json = False,
) -> None:
    """Measure canal, epidural space, discs and MR signal, with the evidence; write them into the record.

    Nothing measured or suggested answers a question of the record before a person has confirmed it.
    """
    from foramen import api

    with progress_bar(quiet=json) as progress:
        progress("measuring", 0.1)
        findings = api.measure_in_case(case, other=other, other_sequence=other_sequence)
    if json:
        print_json({"case": str(case), "findings": [api.plain(finding) for finding in findings]})
        return
    for finding in findings:
        stdout.print(in_words(finding), markup=False)
    stdout.print("Look at the images, then confirm what holds: foramen case confirm.", markup=False)


@case_app.command(name="confirm")
def case_confirm(
    case: CasePath,
    *,
    finding: Annotated[str, Parameter(help="Kind, as `foramen case measure` prints it.")],
    level: Annotated[str, Parameter(help="Level, such as L4-L5.")],
    by: Annotated[str, Parameter(help="Who confirms.")],
    value: Annotated[str | None, Parameter(help="What you see, if it is not what was found.")] = None,
    json: Json = False,
) -> None:
    """Confirm one finding by a named person; only then does it count."""
    from foramen import api

    confirmed = api.confirm_finding(case, kind=finding, level=level, by=by, value=_number_or_text(finding, value))
    if json:
        print_json(api.plain(confirmed))
        return
    stdout.print(in_words(confirmed), markup=False)


def in_words(finding: Finding) -> str:
    """One finding in a line."""
    value = "UNKNOWN"
    if isinstance(finding.value, str):
        value = finding.value
    elif finding.value is not None:
        value = f"{finding.value:.2f}" + (f" +- {finding.sd:.2f}" if finding.sd is not None else "")
        value += f" {finding.unit}" if finding.unit != "1" else ""
    by = f" by {finding.by}, {finding.when}" if finding.by else ""
    return f"{finding.level}  {finding.kind}: {value} ({finding.status.value}{by}) {finding.note}".rstrip()


def _number_or_text(kind: str, value: str | None) -> float | str | None:
    if value is None or kind.startswith("modic"):
        return value
    try:
        return float(value)
    except ValueError:
        raise InputError(f"--value {value!r} of {kind} is not a number.") from None
