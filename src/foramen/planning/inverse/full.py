"""Settings solved in full, as a plan is: nominal effect, hard limits again, and probabilities over scenarios."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from foramen.knowledge.facts import number
from foramen.model.inverse import HottestNeighbour
from foramen.model.plan import CheckStatus, RfHeatEffect, RfSetting, Trajectory
from foramen.model.robust import Probability, ReducedModelError
from foramen.planning.checks import check_clearances
from foramen.planning.inverse.quick import is_outside
from foramen.planning.inverse.setup import Problem
from foramen.planning.robust.basis import basis_of, wanted_solves
from foramen.planning.robust.estimate import Laws, Looks, TargetSample, any_passes, capture_probabilities, sampled
from foramen.planning.robust.outcome import Outcome, Reduced, full_outcome
from foramen.planning.robust.prepare import needle_axes, scenario_solve
from foramen.planning.robust.surrogate_error import error_law, error_summary, margin_errors, rise_errors
from foramen.steps.effect.both_ways import effect_of

TOUCHING_MM = 1e-6
"""Rounding that two passes one diameter apart may lack."""

BOILING_WORDS = "tissue boils"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Way:
    """Passes with the setting of each; `refused` says which limits of a path they break."""

    trajectories: tuple[Trajectory, ...]
    setting: RfSetting
    refused: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Solved:
    """A way with its nominal effect and the hard limits that it breaks."""

    way: Way
    effect: RfHeatEffect
    burnt_mm3: float
    broken: tuple[str, ...]

    @property
    def only_boils(self) -> bool:
        """Whether nothing but boiling tissue speaks against it, so that less heat may mend it."""
        return bool(self.broken) and all(text.startswith(BOILING_WORDS) for text in self.broken)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Chances:
    """Probabilities of one way."""

    capture: Probability
    any_neighbour: Probability


def solve_ways(
    problem: Problem, ways: Sequence[Way], progress: Callable[[float], None] = lambda _fraction: None
) -> list[Solved]:
    """The nominal effect of each way, on the grid of a plan, with every hard limit tried again."""

    def work(way: Way) -> Solved:
        effect = effect_of(problem.patient, problem.target, way.trajectories, way.setting, problem.effort.resolution)
        return Solved(
            way=way,
            effect=effect,
            burnt_mm3=burnt_mm3(problem, effect),
            broken=(*way.refused, *broken_limits(problem, way, effect)),
        )

    return problem.each(ways, work, progress)


def burnt_mm3(problem: Problem, effect: RfHeatEffect) -> float:
    """Tissue outside the nerve from the burning temperature on, needles included."""
    affine = effect.grid_affine_mm
    where = np.argwhere(effect.peak_temperature_degC >= number("inverse.burnt_degC"))
    hot = where @ affine[:3, :3].T + affine[:3, 3]
    return float(np.count_nonzero(is_outside(problem.target, hot))) * float(abs(np.linalg.det(affine[:3, :3])))


def broken_limits(problem: Problem, way: Way, effect: RfHeatEffect) -> tuple[str, ...]:
    """Every hard limit that a way breaks, in words with value and limit."""
    found = []
    target, device = problem.target, way.trajectories[0].device
    most_mm = number("planning.target_sd_reject_mm")
    if not target.position_sd_mm <= most_mm:
        found.append(f"the target's place is uncertain by {target.position_sd_mm:.1f} mm (limit {most_mm:g} mm)")
    for path in way.trajectories:
        check = check_clearances(path)
        if check.status is CheckStatus.FAIL:
            found.append(f"path {path.id}: {check.reason}")
    nearest = spacing_mm(way.trajectories)
    if len(way.trajectories) > 1 and nearest < device.outer_diameter_mm - TOUCHING_MM:
        found.append(f"passes lie {nearest:.2f} mm apart (at least a diameter, {device.outer_diameter_mm:g} mm)")
    if way.setting.temperature_degC > device.max_temperature_degC:
        found.append(
            f"{way.setting.temperature_degC:g} degC is above the device's {device.max_temperature_degC:g} degC"
        )
    hottest, boils = effect.hottest_tissue_degC, number("tissues.boiling_from_degC")
    if not hottest < boils:
        found.append(f"{BOILING_WORDS}: {hottest:.1f} degC (boiling begins at {boils:g} degC)")
    found += [
        f"{peak.structure} reaches {peak.peak_degC:.1f} degC (limit {peak.reject_degC:g} degC)"
        for peak in effect.peaks
        if peak.peak_degC is not None and peak.reject_degC is not None and peak.peak_degC >= peak.reject_degC
    ]
    return tuple(found)


def spacing_mm(paths: Sequence[Trajectory]) -> float:
    """Least distance between the axes of parallel passes; 0 for one."""
    apart = []
    for one, other in itertools.combinations(paths, 2):
        between = one.tip_mm - other.tip_mm
        apart.append(float(np.linalg.norm(between - (between @ one.direction) * one.direction)))
    return min(apart, default=0.0)


def stagger_mm(paths: Sequence[Trajectory]) -> float:
    """Shift along the needle from each pass to the next, by tips; 0 for one."""
    shifts = [abs(float((b.tip_mm - a.tip_mm) @ a.direction)) for a, b in itertools.pairwise(paths)]
    return max(shifts, default=0.0)


def hottest_neighbour(effect: RfHeatEffect) -> HottestNeighbour | None:
    """The structure that comes nearest to its rejecting temperature."""
    near = [
        HottestNeighbour(structure=p.structure, peak_degC=p.peak_degC, reject_degC=p.reject_degC)
        for p in effect.peaks
        if p.peak_degC is not None and p.reject_degC is not None
    ]
    return max(near, key=lambda peak: peak.peak_degC - peak.reject_degC, default=None)


def unknown_structures(solved: Solved) -> tuple[str, ...]:
    """Structures that the images do not show, so that neither path nor heat can be cleared of them."""
    heat = {p.structure for p in solved.effect.peaks if p.peak_degC is None}
    way = {c.structure for path in solved.way.trajectories for c in path.clearances if c.distance_mm is None}
    return tuple(sorted(name.replace("_", " ") for name in heat | way))


def chances(
    problem: Problem, solved: Sequence[Solved], progress: Callable[[float], None] = lambda _fraction: None
) -> tuple[list[Chances], ReducedModelError]:
    """Probabilities of every way by the same scenarios, and the reduced model's error over all of them."""
    models = _reduced_models(problem, solved, lambda done: progress(0.6 * done))
    error = (1 - number("robust.confidence_fraction")) / 2
    full, reduced = _checked(problem, models, lambda done: progress(0.6 + 0.2 * done))
    laws = Laws(
        margin=error_law(margin_errors(full, reduced), error=error),
        rise=error_law(rise_errors(full, reduced), error=error),
    )
    looks = Looks(counts=(problem.effort.scenarios,), error=error)
    found = []
    for done, model in enumerate(models, start=1):
        (sample,) = sampled([model], problem.sampler, range(problem.effort.scenarios), threads=problem.threads)
        found.append(_chances(model, sample, laws, looks))
        progress(0.8 + 0.2 * done / len(models))
    return found, error_summary(problem.target.name, full, reduced, error=error)


def _chances(model: Reduced, sample: TargetSample, laws: Laws, looks: Looks) -> Chances:
    limits = [np.nan if n.reject_degC is None else n.reject_degC for n in model.scene.neighbours]
    return Chances(
        capture=capture_probabilities(sample, laws, model.fractions, looks)[0].probability,
        any_neighbour=any_passes([sample], [laws], [np.array(limits)], looks),
    )


def _reduced_models(problem: Problem, solved: Sequence[Solved], progress: Callable[[float], None]) -> list[Reduced]:
    """The reduced model of each way, from solutions of its own on the search's grid."""
    passes = [
        (entry, path, needle_axes(path.tip_mm, path.entry_mm)) for entry in solved for path in entry.way.trajectories
    ]
    spreads = [problem.spread(path.device) for _, path, _ in passes]
    wanted = [
        [(solve, entry.way.setting) for solve in wanted_solves(path, axes, spread)]
        for (entry, path, axes), spread in zip(passes, spreads, strict=True)
    ]
    flat = list(itertools.chain.from_iterable(wanted))
    results = iter(problem.solve(flat, problem.effort.search_resolution, progress))
    bases = iter(
        [
            basis_of(path, [next(results) for _ in own], axes, spread, problem.patient.baseline_degC)
            for (_, path, axes), own, spread in zip(passes, wanted, spreads, strict=True)
        ]
    )
    return [
        Reduced(
            scene=problem.heat_scene(entry.way.trajectories, entry.way.setting),
            bases=tuple(next(bases) for _ in entry.way.trajectories),
            spread=problem.spread(entry.way.trajectories[0].device),
            fractions=(number("inverse.captured_fraction"),),
        )
        for entry in solved
    ]


def _checked(
    problem: Problem, models: Sequence[Reduced], progress: Callable[[float], None]
) -> tuple[list[Outcome], list[Outcome]]:
    """Outcomes of scenarios spread over all ways: by full solutions on the plan's grid, and by the reduced models."""
    scenarios = problem.sampler.spread_out(problem.effort.full_solves)
    pairs = list(zip(itertools.cycle(models), scenarios, strict=False))
    wanted = [
        (scenario_solve(model.scene, lesion, basis.axes, scenario, model.spread), model.scene.setting)
        for model, scenario in pairs
        for lesion, basis in enumerate(model.bases)
    ]
    results = iter(problem.solve(wanted, problem.effort.resolution, progress))
    full = [full_outcome(model, [next(results) for _ in model.bases], scenario) for model, scenario in pairs]
    return full, [model.outcome(scenario) for model, scenario in pairs]


def cooler(problem: Problem, solved: Solved) -> Way | None:
    """The same way with so much less heat that its tissue should not boil; None if that is less than is tried."""
    setting, ranges = solved.way.setting, problem.ranges
    baseline, step = problem.patient.baseline_degC, ranges.temperature_step_degC
    allowed = (number("tissues.boiling_from_degC") - baseline) / (solved.effect.hottest_tissue_degC - baseline)
    wanted = baseline + (setting.temperature_degC - baseline) * allowed
    least = ranges.temperature_degC[0]
    steps = min(np.floor((wanted - least) / step), (setting.temperature_degC - least) / step - 1)
    if steps < 0:
        return None
    return replace(solved.way, setting=replace(setting, temperature_degC=float(least + step * steps)))
