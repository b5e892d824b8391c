"""The worst scenarios that were sampled, in words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from foramen.model.robust import WorstCase
from foramen.model.space import FloatArray
from foramen.planning.robust.estimate import TargetSample
from foramen.planning.robust.outcome import Reduced
from foramen.planning.robust.scenario import Sampler, Scenario

SHOWN = 3
"""Worst captures that are shown of each target; the hottest neighbour is shown once."""


def worst_cases(reduced: Reduced, sample: TargetSample, sampler: Sampler) -> tuple[WorstCase, ...]:
    """The scenarios that capture least, and the one with the hottest neighbour."""
    target, found = reduced.scene.target.name, []
    least = np.lexsort((sample.margins_K[:, 0], sample.fraction))[:SHOWN]
    for index in map(int, least):
        what = (
            f"captures {100 * sample.fraction[index]:.0f} %, {sample.margins_K[index, 0]:+.1f} K at the deciding point"
        )
        found.append(_case(reduced, sampler, target, index, what))
    if np.isfinite(sample.peaks_degC).any():
        index, which = divmod(int(np.nanargmax(sample.peaks_degC)), sample.peaks_degC.shape[1])
        name = reduced.scene.neighbours[which].name
        what = f"hottest neighbour: {name} at {sample.peaks_degC[index, which]:.1f} degC"
        found.append(_case(reduced, sampler, target, index, what))
    return tuple(found)


def _case(reduced: Reduced, sampler: Sampler, target: str, index: int, what: str) -> WorstCase:
    words = came_together(reduced, sampler.draw(index))
    return WorstCase(target=target, scenario=index, what=what, came_together=words)


def came_together(reduced: Reduced, scenario: Scenario) -> tuple[str, ...]:
    """What a scenario is made of at one target, in words."""
    scene, spread = reduced.scene, reduced.spread
    moved = scene.course.moved_mm(scenario, spread)
    course = float(np.linalg.norm(moved, axis=1).max())
    words = [
        f"landmarks and nerves {_direction(scenario.registration_mm(spread, scene.registration_mm))}",
        f"nerve up to {course:.1f} mm off its mean course",
    ]
    for number, basis in enumerate(reduced.bases, start=1):
        lesion = scene.first_lesion + number - 1
        across, sideways, along = scenario.place(lesion, spread)
        tilt = np.degrees(np.linalg.norm(scenario.tilt_rad(lesion, spread, basis.depth_mm)))
        depth = "shallow" if along > 0 else "deep"
        words.append(
            f"lesion {number}: tip {np.hypot(across, sideways):.1f} mm aside, {abs(along):.1f} mm too {depth}, "
            f"{tilt:.1f} deg off"
        )
    perfusion, conduction, _, calibration, baseline = scenario.tissue(spread)
    words.append(
        f"perfusion x {np.exp(perfusion):.2f}, conduction x {np.exp(conduction):.2f}, true temperature "
        f"{calibration:+.1f} K, body {baseline:+.1f} K"
    )
    return tuple(words)


def _direction(moved_mm: FloatArray) -> str:
    names: Sequence[tuple[str, str]] = (("to the left", "to the right"), ("back", "forward"), ("up", "down"))
    return ", ".join(f"{abs(v):.1f} mm {pair[0 if v > 0 else 1]}" for v, pair in zip(moved_mm, names, strict=True))
