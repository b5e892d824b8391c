"""The lesion atlas: one bench-top lesion for every combination of gauge, tip, temperature, time, tissue, spacing."""

from __future__ import annotations

import inspect
import itertools
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from foramen import __version__
from foramen.errors import InputError
from foramen.jobs.outcome import Executor, Item
from foramen.jobs.resumable_map import ReportCount, resumable_map
from foramen.knowledge.devices import cannulae_of_gauge, rf_cannulae
from foramen.knowledge.documents import knowledge_sha256
from foramen.knowledge.facts import numbers
from foramen.model.device import TipShape
from foramen.model.evidence import Provenance
from foramen.steps.bench import (
    BenchLesion,
    BenchSetup,
    BenchStrip,
    LesionSize,
    StripSize,
    bench_lesion,
    bench_strip,
    held_generator,
    require_row,
    require_time,
)

AXES = ("gauge", "tip_mm", "temperature_degC", "time_s", "tissue", "spacing_mm")
"""Names of the axes in the order of the atlas's arrays."""

Cell = float | bool | str | None
"""One entry of the table; None where a case failed or a size does not apply."""

BENCH_SETTINGS: Mapping[str, Any] = {
    name: parameter.default
    for name, parameter in inspect.signature(bench_lesion).parameters.items()
    if parameter.default not in (inspect.Parameter.empty, None)
} | {"tip_shape": TipShape.SHARP}
"""What every case has in common: the settings of `bench_lesion` that are no axis; pairs have round ends."""

PACKAGES_THAT_MATTER = ("numpy", "scipy", "numba")
"""Libraries whose version can change a number of the atlas."""

FAILURE = "failure"
"""Column with the reason why a case has no numbers; empty where it has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LesionSweep:
    """The values of each axis, ascending where they are numbers; impossible ones are refused before anything is run.

    `spacing_mm` is the distance between two parallel electrodes, one against the other; 0 is a single one against a
    pad. `step` is the growth of the cells of the single one's grid, as in `bench_lesion`.
    """

    gauge: tuple[float, ...]
    tip_mm: tuple[float, ...]
    temperature_degC: tuple[float, ...]
    time_s: tuple[float, ...]
    tissue: tuple[str, ...]
    spacing_mm: tuple[float, ...] = (0.0,)
    step: float = BENCH_SETTINGS["step"]

    def __post_init__(self) -> None:
        for axis, values in self.axes.items():
            if not values or len(set(values)) < len(values):
                raise InputError(f"The axis {axis} of a sweep needs one or more different values, not {list(values)}.")
        for gauge, spacing_mm in itertools.product(self.gauge, self.spacing_mm):
            _require_spacing(gauge, spacing_mm)
        for gauge, tip_mm, tissue in itertools.product(self.gauge, self.tip_mm, self.tissue):
            _require_shorter_than_needle(gauge, tip_mm)
            cannula = cannulae_of_gauge(gauge)[0]
            setup = BenchSetup(
                outer_diameter_mm=cannula.outer_diameter_mm,
                inner_diameter_mm=cannula.inner_diameter_mm,
                tip_mm=tip_mm,
                tissue=tissue,
                tip_shape=BENCH_SETTINGS["tip_shape"],
                step=self.step,
            )
            _ = setup.shape
            self._require_settings(setup)

    def _require_settings(self, setup: BenchSetup) -> None:
        _ = setup.properties
        for temperature_degC, time_s in itertools.product(self.temperature_degC, self.time_s):
            require_time(time_s)
            common = {name: BENCH_SETTINGS[name] for name in ("ramp_s", "series_ohm", "controller")}
            held_generator({"temperature": temperature_degC}, setup, time_s=time_s, **common)

    @property
    def axes(self) -> Mapping[str, tuple[float, ...] | tuple[str, ...]]:
        """Values by axis, in the order of the atlas's arrays."""
        return {name: getattr(self, name) for name in AXES}

    @property
    def cases(self) -> dict[str, Item]:
        """Every combination by its id, the last axis running fastest."""
        found = (dict(zip(AXES, values, strict=True)) for values in itertools.product(*self.axes.values()))
        return {case_id(case): {**case, "step": self.step} for case in found}


def lesion_sweep(
    *,
    gauge: Iterable[float] = (),
    tip_mm: Iterable[float] = (),
    temperature_degC: Iterable[float] = (),
    time_s: Iterable[float] = (),
    tissue: Iterable[str] = (),
    spacing_mm: Iterable[float] = (),
    step: float = BENCH_SETTINGS["step"],
) -> LesionSweep:
    """A sweep over the values given, in any order; an axis that is left out has its usual ones.

    Those are the gauges and tips of the catalogue, the temperatures and times of `planning.yaml`, the tissue of the
    bench-top lesion, and a single electrode.
    """
    cannulae = rf_cannulae()

    def ascending(values: Iterable[float], usual: Iterable[float]) -> tuple[float, ...]:
        return tuple(sorted({float(value) for value in values} or set(usual)))

    return LesionSweep(
        gauge=ascending(gauge, (cannula.gauge for cannula in cannulae)),
        tip_mm=ascending(tip_mm, (cannula.active_tip_mm for cannula in cannulae)),
        temperature_degC=ascending(temperature_degC, numbers("planning.atlas_temperatures_degC")),
        time_s=ascending(time_s, numbers("planning.atlas_times_s")),
        tissue=tuple(dict.fromkeys(tissue)) or (BENCH_SETTINGS["tissue"],),
        spacing_mm=ascending(spacing_mm, (0.0,)),
        step=step,
    )


def case_id(case: Item) -> str:
    """Id of a case, such as ``18 G x 10 mm, 80 degC, 90 s, muscle, single``; equal only for equal cases."""
    gauge, tip, temperature, time, spacing = (
        repr(float(case[axis])).removesuffix(".0") for axis in AXES if axis != "tissue"
    )
    pair = f"pair {spacing} mm apart" if case["spacing_mm"] else "single"
    return f"{gauge} G x {tip} mm, {temperature} degC, {time} s, {case['tissue']}, {pair}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LesionAtlas:
    """The table of a sweep: one row for each case in the order of `LesionSweep.cases`, axes first, and its origin."""

    axes: Mapping[str, tuple[float, ...] | tuple[str, ...]]
    rows: tuple[Mapping[str, Cell], ...]
    provenance: Provenance

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of values of each axis."""
        return tuple(len(values) for values in self.axes.values())

    @property
    def failures(self) -> Mapping[str, str]:
        """Why cases failed, by their ids."""
        return {case_id(row): str(row[FAILURE]) for row in self.rows if row[FAILURE]}

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns that are no axis."""
        return tuple(name for name in self.rows[0] if name not in self.axes)

    def grid(self, column: str) -> NDArray[np.float64]:
        """A numerical column over the axes, NaN where there is no number."""
        values = [row[column] for row in self.rows]
        return np.array([np.nan if value is None else float(value) for value in values]).reshape(self.shape)


def made_with() -> dict[str, str]:
    """Version and knowledge that the numbers of an atlas depend on besides its axes."""
    return {"foramen_version": __version__, "knowledge_sha256": knowledge_sha256()}


def lesion_of_case(case: Item, *, origin: Mapping[str, str]) -> dict[str, Cell]:
    """The numbers of one case.

    Raises
    ------
    InputError
        If the process that computes has another version or knowledge than `origin`, as a remote one may have.
    """
    if made_with() != dict(origin):
        raise InputError(
            "This worker has another version or knowledge of Foramen than the one that gave it work. "
            "Install the same one everywhere."
        )
    cannula = cannulae_of_gauge(case["gauge"])[0]
    settings = {name: case[name] for name in ("tip_mm", "temperature_degC", "time_s", "tissue")}
    settings |= {"outer_diameter_mm": cannula.outer_diameter_mm, "inner_diameter_mm": cannula.inner_diameter_mm}
    if case["spacing_mm"]:
        return numbers_of_pair(bench_strip(**settings, spacing_mm=case["spacing_mm"]))
    return numbers_of(bench_lesion(**settings, tip_shape=BENCH_SETTINGS["tip_shape"], step=case["step"]))


def numbers_of(lesion: BenchLesion) -> dict[str, Cell]:
    """Columns of the atlas, each with its unit; the computing time is left out, as it differs every time."""
    return {
        **_size_columns(lesion.isotherms, lesion.coagulation.size, lesion.cem43),
        "cem43_at_min": lesion.cem43_min,
        "impedance_initial_ohm": lesion.impedance_initial_ohm,
        "impedance_final_ohm": lesion.impedance_final_ohm,
        "power_final_w": lesion.power_w,
        "power_mean_w": lesion.power_mean_w,
        "power_peak_w": lesion.power_peak_w,
        "voltage_final_v": lesion.voltage_final_v,
        "tip_temperature_degC": lesion.tip_temperature_degC,
        "hottest_tissue_degC": lesion.hottest_tissue_degC,
        "energy_balance_error_fraction": lesion.energy.error_fraction,
        "is_limited": lesion.is_limited,
        "objection": lesion.coagulation.objection,
    }


def numbers_of_pair(lesion: BenchStrip) -> dict[str, Cell]:
    """Columns for two electrodes: the width is the extent in their plane; what only they have comes last."""
    sizes = {f"isotherm_{level}degC": size for level, size in lesion.isotherms.items()}
    (midpoint_degC,) = lesion.midpoint_peak_degC
    return {
        **_size_columns(lesion.isotherms, lesion.coagulation, lesion.cem43),
        "cem43_at_min": lesion.cem43_min,
        "impedance_initial_ohm": lesion.impedance_initial_ohm,
        "impedance_final_ohm": lesion.impedance_final_ohm,
        "power_final_w": lesion.power_w,
        "power_mean_w": lesion.energy.delivered_J / lesion.history[-1].time_s,
        "power_peak_w": lesion.power_peak_w,
        "voltage_final_v": lesion.voltage_final_v,
        "tip_temperature_degC": max(lesion.display_degC),
        "hottest_tissue_degC": lesion.hottest_tissue_degC,
        "energy_balance_error_fraction": lesion.energy.error_fraction,
        "is_limited": lesion.is_limited,
        "objection": lesion.coagulation_objection,
        "midpoint_peak_degC": midpoint_degC,
        **{f"{key}_thickness_mm": size.thickness_mm for key, size in sizes.items()},
        **{f"{key}_is_one_body": size.is_one_body for key, size in sizes.items()},
    }


def make_atlas(
    sweep: LesionSweep,
    *,
    executor: Executor,
    ledger: Path,
    made_at: datetime,
    progress: ReportCount = lambda _done, _total, _left: None,
) -> LesionAtlas:
    """The atlas of a sweep; cases that the ledger of an earlier run holds are not computed again.

    A case that failed has a row with the reason and no numbers. See `resumable_map` for the other parameters.
    """
    origin = made_with()
    work = partial(lesion_of_case, origin=origin)
    done = resumable_map(work, sweep.cases, executor=executor, ledger=ledger, binding=origin, progress=progress)
    results = cast("Mapping[str, Mapping[str, Cell]]", done.results)
    columns = list(dict.fromkeys(name for result in results.values() for name in result))
    rows = []
    for key, case in sweep.cases.items():
        found = {name: results.get(key, {}).get(name) for name in columns}
        rows.append({**{axis: case[axis] for axis in AXES}, **found, FAILURE: done.failures.get(key, "")})
    common = {name: str(value) for name, value in BENCH_SETTINGS.items() if name not in (*AXES, "step", "time_steps")}
    provenance = Provenance(
        foramen_version=origin["foramen_version"],
        knowledge_sha256=origin["knowledge_sha256"],
        made_at=made_at.isoformat(timespec="seconds"),
        settings={**common, "step": str(sweep.step)},
        packages={name: metadata.version(name) for name in PACKAGES_THAT_MATTER},
    )
    return LesionAtlas(axes=sweep.axes, rows=tuple(rows), provenance=provenance)


def _size_columns(
    isotherms: Mapping[str, LesionSize] | Mapping[str, StripSize],
    coagulation: LesionSize | StripSize | None,
    cem43: LesionSize | StripSize,
) -> dict[str, Cell]:
    sizes = {f"isotherm_{level}degC": size for level, size in isotherms.items()}
    found: dict[str, Cell] = {}
    for key, size in {**sizes, "coagulation": coagulation, "cem43": cem43}.items():
        numbers: tuple[float | None, ...] = (None, None, None)
        if size is not None:
            width_mm = size.across_mm if isinstance(size, StripSize) else size.width_mm
            numbers = (width_mm, size.length_mm, size.volume_mm3)
        found |= {f"{key}_{unit}": x for unit, x in zip(("width_mm", "length_mm", "volume_mm3"), numbers, strict=True)}
    return found


def _require_shorter_than_needle(gauge: float, tip_mm: float) -> None:
    longest_mm = max(length for cannula in cannulae_of_gauge(gauge) for length in cannula.lengths_mm)
    if tip_mm >= longest_mm:
        raise InputError(
            f"An active tip of {tip_mm:g} mm is longer than a needle of {gauge:g} G (at most {longest_mm:g} mm)."
        )


def _require_spacing(gauge: float, spacing_mm: float) -> None:
    if not (math.isfinite(spacing_mm) and spacing_mm >= 0):
        raise InputError(f"A spacing of {spacing_mm:g} mm is impossible. Give 0 for a single electrode, or a distance.")
    if spacing_mm:
        require_row(cannulae_of_gauge(gauge)[0].outer_diameter_mm, spacing_mm, electrodes=2, cool_down_s=0.0)
