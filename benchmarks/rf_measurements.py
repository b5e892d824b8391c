"""Simulate published measurements as they were done, where that is stated; writes docs/validation/rf_measurements.md.

Every measurement on record (benchmarks/measurements.yaml) is taken up: simulated, or listed with the reason why what
is stated is not enough. Nothing is tuned: tissue and needle are those of the knowledge files, and where a setting
is not on record, the whole range of what it may have been is simulated and shown. Nothing here is a gate.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

from benchmarks.converged import grid_of, own_samples_m
from foramen.knowledge.devices import rf_cannulae
from foramen.knowledge.facts import number
from foramen.knowledge.thermal import damage_set, generator_limits, tissue_properties
from foramen.model.device import TipShape
from foramen.physics.damage import cem43_min, objection, omega
from foramen.physics.generator import TemperatureHeld
from foramen.physics.lesion import Lesion
from foramen.physics.rf_lesion import simulate_lesion
from foramen.physics.tissue import tissue_field
from foramen.steps.bench import bench_lesion
from foramen.steps.bench.setup import BenchSetup
from foramen.steps.effect.simulation import RESOLUTION

FloatArray = NDArray[np.float64]

MEASUREMENTS = Path(__file__).with_name("measurements.yaml")
PAGE = Path(__file__).resolve().parents[1] / "docs" / "validation" / "rf_measurements.md"


@cache
def measurements() -> dict[str, list[dict[str, Any]]]:
    """What was measured beside electrodes, on nerves and of lesions."""
    found: dict[str, list[dict[str, Any]]] = yaml.safe_load(MEASUREMENTS.read_text(encoding="utf-8"))
    return found


def bores(gauge: float) -> tuple[float, float]:
    """Outer and inner diameter of a cannula, mm."""
    found = next(cannula for cannula in rf_cannulae() if cannula.gauge == gauge)
    return found.outer_diameter_mm, found.inner_diameter_mm


@dataclass(frozen=True, slots=True, kw_only=True)
class Rat:
    """What the abstract on the L5 root of the rat leaves open."""

    name: str
    gauge: float = 22
    tip_mm: float = 5.0
    perfusion: bool = True
    is_warm: bool = False  # perfusion answers warmth
    is_ahead: bool = False  # distances count from the pole, else beside the middle of the tip
    bone_from_mm: float = math.inf  # cortical bone from here, away from the needle's axis
    bone_mm: float = 1.0


DISTANCES_MM = (0.0, 2.0, 4.0, 5.0, 6.0)
INJURY = ("marked", "reduced, improving", "reduced, improving", "minimal, reversible", "none")

RATS = (
    Rat(name="declared: 22 G x 5 mm, beside the tip"),
    Rat(name="2 mm tip", tip_mm=2.0),
    Rat(name="10 mm tip", tip_mm=10.0),
    Rat(name="20 G", gauge=20),
    Rat(name="ahead of the pole", is_ahead=True),
    Rat(name="no perfusion", perfusion=False),
    Rat(name="perfusion rises with warmth", is_warm=True),
    Rat(name="1 mm of cortical bone, from 1 mm off the axis", bone_from_mm=1.0),
    Rat(name="1.5 mm of cortical bone, from 0.6 mm off the axis", bone_from_mm=0.6, bone_mm=1.5),
)


@cache
def rat_lesion(rat: Rat) -> Lesion:
    """80 degC for 120 s at 37 degC in muscle, bone on one side."""
    outer, inner = bores(rat.gauge)
    setup = BenchSetup(
        outer_diameter_mm=outer, inner_diameter_mm=inner, tip_mm=rat.tip_mm, flow_with_temperature=rat.is_warm
    )
    has_bone = math.isfinite(rat.bone_from_mm)
    grid = grid_of(setup.shape, RESOLUTION.step, 2 * RESOLUTION.angles if has_bone else 1)
    table = [tissue_properties(name, frequency_hz=500e3) for name in ("muscle", "bone_cortical")]
    across = own_samples_m(grid) * 1e3
    is_bone = (across >= rat.bone_from_mm) & (across < rat.bone_from_mm + rat.bone_mm)
    generator = TemperatureHeld(set_degC=80.0, start_degC=37.0, ramp_s=10.0, time_s=120.0, limits=generator_limits())
    return simulate_lesion(
        grid,
        tissue_field(table, is_bone.astype(np.intp), is_perfused=rat.perfusion),
        generator=generator,
        model=setup.model(cool_down_s=number("tissues.cool_down_s")),
    )


def along(lesion: Lesion, values: FloatArray, surface: FloatArray, rat: Rat) -> FloatArray:
    """Values at `DISTANCES_MM` from the needle's surface, on the side of the bone."""
    grid = lesion.grid
    middle = grid.end_count + int(np.abs(grid.shaft_nodes_m - rat.tip_mm / 2e3).argmin())
    k = 0 if rat.is_ahead else middle
    start = grid.radial_m[grid.inner]
    nodes = np.concatenate([[start], grid.radial_nodes_m[grid.inner :]])
    line = np.concatenate([surface[k, :1], values[grid.inner :, k, 0]])
    found: FloatArray = PchipInterpolator(nodes, line)(start + np.array(DISTANCES_MM) / 1e3)
    return found


def rat_rows() -> Iterator[str]:
    """Predicted peak temperature, Omega of coagulation and CEM43 by distance."""
    heads = [f"{at:g} mm ({injury})" for at, injury in zip(DISTANCES_MM, INJURY, strict=True)]
    yield "| case | " + " | ".join(heads) + " |"
    yield "|---|" + "---|" * len(heads)
    for rat in RATS:
        lesion = rat_lesion(rat)
        degC = along(lesion, lesion.peak_degC, lesion.surface_peak_degC, rat)
        logs = [np.log10(np.maximum(v, 1e-12)) for v in (lesion.omega["coagulation"], lesion.cem43_min)]
        damage, dose = (10 ** along(lesion, v, v[lesion.grid.inner], rat) for v in logs)
        cells = [f"{t:.1f}, {o:.2g}, {c:.2g}" for t, o, c in zip(degC, damage, dose, strict=True)]
        yield f"| {rat.name} | " + " | ".join(cells) + " |"


NEIGHBOURS = {
    "Kapural 2008": "a pair of cooled electrodes; flow and temperature of the coolant, their spacing and the distance "
    "from them to the three sites are not on record",
    "Temperature mapping": "distance from the electrodes to the two sites, time and electrode are not on record",
    "IDET": "a heated coil, not radiofrequency; its course, power and the temperature of the coil are not on record",
}
"""Why temperatures beside an electrode cannot be simulated, by how their source begins."""


def neighbour_rows() -> Iterator[str]:
    """Every temperature beside an electrode."""
    yield "| source | exposure | site | measured | simulated? |"
    yield "|---|---|---|---|---|"
    for row in measurements()["neighbours"]:
        reason = [text for start, text in NEIGHBOURS.items() if row["source"].startswith(start)]
        said = f"no: {reason[0]}" if reason else "yes, below"
        measured = row["words"] if "words" in row else f"{row['mean']} +- {row['sd']} degC"
        yield f"| {row['source']} | {row['exposure']} | {row['site']} | {measured} | {said} |"


def damage_rows() -> Iterator[str]:
    """Every exposure of a nerve against the sets of the nerve and of coagulation."""
    yield "| source | model | degC | s | seen | Omega, nerve | Omega, coagulation | CEM43, min | what the sets say |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for row in measurements()["nerves"]:
        degC = float(row["degC"])
        head = f"| {row['source']} | {row['model']} | {degC:g} | "
        if "s" not in row:
            yield head + f"not on record | {row['effect']} | | | | cannot be compared: no duration |"
            continue
        time_s = float(row["s"])
        nerve, pale = (omega(damage_set(name), degC, time_s) for name in ("nerve_function", "coagulation"))
        numbers = f"{nerve:.2g} | {pale:.2g} | {cem43_min(degC, time_s):.3g}"
        yield head + f"{time_s:g} | {row['effect']} | {numbers} | {verdict(degC, time_s)} |"


def verdict(degC: float, time_s: float) -> str:
    """What each set says of an exposure: whether Omega reached 1, or why the package does not use the set for it."""
    said = []
    for name, short in (("nerve_function", "nerve"), ("coagulation", "coagulation")):
        found = damage_set(name)
        refusal = objection(found, time_s).removeprefix(f"{name}: ").removesuffix("; read temperature and CEM43")
        if refusal:
            said.append(f"{short}: not used, {refusal}")
        elif not found.temperature_low_degC <= degC <= found.temperature_high_degC:
            span = f"{found.temperature_low_degC:g} to {found.temperature_high_degC:g} degC"
            said.append(f"{short}: not used, validated at {span} only")
        else:
            said.append(f"{short}: {'reached' if omega(found, degC, time_s) >= 1 else 'not reached'}")
    return "; ".join(said)


def size_rows() -> Iterator[str]:
    """Every lesion that cannot be simulated."""
    yield "| source | electrode | measured | why not |"
    yield "|---|---|---|---|"
    for row in measurements()["lesions"]:
        if "why_not" in row:
            yield f"| {row['source']} | {row['electrode']} | {row['size']} | {row['why_not']} |"


BATHS_DEGC = (21.0, 37.0)


@cache
def excised(
    gauge: float,
    outer_mm: float,
    inner_mm: float,
    tip_mm: float,
    degC: float,
    time_s: float,
    bath_degC: float,
    tip_shape: TipShape = TipShape.HEMISPHERICAL,
) -> tuple[float, float, float, float]:
    """Width and length at 50 degC, then at 60 degC, in excised liver."""
    del gauge  # only names the case
    lesion = bench_lesion(
        outer_diameter_mm=outer_mm,
        inner_diameter_mm=inner_mm,
        tip_mm=tip_mm,
        temperature_degC=degC,
        time_s=time_s,
        tissue="organ",
        tip_shape=tip_shape,
        perfusion=False,
        baseline_temperature_degC=bath_degC,
        cool_down_s=10.0,
    )
    edge = lesion.isotherms
    return edge["50"].width_mm, edge["50"].length_mm, edge["60"].width_mm, edge["60"].length_mm


def cosman_rows() -> Iterator[str]:
    """Widths of sharp 22 and 16 G at 80 degC and 120 s; tip and bath are varied over what they may have been."""
    yield "| gauge | tip, mm | bath, degC | width at 50 degC | width at 60 degC | published width |"
    yield "|---|---|---|---|---|---|"
    for row in measurements()["lesions"]:
        if not row["source"].startswith("Cosman 2014"):
            continue
        gauge = float(row["gauge"])
        low, high = row["width_mm"]
        for tip_mm in (5.0, 10.0, 15.0):
            for bath in BATHS_DEGC:
                found = excised(gauge, *bores(gauge), tip_mm, 80.0, 120.0, bath, TipShape.SHARP)
                cells = [f"{v:.1f}" if low <= v <= high else f"*{v:.1f}*" for v in (found[0], found[2])]
                yield f"| {gauge:g} | {tip_mm:g} | {bath:g} | {cells[0]} | {cells[1]} | {low:g} to {high:g} |"


GOLDBERG = ((14.0, 2.108, 1.600, 30.0, 90.0, 720.0), (16.0, 1.651, 1.194, 30.0, 90.0, 720.0))
"""The thickest cannulae of the gauge table that the engine takes, hottest and longest."""


def goldberg_rows() -> Iterator[str]:
    """The upper bound on the diameter of a lesion by one uncooled probe."""
    yield "| gauge | tip, mm | degC | s | bath, degC | width at 50 degC | width at 60 degC | published |"
    yield "|---|---|---|---|---|---|---|---|"
    for case in GOLDBERG:
        for bath in BATHS_DEGC:
            found = excised(*case, bath)
            cells = [f"{v:.1f}" if v <= 16 else f"*{v:.1f}*" for v in (found[0], found[2])]
            yield (
                f"| {case[0]:g} | {case[3]:g} | {case[4]:g} | {case[5]:g} | {bath:g} | {cells[0]} | {cells[1]} | "
                "at most 16 |"
            )


def page() -> str:
    """The comparison as a Markdown page."""
    about = (__doc__ or "").strip().partition("\n\n")[2]
    parts = {
        "neighbours": neighbour_rows(),
        "rats": rat_rows(),
        "damage": damage_rows(),
        "cosman": cosman_rows(),
        "goldberg": goldberg_rows(),
        "sizes": size_rows(),
    }
    return PAGE_TEXT.format(about=about, **{name: "\n".join(found) for name, found in parts.items()})


PAGE_TEXT = """# Published measurements, simulated as they were done

{about}

## Temperatures beside an electrode

{neighbours}

### The L5 root of the rat

102 rats, 80 degC for 120 s, the electrode at 0 to 6 mm from the root. Gauge, tip, direction of the root from the
electrode, ramp, and the thickness and place of the bone are not on record: 22 G x 5 mm beside the root is declared,
and the others stand beside it. Muscle at 37 degC, conducting cannula, thermocouple at the pole, ramp of 10 s, distances
from the needle's surface, 30 s of cooling included. The far field lies at 50 mm, farther than a rat reaches. Each
cell: peak temperature (degC), Omega of coagulation, CEM43 (min); half of a nerve's function is lost at 48 to 64 min
(Wondergem 1988).

{rats}

What this says. Agreement: marked injury at 0 mm, none at 6 mm, where every case stays far below the dose for half
loss; at 4 mm the cases lie on both sides of that dose and at 5 mm below it, as fits an injury that improves or is
minimal. Disagreement: at 2 mm every case predicts coagulation, where injury was reduced and improved;
and bone of 1 to 1.5 mm lowers the temperature behind it by a few degrees only, where the report saw no injury with
bone between. The model gives bone no such protection; the abstract does not say where it lay and how thick it was.

## Exposures of nerve

{damage}

What this says. Agreement: coagulation follows the rabbit's histology (none, part, nearly all), and 85 degC destroys by
any measure. No test: the nerve set was fitted to the three rows of Wondergem, so that Omega near 1 says nothing of its
own, and by the package's rule for long exposures the set is not used for them or for any exposure on this page.
Disagreement: at 50 degC for 45 s the thermal dose exceeds that for half loss of function, while histology saw no
damage (function and histology are different ends); and nothing here predicts that 45 degC for 120 s destroys fibres of
all sizes, as reported in dogs. The coagulation set is not used for 120 s either: its edge then lies just below its
window, so that for such lesions the package gives temperature and CEM43 alone.

## Sizes of lesions

Cosman 2014: the widths are implied by two relations of the abstract. Excised liver without blood, conducting cannula,
thermocouple at the pole; tip and bath are not on record. Widths outside the published range are in italics.

{cosman}

Goldberg 1995: no uncooled probe made a lesion thicker than 16 mm on the average (12 to 24 G, tips of 5 to 80 mm, 80 to
90 degC, up to 720 s). The edge is that of pale tissue, whose temperature is not on record; bath as above.

{goldberg}

What this says. Agreement: with a bath of 21 degC and the 50 degC edge the widths of Cosman lie in the published ranges
or within 0.6 mm of them, for every tip. Disagreement: with a bath of 37 degC the 50 degC edge is far too wide, and the
60 degC edge is too narrow for most. Twelve minutes at 90 degC exceed the bound of Goldberg at the 50 degC edge in
either bath; at the 60 degC edge they keep it in the cold bath only. So bath and edge decide, and neither is on record.

The other rows cannot be simulated with what is stated:

{sizes}

Made by `benchmarks/rf_measurements.py`.
"""


if __name__ == "__main__":
    text = page()
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(text, encoding="utf-8")
    print(text)
