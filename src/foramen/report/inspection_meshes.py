"""What the page's viewer draws in space, as MZ3 files: bones, landmarks with ellipsoids, nerves with tubes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from foramen.errors import ImageError
from foramen.geometry.meshes import surface_from_mask
from foramen.geometry.resample import crop_geometry
from foramen.geometry.tubes import ball_surface, tube_surface
from foramen.io.inspect_anatomy import confidence_word, tube_radius_mm
from foramen.io.mz3 import Colour, mz3_bytes
from foramen.knowledge.facts import number
from foramen.knowledge.labels import FIRST_STRUCTURE
from foramen.model.anatomy import Anatomy, Landmark, Nerve, NerveKind
from foramen.model.levels import VERTEBRA_NUMBERS, Vertebra
from foramen.model.space import FloatArray, LabelMap, Surface, VolumeGeometry
from foramen.report.anatomy_marks import MARK_LOOKS, course_colour, landmarks_of
from foramen.report.annotation import densify
from foramen.report.label_overlay import vertebra_colour
from foramen.report.palette import BONE, rgb

BALL_RADIUS_MM = 1.2
"""Radius of the ball that marks a landmark."""

THINNEST_MM = 0.6
"""Thinner nerves are drawn with this radius, so that they can be seen."""

OWN_SHARE = 0.4
"""Share of a vertebra's own colour in that of its bone."""

COURSE_STEP_MM = 1.5
BONE_STEPS_MM = (1.5, 2.0, 3.0, 4.0)
BONE_LIMIT_BYTES = 1_800_000
"""The bones are drawn at the first step whose file is not larger than this, else at the last."""

_NAMES = {number: name for name, number in VERTEBRA_NUMBERS.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class PageMesh:
    """One mesh of the page: its key, how opaque it is, whether cuts show it too, and its file."""

    key: str
    opacity_fraction: float
    is_on_cuts: bool
    content: bytes


def inspection_meshes(labels: LabelMap, anatomy: Anatomy | None) -> tuple[PageMesh, ...]:
    """All meshes, the opaque ones first, as the viewer has to draw them."""
    found: list[PageMesh] = []
    if anatomy is not None:
        marks, nerves = landmarks_of(anatomy), anatomy.nerves
        if marks:
            balls = [(ball_surface(m.position_mm, BALL_RADIUS_MM, frame_uid=anatomy.frame_uid), _of(m)) for m in marks]
            found.append(PageMesh(key="landmarks", opacity_fraction=1.0, is_on_cuts=True, content=mz3_bytes(balls)))
        if nerves:
            cores = [(_tube(nerve, max(nerve.radius_mm, THINNEST_MM), anatomy), _colour(nerve)) for nerve in nerves]
            found.append(PageMesh(key="nerves", opacity_fraction=1.0, is_on_cuts=True, content=mz3_bytes(cores)))
        if marks:
            shells = [(_ellipsoid(mark, anatomy.frame_uid), _of(mark)) for mark in marks]
            found.append(PageMesh(key="ellipsoids", opacity_fraction=0.3, is_on_cuts=False, content=mz3_bytes(shells)))
        if nerves:
            # a ganglion lies on its spinal nerve, whose tube is drawn
            wide = [nerve for nerve in nerves if nerve.kind is not NerveKind.DORSAL_ROOT_GANGLION]
            tubes = [(_tube(nerve, tube_radius_mm(nerve), anatomy), _colour(nerve)) for nerve in wide]
            found.append(PageMesh(key="tubes", opacity_fraction=0.28, is_on_cuts=True, content=mz3_bytes(tubes)))
    bones = bone_mesh(labels)
    if bones:
        found.append(PageMesh(key="bones", opacity_fraction=0.6, is_on_cuts=False, content=bones))
    return tuple(found)


def bone_mesh(labels: LabelMap) -> bytes:
    """MZ3 of all labelled vertebrae in their colours; empty if there is none."""
    content = b""
    for step_mm in BONE_STEPS_MM:
        surfaces = list(_bones(labels, step_mm))
        if not surfaces:
            return b""
        content = mz3_bytes(surfaces)
        if len(content) <= BONE_LIMIT_BYTES:
            break
    return content


def _bones(labels: LabelMap, step_mm: float) -> Iterable[tuple[Surface, Colour]]:
    spacing = labels.geometry.spacing_mm
    thin = [max(1, round(float(step_mm / size))) for size in spacing]
    values = labels.values[:: thin[0], :: thin[1], :: thin[2]]
    numbers: NDArray[np.uint8] = np.where(values < FIRST_STRUCTURE, values // 100, 0).astype(np.uint8)
    affine_mm = labels.geometry.affine_mm.copy()
    affine_mm[:3, :3] *= np.array(thin)
    shape = (values.shape[0], values.shape[1], values.shape[2])
    grid = VolumeGeometry(shape=shape, affine_mm=affine_mm, frame_uid=labels.geometry.frame_uid)
    for value, box in enumerate(ndimage.find_objects(numbers), start=1):
        if box is None or value not in _NAMES:
            continue
        mask = numbers[box] == value
        try:
            surface = surface_from_mask(mask, crop_geometry(grid, box), smoothing_mm=0.6 * step_mm)
        except ImageError:
            continue  # a crumb that the smoothing leaves nothing of
        own, ivory = rgb(vertebra_colour(Vertebra(_NAMES[value]))), rgb(BONE)
        red, green, blue = (round(255 * (OWN_SHARE * a + (1 - OWN_SHARE) * b)) for a, b in zip(own, ivory, strict=True))
        yield surface, (red, green, blue)


def _tube(nerve: Nerve, radius_mm: float, anatomy: Anatomy) -> Surface:
    course = densify(nerve.centreline_mm, COURSE_STEP_MM)
    return tube_surface(_thinned(course), radius_mm, frame_uid=anatomy.frame_uid)


def _thinned(course_mm: FloatArray) -> FloatArray:
    """Every point of a course that lies a step from the last one kept, and its end."""
    kept = [course_mm[0]]
    kept += [point for point in course_mm[1:-1] if np.linalg.norm(point - kept[-1]) >= COURSE_STEP_MM]
    while len(kept) > 1 and np.linalg.norm(course_mm[-1] - kept[-1]) < COURSE_STEP_MM / 2:
        kept.pop()
    return np.array([*kept, course_mm[-1]])


def _ellipsoid(mark: Landmark, frame_uid: str) -> Surface:
    """The ellipsoid that holds a landmark with the probability that is shown."""
    half_axes_mm, axes = mark.ellipsoid(number("display.ellipsoid_fraction"))
    ball = ball_surface(np.zeros(3), 1.0, frame_uid=frame_uid)
    sense = np.sign(np.linalg.det(axes))  # a mirrored set of axes would turn the surface inside out
    shape = axes * half_axes_mm * np.array([sense, 1.0, 1.0])
    return Surface(vertices_mm=ball.vertices_mm @ shape.T + mark.position_mm, faces=ball.faces, frame_uid=frame_uid)


def _of(mark: Landmark) -> Colour:
    return _bytes(MARK_LOOKS[confidence_word(mark.confidence_fraction)].colour)


def _colour(nerve: Nerve) -> Colour:
    return _bytes(course_colour(nerve.kind))


def _bytes(colour: str) -> Colour:
    red, green, blue = (round(255 * share) for share in rgb(colour))
    return red, green, blue
