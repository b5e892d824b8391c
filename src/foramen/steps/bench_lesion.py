"""How large is the lesion of one electrode in one uniform tissue? (`foramen lesion`)"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from foramen.errors import InputError
from foramen.knowledge.facts import number, numbers
from foramen.knowledge.thermal import (
    conductivity_law,
    damage_set,
    generator_limits,
    needle_material,
    perfusion_stop_set,
    tissue_properties,
)
from foramen.model.device import Thermocouple
from foramen.model.thermal import TissueProperties
from foramen.physics.contours import Extent, measure
from foramen.physics.damage import objection
from foramen.physics.generator import Generator
from foramen.physics.grid import NeedleShape, Resolution, needle_grid
from foramen.physics.rf_lesion import EnergyBalance, HeatModel, History, Lesion, TimeSteps, simulate_lesion
from foramen.physics.tissue import uniform_field
from foramen.units import MM_PER_M


@dataclass(frozen=True, slots=True, kw_only=True)
class LesionSize:
    """Extent of a region about the electrode: width and length include the needle, the volume does not."""

    width_mm: float
    length_mm: float
    volume_mm3: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Coagulation:
    """Where Omega of a damage set reaches 1; without a size where the set does not apply, as `objection` then says."""

    damage_set: str
    meaning: str
    size: LesionSize | None
    is_within_window: bool
    objection: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BenchLesion:
    """Size of a lesion and what the generator would show; `elapsed_s` is the computing time.

    `cem43` is where the thermal dose reaches `cem43_min`, whether or not a damage set applies.
    """

    isotherms: Mapping[str, LesionSize]
    coagulation: Coagulation
    cem43_min: float
    cem43: LesionSize
    impedance_initial_ohm: float
    impedance_final_ohm: float
    power_w: float
    power_mean_w: float
    power_peak_w: float
    voltage_final_v: float
    hottest_tissue_degC: float
    tip_temperature_degC: float
    is_limited: bool
    energy: EnergyBalance
    history: History
    elapsed_s: float

    def as_json(self) -> dict[str, object]:
        """The numbers as plain dictionaries, with the keys that `foramen lesion --json` prints."""
        return {
            "isotherms": {key: _plain(size) for key, size in self.isotherms.items()},
            "coagulation": {
                **_plain(self.coagulation.size),
                "damage_set": self.coagulation.damage_set,
                "meaning": self.coagulation.meaning,
                "is_within_window": self.coagulation.is_within_window,
                "objection": self.coagulation.objection,
            },
            "cem43": {"at_min": self.cem43_min, **_plain(self.cem43)},
            "impedance_ohm": {"initial": self.impedance_initial_ohm, "final": self.impedance_final_ohm},
            "power_w": self.power_w,
            "power_mean_w": self.power_mean_w,
            "power_peak_w": self.power_peak_w,
            "voltage_final_v": self.voltage_final_v,
            "hottest_tissue_degC": self.hottest_tissue_degC,
            "tip_temperature_degC": self.tip_temperature_degC,
            "generator_limited": self.is_limited,
            "energy_balance_error_fraction": self.energy.error_fraction,
            "elapsed_s": self.elapsed_s,
        }


def _plain(size: LesionSize | None) -> dict[str, float | None]:
    names = ("width_mm", "length_mm", "volume_mm3")
    return {name: None if size is None else getattr(size, name) for name in names}


def bench_lesion(
    *,
    outer_diameter_mm: float,
    inner_diameter_mm: float,
    tip_mm: float,
    temperature_degC: float,
    time_s: float,
    tissue: str = "muscle",
    perfusion: bool = True,
    cannula_conduction: bool = True,
    baseline_temperature_degC: float = 37.0,
    ramp_s: float = 10.0,
    thermocouple: Thermocouple = Thermocouple.POLE,
    frequency_hz: float = 500e3,
    sigma_with_temperature: bool = True,
    cool_down_s: float = 0.0,
    step: float = 0.1,
    time_steps: TimeSteps | None = None,
) -> BenchLesion:
    """Lesion of a temperature-held electrode with a hemispherical end in uniform tissue, exactly axisymmetric.

    Parameters
    ----------
    outer_diameter_mm, inner_diameter_mm, tip_mm : float
        Cannula and its bare end.
    temperature_degC, time_s, ramp_s : float
        Set temperature, total time, and the part of it in which the set curve rises linearly.
    perfusion : bool
        Whether blood carries heat away until the tissue has coagulated.
    cannula_conduction : bool
        Whether the metal conducts heat; otherwise the needle's surface is adiabatic.
    baseline_temperature_degC : float
        Temperature of tissue and blood at the start and of the far field (50 mm) throughout.
    thermocouple : Thermocouple
        Where the set temperature is held.
    sigma_with_temperature : bool
        Whether conductivity changes with temperature.
    cool_down_s : float
        Time simulated after the generator stops; isotherms are the maximum over all simulated time.
    step : float
        Cell growth per cell of the grid; halving it changes widths by less than 0.3 %.

    Raises
    ------
    InputError
        For an unknown tissue or impossible dimensions or settings.
    SolverError
        If a field is not solved to its tolerance.
    """
    started = time.perf_counter()
    require_possible(outer_diameter_mm, tip_mm, temperature_degC, time_s)
    coolest = min(numbers("damage.isotherms_degC"))
    if not 0 <= baseline_temperature_degC < coolest:
        raise InputError(
            f"A baseline of {baseline_temperature_degC:g} degC is not usable: give 0 to below {coolest:g} degC, "
            "the coolest isotherm that is reported."
        )
    shape = NeedleShape(
        radius_m=outer_diameter_mm / (2 * MM_PER_M),
        bore_m=inner_diameter_mm / (2 * MM_PER_M),
        tip_m=tip_mm / MM_PER_M,
        is_conducting=cannula_conduction,
    )
    grid = needle_grid(shape, Resolution(step=step), far_m=number("tissues.far_field_mm") / MM_PER_M)
    generator = Generator(
        set_degC=temperature_degC,
        start_degC=baseline_temperature_degC,
        ramp_s=ramp_s,
        time_s=time_s,
        limits=generator_limits(),
    )
    properties = conducting_tissue(tissue, frequency_hz=frequency_hz)
    coagulation = damage_set("coagulation")
    model = HeatModel(
        baseline_degC=baseline_temperature_degC,
        law=conductivity_law() if sigma_with_temperature else None,
        material=needle_material() if cannula_conduction else None,
        stops_perfusion=perfusion_stop_set(),
        damage=(coagulation,),
        thermocouple_m=_thermocouple_m(thermocouple, shape),
        cool_down_s=cool_down_s,
        steps=time_steps or TimeSteps(),
    )
    field = uniform_field(properties, grid, is_perfused=perfusion)
    lesion = simulate_lesion(grid, field, generator=generator, model=model)
    reason = objection(coagulation, time_s)
    omega = lesion.omega[coagulation.id]
    damaged = Coagulation(
        damage_set=coagulation.id,
        meaning=coagulation.meaning,
        size=None if reason else _size(measure(grid, omega, omega[grid.inner], 1.0)),
        is_within_window=not reason,
        objection=reason,
    )
    return _result(lesion, damaged, time.perf_counter() - started)


def _result(lesion: Lesion, coagulation: Coagulation, elapsed_s: float) -> BenchLesion:
    sizes = {
        f"{level:.0f}": _size(measure(lesion.grid, lesion.peak_degC, lesion.surface_peak_degC, level))
        for level in numbers("damage.isotherms_degC")
    }
    dose_min = number("damage.cem43_nerve_min")
    dose = measure(lesion.grid, lesion.cem43_min, lesion.cem43_min[lesion.grid.inner], dose_min)
    return BenchLesion(
        isotherms=sizes,
        coagulation=coagulation,
        cem43_min=dose_min,
        cem43=_size(dose),
        impedance_initial_ohm=lesion.impedance_initial_ohm,
        impedance_final_ohm=lesion.impedance_final_ohm,
        power_w=lesion.power_final_W,
        power_mean_w=lesion.power_mean_W,
        power_peak_w=lesion.power_peak_W,
        voltage_final_v=lesion.voltage_final_V,
        hottest_tissue_degC=lesion.hottest_tissue_degC,
        tip_temperature_degC=lesion.tip_degC,
        is_limited=lesion.is_limited,
        energy=lesion.energy,
        history=lesion.history,
        elapsed_s=elapsed_s,
    )


def _size(extent: Extent) -> LesionSize:
    return LesionSize(
        width_mm=extent.width_m * MM_PER_M,
        length_mm=extent.length_m * MM_PER_M,
        volume_mm3=extent.volume_m3 * MM_PER_M**3,
    )


def _thermocouple_m(thermocouple: Thermocouple, shape: NeedleShape) -> float:
    if thermocouple is Thermocouple.NONE:
        raise InputError("A temperature-held lesion needs a thermocouple: choose pole or mid.")
    return 0.0 if thermocouple is Thermocouple.POLE else shape.tip_m / 2


def conducting_tissue(tissue: str, *, frequency_hz: float) -> TissueProperties:
    """Properties of a tissue in which a current can flow; raises `InputError` for another."""
    properties = tissue_properties(tissue, frequency_hz=frequency_hz)
    if not properties.electric_S_per_m > 0:
        raise InputError(f"No lesion can be made in {tissue}: it carries no current. Choose another tissue.")
    return properties


def require_possible(diameter_mm: float, tip_mm: float, temperature_degC: float, time_s: float) -> None:
    """Raise `InputError` for dimensions or settings that cannot be modelled."""
    if not 0.2 <= diameter_mm <= 5:
        raise InputError(f"An outer diameter of {diameter_mm:g} mm is not a needle's (0.2 to 5 mm).")
    if not 0 < tip_mm <= 40:
        raise InputError(f"An active tip of {tip_mm:g} mm is outside what is modelled (up to 40 mm).")
    if not temperature_degC < 100:
        raise InputError(f"A set temperature of {temperature_degC:g} degC would boil tissue; stay below 100 degC.")
    if not 0 < time_s <= 1800:
        raise InputError(f"A lesion of {time_s:g} s is outside what is modelled (up to 1800 s).")
