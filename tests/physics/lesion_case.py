"""Lesions in plain muscle for tests, on coarse grids."""

from __future__ import annotations

import dataclasses

import numpy as np

from foramen.knowledge.thermal import (
    conductivity_law,
    damage_set,
    generator_limits,
    needle_material,
    perfusion_stop_set,
    tissue_properties,
)
from foramen.model.thermal import GeneratorLimits
from foramen.physics.contours import Extent, measure
from foramen.physics.generator import Generator, TemperatureHeld
from foramen.physics.grid import NeedleShape, Resolution, RevolvedGrid, needle_grid
from foramen.physics.lesion import HeatModel, Lesion, TimeSteps
from foramen.physics.rf_lesion import simulate_lesion
from foramen.physics.tissue import TissueField, uniform_field


def make_grid(*, step: float = 0.25, angles: int = 1, is_conducting: bool = True, tip_m: float = 10e-3) -> RevolvedGrid:
    """Grid about an 18 G cannula."""
    shape = NeedleShape(radius_m=0.635e-3, bore_m=0.42e-3, tip_m=tip_m, is_conducting=is_conducting)
    return needle_grid(shape, Resolution(step=step, angles=angles), far_m=50e-3)


def make_muscle(grid: RevolvedGrid, *, is_perfused: bool = True, conductivity_scale: float = 1.0) -> TissueField:
    """Muscle everywhere."""
    field = uniform_field(tissue_properties("muscle", frequency_hz=500e3), grid, is_perfused=is_perfused)
    return dataclasses.replace(field, electric_S_per_m=field.electric_S_per_m * conductivity_scale)


def make_model(
    grid: RevolvedGrid,
    *,
    has_law: bool = True,
    thermocouple_m: float = 0.0,
    cool_down_s: float = 0.0,
    fine: float = 1.0,
) -> HeatModel:
    """The usual model; `fine` divides the time steps."""
    return HeatModel(
        baseline_degC=37.0,
        law=conductivity_law() if has_law else None,
        material=needle_material() if grid.inner else None,
        stops_perfusion=perfusion_stop_set(),
        damage=(damage_set("coagulation"),),
        thermocouple_m=thermocouple_m,
        cool_down_s=cool_down_s,
        steps=TimeSteps(first_s=0.1 / fine, growth=1 + 0.3 / fine, largest_s=4.0 / fine),
    )


def make_generator(
    *, set_degC: float = 80.0, time_s: float = 90.0, ramp_s: float = 10.0, limits: GeneratorLimits | None = None
) -> TemperatureHeld:
    """80 degC for 90 s with a ramp of 10 s."""
    return TemperatureHeld(
        set_degC=set_degC, start_degC=37.0, ramp_s=ramp_s, time_s=time_s, limits=limits or generator_limits()
    )


def run_lesion(
    grid: RevolvedGrid | None = None,
    *,
    tissue: TissueField | None = None,
    model: HeatModel | None = None,
    generator: Generator | None = None,
) -> Lesion:
    """A lesion; what is not given is as usual."""
    grid = grid or make_grid()
    return simulate_lesion(
        grid,
        tissue or make_muscle(grid),
        generator=generator or make_generator(),
        model=model or make_model(grid),
    )


def extent(lesion: Lesion, level_degC: float) -> Extent:
    """Extent of an isotherm."""
    return measure(lesion.grid, lesion.peak_degC, lesion.surface_peak_degC, level_degC)


def as_numbers(found: Extent) -> tuple[float, float, float]:
    """Width and length in mm, volume in mm3."""
    return found.width_m * 1e3, found.length_m * 1e3, found.volume_m3 * 1e9


def distance_across_m(grid: RevolvedGrid) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Signed distance of every cell outside the needle from the plane through its axis, (nr - inner, nk, nj)."""
    return (grid.node_r_m[:, :, None] * np.cos(grid.angle_nodes_rad))[grid.inner :]
