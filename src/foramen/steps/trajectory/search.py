"""By which straight path? Electrode along the nerve, searched over angles, limits first, then ranked.

For each direction (oblique and declined angle relative to the squared vertebra) the active tip is laid
beside the needed part of the nerve where it rests on bone; then each hard limit is tried in turn. What
fails is counted with its nearest miss; what passes is ranked by the sum of its costs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from foramen.anatomy.needle_paths import Needles, bone_overlap_mm, mean_nerve_distance_mm
from foramen.errors import InputError, PlanRejected
from foramen.knowledge.trajectory_rules import TrajectoryRules
from foramen.model.anatomy import Anatomy
from foramen.model.device import RfCannula
from foramen.model.levels import Side
from foramen.model.plan import Posture, Target, Trajectory
from foramen.model.space import FloatArray, LabelMap, Volume
from foramen.steps.trajectory.description import describe_path
from foramen.steps.trajectory.limits import sieve
from foramen.steps.trajectory.placing import across_bone, laid_on_bone, needle_along
from foramen.steps.trajectory.ranking import distinct_paths
from foramen.steps.trajectory.scene import Scene, measure, set_scene, try_directions


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrajectorySearch:
    """Paths that satisfy every hard limit, the best first, and why the others were rejected."""

    ranked: tuple[Trajectory, ...]
    rejected: tuple[str, ...]


def search_trajectories(
    anatomy: Anatomy,
    image: Volume,
    labels: LabelMap,
    target: Target,
    devices: Sequence[RfCannula],
    *,
    rules: TrajectoryRules,
    posture: Posture = Posture.PRONE,
    max_alternatives: int = 3,
) -> TrajectorySearch:
    """Straight paths to a target that satisfy every hard limit, ranked.

    Parameters
    ----------
    devices : sequence of RfCannula
        In order of preference; a later one is only tried if the earlier give too few different paths.
    rules : TrajectoryRules
        From `trajectory_rules`.
    max_alternatives : int
        How many paths to return, each at least ``rules.distinct_deg`` from the others.

    Raises
    ------
    PlanRejected
        If no path passes; the message lists why.
    InputError
        If no device is given.

    Notes
    -----
    Bone may be overlapped at the target by ``rules.bone_overlap_mm`` or half a voxel's diagonal of the label map,
    whichever is more, because labels are no finer than that; nowhere else. Skin entry is that of the
    posture of the scan: skin and viscera move when a supine patient turns prone.
    """
    if not devices:
        raise InputError("No cannula was given to plan with. Choose one from the catalogue (foramen devices).")
    scene = set_scene(anatomy, image, labels, target, rules, posture)
    found: list[Trajectory] = []
    rejected: list[str] = []
    for device in devices:
        tried = try_directions(scene, device)
        passed, reasons = sieve(scene, tried, device)
        rejected += [f"{device.name}: {reason}" for reason in reasons]
        taken = [-path.direction for path in found]
        for candidate in distinct_paths(scene, tried, passed, taken=taken, wanted=max_alternatives - len(found)):
            found.append(describe_path(scene, tried, candidate, device, rank=len(found) + 1, best=found[:1]))
        if len(found) >= max_alternatives:
            break
    if not found:
        raise PlanRejected(
            f"No path to the {target.side.value} {target.name} satisfies the hard limits: {'; '.join(rejected)}. "
            "Check landmarks and labels in the contact sheet, choose another cannula, or do not plan this nerve."
        )
    return TrajectorySearch(ranked=tuple(found), rejected=tuple(rejected))


def companions(
    anatomy: Anatomy,
    image: Volume,
    labels: LabelMap,
    target: Target,
    trajectory: Trajectory,
    *,
    rules: TrajectoryRules,
    lesions: int,
    posture: Posture = Posture.PRONE,
) -> tuple[Trajectory, ...]:
    """Parallel paths for the second and third lesion on the same nerve, one cannula's diameter beside the first.

    The electrode is moved across the bone's surface, first to the side on which the needed nerve lies, and laid on
    the bone again. A place that breaks a hard limit is left out, so fewer than ``lesions - 1`` may return.
    """
    scene = set_scene(anatomy, image, labels, target, rules, posture)
    device = trajectory.device
    back = -trajectory.direction
    middle = trajectory.tip_mm + device.active_tip_mm / 2 * back
    across, normal = across_bone(scene, middle, back)
    first = needle_along(trajectory)
    found: list[Trajectory] = []
    for needles in _beside(scene, first, across, normal, device.outer_diameter_mm):
        if len(found) >= lesions - 1:
            break
        tried = measure(scene, needles, np.zeros(1))
        passed, _ = sieve(scene, tried, device)
        if len(passed):
            number = len(found) + 2
            made = describe_path(scene, tried, 0, device, rank=trajectory.rank, best=())
            moved = scene.frame.axes.T @ (needles.tips_mm[0] - first.tips_mm[0])
            apart_mm = np.linalg.norm(moved)
            reason = f"lesion {number}: beside lesion 1, {apart_mm:.1f} mm {_way(moved, target.side)} on the bone"
            found.append(replace(made, id=f"{trajectory.id}/lesion {number}", reasons=(reason, *made.reasons)))
    return tuple(found)


def _beside(scene: Scene, first: Needles, across: FloatArray, normal: FloatArray, diameter_mm: float) -> list[Needles]:
    """Needles one and two diameters beside the first, laid on the bone again; those nearer to the nerve come first."""
    rest = float(bone_overlap_mm(first, scene.obstacles)[0])
    placed = []
    for shift_mm in diameter_mm * np.array([1.0, -1.0, 2.0, -2.0]):
        needles = replace(first, tips_mm=first.tips_mm + shift_mm * across)
        needles = laid_on_bone(scene, needles, normal, rest)
        near = float(mean_nerve_distance_mm(needles, scene.target.needed_segment_mm)[0])
        placed.append((abs(shift_mm) > 1.5 * diameter_mm, near, needles))
    placed.sort(key=lambda entry: entry[:2])
    return [needles for _, _, needles in placed]


def _way(moved_mm: FloatArray, side: Side) -> str:
    """The main direction of a shift (left, posterior, superior) in words."""
    outwards, backwards, upwards = side.sign * moved_mm[0], moved_mm[1], moved_mm[2]
    ways = {
        "laterally": outwards,
        "medially": -outwards,
        "to the back": backwards,
        "to the front": -backwards,
        "towards the head": upwards,
        "towards the feet": -upwards,
    }
    return max(ways, key=lambda way: ways[way])
