"""What the commands print: results on standard output, progress and messages on standard error."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from foramen.errors import InputError

if TYPE_CHECKING:
    from foramen.api import Plan, Saved, Verdict

DISCLAIMER = "Research use, not a medical device."

stderr = Console(stderr=True)
stdout = Console(soft_wrap=True)


def print_json(content: object) -> None:
    """Print one JSON object on standard output."""
    print(json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False))


ProgressCall = Callable[[str, float], None]


@contextmanager
def progress_bar(*, quiet: bool) -> Iterator[ProgressCall]:
    """A bar on stderr with the stage and the time left; silent where stderr is no terminal and JSON is asked for."""
    columns = (
        TextColumn("{task.description:<28}"),
        BarColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=stderr, disable=quiet, transient=True) as bar:
        task = bar.add_task("starting", total=1.0)

        def report(stage: str, fraction: float) -> None:
            bar.update(task, description=stage, completed=fraction)

        yield report


EARLIEST_YEAR, LATEST_YEAR = 1990, 2100
"""Years in which a procedure may be dated; others are slips of the keyboard."""


def moment(text: str | None) -> datetime | None:
    """Date and hour of an ISO text, or None; raises `InputError` if it is neither."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(f"{text!r} is not a date and hour. Write it as 2026-12-01T09:30.") from None
    if not EARLIEST_YEAR <= found.year <= LATEST_YEAR:
        raise InputError(f"{text!r} lies outside {EARLIEST_YEAR} to {LATEST_YEAR}. Check the year.")
    return found


def tell_verdict(verdict: Verdict) -> None:
    """Print a verdict with every criterion, question and dissent."""
    stdout.print(f"{verdict.status.value.upper().replace('_', ' ')}  ({verdict.technique}, profile {verdict.profile})")
    for criterion in verdict.criteria:
        seen = "" if criterion.trace != "unverified" else "  [unverified]"
        stdout.print(
            f"  {criterion.truth.value:<8} {criterion.severity.value:<17} {criterion.id:<7} {criterion.reason} "
            f"({', '.join(criterion.sources)}){seen}",
            markup=False,
        )
    for question in verdict.questions:
        stdout.print(f"  ask: {question.text}", markup=False)
    for dissent in verdict.dissent:
        stdout.print(f"  dissent: {dissent.text} ({', '.join(dissent.sources)})", markup=False)
    stdout.print(DISCLAIMER)


def tell_plan(plan: Plan, saved: Saved, stages: dict[str, float], *, as_json: bool) -> None:
    """Print what was planned, what is not a pass, the time by stage and where the files are."""
    if as_json:
        print_json(
            {
                "plan_id": plan.id,
                "status": plan.status.value,
                "modality": plan.case.modality.value,
                "is_patient_specific": plan.case.is_patient_specific,
                "review": plan.review.value,
                "folder": str(saved.folder),
                "plan": str(saved.plan),
                "report": str(saved.report),
                "report_pdf": str(saved.report_pdf),
                "card": str(saved.card),
                "targets": [target.name for target in plan.targets],
                "checks": [
                    {"id": c.id, "text": c.text, "status": c.status.value, "reason": c.reason} for c in plan.checks
                ],
                "stage_seconds": {name: round(seconds, 3) for name, seconds in stages.items()},
            }
        )
        return
    colour = {"rejected": "bold red", "caution": "bold yellow", "acceptable": "bold green"}[plan.status.value]
    stdout.print(f"{plan.technique_name}, {plan.level} {plan.side.value}")
    if not plan.case.is_patient_specific:
        stdout.print("NOT PATIENT-SPECIFIC", style="bold red")
    stdout.print(f"{plan.status.value.upper()}, {plan.review.value}", style=colour)
    for target in plan.targets:
        stdout.print(f"  target: {target.name}", markup=False)
    for check in plan.checks:
        if check.status != "pass":
            stdout.print(f"  {check.status.value}: {check.text}: {check.reason}", markup=False)
    stdout.print("  time: " + ", ".join(f"{name} {seconds:.1f} s" for name, seconds in stages.items()), markup=False)
    for name, path in (("report", saved.report), ("PDF", saved.report_pdf), ("card", saved.card), ("plan", saved.plan)):
        stdout.print(f"  {name:<7} {path}", markup=False)
    stdout.print(DISCLAIMER)
