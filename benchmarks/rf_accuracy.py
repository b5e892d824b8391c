"""Measure the heat engine against closed forms and its own refinement; writes docs/validation/rf_accuracy.md.

Errors are those of the grids that are used for results, not of the finest that could be run. Seconds are shown
for orientation and are never a gate.
"""

from __future__ import annotations

import math
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from foramen.knowledge.thermal import tissue_properties
from foramen.physics.bioheat import advance, heat_system, hold
from foramen.physics.conduction import solve_potential
from foramen.physics.damage import cem43_min
from foramen.physics.grid import NeedleShape, Resolution, RevolvedGrid, needle_grid
from foramen.steps.bench import BenchLesion, TimeSteps, bench_lesion

PAGE = Path(__file__).resolve().parents[1] / "docs" / "validation" / "rf_accuracy.md"
NEEDLE = NeedleShape(radius_m=0.635e-3, bore_m=0.419e-3, tip_m=10e-3, is_conducting=False)
MUSCLE = tissue_properties("muscle", frequency_hz=500e3)


def plain_grid(fine_m: float, half_m: float, far_m: float, growth: float = 1.1) -> RevolvedGrid:
    """A cylinder grid without a needle, even within `half_m` of the origin."""
    edges = list(np.linspace(0, half_m, round(half_m / fine_m) + 1))
    cell = fine_m
    while edges[-1] < far_m:
        cell *= growth
        edges.append(edges[-1] + cell)
    half = np.array(edges)
    return RevolvedGrid(
        radial_m=half,
        polar_rad=np.empty(0),
        axial_m=np.concatenate([-half[:0:-1], half]),
        angles=1,
        ball_centre_m=0.0,
        inner=0,
        active_to_m=-math.inf,
    )


def spheroid_error() -> tuple[float, float]:
    """Relative error of resistance, and largest error of potential (V per V), of a 18 G x 10 mm prolate spheroid."""
    half_length, radius = 5e-3, 0.635e-3
    grid = plain_grid(0.05e-3, 6e-3, 0.6)
    r, z = grid.node_r_m[:, :, None], grid.node_z_m[:, :, None]
    electrode = (r / radius) ** 2 + (z / half_length) ** 2 <= 1
    sigma = MUSCLE.electric_S_per_m
    field = solve_potential(grid, np.full(grid.shape, sigma), electrode=electrode, is_low_far=True)
    c = math.sqrt(half_length**2 - radius**2)
    scale = math.log((half_length + c) / (half_length - c))
    xi = (np.hypot(r, z - c) + np.hypot(r, z + c)) / (2 * c)
    outside = (r > radius + 0.5e-3) & (r < 6e-3) & (np.abs(z) < 8e-3)
    exact = np.log((xi[outside] + 1) / (xi[outside] - 1)) / scale
    resistance = scale / (8 * math.pi * sigma * c)
    return abs(field.resistance_ohm / resistance - 1), float(np.abs(field.potential[outside] - exact).max())


def joule_error(step: float) -> float:
    """Largest error of the steady temperature about a needle at 1 V, of its maximum (law: dT = sigma V^2 / 2k)."""
    grid = needle_grid(NEEDLE, Resolution(step=step), far_m=0.05)
    sigma, k = MUSCLE.electric_S_per_m, MUSCLE.thermal_W_per_m_K
    field = solve_potential(grid, np.full(grid.shape, sigma))
    heat = heat_system(grid, np.full(grid.shape, k), np.full(grid.shape, MUSCLE.heat_capacity_J_per_m3_K))
    none = np.zeros(grid.shape)
    rise = advance(heat, sink_W_per_K=none, source_W=field.heat_w, storage_W_per_K=None, start=none)
    exact = sigma / (2 * k) * (2 * field.potential - field.potential**2)
    return float(np.abs(rise - exact).max() / exact.max())


def pennes_error() -> float:
    """Largest error (of its rise) about a perfused sphere of 2 mm held hot, staircased in a plain grid."""
    radius = 2e-3
    grid = plain_grid(0.05e-3, 4e-3, 0.15)
    distance = np.hypot(grid.node_r_m, grid.node_z_m)[:, :, None]
    k, sink = MUSCLE.thermal_W_per_m_K, MUSCLE.perfusion_W_per_m3_K
    system = heat_system(grid, np.full(grid.shape, k), np.ones(grid.shape), is_low_far=True)
    held, source = hold(system, distance <= radius, np.ones(grid.shape))
    flow = np.where(distance <= radius, 0.0, sink * system.volume_m3)
    rise = advance(held, sink_W_per_K=flow, source_W=source, storage_W_per_K=None, start=np.zeros(grid.shape))
    exact = radius / distance * np.exp(-(distance - radius) * math.sqrt(sink / k))
    return float(np.abs(rise - exact)[(distance > radius + 0.2e-3) & (distance < 20e-3)].max())


def usual(step: float = 0.1, fine: float = 1.0) -> BenchLesion:
    """18 G x 10 mm, 80 degC, 90 s in muscle."""
    steps = TimeSteps()
    return bench_lesion(
        outer_diameter_mm=1.27,
        inner_diameter_mm=0.838,
        tip_mm=10.0,
        temperature_degC=80.0,
        time_s=90.0,
        step=step,
        time_steps=replace(
            steps, first_s=steps.first_s / fine, growth=1 + 0.3 / fine, largest_s=steps.largest_s / fine
        ),
    )


def lesion_rows() -> list[str]:
    """Sizes of the usual lesion on three grids and two step sizes."""
    rows = [
        "| grid step | time steps | 45 degC | 50 degC | 60 degC | ohm | energy error | s |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for step, fine in ((0.2, 1.0), (0.1, 1.0), (0.05, 1.0), (0.1, 4.0)):
        started = time.perf_counter()
        found = usual(step, fine)
        seconds = time.perf_counter() - started
        sizes = " | ".join(f"{s.width_mm:.2f} x {s.length_mm:.2f}" for s in found.isotherms.values())
        rows.append(
            f"| {step:g} | {len(found.history.time_s)} | {sizes} | {found.impedance_initial_ohm:.1f} to "
            f"{found.impedance_final_ohm:.1f} | {100 * found.energy.error_fraction:+.2f} % | {seconds:.1f} |"
        )
    return rows


def page() -> str:
    """The measurements as a Markdown page."""
    usual(0.3)  # compiles
    resistance, potential = spheroid_error()
    joule = [joule_error(step) for step in (0.2, 0.1)]
    return "\n".join(
        [
            "# Accuracy of the radiofrequency heat engine",
            "",
            *__doc__.strip().splitlines()[2:],
            "",
            "| closed form | error |",
            "|---|---|",
            f"| prolate spheroid 18 G x 10 mm, resistance | {100 * resistance:.2f} % |",
            f"| the same, potential from 0.5 mm off its surface | {potential:.4f} V per V |",
            f"| shape-independent Joule law on a needle, step 0.1 | {100 * joule[1]:.2f} % of the rise |",
            f"| its order of convergence | {math.log2(joule[0] / joule[1]):.1f} |",
            f"| perfused sphere (Pennes), from 0.2 mm off its surface | {100 * pennes_error():.1f} % of the rise |",
            f"| CEM43 of 60 degC for 1 s | {abs(cem43_min(60, 1) / 2184.5 - 1):.1e} |",
            "",
            "Sphere and spheroid are staircased in a plain cylinder grid by the same solver; the needle's fits.",
            "",
            "The usual lesion (18 G x 10 mm, 80 degC, 90 s, perfused muscle), width x length in mm:",
            "",
            *lesion_rows(),
            "",
            "Made by `benchmarks/rf_accuracy.py`.",
            "",
        ]
    )


if __name__ == "__main__":
    text = page()
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(text, encoding="utf-8")
    print(text)
