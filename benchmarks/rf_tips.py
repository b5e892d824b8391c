"""What the shape of a needle's end changes; writes docs/validation/rf_tips.md. Needs NGSolve.

Here the lesion of the plane comparison is made by finite elements with other ends than a hemisphere: cut off square,
and pointed as a perfectly sharp cone, which stands for a bevel about twice as long (see rf_bevel). The bare length is
measured from the very point, and the thermocouple lies there; Foramen puts that of a sharp cannula half a bevel behind
it, where the differences are about half as large.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from benchmarks.peers.ngsolve_mesh import FLAT, OWN
from benchmarks.peers.ngsolve_rf import Setting, run_ngsolve
from benchmarks.peers.rf_case import AXISYMMETRIC, Case, Outcome, run_foramen
from foramen.knowledge.thermal import needle_end
from foramen.model.device import TipShape
from foramen.physics.grid import Resolution
from foramen.steps.bench.setup import GRID_STEP

PAGE = Path(__file__).resolve().parents[1] / "docs" / "validation" / "rf_tips.md"
SIZE, FINE = 0.25, 0.2
DIAMETER_MM = 2e3 * AXISYMMETRIC.shape.radius_m
ENDS: dict[str, str | float] = {
    "round": OWN,
    "cut off square": FLAT,
    "cone as long as thick": DIAMETER_MM,
    "cone twice as long as thick": 2 * DIAMETER_MM,
    "cone three times as long as thick": 3 * DIAMETER_MM,
}
COLUMNS = {
    "width, mm": "width_mm",
    "length, mm": "length_mm",
    "volume, mm3": "volume_mm3",
    "ohm, cold": "impedance_initial_ohm",
    "ohm, hot": "impedance_final_ohm",
    "power at the end, W": "power_final_W",
}


def row(name: str, found: Outcome, round_end: Outcome) -> str:
    """Values of one end, with the difference from the round one."""
    cells = []
    for attribute in COLUMNS.values():
        value, usual = getattr(found, attribute), getattr(round_end, attribute)
        difference = "" if found is round_end else f" ({100 * (value / usual - 1):+.0f} %)"
        cells.append(f"{value:.2f}{difference}")
    return f"| {name} | " + " | ".join(cells) + " |"


def own_ends() -> dict[str, Case]:
    """The ends that Foramen models, on the same needle."""
    sharp = needle_end(TipShape.SHARP, DIAMETER_MM)
    pointed = replace(AXISYMMETRIC.shape, end_m=sharp.length_mm / 1e3)
    return {"round": AXISYMMETRIC, "sharp": replace(AXISYMMETRIC, shape=pointed, thermocouple_m=sharp.sensor_mm / 1e3)}


def own_rows() -> Iterator[str]:
    """Foramen's ends on the usual and a finer grid, in percent of finite elements of the same shape."""
    for name, case in own_ends().items():
        peer = run_ngsolve(case, Setting(size=FINE, is_direct=True))
        for step in (GRID_STEP, GRID_STEP / 4):
            found = run_foramen(case, Resolution(step=step))
            errors = [100 * (getattr(found, x) / getattr(peer, x) - 1) for x in COLUMNS.values()]
            yield f"| {name} | {step:g} | " + " | ".join(f"{error:+.2f} %" for error in errors) + " |"


def page() -> str:
    """The comparison as a Markdown page."""
    found = {
        name: run_ngsolve(AXISYMMETRIC, Setting(size=SIZE, is_direct=True, end_shape=end)) for name, end in ENDS.items()
    }
    rows = [row(name, outcome, found["round"]) for name, outcome in found.items()]
    about = (__doc__ or "").strip().partition("\n\n")[2]
    shape = AXISYMMETRIC.shape
    return f"""# What the end of the needle changes

{about}

A bare tip of {1e3 * shape.tip_m:g} mm and {DIAMETER_MM:g} mm of diameter in muscle, {AXISYMMETRIC.set_degC:g} degC for
{AXISYMMETRIC.time_s:g} s; sizes at 50 degC, in brackets the difference from the round end.

| end | {" | ".join(COLUMNS)} |
|---|{"---|" * len(COLUMNS)}
{chr(10).join(rows)}

## The ends that Foramen models

Round, and sharp as the catalogue's cannulas: a cone, rounded at its point, that acts as a bevel, with its thermocouple
half a bevel behind the point. What Foramen differs from finite elements of the same shape, on its usual grid and on a
finer one.

| modelled end | step | {" | ".join(COLUMNS)} |
|---|---|{"---|" * len(COLUMNS)}
{chr(10).join(own_rows())}

What this says: at the same bare length a sharp end makes a smaller lesion than a round one, because its point carries
less surface and is hottest, so that the thermocouple holds the rest cooler. Lesions of sharp cannulas are modelled so;
makers differ in where they measure the bare length and place the thermocouple.

Made by `benchmarks/rf_tips.py`.
"""


if __name__ == "__main__":
    text = page()
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(text, encoding="utf-8")
    print(text)
