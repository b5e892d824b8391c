"""A radiofrequency lesion of several embedded electrodes in time: one pair after the other, or all at once.

Latent heat is left out: above the boiling of water temperatures are too high.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from foramen.errors import InputError
from foramen.model.thermal import ConductivityLaw, Coolant, DamageSet, NeedleMaterial
from foramen.physics.bioheat import backward_formula
from foramen.physics.box_conduction import BoxField, Drive, solve_box_potential
from foramen.physics.box_heat import box_heat
from foramen.physics.damage import cem43_rate_min_per_s, rate_per_s
from foramen.physics.embedded_electrode import Embedding
from foramen.physics.generator import SetCurve
from foramen.physics.lesion import TimeSteps
from foramen.physics.linear_system import LinearSystem, linear_system
from foramen.physics.tissue import TissueField, conductivity_factor, flowing_fraction, held_sink_W_per_K

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.intp]


class Control(StrEnum):
    """Which reading of the driven electrodes' thermocouples is held at the set temperature."""

    HOTTEST = "hottest"
    MEAN = "mean"
    FIRST = "first"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sensor:
    """A thermocouple: the weighted mean of cells (indices of the flattened array) that read its electrode."""

    cells: IndexArray
    weights: FloatArray
    electrode: int

    def read(self, values: FloatArray) -> float:
        """Value at the sensor."""
        return float(self.weights @ values.ravel()[self.cells])


def metal_sensor(embedding: Embedding, rod: int, arc_m: float) -> Sensor:
    """Thermocouple in the metal of a rod at a length from its pole."""
    contacts = embedding.contacts
    chosen = np.flatnonzero((contacts.owner == rod) & (contacts.bare_m2 > 0))
    gap = np.abs(contacts.arc_m[chosen] - arc_m)
    reach = max(embedding.rods[rod].radius_m / 2, 1.5 * float(gap.min()))
    weights = contacts.bare_m2[chosen] * np.maximum(1 - gap / reach, 0.0)
    return Sensor(
        cells=contacts.rod_cell[chosen], weights=weights / weights.sum(), electrode=embedding.rods[rod].electrode
    )


def tissue_sensor(embedding: Embedding, point_m: FloatArray, electrode: int) -> Sensor:
    """Thermocouple at a point, such as ahead of a cooled tip: linear between the eight cell centres about it."""
    corners, weights = [np.zeros(3, dtype=np.intp)], [1.0]
    for axis, nodes in enumerate(embedding.grid.nodes_m):
        low = int(np.clip(np.searchsorted(nodes, point_m[axis]) - 1, 0, len(nodes) - 2))
        part = float(np.clip((point_m[axis] - nodes[low]) / (nodes[low + 1] - nodes[low]), 0, 1))
        step = np.eye(3, dtype=np.intp)[axis]
        corners = [corner + step * (low + up) for corner in corners for up in (0, 1)]
        weights = [weight * share for weight in weights for share in (1 - part, part)]
    cells = np.ravel_multi_index(tuple(np.stack(corners).T), embedding.grid.shape)
    return Sensor(cells=np.asarray(cells, dtype=np.intp), weights=np.array(weights), electrode=electrode)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One heating: which electrodes are driven, for how long and to what temperature."""

    drive: Drive
    generator: SetCurve


@dataclass(frozen=True, slots=True, kw_only=True)
class StripModel:
    """Everything about a strip that is neither electrodes nor tissue; as `rf_lesion.HeatModel`."""

    baseline_degC: float
    law: ConductivityLaw | None
    material: NeedleMaterial | None
    stops_perfusion: DamageSet | None
    damage: tuple[DamageSet, ...]
    control: Control = Control.HOTTEST
    coolant: Coolant | None = None
    cool_down_s: float = 0.0
    steps: TimeSteps = field(default_factory=TimeSteps)


@dataclass(frozen=True, slots=True, kw_only=True)
class StripMoment:
    """What the generator shows at one time; `sensor_degC` of each electrode."""

    time_s: float
    stage: int
    sensor_degC: tuple[float, ...]
    power_W: float
    impedance_ohm: float
    voltage_V: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StripEnergy:
    """Energies of a run (J), above baseline."""

    delivered_J: float
    stored_J: float
    perfusion_J: float
    far_field_J: float
    coolant_J: float

    @property
    def error_fraction(self) -> float:
        """What is missing, as a fraction of the delivered energy."""
        spent = self.stored_J + self.perfusion_J + self.far_field_J + self.coolant_J
        return (self.delivered_J - spent) / self.delivered_J


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StripLesion:
    """Outcome on the grid (maxima over time, and damage); cells of a rod carry its temperature."""

    embedding: Embedding
    peak_degC: FloatArray
    final_degC: FloatArray
    omega: dict[str, FloatArray]
    cem43_min: FloatArray
    history: tuple[StripMoment, ...]
    energy: StripEnergy
    hottest_tissue_degC: float
    hottest_m: tuple[float, float, float]
    impedance_initial_ohm: float
    is_limited: bool


def simulate_strip(
    embedding: Embedding,
    tissue: TissueField,
    *,
    sensors: Sequence[Sensor],
    stages: Sequence[Stage],
    model: StripModel,
    progress: Callable[[float], None] | None = None,
) -> StripLesion:
    """The lesion of one or more stages, the temperature field carrying over from each to the next.

    Each implicit step is linear in the squared voltage, as in `rf_lesion.simulate_lesion`.

    Raises
    ------
    InputError
        If there is no stage, or a driven electrode has no sensor.
    SolverError
        If a field is not solved to its tolerance.
    """
    if not stages:
        raise InputError("A strip needs at least one stage of heating.")
    run = _Run(embedding, tissue, sensors, model)
    whole = sum(stage.generator.time_s for stage in stages) + model.cool_down_s
    for number, stage in enumerate(stages):
        run.begin(number, stage)
        while run.time_in_stage < stage.generator.time_s - 1e-9:
            run.step((stage.generator.ramp_s, stage.generator.time_s))
            if progress is not None:
                progress(min(run.time_s / whole, 1.0))
    run.begin(len(stages), None)
    while run.time_in_stage < model.cool_down_s - 1e-9:
        run.step((model.cool_down_s,))
    return run.outcome()


class _Run:
    """One simulation: matrices, and the state that moves."""

    def __init__(self, embedding: Embedding, tissue: TissueField, sensors: Sequence[Sensor], model: StripModel) -> None:
        self.embedding, self.tissue, self.sensors, self.model = embedding, tissue, tuple(sensors), model
        self.system = box_heat(embedding, tissue, model.material, model.coolant)
        shape = embedding.grid.shape
        self.perfusion = tissue.perfusion_W_per_m3_K * self.system.tissue_m3
        self.held = held_sink_W_per_K(tissue, self.system.diagonal)
        self.coolant_W = np.zeros(shape)
        if model.coolant is not None:
            self.coolant_W = self.system.coolant * (model.coolant.temperature_degC - model.baseline_degC)
        self.rise, self.before, self.response, self.peak, self.cem43, self.coagulated, self.sink = (
            np.zeros(shape) for _ in range(7)
        )
        self.omega = {damage.id: np.zeros(shape) for damage in model.damage}
        self.time_s = self.time_in_stage = 0.0
        self.step_s: float | None = None
        self.stage: Stage | None = None
        self.number = 0
        self.field: BoxField | None = None
        self.log: list[StripMoment] = []
        self.delivered_J = self.perfusion_J = self.far_J = self.coolant_J = 0.0
        self.initial_ohm = 0.0
        self.is_limited = False

    def begin(self, number: int, stage: Stage | None) -> None:
        """Start a stage; None is the time after the generator has stopped."""
        self.number, self.stage, self.time_in_stage, self.step_s = number, stage, 0.0, None
        if stage is None:
            return
        driven = [electrode for electrode, value in enumerate(stage.drive.potential_V) if value is not None]
        self.reading = [sensor for sensor in self.sensors if sensor.electrode in driven]
        if not self.reading:
            raise InputError("No driven electrode has a thermocouple: the temperature cannot be held.")
        self.field = self._electric(stage, self.rise, None)
        self.response = np.zeros_like(self.rise)
        if not self.initial_ohm:
            self.initial_ohm = 1 / self.field.conductance_S

    def _electric(self, stage: Stage, rise: FloatArray, start: tuple[FloatArray, ...] | None) -> BoxField:
        conductivity = self.tissue.electric_S_per_m
        if self.model.law is not None:
            conductivity = conductivity * conductivity_factor(self.model.law, rise + self.model.baseline_degC)
        return solve_box_potential(self.embedding, conductivity, stage.drive, start=start)

    def _length(self, kinks: tuple[float, ...]) -> float:
        """Length of the next step: short after a kink, landing on every kink."""
        rules = self.model.steps
        length = rules.first_s if self.step_s is None else min(self.step_s * rules.growth, rules.largest_s)
        ahead = next(kink - self.time_in_stage for kink in kinks if kink > self.time_in_stage + 1e-9)
        if length >= ahead - 1e-9:
            return ahead
        return min(length, max(ahead / 2, rules.first_s / 2)) if length > 0.7 * ahead else length

    def step(self, kinks: tuple[float, ...]) -> None:
        """Advance by one step."""
        length = self._length(kinks)
        formula = backward_formula(length, self.step_s)
        ratio = 0.0 if self.step_s is None else length / self.step_s
        ahead = self.rise + ratio * (self.rise - self.before)
        self.sink = self.perfusion * flowing_fraction(self.tissue, np.exp(-self.coagulated)) + self.held
        capacity = self.system.capacity_J_per_K / length
        diagonal = self.system.diagonal + self.sink + capacity * formula.now
        inertia = capacity * (formula.last * self.rise - formula.before * self.before)
        system = linear_system(diagonal, self.system.links)
        rise, _ = system.solve(inertia + self.coolant_W, ahead, tolerance=1e-6, what="bioheat equation")
        square = 0.0
        if self.stage is not None:
            square = self._drive(self.stage, self.time_in_stage + length, ahead, system, rise)
            rise += square * self.response
        self.time_in_stage += length
        self.time_s += length
        self._record(length, rise, square)
        is_kink = min(abs(self.time_in_stage - kink) for kink in kinks) < 1e-9
        self.before, self.rise = self.rise, rise
        self.step_s = None if is_kink else length

    def _drive(self, stage: Stage, now: float, ahead: FloatArray, system: LinearSystem, idle: FloatArray) -> float:
        """Squared voltage of this step; leaves the response to 1 V^2 in `response`."""
        field = self._electric(stage, ahead, None if self.field is None else self.field.bases)
        self.field = field
        self.response, _ = system.solve(field.heat_w, self.response, tolerance=1e-6, what="bioheat equation")
        wanted = stage.generator.wanted_degC(now) - self.model.baseline_degC
        idles = [sensor.read(idle) for sensor in self.reading]
        responses = [sensor.read(self.response) for sensor in self.reading]
        if self.model.control is Control.FIRST:
            idles, responses = idles[:1], responses[:1]
        elif self.model.control is Control.MEAN:
            idles, responses = [float(np.mean(idles))], [float(np.mean(responses))]
        demands = [
            max((wanted - idle_K) / response_K, 0.0) if response_K > 0 else 0.0
            for idle_K, response_K in zip(idles, responses, strict=True)
        ]
        square = min(*demands, stage.generator.ceiling_V2(field.conductance_S))
        if max(i + square * r for i, r in zip(idles, responses, strict=True)) < wanted - 0.1:
            self.is_limited = True
        return square

    def _record(self, length: float, rise: FloatArray, square: float) -> None:
        baseline = self.model.baseline_degC
        start, end = self.rise + baseline, rise + baseline
        middle = (start + end) / 2
        for damage in self.model.damage:
            rates = rate_per_s(damage, start) + 4 * rate_per_s(damage, middle) + rate_per_s(damage, end)
            self.omega[damage.id] += rates * (length / 6)
        stops = self.model.stops_perfusion
        if stops is not None:
            rates = rate_per_s(stops, middle)
            self.coagulated += np.where(middle >= stops.temperature_low_degC, rates * length, 0.0)
        self.cem43 += cem43_rate_min_per_s(middle) * length
        np.maximum(self.peak, rise, out=self.peak)
        self.perfusion_J += float(np.sum(self.sink * rise)) * length
        self.far_J += float(np.sum(self.system.far * rise)) * length
        self.coolant_J += float(np.sum(self.system.coolant * rise - self.coolant_W)) * length
        if self.stage is None or self.field is None:
            return
        power = square * self.field.conductance_S
        self.delivered_J += power * length
        self.log.append(
            StripMoment(
                time_s=self.time_s,
                stage=self.number,
                sensor_degC=tuple(sensor.read(rise) + baseline for sensor in self.sensors),
                power_W=power,
                impedance_ohm=1 / self.field.conductance_S,
                voltage_V=float(np.sqrt(square)),
            )
        )

    def outcome(self) -> StripLesion:
        """The lesion so far."""
        embedding, baseline = self.embedding, self.model.baseline_degC
        contacts = embedding.contacts
        surface = np.zeros(self.rise.size, bool)
        surface[contacts.rod_cell[contacts.bare_m2 > 0]] = True
        counts = np.where(embedding.is_rod.ravel() & ~surface, -np.inf, self.peak.ravel())
        hottest = int(counts.argmax())
        x, y, z = (float(value) for value in embedding.grid.points_m[hottest])
        return StripLesion(
            embedding=embedding,
            peak_degC=self.peak + baseline,
            final_degC=self.rise + baseline,
            omega=self.omega,
            cem43_min=self.cem43,
            history=tuple(self.log),
            energy=StripEnergy(
                delivered_J=self.delivered_J,
                stored_J=float(np.sum(self.system.capacity_J_per_K * self.rise)),
                perfusion_J=self.perfusion_J,
                far_field_J=self.far_J,
                coolant_J=self.coolant_J,
            ),
            hottest_tissue_degC=float(counts[hottest]) + baseline,
            hottest_m=(x, y, z),
            impedance_initial_ohm=self.initial_ohm,
            is_limited=self.is_limited,
        )
