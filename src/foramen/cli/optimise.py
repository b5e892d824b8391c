"""`foramen optimise`: settings beside the textbook's, found by search and checked in full."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from rich.table import Table

from foramen.cli.commands import CasePath, Json, LevelName, SideName, TechniqueName, app, compile_ahead
from foramen.cli.printing import DISCLAIMER, print_json, progress_bar, stdout
from foramen.errors import PlanRejected

if TYPE_CHECKING:
    from foramen.api import InverseResult, SavedInverse


@app.command
def optimise(
    case: CasePath,
    *,
    technique: TechniqueName,
    level: LevelName,
    side: SideName,
    device: Annotated[
        tuple[str, ...], Parameter(help="Id of an RF cannula that may be used; repeat it. All that fit without it.")
    ] = (),
    seed: Annotated[int, Parameter(help="Of the search and its scenarios.")] = 0,
    out: Annotated[Path, Parameter(help="Folder to make, for inverse.json, the page and its plots.")] = Path(
        "foramen-optimise"
    ),
    json: Json = False,
) -> None:
    """Find settings that capture each nerve with least burning and fewest passes. Exits 3 if a nerve has none."""
    compile_ahead()
    from foramen import api
    from foramen.io.atomic_file import require_writable

    opened = api.open_case(case)
    require_writable(out)
    with progress_bar(quiet=json) as progress:
        result = api.optimise(
            opened, technique=technique, level=level, side=side, seed=seed, devices=device, progress=progress
        )
        saved = api.save_inverse(result, out)
    tell_inverse(result, saved, as_json=json)
    if not result.is_feasible:
        raise SystemExit(PlanRejected.exit_code)


def tell_inverse(result: InverseResult, saved: SavedInverse, *, as_json: bool) -> None:
    """Print every setting, the advice, and where the files are."""
    if as_json:
        print_json(
            {
                "is_feasible": result.is_feasible,
                "folder": str(saved.folder),
                "page": str(saved.page),
                "data": str(saved.data),
                "pictures": [str(path) for path in saved.pictures],
                "targets": [
                    {
                        "target": target.target,
                        "advice": target.advice,
                        "points": [
                            {
                                "number": p.number,
                                "setting": p.words,
                                "capture_fraction": p.capture.estimate_fraction,
                                "burnt_mm3": p.burnt_mm3,
                                "hottest_tissue_degC": p.hottest_tissue_degC,
                                "is_textbook": p.is_textbook,
                                "is_on_front": p.is_on_front,
                                "is_recommended": p.is_recommended,
                                "broken": list(p.broken),
                            }
                            for p in target.points
                        ],
                    }
                    for target in result.targets
                ],
            }
        )
        return
    stdout.print(f"{result.technique_name}, {result.level} {result.side.value}", markup=False)
    for target in result.targets:
        table = Table("", "setting", "capture %", "burnt mm3", "hottest degC", "", title=target.target)
        for p in target.points:
            marks = ["recommended"] * p.is_recommended + ["breaks a hard limit"] * bool(p.broken)
            found = p.capture
            interval = f"{100 * found.low_fraction:.0f} to {100 * found.high_fraction:.0f}"
            table.add_row(
                "textbook" if p.is_textbook else str(p.number),
                p.words,
                f"{100 * found.estimate_fraction:.0f} ({interval})",
                f"{p.burnt_mm3:.0f}",
                f"{p.hottest_tissue_degC:.0f}",
                ", ".join(marks),
            )
        stdout.print(table)
        stdout.print(target.advice, markup=False)
        if target.unknown:
            stdout.print(f"UNKNOWN, never clear: {', '.join(target.unknown)}", markup=False)
    stdout.print(f"  page    {saved.page}", markup=False)
    stdout.print(f"  data    {saved.data}", markup=False)
    stdout.print(f"A proposal under a model, for a physician to judge. {DISCLAIMER}")
