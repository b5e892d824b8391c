"""Paths to all targets of a plan, and the effect of what is delivered through them."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from foramen.anatomy.tissue_map import classify_tissue
from foramen.errors import PlanRejected
from foramen.knowledge.trajectory_rules import trajectory_rules
from foramen.model.anatomy import Anatomy
from foramen.model.case import Case
from foramen.model.device import RfCannula
from foramen.model.plan import Check, CheckStatus, Delivery, RfSetting, Target, Trajectory
from foramen.model.technique import Technique
from foramen.planning.basis import is_patient_specific
from foramen.planning.generic import without_clearance
from foramen.steps.effect import simulate_rf_heat
from foramen.steps.trajectory import companions, search_trajectories


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedPaths:
    """Paths by target name: the chosen ones (one for each lesion), the alternatives, and what failed."""

    by_target: dict[str, tuple[Trajectory, ...]]
    alternatives: tuple[Trajectory, ...]
    rejected: tuple[str, ...]
    failures: tuple[Check, ...]

    @property
    def chosen(self) -> tuple[Trajectory, ...]:
        """All chosen paths, target by target."""
        return tuple(trajectory for paths in self.by_target.values() for trajectory in paths)


def find_paths(
    case: Case,
    anatomy: Anatomy,
    targets: Sequence[Target],
    device: RfCannula,
    *,
    technique: Technique,
    lesions: int,
) -> PlannedPaths:
    """The best path to each target with its companions; a target without a path becomes a failed check."""
    rules = trajectory_rules(technique.id)
    by_target: dict[str, tuple[Trajectory, ...]] = {}
    alternatives: list[Trajectory] = []
    rejected: list[str] = []
    failures: list[Check] = []
    for target in targets:
        name = f"path: {target.name}"
        try:
            search = search_trajectories(
                anatomy, case.image, case.labels, target, (device,), rules=rules, posture=technique.posture
            )
        except PlanRejected as failure:
            failures.append(
                Check(id=name, text=f"Path to the {target.name}", status=CheckStatus.FAIL, reason=str(failure))
            )
            continue
        ranked = search.ranked
        best = ranked[0]
        beside = companions(
            anatomy, case.image, case.labels, target, best, rules=rules, lesions=lesions, posture=technique.posture
        )
        if not is_patient_specific(case, anatomy):
            ranked, beside = (tuple(map(without_clearance, found)) for found in (ranked, beside))
        by_target[target.name] = (ranked[0], *beside)
        alternatives += ranked[1:]
        rejected += [f"{target.name}: {reason}" for reason in search.rejected]
        if len(beside) < lesions - 1:
            failures.append(
                Check(
                    id=name,
                    text=f"Lesions on the {target.name}",
                    status=CheckStatus.CAUTION,
                    reason=f"Room for {1 + len(beside)} of {lesions} lesions within the hard limits.",
                )
            )
    return PlannedPaths(
        by_target=by_target, alternatives=tuple(alternatives), rejected=tuple(rejected), failures=tuple(failures)
    )


def deliver(
    case: Case,
    anatomy: Anatomy,
    targets: Sequence[Target],
    paths: PlannedPaths,
    setting: RfSetting,
    *,
    technique: Technique,
    progress: Callable[[float], None],
) -> tuple[Delivery, ...]:
    """One delivery for each target that has a path: the setting through its paths, and the predicted effect."""
    tissue_map = classify_tissue(case.image, case.labels)
    wanted = [target for target in targets if target.name in paths.by_target]
    fractions = dict.fromkeys((target.name for target in wanted), 0.0)

    def one(target: Target) -> Delivery:
        def report(fraction: float) -> None:
            fractions[target.name] = fraction
            progress(sum(fractions.values()) / len(fractions))

        trajectories = paths.by_target[target.name]
        given = replace(setting, lesions=len(trajectories))  # there may be room for fewer than wanted
        effect = simulate_rf_heat(
            anatomy,
            case.image,
            case.labels,
            target,
            trajectories,
            given,
            technique=technique.id,
            tissue_map=tissue_map,
            progress=report,
        )
        return Delivery(
            target=target.name,
            trajectories=tuple(trajectory.id for trajectory in trajectories),
            setting=given,
            effect=effect,
        )

    # each target is computed by one thread on its own, so the result does not depend on how many there are
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        return tuple(pool.map(one, wanted))
