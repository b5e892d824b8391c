"""Screen what the size of a lesion depends on, by the method of Morris; writes docs/validation/rf_sensitivity.md.

The lesion is the usual one of the bench: 18 G x 10 mm, 80 degC displayed, 90 s, muscle. Everything that is uncertain
about it is varied at once, each over its range: the low and high ends on record, or a stated prior where there is none
(marked; the priors are knowledge/rf_priors.yaml). mu* is the mean size of the change that goes with an input's whole
range, wherever the others are; for a choice (thermocouple, perfusion, isotherm) it is the mean size of one change.
sigma says how much the change differs from place to place (interactions, bends).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from SALib.analyze import morris as morris_analysis
from SALib.sample import latin
from SALib.sample import morris as morris_sample

from foramen.knowledge.facts import fact, number
from foramen.knowledge.thermal import conductivity_law, generator_limits, needle_material, tissue_properties
from foramen.model.thermal import TissueProperties
from foramen.physics.contours import measure
from foramen.physics.generator import TemperatureHeld
from foramen.physics.grid import NeedleShape, Resolution, needle_grid
from foramen.physics.lesion import HeatModel
from foramen.physics.rf_lesion import simulate_lesion
from foramen.physics.tissue import tissue_field
from foramen.steps.bench.setup import FLUID, GRID_STEP, BenchSetup

FloatArray = NDArray[np.float64]

PAGE = Path(__file__).resolve().parents[1] / "docs" / "validation" / "rf_sensitivity.md"
FIGURE = PAGE.with_suffix(".png")
SETUP = BenchSetup(outer_diameter_mm=1.27, inner_diameter_mm=0.838, tip_mm=10.0)
SET_DEGC, TIME_S, RAMP_S = 80.0, 90.0, 10.0
ISOTHERMS_DEGC = (45.0, 50.0, 50.0, 60.0)
"""By level of the screen: 50 degC, the usual one, stands for both levels in the middle."""

TRAJECTORIES, LEVELS, SAMPLES, SEED = 40, 4, 300, 20140815
OUTPUTS = ("width, mm", "length, mm", "impedance when hot, ohm")


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One uncertain input: its range, and where the range is from."""

    key: str
    text: str
    low: float
    high: float
    unit: str
    origin: str
    is_choice: bool = False


def ranged(key: str, text: str, fact_id: str) -> Input:
    """An input whose range is that of a fact."""
    found = fact(fact_id)
    if found.low is None or found.high is None:
        raise ValueError(f"{fact_id} has no range")
    origin = f"`{fact_id}`, {found.trace.value}"
    unit = "" if found.unit == "1" else found.unit
    return Input(key=key, text=text, low=found.low, high=found.high, unit=unit, origin=origin)


INPUTS = (
    ranged("electric", "electric conductivity, factor", "rf_priors.electric_factor"),
    ranged("slope", "slope of conductivity with temperature", "tissues.sigma_slope_per_K"),
    ranged("thermal", "thermal conductivity, factor", "rf_priors.thermal_factor"),
    ranged("capacity", "heat capacity, factor", "rf_priors.heat_capacity_factor"),
    ranged("perfusion", "perfusion", "rf_priors.muscle_perfusion_ml_per_min_kg"),
    Input(
        key="stop", text="perfusion stops with coagulation", low=0, high=1, unit="", origin="no or yes", is_choice=True
    ),
    ranged("baseline", "temperature before", "rf_priors.baseline_degC"),
    ranged("wall", "thermal conductivity of the wall", "tissues.cannula_wall_W_per_m_K"),
    ranged("core", "metal in the lumen", "tissues.cannula_core_metal_fraction"),
    ranged("insulation", "thickness of the insulation", "tissues.cannula_insulation_mm"),
    Input(
        key="place", text="place of the thermocouple", low=0, high=1, unit="", origin="pole or middle", is_choice=True
    ),
    ranged("offset", "true less displayed temperature", "rf_priors.display_offset_K"),
    ranged("tip", "true less nominal tip", "rf_priors.tip_offset_mm"),
    ranged("fluid", "fluid injected before", "rf_priors.fluid_ml"),
    Input(
        key="isotherm",
        text="isotherm called the lesion",
        low=0,
        high=1,
        unit="",
        origin="45, 50 or 60 degC",
        is_choice=True,
    ),
)


DRY = tuple(each for each in INPUTS if each.key != "fluid")
"""The inputs of the screen without fluid."""


def tissue_of(values: dict[str, float]) -> TissueProperties:
    """Muscle with the varied properties."""
    muscle = tissue_properties("muscle", frequency_hz=500e3)
    usual = number("rf_priors.muscle_perfusion_ml_per_min_kg")
    return replace(
        muscle,
        electric_S_per_m=muscle.electric_S_per_m * values["electric"],
        thermal_W_per_m_K=muscle.thermal_W_per_m_K * values["thermal"],
        heat_capacity_J_per_m3_K=muscle.heat_capacity_J_per_m3_K * values["capacity"],
        perfusion_W_per_m3_K=muscle.perfusion_W_per_m3_K * values["perfusion"] / usual,
    )


def model_of(values: dict[str, float]) -> HeatModel:
    """The heat model with the varied needle."""
    usual = SETUP.model(cool_down_s=0.0)
    wall, material = values["wall"], needle_material()
    material = replace(
        material,
        wall_W_per_m_K=wall,
        core_W_per_m_K=values["core"] * wall,
        core_J_per_m3_K=values["core"] * material.wall_J_per_m3_K,
        insulation_m=values["insulation"] / 1e3,
    )
    tip_m = (SETUP.tip_mm + values["tip"]) / 1e3
    return replace(
        usual,
        baseline_degC=values["baseline"],
        law=replace(conductivity_law(), slope_per_K=values["slope"]),
        material=material,
        stops_perfusion=usual.stops_perfusion if values["stop"] > 0.5 else None,
        thermocouple_m=tip_m / 2 if values["place"] > 0.5 else 0.0,
    )


def outputs(values: dict[str, float]) -> tuple[float, float, float]:
    """Width and length of the isotherm (mm) and impedance at the end (ohm)."""
    shape = NeedleShape(
        radius_m=SETUP.shape.radius_m,
        bore_m=SETUP.shape.bore_m,
        tip_m=(SETUP.tip_mm + values["tip"]) / 1e3,
        is_conducting=True,
    )
    grid = needle_grid(shape, Resolution(step=GRID_STEP), far_m=number("tissues.far_field_mm") / 1e3)
    table = [tissue_of(values), tissue_properties(FLUID, frequency_hz=500e3)]
    pool_m = (3 * values["fluid"] * 1e-6 / (4 * np.pi)) ** (1 / 3)
    is_pool = np.hypot(grid.node_r_m, grid.node_z_m - shape.tip_m / 2)[grid.inner :, :, None] < pool_m
    generator = TemperatureHeld(
        set_degC=SET_DEGC + values["offset"],
        start_degC=values["baseline"],
        ramp_s=RAMP_S,
        time_s=TIME_S,
        limits=generator_limits(),
    )
    tissue = tissue_field(table, is_pool[None].astype(np.intp), is_perfused=True)
    lesion = simulate_lesion(grid, tissue, generator=generator, model=model_of(values))
    level = ISOTHERMS_DEGC[min(int(values["isotherm"] * LEVELS), LEVELS - 1)]
    size = measure(grid, lesion.peak_degC, lesion.surface_peak_degC, level)
    return size.width_m * 1e3, size.length_m * 1e3, lesion.impedance_final_ohm


def central() -> dict[str, float]:
    """Every input at its usual value."""
    material = needle_material()
    return {
        "electric": number("rf_priors.electric_factor"),
        "slope": number("tissues.sigma_slope_per_K"),
        "thermal": number("rf_priors.thermal_factor"),
        "capacity": number("rf_priors.heat_capacity_factor"),
        "perfusion": number("rf_priors.muscle_perfusion_ml_per_min_kg"),
        "stop": 1.0,
        "baseline": number("rf_priors.baseline_degC"),
        "wall": material.wall_W_per_m_K,
        "core": number("tissues.cannula_core_metal_fraction"),
        "insulation": number("tissues.cannula_insulation_mm"),
        "place": 0.0,
        "offset": number("rf_priors.display_offset_K"),
        "tip": number("rf_priors.tip_offset_mm"),
        "fluid": number("rf_priors.fluid_ml"),
        "isotherm": 0.4,
    }


def problem(inputs: tuple[Input, ...]) -> dict[str, object]:
    """The inputs as SALib wants them."""
    return {
        "num_vars": len(inputs),
        "names": [each.key for each in inputs],
        "bounds": [[each.low, each.high] for each in inputs],
    }


def runs(points: FloatArray, inputs: tuple[Input, ...]) -> FloatArray:
    """Outputs (n, 3) at points (n, inputs); what is not varied stays usual."""
    found = [outputs({**central(), **dict(zip([i.key for i in inputs], map(float, p), strict=True))}) for p in points]
    return np.array(found)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Screen:
    """mu* and sigma (inputs, outputs), and the usual outputs."""

    mu_star: FloatArray
    sigma: FloatArray
    usual: FloatArray


def screened(inputs: tuple[Input, ...] = INPUTS, trajectories: int = TRAJECTORIES) -> Screen:
    """The screen of some inputs; the others stay usual."""
    space = problem(inputs)
    points = morris_sample.sample(space, trajectories, num_levels=LEVELS, seed=SEED)
    found = runs(points, inputs)
    analysed = [
        morris_analysis.analyze(space, points, found[:, column], num_levels=LEVELS, seed=SEED)
        for column in range(len(OUTPUTS))
    ]
    # SALib divides each change by the step, a part of the range; of a choice the change itself is wanted
    step = LEVELS / (2 * (LEVELS - 1))
    scale = np.array([step if each.is_choice else 1.0 for each in inputs])[:, None]
    return Screen(
        mu_star=scale * np.array([np.asarray(each["mu_star"], dtype=float) for each in analysed]).T,
        sigma=scale * np.array([np.asarray(each["sigma"], dtype=float) for each in analysed]).T,
        usual=np.array(outputs(central())),
    )


def spread(samples: int, keep: Callable[[Input], bool]) -> FloatArray:
    """5th, 50th and 95th percentile (3, outputs) when all inputs that are kept vary evenly over their ranges."""
    inputs = tuple(each for each in INPUTS if keep(each))
    points = latin.sample(problem(inputs), samples, seed=SEED)
    percentiles: FloatArray = np.percentile(runs(points, inputs), [5, 50, 95], axis=0)
    return percentiles


def draw(screen: Screen) -> None:
    """Bars of mu* as a part of the usual value, in the order of the width."""
    share = 100 * screen.mu_star / screen.usual
    order = np.argsort(share[:, 0])
    with mpl.rc_context({"font.size": 9, "svg.hashsalt": "foramen"}):
        figure = Figure(figsize=(10, 4.6), layout="constrained")
        axes = figure.subplots(1, len(OUTPUTS), sharey=True)
        for column, (axis, name) in enumerate(zip(axes, OUTPUTS, strict=True)):
            axis.barh([INPUTS[row].text for row in order], share[order, column], color="#33658a")
            axis.set_title(name.partition(",")[0])
            axis.set_xlabel("mu*, % of the usual value")
            axis.spines[["top", "right"]].set_visible(False)
            axis.grid(axis="x", color="#dddddd")
            axis.set_axisbelow(True)
        figure.savefig(FIGURE, dpi=110, metadata={"Software": None})


def cell(screen: Screen, row: int, column: int) -> str:
    """mu*, sigma, and mu* as a part of the usual value."""
    mean, sigma = screen.mu_star[row, column], screen.sigma[row, column]
    return f"{mean:.2f} ({sigma:.2f}), {100 * mean / screen.usual[column]:.0f} %"


def screen_rows(screen: Screen, dry: Screen) -> Iterator[str]:
    """All inputs, the most important for the width first; the last column is the width without fluid."""
    yield "| input | range | from | " + " | ".join(OUTPUTS) + " | width without fluid, mm |"
    yield "|---|---|---|" + "---|" * (len(OUTPUTS) + 1)
    for row in np.argsort(-screen.mu_star[:, 0]):
        each = INPUTS[row]
        cells = [cell(screen, row, column) for column in range(len(OUTPUTS))]
        cells.append(cell(dry, DRY.index(each), 0) if each in DRY else "")
        span = "choice" if each.is_choice else f"{each.low:g} to {each.high:g} {each.unit}".strip()
        yield f"| {each.text} | {span} | {each.origin} | " + " | ".join(cells) + " |"


def spread_rows() -> Iterator[str]:
    """Ranges of the outputs when everything varies, and when the isotherm is agreed on."""
    yield "| what varies | " + " | ".join(f"{name}: 5 %, median, 95 %" for name in OUTPUTS) + " |"
    yield "|---|" + "---|" * len(OUTPUTS)
    cases: tuple[tuple[str, Callable[[Input], bool]], ...] = (
        ("everything", lambda each: True),
        ("everything but the isotherm (50 degC)", lambda each: each.key != "isotherm"),
        ("the same without fluid", lambda each: each.key not in ("isotherm", "fluid")),
    )
    for name, keep in cases:
        found = spread(SAMPLES, keep)
        yield f"| {name} | " + " | ".join(", ".join(f"{v:.1f}" for v in column) for column in found.T) + " |"


def page(screen: Screen, dry: Screen) -> str:
    """The screen as a Markdown page."""
    about = (__doc__ or "").strip().partition("\n\n")[2]
    usual = ", ".join(f"{name.partition(',')[0]} {v:.1f}" for name, v in zip(OUTPUTS, screen.usual, strict=True))
    return f"""# What the size of a lesion depends on

{about}

**Absolute sizes are weakly constrained by what is published**: no table of sizes with all settings could be obtained,
and within what is stated, known or assumed about one and the same setting the sizes below are all possible. Sizes of
this package are to be compared with each other and with the isotherm they belong to, not with a ruler.

Usual values (50 degC): {usual} (mm, mm, ohm). {TRAJECTORIES} trajectories, {TRAJECTORIES * (len(INPUTS) + 1)}
lesions, by SALib; a second screen holds the fluid at none. Each cell: mu* (sigma), and mu* as a part of the usual
value.

![mu* of every input](rf_sensitivity.png)

{chr(10).join(screen_rows(screen, dry))}

The isotherm that is called the lesion and the fluid injected before decide most. Electric conductivity counts only
where it differs from that of the fluid beside it: without fluid it moves the impedance and leaves the size as it is.

All inputs drawn evenly and independently from their ranges ({SAMPLES} lesions each, Latin hypercube):

{chr(10).join(spread_rows())}

The ranges are stated priors for the most part, so that this is a ranking and no probability. The fluid is a ball that
displaces the tissue, which is the most it can do; fluid that soaks into muscle does less. The bath of an experiment
on the bench (21 or 37 degC) is left out here; it is in rf_relations.md.

Made by `benchmarks/rf_sensitivity.py`.
"""


if __name__ == "__main__":
    result = screened()
    text = page(result, screened(DRY))
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(text, encoding="utf-8")
    draw(result)
    print(text)
