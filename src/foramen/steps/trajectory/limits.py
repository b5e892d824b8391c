"""Hard limits: which candidate paths pass, and why the others do not."""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from foramen.anatomy.needle_paths import keep_out_gaps_mm
from foramen.model.device import RfCannula
from foramen.model.space import FloatArray
from foramen.steps.trajectory.scene import Scene, Tried


def sieve(scene: Scene, tried: Tried, device: RfCannula) -> tuple[NDArray[np.intp], tuple[str, ...]]:
    """Indices of the candidates that pass every hard limit, and why the others failed."""
    rules, total = scene.rules, len(tried.length_mm)
    path = tried.length_mm + rules.length_reserve_mm
    longest = max(device.lengths_mm)
    limits: list[tuple[str, FloatArray]] = [
        ("leave the image before they reach the skin", np.where(tried.is_in_image, 1.0, -np.inf)),
        (
            "put the tip past the posterior border of the foramen (anterior margin of the superior articular process)",
            tried.behind_border_mm + rules.tip_past_border_max_mm,
        ),
        (
            f"overlap the target's bone by more than {scene.overlap_limit_mm:.1f} mm",
            scene.overlap_limit_mm - tried.overlap_mm,
        ),
        ("do not rest on the target's bone", scene.overlap_limit_mm + tried.overlap_mm),
        (
            f"bring the bare electrode within {rules.electrode_to_nerve_mm:g} mm of a spinal nerve or its ganglion",
            least(tried.electrode_nerve_mm) - rules.electrode_to_nerve_mm,
        ),
        (
            f"pass within {rules.shaft_to_nerve_mm:g} mm of a spinal nerve or its ganglion",
            least(tried.shaft_nerve_mm) - rules.shaft_to_nerve_mm,
        ),
        ("pass through the", tried.shaft_bone_mm),
        (f"meet the skin at more than {rules.skin_angle_deg:g} deg", rules.skin_angle_deg - tried.skin_angle_deg),
        (
            f"enter the skin more than {rules.entry_lateral_max_mm:g} mm from the midline",
            rules.entry_lateral_max_mm - tried.lateral_mm,
        ),
        (f"need more than {rules.depth_max_mm:g} mm of depth", rules.depth_max_mm - tried.length_mm),
        (
            f"need, with {rules.length_reserve_mm:g} mm of reserve, more than the longest cannula of {longest:g} mm",
            longest - path,
        ),
    ]
    alive = np.arange(total)
    reasons: list[str] = []
    for words, margin in limits:
        is_bad = ~(margin[alive] >= 0)
        bad, alive = alive[is_bad], alive[~is_bad]
        if len(bad) and words == "pass through the":
            names = Counter(scene.obstacles.bone_names(tried.shaft_bone_at_mm[bad]))
            reasons += [f"{count} of {total} candidates {words} {name}" for name, count in names.most_common()]
        elif len(bad):
            best = float(margin[bad].max())
            miss = f" (nearest miss {-best:.1f} beyond the limit)" if np.isfinite(best) else ""
            reasons.append(f"{len(bad)} of {total} candidates {words}{miss}")
    if not len(alive) or not scene.obstacles.keep_outs:
        return alive, tuple(reasons)
    gaps = keep_out_gaps_mm(tried.needles.take(alive), tried.length_mm[alive], scene.obstacles)
    for column, cloud in enumerate(scene.obstacles.keep_outs):
        required = rules.keep_out_distance_mm(cloud.name)
        is_bad = gaps[:, column] < required
        if is_bad.any():
            reasons.append(
                f"{int(is_bad.sum())} of {total} candidates pass within {required:g} mm of the "
                f"{cloud.name.replace('_', ' ')} (the farthest of them {gaps[is_bad, column].max():.1f} mm)"
            )
        alive, gaps = alive[~is_bad], gaps[~is_bad]
    return alive, tuple(reasons)


def least(gaps_mm: FloatArray) -> FloatArray:
    least: FloatArray = gaps_mm.min(axis=1, initial=np.inf)
    return least
