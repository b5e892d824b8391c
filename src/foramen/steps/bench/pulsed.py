"""What do pulses of one electrode do in uniform tissue: mean heat, spikes, and the field on the pulse?"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foramen.errors import InputError
from foramen.knowledge.facts import number
from foramen.knowledge.thermal import generator_limits
from foramen.model.device import Thermocouple, TipShape
from foramen.physics.conduction import ElectricField, solve_potential
from foramen.physics.contours import measure
from foramen.physics.grid import NeedleShape, RevolvedGrid
from foramen.physics.lesion import Lesion
from foramen.physics.pulsed_rf import MeanOfPulses, PulsedLesion, Pulses, field_beside_per_m, simulate_pulsed
from foramen.steps.bench.setup import GRID_STEP, BenchSetup, LesionSize, lesion_size, require_time
from foramen.units import MM_PER_M

FloatArray = NDArray[np.float64]

DISTANCES_MM = (0.0, 0.5, 1.0, 2.0, 3.0, 5.0)
"""Distances beside the middle of the bare tip at which field and temperature are reported."""

NOTE = "No dose-response of the field is known: field and heat are shown, a benefit is not claimed."


@dataclass(frozen=True, slots=True, kw_only=True)
class BesideTip:
    """Field on the pulse (peak of the carrier), mean and highest temperature at a distance from the needle.

    The place is the middle of the bare tip, or of its shaft where a point takes more than half of it.
    """

    distance_mm: float
    field_peak_kV_per_m: float
    mean_degC: float
    spike_degC: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BenchPulsed:
    """What the generator delivers, what the tissue feels; temperatures at the end of the treatment.

    Parameters
    ----------
    asked_peak_V, delivered_peak_V, delivered_rms_V : float
        Voltage during a burst: what was set, and what is left at the end where a limit lowered it.
    is_temperature_limited : bool
        Whether the limit lowered the voltage.
    display_mean_degC, display_spike_degC : float
        Thermocouple: mean over pulses, and its highest during the last pulse.
    hottest_mean_degC, hottest_spike_degC : float
        Hottest tissue, in the same two ways.
    cem43 : LesionSize
        Where the thermal dose of the mean temperature reaches that of half the function of a nerve.
    """

    asked_peak_V: float
    delivered_peak_V: float
    delivered_rms_V: float
    duty: float
    is_temperature_limited: bool
    display_mean_degC: float
    display_spike_degC: float
    hottest_mean_degC: float
    hottest_spike_degC: float
    impedance_initial_ohm: float
    impedance_final_ohm: float
    power_mean_W: float
    beside: tuple[BesideTip, ...]
    cem43: LesionSize
    energy_error_fraction: float
    elapsed_s: float
    note: str = NOTE

    def as_json(self) -> dict[str, object]:
        """The numbers as plain dictionaries, with the keys that `foramen pulsed --json` prints."""
        plain = {name: getattr(self, name) for name in self.__slots__ if name not in ("beside", "cem43")}
        return {
            **plain,
            "beside": [{name: getattr(row, name) for name in row.__slots__} for row in self.beside],
            "cem43": {name: getattr(self.cem43, name) for name in self.cem43.__slots__},
        }


def bench_pulsed(
    *,
    outer_diameter_mm: float,
    inner_diameter_mm: float,
    tip_mm: float,
    time_s: float,
    voltage_peak_V: float | None = None,
    voltage_rms_V: float | None = None,
    rate_Hz: float | None = None,
    width_s: float | None = None,
    limit_degC: float | None = None,
    tissue: str = "muscle",
    perfusion: bool = True,
    cannula_conduction: bool = True,
    baseline_temperature_degC: float = 37.0,
    thermocouple: Thermocouple = Thermocouple.POLE,
    frequency_hz: float = 500e3,
    series_ohm: float = 0.0,
    tip_shape: TipShape = TipShape.HEMISPHERICAL,
    step: float = GRID_STEP,
) -> BenchPulsed:
    """Pulsed radiofrequency of one electrode in uniform tissue.

    Parameters
    ----------
    voltage_peak_V, voltage_rms_V : float
        Voltage of the carrier during a burst, at the generator's terminals: its peak, or its RMS value (peak / sqrt 2).
        Give one; the usual 45 V mean twice the heat if they are RMS.
    rate_Hz, width_s : float
        Bursts; from knowledge if not given.
    limit_degC : float
        The generator lowers the voltage to keep the mean at the thermocouple below this; none without it.
    outer_diameter_mm, inner_diameter_mm, tip_mm, tissue, perfusion, cannula_conduction : as in `BenchSetup`
    baseline_temperature_degC, thermocouple, frequency_hz, tip_shape, step : as in `BenchSetup`

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
        tip_shape=tip_shape,
        step=step,
    )
    if limit_degC is not None and not limit_degC > baseline_temperature_degC:
        raise InputError(f"A limit of {limit_degC:g} degC is not above the baseline; give more or none.")
    generator = MeanOfPulses(
        time_s=time_s,
        limits=generator_limits(),
        series_ohm=series_ohm,
        pulses=Pulses(
            rate_Hz=number("tissues.pulse_rate_Hz") if rate_Hz is None else rate_Hz,
            width_s=number("tissues.pulse_width_s") if width_s is None else width_s,
        ),
        voltage_rms_V=_rms_V(voltage_peak_V, voltage_rms_V),
        limit_degC=limit_degC,
    )
    grid = setup.grid()
    field = setup.tissue_about(grid)
    model = setup.model(cool_down_s=0.0)
    pulsed = simulate_pulsed(grid, field, generator=generator, model=model)
    return _result(pulsed, solve_potential(grid, field.electric_S_per_m), generator, setup, started)


def _rms_V(peak_V: float | None, rms_V: float | None) -> float:
    if (peak_V is None) == (rms_V is None):
        raise InputError("Say whether the voltage of a pulse is the peak or the RMS value of the carrier: give one.")
    return float(peak_V / np.sqrt(2)) if peak_V is not None else float(rms_V or 0.0)


def _result(
    pulsed: PulsedLesion, field: ElectricField, generator: MeanOfPulses, setup: BenchSetup, started: float
) -> BenchPulsed:
    mean, pulse, root = pulsed.mean, pulsed.pulse, float(np.sqrt(2))
    delivered = float(pulsed.delivered_rms_V[-1])
    share = 1 / (1 + generator.series_ohm * field.conductance_S)
    dose = measure(mean.grid, mean.cem43_min, mean.cem43_min[mean.grid.inner], number("damage.cem43_nerve_min"))
    ends = mean.end.rise_K + setup.baseline_temperature_degC
    return BenchPulsed(
        asked_peak_V=generator.voltage_rms_V * root,
        delivered_peak_V=delivered * root,
        delivered_rms_V=delivered,
        duty=generator.duty,
        is_temperature_limited=delivered < generator.voltage_rms_V * (1 - 1e-6),
        display_mean_degC=mean.tip_degC,
        display_spike_degC=max(pulse.history.tip_degC),
        hottest_mean_degC=float(ends[mean.grid.inner :].max()),
        hottest_spike_degC=pulse.hottest_tissue_degC,
        impedance_initial_ohm=mean.impedance_initial_ohm,
        impedance_final_ohm=mean.impedance_final_ohm,
        power_mean_W=mean.power_mean_W,
        beside=_beside(mean.grid, field, ends, pulse, peak_V=delivered * root * share, z_m=_middle_m(setup.shape)),
        cem43=lesion_size(dose),
        energy_error_fraction=mean.energy.error_fraction,
        elapsed_s=time.perf_counter() - started,
    )


def _middle_m(shape: NeedleShape) -> float:
    """Middle of the bare tip, or of its shaft where the tip is so short that its middle lies on the point."""
    middle, end = shape.tip_m / 2, shape.length_of_end_m
    return middle if middle > end + shape.radius_m / 2 else (end + shape.tip_m) / 2


def _beside(
    grid: RevolvedGrid, field: ElectricField, ends_degC: FloatArray, pulse: Lesion, *, peak_V: float, z_m: float
) -> tuple[BesideTip, ...]:
    distances_m = np.array(DISTANCES_MM) / MM_PER_M
    strength = peak_V * field_beside_per_m(grid, field, z_m=z_m, distances_m=distances_m)
    along = grid.end_count + int(np.argmin(np.abs(grid.shaft_nodes_m - z_m)))
    outward_m = grid.radial_nodes_m[grid.inner :] - grid.radial_m[grid.inner]
    means = np.interp(distances_m, outward_m, ends_degC[grid.inner :, along, 0])
    spikes = np.interp(distances_m, outward_m, pulse.peak_degC[grid.inner :, along, 0])
    return tuple(
        BesideTip(
            distance_mm=distance,
            field_peak_kV_per_m=float(value) / 1e3,
            mean_degC=float(mean),
            spike_degC=float(spike),
        )
        for distance, value, mean, spike in zip(DISTANCES_MM, strength, means, spikes, strict=True)
    )
