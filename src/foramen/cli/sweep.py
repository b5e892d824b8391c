"""`foramen sweep`: the lesion atlas."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from foramen.cli.commands import Json, app
from foramen.cli.printing import DISCLAIMER, print_json, progress_bar, stderr, stdout
from foramen.errors import ForamenError


def _many(text: str) -> Parameter:
    return Parameter(help=text, consume_multiple=True, negative="")


@app.command
def sweep(
    *,
    out: Annotated[Path, Parameter(help="Folder of the atlas: new, or of a sweep that was stopped.")],
    gauge: Annotated[tuple[float, ...], _many("Gauges; those of the catalogue.")] = (),
    tip: Annotated[tuple[float, ...], _many("Bare tips in mm; those of the catalogue.")] = (),
    temperature: Annotated[tuple[float, ...], _many("Set temperatures in degC; 60 to 90.")] = (),
    time: Annotated[tuple[float, ...], _many("Times in s with the ramp; 30 to 180.")] = (),
    tissue: Annotated[tuple[str, ...], _many("Tissues; muscle.")] = (),
    spacing: Annotated[tuple[float, ...], _many("Distances of two electrodes in mm; 0, a single one.")] = (),
    workers: Annotated[int | None, Parameter(help="Local processes; one for each core.")] = None,
    dask: Annotated[str | None, Parameter(help="Address of a Dask scheduler, instead of local processes.")] = None,
    json: Json = False,
) -> None:
    """Compute the lesion atlas, every combination of the values; run it again to go on where it was stopped."""
    from foramen import api
    from foramen.io.atlas import ARRAY_STORE, PAGE_FILE, TABLE_FILE

    what = api.lesion_sweep(
        gauge=gauge, tip_mm=tip, temperature_degC=temperature, time_s=time, tissue=tissue, spacing_mm=spacing
    )
    resumed = 0
    with progress_bar(quiet=json) as bar:

        def progress(done: int, total: int, left_s: float | None) -> None:
            nonlocal resumed
            if left_s is None:
                resumed = done
            bar(f"{done} of {total} cases", done / total)

        try:
            atlas = api.sweep(what, out=out, workers=workers, dask=dask, progress=progress)
        except KeyboardInterrupt:
            stderr.print(f"Finished cases are kept in {out}: run the same command again to go on.", markup=False)
            raise
    files = {"page": out / PAGE_FILE, "table": out / TABLE_FILE, "arrays": out / ARRAY_STORE}
    if json:
        print_json(
            {
                "out": str(out),
                "cases": len(atlas.rows),
                "resumed": resumed,
                "failures": dict(atlas.failures),
                **{name: str(path) for name, path in files.items()},
            }
        )
    else:
        stdout.print(f"{len(atlas.rows)} cases, {resumed} of them from an earlier run.")
        for name, path in files.items():
            stdout.print(f"  {name:<7} {path}", markup=False)
        for name, reason in atlas.failures.items():
            stdout.print(f"  failed: {name}: {reason}", markup=False)
        stdout.print(f"Absolute sizes are weakly constrained by what is published. {DISCLAIMER}")
    if atlas.failures:
        raise SystemExit(ForamenError.exit_code)
