"""The search: NSGA-II over mixed variables (pymoo), seeded, the same for any number of threads.

Each number of passes is searched on its own, or the many good settings with one pass would crowd out the others.
"""

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

    Maximised: the probability of capture. Minimised: burnt tissue. A setting that breaks a limit loses to one that
    breaks it less, and to every one that breaks none.

    Raises
    ------
    InputError
        If pymoo is not installed.
    """
    found: list[Tried] = []
    low, high = space.passes
    total = effort.population * effort.generations * (high + 1 - low)
    with ThreadPoolExecutor(max_workers=threads or os.cpu_count() or 1) as pool:

        def judged(designs: list[Design]) -> list[Judged]:
            entries = list(pool.map(judge, designs))
            found.extend(Tried(design=d, judged=j) for d, j in zip(designs, entries, strict=True))
            progress(min(len(found) / total, 1.0))
            return entries

        for passes in range(low, high + 1):
            stream = int(np.random.SeedSequence(seed, spawn_key=(passes,)).generate_state(1)[0])
            _evolve(space, passes, judged, effort, stream)
    return tuple(found)


def _evolve(
    space: Space, passes: int, judged: Callable[[list[Design]], list[Judged]], effort: Effort, seed: int
) -> None:
    """One run of NSGA-II; every generation is handed to `judged` as a whole."""
    try:
        from pymoo.algorithms.moo.nsga2 import NSGA2, binary_tournament
        from pymoo.core.mixed import MixedVariableDuplicateElimination, MixedVariableMating
        from pymoo.core.population import Population
        from pymoo.core.problem import Problem
        from pymoo.core.variable import Choice, Integer, Real
        from pymoo.operators.selection.tournament import TournamentSelection
        from pymoo.optimize import minimize
    except ImportError as failure:
        raise InputError(
            f"Inverse planning needs pymoo, which is not installed ({failure}). Install it: pip install "
            '"foramen[inverse]".'
        ) from failure
    integers, reals = space.integers, space.reals(passes)

    class Settings(Problem):  # type: ignore[misc]  # pymoo has no types
        def _evaluate(self, x: Any, out: dict[str, Any], *_args: Any, **_options: Any) -> None:
            entries = judged([space.design(chosen, passes) for chosen in x])
            out["F"] = np.array([_objectives(entry)[:2] for entry in entries])
            out["G"] = np.array([_constraints(entry) for entry in entries])

    problem = Settings(
        vars={
            "start": Choice(options=list(range(len(space.starts)))),
            **{name: Integer(bounds=bounds) for name, bounds in integers.items()},
            **{name: Real(bounds=bounds) for name, bounds in reals.items()},
        },
        n_obj=2,
        n_ieq_constr=len(LIMITS),
    )
    first = first_generation(space, passes, effort.population, np.random.default_rng(seed))
    duplicates = MixedVariableDuplicateElimination()
    selection = TournamentSelection(func_comp=binary_tournament)
    algorithm = NSGA2(
        pop_size=effort.population,
        sampling=Population.new(X=first),
        mating=MixedVariableMating(selection=selection, eliminate_duplicates=duplicates),
        eliminate_duplicates=duplicates,
    )
    minimize(problem, algorithm, ("n_gen", effort.generations), seed=seed, copy_algorithm=False)


def _objectives(judged: Judged) -> tuple[float, float, float]:
    return -judged.capture, min(judged.burnt_mm3, WORST_MM3), float(judged.passes)


def _constraints(judged: Judged) -> tuple[float, ...]:
    """Each limit's excess; a broken path counts more than any heat."""
    excess = dict(judged.excess)
    return tuple(weight * max(excess.get(name, 0.0), 0.0) for name, weight in LIMITS.items())


def first_generation(space: Space, passes: int, count: int, rng: np.random.Generator) -> list[dict[str, float]]:
    """Choices to begin with: every ranked path itself as often as there is room for, then places about them."""
    found: list[dict[str, float]] = []
    for number in range(count):
        chosen: dict[str, float] = {"start": number % len(space.starts)}
        chosen |= {name: int(rng.integers(low, high + 1)) for name, (low, high) in space.integers.items()}
        for name, (low, high) in space.reals(passes).items():
            away = 0.0 if number < len(space.starts) else rng.normal(0.0, (high - low) / 6)
            chosen[name] = float(np.clip(abs(away) if low >= 0 else away, low, high))
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
