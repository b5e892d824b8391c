"""A path in words and numbers: view, clearances, reasons."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from foramen.anatomy.keep_outs import nerves_not_placed
from foramen.anatomy.needle_paths import Needles, keep_out_gaps_mm, mean_nerve_distance_mm
from foramen.anatomy.obstacles import NEURAL_KINDS
from foramen.geometry.carm import angles_behind, describe_view
from foramen.model.device import RfCannula
from foramen.model.levels import Side
from foramen.model.plan import Clearance, ClearanceStatus, Trajectory
from foramen.model.space import FloatArray
from foramen.steps.trajectory.ranking import angle_to_nerve_deg, costs_of
from foramen.steps.trajectory.scene import Scene, Tried

Part = Literal["shaft", "bare_electrode", "tip"]


def describe_path(
    scene: Scene, tried: Tried, number: int, device: RfCannula, *, rank: int, best: Sequence[Trajectory]
) -> Trajectory:
    """One candidate as a trajectory; `best` holds the first in rank, to say how this one differs from it."""
    target, rules = scene.target, scene.rules
    which = np.array([number])
    costs = {name: float(value[0]) for name, value in costs_of(scene, tried, which).items()}
    costs["total"] = sum(costs.values())
    back, tip = tried.needles.backs[number], tried.needles.tips_mm[number]
    length = float(tried.length_mm[number])
    oblique, declined = (round(angle, 6) + 0.0 for angle in angles_behind(scene.frame, target.side, back))
    view = describe_view(
        "down the needle",
        "working view: skin entry and direction",
        beam=back,
        centre_mm=target.position_mm,
        posture=scene.posture,
        carm_side=target.side.other,
        must_show=("the needle as a point over its target",),
    )
    return Trajectory(
        id=f"{target.nerve}/{target.side.value}/{rank}",
        target=target.name,
        device=device,
        entry_mm=tip + length * back,
        tip_mm=tip.copy(),
        length_mm=length,
        cannula_length_mm=min(x for x in device.lengths_mm if x >= length + rules.length_reserve_mm),
        view=view,
        clearances=_clearances(scene, tried, number),
        costs=costs,
        reasons=_reasons(scene, tried, number, costs, best),
        rank=rank,
        angle_to_nerve_deg=float(angle_to_nerve_deg(scene, back[None])[0]),
        oblique_deg=oblique,
        declined_deg=declined,
        depth_to_bone_mm=_depth_to_bone_mm(scene, tried.needles.take(which), length),
    )


def _depth_to_bone_mm(scene: Scene, needles: Needles, length_mm: float) -> float:
    """Length of the path from the skin to where the needle first touches bone (its whole length if never)."""
    steps = np.arange(length_mm, 0.0, -0.5)
    is_near = scene.obstacles.bone.signed(needles.at(steps))[0] <= needles.radius_mm
    return float(length_mm - steps[is_near.argmax()]) if is_near.any() else length_mm


def _clearances(scene: Scene, tried: Tried, number: int) -> tuple[Clearance, ...]:
    rules, obstacles = scene.rules, scene.obstacles
    tolerance = f"labels are no finer than {obstacles.tolerance_mm:.1f} mm (half a voxel's diagonal)"
    lines = [
        _line(
            "posterior border of the foramen",
            "tip",
            float(tried.behind_border_mm[number]),
            0.0 - rules.tip_past_border_max_mm,
            note=f"distance behind it on a true lateral; landmark known to {scene.border_sd_mm:.1f} mm (SD)",
        ),
        _line("bone on the way", "shaft", float(tried.shaft_bone_mm[number]), 0.0, note=tolerance),
    ]
    lines += _nerve_lines(scene, tried, number)
    which = np.array([number])
    gaps = keep_out_gaps_mm(tried.needles.take(which), tried.length_mm[which], obstacles)[0]
    for column, (cloud, gap) in enumerate(zip(obstacles.keep_outs, gaps, strict=True)):
        required = rules.keep_out_distance_mm(cloud.name)
        lines.append(_line(cloud.name.replace("_", " "), "shaft", float(gap), required, note=tolerance))
        if cloud.name == "hardware":
            bare_mm = np.array([tried.needles.active_mm])
            bare = float(keep_out_gaps_mm(tried.needles.take(which), bare_mm, obstacles)[0][column])
            lines.append(_line("hardware", "bare_electrode", bare, rules.electrode_to_hardware_mm, is_hard=False))
    lines += [
        _unknown(keep_out.name.replace("_", " "), rules.keep_out_distances_mm.get(keep_out.name, 0.0), keep_out.note)
        for keep_out in obstacles.unknown
    ]
    return tuple(lines)


def _nerve_lines(scene: Scene, tried: Tried, number: int) -> list[Clearance]:
    """Nearest spinal nerve and nearest ganglion to the bare part and to the whole needle; those not placed UNKNOWN."""
    rules, nerves, target = scene.rules, scene.obstacles.nerves, scene.target
    lines: list[Clearance] = []
    for kind in NEURAL_KINDS:
        for root in nerves_not_placed(nerves, kind, beside=target.crosses_bone, side=target.side):
            note = f"{target.side.value}, not placed: {root.name} is not labelled or not whole"
            lines.append(_unknown(f"{root.name} {kind.value.replace('_', ' ')}", rules.electrode_to_nerve_mm, note))
        columns = [column for column, nerve in enumerate(nerves) if nerve.kind is kind]
        if not columns:
            continue
        parts: tuple[tuple[Part, FloatArray, float], ...] = (
            ("bare_electrode", tried.electrode_nerve_mm, rules.electrode_to_nerve_mm),
            ("shaft", tried.shaft_nerve_mm, rules.shaft_to_nerve_mm),
        )
        for part, gaps, required in parts:
            nearest = min(columns, key=lambda column: float(gaps[number, column]))
            nerve = nerves[nearest]
            where = f"{nerve.side.value}, " if nerve.side is not None else ""
            note = f"{where}surface to surface; its course is known to {nerve.variation_sd_mm:.1f} mm (SD)"
            lines.append(_line(nerve.name, part, float(gaps[number, nearest]), required, note=note))
    return lines


def _line(
    structure: str, part: Part, distance_mm: float, required_mm: float, *, is_hard: bool = True, note: str = ""
) -> Clearance:
    is_met = distance_mm >= required_mm
    return Clearance(
        structure=structure,
        part=part,
        distance_mm=distance_mm,
        required_mm=required_mm,
        status=ClearanceStatus.MET if is_met else ClearanceStatus.VIOLATED,
        is_hard=is_hard,
        note=note,
    )


def _unknown(structure: str, required_mm: float, note: str) -> Clearance:
    return Clearance(
        structure=structure,
        part="shaft",
        distance_mm=None,
        required_mm=required_mm,
        status=ClearanceStatus.UNKNOWN,
        is_hard=True,
        note=note or "not imaged: Doppler / live contrast required",
    )


def _sideways(oblique_deg: float, side: Side) -> str:
    if round(oblique_deg) == 0:
        return "no oblique"
    return f"{abs(oblique_deg):.0f} deg oblique to the {(side if oblique_deg > 0 else side.other).value}"


def _reasons(
    scene: Scene, tried: Tried, number: int, costs: dict[str, float], best: Sequence[Trajectory]
) -> tuple[str, ...]:
    """Why this path, in words."""
    target, needles = scene.target, tried.needles.take(np.array([number]))
    oblique, declined = angles_behind(scene.frame, target.side, needles.backs[0])
    apart = float(angle_to_nerve_deg(scene, needles.backs)[0])
    near = float(mean_nerve_distance_mm(needles, target.needed_segment_mm)[0])
    overlap = float(tried.overlap_mm[number])
    reasons = [
        f"{_sideways(oblique, target.side)}, "
        f"{declined:.0f} deg towards the feet from the squared {target.crosses_bone} superior endplate",
        f"bare tip {apart:.0f} deg from the nerve's direction, needed nerve on average {near:.1f} mm from its axis",
        f"tip {tried.behind_border_mm[number]:.1f} mm behind the posterior border of the foramen",
        f"active tip {'rests on bone' if overlap >= 0 else f'{-overlap:.1f} mm off the bone'}"
        + (f", {overlap:.1f} mm into its labelled surface" if overlap > 0.5 else ""),
    ]
    if tried.withdrawn_mm[number] >= 0.5:
        reasons.append(f"tip drawn back {tried.withdrawn_mm[number]:.1f} mm from the end of the needed nerve")
    if apart > scene.rules.parallel_max_deg:
        reasons.append(f"less parallel to the nerve than wished ({scene.rules.parallel_max_deg:g} deg)")
    if costs["reach"] > 0:
        reasons.append("the view down the needle is beyond the usual reach of a mobile C-arm: steer on AP and lateral")
    for first in best:
        worse = {name: cost - first.costs[name] for name, cost in costs.items() if name != "total"}
        most = max(worse, key=lambda name: worse[name])
        least = min(worse, key=lambda name: worse[name])
        gain = f", better in {least}" if worse[least] < -0.05 else ""
        turn = np.degrees(np.arccos(np.clip(needles.backs[0] @ -first.direction, -1, 1)))
        reasons.append(f"{turn:.0f} deg from the first choice; worse than it mainly in {most}{gain}")
    return tuple(reasons)
