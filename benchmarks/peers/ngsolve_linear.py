"""A lesion with properties that do not change, about any needle end, by finite elements: linear, so quick and exact.

Conductivities stay, perfusion stays, and the current's heat is in proportion to the square of the voltage. So one
march of the warming after a first pulse of heat tells every later state, and the voltage that keeps a thermocouple at
its temperature follows from sums over that march; the place of the thermocouple may be chosen afterwards.
Backward Euler in time, quadratic elements. Lengths in mm as in `ngsolve_rf`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import ngsolve as ng
import numpy as np
from numpy.typing import NDArray

from benchmarks.peers.ngsolve_extent import top
from benchmarks.peers.rf_case import BASELINE_DEGC, LEVEL_DEGC, Case

FloatArray = NDArray[np.float64]
Line = Callable[[FloatArray], tuple[FloatArray, FloatArray, FloatArray]]
RISE_K = LEVEL_DEGC - BASELINE_DEGC
REACH_MM = 20.0
HALVINGS = 14
HEIGHTS, ANGLES, DIRECTIONS = 25, 24, 48


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """The 50 degC region at the end.

    Widths (mm) in the plane of symmetry and across it, needle included; how far its middle lies to the point's side of
    the axis (mm); length (mm); volume without the needle (mm^3); and the power (W).
    """

    along_mm: float
    across_mm: float
    lean_mm: float
    length_mm: float
    volume_mm3: float
    power_W: float

    @property
    def width_mm(self) -> float:
        """Mean of the two widths."""
        return (self.along_mm + self.across_mm) / 2


class Heating:
    """The march after one pulse of heat about one needle.

    Parameters
    ----------
    case : Case
        With one tissue.
    mesh : ngsolve.Mesh
        Of `ngsolve_points`, a half-plane or a half-space.
    step_s : float
        Length of the steps.
    """

    def __init__(self, case: Case, mesh: ng.Mesh, step_s: float) -> None:
        self.case, self.mesh, self.step_s = case, mesh, step_s
        self.is_solid = mesh.dim == 3
        self.weight = ng.CF(2) if self.is_solid else 2 * math.pi * ng.x
        self.tissue = mesh.Materials(case.tissues[0])
        self.space = ng.H1(mesh, order=2, dirichlet="far")
        self.field = ng.GridFunction(self.space)
        self.conductance_S, joule = self._potential()
        self.pulse = self._march(joule)

    @property
    def ohm(self) -> float:
        """Cold resistance."""
        return 1 / self.conductance_S

    def _potential(self) -> tuple[float, ng.LinearForm]:
        """Conductance, and the heat of 1 V."""
        space = ng.Compress(ng.H1(self.mesh, order=2, dirichlet="bare|far", definedon=self.tissue))
        u, v = space.TnT()
        sigma = self.weight * 1e-3 * self.case.table[0].electric_S_per_m
        current = ng.BilinearForm(sigma * ng.grad(u) * ng.grad(v) * ng.dx(self.tissue)).Assemble()
        potential = ng.GridFunction(space)
        potential.Set(1, definedon=self.mesh.Boundaries("bare"))
        rest = potential.vec.CreateVector()
        rest.data = current.mat * potential.vec
        potential.vec.data -= current.mat.Inverse(space.FreeDofs(), "sparsecholesky") * rest
        rest.data = current.mat * potential.vec
        conductance = float(ng.InnerProduct(rest, potential.vec))
        gradient = ng.grad(potential)
        joule = ng.LinearForm(sigma * gradient * gradient * self.space.TestFunction() * ng.dx(self.tissue)).Assemble()
        return conductance, joule

    def _march(self, joule: ng.LinearForm) -> FloatArray:
        """Rises (steps, unknowns) after a heat of 1 V in the first step alone."""
        metal, tissue = self.case.model.material, self.case.table[0]
        if metal is None:
            raise ValueError("The needle conducts heat.")
        name = self.case.tissues[0]
        thermal = self.mesh.MaterialCF(
            {name: tissue.thermal_W_per_m_K, "wall": metal.wall_W_per_m_K, "core": metal.core_W_per_m_K}
        )
        capacity = self.mesh.MaterialCF(
            {
                name: tissue.heat_capacity_J_per_m3_K,
                "wall": metal.wall_J_per_m3_K,
                "core": metal.core_J_per_m3_K,
            }
        )
        flow = self.mesh.MaterialCF({name: tissue.perfusion_W_per_m3_K, "wall": 0, "core": 0})
        u, v = self.space.TnT()
        storage = ng.BilinearForm(self.weight * 1e-9 / self.step_s * capacity * u * v * ng.dx).Assemble()
        heat = ng.BilinearForm(self.space)
        heat += self.weight * 1e-3 * thermal * ng.grad(u) * ng.grad(v) * ng.dx
        heat += self.weight * 1e-9 * (flow + capacity / self.step_s) * u * v * ng.dx
        heat.Assemble()
        inverse = heat.mat.Inverse(self.space.FreeDofs(), "sparsecholesky")
        right, count = joule.vec, round(self.case.time_s / self.step_s)
        rises = np.empty((count, self.space.ndof))
        for rise in rises:
            self.field.vec.data = inverse * right
            rise[:] = self.field.vec.FV().NumPy()
            right.data = storage.mat * self.field.vec
        return rises

    def held(self, place_mm: tuple[float, float, float]) -> Extent:
        """The region after the case's time, with the thermocouple there (x, y, z) held at the set temperature."""
        sensed = np.empty(len(self.pulse))
        for k, rise in enumerate(self.pulse):
            self.field.vec.FV().NumPy()[:] = rise
            sensed[k] = self.value(*(np.array([x]) for x in place_mm))[0]
        squares = np.zeros(len(sensed))
        for k in range(len(squares)):
            wanted = self.case.generator.wanted_degC((k + 1) * self.step_s) - BASELINE_DEGC
            squares[k] = max(wanted - float(squares[:k] @ sensed[k:0:-1]), 0.0) / sensed[0]
        self.field.vec.FV().NumPy()[:] = squares[::-1] @ self.pulse
        return self._extent(float(squares[-1]) * self.conductance_S)

    def value(self, x: FloatArray, y: FloatArray, z: FloatArray) -> FloatArray:
        """Rise of the present field at points."""
        points = np.broadcast_arrays(x, y, z)
        shape = points[0].shape
        x, y, z = (p.ravel() for p in points)
        where = (x, np.abs(y), z) if self.is_solid else (np.hypot(x, y), z)
        found: FloatArray = self.field(self.mesh(*where)).reshape(shape)
        return found

    def _extent(self, power_W: float) -> Extent:
        tip, radius = 1e3 * self.case.shape.tip_m, 1e3 * self.case.shape.radius_m
        turns = ANGLES if self.is_solid else 2
        angle = np.arange(turns) * 2 * np.pi / turns
        cos, sin = np.cos(angle), np.sin(angle)
        z = np.linspace(0.1 * tip, 0.9 * tip, 2 * HEIGHTS)[:, None]
        reach = self._crossing(lambda s: (s * cos, s * sin, z), np.zeros((2 * HEIGHTS, turns)))
        across = reach + np.roll(reach, turns // 2, axis=1)
        widest = int(across.mean(axis=1).argmax())
        lean = float(reach[widest, 0] - reach[widest, turns // 2]) / 2
        r = np.linspace(0, 3 * radius, HEIGHTS)[:, None]
        start = np.zeros((HEIGHTS, turns))
        up = self._crossing(lambda s: ((r + 2 * radius) * cos, (r + 2 * radius) * sin, tip / 2 + s), start)
        down = self._crossing(lambda s: (r * cos, r * sin, tip / 2 - s), start)
        cosine, weight = np.polynomial.legendre.leggauss(DIRECTIONS)
        side, cosine = np.sqrt(1 - cosine**2)[:, None], cosine[:, None]
        out = self._crossing(
            lambda s: (s * side * cos, s * side * sin, tip / 2 + s * cosine), np.zeros((DIRECTIONS, turns))
        )
        in_needle = ng.IfPos(self.field - RISE_K, self.weight, 0)
        volume = float(weight @ (out**3).mean(axis=1)) * 2 * np.pi / 3
        volume -= ng.Integrate(in_needle, self.mesh, order=6, definedon=self.mesh.Materials("wall|core"))
        return Extent(
            along_mm=top(across[:, 0]),
            across_mm=top(across[:, turns // 4]),
            lean_mm=lean,
            length_mm=float(up.max() + down.max()),
            volume_mm3=float(volume),
            power_W=power_W,
        )

    def _crossing(self, line: Line, low: FloatArray) -> FloatArray:
        """Distances along lines, hot at their start, where the field falls to the level."""
        high = np.full(low.shape, REACH_MM)
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            is_hot = self.value(*line(middle)) >= RISE_K
            low, high = np.where(is_hot, middle, low), np.where(is_hot, high, middle)
        found: FloatArray = (low + high) / 2
        return found
