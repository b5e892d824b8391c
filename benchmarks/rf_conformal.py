"""The needle-conformal grid as second method for embedded electrodes (see rf_embedded.py)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from foramen.knowledge.thermal import (
    conductivity_law,
    generator_limits,
    needle_material,
    perfusion_stop_set,
    tissue_properties,
)
from foramen.model.thermal import TissueProperties
from foramen.physics.contours import measure
from foramen.physics.generator import TemperatureHeld
from foramen.physics.grid import NeedleShape, Resolution, RevolvedGrid, needle_grid
from foramen.physics.lesion import HeatModel
from foramen.physics.rf_lesion import simulate_lesion
from foramen.physics.tissue import tissue_field

FloatArray = NDArray[np.float64]
RADIUS, BORE, TIP = 0.635e-3, 0.419e-3, 10e-3
MUSCLE, BONE = (tissue_properties(name, frequency_hz=500e3) for name in ("muscle", "bone_cortical"))
Beyond = Callable[[FloatArray], NDArray[np.bool_]]
"""Whether points (n, 3) given as (side, third, height above the pole) lie beyond a plane."""


def generator(time_s: float) -> TemperatureHeld:
    """80 degC with a ramp of 10 s."""
    return TemperatureHeld(set_degC=80, start_degC=37, ramp_s=10, time_s=time_s, limits=generator_limits())


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What is compared: reach of 50 degC at half the tip towards a plane, along it and away from it, and so on."""

    near_mm: float
    across_mm: float
    away_mm: float
    length_mm: float
    volume_mm3: float
    initial_ohm: float
    final_ohm: float
    power_W: float
    hottest_degC: float

    def against(self, truth: Found) -> str:
        """Differences from the truth as cells of a table."""
        names = ("near_mm", "across_mm", "away_mm", "length_mm", "volume_mm3", "initial_ohm", "final_ohm", "power_W")
        ratios = [getattr(self, name) / getattr(truth, name) for name in names]
        cells = ["-" if math.isnan(ratio) else f"{100 * (ratio - 1):+.1f} %" for ratio in ratios]
        return " | ".join([*cells, f"{self.hottest_degC - truth.hottest_degC:+.1f}"])


def reach_mm(distances: FloatArray, values: FloatArray) -> float:
    """Where values fall below 50 degC along a line outwards."""
    above = np.flatnonzero(values >= 50)
    last = int(above[-1]) if len(above) else 0
    if not len(above) or last + 1 == len(values):
        return float("nan")
    part = (values[last] - 50) / (values[last] - values[last + 1])
    return float(distances[last] + part * (distances[last + 1] - distances[last])) * 1e3


def conformal(is_beyond: Beyond, angles: int, *, beyond: TissueProperties = BONE, time_s: float = 90.0) -> Found:
    """The lesion on the needle's own grid, in muscle up to a plane and another tissue beyond it."""
    shape = NeedleShape(radius_m=RADIUS, bore_m=BORE, tip_m=TIP, is_conducting=True)
    grid = needle_grid(shape, Resolution(step=0.1, angles=angles, radial_scale_m=0.8e-3), far_m=50e-3)
    samples = np.stack([is_beyond(p).reshape(-1, *grid.shape[1:]).astype(np.intp) for p in revolved_samples(grid)])
    model = HeatModel(
        baseline_degC=37,
        law=conductivity_law(),
        material=needle_material(),
        stops_perfusion=perfusion_stop_set(),
        damage=(),
        thermocouple_m=0.0,
    )
    field = tissue_field([MUSCLE, beyond], samples, is_perfused=True)
    lesion = simulate_lesion(grid, field, generator=generator(time_s), model=model)
    size = measure(grid, lesion.peak_degC, lesion.surface_peak_degC, 50)
    k = grid.end_count + int(np.abs(grid.shaft_nodes_m - TIP / 2).argmin())
    outside = grid.radial_nodes_m[grid.inner :]
    near, across, away = (lesion.peak_degC[grid.inner :, k, angles * part // 4] for part in (0, 1, 2))
    return Found(
        near_mm=reach_mm(outside, near),
        across_mm=reach_mm(outside, across),
        away_mm=reach_mm(outside, away),
        length_mm=size.length_m * 1e3,
        volume_mm3=size.volume_m3 * 1e9,
        initial_ohm=lesion.impedance_initial_ohm,
        final_ohm=lesion.impedance_final_ohm,
        power_W=lesion.power_final_W,
        hottest_degC=lesion.hottest_tissue_degC,
    )


def half_pair(spacing_m: float, time_s: float) -> Found:
    """One electrode of a bipolar pair: what lies beyond the plane between both is a conductor that takes no heat.

    By symmetry that plane is at 0 V and no heat crosses it; impedance and power are doubled to those of the pair.
    """
    mirror = TissueProperties(
        name="mirror",
        electric_S_per_m=1e3,
        thermal_W_per_m_K=1e-6,
        heat_capacity_J_per_m3_K=MUSCLE.heat_capacity_J_per_m3_K,
        perfusion_W_per_m3_K=0.0,
        latent_J_per_m3=0.0,
        flow_gain_fraction=0.0,
    )
    half = conformal(lambda p: p[:, 0] > spacing_m / 2, 32, beyond=mirror, time_s=time_s)
    return replace(
        half,
        near_mm=math.nan,  # ends at the plane
        volume_mm3=2 * half.volume_mm3,
        initial_ohm=2 * half.initial_ohm,
        final_ohm=2 * half.final_ohm,
        power_W=2 * half.power_W,
    )


def revolved_samples(grid: RevolvedGrid) -> list[FloatArray]:
    """27 sets of points (n, 3) spread in the cells outside the needle."""
    spread = (1 / 6, 1 / 2, 5 / 6)
    sets = []
    for u in spread:
        for v in spread:
            r, z = (part[grid.inner :] for part in grid.place(u, v))
            for w in spread:
                angle = (
                    np.arange(grid.angles) + w - 0.5
                ) * grid.angle_step_rad  # the plane lies on the side of angle cell 0
                x, y, h = np.broadcast_arrays(
                    r[:, :, None] * np.cos(angle), r[:, :, None] * np.sin(angle), z[:, :, None]
                )
                sets.append(np.stack([x.ravel(), y.ravel(), h.ravel()], axis=1))
    return sets
