"""The reduced models of a plan and their errors: everything that does not depend on the seed of the scenarios."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from foramen.anatomy.tissue_map import classify_tissue
from foramen.errors import InputError
from foramen.geometry.needle_frame import needle_frame
from foramen.jobs.blas import with_one_blas_thread
from foramen.knowledge.facts import number, numbers
from foramen.model.anatomy import Anatomy
from foramen.model.case import Case
from foramen.model.plan import Plan, RfHeatEffect
from foramen.model.space import FloatArray
from foramen.physics.grid import Resolution
from foramen.physics.placed_lesion import PlacedLesion
from foramen.planning.checks import boils
from foramen.planning.robust.basis import Basis, Solve, basis_of, wanted_solves
from foramen.planning.robust.estimate import Laws
from foramen.planning.robust.outcome import Outcome, Reduced, full_outcome
from foramen.planning.robust.scenario import Sampler, Scenario, moved_trajectory
from foramen.planning.robust.scene import Scene, scenes_of
from foramen.planning.robust.surrogate_error import error_law, margin_errors, rise_errors
from foramen.planning.robust.uncertainty import Uncertainty, known_uncertainty
from foramen.steps.effect.patient import Patient
from foramen.steps.effect.simulation import RESOLUTION


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prepared:
    """Everything that does not depend on the seed: the reduced models and their errors."""

    reduced: tuple[Reduced, ...]
    full: tuple[tuple[Outcome, ...], ...]
    checked: tuple[tuple[Outcome, ...], ...]  # the same scenarios by the reduced model
    laws: tuple[Laws, ...]
    is_boiling: tuple[bool, ...]
    nerves: int
    gauge: float

    def sampler(self, seed: int) -> Sampler:
        """Draws the plan's scenarios."""
        return _sampler([model.scene for model in self.reduced], self.nerves, seed)


def _sampler(scenes: Sequence[Scene], nerves: int, seed: int) -> Sampler:
    return Sampler(seed=seed, lesions=sum(len(s.trajectories) for s in scenes), nerves=nerves, targets=len(scenes))


@with_one_blas_thread
def prepare(
    plan: Plan,
    case: Case,
    anatomy: Anatomy,
    *,
    spread: Uncertainty | None = None,
    resolution: Resolution = RESOLUTION,
    solves: int | None = None,
    progress: Callable[[float], None] = lambda _fraction: None,
) -> Prepared:
    """The reduced models of a plan, checked against full solutions.

    Parameters
    ----------
    spread : Uncertainty, optional
        From the knowledge if not given.
    resolution : Resolution
        Grid of the full solutions about each needle.
    solves : int, optional
        Scenarios of each target to be solved in full.

    Raises
    ------
    InputError
        If the plan has no heat effect.
    """
    deliveries = [d for d in plan.deliveries if isinstance(d.effect, RfHeatEffect)]
    effects = [d.effect for d in deliveries if isinstance(d.effect, RfHeatEffect)]
    if not deliveries:
        raise InputError("The plan has no heat effect, so there is nothing whose robustness could be computed.")
    gauge = max(path.device.gauge for path in plan.trajectories)  # the thinnest needle bends most
    spread = spread or known_uncertainty(gauge)
    patient = Patient(
        technique=plan.technique,
        anatomy=anatomy,
        labels=case.labels,
        tissues=classify_tissue(case.image, case.labels),
        baseline_degC=number("tissues.body_temperature_degC"),
        is_perfused=True,
        is_conducting=True,
    )
    nominal = [effect.tightest_capture.fraction for effect in effects]
    scenes = scenes_of(
        patient,
        plan.targets,
        deliveries,
        plan.trajectories,
        nominal,
        correlation_mm=spread.nerve_correlation_mm,
    )
    nerves = len(anatomy.nerves) + 1  # one more for a target without a nerve
    count = solves or max(
        round(number("robust.full_solves_per_target")), -(-round(number("robust.full_solves")) // len(scenes))
    )
    scenarios = _sampler(scenes, nerves, 0).spread_out(count)
    solved = _solve_all(patient, scenes, scenarios, spread, resolution, progress)
    reduced, full = [], []
    for scene, (bases, checks) in zip(scenes, solved, strict=True):
        model = Reduced(scene=scene, bases=bases, spread=spread, fractions=numbers("robust.capture_fractions"))
        reduced.append(model)
        full.append(tuple(full_outcome(model, p, s) for p, s in zip(checks, scenarios, strict=True)))
    checked = tuple(tuple(model.outcome(scenario) for scenario in scenarios) for model in reduced)
    error = (1 - number("robust.confidence_fraction")) / 2
    return Prepared(
        reduced=tuple(reduced),
        full=tuple(full),
        checked=checked,
        laws=tuple(
            Laws(
                margin=error_law(margin_errors(f, c), error=error),
                rise=error_law(rise_errors(f, c), error=error),
            )
            for f, c in zip(full, checked, strict=True)
        ),
        is_boiling=tuple(boils(effect) for effect in effects),
        nerves=nerves,
        gauge=gauge,
    )


def _solve_all(
    patient: Patient,
    scenes: Sequence[Scene],
    scenarios: Sequence[Scenario],
    spread: Uncertainty,
    resolution: Resolution,
    progress: Callable[[float], None],
) -> list[tuple[tuple[Basis, ...], list[list[PlacedLesion]]]]:
    """Bases of every scene, and the full solutions of its lesions in every scenario; each solve has one thread."""
    tasks: list[tuple[Scene, Solve, Resolution]] = []
    coarser = basis_resolution(resolution)
    for scene in scenes:
        for number_here, path in enumerate(scene.trajectories):
            axes = needle_axes(path.tip_mm, path.entry_mm)
            tasks += [(scene, solve, coarser) for solve in wanted_solves(path, axes, spread)]
            solves = (scenario_solve(scene, number_here, axes, scenario, spread) for scenario in scenarios)
            tasks += [(scene, solve, resolution) for solve in solves]
    done = 0

    def run(task: tuple[Scene, Solve, Resolution]) -> PlacedLesion:
        nonlocal done
        scene, solve, grid = task
        placed = solve.run(patient, scene.setting, grid)
        done += 1
        progress(done / len(tasks))
        return placed

    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        results = iter(list(pool.map(run, tasks)))
    found: list[tuple[tuple[Basis, ...], list[list[PlacedLesion]]]] = []
    for scene in scenes:
        bases, by_lesion = [], []
        for path in scene.trajectories:
            axes = needle_axes(path.tip_mm, path.entry_mm)
            own = [next(results) for _ in wanted_solves(path, axes, spread)]
            bases.append(basis_of(path, own, axes, spread, patient.baseline_degC))
            by_lesion.append([next(results) for _ in scenarios])
        found.append((tuple(bases), [list(row) for row in zip(*by_lesion, strict=True)]))
    return found


def basis_resolution(resolution: Resolution) -> Resolution:
    """A coarser grid than that of the full solutions, in half the time.

    What it adds to the error of the reduced model is measured and counted with it.
    """
    return replace(resolution, step=1.25 * resolution.step, angles=max(4, 3 * resolution.angles // 4))


def needle_axes(tip_mm: FloatArray, entry_mm: FloatArray) -> FloatArray:
    """Rows across, sideways and axis (3, 3) of a needle."""
    frame = needle_frame(tip_mm, entry_mm)
    return np.stack([frame.across, frame.sideways, frame.axis])


def scenario_solve(scene: Scene, lesion: int, axes: FloatArray, scenario: Scenario, spread: Uncertainty) -> Solve:
    """The full solution of one lesion of a scene in a scenario."""
    path, index = scene.trajectories[lesion], scene.first_lesion + lesion
    tilt = scenario.tilt_rad(index, spread, path.length_mm)
    moved = moved_trajectory(path, axes, scenario.place(index, spread), tilt)
    return Solve(trajectory=moved, amounts=scenario.tissue(spread))
