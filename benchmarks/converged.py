"""Lesions on finer and finer grids and time steps, and the values to which they tend (Richardson).

The grid step and the time step are refined one at a time. A value tends to
``v + (limit in the grid - v) + (limit in time - v)``, where `v` is that of the shared case; the order of each limit is
the observed one, held between 1 and 2.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from foramen.knowledge.facts import number
from foramen.knowledge.thermal import generator_limits, tissue_properties
from foramen.physics.contours import measure
from foramen.physics.generator import TemperatureHeld
from foramen.physics.grid import NeedleShape, Resolution, RevolvedGrid, needle_grid
from foramen.physics.lesion import Lesion, TimeSteps
from foramen.physics.rf_lesion import simulate_lesion
from foramen.physics.tissue import TissueField, tissue_field, uniform_field
from foramen.steps.bench.setup import BenchSetup

FloatArray = NDArray[np.float64]

SETUP = BenchSetup(outer_diameter_mm=1.27, inner_diameter_mm=0.838, tip_mm=10.0)
"""The usual lesion: 18 G x 10 mm, 80 degC, 90 s with a ramp of 10 s, perfused muscle, conducting cannula."""

LEVELS = (45.0, 50.0, 60.0)
QUANTITIES = (
    *(f"{what} at {level:.0f} degC, mm" for level in LEVELS for what in ("width", "length")),
    "impedance at the start, ohm",
    "impedance at the end, ohm",
    "power at the end, W",
    "mean power, W",
)

BONE_FROM_MM, BONE_TO_MM = 1.5, 3.5
"""A slab of cortical bone on one side of the needle, from and to here; cancellous bone behind it."""
VOXEL_MM = 0.6

TABLE = [tissue_properties(name, frequency_hz=500e3) for name in ("muscle", "bone_cortical", "bone_cancellous")]


def finer(fine: float) -> TimeSteps:
    """The usual time steps, `fine` times as many."""
    steps = TimeSteps()
    return replace(
        steps,
        first_s=steps.first_s / fine,
        growth=1 + (steps.growth - 1) / fine,
        largest_s=steps.largest_s / fine,
    )


def lesion_on(grid: RevolvedGrid, tissue: TissueField, fine: float = 1.0) -> Lesion:
    """The usual lesion on a grid, in a tissue."""
    generator = TemperatureHeld(set_degC=80.0, start_degC=37.0, ramp_s=10.0, time_s=90.0, limits=generator_limits())
    return simulate_lesion(grid, tissue, generator=generator, model=SETUP.model(cool_down_s=0.0, steps=finer(fine)))


def in_muscle(step: float, fine: float = 1.0, angles: int = 1) -> Lesion:
    """The usual lesion in muscle alone."""
    grid = grid_of(SETUP.shape, step, angles)
    return lesion_on(grid, uniform_field(TABLE[0], grid, is_perfused=True), fine)


def grid_of(shape: NeedleShape, step: float, angles: int) -> RevolvedGrid:
    """Grid about a needle out to the usual far field."""
    return needle_grid(shape, Resolution(step=step, angles=angles), far_m=number("tissues.far_field_mm") / 1e3)


def beside_bone(step: float, angles: int, fine: float = 1.0, *, is_voxel: bool = False) -> Lesion:
    """The usual lesion with bone on one side of the needle (x > 0).

    With `is_voxel` cells are sampled as in a patient (eight points of Gauss in a voxel about their centre); otherwise
    within themselves, which tends to the sharp slab.
    """
    grid = grid_of(SETUP.shape, step, angles)
    across = voxel_samples_m(grid) if is_voxel else own_samples_m(grid)
    return lesion_on(grid, tissue_field(TABLE, _slab(across * 1e3), is_perfused=True), fine)


def _slab(across_mm: FloatArray) -> NDArray[np.intp]:
    return (across_mm >= BONE_FROM_MM).astype(np.intp) + (across_mm >= BONE_TO_MM)


def voxel_samples_m(grid: RevolvedGrid) -> FloatArray:
    """x of two points (2, nr - inner, nk, nj) of Gauss in a voxel about every cell outside the needle."""
    centre = (grid.node_r_m[:, :, None] * np.cos(grid.angle_nodes_rad))[grid.inner :]
    half = VOXEL_MM / 1e3 / math.sqrt(12)
    return np.stack([centre - half, centre + half])


def own_samples_m(grid: RevolvedGrid, count: int = 4) -> FloatArray:
    """x of `count` x `count` points (radius, angle) within every cell outside the needle."""
    parts = (np.arange(count) + 0.5) / count
    found = [
        grid.place(away, 0.5)[0][:, :, None] * np.cos(grid.angle_nodes_rad + (turn - 0.5) * grid.angle_step_rad)
        for away in parts
        for turn in parts
    ]
    return np.stack(found)[:, grid.inner :]


def values(lesion: Lesion) -> FloatArray:
    """The `QUANTITIES` of a lesion."""
    found = []
    for level in LEVELS:
        extent = measure(lesion.grid, lesion.peak_degC, lesion.surface_peak_degC, level)
        found += [extent.width_m * 1e3, extent.length_m * 1e3]
    return np.array(
        [
            *found,
            lesion.impedance_initial_ohm,
            lesion.impedance_final_ohm,
            lesion.power_final_W,
            lesion.power_mean_W,
        ]
    )


def limit(sizes: Sequence[float], found: Sequence[FloatArray]) -> FloatArray:
    """Limits for vanishing sizes, of which there are three, each the same part of the one before.

    The order is the observed one, held between 1 and 2; it is 1 where the changes do not shrink steadily.
    """
    coarse, middle, fine = found
    with np.errstate(divide="ignore", invalid="ignore"):
        order = np.log((coarse - middle) / (middle - fine)) / math.log(sizes[0] / sizes[1])
    trusted = np.clip(np.nan_to_num(order, nan=1.0, posinf=2.0, neginf=1.0), 1.0, 2.0)
    end: FloatArray = fine + (fine - middle) / ((sizes[0] / sizes[1]) ** trusted - 1)
    return end


def converged(shared: FloatArray, limits: Sequence[FloatArray]) -> FloatArray:
    """The value when every size vanishes, from the limits of each alone."""
    return shared + np.sum([found - shared for found in limits], axis=0)


def limit_of(run: Callable[[float], Lesion], sizes: Sequence[float]) -> tuple[list[FloatArray], FloatArray]:
    """Values of a lesion for three sizes, and their limits."""
    found = [values(run(size)) for size in sizes]
    return found, limit(sizes, found)
