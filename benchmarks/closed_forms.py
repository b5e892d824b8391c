"""Closed forms against the solvers of the heat engine; the cases that docs/validation/rf_accuracy.md and tests share.

Spheres have grids of concentric shells, the needle has the grid that fits it, and what fits neither (a spheroid, a
second discretisation of the needle) is staircased in a plain cylinder grid by the same solver.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import erfc

from foramen.knowledge.devices import cannulae_of_gauge
from foramen.knowledge.thermal import tissue_properties
from foramen.physics.bioheat import HeatSystem, advance, backward_formula, heat_system, hold
from foramen.physics.conduction import solve_potential
from foramen.physics.grid import NeedleShape, Resolution, RevolvedGrid, needle_grid

FloatArray = NDArray[np.float64]

MUSCLE = tissue_properties("muscle", frequency_hz=500e3)
SIGMA, THERMAL, CAPACITY = MUSCLE.electric_S_per_m, MUSCLE.thermal_W_per_m_K, MUSCLE.heat_capacity_J_per_m3_K
NEEDLE = NeedleShape(radius_m=0.635e-3, bore_m=0.419e-3, tip_m=10e-3, is_conducting=False)
FAR_M = 0.05


def graded(fine_m: float, until_m: float, far_m: float, growth: float = 1.1) -> FloatArray:
    """Edges from 0: even cells of `fine_m` to `until_m`, then growing to `far_m`."""
    edges = list(np.linspace(0, until_m, round(until_m / fine_m) + 1))
    cell = fine_m
    while edges[-1] < far_m:
        cell *= growth
        edges.append(edges[-1] + cell)
    return np.array(edges)


def cylinder(radial_m: FloatArray, half_m: FloatArray) -> RevolvedGrid:
    """A plain cylinder grid without a needle, symmetric about z = 0."""
    return RevolvedGrid(
        radial_m=radial_m,
        foot_m=np.concatenate([-half_m[:0:-1], half_m]),
        polar_rad=np.full(2 * len(half_m) - 1, math.pi / 2),
        reach_m=np.zeros(2 * len(half_m) - 1),
        angles=1,
        inner=0,
        active_to_m=-math.inf,
    )


def shells(radius_m: float, far_m: float, cells: int) -> RevolvedGrid:
    """Concentric shells about a bare sphere."""
    return RevolvedGrid(
        radial_m=np.geomspace(radius_m, far_m, cells + 1),
        foot_m=np.zeros(5),
        polar_rad=np.linspace(0, math.pi, 5),
        reach_m=np.full(5, radius_m),
        angles=1,
        inner=0,
        active_to_m=math.inf,
    )


def heat_of(grid: RevolvedGrid, *, is_low_far: bool = False) -> HeatSystem:
    """Muscle everywhere."""
    return heat_system(grid, np.full(grid.shape, THERMAL), np.full(grid.shape, CAPACITY), is_low_far=is_low_far)


def steady(system: HeatSystem, source_W: FloatArray, sink_W_per_K: FloatArray | None = None) -> FloatArray:
    """Rise of the steady state."""
    none = np.zeros(source_W.shape)
    sink = none if sink_W_per_K is None else sink_W_per_K
    return advance(system, sink_W_per_K=sink, source_W=source_W, storage_W_per_K=None, start=none)


def sphere_errors() -> tuple[float, float]:
    """Relative error of a sphere's resistance V0 / (4 pi sigma a), and largest error of V0 a / r, per volt."""
    grid = shells(1e-3, 1000.0, 240)
    field = solve_potential(grid, np.full(grid.shape, SIGMA))
    potential = np.abs(field.potential[:, 0, 0] - 1e-3 / grid.radial_nodes_m).max()
    return abs(field.resistance_ohm * 4 * math.pi * SIGMA * 1e-3 - 1), float(potential)


SPHEROIDS = tuple(itertools.product((16, 18, 20, 22), (2.0, 4.0, 5.0, 10.0, 15.0)))
"""Gauge and length in mm of the spheroids: as thick and long as electrodes."""

BESIDE_MM = (0.5, 1.0, 2.0, 3.0, 5.0)
"""Distances from the surface at which the field beside the middle is compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spheroid:
    """A prolate electrode of half axes a > b at 1 V in an endless conductor; c^2 = a^2 - b^2.

    With the confocal coordinate xi (xi_0 = a/c on the surface) the potential is artanh(1/xi) / artanh(1/xi_0), so that
    R = artanh(1/xi_0) / (4 pi sigma c), E = 1 / (artanh(1/xi_0) rho xi) beside the middle (rho^2 = c^2 (xi^2 - 1)) and
    E = c / (artanh(1/xi_0) b^2) at the pole (Smythe, Static and Dynamic Electricity).
    """

    long_m: float
    thick_m: float

    @property
    def focus_m(self) -> float:
        """Half the distance of the foci."""
        return math.sqrt(self.long_m**2 - self.thick_m**2)

    @property
    def span(self) -> float:
        """artanh(1/xi_0)."""
        return math.atanh(self.focus_m / self.long_m)

    @property
    def resistance_ohm(self) -> float:
        """In muscle."""
        return self.span / (4 * math.pi * SIGMA * self.focus_m)

    def beside_V_per_m(self, at_m: float) -> float:
        """Field beside the middle, at a distance from the surface."""
        away = self.thick_m + at_m
        return 1 / (self.span * away * math.hypot(1.0, away / self.focus_m))

    @property
    def pole_V_per_m(self) -> float:
        """Field at the pole."""
        return self.focus_m / (self.span * self.thick_m**2)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpheroidErrors:
    """Relative errors (signed) of one spheroid."""

    resistance: float
    side: dict[float, float]  # field beside the middle by distance from the surface, mm
    pole: float

    @property
    def largest(self) -> float:
        """Largest of them, without its sign."""
        return max(abs(self.resistance), abs(self.pole), *(abs(error) for error in self.side.values()))


def spheroid_errors(gauge: float, tip_mm: float, cells: int = 24) -> SpheroidErrors:
    """A spheroid as thick and long as an electrode, with `cells` across its radius, against its closed form.

    The field on a staircase's own surface is that of its steps. There the field follows from the current I that was
    found, by geometry: a spheroid of half axes a and b gives off the same current per length everywhere, so that
    E = I / (4 pi sigma a b) beside its middle and I / (4 pi sigma b^2) at its pole.
    """
    exact = Spheroid(long_m=tip_mm / 2e3, thick_m=cannulae_of_gauge(gauge)[0].outer_diameter_mm / 2e3)
    long_m, thick_m = exact.long_m, exact.thick_m
    half = graded(2 * thick_m / cells, long_m + 6 * thick_m / cells, 0.6)
    grid = cylinder(graded(thick_m / cells, thick_m * (1 + 2 / cells), 0.6), half)
    r, z = grid.node_r_m[:, :, None], grid.node_z_m[:, :, None]
    inside = (r / thick_m) ** 2 + (z / long_m) ** 2 <= 1
    field = solve_potential(grid, np.full(grid.shape, SIGMA), electrode=inside, is_low_far=True)
    middle = len(grid.shaft_nodes_m) // 2
    across = field.potential[:, middle - 1 : middle + 1, 0].mean(axis=1)
    faces, nodes = grid.radial_m[1:-1], grid.radial_nodes_m
    strength = -np.diff(across) / (np.log(nodes[1:] / nodes[:-1]) * faces)
    is_free = faces > thick_m * 1.001
    away, fall = np.log(faces[is_free]), np.log(strength[is_free])
    on_surface = field.conductance_S / (4 * math.pi * SIGMA * thick_m)
    side = {0.0: on_surface / long_m / exact.beside_V_per_m(0.0) - 1}
    for at_mm in BESIDE_MM:
        found = math.exp(np.interp(math.log(thick_m + at_mm * 1e-3), away, fall))
        side[at_mm] = found / exact.beside_V_per_m(at_mm * 1e-3) - 1
    return SpheroidErrors(
        resistance=field.resistance_ohm / exact.resistance_ohm - 1,
        side=side,
        pole=on_surface / thick_m / exact.pole_V_per_m - 1,
    )


def sphere_joule_error(cells: int = 120) -> float:
    """Steady rise about an insulated sphere, sigma V0^2 / k (a/r - a^2 / 2 r^2); of the largest rise."""
    radius = 1e-3
    grid = shells(radius, 1000.0, cells)
    field = solve_potential(grid, np.full(grid.shape, SIGMA))
    rise = steady(heat_of(grid), field.heat_w)[:, 0, 0]
    ratio = radius / grid.radial_nodes_m
    exact = SIGMA / THERMAL * (ratio - ratio**2 / 2)
    return float(np.abs(rise - exact).max() / exact.max())


def joule_error(step: float) -> float:
    """Steady rise about a needle at 1 V against sigma (2 V phi - phi^2) / 2k; of the largest rise."""
    grid = needle_grid(NEEDLE, Resolution(step=step), far_m=FAR_M)
    field = solve_potential(grid, np.full(grid.shape, SIGMA))
    rise = steady(heat_of(grid), field.heat_w)
    exact = SIGMA / (2 * THERMAL) * (2 * field.potential - field.potential**2)
    return float(np.abs(rise - exact).max() / exact.max())


def pulse_error() -> float:
    """Heat of a 20 ms pulse of 45 V about a sphere of 0.5 mm without time to flow: sigma E^2 t / (rho c), relative."""
    radius, volts, length = 0.5e-3, 45.0, 0.02
    grid = shells(radius, 1.0, 400)
    field = solve_potential(grid, np.full(grid.shape, SIGMA))
    system = heat_of(grid)
    found = volts**2 * field.heat_w * length / system.capacity_J_per_K
    exact = SIGMA * (volts * radius / grid.radial_nodes_m**2) ** 2 * length / CAPACITY
    near = grid.radial_nodes_m < 5 * radius
    return float(np.abs(found[near, 0, 0] / exact[near] - 1).max())


def pennes_staircase_error(fine_m: float = 0.025e-3) -> float:
    """About a perfused sphere of 2 mm held hot, staircased in a plain grid; from 0.2 mm off, of its rise."""
    radius = 2e-3
    half = graded(fine_m, 3e-3, 0.15)
    grid = cylinder(half, half)
    distance = np.hypot(grid.node_r_m, grid.node_z_m)[:, :, None]
    flow = MUSCLE.perfusion_W_per_m3_K
    system = heat_of(grid, is_low_far=True)
    held, source = hold(system, distance <= radius, np.ones(grid.shape))
    rise = steady(held, source, np.where(distance <= radius, 0.0, flow * system.volume_m3))
    exact = radius / distance * np.exp(-(distance - radius) * math.sqrt(flow / THERMAL))
    return float(np.abs(rise - exact)[(distance > radius + 0.2e-3) & (distance < 20e-3)].max())


def _held_shells(cells: int) -> tuple[RevolvedGrid, float, HeatSystem, FloatArray]:
    """Shells whose innermost layer is held at 1 K: grid, radius of that layer's centre, system, source."""
    grid = shells(2e-3, 0.2, cells)
    first = float(grid.radial_nodes_m[0])
    is_held = np.zeros(grid.shape, dtype=bool)
    is_held[0] = True
    held, source = hold(heat_of(grid), is_held, np.ones(grid.shape))
    return grid, first, held, source


def pennes_shells_error(cells: int) -> float:
    """The perfused sphere on concentric shells: dTs (a/r) exp(-(r-a)/lambda), of its rise."""
    grid, first, held, source = _held_shells(cells)
    flow = MUSCLE.perfusion_W_per_m3_K * held.volume_m3
    flow = np.concatenate([np.zeros_like(flow[:1]), flow[1:]])
    rise = steady(held, source, flow)[:, 0, 0]
    nodes = grid.radial_nodes_m
    exact = first / nodes * np.exp(-(nodes - first) * math.sqrt(MUSCLE.perfusion_W_per_m3_K / THERMAL))
    return float(np.abs(rise - exact).max())


def transient_error(steps: int, cells: int) -> float:
    """60 s about a sphere held hot, in growing steps: dTs (a/r) erfc((r-a) / (2 sqrt(alpha t))), of its rise."""
    grid, first, held, source = _held_shells(cells)
    none = np.zeros(grid.shape)
    rise, before, last = none, none, None
    ends = 60.0 * (np.arange(steps + 1) / steps) ** 3
    for start_s, end_s in itertools.pairwise(ends):
        length = end_s - start_s
        # steps that more than double would make the two-step formula unstable
        formula = backward_formula(length, last if last is not None and length < 2.2 * last else None)
        inertia = held.capacity_J_per_K * (formula.last * rise - formula.before * before) / length
        storage = held.capacity_J_per_K * formula.now / length
        found = advance(
            held, sink_W_per_K=none, source_W=source + inertia, storage_W_per_K=storage, start=rise, tolerance=1e-9
        )
        before, rise, last = rise, found, length
    nodes = grid.radial_nodes_m
    exact = first / nodes * erfc((nodes - first) / (2 * math.sqrt(THERMAL / CAPACITY * 60)))
    return float(np.abs(rise[:, 0, 0] - exact).max())


def staircase_agreement() -> tuple[float, float]:
    """A staircase of the needle in a plain grid against the grid that fits it: resistance, and steady rise at 1 V.

    The rise is compared beside the middle of the tip, 1 to 10 mm from the axis, and given as a part of the largest.
    """
    radius, tip = NEEDLE.radius_m, NEEDLE.tip_m
    fine = radius / 16
    half = graded(fine, tip / 2 + 1e-3, FAR_M)
    grid = cylinder(graded(fine, 2 * radius, FAR_M), half)
    r, z = grid.node_r_m[:, :, None], grid.node_z_m[:, :, None] + tip / 2
    inside = ((r <= radius) & (z >= radius)) | (np.hypot(r, z - radius) <= radius)
    sigma = np.where(inside & (z > tip), 0.0, SIGMA)
    field = solve_potential(grid, sigma, electrode=inside & (z <= tip), is_low_far=True)
    thermal = np.where(inside, 0.0, THERMAL)
    system = heat_system(grid, thermal, np.ones(grid.shape), is_low_far=True)
    # cells of the needle exchange no heat: held at 0 so that the system stays regular
    held, source = hold(system, inside, np.zeros(grid.shape))
    rise = steady(held, np.where(inside, 0.0, field.heat_w) + source)
    fitted = needle_grid(NEEDLE, Resolution(step=0.1), far_m=FAR_M)
    flat = solve_potential(fitted, np.full(fitted.shape, SIGMA))
    other = steady(heat_of(fitted), flat.heat_w)
    at_m = np.linspace(1e-3, 10e-3, 19)
    middle = len(grid.shaft_nodes_m) // 2
    here = np.interp(at_m, grid.radial_nodes_m, rise[:, middle - 1 : middle + 1, 0].mean(axis=1))
    heights = fitted.shaft_nodes_m
    k = fitted.end_count + int(np.abs(heights - tip / 2).argmin())
    there = np.interp(at_m, fitted.radial_nodes_m, other[:, k, 0])
    return field.resistance_ohm / flat.resistance_ohm - 1, float(np.abs(here - there).max() / other.max())
