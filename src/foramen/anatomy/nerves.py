"""Courses of medial branches, spinal nerves and ganglia, carried over from the reference and kept off the bone."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from foramen.anatomy.bones import Bone
from foramen.anatomy.coverage import beyond_sd_mm, is_shown
from foramen.anatomy.reference_body import reference_vertebra
from foramen.anatomy.reference_body.course import Course, Lie
from foramen.anatomy.reference_body.lay_course import beside_bone, clear_of_bones
from foramen.anatomy.reference_body.vertebra import on_side
from foramen.anatomy.registration import Registration
from foramen.knowledge.facts import number
from foramen.model.anatomy import Nerve, NerveKind, Origin, VertebraAnatomy
from foramen.model.levels import Side, Vertebra
from foramen.model.space import FloatArray


def find_nerves(
    bones: Mapping[Vertebra, Bone],
    registrations: Mapping[Vertebra, Registration],
    vertebrae: Mapping[Vertebra, VertebraAnatomy],
) -> tuple[Nerve, ...]:
    """All nerves that the registered bones support, from above downwards, left before right."""
    found: list[Nerve] = []
    for level in registrations:
        for side in (*Side, None):
            for course in reference_vertebra(level).courses:
                if not course.is_own or side not in course.sides:
                    continue
                if course.lie is Lie.ON_BONE:
                    found += _on_bone(course, bones[level], registrations[level], vertebrae[level], side)
                else:
                    found += _beside_bones(course, level, bones, registrations, side)
    return tuple(found)


def _on_bone(
    course: Course, bone: Bone, registration: Registration, vertebra: VertebraAnatomy, side: Side | None
) -> list[Nerve]:
    """A nerve that crosses a bone; none if no landmark of that side was found on it."""
    if not any(landmark.side is side and landmark.name in course.needs for landmark in vertebra.landmarks):
        return []
    carried = registration.carry(on_side(course.points_mm, side))
    line = beside_bone(bone, carried, course.radius_mm + number("anatomy.medial_branch_clear_of_bone_mm"))
    return [_nerve(course, line, side, bone.level, _spread(course, bone, registration, side))]


def _beside_bones(
    course: Course,
    level: Vertebra,
    bones: Mapping[Vertebra, Bone],
    registrations: Mapping[Vertebra, Registration],
    side: Side | None,
) -> list[Nerve]:
    """A nerve between bones, with its ganglion: the views of all bones that list it are believed alike.

    None of the sacral nerves within a part of the sacrum that the label map does not show.
    """
    if course.lie is Lie.IN_BONE and not is_shown(bones[level], registrations[level], course.points_mm):
        return []
    listing = [
        (other, seen)
        for other in registrations
        for seen in reference_vertebra(other).courses
        if seen.kind is course.kind and seen.root == course.root
    ]
    views = [registrations[other].carry(on_side(seen.points_mm, side)) for other, seen in listing]
    line: FloatArray = np.mean(views, axis=0)
    if course.lie is Lie.CLEAR_OF_BONE:
        line = clear_of_bones([bones[other] for other, _ in listing], line, course.radius_mm)
    spread = _spread(course, bones[level], registrations[level], side)
    found = [_nerve(course, line, side, None, spread)]
    if course.ganglion is not None:
        first, last = course.ganglion
        found.append(
            Nerve(
                name=f"{course.root} dorsal root ganglion",
                kind=NerveKind.DORSAL_ROOT_GANGLION,
                root=course.root,
                side=side,
                crosses=None,
                centreline_mm=line[first : last + 1],
                radius_mm=course.ganglion_radius_mm,
                variation_sd_mm=spread[0],
                origin=Origin.REGISTERED,
                landmark_sd_mm=spread[1],
            )
        )
    return found


def _spread(course: Course, bone: Bone, registration: Registration, side: Side | None) -> tuple[float, float]:
    """Standard deviations (mm) perpendicular to a nerve: against its bone's landmarks, and of these landmarks.

    Notes
    -----
    What the field leaves open is averaged over the course and over the two directions perpendicular to the nerve, the
    error of the voxels across the bone over these two; the labels are off in each.
    """
    points = on_side(course.points_mm, side)
    along = np.gradient(points, axis=0) @ registration.linear.T @ registration.frame.axes.T
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    field = registration.covariance_mm2(points)
    across = np.trace(field, axis1=1, axis2=2) - np.einsum("na,nab,nb->n", along, field, along)
    fit_mm2 = 0.5 * (float(across.mean()) + bone.spacing_mm**2 / 12.0)
    fit_mm2 += number("registration.label_boundary_sd_mm") ** 2
    of_landmarks = number("registration.landmark_variation_sd_mm") / np.sqrt(2.0)
    if course.lie is not Lie.CLEAR_OF_BONE:  # these follow their bone; beyond what was registered, less surely
        fit_mm2 += beyond_sd_mm(bone.level, course.points_mm) ** 2
    return float(np.sqrt(course.variation_sd_mm**2 + fit_mm2)), float(of_landmarks)


def _nerve(
    course: Course, line_mm: FloatArray, side: Side | None, crosses: Vertebra | None, spread: tuple[float, float]
) -> Nerve:
    variation_sd_mm, landmark_sd_mm = spread
    return Nerve(
        name=course.name,
        kind=course.kind,
        root=course.root,
        side=side,
        crosses=crosses,
        centreline_mm=line_mm,
        radius_mm=course.radius_mm,
        variation_sd_mm=variation_sd_mm,
        origin=Origin.REGISTERED,
        landmark_sd_mm=landmark_sd_mm,
    )
