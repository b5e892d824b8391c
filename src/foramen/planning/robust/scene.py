"""What is read in the heat of one delivery: the sections of the nerve and the points of its neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from foramen.anatomy.heat_sensitive import AROUND, Sensitivity, nerve_surface, sensitive_structures
from foramen.geometry.segments import arc_length
from foramen.knowledge.facts import number, numbers
from foramen.knowledge.thermal import damage_set
from foramen.model.anatomy import Anatomy, Nerve
from foramen.model.plan import Delivery, RfSetting, Target, Trajectory
from foramen.model.space import FloatArray
from foramen.model.thermal import DamageSet
from foramen.physics.damage import objection
from foramen.planning.robust.scenario import Scenario, nerve_waves
from foramen.planning.robust.uncertainty import Uncertainty
from foramen.steps.effect.patient import NERVE_SETS, Patient

NEAR_MM = 10.0
"""Points of a structure this much farther from every bare tip than its nearest point are left out: they cannot be its
hottest unless needle and structure come closer than planned by half of it."""

STEP_MM = 0.6
"""Step between the sections of a nerve that is to be spared."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Course:
    """How the points of a nerve move: its number in a scenario, waves (n, m) and tangents (n, 3) at the points."""

    nerve: int
    sd_mm: float
    waves: FloatArray
    tangents: FloatArray

    def moved_mm(self, scenario: Scenario, spread: Uncertainty) -> FloatArray:
        """Displacement (n, 3) across the nerve."""
        free = scenario.nerve_mm(self.nerve, self.waves, spread, self.sd_mm)
        across: FloatArray = free - np.sum(free * self.tangents, axis=1, keepdims=True) * self.tangents
        return across


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Neighbour:
    """A structure to be spared: its points (n, 3) that matter, how they move (None: with the bone), its limits."""

    name: str
    points_mm: FloatArray | None
    point_mm3: float
    course: Course | None
    caution_degC: float
    reject_degC: float | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scene:
    """One delivery: its target, lesions (numbered over the whole plan), sections (n, m, 3) and neighbours."""

    target: Target
    trajectories: tuple[Trajectory, ...]
    first_lesion: int
    setting: RfSetting
    nominal_fraction: float
    sections_mm: FloatArray
    course: Course
    registration_mm: float
    neighbours: tuple[Neighbour, ...]
    sets: tuple[DamageSet, ...]
    levels_degC: tuple[float, ...]

    def sections(self, scenario: Scenario, spread: Uncertainty) -> FloatArray:
        """Points (n m, 3) across the needed segment where it lies in a scenario."""
        moved = self.course.moved_mm(scenario, spread) + scenario.registration_mm(spread, self.registration_mm)
        points: FloatArray = (self.sections_mm + moved[:, None]).reshape(-1, 3)
        return points

    def neighbour_mm(self, neighbour: Neighbour, scenario: Scenario, spread: Uncertainty) -> FloatArray:
        """Points (n, 3) of a neighbour where it lies in a scenario; nerves move, labelled structures do not."""
        if neighbour.points_mm is None:
            return np.empty((0, 3))
        if neighbour.course is None:
            return neighbour.points_mm
        moved = neighbour.course.moved_mm(scenario, spread) + scenario.registration_mm(spread, self.registration_mm)
        points: FloatArray = neighbour.points_mm + moved
        return points


def scenes_of(
    patient: Patient,
    targets: Sequence[Target],
    deliveries: Sequence[Delivery],
    trajectories: Sequence[Trajectory],
    nominal: Sequence[float],
    *,
    correlation_mm: float,
) -> tuple[Scene, ...]:
    """The scenes of a plan's deliveries.

    Parameters
    ----------
    nominal : sequence of float
        Captured fractions that the plan states, one for each delivery.
    correlation_mm : float
        Length over which a nerve's departure from its mean course persists.
    """
    by_name = {target.name: target for target in targets}
    by_id = {trajectory.id: trajectory for trajectory in trajectories}
    found: list[Scene] = []
    lesions = 0
    for delivery, fraction in zip(deliveries, nominal, strict=True):
        paths = tuple(by_id[name] for name in delivery.trajectories)
        scene = _Scenery(patient=patient, target=by_name[delivery.target], paths=paths, correlation_mm=correlation_mm)
        found.append(scene.build(lesions, delivery.setting, fraction))
        lesions += len(paths)
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Scenery:
    """What a scene is built from."""

    patient: Patient
    target: Target
    paths: tuple[Trajectory, ...]
    correlation_mm: float

    def build(self, first_lesion: int, setting: RfSetting, nominal_fraction: float) -> Scene:
        """The scene of one delivery."""
        target = self.target
        sections = nerve_surface(target.needed_segment_mm, target.nerve_radius_mm)
        nerve, sd_mm = _nerve_of(self.patient.anatomy, target)
        return Scene(
            target=target,
            trajectories=self.paths,
            first_lesion=first_lesion,
            setting=setting,
            nominal_fraction=nominal_fraction,
            sections_mm=sections,
            course=_course(nerve, sd_mm, sections[:, 0], target.needed_segment_mm, self.correlation_mm),
            registration_mm=float(np.sqrt(max(target.position_sd_mm**2 - sd_mm**2, 0.0))),
            neighbours=self.neighbours(),
            sets=tuple(s for s in map(damage_set, NERVE_SETS) if not objection(s, setting.time_s)),
            levels_degC=numbers("damage.capture_degC"),
        )

    def neighbours(self) -> tuple[Neighbour, ...]:
        """The structures to be spared, with their points that matter."""
        patient, target, trajectories = self.patient, self.target, self.paths
        tips = np.array([path.tip_mm for path in trajectories])
        bare = np.array([path.tip_mm - path.direction * path.device.active_tip_mm for path in trajectories])
        structures = sensitive_structures(
            patient.anatomy,
            patient.labels,
            patient.tissues,
            beside=(target.crosses_bone, target.side),
            centres_mm=(tips + bare) / 2,
            entries_mm=np.array([path.entry_mm for path in trajectories]),
            reach_mm=number("tissues.effect_reach_mm"),
        )
        nerves = {nerve.words: (i, nerve) for i, nerve in enumerate(patient.anatomy.nerves)}
        found = []
        for structure in structures:
            prefix = f"{patient.technique}.{structure.sensitivity.value}"
            has_reject = structure.sensitivity is not Sensitivity.HARDWARE
            points, course = structure.points_mm, None
            volume = 1.0  # one millimetre under a corner of a voxel
            if structure.name in nerves and points is not None:
                index, nerve = nerves[structure.name]
                points = nerve_surface(nerve.centreline_mm, nerve.radius_mm, spacing_mm=STEP_MM).reshape(-1, 3)
                points = _nearest_points(points, tips, bare)
                course = _course(index, nerve.variation_sd_mm, points, nerve.centreline_mm, self.correlation_mm)
                volume = _point_mm3(nerve)
            elif points is not None:
                points = _nearest_points(np.unique(points, axis=0), tips, bare)
            found.append(
                Neighbour(
                    name=structure.name,
                    points_mm=points,
                    point_mm3=volume,
                    course=course,
                    caution_degC=number(f"{prefix}_caution_degC"),
                    reject_degC=number(f"{prefix}_reject_degC") if has_reject else None,
                )
            )
        return tuple(found)


def _nerve_of(anatomy: Anatomy, target: Target) -> tuple[int, float]:
    """Number and spread of the target's nerve; a nerve that the anatomy lacks has the target's whole uncertainty."""
    for index, nerve in enumerate(anatomy.nerves):
        if nerve.name == target.nerve and nerve.side is target.side:
            return index, min(nerve.variation_sd_mm, target.position_sd_mm)
    return len(anatomy.nerves), target.position_sd_mm


def _course(nerve: int, sd_mm: float, points_mm: FloatArray, line_mm: FloatArray, correlation_mm: float) -> Course:
    """How points beside a centreline move with it."""
    tangents = np.gradient(line_mm, axis=0)
    tangents /= np.linalg.norm(tangents, axis=1, keepdims=True)
    nearest = cKDTree(line_mm).query(points_mm)[1]
    waves = nerve_waves(arc_length(line_mm), correlation_mm)
    return Course(nerve=nerve, sd_mm=sd_mm, waves=waves[nearest], tangents=tangents[nearest])


def _point_mm3(nerve: Nerve) -> float:
    """Volume of the nerve that each point of `nerve_surface` stands for."""
    length = float(arc_length(nerve.centreline_mm)[-1])
    points = len(nerve_surface(nerve.centreline_mm, nerve.radius_mm, spacing_mm=STEP_MM)) * (AROUND + 1)
    return float(np.pi * nerve.radius_mm**2 * length / points)


def _nearest_points(points_mm: FloatArray, tips_mm: FloatArray, bare_mm: FloatArray) -> FloatArray:
    """Points (n, 3) of a structure that can become its hottest."""
    if not len(points_mm):
        return points_mm
    steps = np.linspace(0, 1, 21)[:, None, None]
    along = (tips_mm + steps * (bare_mm - tips_mm)).reshape(-1, 3)
    distance = cKDTree(along).query(points_mm)[0]
    kept: FloatArray = points_mm[distance <= distance.min() + NEAR_MM]
    return kept
