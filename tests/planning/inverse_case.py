"""Small problems for tests of inverse planning: settings judged by a formula, and points of a table."""

from __future__ import annotations

import dataclasses
import itertools

from foramen.model.inverse import InversePoint, InverseResult, InverseTarget
from foramen.model.levels import Segment, Side
from foramen.model.robust import Probability
from foramen.planning.inverse.choose import RULE, advice, judged_points
from foramen.planning.inverse.effort import Effort
from foramen.planning.inverse.quick import BOILING, Judged
from foramen.planning.inverse.space import Design, Ranges, Reach, Space
from foramen.planning.inverse.words import ASSUMPTIONS, LIMITS, OPTIMISED
from steps.effect_case import make_device, make_setting, make_trajectory

STILL = Reach(tilt_deg=0.0, shift_mm=0.0, along_mm=0.0, spacing_mm=0.0, stagger_mm=0.0)
EFFORT = Effort(
    population=20, generations=10, search_scenarios=8, scenarios=40, full_solves=4, shown_shares=(0.7, 0.97)
)
BOILS_ABOVE_DEGC = 84.0


def make_space(*, reach: Reach = STILL, passes: tuple[int, int] = (1, 3)) -> Space:
    """Two starting paths, 13 temperatures, seven times: 182 settings for each number of passes."""
    thick = dataclasses.replace(make_device(), id="rf16", gauge=16, outer_diameter_mm=1.65, inner_diameter_mm=1.2)
    first = make_trajectory()
    ranges = Ranges(
        temperature_degC=(60.0, 90.0),
        time_s=(90.0, 120.0),
        passes=passes,
        ramp_s=10.0,
        frequency_hz=500e3,
        temperature_step_degC=2.5,
        time_step_s=5.0,
    )
    return Space(starts=(first, dataclasses.replace(first, id="t2", device=thick)), ranges=ranges, reach=reach)


def judge(design: Design) -> Judged:
    """Hotter, longer, thicker and more passes capture more and burn more; too hot boils. An off-centre shift harms."""
    heat = (design.temperature_degC - 37) * (design.time_s / 90) ** 0.2 * (1.15 if design.start else 1.0)
    capture = 1 - (1 - min(heat / 70, 1.0) * 0.8) ** design.passes
    return Judged(
        capture=capture - 0.02 * abs(design.shift_mm - 0.5),
        burnt_mm3=heat**1.5 * design.passes**0.8,
        passes=design.passes,
        excess=((BOILING, design.temperature_degC - BOILS_ABOVE_DEGC),),
    )


def every_design(space: Space) -> list[Design]:
    """All settings of a space without places."""
    counts = [range(high + 1) for _, high in space.integers.values()]
    low, high = space.passes
    return [
        space.design({"start": start, "temperature": t, "time": s}, passes)
        for passes in range(low, high + 1)
        for start, t, s in itertools.product(range(len(space.starts)), *counts)
    ]


def make_point(
    number: int, *, passes: int, capture: float, burnt_mm3: float, broken: tuple[str, ...] = ()
) -> InversePoint:
    """A row of the table."""
    probability = Probability(
        estimate_fraction=capture, low_fraction=max(capture - 0.1, 0.0), high_fraction=min(capture + 0.1, 1.0)
    )
    return InversePoint(
        number=number,
        trajectories=(make_trajectory(),) * passes,
        setting=make_setting(lesions=passes),
        spacing_mm=1.27 if passes > 1 else 0.0,
        stagger_mm=0.0,
        capture=probability,
        nominal_fraction=1.0,
        burnt_mm3=burnt_mm3,
        hottest_tissue_degC=90.0,
        hottest_neighbour=None,
        any_neighbour=Probability(estimate_fraction=0.0, low_fraction=0.0, high_fraction=0.01),
        broken=broken,
    )


def make_result(*points: InversePoint) -> InverseResult:
    """A result for one nerve with these points, as judged by the rule."""
    table = judged_points(points)
    target = InverseTarget(
        target="L3 medial branch, on the L4 transverse process",
        points=table,
        searched=100,
        kept_limits=80,
        prevented={BOILING: 20},
        dropped=(),
        unknown=("radicular arteries",),
        advice=advice(table, {BOILING: 20}, ()),
        error=None,
    )
    return InverseResult(
        technique="lumbar_medial_branch_rf",
        technique_name="Lumbar medial branch radiofrequency",
        level=Segment("L4-L5"),
        side=Side.LEFT,
        case_uid="1.2.3",
        seed=7,
        captured_fraction=0.8,
        burnt_degC=60.0,
        accept_fraction=0.8,
        scenarios=400,
        confidence_fraction=0.95,
        targets=(target,),
        optimised=OPTIMISED,
        limits=LIMITS,
        rule=RULE,
        assumptions=ASSUMPTIONS,
    )
