"""How the cost of a lesion grows with its cells, and what share of the memory's speed its solver reaches.

Everything is measured in one run on one thread, as a lesion uses one. Iterations are counted, an exponent is fitted,
seconds are for orientation. The bytes are those that the solver's loops must touch if nothing stays in a cache; a share
of the triad above 1 says that much stays there.
"""

from __future__ import annotations

import json
import time

import numpy as np
from numba import njit
from numpy.typing import NDArray

from foramen.physics.bioheat import heat_system, implicit_system
from foramen.physics.grid import NeedleShape, Resolution, needle_grid
from foramen.steps.bench import bench_lesion

FloatArray = NDArray[np.float64]

SHAPE = NeedleShape(radius_m=0.635e-3, bore_m=0.419e-3, tip_m=10e-3, is_conducting=True)
GRIDS = ((0.32, 8), (0.24, 12), (0.18, 16), (0.13, 24), (0.1, 32))
BENCH_STEPS = (0.4, 0.28, 0.2, 0.14, 0.1)
ARRAYS_PER_ITERATION = 30
"""Arrays of one number per cell that are read or written in an iteration: 6 to apply the system, 10 and 3 to
precondition it by half-planes and mean, 11 to update and multiply vectors."""

TRIAD_NUMBERS = 20_000_000


@njit(cache=False, fastmath=True)
def _triad(a: FloatArray, b: FloatArray, c: FloatArray) -> None:
    for p in range(a.size):
        a[p] = b[p] + 3.0 * c[p]


def triad_GB_per_s() -> float:
    """Best of five sweeps of a = b + 3 c on one thread (24 bytes for each number)."""
    a, b, c = (np.ones(TRIAD_NUMBERS) for _ in range(3))
    best = np.inf
    for _ in range(6):
        started = time.perf_counter()
        _triad(a, b, c)
        best = min(best, time.perf_counter() - started)
    return 24 * TRIAD_NUMBERS / best / 1e9


def solver_row(step: float, angles: int) -> dict[str, float]:
    """One implicit step of 4 s of heat from the needle through tissue that differs from angle to angle."""
    grid = needle_grid(SHAPE, Resolution(step=step, angles=angles), far_m=0.05)
    across = grid.node_r_m[:, :, None] * np.cos(grid.angle_nodes_rad)
    conductivity = np.where(across > 1.5e-3, 0.3, 0.5)
    conductivity[: grid.inner] = 15.0
    capacity = np.full(grid.shape, 3.7e6)
    system = heat_system(grid, conductivity, capacity)
    none = np.zeros(grid.shape)
    implicit = implicit_system(system, sink_W_per_K=none, storage_W_per_K=system.capacity_J_per_K / 4.0)
    source = none.copy()
    source[grid.inner] = 1e-3
    _, iterations = implicit.solve(source, none, tolerance=1e-8, what="heat")
    best = np.inf
    for _ in range(5):
        started = time.perf_counter()
        implicit.solve(source, none, tolerance=1e-8, what="heat")
        best = min(best, time.perf_counter() - started)
    cells, mean = int(np.prod(grid.shape)), implicit.factors[1].size
    touched = 8 * (ARRAYS_PER_ITERATION * cells + 2 * mean) * (iterations + 1)
    return {"cells": cells, "iterations": iterations, "seconds": best, "GB_per_s": touched / best / 1e9}


def bench_row(step: float) -> dict[str, float]:
    """The usual lesion in uniform muscle."""
    setting = {"outer_diameter_mm": 1.27, "inner_diameter_mm": 0.838, "tip_mm": 10.0, "temperature_degC": 80.0}
    times = []
    for _ in range(5):
        times.append(bench_lesion(**setting, time_s=120.0, step=step).elapsed_s)  # type: ignore[arg-type]
    grid = needle_grid(SHAPE, Resolution(step=step), far_m=0.05)
    return {"step": step, "cells": int(np.prod(grid.shape)), "seconds": min(times)}


def exponent(rows: list[dict[str, float]]) -> float:
    """Slope of log seconds over log cells."""
    cells, seconds = (np.log([row[name] for row in rows]) for name in ("cells", "seconds"))
    return float(np.polyfit(cells, seconds, 1)[0])


def measure() -> dict[str, object]:
    """Tables, exponents, and the share of the triad's speed."""
    solver = [solver_row(step, angles) for step, angles in GRIDS]
    bench = [bench_row(step) for step in BENCH_STEPS]
    triad = triad_GB_per_s()
    largest = solver[-1]["GB_per_s"]
    return {
        "solver_3d": solver,
        "solver_3d_exponent": exponent(solver),
        "bench_lesion": bench,
        "bench_lesion_exponent": exponent(bench),
        "triad_GB_per_s": triad,
        "share_of_triad_at_most_cells": largest / triad,
        "threads": 1,
    }


if __name__ == "__main__":
    print(json.dumps(measure(), indent=1))
