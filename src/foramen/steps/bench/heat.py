"""How large is the lesion of one electrode in one uniform tissue? (`foramen lesion`)"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from foramen.errors import InputError
from foramen.knowledge.facts import number, numbers
from foramen.knowledge.thermal import generator_limits
from foramen.model.device import Thermocouple, TipShape
from foramen.model.thermal import DamageSet
from foramen.physics.contours import measure
from foramen.physics.damage import objection
from foramen.physics.generator import Generator, PowerHeld, ProportionalIntegral, TemperatureHeld, VoltageHeld
from foramen.physics.lesion import EnergyBalance, History, Lesion, TimeSteps
from foramen.physics.rf_lesion import simulate_lesion
from foramen.steps.bench.setup import GRID_STEP, BenchSetup, LesionSize, lesion_size, require_temperature, require_time


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
    temperature_degC: float | None = None,
    voltage_V: float | None = None,
    power_W: float | None = None,
    time_s: float,
    tissue: str = "muscle",
    perfusion: bool = True,
    cannula_conduction: bool = True,
    baseline_temperature_degC: float = 37.0,
    ramp_s: float = 10.0,
    thermocouple: Thermocouple = Thermocouple.POLE,
    frequency_hz: float = 500e3,
    flow_with_temperature: bool = False,
    sigma_with_temperature: bool = True,
    fluid_ml: float = 0.0,
    tip_shape: TipShape = TipShape.HEMISPHERICAL,
    series_ohm: float = 0.0,
    controller: str = "ideal",
    cool_down_s: float = 0.0,
    step: float = GRID_STEP,
    time_steps: TimeSteps | None = None,
) -> BenchLesion:
    """Lesion of one electrode in uniform tissue, with temperature, voltage or power held.

    Parameters
    ----------
    outer_diameter_mm, inner_diameter_mm, tip_mm, tissue, perfusion, cannula_conduction : as in `BenchSetup`
    baseline_temperature_degC, thermocouple, frequency_hz, flow_with_temperature : as in `BenchSetup`
    sigma_with_temperature, fluid_ml, tip_shape, step : as in `BenchSetup`
    temperature_degC, voltage_V, power_W : float
        What the generator holds; give one. Volts are RMS, volts and watts at the generator's terminals.
    time_s, ramp_s : float
        Total time, and the part of it in which the set temperature rises linearly.
    series_ohm : float
        Resistance of return pad, body and cable, part of the impedance that is reported.
    controller : str
        ``ideal`` follows the set curve exactly; ``pi`` is a proportional-integral controller of power.
    cool_down_s : float
        Time simulated after the generator stops; isotherms are the maximum over all simulated time.

    Raises
    ------
    InputError
        For an unknown tissue or impossible dimensions or settings.
    SolverError
        If a field is not solved to its tolerance.
    """
    started = time.perf_counter()
    require_time(time_s)
    setup = BenchSetup(
        outer_diameter_mm=outer_diameter_mm,
        inner_diameter_mm=inner_diameter_mm,
        tip_mm=tip_mm,
        tissue=tissue,
        perfusion=perfusion,
        cannula_conduction=cannula_conduction,
        baseline_temperature_degC=baseline_temperature_degC,
        thermocouple=thermocouple,
        frequency_hz=frequency_hz,
        flow_with_temperature=flow_with_temperature,
        sigma_with_temperature=sigma_with_temperature,
        fluid_ml=fluid_ml,
        tip_shape=tip_shape,
        step=step,
    )
    held = {"temperature": temperature_degC, "voltage": voltage_V, "power": power_W}
    generator = held_generator(held, setup, time_s=time_s, ramp_s=ramp_s, series_ohm=series_ohm, controller=controller)
    grid = setup.grid()
    model = setup.model(cool_down_s=cool_down_s, steps=time_steps)
    lesion = simulate_lesion(grid, setup.tissue_about(grid), generator=generator, model=model)
    return _result(lesion, _coagulation(lesion, model.damage[0], time_s), time.perf_counter() - started)


def held_generator(
    held: Mapping[str, float | None],
    setup: BenchSetup,
    *,
    time_s: float,
    ramp_s: float,
    series_ohm: float,
    controller: str,
) -> Generator:
    """The generator that holds the one value given of temperature, voltage and power; see `bench_lesion`."""
    given = {name: value for name, value in held.items() if value is not None}
    if len(given) != 1:
        raise InputError(f"The generator holds one of {', '.join(held)}; {len(given)} are given. Give one.")
    limits = generator_limits()
    ((name, value),) = given.items()
    if name == "voltage":
        return VoltageHeld(voltage_V=value, time_s=time_s, limits=limits, series_ohm=series_ohm)
    if name == "power":
        return PowerHeld(power_W=value, time_s=time_s, limits=limits, series_ohm=series_ohm)
    require_temperature(value)
    start_degC = setup.baseline_temperature_degC
    if controller == "ideal":
        return TemperatureHeld(
            set_degC=value, start_degC=start_degC, ramp_s=ramp_s, time_s=time_s, limits=limits, series_ohm=series_ohm
        )
    if controller != "pi":
        raise InputError(f"There is no controller {controller!r}. Choose ideal or pi.")
    return ProportionalIntegral(
        set_degC=value,
        start_degC=start_degC,
        ramp_s=ramp_s,
        time_s=time_s,
        limits=limits,
        series_ohm=series_ohm,
        gain_W_per_K=number("tissues.controller_gain_W_per_K"),
        reset_s=number("tissues.controller_reset_s"),
    )


def _coagulation(lesion: Lesion, damage: DamageSet, time_s: float) -> Coagulation:
    reason = objection(damage, time_s)
    omega = lesion.omega[damage.id]
    return Coagulation(
        damage_set=damage.id,
        meaning=damage.meaning,
        size=None if reason else lesion_size(measure(lesion.grid, omega, omega[lesion.grid.inner], 1.0)),
        is_within_window=not reason,
        objection=reason,
    )


def _result(lesion: Lesion, coagulation: Coagulation, elapsed_s: float) -> BenchLesion:
    sizes = {
        f"{level:.0f}": lesion_size(measure(lesion.grid, lesion.peak_degC, lesion.surface_peak_degC, level))
        for level in numbers("damage.isotherms_degC")
    }
    dose_min = number("damage.cem43_nerve_min")
    dose = measure(lesion.grid, lesion.cem43_min, lesion.cem43_min[lesion.grid.inner], dose_min)
    return BenchLesion(
        isotherms=sizes,
        coagulation=coagulation,
        cem43_min=dose_min,
        cem43=lesion_size(dose),
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
