"""Exact solutions, and grids without a needle on which the same solvers are compared with them."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from foramen.physics.grid import RevolvedGrid

FloatArray = NDArray[np.float64]

SIGMA = 0.4459  # muscle at 500 kHz, S/m
THERMAL = 0.49497  # muscle, W/m/K
CAPACITY = 1090.4 * 3421.2  # muscle, J/m3/K
SINK = 0.0006677 * 3796945.75  # muscle perfusion x heat capacity of blood, W/m3/K


def graded(fine: float, until: float, growth: float, far: float) -> FloatArray:
    """Edges from 0: even cells of `fine` to `until`, then growing by `growth` per cell to `far`."""
    edges = list(np.linspace(0, until, round(until / fine) + 1))
    cell = fine
    while edges[-1] < far:
        cell *= growth
        edges.append(edges[-1] + cell)
    return np.array(edges)


def cylinder_grid(
    *, fine_m: float, until_r_m: float, until_z_m: float, far_m: float, growth: float = 1.12, angles: int = 1
) -> RevolvedGrid:
    """A plain cylinder grid (r, z) without a needle, even near the origin."""
    half = graded(fine_m, until_z_m, growth, far_m)
    return RevolvedGrid(
        radial_m=graded(fine_m, until_r_m, growth, far_m),
        foot_m=np.concatenate([-half[:0:-1], half]),
        polar_rad=np.full(2 * len(half) - 1, math.pi / 2),
        reach_m=np.zeros(2 * len(half) - 1),
        angles=angles,
        inner=0,
        active_to_m=-math.inf,
    )


def sphere_grid(*, radius_m: float, far_m: float, cells: int, polar: int = 8, angles: int = 1) -> RevolvedGrid:
    """Concentric shells about a bare sphere."""
    return RevolvedGrid(
        radial_m=np.geomspace(radius_m, far_m, cells + 1),
        foot_m=np.zeros(polar + 1),
        polar_rad=np.linspace(0, math.pi, polar + 1),
        reach_m=np.full(polar + 1, radius_m),
        angles=angles,
        inner=0,
        active_to_m=math.inf,
    )


def spheroid_resistance_ohm(half_length_m: float, radius_m: float, sigma: float) -> float:
    """Resistance of a prolate spheroid to infinity: L / (8 pi sigma c)."""
    c = math.sqrt(half_length_m**2 - radius_m**2)
    return math.log((half_length_m + c) / (half_length_m - c)) / (8 * math.pi * sigma * c)


def spheroid_potential(half_length_m: float, radius_m: float, r_m: FloatArray, z_m: FloatArray) -> FloatArray:
    """Potential of a prolate spheroid at 1 V in unbounded space."""
    c = math.sqrt(half_length_m**2 - radius_m**2)
    xi = (np.hypot(r_m, z_m - c) + np.hypot(r_m, z_m + c)) / (2 * c)
    first = half_length_m / c
    potential: FloatArray = np.log((xi + 1) / (xi - 1)) / math.log((first + 1) / (first - 1))
    return potential
