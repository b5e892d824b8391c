"""How large is the lesion of two or more parallel electrodes, or of a cooled one? (`foramen lesion --spacing-mm`)"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from itertools import pairwise

import numpy as np

from foramen.errors import InputError
from foramen.knowledge.facts import number, numbers
from foramen.knowledge.thermal import (
    conductivity_law,
    coolant,
    damage_set,
    generator_limits,
    needle_material,
    perfusion_stop_set,
)
from foramen.model.device import Thermocouple
from foramen.physics.box_conduction import Drive, bipolar
from foramen.physics.box_contours import line_extent_m, measure_box, value_at, values_along
from foramen.physics.damage import objection
from foramen.physics.embedded_electrode import Embedding, FloatArray, Rod, embed, rod_grid
from foramen.physics.generator import TemperatureHeld
from foramen.physics.strip_lesion import (
    Control,
    Sensor,
    Stage,
    StripEnergy,
    StripLesion,
    StripModel,
    StripMoment,
    metal_sensor,
    simulate_strip,
    tissue_sensor,
)
from foramen.physics.tissue import tissue_field
from foramen.steps.bench.setup import BenchSetup, require_temperature, require_time
from foramen.units import MM_PER_M


class Order(StrEnum):
    """How the electrodes of a strip are driven."""

    SEQUENTIAL = "sequential"  # one adjacent pair after the other, the rest floating
    SIMULTANEOUS = "simultaneous"  # all at once, poles alternating along the row


@dataclass(frozen=True, slots=True, kw_only=True)
class Neck:
    """The region midway between two neighbouring electrodes, at half the length of their tips."""

    thickness_mm: float
    length_mm: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StripSize:
    """Extent of a region: across in the plane of the electrodes, thickness perpendicular to it, length along them.

    Electrodes are included in the extents, not in the volume. `is_one_body`: the region is connected.
    """

    across_mm: float
    thickness_mm: float
    length_mm: float
    volume_mm3: float
    is_one_body: bool
    necks: tuple[Neck, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BenchStrip:
    """Size of the lesion of a strip and what the generator would show; `elapsed_s` is the computing time.

    `coagulation` is where Omega of the coagulation set reaches 1, or None with the reason in `coagulation_objection`.
    `midpoint_peak_degC` is the highest temperature over time midway between each two neighbours.
    """

    isotherms: Mapping[str, StripSize]
    coagulation: StripSize | None
    coagulation_objection: str
    cem43_min: float
    cem43: StripSize
    midpoint_peak_degC: tuple[float, ...]
    impedance_initial_ohm: float
    impedance_final_ohm: float
    power_w: float
    power_peak_w: float
    voltage_final_v: float
    hottest_tissue_degC: float
    hottest_mm: tuple[float, float, float]
    display_degC: tuple[float, ...]
    is_limited: bool
    energy: StripEnergy
    history: tuple[StripMoment, ...]
    cells: int
    elapsed_s: float

    def as_json(self) -> dict[str, object]:
        """The numbers as plain dictionaries, with the keys that `foramen lesion --spacing-mm ... --json` prints."""
        return {
            "isotherms": {key: asdict(size) for key, size in self.isotherms.items()},
            "coagulation": {
                "size": None if self.coagulation is None else asdict(self.coagulation),
                "objection": self.coagulation_objection,
            },
            "cem43": {"at_min": self.cem43_min, **asdict(self.cem43)},
            "midpoint_peak_degC": list(self.midpoint_peak_degC),
            "impedance_ohm": {"initial": self.impedance_initial_ohm, "final": self.impedance_final_ohm},
            "power_w": self.power_w,
            "power_peak_w": self.power_peak_w,
            "voltage_final_v": self.voltage_final_v,
            "hottest_tissue_degC": self.hottest_tissue_degC,
            "hottest_mm": list(self.hottest_mm),
            "tip_temperatures_degC": list(self.display_degC),
            "generator_limited": self.is_limited,
            "energy_balance_error_fraction": self.energy.error_fraction,
            "elapsed_s": self.elapsed_s,
        }


def bench_strip(
    *,
    outer_diameter_mm: float,
    inner_diameter_mm: float,
    tip_mm: float,
    temperature_degC: float,
    time_s: float,
    spacing_mm: float = 0.0,
    electrodes: int = 2,
    order: Order = Order.SEQUENTIAL,
    control: Control = Control.HOTTEST,
    is_cooled: bool = False,
    tissue: str = "muscle",
    perfusion: bool = True,
    cannula_conduction: bool = True,
    baseline_temperature_degC: float = 37.0,
    ramp_s: float = 10.0,
    thermocouple: Thermocouple = Thermocouple.POLE,
    frequency_hz: float = 500e3,
    sigma_with_temperature: bool = True,
    cool_down_s: float = 0.0,
    cells_per_radius: float = 1.5,
    growth: float = 0.15,
) -> BenchStrip:
    """Lesion of parallel electrodes in a row, in uniform tissue: bipolar pairs, or one electrode against a pad.

    Parameters
    ----------
    outer_diameter_mm, inner_diameter_mm, tip_mm : float
        Cannula and its bare, round end.
    temperature_degC, time_s, ramp_s : float
        Set temperature, total time and ramp of each stage.
    spacing_mm : float
        Distance between the axes of neighbours.
    electrodes : int
        1 is a single electrode with a return pad.
    order : Order
        With more than two electrodes: neighbouring pairs one after the other (a stage each), or all at once.
    control : Control
        Which of the driven electrodes' thermocouples is held.
    is_cooled : bool
        Fluid flows in the lumen, and the thermocouple lies ahead of the tip, in tissue.
    cells_per_radius, growth : float
        Fineness of the grid: cells of ``radius / cells_per_radius`` at the tips, growing by `growth` per distance.

    Raises
    ------
    InputError
        For an unknown tissue, electrodes that touch, or impossible dimensions or settings.
    SolverError
        If a field is not solved to its tolerance.
    """
    started = time.perf_counter()
    require_time(time_s)
    require_temperature(temperature_degC)
    setup = BenchSetup(
        outer_diameter_mm=outer_diameter_mm,
        inner_diameter_mm=inner_diameter_mm,
        tip_mm=tip_mm,
        tissue=tissue,
        baseline_temperature_degC=baseline_temperature_degC,
        thermocouple=thermocouple,
        frequency_hz=frequency_hz,
    )
    _require_row(outer_diameter_mm, spacing_mm, electrodes, cool_down_s)
    if is_cooled and not cannula_conduction:
        raise InputError("A cooled electrode conducts heat through its wall: leave cannula conduction on.")
    properties = setup.properties
    far_m = number("tissues.far_field_mm") / MM_PER_M
    middles = (np.arange(electrodes) - (electrodes - 1) / 2) * spacing_mm / MM_PER_M
    rods = [
        Rod(
            path_m=np.array([[x, 0.0, 0.0], [x, 0.0, tip_mm / MM_PER_M + far_m]]),
            radius_m=outer_diameter_mm / (2 * MM_PER_M),
            bore_m=inner_diameter_mm / (2 * MM_PER_M),
            tip_m=tip_mm / MM_PER_M,
            electrode=place,
        )
        for place, x in enumerate(middles)
    ]
    grid = rod_grid(rods, cells_per_radius=cells_per_radius, growth=growth, far_m=far_m)
    embedding = embed(grid, rods)
    generator = TemperatureHeld(
        set_degC=temperature_degC,
        start_degC=baseline_temperature_degC,
        ramp_s=ramp_s,
        time_s=time_s,
        limits=generator_limits(),
    )
    model = StripModel(
        baseline_degC=baseline_temperature_degC,
        law=conductivity_law() if sigma_with_temperature else None,
        material=needle_material() if cannula_conduction else None,
        stops_perfusion=perfusion_stop_set(),
        damage=(damage_set("coagulation"),),
        control=control,
        coolant=coolant() if is_cooled else None,
        cool_down_s=cool_down_s,
    )
    lesion = simulate_strip(
        embedding,
        tissue_field([properties], np.zeros((1, *grid.shape), dtype=np.intp), is_perfused=perfusion),
        sensors=[_sensor(embedding, place, thermocouple, is_cooled=is_cooled) for place in range(electrodes)],
        stages=[Stage(drive=drive, generator=generator) for drive in _drives(electrodes, order)],
        model=model,
    )
    return _result(lesion, time_s, time.perf_counter() - started)


def _sensor(embedding: Embedding, place: int, thermocouple: Thermocouple, *, is_cooled: bool) -> Sensor:
    rod = embedding.rods[place]
    if is_cooled:
        ahead = number("tissues.cooled_sensor_ahead_mm") / MM_PER_M
        return tissue_sensor(embedding, rod.path_m[0] - np.array([0.0, 0.0, ahead]), place)
    return metal_sensor(embedding, place, 0.0 if thermocouple is Thermocouple.POLE else rod.tip_m / 2)


def _drives(electrodes: int, order: Order) -> list[Drive]:
    """One drive per stage."""
    if electrodes == 1:
        return [Drive(potential_V=(1.0,), is_far_ground=True)]
    if order is Order.SIMULTANEOUS:
        return [Drive(potential_V=tuple((0.5, -0.5)[place % 2] for place in range(electrodes)), is_far_ground=False)]
    return [bipolar(place, place + 1, electrodes) for place in range(electrodes - 1)]


def _result(lesion: StripLesion, time_s: float, elapsed_s: float) -> BenchStrip:
    coagulation, dose_min, last = damage_set("coagulation"), number("damage.cem43_nerve_min"), lesion.history[-1]
    reason = objection(coagulation, time_s)
    x, y, z = lesion.hottest_m
    grid = lesion.embedding.grid
    return BenchStrip(
        isotherms={
            f"{level:.0f}": _size(lesion.embedding, lesion.peak_degC, level)
            for level in numbers("damage.isotherms_degC")
        },
        coagulation=None if reason else _size(lesion.embedding, lesion.omega[coagulation.id], 1.0, is_steep=True),
        coagulation_objection=reason,
        cem43_min=dose_min,
        cem43=_size(lesion.embedding, lesion.cem43_min, dose_min, is_steep=True),
        midpoint_peak_degC=tuple(value_at(grid, lesion.peak_degC, p) for p in _midpoints(lesion.embedding)),
        impedance_initial_ohm=lesion.impedance_initial_ohm,
        impedance_final_ohm=last.impedance_ohm,
        power_w=last.power_W,
        power_peak_w=max(moment.power_W for moment in lesion.history),
        voltage_final_v=last.voltage_V,
        hottest_tissue_degC=lesion.hottest_tissue_degC,
        hottest_mm=(x * MM_PER_M, y * MM_PER_M, z * MM_PER_M),
        display_degC=last.sensor_degC,
        is_limited=lesion.is_limited,
        energy=lesion.energy,
        history=lesion.history,
        cells=lesion.peak_degC.size,
        elapsed_s=elapsed_s,
    )


def _midpoints(embedding: Embedding) -> list[tuple[float, float, float]]:
    """Points midway between neighbouring electrodes, at half the length of their tips."""
    places = [float(rod.path_m[0, 0]) for rod in embedding.rods]
    height = embedding.rods[0].tip_m / 2
    return [((low + high) / 2, 0.0, height) for low, high in pairwise(places)]


def _size(embedding: Embedding, values: FloatArray, level: float, *, is_steep: bool = False) -> StripSize:
    """Size of ``values >= level``; steep values are interpolated by their logarithm."""
    if is_steep:
        values, level = np.log(np.maximum(values, np.finfo(np.float64).tiny)), float(np.log(level))
    extent = measure_box(embedding, values, level)
    necks = []
    for point in _midpoints(embedding):
        y, z = (
            line_extent_m(embedding.grid.nodes_m[axis], values_along(embedding.grid, values, point, axis), level)
            for axis in (1, 2)
        )
        necks.append(Neck(thickness_mm=y * MM_PER_M, length_mm=z * MM_PER_M))
    across, thickness, length = (value * MM_PER_M for value in extent.extent_m)
    return StripSize(
        across_mm=across,
        thickness_mm=thickness,
        length_mm=length,
        volume_mm3=extent.volume_m3 * MM_PER_M**3,
        is_one_body=extent.is_one_body,
        necks=tuple(necks),
    )


MOST_ELECTRODES = 8
"""Longest row that is computed."""


def _require_row(diameter_mm: float, spacing_mm: float, electrodes: int, cool_down_s: float) -> None:
    if not 1 <= electrodes <= MOST_ELECTRODES:
        raise InputError(f"A strip of {electrodes} electrodes is not modelled: give 1 to {MOST_ELECTRODES}.")
    if electrodes == 1 and spacing_mm:
        raise InputError("A spacing needs at least two electrodes: give --electrodes 2 or more, or no spacing.")
    if electrodes > 1 and not diameter_mm < spacing_mm <= 40:
        raise InputError(
            f"Electrodes {spacing_mm:g} mm apart (between axes) overlap or do not act together: give a spacing above "
            f"their diameter ({diameter_mm:g} mm) and up to 40 mm."
        )
    if not 0 <= cool_down_s <= 1800:
        raise InputError(f"A cool-down of {cool_down_s:g} s is outside what is modelled (0 to 1800 s).")
