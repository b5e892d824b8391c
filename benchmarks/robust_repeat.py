"""Repeat the robustness of several plans over seeds: do decisions contradict each other, and how often do they change?

``python -m benchmarks.robust_repeat --plans 20 --seeds 10`` plans the reference body (sizes, levels, sides and set
temperatures vary), prepares each plan once and decides it with every seed. A contradiction is a plan that is accepted
by one seed and refused by another; a change is a decision that differs from the plan's most frequent one.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections import Counter
from collections.abc import Iterator

from foramen import api
from foramen.model.robust import RobustDecision
from foramen.physics.grid import Resolution
from foramen.planning.robust import prepare, robustness
from foramen.steps.effect.simulation import RESOLUTION

LEVELS = ("L4-L5", "L3-L4", "L5-S1", "L2-L3")
SIDES = ("left", "right")
TEMPERATURES_DEGC = (80.0, 90.0, 70.0)
COARSE = Resolution(step=0.3, angles=8)


def plans(count: int, *, lesions: int) -> Iterator[tuple[str, api.Case, api.Planned]]:
    """The first `count` plans of the grid of settings."""
    cases: dict[int, api.Case] = {}
    grid = itertools.product(range(3), TEMPERATURES_DEGC, LEVELS, SIDES)
    for number, (_, temperature, level, side) in enumerate(itertools.islice(grid, count)):
        seed = number % 5
        if seed not in cases:
            cases[seed] = api.reference_case(seed=seed)
        case = cases[seed]
        planned = api.plan(
            case,
            technique="lumbar_medial_branch_rf",
            level=level,
            side=side,
            procedure_at=api.REFERENCE_PROCEDURE_AT,
            temperature_degC=temperature,
            lesions=lesions,
        )
        yield f"body {seed}, {level} {side}, {temperature:g} degC", case, planned


def main() -> None:
    """Print one line for each plan, then the totals."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plans", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--lesions", type=int, default=1, help="lesions on each nerve")
    parser.add_argument("--coarse", action="store_true", help="a coarser grid about each needle")
    options = parser.parse_args()
    contradictions = changes = 0
    for name, case, planned in plans(options.plans, lesions=options.lesions):
        started = time.perf_counter()
        prepared = prepare(planned.plan, case, planned.anatomy, resolution=COARSE if options.coarse else RESOLUTION)
        middle = time.perf_counter()
        found = [robustness(prepared, seed=seed) for seed in range(options.seeds)]
        ended = time.perf_counter()
        counts = Counter(result.decision for result in found)
        contradiction = {RobustDecision.ACCEPTABLE, RobustDecision.REJECTED} <= set(counts)
        contradictions += contradiction
        changes += len(found) - counts.most_common(1)[0][1]
        captures = [100 * t.captures[0].probability.estimate_fraction for t in found[0].targets]
        said = ", ".join(f"{decision.value} {count}" for decision, count in counts.most_common())
        print(
            f"{name:<34} {said:<28} P(80 %) {' '.join(f'{c:5.1f}' for c in captures)}  "
            f"neighbours {100 * found[0].any_keep_out.estimate_fraction:5.1f} %  sd "
            f"{max(e.sd_K for e in found[0].errors):.1f} K  prepared {middle - started:.0f} s, "
            f"a seed {(ended - middle) / len(found):.0f} s",
            flush=True,
        )
    total = options.plans * options.seeds
    print(
        f"{options.plans} plans x {options.seeds} seeds: {contradictions} contradictions, {changes} of {total} changes"
    )


if __name__ == "__main__":
    main()
