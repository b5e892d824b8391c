"""What the search for one nerve starts from: the patient's tissue, paths by cannula, and their fields."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TypeVar

from foramen.knowledge.facts import number
from foramen.knowledge.technique_facts import technique_knowledge
from foramen.knowledge.trajectory_rules import trajectory_rules
from foramen.model.case import Case
from foramen.model.device import RfCannula
from foramen.model.plan import Delivery, NotModelled, RfSetting, Target, Trajectory
from foramen.model.technique import Technique
from foramen.physics.grid import Resolution
from foramen.physics.placed_lesion import PlacedLesion
from foramen.planning.inverse.effort import Effort
from foramen.planning.inverse.library import Order, order, probe
from foramen.planning.inverse.quick import Quick
from foramen.planning.inverse.space import Ranges, Space, known_reach, technique_ranges
from foramen.planning.robust.basis import Solve
from foramen.planning.robust.scenario import Sampler
from foramen.planning.robust.scene import Scene as HeatScene
from foramen.planning.robust.scene import scenes_of
from foramen.planning.robust.uncertainty import Uncertainty, known_uncertainty
from foramen.steps.effect.patient import Patient
from foramen.steps.trajectory import Scene, ranked_paths, set_scene

FIRST_OF_SEARCH = 1_000_000
"""Number of the search's first scenario: the table has those from 0 on, so no setting is judged by what chose it."""

Task = TypeVar("Task")
Made = TypeVar("Made")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Problem:
    """One nerve of one patient, with the sizes of the work."""

    case: Case
    patient: Patient
    technique: Technique
    target: Target
    devices: tuple[RfCannula, ...]
    known_spread: Uncertainty | None
    effort: Effort
    seed: int
    threads: int

    @property
    def ranges(self) -> Ranges:
        """What the technique allows."""
        return technique_ranges(technique_knowledge(self.technique.id))

    @property
    def sampler(self) -> Sampler:
        """Draws scenarios for the most passes that may be made."""
        nerves = len(self.patient.anatomy.nerves) + 1  # one more for a target without a nerve
        return Sampler(seed=self.seed, lesions=self.ranges.passes[1], nerves=nerves, targets=1)

    def path_scene(self) -> Scene:
        """The nerve with everything around it that a path must keep from."""
        case, technique = self.case, self.technique
        rules = trajectory_rules(technique.id)
        return set_scene(self.patient.anatomy, case.image, case.labels, self.target, rules, technique.posture)

    def heat_scene(self, paths: Sequence[Trajectory], setting: RfSetting) -> HeatScene:
        """What is read in the heat of these passes."""
        delivery = Delivery(
            target=self.target.name,
            trajectories=tuple(path.id for path in paths),
            setting=setting,
            effect=NotModelled(reason="not yet solved"),
        )
        correlation_mm = self.spread(paths[0].device).nerve_correlation_mm
        return scenes_of(self.patient, [self.target], [delivery], paths, [0.0], correlation_mm=correlation_mm)[0]

    def spread(self, device: RfCannula) -> Uncertainty:
        """What is not known exactly with that cannula."""
        return self.known_spread or known_uncertainty(device.gauge)

    def solve(
        self,
        wanted: Sequence[tuple[Solve, RfSetting]],
        resolution: Resolution,
        progress: Callable[[float], None] = lambda _fraction: None,
    ) -> list[PlacedLesion]:
        """Full solutions, each by one thread."""
        return self.each(wanted, lambda task: task[0].run(self.patient, task[1], resolution), progress)

    def each(
        self,
        tasks: Sequence[Task],
        work: Callable[[Task], Made],
        progress: Callable[[float], None] = lambda _fraction: None,
    ) -> list[Made]:
        """The result of each task, in their order; each is computed by one thread on its own."""
        done = 0

        def run(task: Task) -> Made:
            nonlocal done
            made = work(task)
            done += 1
            progress(done / len(tasks))
            return made

        with ThreadPoolExecutor(max_workers=self.threads) as pool:
            return list(pool.map(run, tasks))


def thread_count(threads: int | None) -> int:
    """The number asked for, or one for each core."""
    return threads or os.cpu_count() or 1


def starting_paths(scene: Scene, devices: Sequence[RfCannula]) -> tuple[tuple[Trajectory, ...], tuple[str, ...]]:
    """The best paths of every cannula within the hard limits, and why the others were refused."""
    found: list[Trajectory] = []
    refused: list[str] = []
    for device in devices:
        paths, reasons = ranked_paths(scene, device, wanted=round(number("inverse.paths_per_device")))
        found += [replace(path, id=f"{device.id}/{path.id}") for path in paths]
        refused += [f"{device.name}: {reason}" for reason in reasons] if not paths else []
    return tuple(found), tuple(refused)


def quick_model(
    problem: Problem, scene: Scene, starts: tuple[Trajectory, ...], progress: Callable[[float], None]
) -> Quick:
    """The search model: the fields of every cannula, solved at its best path."""
    ranges, effort = problem.ranges, problem.effort
    best: dict[str, Trajectory] = {}
    for path in starts:
        best.setdefault(path.device.id, path)
    baseline_degC = problem.patient.baseline_degC
    probed = problem.solve([probe(path, ranges) for path in best.values()], effort.resolution)
    orders: list[Order] = [
        order(path, ranges, problem.spread(path.device), probed=hot, baseline_degC=baseline_degC)
        for path, hot in zip(best.values(), probed, strict=True)
    ]
    wanted = [entry for one in orders for entry in one.solves]
    solved = iter(problem.solve(wanted, effort.search_resolution, progress))
    libraries = {one.path.device.id: one.library([next(solved) for _ in one.solves], baseline_degC) for one in orders}
    sampler = problem.sampler
    quick = Quick(
        space=Space(starts=starts, ranges=ranges, reach=known_reach()),
        scene=scene,
        heat=problem.heat_scene(starts, orders[0].first),
        libraries=libraries,
        spreads={path.device.id: problem.spread(path.device) for path in best.values()},
        scenarios=[sampler.draw(FIRST_OF_SEARCH + index) for index in range(effort.search_scenarios)],
        captured_fraction=number("inverse.captured_fraction"),
    )
    quick.warm_up()
    return quick
