"""One target with everything around it, and measurements on candidate paths to it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from foramen.anatomy.needle_paths import (
    Needles,
    bone_overlap_mm,
    nerve_gaps_mm,
    shaft_bone_gap_mm,
    skin_distances_mm,
)
from foramen.anatomy.obstacles import Obstacles, find_obstacles
from foramen.geometry.carm import beam_behind
from foramen.geometry.segments import unit
from foramen.geometry.skin import Body, find_body
from foramen.knowledge.facts import number, numbers
from foramen.knowledge.trajectory_rules import SACRUM, AngleBand, TrajectoryRules
from foramen.model.anatomy import Anatomy, LandmarkName, VertebraFrame
from foramen.model.device import RfCannula
from foramen.model.plan import Posture, Target
from foramen.model.space import FloatArray, LabelMap, Volume

ANGLE_STEP_DEG = 2.5
OFFSET_STEP_MM = 0.5
"""Steps of the search in angle and beside the nerve."""

BLOCKED = 1e3
"""Cost of a place that a hard limit forbids: taken only where there is no other."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scene:
    """One target with everything around it."""

    target: Target
    frame: VertebraFrame
    obstacles: Obstacles
    body: Body
    rules: TrajectoryRules
    border_mm: float  # posterior coordinate of the foramen's posterior border
    border_sd_mm: float
    posture: Posture

    @property
    def overlap_limit_mm(self) -> float:
        """How far the needle may overlap bone at the target: labels are no finer than half a voxel's diagonal."""
        return max(self.rules.bone_overlap_mm, self.obstacles.tolerance_mm)

    @property
    def bands(self) -> tuple[AngleBand, AngleBand]:
        """Oblique and declined angles that are searched for this target."""
        return _bands(self.rules, self.target)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tried:
    """Measurements on candidate paths; every array has one row per candidate.

    Parameters
    ----------
    withdrawn_mm : ndarray, shape (n,)
        How far the tip is drawn back from just beyond the proximal end of the needed nerve.
    behind_border_mm : ndarray, shape (n,)
        Distance of the tip behind the posterior border of the foramen on a true lateral.
    overlap_mm : ndarray, shape (n,)
        Depth of the bare part's surface in labelled bone; negative where it does not touch.
    electrode_nerve_mm, shaft_nerve_mm : ndarray, shape (n, number of nerves)
        Gaps between the surfaces of nerves and of the bare part, or of the whole needle.
    shaft_bone_mm, shaft_bone_at_mm : ndarray, shape (n,) and (n, 3)
        Smallest gap between shaft and bone on the way, and where it is (LPS).
    """

    needles: Needles
    withdrawn_mm: FloatArray
    length_mm: FloatArray
    is_in_image: NDArray[np.bool_]
    behind_border_mm: FloatArray
    overlap_mm: FloatArray
    electrode_nerve_mm: FloatArray
    shaft_nerve_mm: FloatArray
    shaft_bone_mm: FloatArray
    shaft_bone_at_mm: FloatArray
    skin_angle_deg: FloatArray
    lateral_mm: FloatArray

    def take(self, which: NDArray[np.intp]) -> Tried:
        """Some of the candidates."""
        rows = {name: getattr(self, name)[which] for name in self.__slots__ if name != "needles"}
        return Tried(needles=self.needles.take(which), **rows)


def set_scene(
    anatomy: Anatomy, image: Volume, labels: LabelMap, target: Target, rules: TrajectoryRules, posture: Posture
) -> Scene:
    """Everything around one target, found once for all candidates.

    Raises
    ------
    LandmarkError
        If the posterior border of the foramen is not known: the tip would have no stop.
    """
    vertebra = anatomy.vertebra(target.crosses_bone)
    border = vertebra.landmark(LandmarkName.FORAMEN_POSTERIOR_BORDER, target.side)
    reach = rules.depth_max_mm + rules.length_reserve_mm
    oblique, declined = _bands(rules, target)
    corners = [
        target.position_mm + reach * beam_behind(vertebra.frame, target.side, oblique_deg=o, declined_deg=d)
        for o in (oblique.search_low_deg, oblique.search_high_deg)
        for d in (declined.search_low_deg, declined.search_high_deg)
    ]
    around = np.vstack([target.needed_segment_mm, *corners])
    return Scene(
        target=target,
        frame=vertebra.frame,
        obstacles=find_obstacles(anatomy, image, labels, around_mm=around, bone_hu=rules.bone_threshold_hu),
        body=find_body(image, threshold_hu=rules.skin_threshold_hu),
        rules=rules,
        border_mm=float(vertebra.frame.to_vertebra(border.position_mm)[1]),
        border_sd_mm=border.sd_mm,
        posture=posture,
    )


def _bands(rules: TrajectoryRules, target: Target) -> tuple[AngleBand, AngleBand]:
    if target.crosses_bone == SACRUM:
        return rules.sacral_oblique, rules.sacral_declined
    return rules.oblique, rules.declined


def try_directions(scene: Scene, device: RfCannula) -> Tried:
    """Candidates over the searched angles and several withdrawals of the tip, with their measurements."""
    oblique, declined = scene.bands
    grid = [
        beam_behind(scene.frame, scene.target.side, oblique_deg=o, declined_deg=d)
        for o in _steps(oblique)
        for d in _steps(declined)
    ]
    placed, at_border = _lay_on_nerve(scene, device, np.array(grid))
    count = len(placed.backs)
    withdrawals_mm = numbers("trajectory.withdrawals_mm")
    withdrawn = np.repeat(withdrawals_mm, count)
    backs = np.tile(placed.backs, (len(withdrawals_mm), 1))
    tips = np.tile(placed.tips_mm, (len(withdrawals_mm), 1)) + withdrawn[:, None] * backs
    return measure(
        scene, replace(placed, tips_mm=tips, backs=backs), withdrawn + np.tile(at_border, len(withdrawals_mm))
    )


def _steps(band: AngleBand) -> FloatArray:
    count = max(1, int(np.ceil((band.search_high_deg - band.search_low_deg) / ANGLE_STEP_DEG)))
    return np.linspace(band.search_low_deg, band.search_high_deg, count + 1)


def _lay_on_nerve(scene: Scene, device: RfCannula, backs: FloatArray) -> tuple[Needles, FloatArray]:
    """The best place of the active tip for each direction: beside the nerve, resting on bone.

    Where the proximal end of the needed nerve lies before the posterior border of the foramen the tip is drawn
    back to the recommended distance behind that border; the second result (n,) says how far, in mm.
    """
    segment = scene.target.needed_segment_mm
    coarse = segment[np.linspace(0, len(segment) - 1, min(len(segment), 9)).astype(int)]
    reach_mm = number("trajectory.offset_reach_mm")
    steps = np.arange(-reach_mm, reach_mm + OFFSET_STEP_MM / 2, OFFSET_STEP_MM)
    disc = np.stack(np.meshgrid(steps, steps, indexing="ij"), axis=-1).reshape(-1, 2)
    disc = disc[np.hypot(*disc.T) <= reach_mm + 1e-9]
    first = unit(np.cross(backs, scene.frame.superior))
    second = np.cross(backs, first)
    offsets = disc[None, :, :1] * first[:, None] + disc[None, :, 1:] * second[:, None]
    along = (segment[0] - scene.target.position_mm) @ backs.T - scene.rules.tip_beyond_mm
    tips = scene.target.position_mm + offsets + (along[:, None] * backs)[:, None]
    before = scene.border_mm + scene.rules.tip_behind_border_mm - scene.frame.to_vertebra(tips)[..., 1]
    drawn_back = np.maximum(before, 0) / (backs @ scene.frame.posterior)[:, None]
    needles = Needles(
        tips_mm=(tips + drawn_back[..., None] * backs[:, None]).reshape(-1, 3),
        backs=np.repeat(backs, len(disc), axis=0),
        radius_mm=device.radius_mm,
        active_mm=device.active_tip_mm,
    )
    overlap = bone_overlap_mm(needles, scene.obstacles)
    rest = coarse - scene.target.position_mm
    in_plane = np.stack([rest @ first.T, rest @ second.T], axis=-1)  # (nerve points, directions, 2)
    beside = np.linalg.norm(in_plane.transpose(1, 0, 2)[:, None] - disc[None, :, None], axis=-1).mean(axis=2)
    cost = resting_cost(scene, overlap) + scene.rules.preferences.capture_per_mm * beside.ravel()
    cost += np.where(overlap > scene.overlap_limit_mm, BLOCKED, 0.0)
    free_mm = scene.rules.bone_graze_mm
    behind = np.full(len(overlap), device.active_tip_mm + free_mm + number("trajectory.shaft_looked_at_mm"))
    gap, _ = shaft_bone_gap_mm(needles, behind, scene.obstacles, free_mm=free_mm)
    cost += np.where(gap < 0, BLOCKED, 0.0)
    best = np.arange(len(backs)) * len(disc) + cost.reshape(len(backs), len(disc)).argmin(axis=1)
    return needles.take(best), drawn_back.ravel()[best]


def resting_cost(scene: Scene, overlap_mm: FloatArray) -> FloatArray:
    """Cost (n,) of not just touching the bone, by how deep (or, negative, how far off) the bare part lies."""
    preferences = scene.rules.preferences
    cost: FloatArray = preferences.in_bone_per_mm * np.maximum(
        overlap_mm, 0
    ) + preferences.off_bone_per_mm * np.maximum(-overlap_mm, 0)
    return cost


def measure(scene: Scene, needles: Needles, withdrawn_mm: FloatArray) -> Tried:
    """Everything that limits and costs need to know of some needles, except the keep-outs."""
    length, is_in_image = skin_distances_mm(needles, scene.body)
    length = np.where(is_in_image, length, needles.active_mm)
    entries = needles.tips_mm + length[:, None] * needles.backs
    normals = scene.body.outward_normals(entries)
    gap, place = shaft_bone_gap_mm(needles, length, scene.obstacles, free_mm=scene.rules.bone_graze_mm)
    return Tried(
        needles=needles,
        withdrawn_mm=withdrawn_mm,
        length_mm=length,
        is_in_image=is_in_image,
        behind_border_mm=scene.frame.to_vertebra(needles.tips_mm)[:, 1] - scene.border_mm,
        overlap_mm=bone_overlap_mm(needles, scene.obstacles),
        electrode_nerve_mm=nerve_gaps_mm(needles, needles.active_ends_mm, scene.obstacles),
        shaft_nerve_mm=nerve_gaps_mm(needles, entries, scene.obstacles),
        shaft_bone_mm=gap,
        shaft_bone_at_mm=place,
        skin_angle_deg=np.degrees(np.arccos(np.clip((normals * needles.backs).sum(axis=1), -1, 1))),
        lateral_mm=np.abs(scene.frame.to_vertebra(entries)[:, 0]),
    )
