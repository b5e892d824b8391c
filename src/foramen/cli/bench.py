"""`foramen bench`: speed and accuracy of the engines beside their peers; needs the source tree."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from foramen.cli.commands import Json, app
from foramen.cli.printing import DISCLAIMER, stderr, stdout
from foramen.errors import ForamenError, InputError

SCRIPTS = {"rf": "rf_speed"}


@app.command
def bench(
    what: Annotated[Literal["rf"], Parameter(help="rf: the radiofrequency heat engine beside NGSolve.")] = "rf",
    /,
    *,
    json: Json = False,
) -> None:
    """Measure an engine and its peer in one run on this machine: seconds, ratios, errors, memory, cost against cells.

    It takes some minutes and wants a machine that does nothing else.
    """
    import json as library
    import subprocess
    import sys

    import foramen

    root = Path(foramen.__file__).resolve().parents[2]
    script = SCRIPTS[what]
    if not (root / "benchmarks" / f"{script}.py").is_file():
        raise InputError(
            "The benchmarks come with the source of Foramen, not with the package. Clone it, then run `make bench`."
        )
    stderr.print("Measuring; this takes some minutes. Seconds mean little while the machine does other work.")
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{script}"], cwd=root, stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        raise ForamenError(f"The benchmark {what!r} failed; what it printed stands above.")
    if json:
        print(done.stdout, end="")
        return
    found = library.loads(done.stdout)
    for name in ("patient_3d", "axisymmetric"):
        row = found[name]
        line = f"{name}: {row['foramen_s']:.3f} s, largest error {row['error_percent']:.2f} %"
        if "ngsolve_s" in row:
            line += (
                f"; NGSolve {row['ngsolve_s']:.1f} s at {row['peer_error_percent']:.2f} %, ratio "
                f"{row['ratio_vs_ngsolve']:.0f}; the usual script {row['ratio_vs_usual_script']:.0f} times as long"
            )
        stdout.print(line, markup=False)
    stdout.print(found["peer"], markup=False)
    stdout.print(f"All figures: foramen bench {what} --json. {DISCLAIMER}")
