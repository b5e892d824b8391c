"""Hard limits: which candidate paths pass, and why the others do not."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foramen.anatomy.needle_paths import keep_out_gaps_mm
from foramen.model.device import RfCannula
from foramen.model.space import FloatArray
from foramen.steps.trajectory.scene import Scene, Tried


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Limit:
    """One hard limit: what breaking it means in words, and by how much each candidate keeps it (negative: broken)."""

    words: str
    margin: FloatArray
    unit: str = "mm"

    def failure(self, bad: NDArray[np.intp], total: int) -> str:
        """How many candidates broke the limit, and how nearly the best of them kept it."""
        best = float(self.margin[bad].max())
        miss = f" (the nearest misses by {-best:.1f} {self.unit})" if np.isfinite(best) else ""
        return f"{len(bad)} of {total} candidates {self.words}{miss}"


def sieve(scene: Scene, tried: Tried, device: RfCannula) -> tuple[NDArray[np.intp], tuple[str, ...]]:
    """Indices of the candidates that pass every hard limit, and why the others failed.

    A candidate is counted at the first limit that it breaks.
    """
    alive, total = np.arange(len(tried.length_mm)), len(tried.length_mm)
    reasons: list[str] = []
    for limit in (*_place_limits(scene, tried), *_path_limits(scene, tried, device)):
        is_bad = ~(limit.margin[alive] >= 0)
        bad, alive = alive[is_bad], alive[~is_bad]
        if len(bad):
            reasons.append(limit.failure(bad, total))
    is_bad = tried.shaft_bone_mm[alive] < 0
    bad, alive = alive[is_bad], alive[~is_bad]
    names = Counter(scene.obstacles.bone_names(tried.shaft_bone_at_mm[bad])) if len(bad) else Counter[str]()
    reasons += [f"{count} of {total} candidates pass through the {name}" for name, count in names.most_common()]
    if len(alive) and scene.obstacles.keep_outs:
        alive, failures = _keep_out_sieve(scene, tried, alive)
        reasons += failures
    return alive, tuple(reasons)


def _place_limits(scene: Scene, tried: Tried) -> tuple[Limit, ...]:
    """Limits on where the bare electrode lies."""
    rules = scene.rules
    return (
        Limit(
            words="put the tip past the posterior border of the foramen (anterior margin of the superior articular "
            "process)",
            margin=tried.behind_border_mm + rules.tip_past_border_max_mm,
        ),
        Limit(
            words=f"overlap the target's bone by more than {scene.overlap_limit_mm:.1f} mm",
            margin=scene.overlap_limit_mm - tried.overlap_mm,
        ),
        Limit(words="do not rest on the target's bone", margin=scene.overlap_limit_mm + tried.overlap_mm),
        Limit(
            words=f"bring the bare electrode within {rules.electrode_to_nerve_mm:g} mm of a spinal nerve or its "
            "ganglion",
            margin=least(tried.electrode_nerve_mm) - rules.electrode_to_nerve_mm,
        ),
    )


def _path_limits(scene: Scene, tried: Tried, device: RfCannula) -> tuple[Limit, ...]:
    """Limits on the way from the skin, except those of bone and labelled keep-outs."""
    rules, longest = scene.rules, max(device.lengths_mm)
    return (
        Limit(
            words="leave the image before they reach the skin",
            margin=np.where(tried.is_in_image, np.inf, -np.inf),
        ),
        Limit(
            words=f"pass within {rules.shaft_to_nerve_mm:g} mm of a spinal nerve or its ganglion",
            margin=least(tried.shaft_nerve_mm) - rules.shaft_to_nerve_mm,
        ),
        Limit(
            words=f"meet the skin at more than {rules.skin_angle_deg:g} deg from straight on",
            margin=rules.skin_angle_deg - tried.skin_angle_deg,
            unit="deg",
        ),
        Limit(
            words=f"enter the skin more than {rules.entry_lateral_max_mm:g} mm from the midline",
            margin=rules.entry_lateral_max_mm - tried.lateral_mm,
        ),
        Limit(words=f"need more than {rules.depth_max_mm:g} mm of depth", margin=rules.depth_max_mm - tried.length_mm),
        Limit(
            words=f"need, with {rules.length_reserve_mm:g} mm of reserve, more than the longest cannula of "
            f"{longest:g} mm",
            margin=longest - tried.length_mm - rules.length_reserve_mm,
        ),
    )


def _keep_out_sieve(scene: Scene, tried: Tried, alive: NDArray[np.intp]) -> tuple[NDArray[np.intp], list[str]]:
    rules, clouds = scene.rules, scene.obstacles.keep_outs
    required = np.array([rules.keep_out_distance_mm(cloud.name) for cloud in clouds])
    gaps = keep_out_gaps_mm(
        tried.needles.take(alive), tried.length_mm[alive], scene.obstacles, within_mm=float(required.max())
    )
    is_kept = np.ones(len(alive), dtype=np.bool_)
    reasons: list[str] = []
    for column, cloud in enumerate(clouds):
        is_bad = is_kept & (gaps[:, column] < required[column])
        if is_bad.any():
            reasons.append(
                f"{int(is_bad.sum())} of {len(tried.length_mm)} candidates pass within {required[column]:g} mm of the "
                f"{cloud.name.replace('_', ' ')} (the farthest of them {max(gaps[is_bad, column].max(), 0.0):.1f} mm)"
            )
        is_kept &= ~is_bad
    return alive[is_kept], reasons


def least(gaps_mm: FloatArray) -> FloatArray:
    """Smallest gap (n,) of each row (n, k); infinite where there is nothing to keep from."""
    smallest: FloatArray = gaps_mm.min(axis=1, initial=np.inf)
    return smallest
