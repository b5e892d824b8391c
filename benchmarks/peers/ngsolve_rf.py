"""The peer of Foramen's heat engine: the same equations in NGSolve, as one who knows NGSolve would set them up.

Quadratic elements, curved where the needle is; conductivity and perfusion at the integration points; the same steps
and update rules as `foramen.physics.rf_lesion`. Lengths in mm: a property per metre is divided by 1e3, one per cubic
metre by 1e9, so that W, V, ohm and s stay.

Of NGSolve's solvers the fastest here is the conjugate gradient from the step before with a Jacobi preconditioner:
ten steps of the patient's case on 38,000 tetrahedra took 11 s with it, 24 s with a first factor kept as
preconditioner, 36 s with a new factor at every step, 52 s with "h1amg" and 57 s with "bddc" (their set-up, renewed with
every matrix, outweighs the iterations they save); "multigrid" needs a hierarchy of meshes. In the plane the sparse
factor is faster.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field

import ngsolve as ng
import numpy as np
from ngsolve.comp import IntegrationRuleSpace
from ngsolve.krylovspace import CGSolver
from numpy.typing import NDArray

from benchmarks.peers.ngsolve_extent import plane_extent, solid_extent
from benchmarks.peers.ngsolve_mesh import OWN, plane_mesh, solid_mesh
from benchmarks.peers.rf_case import BASELINE_DEGC, Case, Outcome
from foramen.model.thermal import ConductivityLaw, DamageSet
from foramen.physics.bioheat import backward_formula
from foramen.physics.damage import GAS_CONSTANT_J_PER_MOL_K
from foramen.physics.lesion import TimeSteps
from foramen.units import KELVIN_AT_ZERO_DEGC

FloatArray = NDArray[np.float64]

THREADS = 2

WITHIN_MM = 1e-3
"""How far within the metal a thermocouple at the pole is read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """How the peer solves.

    Parameters
    ----------
    size : float
        Of the mesh, see `ngsolve_mesh`.
    order : int
        Of the elements, 1 or 2.
    is_direct : bool
        Factorise every matrix anew, instead of iterating from the step before.
    tolerance : float
        Of the iteration, relative to the right side, in the preconditioner's norm.
    steps : TimeSteps or None
        Other steps than the case's.
    fixed_step_s : float or None
        One length for all steps.
    stop_after : int or None
        Steps after which the run is broken off, to time a part of it.
    end_shape : str or float
        End of the needle in the plane, see `ngsolve_mesh`.
    """

    size: float
    order: int = 2
    is_direct: bool = False
    tolerance: float = 1e-5
    steps: TimeSteps | None = None
    fixed_step_s: float | None = None
    stop_after: int | None = None
    end_shape: str | float = OWN


def run_ngsolve(case: Case, setting: Setting) -> Outcome:
    """The case by finite elements; seconds include mesh and evaluation."""
    started = time.perf_counter()
    ng.SetNumThreads(THREADS)
    ng.ngsglobals.msg_level = 0
    is_solid = case.layers is not None
    with ng.TaskManager():
        mesh = solid_mesh(case, setting.size) if is_solid else plane_mesh(case, setting.size, setting.end_shape)
        meshed = time.perf_counter()
        run = _Run(case, setting, mesh)
        run.all_steps()
        solved = time.perf_counter()
        size = (solid_extent if is_solid else plane_extent)(case, mesh, run.peak, run.tissue)
    ended = time.perf_counter()
    return Outcome(
        width_mm=size[0],
        length_mm=size[1],
        volume_mm3=size[2],
        hottest_degC=run.hottest_degC,
        impedance_initial_ohm=run.initial_ohm,
        impedance_final_ohm=run.log.ohm[-1],
        power_final_W=run.log.power_W[-1],
        power_mean_W=run.log.delivered_J / case.time_s,
        unknowns=run.rise.space.ndof,
        steps=len(run.log.ohm),
        seconds=ended - started,
        parts_s={"mesh": meshed - started, "steps": solved - meshed, "extent": ended - solved},
    )


def usual_script(case: Case, size: float, *, steps: int) -> tuple[Outcome, float]:
    """The usual way: steps of 0.5 s, every matrix factorised; the outcome after `steps`, and seconds for all steps.

    The seconds of a run that is broken off are extrapolated by the number of its steps.
    """
    fixed = 0.5
    found = run_ngsolve(case, Setting(size=size, is_direct=True, fixed_step_s=fixed, stop_after=steps))
    total = round(case.time_s / fixed)
    parts = found.parts_s
    return found, parts["mesh"] + parts["extent"] + parts["steps"] * total / found.steps


def conductivity(law: ConductivityLaw, rise: ng.CoefficientFunction) -> ng.CoefficientFunction:
    """sigma / sigma0 at a temperature rise: the law of `foramen.physics.tissue.conductivity_factor`."""
    degC = rise + BASELINE_DEGC
    capped = ng.IfPos(degC - law.boiling_from_degC, law.boiling_from_degC, degC)
    linear = 1 + law.slope_per_K * (capped - law.reference_degC)
    kept = ng.IfPos(linear - 0.01, linear, 0.01)
    boiled = (degC - law.boiling_from_degC) / (law.boiling_to_degC - law.boiling_from_degC)
    share = ng.IfPos(boiled, ng.IfPos(boiled - 1, 1, boiled), 0)
    return kept * ng.IfPos(boiled, ng.exp(math.log(law.boiled_fraction) * share), 1)


def damage_rate(damage: DamageSet, rise: ng.CoefficientFunction) -> ng.CoefficientFunction:
    """d Omega / dt from the lowest temperature of the set's window on."""
    absolute = rise + BASELINE_DEGC + KELVIN_AT_ZERO_DEGC
    exponent = math.log(damage.frequency_per_s) - damage.activation_J_per_mol / GAS_CONSTANT_J_PER_MOL_K / absolute
    return ng.IfPos(rise + BASELINE_DEGC - damage.temperature_low_degC, ng.exp(exponent), 0)


@dataclass(slots=True)
class _Log:
    power_W: list[float] = field(default_factory=list)
    ohm: list[float] = field(default_factory=list)
    delivered_J: float = 0.0


class _Run:
    """One simulation: forms that are assembled at every step, and the fields that move."""

    def __init__(self, case: Case, setting: Setting, mesh: ng.Mesh) -> None:
        self.case, self.setting, self.mesh = case, setting, mesh
        self.model, self.generator, self.log = case.model, case.generator, _Log()
        self.tissue = mesh.Materials("|".join(case.tissues))
        self.weight = 2 * math.pi * ng.x if mesh.dim == 2 else ng.CF(1)
        self.space = ng.H1(mesh, order=setting.order, dirichlet="far")
        self.rise, self.before, self.response, self.idle, self.ahead, self.peak = (
            ng.GridFunction(self.space) for _ in range(6)
        )
        self.nodes = _Nodes(mesh, setting.order)
        self.highest = np.zeros(self.space.ndof)
        self._heat_forms()
        self._potential_forms()
        self.last_s: float | None = None
        self.solve_potential()
        self.initial_ohm = 1 / self.conductance_S

    def _material(self, attribute: str, wall: float, core: float, scale: float) -> ng.CoefficientFunction:
        values = {tissue.name: scale * getattr(tissue, attribute) for tissue in self.case.table}
        return self.mesh.MaterialCF({**values, "wall": scale * wall, "core": scale * core})

    def _heat_forms(self) -> None:
        """Conduction and storage, which stay; perfusion by what has coagulated at the integration points."""
        metal, stops = self.model.material, self.model.stops_perfusion
        if metal is None or stops is None:
            raise ValueError("The peer models a conducting needle and perfusion that stops.")
        u, v = self.space.TnT()
        thermal = self._material("thermal_W_per_m_K", metal.wall_W_per_m_K, metal.core_W_per_m_K, 1e-3)
        capacity = self._material("heat_capacity_J_per_m3_K", metal.wall_J_per_m3_K, metal.core_J_per_m3_K, 1e-9)
        flow = self._material("perfusion_W_per_m3_K", 0, 0, 1e-9)
        points = IntegrationRuleSpace(self.mesh, order=self.setting.order)
        self.coagulated = ng.GridFunction(points)
        at_points = ng.dx(intrules=points.GetIntegrationRules())
        self.conduction, self.storage, self.perfusion = (ng.BilinearForm(self.space) for _ in range(3))
        self.conduction += self.weight * thermal * ng.grad(u) * ng.grad(v) * ng.dx
        self.storage += self.weight * capacity * u * v * ng.dx
        stopping = 1 - self._material("keeps_flowing", 0, 0, 1)  # a vessel flows on
        left = ng.exp(-stopping * self.coagulated)
        self.perfusion += (self.weight * flow * left).Compile() * u * v * at_points
        for form in (self.conduction, self.storage, self.perfusion):
            form.Assemble()
        self.heat = self.conduction.mat.CreateMatrix()
        self.rate = damage_rate(stops, (self.rise + self.before) / 2).Compile()

    def _potential_forms(self) -> None:
        """Current and its heat, with the conductivity at the extrapolated temperature."""
        law = self.model.law
        if law is None:
            raise ValueError("The peer models a conductivity that changes with temperature.")
        order = self.setting.order
        space = ng.Compress(ng.H1(self.mesh, order=order, dirichlet="bare|far", definedon=self.tissue))
        u, v = space.TnT()
        self.potential = ng.GridFunction(space)
        self.potential.Set(1, definedon=self.mesh.Boundaries("bare"))
        sigma = (self.weight * self._material("electric_S_per_m", 0, 0, 1e-3) * conductivity(law, self.ahead)).Compile()
        self.current = ng.BilinearForm(space)
        self.current += sigma * ng.grad(u) * ng.grad(v) * ng.dx(self.tissue)
        gradient = ng.grad(self.potential)
        self.joule = ng.LinearForm(self.space)
        self.joule += (sigma * gradient * gradient).Compile() * self.space.TestFunction() * ng.dx(self.tissue)

    def solver(self, matrix: ng.BaseMatrix, space: ng.FESpace) -> _Solver:
        """What solves with a matrix that has just been assembled."""
        return _Solver(matrix, space.FreeDofs(), self.setting)

    def solve_potential(self) -> None:
        """The potential of 1 V at the extrapolated temperature, from the one before; and its conductance."""
        self.current.Assemble()
        x, matrix = self.potential.vec, self.current.mat
        nothing = x.CreateVector()
        nothing[:] = 0
        self.solver(matrix, self.potential.space).solve(nothing, x)
        nothing.data = matrix * x
        self.conductance_S = ng.InnerProduct(nothing, x)

    def sensed(self, rise: ng.GridFunction) -> float:
        """Temperature rise at the thermocouple."""
        height = max(1e3 * self.case.thermocouple_m, WITHIN_MM)
        where = (0, height) if self.mesh.dim == 2 else (0, 0, height)
        return float(rise(self.mesh(*where)))

    def all_steps(self) -> None:
        """Run to the end."""
        now = 0.0
        while now < self.case.time_s - 1e-9 and len(self.log.ohm) != self.setting.stop_after:
            now = self.step(now)
        self.peak.vec.FV().NumPy()[:] = self.nodes.unknowns(self.highest)

    @property
    def hottest_degC(self) -> float:
        """Hottest node of the tissue at any time."""
        nodes = np.array(list(self.space.GetDofs(self.tissue)))
        return float(self.highest[nodes].max()) + BASELINE_DEGC

    def next_step_s(self, time_s: float) -> float:
        """Foramen's rule: short after a kink, landing on every kink."""
        if self.setting.fixed_step_s is not None:
            return self.setting.fixed_step_s
        rules = self.setting.steps or self.case.steps
        length = rules.first_s if self.last_s is None else min(self.last_s * rules.growth, rules.largest_s)
        ahead = next(kink - time_s for kink in (self.case.ramp_s, self.case.time_s) if kink > time_s + 1e-9)
        if length >= ahead - 1e-9:
            return ahead
        return min(length, max(ahead / 2, rules.first_s / 2)) if length > 0.7 * ahead else length

    def step(self, time_s: float) -> float:
        """Advance by one step; returns the new time."""
        length = self.next_step_s(time_s)
        formula = backward_formula(length, self.last_s)
        ratio = 0.0 if self.last_s is None else length / self.last_s
        rise, before, idle, response = (x.vec for x in (self.rise, self.before, self.idle, self.response))
        self.ahead.vec.data = (1 + ratio) * rise - ratio * before
        self.perfusion.Assemble()
        self.heat.AsVector().data = (
            self.conduction.mat.AsVector()
            + (formula.now / length) * self.storage.mat.AsVector()
            + self.perfusion.mat.AsVector()
        )
        solver = self.solver(self.heat, self.space)
        past, inertia = rise.CreateVector(), rise.CreateVector()
        past.data = (formula.last / length) * rise - (formula.before / length) * before
        inertia.data = self.storage.mat * past
        idle.data = self.ahead.vec
        solver.solve(inertia, idle)
        self.solve_potential()
        self.joule.Assemble()
        solver.solve(self.joule.vec, response)
        now = time_s + length
        wanted = self.generator.wanted_degC(now) - BASELINE_DEGC
        demand = max((wanted - self.sensed(self.idle)) / self.sensed(self.response), 0.0)
        square = min(demand, self.generator.ceiling_V2(self.conductance_S))
        before.data = rise
        rise.data = idle + square * response
        self._record(length, square)
        self.last_s = None if abs(now - self.case.ramp_s) < 1e-9 else length
        return now

    def _record(self, length: float, square: float) -> None:
        self.coagulated.Interpolate(self.coagulated + length * self.rate)
        np.maximum(self.highest, self.nodes.values(self.rise.vec.FV().NumPy()), out=self.highest)
        power = square * self.conductance_S
        self.log.power_W.append(power)
        self.log.ohm.append(1 / self.conductance_S)
        self.log.delivered_J += power * length


class _Nodes:
    """Values at vertices and edge midpoints of a field of order 1 or 2, whose edge unknowns are bubbles."""

    BUBBLE = -0.125
    """Value of NGSolve's quadratic edge function at the midpoint."""

    def __init__(self, mesh: ng.Mesh, order: int) -> None:
        self.vertices = mesh.nv
        ends = [[v.nr for v in edge.vertices] for edge in mesh.edges] if order == 2 else []
        self.first, self.second = np.array(ends, dtype=int).reshape(-1, 2).T

    def _chords(self, vertices: FloatArray) -> FloatArray:
        middle: FloatArray = (vertices[self.first] + vertices[self.second]) / 2
        return middle

    def values(self, unknowns: FloatArray) -> FloatArray:
        """Values at the nodes."""
        vertices, bubbles = np.split(unknowns, [self.vertices])
        return np.concatenate([vertices, self._chords(vertices) + self.BUBBLE * bubbles])

    def unknowns(self, values: FloatArray) -> FloatArray:
        """Unknowns of the field with these values."""
        vertices, middles = np.split(values, [self.vertices])
        return np.concatenate([vertices, (middles - self._chords(vertices)) / self.BUBBLE])


class _Solver:
    """Solves with one matrix, by its factor or by iterating."""

    def __init__(self, matrix: ng.BaseMatrix, free: ng.BitArray, setting: Setting) -> None:
        self.matrix, self.free, self.setting = matrix, free, setting
        self.inverse = matrix.Inverse(free, "sparsecholesky") if setting.is_direct else matrix.CreateSmoother(free)

    def solve(self, right: ng.BaseVector, x: ng.BaseVector) -> None:
        """Change x on the free unknowns until matrix x = right, from the start in x."""
        rest, update = right.CreateVector(), right.CreateVector()
        rest.data = right - self.matrix * x
        if self.setting.is_direct:
            x.data += self.inverse * rest
            return
        update.data = self._free(right, x)
        scale = math.sqrt(ng.InnerProduct(self.inverse * update, update))
        update[:] = 0
        limit = self.setting.tolerance * scale
        solver = CGSolver(mat=self.matrix, pre=self.inverse, atol=limit, tol=1e-30, maxiter=3000)
        solver.Solve(rhs=rest, sol=update)
        x.data += update

    def _free(self, right: ng.BaseVector, x: ng.BaseVector) -> ng.BaseVector:
        """The right side as the free unknowns see it: less what the held ones contribute."""
        held = x.CreateVector()
        held.data = x
        values, free = held.FV().NumPy(), np.array(self.free, dtype=bool)
        values[free] = 0
        result = right.CreateVector()
        result.data = right - self.matrix * held
        return result
