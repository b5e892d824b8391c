"""Soft costs of the paths that pass, and the choice of alternatives that really differ."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from foramen.anatomy.needle_paths import mean_nerve_distance_mm
from foramen.geometry.carm import angles_behind, mobile_dial
from foramen.geometry.segments import unit
from foramen.knowledge.trajectory_rules import AngleBand
from foramen.model.space import FloatArray
from foramen.steps.trajectory.limits import least
from foramen.steps.trajectory.scene import Scene, Tried, resting_cost


def costs_of(scene: Scene, tried: Tried, which: NDArray[np.intp]) -> dict[str, FloatArray]:
    """Costs (each (m,)) of some candidates by name; their sum ranks."""
    rules, preferences = scene.rules, scene.rules.preferences
    needles = tried.needles.take(which)
    angles = np.array([angles_behind(scene.frame, scene.target.side, back) for back in needles.backs])
    dials = [mobile_dial(back, scene.posture) for back in needles.backs]
    beyond = np.array(
        [
            max(0.0, abs(dial.orbital_deg) - rules.carm_oblique_max_deg)
            + max(0.0, abs(dial.tilt_deg) - rules.carm_declined_max_deg)
            for dial in dials
        ]
    )
    oblique, declined = scene.bands
    nerve = np.clip(2 - least(tried.electrode_nerve_mm[which]) / rules.electrode_to_nerve_mm, 0, 1)
    return {
        "capture": preferences.capture_per_mm * mean_nerve_distance_mm(needles, scene.target.needed_segment_mm),
        "parallel": preferences.parallel_per_deg * angle_to_nerve_deg(scene, needles.backs),
        "oblique": preferences.oblique_per_deg * _outside(angles[:, 0], oblique),
        "declined": preferences.declined_per_deg * _outside(angles[:, 1], declined),
        "withdrawn": preferences.withdrawn_per_mm * tried.withdrawn_mm[which],
        "border": preferences.border_per_mm * np.maximum(0, rules.tip_behind_border_mm - tried.behind_border_mm[which]),
        "resting": resting_cost(scene, tried.overlap_mm[which]),
        "nerve": preferences.nerve * nerve,
        "depth": preferences.depth_per_mm * tried.length_mm[which],
        "reach": preferences.reach_per_deg * beyond,
    }


def _outside(angles_deg: FloatArray, band: AngleBand) -> FloatArray:
    outside: FloatArray = np.maximum(0, band.usual_low_deg - angles_deg) + np.maximum(
        0, angles_deg - band.usual_high_deg
    )
    return outside


def angle_to_nerve_deg(scene: Scene, backs: FloatArray) -> FloatArray:
    """Angles (n,) between needles (tip to hub) and the needed nerve from its proximal to its distal end."""
    segment = scene.target.needed_segment_mm
    nerve = unit(segment[-1] - segment[0])
    angle: FloatArray = np.degrees(np.arccos(np.clip(backs @ nerve, -1, 1)))
    return angle


def distinct_paths(
    scene: Scene, tried: Tried, passed: NDArray[np.intp], *, taken: Sequence[FloatArray], wanted: int
) -> list[int]:
    """Numbers of the best candidates that differ by ``rules.distinct_deg`` from each other and from `taken`."""
    if not len(passed):
        return []
    total = np.sum(list(costs_of(scene, tried, passed).values()), axis=0)
    nearest_cosine = np.cos(np.radians(scene.rules.distinct_deg))
    chosen: list[int] = []
    directions = list(taken)
    for candidate in passed[np.argsort(total, kind="stable")]:
        back = tried.needles.backs[candidate]
        if len(chosen) < wanted and all(back @ other <= nearest_cosine for other in directions):
            directions.append(back)
            chosen.append(int(candidate))
    return chosen
