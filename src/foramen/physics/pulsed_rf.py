"""Pulsed radiofrequency: short bursts at a full voltage, whose mean heats little; the field on the pulse, and spikes.

Over many pulses heat goes with the mean of the squared voltage, ``duty x V_rms^2``, where V_rms is that of the carrier
during a burst (a sine of peak V has V / sqrt 2). The mean temperature follows from that; what rises and falls with
every pulse is found by resolving a few pulses in time, begun at the mean temperature.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

from foramen.errors import InputError
from foramen.physics.conduction import ElectricField
from foramen.physics.generator import Generator, Moment, holding_V2
from foramen.physics.grid import RevolvedGrid
from foramen.physics.lesion import HeatModel, Lesion, TimeSteps
from foramen.physics.rf_lesion import simulate_lesion
from foramen.physics.tissue import TissueField

FloatArray = NDArray[np.float64]

SETTLING_PULSES = 8
"""Pulses resolved before the one that is read: by then peaks change by less than 0.05 K from pulse to pulse."""

STEPS_OF_A_PULSE = 8
"""First step after every edge of a pulse, as a part of the pulse's width."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulses:
    """Bursts of `width_s` at `rate_Hz`."""

    rate_Hz: float
    width_s: float

    def __post_init__(self) -> None:
        if not (self.rate_Hz > 0 and self.width_s > 0):
            raise InputError(f"Pulses of {self.width_s:g} s at {self.rate_Hz:g} Hz are not possible; give more than 0.")
        if not self.duty < 1:
            raise InputError(
                f"Pulses of {1e3 * self.width_s:g} ms at {self.rate_Hz:g} Hz leave no pause. Shorten them."
            )

    @property
    def duty(self) -> float:
        """Part of the time in which there is a burst."""
        return self.rate_Hz * self.width_s


@dataclass(frozen=True, slots=True, kw_only=True)
class MeanOfPulses(Generator):
    """Pulses by their mean heat, at a full voltage, or at less where the thermocouple must stay below a limit.

    Parameters
    ----------
    voltage_rms_V : float
        RMS voltage at the terminals during a burst.
    limit_degC : float or None
        With a limit the voltage is lowered as soon as the thermocouple would pass it (widely 42 degC).
    """

    pulses: Pulses
    voltage_rms_V: float
    limit_degC: float | None = None

    def __post_init__(self) -> None:
        Generator.__post_init__(self)
        if not self.voltage_rms_V > 0:
            raise InputError(f"A pulse of {self.voltage_rms_V:g} V does nothing; give more than 0.")

    @property
    def is_sensing(self) -> bool:
        """It watches the thermocouple if there is a limit."""
        return self.limit_degC is not None

    @property
    def duty(self) -> float:
        """Part of the time in which there is a burst."""
        return self.pulses.duty

    def demand_V2(self, moment: Moment) -> float:
        """Mean square of the full voltage, or what holds the limit."""
        full = self.duty * self.at_electrode_V(self.voltage_rms_V, moment.conductance_S) ** 2
        return full if self.limit_degC is None else min(full, holding_V2(moment, self.limit_degC))


@dataclass(frozen=True, slots=True, kw_only=True)
class PulseTrain(Generator):
    """Pulses one by one: a burst at the start of every period, at a constant voltage at the terminals."""

    pulses: Pulses
    voltage_rms_V: float

    @property
    def kinks_s(self) -> tuple[float, ...]:
        """Both edges of every pulse, and the end."""
        starts = np.arange(0.0, self.time_s - 1e-9, 1 / self.pulses.rate_Hz)
        edges = np.concatenate([starts, starts + self.pulses.width_s, [self.time_s]])
        return tuple(float(edge) for edge in np.unique(np.round(edges, 9)) if edge > 0)

    def demand_V2(self, moment: Moment) -> float:
        """The squared voltage during a burst, nothing between."""
        middle = moment.now_s - moment.length_s / 2
        is_on = middle % (1 / self.pulses.rate_Hz) < self.pulses.width_s
        return self.at_electrode_V(self.voltage_rms_V, moment.conductance_S) ** 2 if is_on else 0.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PulsedLesion:
    """Mean course of a pulsed treatment, and its last pulse.

    Parameters
    ----------
    mean : Lesion
        The whole time, by mean heat.
    pulse : Lesion
        The last pulse and the pause after it, resolved in time: its peaks are the spikes.
    delivered_rms_V : ndarray
        RMS voltage at the terminals during a burst, one entry per time step of `mean`.
    """

    mean: Lesion
    pulse: Lesion
    delivered_rms_V: FloatArray


def simulate_pulsed(
    grid: RevolvedGrid,
    tissue: TissueField,
    *,
    generator: MeanOfPulses,
    model: HeatModel,
    progress: Callable[[float], None] | None = None,
) -> PulsedLesion:
    """Mean course and last pulse of a pulsed treatment; arguments as for `simulate_lesion`.

    Raises
    ------
    SolverError
        If a field is not solved to its tolerance.
    """
    mean = simulate_lesion(grid, tissue, generator=generator, model=model, progress=progress)
    delivered = np.array(mean.history.voltage_V) / np.sqrt(generator.duty)
    steps = TimeSteps(
        first_s=generator.pulses.width_s / STEPS_OF_A_PULSE,
        growth=1.4,
        largest_s=(1 / generator.pulses.rate_Hz - generator.pulses.width_s) / 4,
    )
    resolved = replace(model, cool_down_s=0.0, steps=steps)

    def train(count: int, start: Lesion) -> Lesion:
        one_by_one = PulseTrain(
            time_s=count / generator.pulses.rate_Hz,
            limits=generator.limits,
            series_ohm=generator.series_ohm,
            pulses=generator.pulses,
            voltage_rms_V=float(delivered[-1]),
        )
        return simulate_lesion(grid, tissue, generator=one_by_one, model=resolved, start=start.end)

    mean_at_stop = mean
    if model.cool_down_s:
        mean_at_stop = simulate_lesion(grid, tissue, generator=generator, model=replace(model, cool_down_s=0.0))
    settled = train(SETTLING_PULSES, mean_at_stop)
    return PulsedLesion(mean=mean, pulse=train(1, settled), delivered_rms_V=delivered)


def field_strength_per_m(grid: RevolvedGrid, field: ElectricField) -> FloatArray:
    """|grad phi| of the field of 1 V (1/m) at the centres of the cells outside the needle, (nr - inner, nk, nj).

    Central differences on the grid's own orthogonal lines; on the first layer the needle's surface (1 V where bare, no
    current where insulated) is the inner neighbour. At the insulation's edge the true field is unbounded: there the
    value is that of the cell's size.
    """
    potential, inner = field.potential, grid.inner
    nodes = np.concatenate([grid.radial_m[inner : inner + 1], grid.radial_nodes_m[inner:]])
    surface = np.where(grid.is_active[:, None], 1.0, potential[0])
    radial = np.gradient(np.concatenate([surface[None], potential]), nodes, axis=0)[1:]
    along = _slope_along(potential, grid.meridian_length_m[inner:])
    around = (np.roll(potential, -1, axis=2) - np.roll(potential, 1, axis=2)) / (2 * grid.angle_step_rad)
    around /= grid.node_r_m[inner:, :, None]
    strength: FloatArray = np.sqrt(radial**2 + along**2 + around**2)
    return strength


def _slope_along(values: FloatArray, lengths_m: FloatArray) -> FloatArray:
    """Derivative of values (nr, nk, nj) along the second axis, second order for cells of unequal length (nr, nk)."""
    between = ((lengths_m[:, 1:] + lengths_m[:, :-1]) / 2)[:, :, None]
    secant = np.diff(values, axis=1) / between
    before, after = between[:, :-1], between[:, 1:]
    inside = (secant[:, :-1] * after + secant[:, 1:] * before) / (before + after)
    found: FloatArray = np.concatenate([secant[:, :1], inside, secant[:, -1:]], axis=1)
    return found


def field_beside_per_m(grid: RevolvedGrid, field: ElectricField, *, z_m: float, distances_m: FloatArray) -> FloatArray:
    """Largest |grad phi| (1/m) about the axis of the field of 1 V beside the bare shaft at z, at distances (n,).

    Monotone cubic in the distance; at the surface the field of the first half cell, carried on as 1 / r.
    """
    if not (grid.shaft_count and grid.shaft_nodes_m[0] < z_m < grid.active_to_m):
        raise InputError(f"No bare shaft lies {1e3 * z_m:g} mm from the tip. Choose a height within the bare tip.")
    inner, along = grid.inner, grid.end_count + int(np.argmin(np.abs(grid.shaft_nodes_m - z_m)))
    surface_m, first_m = grid.radial_m[inner], grid.radial_nodes_m[inner]
    strength = field_strength_per_m(grid, field)[:, along].max(axis=1)
    leaving = (1 - field.potential[0, along].min()) / (surface_m * np.log(first_m / surface_m))
    line = PchipInterpolator(
        np.concatenate([[surface_m], grid.radial_nodes_m[inner:]]), np.concatenate([[leaving], strength])
    )
    found: FloatArray = line(surface_m + distances_m)
    return found
