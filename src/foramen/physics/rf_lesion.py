"""A radiofrequency lesion in time: conduction, bioheat, damage and generator together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foramen.errors import InputError, SolverError
from foramen.physics.bioheat import HeatSystem, backward_formula, heat_system, implicit_system
from foramen.physics.boiling import TissueWater
from foramen.physics.conduction import ElectricField, solve_potential
from foramen.physics.exposure import Exposure
from foramen.physics.generator import Generator, Moment
from foramen.physics.grid import RevolvedGrid
from foramen.physics.lesion import EnergyBalance, HeatModel, History, Lesion, LesionEnd
from foramen.physics.linear_system import LinearSystem
from foramen.physics.tissue import (
    TissueField,
    conductivity_factor,
    flowing_fraction,
    held_sink_W_per_K,
    perfusion_factor,
)

FloatArray = NDArray[np.float64]

POTENTIAL_TOLERANCE = 3e-5
HEAT_TOLERANCE = 1e-5
RESPONSE_TOLERANCE = 1e-3
"""Relative residuals; that of the response is tightened where the voltage differs much from the step before."""

LIKE_STEPS = 2.0
"""A factor of the heat system is used again for steps up to this many times as long or short."""

BOILING_LIMIT = 12
BOILING_TOLERANCE_K = 0.05
"""Iterations of a step in which water boils, and the error of the enthalpy (as a temperature) at which they stop."""

SHORT_K = 0.1
"""How far below the set curve the thermocouple must stay before a limit of the generator counts as reached."""


@dataclass(slots=True, kw_only=True)
class _State:
    """What changes from step to step: rises above baseline, enthalpies, and what the generator did last."""

    rise: FloatArray
    before: FloatArray
    enthalpy: FloatArray
    enthalpy_before: FloatArray
    response: FloatArray
    surface_peak: FloatArray
    step_s: float | None = None
    square_V2: float = 0.0
    error_K: float = 0.0
    is_limited: bool = False


def simulate_lesion(
    grid: RevolvedGrid,
    tissue: TissueField,
    *,
    generator: Generator,
    model: HeatModel,
    start: LesionEnd | None = None,
    progress: Callable[[float], None] | None = None,
) -> Lesion:
    """The lesion that a generator makes about a needle.

    Each implicit step is linear in the squared voltage. It is solved with the voltage of the step before; where the
    generator follows a thermocouple, a second solve with 1 V^2 alone says by how much the voltage must differ, and both
    are added. Conductivity and perfusion are taken at the extrapolated temperature; boiling is iterated.

    Parameters
    ----------
    start : LesionEnd, optional
        State in which another lesion on this grid ended, to go on from; otherwise baseline everywhere.

    Raises
    ------
    SolverError
        If a field is not solved to its tolerance; the message names the time and the cell.
    InputError
        If grid and material disagree about the inside of the needle.
    """
    if (grid.inner > 0) != (model.material is not None):
        raise InputError("A conducting needle needs a grid with its inside, an adiabatic one a grid without it.")
    run = _Run(grid, tissue, generator, model, start)
    end = generator.time_s + model.cool_down_s
    time = 0.0
    while time < end - 1e-9:
        time = run.step(time)
        if progress is not None:
            progress(min(time / end, 1.0))
    return run.outcome()


class _Run:
    """One simulation: the matrices that stay, and the state that moves."""

    def __init__(
        self,
        grid: RevolvedGrid,
        tissue: TissueField,
        generator: Generator,
        model: HeatModel,
        start: LesionEnd | None,
    ) -> None:
        self.grid, self.tissue, self.generator, self.model = grid, tissue, generator, model
        self.system = _heat_matrices(grid, tissue, model)
        self.water = _water(grid, tissue, model)
        self.sink = np.zeros(grid.shape)
        self.perfusion = tissue.perfusion_W_per_m3_K * self.system.volume_m3[grid.inner :]
        self.held = held_sink_W_per_K(tissue, self.system.diagonal[grid.inner :])
        none = np.zeros(grid.shape)
        rise = none if start is None else start.rise_K
        enthalpy = self.water.enthalpy_K(rise)
        self.state = _State(
            rise=rise,
            before=rise,
            enthalpy=enthalpy,
            enthalpy_before=enthalpy,
            response=none,
            surface_peak=np.zeros(grid.shape[1:]),
        )
        self.started_J = self.system.stored_J(enthalpy)
        self.flow_left = np.ones(self.perfusion.shape) if start is None else start.flow_left
        self.exposure = Exposure(self.perfusion.shape, model.damage, model.stops_perfusion)
        self.last_system: LinearSystem | None = None
        self.like_s = 0.0
        self.log: list[tuple[float, float, float, float, float]] = []
        self.delivered_J = self.perfusion_J = self.far_J = 0.0
        self.sensor = _surface_weights(grid, model.thermocouple_m)
        self.to_surface = _surface_conductances(grid, tissue, model)
        self.field = self.first_field = self._electric(rise[grid.inner :], None)

    def _electric(self, rise: FloatArray, start: ElectricField | None) -> ElectricField:
        conductivity = self.tissue.electric_S_per_m
        if self.model.law is not None:
            conductivity = conductivity * conductivity_factor(self.model.law, rise + self.model.baseline_degC)
        return solve_potential(self.grid, conductivity, start=start, tolerance=POTENTIAL_TOLERANCE)

    def surface(self, rise: FloatArray) -> FloatArray:
        """Temperature rise (nk, nj) of the needle's surface."""
        inner = self.grid.inner
        if self.to_surface is None:
            depth = self.grid.radial_nodes_m[:2] - self.grid.radial_m[0]
            near, far = depth[0] ** 2, depth[1] ** 2
            result: FloatArray = (rise[0] * far - rise[1] * near) / (far - near)
            return result
        metal, flesh = self.to_surface
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
        kinks = (*self.generator.kinks_s, self.generator.time_s + self.model.cool_down_s)
        ahead = next(kink - time_s for kink in kinks if kink > time_s + 1e-9)
        if length >= ahead - 1e-9:
            return ahead
        return min(length, max(ahead / 2, rules.first_s / 2)) if length > 0.7 * ahead else length

    def step(self, time_s: float) -> float:
        """Advance by one step; returns the new time."""
        state = self.state
        length = self.next_step_s(time_s)
        now = time_s + length
        try:
            rise, square = self._advanced(now, length)
        except SolverError as error:
            raise SolverError(f"At {now:.2f} s: {error}") from error
        if not np.isfinite(rise).all():
            cell = tuple(int(index) for index in np.argwhere(~np.isfinite(rise))[0])
            raise SolverError(f"At {now:.2f} s the temperature of cell {cell} is not a number. Use shorter steps.")
        self._record(now, length, rise, square)
        is_kink = min(abs(now - kink) for kink in self.generator.kinks_s) < 1e-9
        state.before, state.rise = state.rise, rise
        state.enthalpy_before = state.enthalpy
        state.enthalpy = self.water.enthalpy_K(rise)
        state.step_s = None if is_kink else length
        return now

    def _advanced(self, now: float, length: float) -> tuple[FloatArray, float]:
        """Rise and squared voltage at the end of a step."""
        state, inner = self.state, self.grid.inner
        formula = backward_formula(length, state.step_s)
        ratio = 0.0 if state.step_s is None else length / state.step_s
        guess = state.rise + ratio * (state.rise - state.before)
        if now <= self.generator.time_s + 1e-9:
            self.field = self._electric(guess[inner:], self.field)
        alive = self.flow_left * np.exp(-self.exposure.coagulated())
        self.sink[inner:] = self.perfusion * flowing_fraction(self.tissue, alive)
        if self.model.flow is not None:
            warm = guess[inner:] + self.model.baseline_degC
            self.sink[inner:] *= perfusion_factor(self.model.flow, self.tissue.flow_gain_fraction, warm)
        self.sink[inner:] += self.held
        storage = self.system.capacity_J_per_K * (formula.now / length)
        inertia = formula.last * state.enthalpy - formula.before * state.enthalpy_before
        inertia *= self.system.capacity_J_per_K / length
        rise, square = guess, state.square_V2
        if not self.water.is_boiling(guess):
            rise, square = self._solved(now, length, storage, inertia, guess, square)
            if not self.water.is_boiling(rise):
                return rise, square
        for _ in range(BOILING_LIMIT):
            # h(T) ~ h(T*) + h'(T*) (T - T*); the next T* is where the enthalpy of the linear law lies
            slope, enthalpy = self.water.slope_at(rise), self.water.enthalpy_K(rise)
            offset = storage * (enthalpy - slope * rise)
            found, square = self._solved(now, length, storage * slope, inertia - offset, rise, square)
            corrected = self.water.rise_K(enthalpy + slope * (found - rise))
            error = float(np.abs(self.water.enthalpy_K(found) - enthalpy - slope * (found - rise)).max())
            rise = corrected
            if error < BOILING_TOLERANCE_K:
                return found, square
        return found, square

    def _solved(
        self, now: float, length: float, storage: FloatArray, inertia: FloatArray, guess: FloatArray, trial: float
    ) -> tuple[FloatArray, float]:
        """Solution of the linear step for given heat capacities, and the squared voltage that goes with it.

        `trial` is a squared voltage near it.
        """
        state, generator = self.state, self.generator
        is_like = self.last_system is not None and max(length, self.like_s) < LIKE_STEPS * min(length, self.like_s)
        system = implicit_system(
            self.system, sink_W_per_K=self.sink, storage_W_per_K=storage, like=self.last_system if is_like else None
        )
        if not is_like:
            self.like_s = length
        self.last_system = system
        if now > generator.time_s + 1e-9:
            return system.solve(inertia, guess, tolerance=HEAT_TOLERANCE, what="bioheat equation")[0], 0.0
        source = np.zeros(self.grid.shape)
        source[self.grid.inner :] = self.field.heat_w
        if not generator.is_sensing:
            square = self._allowed(self._moment(now, length, float("nan"), float("nan")), float("nan"))
            right = inertia + square * source
            return system.solve(right, guess, tolerance=HEAT_TOLERANCE, what="bioheat equation")[0], square
        response = system.solve(source, state.response, tolerance=RESPONSE_TOLERANCE, what="bioheat equation")[0]
        right = inertia + trial * source
        rise = system.solve(right, guess, tolerance=HEAT_TOLERANCE, what="bioheat equation")[0]
        for _ in range(2):
            gain = self.sensed(response)
            square = self._allowed(self._moment(now, length, self.sensed(rise) - trial * gain, gain), gain)
            share = abs(square - trial) / max(square, trial, 1e-30)
            if share * RESPONSE_TOLERANCE <= HEAT_TOLERANCE or square == 0.0:
                break
            finer = HEAT_TOLERANCE / share
            response = system.solve(source, response, tolerance=finer, what="bioheat equation")[0]
        state.response = response
        return rise + (square - trial) * response, square

    def _moment(self, now: float, length: float, idle_K: float, gain_K_per_V2: float) -> Moment:
        return Moment(
            now_s=now,
            length_s=length,
            idle_degC=idle_K + self.model.baseline_degC,
            response_K_per_V2=gain_K_per_V2,
            conductance_S=self.field.conductance_S,
            last_V2=self.state.square_V2,
            last_error_K=self.state.error_K,
        )

    def _allowed(self, moment: Moment, gain_K_per_V2: float) -> float:
        """What the generator wants, within its limits; notes when they leave the thermocouple 0.1 K short or more."""
        generator = self.generator
        demand = generator.demand_V2(moment)
        ceiling = generator.ceiling_V2(moment.conductance_S)
        if demand > ceiling and not (demand - ceiling) * gain_K_per_V2 <= SHORT_K:
            self.state.is_limited = True
        return min(demand, ceiling)

    def _record(self, now: float, length: float, rise: FloatArray, square: float) -> None:
        state, inner, baseline = self.state, self.grid.inner, self.model.baseline_degC
        self.exposure.add(state.rise[inner:] + baseline, rise[inner:] + baseline, length)
        np.maximum(state.surface_peak, self.surface(rise), out=state.surface_peak)
        power = square * self.field.conductance_S
        self.delivered_J += power * length
        self.perfusion_J += float(np.sum(self.sink * rise)) * length
        self.far_J += self.system.to_far_field_W(rise) * length
        state.square_V2 = square
        if now <= self.generator.time_s + 1e-9:
            tip, series = self.sensed(rise) + baseline, self.generator.series_ohm
            state.error_K = self.generator.wanted_degC(now) - tip
            voltage = float(np.sqrt(square)) * (1 + series * self.field.conductance_S)
            self.log.append((now, tip, power, self.field.resistance_ohm + series, voltage))

    def outcome(self) -> Lesion:
        """The lesion so far."""
        state, baseline, inner = self.state, self.model.baseline_degC, self.grid.inner
        time, tip, power, impedance, voltage = (tuple(column) for column in zip(*self.log, strict=True))
        peak, surface_peak = self.exposure.peak_degC, state.surface_peak + baseline
        return Lesion(
            grid=self.grid,
            peak_degC=np.concatenate([np.repeat(peak[:1], inner, axis=0), peak]),
            surface_peak_degC=surface_peak,
            omega={key: _with_needle(value, inner) for key, value in self.exposure.omega().items()},
            cem43_min=_with_needle(self.exposure.cem43_min(), inner),
            history=History(time_s=time, tip_degC=tip, power_W=power, impedance_ohm=impedance, voltage_V=voltage),
            energy=EnergyBalance(
                delivered_J=self.delivered_J,
                stored_J=self.system.stored_J(state.enthalpy) - self.started_J,
                perfusion_J=self.perfusion_J,
                far_field_J=self.far_J,
            ),
            tip_degC=tip[-1],
            hottest_tissue_degC=float(max(peak.max(), surface_peak.max())),
            impedance_initial_ohm=self.first_field.resistance_ohm + self.generator.series_ohm,
            impedance_final_ohm=impedance[-1],
            voltage_final_V=voltage[-1],
            power_final_W=power[-1],
            power_mean_W=self.delivered_J / self.generator.time_s,
            power_peak_W=max(power),
            is_limited=state.is_limited,
            end=LesionEnd(rise_K=state.rise, flow_left=self.flow_left * np.exp(-self.exposure.coagulated())),
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
    on_shaft = slice(grid.end_count, None)
    wall[0, on_shaft], stuff[0, on_shaft] = material.core_W_per_m_K, material.core_J_per_m3_K
    insulation = np.where(grid.is_active, 0.0, material.insulation_m / material.insulation_W_per_m_K)
    return heat_system(
        grid,
        np.concatenate([wall, thermal]),
        np.concatenate([stuff, capacity]),
        surface_resistance_m2K_per_W=insulation,
    )


def _water(grid: RevolvedGrid, tissue: TissueField, model: HeatModel) -> TissueWater:
    """Latent heat of every cell over its heat capacity; none without a law that says where water boils."""
    latent = np.zeros(grid.shape)
    if model.law is None:
        return TissueWater(from_K=np.inf, to_K=np.inf, latent_K=latent)
    latent[grid.inner :] = tissue.latent_J_per_m3 / tissue.heat_capacity_J_per_m3_K
    return TissueWater(
        from_K=model.law.boiling_from_degC - model.baseline_degC,
        to_K=model.law.boiling_to_degC - model.baseline_degC,
        latent_K=latent,
    )


def _surface_conductances(
    grid: RevolvedGrid, tissue: TissueField, model: HeatModel
) -> tuple[FloatArray, FloatArray] | None:
    """Conductances from the wall's and from the first tissue layer's nodes to the needle's surface, if it conducts."""
    if model.material is None:
        return None
    inward, outward = grid.radial_half
    metal = model.material.wall_W_per_m_K / outward[grid.inner - 1][:, None]
    return metal, tissue.thermal_W_per_m_K[0] / inward[grid.inner][:, None]


def _surface_weights(grid: RevolvedGrid, z_m: float) -> FloatArray:
    """Weights (nk,) that interpolate a value on the needle's surface at height z."""
    weights = np.zeros(grid.shape[1])
    if z_m <= 0:
        angle = grid.polar_nodes_rad[:2] ** 2  # even in the polar angle: value = a + b angle^2
        weights[:2] = angle[1] / (angle[1] - angle[0]), -angle[0] / (angle[1] - angle[0])
        return weights
    place = float(np.interp(z_m, grid.surface_z_m, np.arange(grid.shape[1], dtype=np.float64)))
    low = min(int(place), grid.shape[1] - 2)
    weights[low : low + 2] = 1 - (place - low), place - low
    return weights
