"""The three-dimensional picture: translucent bone, nerves, needle and isotherm shells, by ray casting."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from foramen.model.anatomy import Anatomy, NerveKind
from foramen.model.plan import RfHeatEffect, Target, Trajectory
from foramen.model.space import FloatArray, VolumeGeometry
from foramen.report.camera import Camera
from foramen.report.cuts import bare_tip_start_mm
from foramen.report.palette import (
    BACKGROUND,
    BARE_TIP,
    BONE,
    ISOTHERMS,
    NERVE_COLOURS,
    SHAFT,
    TARGET_NERVE,
    rgb,
)
from foramen.report.slices import crop_box

Picture = NDArray[np.float32]

_GRID_MM = 1.0
_SMOOTHING_MM = 0.75
_BONE_LAYERS = 2
_SURFACE = 0.5
_HAZE_VOXELS = 2.5
_REACH_MM = 160.0
_SMALLEST_RADIUS_MM = 0.9
"""Thinner nerves are drawn this thick, so that they can be seen; the legend says so."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScalarField:
    """A field on a grid with the surface level to draw, the leaps rays may take, and a blurred copy for shade."""

    values: NDArray[np.float32]
    affine_mm: FloatArray
    level: float
    leaps: NDArray[np.float32]
    haze: NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tubes:
    """Capsules (m, 2, 3) with radii (m,) and colours (m, 3)."""

    ends_mm: FloatArray
    radii_mm: FloatArray
    colours: NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scene:
    """Everything in one three-dimensional picture."""

    bone: ScalarField
    tubes: Tubes
    heat: RfHeatEffect | None
    heat_leaps: tuple[NDArray[np.float32], ...]
    centre_mm: FloatArray


def bone_field(mask: NDArray[np.bool_], geometry: VolumeGeometry, centre_mm: FloatArray, half_mm: float) -> ScalarField:
    """Smoothed bone fraction on a grid of about 1 mm around a point, closed at its borders; the surface is 0.5."""
    from foramen.kernels.raycast import safe_leaps

    box = crop_box(geometry, centre_mm - half_mm, centre_mm + half_mm)
    part = mask[box].astype(np.float32)
    ratio = np.maximum(geometry.spacing_mm / _GRID_MM, 1.0)
    shape = np.maximum(np.rint((np.array(part.shape) - 1) * ratio).astype(int) + 1, 2)
    steps = [np.linspace(0, size - 1, count) for size, count in zip(part.shape, shape, strict=True)]
    scale = np.array([step[1] - step[0] if len(step) > 1 else 1.0 for step in steps])
    part = ndimage.gaussian_filter(part, 0.35 * (ratio > 1.5))
    fine = ndimage.affine_transform(part, scale, output_shape=tuple(shape), order=1, mode="nearest")
    fine = ndimage.gaussian_filter(fine, _SMOOTHING_MM / (geometry.spacing_mm * scale))
    for axis in range(3):
        fine = np.moveaxis(fine, axis, 0)
        fine[0] = fine[-1] = 0.0
        fine = np.moveaxis(fine, 0, axis)
    affine = np.array(geometry.affine_mm)
    affine[:3, 3] = geometry.lps_mm(np.array([part_axis.start for part_axis in box], dtype=np.float64))
    affine[:3, :3] = affine[:3, :3] * scale
    values = np.ascontiguousarray(fine, dtype=np.float32)
    return ScalarField(
        values=values,
        affine_mm=affine,
        level=_SURFACE,
        leaps=safe_leaps(values, _SURFACE),
        haze=ndimage.gaussian_filter(values, _HAZE_VOXELS),
    )


def build_scene(
    mask: NDArray[np.bool_],
    geometry: VolumeGeometry,
    anatomy: Anatomy,
    *,
    target: Target,
    trajectories: tuple[Trajectory, ...],
    effect: RfHeatEffect | None,
    half_mm: float,
) -> Scene:
    """Bone, nerves and needles about one target."""
    from foramen.kernels.raycast import safe_leaps

    bone = bone_field(mask, geometry, target.position_mm, half_mm)
    ends: list[FloatArray] = []
    radii: list[float] = []
    colours: list[tuple[float, float, float]] = []

    def add(course_mm: FloatArray, radius_mm: float, colour: str) -> None:
        for first, last in itertools.pairwise(course_mm):
            ends.append(np.stack([first, last]))
            radii.append(radius_mm)
            colours.append(rgb(colour))

    for nerve in anatomy.nerves:
        near = np.linalg.norm(nerve.centreline_mm - target.position_mm, axis=1).min()
        if near > half_mm:
            continue
        is_target = nerve.name == target.nerve and nerve.side is target.side
        colour = TARGET_NERVE if is_target else NERVE_COLOURS[nerve.kind]
        smallest = _SMALLEST_RADIUS_MM if is_target else 0.7 * _SMALLEST_RADIUS_MM
        radius = nerve.radius_mm if nerve.kind is NerveKind.SPINAL_NERVE else max(nerve.radius_mm, smallest)
        add(_thin_out(nerve.centreline_mm), radius, colour)
    for trajectory in trajectories:
        start = bare_tip_start_mm(trajectory)
        hub = trajectory.tip_mm - trajectory.cannula_length_mm * trajectory.direction
        add(np.stack([hub, start]), trajectory.device.radius_mm, SHAFT)
        add(np.stack([start, trajectory.tip_mm]), trajectory.device.radius_mm, BARE_TIP)
    tubes = Tubes(
        ends_mm=np.array(ends).reshape(-1, 2, 3),
        radii_mm=np.array(radii),
        colours=np.array(colours, dtype=np.float32).reshape(-1, 3),
    )
    leaps = () if effect is None else tuple(safe_leaps(_temperatures(effect), i.temperature_degC) for i in ISOTHERMS)
    return Scene(bone=bone, tubes=tubes, heat=effect, heat_leaps=leaps, centre_mm=target.position_mm)


def _temperatures(effect: RfHeatEffect) -> NDArray[np.float32]:
    return np.ascontiguousarray(effect.peak_temperature_degC, dtype=np.float32)


def _thin_out(course_mm: FloatArray, tolerance_mm: float = 0.15) -> FloatArray:
    """A polyline with fewer points that stays within a tolerance of all the given ones."""
    if len(course_mm) < 3:
        return course_mm
    first, last = course_mm[0], course_mm[-1]
    length = float(np.linalg.norm(last - first))
    along = (last - first) / length if length > 0 else np.zeros(3)
    offset = course_mm - first
    distance = np.linalg.norm(offset - np.outer(np.clip(offset @ along, 0, length), along), axis=1)
    worst = int(np.argmax(distance))
    if distance[worst] <= tolerance_mm:
        return np.stack([first, last])
    before, after = _thin_out(course_mm[: worst + 1]), _thin_out(course_mm[worst:])
    return np.concatenate([before[:-1], after])


def render(scene: Scene, camera: Camera) -> Picture:
    """Picture (rows, columns, 3) of a scene, values 0 to 1.

    Notes
    -----
    Bone and isotherm shells are first-hit surfaces composited from front to back; nerves and needles are exact
    capsules. Bone is clearer where it faces the viewer than at its rim.
    """
    from foramen.kernels.raycast import capsule_hits

    starts, directions = camera.rays(_REACH_MM)
    lights = _lights(camera)
    depth, which, normal = capsule_hits(starts, directions, scene.tubes.ends_mm, scene.tubes.radii_mm)
    picture = _background(camera)
    hit = which >= 0
    picture[hit] = _phong(scene.tubes.colours[which[hit]], normal[hit], directions[hit], lights, gloss=0.45)

    depths, colours, opacities = [], [], []
    for layer in _bone_layers(scene.bone, starts, directions, lights):
        depths.append(layer[0])
        colours.append(layer[1])
        opacities.append(layer[2])
    if scene.heat is not None:
        for layer in _heat_layers(scene.heat, scene.heat_leaps, starts, directions, lights):
            depths.append(layer[0])
            colours.append(layer[1])
            opacities.append(layer[2])
    stack = np.stack(depths, axis=1)
    stack[stack >= depth[:, None]] = np.inf  # behind a nerve or the needle
    rays = np.flatnonzero(np.isfinite(stack).any(axis=1))
    order = np.argsort(-stack[rays], axis=1, kind="stable")  # the farthest first
    for place in range(order.shape[1]):
        chosen = order[:, place]
        for layer_number in range(len(depths)):
            use = rays[(chosen == layer_number)]
            use = use[np.isfinite(stack[use, layer_number])]
            opacity = opacities[layer_number][use][:, None]
            picture[use] = picture[use] * (1 - opacity) + colours[layer_number][use] * opacity
    shaped: Picture = np.clip(picture, 0, 1).reshape(camera.pixels, camera.pixels, 3)
    return shaped


Layer = tuple[NDArray[np.float64], Picture, NDArray[np.float32]]


def _bone_layers(bone: ScalarField, starts: FloatArray, directions: FloatArray, lights: FloatArray) -> list[Layer]:
    """Depth, colour and opacity of the bone surfaces that each ray enters, nearest first."""
    from foramen.kernels.raycast import surface_crossings

    inverse = np.ascontiguousarray(np.linalg.inv(bone.affine_mm)[:3])
    depth, normal = surface_crossings(
        bone.values, inverse, bone.leaps, starts, directions, 2 * _REACH_MM, 0.9, bone.level, _BONE_LAYERS
    )
    layers: list[Layer] = []
    for number in range(_BONE_LAYERS):
        hit = np.flatnonzero(np.isfinite(depth[:, number]))
        colour = np.zeros((len(starts), 3), dtype=np.float32)
        opacity = np.zeros(len(starts), dtype=np.float32)
        n = normal[hit, number]
        points = starts[hit] + depth[hit, number][:, None] * directions[hit]
        index = (points + 1.5 * n) @ inverse[:, :3].T + inverse[:, 3]
        closed = ndimage.map_coordinates(bone.haze, index.T.astype(np.float32), order=1, mode="nearest")
        open_sky = np.clip(1.25 - 1.1 * closed, 0.35, 1.0)[:, None]
        colour[hit] = _phong(np.array(rgb(BONE), dtype=np.float32), n, directions[hit], lights, gloss=0.12) * open_sky
        facing = np.abs(np.sum(n * directions[hit], axis=1))
        opacity[hit] = (0.56 if number == 0 else 0.46) + 0.34 * (1 - facing) ** 2
        layers.append((depth[:, number], colour, opacity))
    return layers


def _heat_layers(
    effect: RfHeatEffect,
    leaps: tuple[NDArray[np.float32], ...],
    starts: FloatArray,
    directions: FloatArray,
    lights: FloatArray,
) -> list[Layer]:
    """Depth, colour and opacity of the isotherm shells."""
    from foramen.kernels.raycast import surface_crossings

    inverse = np.ascontiguousarray(np.linalg.inv(effect.grid_affine_mm)[:3])
    values = _temperatures(effect)
    layers: list[Layer] = []
    for look, leap in zip(ISOTHERMS, leaps, strict=True):
        depth, normal = surface_crossings(
            values, inverse, leap, starts, directions, 2 * _REACH_MM, 0.4, look.temperature_degC, 1
        )
        hit = np.flatnonzero(np.isfinite(depth[:, 0]))
        colour = np.zeros((len(starts), 3), dtype=np.float32)
        opacity = np.zeros(len(starts), dtype=np.float32)
        n = normal[hit, 0]
        base = np.array(rgb(look.colour), dtype=np.float32)
        colour[hit] = _phong(base, n, directions[hit], lights, gloss=0.25)
        facing = np.abs(np.sum(n * directions[hit], axis=1))
        opacity[hit] = look.opacity_fraction + 0.45 * (1 - facing) ** 3
        layers.append((depth[:, 0], colour, opacity))
    return layers


def _lights(camera: Camera) -> FloatArray:
    """Unit vectors towards a key light (upper left, before the scene) and a fill light (right)."""
    key = -camera.look + 0.75 * camera.up - 0.55 * camera.right
    fill = -camera.look - 0.2 * camera.up + 0.9 * camera.right
    return np.stack([key / np.linalg.norm(key), fill / np.linalg.norm(fill)])


def _phong(
    colour: NDArray[np.float32],
    normal: NDArray[np.float32],
    directions: FloatArray,
    lights: FloatArray,
    *,
    gloss: float,
) -> Picture:
    """Colours (n, 3) of lit surface points: ambient, two diffuse lights and one highlight."""
    toward = -directions.astype(np.float32)
    n = np.where(np.sum(normal * toward, axis=1, keepdims=True) < 0, -normal, normal)
    key = np.clip(n @ lights[0].astype(np.float32), 0, 1)
    fill = np.clip(n @ lights[1].astype(np.float32), 0, 1)
    half = lights[0].astype(np.float32) + toward
    half /= np.linalg.norm(half, axis=1, keepdims=True)
    shine = np.clip(np.sum(n * half, axis=1), 0, 1) ** 40
    lit: Picture = colour * (0.34 + 0.72 * key + 0.24 * fill)[:, None] + gloss * shine[:, None]
    return lit


def _background(camera: Camera) -> Picture:
    """A dark ground, a little lighter towards the top, one row of colour per pixel, shape (n, 3)."""
    base = np.array(rgb(BACKGROUND), dtype=np.float32)
    rows = np.linspace(2.1, 0.9, camera.pixels, dtype=np.float32)
    return np.repeat(rows[:, None] * base, camera.pixels, axis=0).reshape(-1, 3)
