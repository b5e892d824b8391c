"""Every picture of a plan, made once and shared by report, PDF and card."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
from numpy.typing import NDArray

from foramen.errors import FrameError
from foramen.model.anatomy import Anatomy
from foramen.model.case import Case
from foramen.model.plan import Delivery, Plan, RfHeatEffect, Target, Trajectory, View
from foramen.report.annotation import stamped
from foramen.report.carm import attenuation_of, draw_view
from foramen.report.course import draw_course
from foramen.report.cuts import CutScene, draw_cuts
from foramen.report.findings import distances, draw_findings
from foramen.report.messages import message
from foramen.report.robustness import draw_histograms
from foramen.report.scene import build_scene
from foramen.report.scene_pictures import cameras_of, draw_scene
from foramen.report.slices import bone_mask

_SCENE_HALF_MM = 62.0
_SAME_BEAM_DEG = 2.0
_SAME_CENTRE_MM = 15.0


def figures(plan: Plan, case: Case, anatomy: Anatomy) -> dict[str, bytes]:
    """PNG pictures of a plan by name.

    Names: ``<n>-cuts``, ``<n>-3d-working``, ``<n>-3d-oblique``, ``<n>-3d-lateral`` and ``<n>-course`` for the n-th
    target (from 1), ``view-<m>`` for the m-th of `pictured_views`, ``findings`` where the record holds distances
    measured at this level, and ``robust`` where robustness was computed.

    Raises
    ------
    FrameError
        If plan, image and anatomy are not in one frame of reference.
    """
    frame_uid = case.image.geometry.frame_uid
    if frame_uid not in {plan.case.frame_uid} or anatomy.frame_uid != frame_uid:
        raise FrameError(
            f"Plan ({plan.case.frame_uid}), image ({frame_uid}) and anatomy ({anatomy.frame_uid}) must share a frame "
            "of reference. Open the case that this plan belongs to."
        )
    bone = bone_mask(case.labels)
    tasks: dict[str, Callable[[], bytes]] = {}
    for number, target in enumerate(plan.targets, start=1):
        tasks |= _target_tasks(number, target, plan=plan, case=case, anatomy=anatomy, bone=bone)
    if plan.targets:
        centre = np.mean([target.position_mm for target in plan.targets], axis=0)
        attenuation = attenuation_of(case.image, centre, bone=bone)
        for number, view in enumerate(pictured_views(plan), start=1):
            tasks[f"view-{number}"] = partial(draw_view, attenuation, view, plan.trajectories)
    found = distances(finding for finding in case.record.findings if finding.level == str(plan.level))
    if found:
        tasks["findings"] = partial(draw_findings, case, found)
    if plan.robust is not None:
        tasks["robust"] = partial(draw_histograms, plan.robust)
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:  # each picture is made by one thread
        made = list(pool.map(lambda task: task(), tasks.values()))
    if not plan.case.is_patient_specific:
        made = [stamped(png, message("basis.not_patient")) for png in made]
    return dict(zip(tasks, made, strict=True))


def _target_tasks(
    number: int, target: Target, *, plan: Plan, case: Case, anatomy: Anatomy, bone: NDArray[np.bool_]
) -> dict[str, Callable[[], bytes]]:
    """The pictures of one target by name, not yet drawn."""
    trajectories = trajectories_of(plan, target)
    effect = heat_of(plan, target)
    cut_scene = CutScene(case=case, anatomy=anatomy, bone=bone, target=target, trajectories=trajectories, effect=effect)
    tasks: dict[str, Callable[[], bytes]] = {f"{number}-cuts": partial(draw_cuts, cut_scene)}
    scene = build_scene(
        bone,
        case.labels.geometry,
        anatomy,
        target=target,
        trajectories=trajectories,
        effect=effect,
        half_mm=_SCENE_HALF_MM,
    )
    for key, camera in cameras_of(target, trajectories).items():
        title = message(key, target=target.nerve, side=message(f"side.{target.side.value}"))
        tasks[f"{number}-3d-{key.partition('.')[2]}"] = partial(draw_scene, scene, camera, title=title)
    if effect is not None and effect.history:
        tasks[f"{number}-course"] = partial(draw_course, effect)
    return tasks


def trajectories_of(plan: Plan, target: Target) -> tuple[Trajectory, ...]:
    """The chosen trajectories to one target."""
    delivered = {t for d in plan.deliveries if d.target == target_key(target) for t in d.trajectories}
    return tuple(t for t in plan.trajectories if t.target == target_key(target) or t.id in delivered)


def target_key(target: Target) -> str:
    """What trajectories and deliveries call a target."""
    return target.name


def delivery_of(plan: Plan, target: Target) -> Delivery | None:
    """What is done at one target, or None."""
    return next((d for d in plan.deliveries if d.target == target_key(target)), None)


def heat_of(plan: Plan, target: Target) -> RfHeatEffect | None:
    """The predicted heat at one target, or None where nothing was modelled."""
    delivery = delivery_of(plan, target)
    return delivery.effect if delivery is not None and isinstance(delivery.effect, RfHeatEffect) else None


def distinct_views(plan: Plan) -> tuple[View, ...]:
    """The plan's views, and those working views of its trajectories that are not among them."""
    kept = list(plan.views)
    for trajectory in plan.trajectories:
        if not any(looks_alike(trajectory.view, view) for view in kept):
            kept.append(trajectory.view)
    return tuple(kept)


def pictured_views(plan: Plan) -> tuple[View, ...]:
    """One view of each group that looks alike, the first views of every target before the second ones."""
    kept: list[View] = []
    for view in distinct_views(plan):
        if not any(looks_alike(view, other) for other in kept):
            kept.append(view)
    places = np.array([target.position_mm for target in plan.targets])
    seen: dict[int, int] = {}
    order = []
    for view in kept:
        nearest = int(np.argmin(np.linalg.norm(places - view.centre_mm, axis=1))) if len(places) else 0
        seen[nearest] = seen.get(nearest, 0) + 1
        order.append((seen[nearest], nearest))
    return tuple(view for _, view in sorted(zip(order, kept, strict=True), key=lambda pair: pair[0]))


def picture_of_view(plan: Plan, view: View) -> str:
    """Name of the picture that shows a view."""
    pictured = pictured_views(plan)
    return next(f"view-{number}" for number, other in enumerate(pictured, start=1) if looks_alike(view, other))


def looks_alike(first: View, second: View) -> bool:
    """Whether two views have nearly the same beam and centre, so that one picture serves both."""
    turned = np.degrees(np.arccos(np.clip(float(first.beam @ second.beam), -1, 1)))
    moved = np.linalg.norm(first.centre_mm - second.centre_mm)
    return bool(turned < _SAME_BEAM_DEG and moved < _SAME_CENTRE_MM)
