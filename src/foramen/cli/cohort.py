"""`foramen cohort`: virtual patients with known truth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import cyclopts
from cyclopts import Parameter

from foramen.cli.commands import Json, app
from foramen.cli.printing import DISCLAIMER, print_json, progress_bar, stderr, stdout
from foramen.errors import ForamenError

cohort_app = cyclopts.App(name="cohort", help="Make virtual patients with known truth.")
app.command(cohort_app)


@cohort_app.command
def generate(
    *,
    n: Annotated[int, Parameter(help="How many patients.")],
    seed: Annotated[int, Parameter(help="Of the cohort; the same seed gives the same bytes.")] = 1,
    out: Annotated[Path, Parameter(help="Folder of the cohort: new, or of a run that was stopped.")],
    region: Annotated[str, Parameter(help="Part of the spine: lumbar.")] = "lumbar",
    spacing_mm: Annotated[float, Parameter(help="Voxel size.")] = 1.0,
    jobs: Annotated[int | None, Parameter(help="Local processes; one for each core.")] = None,
    deformation: Annotated[bool, Parameter(help="Deform each bone at random as well.")] = True,
    json: Json = False,
) -> None:
    """Write virtual patients: image, labels, degraded labels, truth and record; run it again to go on."""
    from foramen import api
    from foramen.io.cohort_folder import MANIFEST_FILE, TABLE_FILE

    resumed = 0
    with progress_bar(quiet=json) as bar:

        def progress(done: int, total: int, left_s: float | None) -> None:
            nonlocal resumed
            if left_s is None:
                resumed = done
            bar(f"{done} of {total} patients", done / total)

        try:
            cohort = api.generate_cohort(
                n,
                seed=seed,
                out=out,
                region=region,
                spacing_mm=spacing_mm,
                jobs=jobs,
                deformation=deformation,
                progress=progress,
            )
        except KeyboardInterrupt:
            stderr.print(f"Finished patients are kept in {out}: run the same command again to go on.", markup=False)
            raise
    if json:
        print_json(
            {
                "out": str(out),
                "patients": len(cohort.rows),
                "resumed": resumed,
                "failures": dict(cohort.failures),
                "table": str(out / TABLE_FILE),
                "manifest": str(out / MANIFEST_FILE),
            }
        )
    else:
        stdout.print(
            f"{len(cohort.rows)} virtual patients in {out}, {resumed} of them from an earlier run.", markup=False
        )
        for name, reason in cohort.failures.items():
            stdout.print(f"  failed: {name}: {reason}", markup=False)
        stdout.print(f"Images and records are made up. {DISCLAIMER}")
    if cohort.failures:
        raise SystemExit(ForamenError.exit_code)
