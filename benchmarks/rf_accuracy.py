"""Measure the heat engine against closed forms and its own refinement; writes docs/validation/rf_accuracy.md.

Every error of a closed form is to be at most 1 %; for the lesions, width and length at 50 degC, impedance and power
are to be within 1 % of the converged solution in one tissue and within 2 % beside bone, at the settings that are used
for results. A test reads this page and holds it to that. The embedded electrodes have a page of their own
(rf_embedded.md).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks import closed_forms as forms
from benchmarks.converged import (
    BONE_FROM_MM,
    BONE_TO_MM,
    QUANTITIES,
    VOXEL_MM,
    beside_bone,
    converged,
    in_muscle,
    limit_of,
    values,
)
from foramen.knowledge.thermal import damage_set
from foramen.physics.damage import cem43_min, omega, threshold_degC
from foramen.steps.bench.setup import GRID_STEP
from foramen.steps.effect.simulation import RESOLUTION

PAGE = Path(__file__).resolve().parents[1] / "docs" / "validation" / "rf_accuracy.md"

CEM43 = ((55, 1, 68.27), (60, 1, 2184.5), (45, 900, 60.0), (43, 14400, 240.0))
FloatArray = NDArray[np.float64]

HALVES = (1.0, 0.5, 0.25)


def percent(fraction: float) -> str:
    """A fraction without its sign in per cent, to two digits that count."""
    return f"{100 * abs(fraction):.2g} %"


def order(errors: list[float]) -> str:
    """Order of convergence from the last two errors, sizes halved."""
    return f"{math.log2(errors[-2] / errors[-1]):.1f}"


def closed_form_rows() -> Iterator[str]:
    """One row for each closed form."""
    resistance, potential = forms.sphere_errors()
    yield f"| sphere, resistance 1 / (4 pi sigma a) | {percent(resistance)} | |"
    yield f"| sphere (point source), potential V0 a / r, of V0 | {percent(potential)} | |"
    spheroids = max(forms.spheroid_errors(gauge, tip_mm).largest for gauge, tip_mm in forms.SPHEROIDS)
    yield f"| prolate spheroids, the worst of 160 numbers below | {percent(spheroids)} | |"
    yield f"| steady Joule heat of a sphere | {percent(forms.sphere_joule_error())} of the rise | |"
    joule = [forms.joule_error(step) for step in (2 * GRID_STEP, GRID_STEP, GRID_STEP / 2)]
    yield (
        f"| shape-independent Joule law on a needle, at the grid step in use ({GRID_STEP:g}) | {percent(joule[1])} of "
        f"the rise | {order(joule)} in space |"
    )
    yield f"| one pulse without time to flow, sigma E^2 t / (rho c) | {percent(forms.pulse_error())} | |"
    pennes = [forms.pennes_shells_error(cells) for cells in (30, 60, 120)]
    yield f"| perfused sphere (Pennes), 30 shells | {percent(pennes[0])} of the rise | {order(pennes)} in space |"
    yield f"| the same, staircased | {percent(forms.pennes_staircase_error())} of the rise | |"
    cells = [forms.transient_error(160, cells) for cells in (30, 60, 120)]
    steps = [forms.transient_error(steps, 240) for steps in (20, 40, 80)]
    yield f"| sphere held hot for 60 s (erfc), 30 shells | {percent(cells[0])} of the rise | {order(cells)} in space |"
    yield f"| the same in 20 steps, 240 shells | {percent(steps[0])} of the rise | {order(steps)} in time |"
    dose = max(abs(cem43_min(degC, time_s) / exact - 1) for degC, time_s, exact in CEM43)
    yield f"| CEM43: 55 and 60 degC for 1 s, 45 for 15 min, 43 for 240 min | {percent(dose)} | |"
    coagulation = damage_set("coagulation")
    inverse = omega(coagulation, threshold_degC(coagulation, 60.0), 60.0)
    yield f"| Omega = 1 at its own threshold temperature | {percent(inverse - 1)} | |"


def spheroid_rows() -> Iterator[str]:
    """Errors of spheroids in per cent."""
    yield "| gauge | tip, mm | resistance | E at 0 mm | 0.5 mm | 1 mm | 2 mm | 3 mm | 5 mm | E at the pole |"
    yield "|---|---|---|---|---|---|---|---|---|---|"
    for gauge, tip_mm in forms.SPHEROIDS:
        found = forms.spheroid_errors(gauge, tip_mm)
        errors = (found.resistance, *found.side.values(), found.pole)
        yield f"| {gauge} | {tip_mm:g} | " + " | ".join(f"{100 * error:+.2f}" for error in errors) + " |"


def lesion_table(columns: dict[str, FloatArray], exact: FloatArray) -> Iterator[str]:
    """Values on several grids and steps, the converged ones, and the error of the first column (in use)."""
    yield "| quantity | " + " | ".join(columns) + " | converged | error in use |"
    yield "|---|" + "---|" * (len(columns) + 2)
    first = next(iter(columns.values()))
    for index, name in enumerate(QUANTITIES):
        cells = " | ".join(f"{column[index]:.2f}" for column in columns.values())
        error = 100 * (first[index] / exact[index] - 1)
        yield f"| {name} | {cells} | {exact[index]:.2f} | {error:+.2f} % |"


def muscle_rows() -> Iterator[str]:
    """The usual lesion in muscle."""
    sizes, in_space = limit_of(lambda part: in_muscle(GRID_STEP * part), HALVES)
    steps, in_time = limit_of(lambda part: in_muscle(GRID_STEP, 1 / part), HALVES)
    names = ("in use", "half the cell size", "a quarter", "twice the time steps", "four times")
    columns = dict(zip(names, [*sizes, *steps[1:]], strict=True))
    yield from lesion_table(columns, converged(sizes[0], [in_space, in_time]))


def bone_rows() -> Iterator[str]:
    """The usual lesion beside bone, in three dimensions."""
    step, angles = RESOLUTION.step, RESOLUTION.angles
    used = values(beside_bone(step, angles, is_voxel=True))
    sizes, in_space = limit_of(lambda part: beside_bone(step * part, angles), HALVES)
    turns, in_angle = limit_of(lambda part: beside_bone(step, round(angles / part)), HALVES)
    times, in_time = limit_of(lambda part: beside_bone(step, angles, 1 / part), HALVES)
    names = (
        "in use",
        "sharp slab",
        "half the cell size",
        "a quarter",
        "twice the angles",
        "four times",
        "time steps x 4",
    )
    columns = dict(zip(names, [used, *sizes, *turns[1:], times[-1]], strict=True))
    yield from lesion_table(columns, converged(sizes[0], [in_space, in_angle, in_time]))


def balance_rows() -> Iterator[str]:
    """Energy balance with finer time steps."""
    yield "| time steps | delivered, J | stored | carried off by blood | to the far field | missing |"
    yield "|---|---|---|---|---|---|"
    for fine in (1, 2, 4, 8):
        lesion = in_muscle(GRID_STEP, fine)
        energy = lesion.energy
        yield (
            f"| {len(lesion.history.time_s)} | {energy.delivered_J:.2f} | {energy.stored_J:.2f} | "
            f"{energy.perfusion_J:.2f} | {energy.far_field_J:.2f} | {100 * energy.error_fraction:+.3f} % |"
        )


def agreement_rows() -> Iterator[str]:
    """Different discretisations of the same thing."""
    resistance, rise = forms.staircase_agreement()
    flat, turned = values(in_muscle(GRID_STEP)), values(in_muscle(GRID_STEP, angles=RESOLUTION.angles))
    yield "| two discretisations of one thing | difference |"
    yield "|---|---|"
    yield f"| needle staircased in a plain grid and grid that fits it, resistance | {percent(resistance)} |"
    yield f"| the same, steady rise beside the tip at 1 V | {percent(rise)} of the largest |"
    largest = float(np.abs(turned / flat - 1).max())
    yield f"| {RESOLUTION.angles} angles and exact axisymmetry, worst value of the lesion | {percent(largest)} |"


def lines(rows: Iterator[str]) -> str:
    """Rows of a table as text."""
    return "\n".join(rows)


def page() -> str:
    """The measurements as a Markdown page."""
    about = (__doc__ or "").strip().partition("\n\n")[2]
    return f"""# Accuracy of the radiofrequency heat engine

{about}

## Closed forms

Tissue is muscle at 500 kHz. Spheres have grids of shells, the needle has the grid that fits it; spheroids and what is
called staircased lie in a plain cylinder grid of the same solver.

| closed form | error | observed order |
|---|---|---|
{lines(closed_form_rows())}

Prolate spheroids as thick and long as electrodes, staircased with 24 cells across the radius; errors in per cent of the
resistance, of the field beside the middle by distance from the surface, and of that at the pole. The field on a
staircase's own faces is that of its steps: at the surface (0 mm) and at the pole the field follows from the current
that was found, by geometry.

{lines(spheroid_rows())}

## Agreement of discretisations

{lines(agreement_rows())}

The box grid of embedded electrodes is compared with this one in rf_embedded.md.

## Energy

The usual lesion: 18 G x 10 mm, 80 degC at the pole, 90 s, perfused muscle, conducting cannula. What is missing is the
error of the two-step formula in time and falls with the steps, down to what the solver's tolerance leaves (1e-5 in
each step).

{lines(balance_rows())}

## The usual lesion in muscle, axisymmetric

Converged: Richardson's extrapolation of cells and of time steps, each alone, with the observed order held between 1
and 2.

{lines(muscle_rows())}

## The usual lesion beside bone, in three dimensions

Cortical bone from {BONE_FROM_MM:g} to {BONE_TO_MM:g} mm beside the axis, cancellous bone behind it, muscle on the
other side. In use: grid step {RESOLUTION.step:g}, {RESOLUTION.angles} angles, tissue sampled in voxels of
{VOXEL_MM:g} mm as from a scan. Converged: the sharp slab, with cells, angles and time steps extrapolated. Most of the
error is that of the voxels, which blur the edge of the bone: the second
column has the same cells without it.

{lines(bone_rows())}

Made by `benchmarks/rf_accuracy.py`.
"""


if __name__ == "__main__":
    text = page()
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(text, encoding="utf-8")
    print(text)
