"""Inverse planning: which cannula, place, temperature, time and number of passes capture a nerve with least burning.

A genetic search (NSGA-II) over a quick model proposes; what is shown is solved in full, beside the textbook setting.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from foramen.anatomy.tissue_map import classify_tissue
from foramen.errors import InputError
from foramen.jobs.blas import with_one_blas_thread
from foramen.knowledge.facts import number
from foramen.knowledge.technique_facts import technique_knowledge
from foramen.model.anatomy import Anatomy
from foramen.model.case import Case
from foramen.model.device import RfCannula
from foramen.model.inverse import InversePoint, InverseResult, InverseTarget
from foramen.model.levels import Level, Side
from foramen.model.plan import Target
from foramen.model.technique import Technique
from foramen.planning.basis import limits_of_basis
from foramen.planning.inverse.choose import RULE, advice, judged_points, worth_solving
from foramen.planning.inverse.effort import Effort, known_effort
from foramen.planning.inverse.full import (
    Chances,
    Solved,
    Way,
    chances,
    cooler,
    hottest_neighbour,
    solve_ways,
    spacing_mm,
    stagger_mm,
    unknown_structures,
)
from foramen.planning.inverse.quick import PATH, Quick
from foramen.planning.inverse.search import Tried, search
from foramen.planning.inverse.setup import Problem, quick_model, starting_paths, thread_count
from foramen.planning.inverse.space import technique_cannulae
from foramen.planning.inverse.words import ASSUMPTIONS, LIMITS, OPTIMISED, notes_of
from foramen.planning.paths import find_paths
from foramen.planning.robust.uncertainty import Uncertainty
from foramen.planning.settings import choose_cannula, choose_setting
from foramen.steps.effect.patient import Patient
from foramen.steps.trajectory import described

__all__ = ["Effort", "known_effort", "optimise"]

Progress = Callable[[str, float], None]


@with_one_blas_thread
def optimise(
    case: Case,
    anatomy: Anatomy,
    *,
    technique: Technique,
    level: Level,
    side: Side,
    seed: int = 0,
    targets: tuple[Target, ...] | None = None,
    devices: Sequence[RfCannula] | None = None,
    spread: Uncertainty | None = None,
    effort: Effort | None = None,
    threads: int | None = None,
    progress: Progress = lambda _stage, _fraction: None,
) -> InverseResult:
    """Settings for every nerve of a level; equal to the last bit for any `threads`.

    Parameters
    ----------
    seed : int
        Of the search and of the scenarios.
    targets : tuple of Target, optional
        The nerves; all of the level if not given.
    devices : sequence of RfCannula, optional
        Cannulae to choose from; those of the catalogue with the technique's gauges if not given.
    spread : Uncertainty, optional
        What is not known exactly, whatever the cannula; that of the knowledge for its gauge if not given.
    effort : Effort, optional
        From the knowledge if not given.

    Raises
    ------
    InputError
        If the technique does not heat, the seed is negative, or pymoo is not installed.
    """
    if technique.effect_model != HEAT:
        raise InputError(f"{technique.name} makes no heat lesion, so there is no setting to optimise.")
    if seed < 0:
        raise InputError(f"The seed of the search is {seed}; give 0 or more.")
    wanted = technique.find_targets(anatomy, level, side) if targets is None else targets
    patient = Patient(
        technique=technique.id,
        anatomy=anatomy,
        labels=case.labels,
        tissues=classify_tissue(case.image, case.labels),
        baseline_degC=number("tissues.body_temperature_degC"),
        is_perfused=True,
        is_conducting=True,
    )
    sizes = effort or known_effort()
    found = []
    for done, target in enumerate(wanted):
        problem = Problem(
            case=case,
            patient=patient,
            technique=technique,
            target=target,
            devices=tuple(devices or technique_cannulae(technique_knowledge(technique.id))),
            known_spread=spread,
            effort=sizes,
            seed=seed,
            threads=thread_count(threads),
        )
        found.append(_one_nerve(problem, _share(progress, done, len(wanted), target)))
    return InverseResult(
        technique=technique.id,
        technique_name=technique.name,
        level=level,
        side=side,
        case_uid=case.uid,
        seed=seed,
        captured_fraction=number("inverse.captured_fraction"),
        burnt_degC=number("inverse.burnt_degC"),
        accept_fraction=number("robust.capture_accept_probability"),
        scenarios=sizes.scenarios,
        confidence_fraction=number("robust.confidence_fraction"),
        targets=tuple(found),
        optimised=OPTIMISED,
        limits=LIMITS,
        rule=RULE,
        assumptions=ASSUMPTIONS,
        basis=limits_of_basis(case, anatomy),
    )


HEAT = "rf_heat"
"""Effect model of the techniques that can be optimised."""


def _share(progress: Progress, done: int, count: int, target: Target) -> Progress:
    """Progress of one nerve of several."""
    return lambda stage, fraction: progress(f"{target.nerve}: {stage}", (done + fraction) / count)


def _one_nerve(problem: Problem, progress: Progress) -> InverseTarget:
    """Search, full solutions and recommendation for one nerve."""
    progress("paths", 0.0)
    scene = problem.path_scene()
    starts, refused = starting_paths(scene, problem.devices)
    textbook = _textbook(problem)
    tried: tuple[Tried, ...] = ()
    solved: list[Solved] = []
    dropped: tuple[str, ...] = refused if not starts else ()
    if starts:
        progress("fields", 0.05)
        quick = quick_model(problem, scene, starts, lambda done: progress("fields", 0.05 + 0.1 * done))
        tried = search(
            quick.space,
            quick.judge,
            problem.effort,
            seed=problem.seed,
            threads=problem.threads,
            progress=lambda done: progress("search", 0.15 + 0.35 * done),
        )
        progress("full solutions", 0.5)
        solved, dropped = _within_limits(problem, _ways(problem, quick, tried))
    shown = [*solve_ways(problem, textbook), *solved]
    progress("scenarios", 0.6)
    return _target(problem, shown, tried, dropped, bool(textbook), lambda done: progress("scenarios", 0.6 + 0.4 * done))


def _textbook(problem: Problem) -> list[Way]:
    """The technique's standard setting on its best path; empty if it has none."""
    knowledge, technique, target = technique_knowledge(problem.technique.id), problem.technique, problem.target
    device = choose_cannula(knowledge, device_id=None)
    setting = choose_setting(knowledge, device, temperature_degC=None, time_s=None, lesions=None)
    anatomy = problem.patient.anatomy
    paths = find_paths(problem.case, anatomy, [target], device, technique=technique, lesions=setting.lesions)
    found = paths.by_target.get(target.name, ())
    return [Way(trajectories=found, setting=replace(setting, lesions=len(found)))] if found else []


def _ways(problem: Problem, quick: Quick, tried: tuple[Tried, ...]) -> list[Way]:
    """The settings that are worth a full solution, with their passes described."""
    found = []
    for rank, entry in enumerate(worth_solving(tried, problem.effort.shown_shares), start=1):
        design, placed = entry.design, quick.place(entry.design)
        paths = described(quick.scene, placed, name=f"{placed.device.id}/{rank}", rank=rank)
        setting = quick.space.ranges.setting(
            placed.device, design.temperature_degC, design.time_s, passes=design.passes
        )
        refused = () if placed.is_kept.all() else ("a pass breaks a limit of the path",)
        found.append(Way(trajectories=paths, setting=setting, refused=refused))
    return found


def _within_limits(problem: Problem, ways: list[Way]) -> tuple[list[Solved], tuple[str, ...]]:
    """The ways that keep every hard limit in the full solution; one that only boils is tried again, cooler."""
    found = solve_ways(problem, ways)
    for _ in range(round(number("inverse.cooler_tries"))):
        again = {at: way for at, entry in enumerate(found) if entry.only_boils and (way := cooler(problem, entry))}
        for at, entry in zip(again, solve_ways(problem, list(again.values())), strict=True):
            found[at] = entry
    dropped = tuple(f"{_way_words(e.way)}: {'; '.join(e.broken)}" for e in found if e.broken)
    return [entry for entry in found if not entry.broken], dropped


def _way_words(way: Way) -> str:
    device, setting = way.trajectories[0].device, way.setting
    return f"{device.id} at {setting.temperature_degC:g} degC, {len(way.trajectories)} passes"


def _target(
    problem: Problem,
    shown: list[Solved],
    tried: tuple[Tried, ...],
    dropped: tuple[str, ...],
    has_textbook: bool,
    progress: Callable[[float], None],
) -> InverseTarget:
    """The table of one nerve."""
    found, error = chances(problem, shown, progress) if shown else ([], None)
    points = judged_points(
        [
            _point(problem, at if has_textbook else at + 1, entry, chance)
            for at, (entry, chance) in enumerate(zip(shown, found, strict=True))
        ]
    )
    prevented = dict(Counter(entry.judged.first_broken for entry in tried if not entry.judged.is_kept))
    if not tried:
        prevented = {PATH: 0}
    return InverseTarget(
        target=problem.target.name,
        points=points,
        searched=len(tried),
        kept_limits=sum(entry.judged.is_kept for entry in tried),
        prevented=prevented,
        dropped=dropped,
        unknown=tuple(sorted({name for entry in shown for name in unknown_structures(entry)})),
        advice=advice(points, prevented, dropped),
        error=error,
    )


def _point(problem: Problem, place: int, solved: Solved, chance: Chances) -> InversePoint:
    way, effect = solved.way, solved.effect
    broken, most = solved.broken, number("robust.keep_out_reject_probability")
    if chance.any_neighbour.low_fraction > most:
        often = 100 * chance.any_neighbour.estimate_fraction
        broken = (*broken, f"a neighbour reaches its limit with probability {often:.0f} % (limit {100 * most:g} %)")
    return InversePoint(
        number=place,
        trajectories=way.trajectories,
        setting=way.setting,
        spacing_mm=spacing_mm(way.trajectories),
        stagger_mm=stagger_mm(way.trajectories),
        capture=chance.capture,
        nominal_fraction=effect.tightest_capture.fraction,
        burnt_mm3=solved.burnt_mm3,
        hottest_tissue_degC=effect.hottest_tissue_degC,
        hottest_neighbour=hottest_neighbour(effect),
        any_neighbour=chance.any_neighbour,
        broken=broken,
        notes=notes_of(problem.technique.id, way.setting, effect),
    )
