"""Places about a known path: turned a little, moved across the bone and along the needle, in parallel passes."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from foramen.anatomy.needle_paths import Needles, bone_overlap_mm
from foramen.geometry.carm import angles_behind, beam_behind
from foramen.geometry.segments import unit
from foramen.model.device import RfCannula
from foramen.model.plan import Trajectory
from foramen.model.space import FloatArray
from foramen.steps.trajectory.description import describe_path
from foramen.steps.trajectory.limits import sieve
from foramen.steps.trajectory.ranking import distinct_paths
from foramen.steps.trajectory.scene import Scene, Tried, measure, try_directions

LAYINGS = 3
"""Times that a needle is moved towards the bone or away from it, each time by its gap."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Placed:
    """Parallel passes of one device with their measurements, and which of them keep every hard limit."""

    device: RfCannula
    tried: Tried
    is_kept: NDArray[np.bool_]


def ranked_paths(scene: Scene, device: RfCannula, *, wanted: int) -> tuple[tuple[Trajectory, ...], tuple[str, ...]]:
    """The best different paths of one device that keep every hard limit, and why the other candidates failed."""
    tried = try_directions(scene, device)
    passed, reasons = sieve(scene, tried, device)
    chosen = distinct_paths(scene, tried, passed, taken=(), wanted=wanted)
    paths = tuple(
        describe_path(scene, tried, number, device, rank=rank, best=()) for rank, number in enumerate(chosen, start=1)
    )
    return paths, reasons


def needle_along(path: Trajectory) -> Needles:
    """The needle of a path, as an array of one."""
    device = path.device
    return Needles(
        tips_mm=path.tip_mm[None],
        backs=-path.direction[None],
        radius_mm=device.radius_mm,
        active_mm=device.active_tip_mm,
    )


def parallel_passes(
    scene: Scene, path: Trajectory, *, turn_deg: tuple[float, float], across_mm: FloatArray, along_mm: FloatArray
) -> Needles:
    """Needles (n,) about a path, each resting on the bone as the path itself does.

    Parameters
    ----------
    turn_deg : tuple of float
        Added to the oblique and to the declined angle, within the angles that are searched.
    across_mm, along_mm : ndarray, shape (n,)
        Distance of each pass from the path, across the bone towards the head and back along the needle.
    """
    oblique, declined = angles_behind(scene.frame, scene.target.side, -path.direction)
    bands = zip((oblique + turn_deg[0], declined + turn_deg[1]), scene.bands, strict=True)
    oblique, declined = (float(np.clip(angle, band.search_low_deg, band.search_high_deg)) for angle, band in bands)
    back = beam_behind(scene.frame, scene.target.side, oblique_deg=oblique, declined_deg=declined)
    half_mm = path.device.active_tip_mm / 2
    middle = path.tip_mm - half_mm * path.direction
    across, normal = across_bone(scene, middle, back)
    first = needle_along(path)
    tips = middle - half_mm * back + across_mm[:, None] * across + along_mm[:, None] * back
    rest_mm = float(bone_overlap_mm(first, scene.obstacles)[0])
    return laid_on_bone(scene, replace(first, tips_mm=tips, backs=np.tile(back, (len(tips), 1))), normal, rest_mm)


def across_bone(scene: Scene, middle_mm: FloatArray, back: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Unit vectors across the needle: along the bone's surface towards the head, and away from the bone."""
    reach = max(1.0, scene.obstacles.tolerance_mm)
    probes = reach * np.vstack([np.eye(3), -np.eye(3)])
    distance = scene.obstacles.bone.signed(middle_mm + probes)
    gradient = distance[:3] - distance[3:]
    normal = unit(gradient - (gradient @ back) * back)
    across = np.cross(back, normal)
    return across * (1.0 if across @ scene.frame.superior >= 0 else -1.0), normal


def laid_on_bone(scene: Scene, needles: Needles, normal: FloatArray, rest_mm: float) -> Needles:
    """The needles moved along `normal` until each overlaps the bone by about `rest_mm`."""
    for _ in range(LAYINGS):
        gap = bone_overlap_mm(needles, scene.obstacles) - rest_mm
        needles = replace(needles, tips_mm=needles.tips_mm + gap[:, None] * normal)
    return needles


def place(scene: Scene, needles: Needles, device: RfCannula) -> Placed:
    """Parallel passes of one device, measured together."""
    tried = measure(scene, needles, np.zeros(len(needles.tips_mm)))
    is_kept = np.zeros(len(needles.tips_mm), dtype=np.bool_)
    is_kept[sieve(scene, tried, device)[0]] = True
    return Placed(device=device, tried=tried, is_kept=is_kept)


def described(scene: Scene, placed: Placed, *, name: str, rank: int) -> tuple[Trajectory, ...]:
    """The passes as trajectories, whose ids start with `name`."""
    found = (
        describe_path(scene, placed.tried, number, placed.device, rank=rank, best=())
        for number in range(len(placed.is_kept))
    )
    return tuple(replace(path, id=f"{name}/pass {number}") for number, path in enumerate(found, start=1))
