"""The search: NSGA-II over mixed variables (pymoo), seeded, the same for any number of threads."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from foramen.errors import InputError
from foramen.planning.inverse.effort import Effort
from foramen.planning.inverse.quick import BOILING, NEIGHBOURS, PATH, Judged
from foramen.planning.inverse.space import Design, Space

LIMITS = {PATH: 100.0, BOILING: 1.0, NEIGHBOURS: 1.0}
"""Hard limits, with what one refused pass or one kelvin weighs where every setting breaks some."""

WORST_MM3 = 1e6
"""Burnt volume of a setting that breaks a limit: it loses to any other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One setting that the search tried."""

    design: Design
    judged: Judged


def search(
    space: Space,
    judge: Callable[[Design], Judged],
    effort: Effort,
    *,
    seed: int,
    threads: int | None = None,
    progress: Callable[[float], None] = lambda _fraction: None,
) -> tuple[Tried, ...]:
    """Every setting that was tried, in the order in which it was; equal for any number of threads.

    Maximised: the probability of capture. Minimised: burnt tissue, passes. A setting that breaks a limit loses to one
    that breaks it less, and to every one that breaks none.

    Raises
    ------
    InputError
        If pymoo is not installed.
    """
    minimize, algorithm, problem_class, variables = _pymoo(space, effort, seed)
    found: list[Tried] = []

    class Problem(problem_class):  # type: ignore[misc, valid-type]  # pymoo has no types
        """Judges a whole generation at a time."""

        def _evaluate(self, x: Any, out: dict[str, Any], *_args: Any, **_options: Any) -> None:
            designs = [space.design(chosen) for chosen in x]
            judged = list(pool.map(judge, designs))
            found.extend(Tried(design=d, judged=j) for d, j in zip(designs, judged, strict=True))
            out["F"] = np.array([_objectives(entry) for entry in judged])
            out["G"] = np.array([_constraints(entry) for entry in judged])
            progress(min(len(found) / (effort.population * effort.generations), 1.0))

    with ThreadPoolExecutor(max_workers=threads or os.cpu_count() or 1) as pool:
        problem = Problem(vars=variables, n_obj=3, n_ieq_constr=len(LIMITS))
        minimize(problem, algorithm, ("n_gen", effort.generations), seed=seed, copy_algorithm=False)
    return tuple(found)


def _objectives(judged: Judged) -> tuple[float, float, float]:
    return -judged.capture, min(judged.burnt_mm3, WORST_MM3), float(judged.passes)


def _constraints(judged: Judged) -> tuple[float, ...]:
    """Each limit's excess; a broken path counts more than any heat."""
    excess = dict(judged.excess)
    return tuple(weight * max(excess.get(name, 0.0), 0.0) for name, weight in LIMITS.items())


def _pymoo(space: Space, effort: Effort, seed: int) -> tuple[Any, Any, Any, dict[str, Any]]:
    """pymoo's `minimize`, the algorithm with its first generation, the class of problems, and the variables."""
    try:
        from pymoo.algorithms.moo.nsga2 import RankAndCrowdingSurvival
        from pymoo.core.mixed import MixedVariableGA
        from pymoo.core.population import Population
        from pymoo.core.problem import Problem
        from pymoo.core.variable import Choice, Integer, Real
        from pymoo.optimize import minimize
    except ImportError as failure:
        raise InputError(
            f"Inverse planning needs pymoo, which is not installed ({failure}). Install it: pip install "
            '"foramen[inverse]".'
        ) from failure
    variables = {
        "start": Choice(options=list(range(len(space.starts)))),
        **{name: Integer(bounds=bounds) for name, bounds in space.integers.items()},
        **{name: Real(bounds=bounds) for name, bounds in space.reals.items()},
    }
    first = Population.new(X=first_generation(space, effort.population, np.random.default_rng(seed)))
    algorithm = MixedVariableGA(pop_size=effort.population, sampling=first, survival=RankAndCrowdingSurvival())
    return minimize, algorithm, Problem, variables


def first_generation(space: Space, count: int, rng: np.random.Generator) -> list[dict[str, float]]:
    """Choices to begin with: every start and number of passes at the ranked path itself, then random ones about it."""
    integers, reals = space.integers, space.reals
    low, high = integers["passes"]
    corners = [(start, passes) for passes in range(low, high + 1) for start in range(len(space.starts))]
    found: list[dict[str, float]] = []
    for number in range(count):
        start, passes = corners[number % len(corners)]
        chosen: dict[str, float] = {"start": start}
        chosen |= {name: int(rng.integers(bounds[0], bounds[1] + 1)) for name, bounds in integers.items()}
        chosen["passes"] = passes
        is_on_path = number < len(corners)
        for name, bounds in reals.items():
            spread = 0.0 if is_on_path else rng.normal(0.0, (bounds[1] - bounds[0]) / 6)
            centre = 0.0 if name == "spacing" else (bounds[0] + bounds[1]) / 2
            chosen[name] = float(np.clip(centre + abs(spread) if name == "spacing" else centre + spread, *bounds))
        found.append(chosen)
    return found


def front(tried: tuple[Tried, ...]) -> tuple[Tried, ...]:
    """The settings that keep every limit and of which none is better in everything."""
    kept = [entry for entry in tried if entry.judged.is_kept]
    if not kept:
        return ()
    objectives = np.array([_objectives(entry.judged) for entry in kept])
    return tuple(entry for entry, best in zip(kept, non_dominated(objectives), strict=True) if best)


def non_dominated(objectives: np.ndarray[Any, np.dtype[np.float64]]) -> list[bool]:
    """Whether each row (n, k), all to be small, is not beaten: by none at least as good in all and better in one."""
    return [
        not bool(np.any(np.all(objectives <= row, axis=1) & np.any(objectives < row, axis=1))) for row in objectives
    ]
