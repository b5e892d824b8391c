"""A radiofrequency lesion in time: conduction, bioheat, damage and generator together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from foramen.errors import InputError
from foramen.model.thermal import ConductivityLaw, DamageSet, NeedleMaterial
from foramen.physics.bioheat import HeatSystem, advance, backward_formula, heat_system
from foramen.physics.conduction import ElectricField, solve_potential
from foramen.physics.damage import cem43_rate_min_per_s, rate_per_s
from foramen.physics.generator import Generator
from foramen.physics.grid import RevolvedGrid
from foramen.physics.tissue import TissueField, conductivity_factor

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeSteps:
    """Step sizes: `first_s` after a kink of the set curve, growing by `growth` up to `largest_s`."""

    first_s: float = 0.1
    growth: float = 1.3
    largest_s: float = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatModel:
    """Everything about a lesion that is neither grid nor tissue.

    Parameters
    ----------
    law : ConductivityLaw or None
        None keeps the conductivity constant.
    material : NeedleMaterial or None
        None leaves the needle's inside out (adiabatic surface).
    stops_perfusion : DamageSet or None
        Perfusion is w0 exp(-Omega) with this set, integrated only within its window of temperatures.
    damage : tuple of DamageSet
        Sets whose Omega is wanted.
    thermocouple_m : float
        z of the thermocouple on the needle's surface (0 = pole).
    cool_down_s : float
        Time simulated after the generator has stopped.
    """

    baseline_degC: float
    law: ConductivityLaw | None
    material: NeedleMaterial | None
    stops_perfusion: DamageSet | None
    damage: tuple[DamageSet, ...]
    thermocouple_m: float
    cool_down_s: float = 0.0
    steps: TimeSteps = field(default_factory=TimeSteps)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class History:
    """What the generator would log, one entry per time step."""

    time_s: tuple[float, ...]
    tip_degC: tuple[float, ...]
    power_W: tuple[float, ...]
    impedance_ohm: tuple[float, ...]
    voltage_V: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergyBalance:
    """Energies of a run (J): delivered, stored at the end, carried off by blood and to the far field."""

    delivered_J: float
    stored_J: float
    perfusion_J: float
    far_field_J: float

    @property
    def error_fraction(self) -> float:
        """What is missing, as a fraction of the delivered energy."""
        spent = self.stored_J + self.perfusion_J + self.far_field_J
        return (self.delivered_J - spent) / self.delivered_J


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lesion:
    """Outcome on the grid: maxima over time and damage, shape (nr, nk, nj), needle cells included.

    Needle cells that are left out repeat the first tissue layer. `surface_degC` (nk, nj) is the needle's surface.
    """

    grid: RevolvedGrid
    peak_degC: FloatArray
    surface_peak_degC: FloatArray
    omega: dict[str, FloatArray]
    cem43_min: FloatArray
    history: History
    energy: EnergyBalance
    tip_degC: float
    hottest_tissue_degC: float
    impedance_initial_ohm: float
    impedance_final_ohm: float
    voltage_final_V: float
    power_final_W: float
    power_mean_W: float
    power_peak_W: float
    is_limited: bool


class _State:
    """What changes from step to step."""

    def __init__(self, shape: tuple[int, int, int], model: HeatModel, inner: int) -> None:
        self.rise = np.zeros(shape)
        self.before = np.zeros(shape)
        self.response = np.zeros(shape)
        self.peak = np.zeros(shape)
        tissue = (shape[0] - inner, *shape[1:])
        self.omega = {damage.id: np.zeros(tissue) for damage in model.damage}
        self.coagulated = np.zeros(tissue)
        self.cem43 = np.zeros(tissue)
        self.surface_peak = np.zeros(shape[1:])
        self.step_s: float | None = None
        self.log: list[tuple[float, float, float, float, float]] = []
        self.delivered_J = self.perfusion_J = self.far_J = 0.0
        self.is_limited = False


def simulate_lesion(
    grid: RevolvedGrid,
    tissue: TissueField,
    *,
    generator: Generator,
    model: HeatModel,
    progress: Callable[[float], None] | None = None,
) -> Lesion:
    """The lesion that a temperature-held generator makes about a needle.

    Each implicit step is linear in the squared voltage: one solve without and one with 1 V^2 give the voltage that
    puts the thermocouple on its set curve. Conductivity and perfusion are taken at the extrapolated temperature.

    Raises
    ------
    SolverError
        If a field is not solved to its tolerance.
    InputError
        If grid and material disagree about the inside of the needle.
    """
    if (grid.inner > 0) != (model.material is not None):
        raise InputError("A conducting needle needs a grid with its inside, an adiabatic one a grid without it.")
    run = _Run(grid, tissue, generator, model)
    end = generator.time_s + model.cool_down_s
    time = 0.0
    while time < end - 1e-9:
        time = run.step(time)
        if progress is not None:
            progress(min(time / end, 1.0))
    return run.outcome()


class _Run:
    """One simulation: the matrices that stay, and the state that moves."""

    def __init__(self, grid: RevolvedGrid, tissue: TissueField, generator: Generator, model: HeatModel) -> None:
        self.grid, self.tissue, self.generator, self.model = grid, tissue, generator, model
        self.system = _heat_matrices(grid, tissue, model)
        self.sink = np.zeros(grid.shape)
        self.perfusion = tissue.perfusion_W_per_m3_K * self.system.volume_m3[grid.inner :]
        self.state = _State(grid.shape, model, grid.inner)
        self.sensor = _surface_weights(grid, model.thermocouple_m)
        self.field = self._electric(np.zeros(tissue.electric_S_per_m.shape), None)
        self.initial_ohm = self.field.resistance_ohm

    def _electric(self, rise: FloatArray, start: FloatArray | None) -> ElectricField:
        conductivity = self.tissue.electric_S_per_m
        if self.model.law is not None:
            conductivity = conductivity * conductivity_factor(self.model.law, rise + self.model.baseline_degC)
        return solve_potential(self.grid, conductivity, start=start)

    def surface(self, rise: FloatArray) -> FloatArray:
        """Temperature rise (nk, nj) of the needle's surface."""
        inner = self.grid.inner
        if not inner:
            depth = self.grid.radial_nodes_m[:2] - self.grid.radial_m[0]
            near, far = depth[0] ** 2, depth[1] ** 2
            result: FloatArray = (rise[0] * far - rise[1] * near) / (far - near)
            return result
        half = self.system.link.half
        metal, flesh = 1 / half[1][inner - 1], 1 / half[0][inner]
        mixed: FloatArray = (metal * rise[inner - 1] + flesh * rise[inner]) / (metal + flesh)
        return mixed

    def sensed(self, rise: FloatArray) -> float:
        """Temperature rise at the thermocouple: metal of the wall if it conducts, else the tissue's surface."""
        ring = rise[self.grid.inner - 1] if self.grid.inner else self.surface(rise)
        return float(self.sensor @ ring.mean(axis=1))

    def next_step_s(self, time_s: float) -> float:
        """Length of the next step: short after a kink, landing on every kink."""
        rules, last = self.model.steps, self.state.step_s
        length = rules.first_s if last is None else min(last * rules.growth, rules.largest_s)
        kinks = (self.generator.ramp_s, self.generator.time_s, self.generator.time_s + self.model.cool_down_s)
        ahead = next(kink - time_s for kink in kinks if kink > time_s + 1e-9)
        if length >= ahead - 1e-9:
            return ahead
        return min(length, max(ahead / 2, rules.first_s / 2)) if length > 0.7 * ahead else length

    def step(self, time_s: float) -> float:
        """Advance by one step; returns the new time."""
        state, inner = self.state, self.grid.inner
        length = self.next_step_s(time_s)
        formula = backward_formula(length, state.step_s)
        ratio = 0.0 if state.step_s is None else length / state.step_s
        ahead = state.rise + ratio * (state.rise - state.before)
        self.sink[inner:] = self.perfusion * np.exp(-state.coagulated)
        storage = self.system.capacity_J_per_K * (formula.now / length)
        inertia = self.system.capacity_J_per_K * ((formula.last * state.rise - formula.before * state.before) / length)
        idle = advance(self.system, sink_W_per_K=self.sink, source_W=inertia, storage_W_per_K=storage, start=ahead)
        now, square = time_s + length, 0.0
        if now <= self.generator.time_s + 1e-9:
            square = self._drive(now, ahead[inner:], storage, idle)
        rise = idle + square * state.response if square else idle
        self._record(now, length, rise, square)
        is_kink = min(abs(now - kink) for kink in (self.generator.ramp_s, self.generator.time_s)) < 1e-9
        state.before, state.rise = state.rise, rise
        state.step_s = None if is_kink else length
        return now

    def _drive(self, now: float, ahead: FloatArray, storage: FloatArray, idle: FloatArray) -> float:
        """Squared voltage of this step; leaves the response to 1 V^2 in the state."""
        self.field = self._electric(ahead, self.field.potential)
        source = np.zeros(self.grid.shape)
        source[self.grid.inner :] = self.field.heat_w
        self.state.response = advance(
            self.system, sink_W_per_K=self.sink, source_W=source, storage_W_per_K=storage, start=self.state.response
        )
        wanted = self.generator.wanted_degC(now) - self.model.baseline_degC
        idle_K, response_K = self.sensed(idle), self.sensed(self.state.response)
        square = self.generator.square_voltage_V2(wanted, idle_K, response_K, self.field.conductance_S)
        if idle_K + square * response_K < wanted - 0.1:
            self.state.is_limited = True
        return square

    def _record(self, now: float, length: float, rise: FloatArray, square: float) -> None:
        state, inner = self.state, self.grid.inner
        start, end = (x[inner:] + self.model.baseline_degC for x in (state.rise, rise))
        middle = (start + end) / 2
        for damage in self.model.damage:
            rates = rate_per_s(damage, start) + 4 * rate_per_s(damage, middle) + rate_per_s(damage, end)
            state.omega[damage.id] += rates * (length / 6)
        stops = self.model.stops_perfusion
        if stops is not None:
            rates = rate_per_s(stops, middle)
            state.coagulated += np.where(middle >= stops.temperature_low_degC, rates * length, 0.0)
        state.cem43 += cem43_rate_min_per_s(middle) * length
        surface = self.surface(rise)
        np.maximum(state.peak, rise, out=state.peak)
        np.maximum(state.surface_peak, surface, out=state.surface_peak)
        power = square * self.field.conductance_S
        state.delivered_J += power * length
        state.perfusion_J += float(np.sum(self.sink * rise)) * length
        state.far_J += self.system.to_far_field_W(rise) * length
        if square:
            tip = self.sensed(rise) + self.model.baseline_degC
            state.log.append((now, tip, power, self.field.resistance_ohm, float(np.sqrt(square))))

    def outcome(self) -> Lesion:
        """The lesion so far."""
        state, baseline, inner = self.state, self.model.baseline_degC, self.grid.inner
        time, tip, power, impedance, voltage = (tuple(column) for column in zip(*state.log, strict=True))
        return Lesion(
            grid=self.grid,
            peak_degC=state.peak + baseline,
            surface_peak_degC=state.surface_peak + baseline,
            omega={key: _with_needle(value, inner) for key, value in state.omega.items()},
            cem43_min=_with_needle(state.cem43, inner),
            history=History(time_s=time, tip_degC=tip, power_W=power, impedance_ohm=impedance, voltage_V=voltage),
            energy=EnergyBalance(
                delivered_J=state.delivered_J,
                stored_J=self.system.stored_J(state.rise),
                perfusion_J=state.perfusion_J,
                far_field_J=state.far_J,
            ),
            tip_degC=tip[-1],
            hottest_tissue_degC=float(max(state.peak[inner:].max(), state.surface_peak.max())) + baseline,
            impedance_initial_ohm=self.initial_ohm,
            impedance_final_ohm=impedance[-1],
            voltage_final_V=voltage[-1],
            power_final_W=power[-1],
            power_mean_W=state.delivered_J / self.generator.time_s,
            power_peak_W=max(power),
            is_limited=state.is_limited,
        )


def _with_needle(values: FloatArray, inner: int) -> FloatArray:
    """Values of all cells; those of the needle repeat the first tissue layer."""
    return np.concatenate([np.repeat(values[:1], inner, axis=0), values]) if inner else values


def _heat_matrices(grid: RevolvedGrid, tissue: TissueField, model: HeatModel) -> HeatSystem:
    """Heat system of tissue and, if it conducts, of the needle with its insulation."""
    thermal, capacity = tissue.thermal_W_per_m_K, tissue.heat_capacity_J_per_m3_K
    material = model.material
    if material is None:
        return heat_system(grid, thermal, capacity)
    layers = (grid.inner, *grid.shape[1:])
    wall = np.empty(layers)
    stuff = np.empty(layers)
    wall[:], stuff[:] = material.wall_W_per_m_K, material.wall_J_per_m3_K
    on_shaft = slice(grid.polar_count, None)
    wall[0, on_shaft], stuff[0, on_shaft] = material.core_W_per_m_K, material.core_J_per_m3_K
    insulation = np.where(grid.is_active, 0.0, material.insulation_m / material.insulation_W_per_m_K)
    return heat_system(
        grid,
        np.concatenate([wall, thermal]),
        np.concatenate([stuff, capacity]),
        surface_resistance_m2K_per_W=insulation,
    )


def _surface_weights(grid: RevolvedGrid, z_m: float) -> FloatArray:
    """Weights (nk,) that interpolate a value on the needle's surface at height z."""
    weights = np.zeros(grid.shape[1])
    if z_m <= 0:
        angle = grid.polar_nodes_rad[:2] ** 2  # even in the polar angle: value = a + b angle^2
        weights[:2] = angle[1] / (angle[1] - angle[0]), -angle[0] / (angle[1] - angle[0])
        return weights
    radius = grid.radial_m[grid.inner]
    _, k, _ = grid.index(np.array([radius]), np.array([z_m]), np.zeros(1))
    low = int(np.clip(np.floor(k[0]), 0, grid.shape[1] - 2))
    weights[low : low + 2] = 1 - (k[0] - low), k[0] - low
    return weights
