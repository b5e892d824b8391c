"""Frame of each vertebra from the shape of its whole label: body, mirror plane, endplates.

The body is found as the place of the largest ball inside the bone, the back as the direction from there to the
far-off rest (arch and processes), up from the row of bodies, left from the mirror plane of the bone's surface,
and the tilt from the superior endplate. These are first ones: `registered_frame.py` betters them once the
bone is registered. Nothing depends on the scan's grid or on parts being labelled.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

from foramen.anatomy.bones import GRID_MM, Bone
from foramen.errors import LandmarkError, LevelError
from foramen.knowledge.facts import number
from foramen.model.anatomy import VertebraFrame
from foramen.model.levels import Vertebra
from foramen.model.space import FloatArray

BODY_WEIGHT = 0.2
"""Weight of the body's surface against that of the arch in the search for the mirror plane."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BodyShape:
    """A vertebra's frame with the size of its body (width, depth, height in mm; height NaN where the scan cuts it)."""

    frame: VertebraFrame
    size_mm: FloatArray
    is_inferior_endplate_seen: bool


def body_ball(bone: Bone) -> tuple[FloatArray, float]:
    """Centre (LPS) and radius (mm) of the largest ball inside the bone, which lies in the body."""
    depth = ndimage.gaussian_filter(-bone.distance_mm, 1.0)
    radius = float(depth.max())
    near = np.argwhere(depth > 0.9 * radius)
    peak = np.array(np.unravel_index(int(depth.argmax()), depth.shape))
    close = near[np.linalg.norm(near - peak, axis=1) < radius / GRID_MM]
    centre: FloatArray = bone.low_mm + GRID_MM * close.mean(axis=0)
    return centre, radius


def back_of(bone: Bone, centre_mm: FloatArray, radius_mm: float) -> FloatArray:
    """Unit vector from the body to the arch and its processes."""
    inside = bone.low_mm + GRID_MM * np.argwhere(bone.distance_mm < 0)
    far = inside[np.linalg.norm(inside - centre_mm, axis=1) > number("registration.far_from_body_radii") * radius_mm]
    if len(far) < number("registration.least_arch_fraction") * len(inside):
        raise LandmarkError(
            f"{bone.level}: the label shows a body but no arch ({len(far)} mm3 away from the body). "
            "Use a label map of whole vertebrae."
        )
    direction: FloatArray = far.mean(axis=0) - centre_mm
    return direction / np.linalg.norm(direction)


def up_of(level: Vertebra, centres_mm: dict[Vertebra, FloatArray]) -> FloatArray:
    """Unit vector along the row of bodies at a level; raises `LevelError` if the names run upwards."""
    order = sorted(centres_mm, key=lambda v: v.number)
    here = order.index(level)
    upper, lower = order[max(here - 1, 0)], order[min(here + 1, len(order) - 1)]
    if upper == lower:
        return np.array([0.0, 0.0, 1.0])
    up: FloatArray = centres_mm[upper] - centres_mm[lower]
    up /= np.linalg.norm(up)
    limit = number("registration.largest_tilt_cosine")
    if up[2] < limit:
        raise LevelError(
            f"The labels {upper} and {lower} are in the wrong order: {upper} does not lie above {lower} "
            f"(cosine {up[2]:.2f}, limit {limit}). The label map is upside down or misnamed."
        )
    return up


def check_back(bone: Bone, back: FloatArray) -> None:
    """Raise `LandmarkError` if the arch does not lie behind the body."""
    limit = number("registration.largest_tilt_cosine")
    if back[1] < limit:
        raise LandmarkError(
            f"{bone.level}: the arch does not lie behind the body (cosine {back[1]:.2f}, limit "
            f"{limit}). The label map is mirrored or its orientation is wrong: check it against the scan."
        )


def measure_body(bone: Bone, *, centre_mm: FloatArray, radius_mm: float, back: FloatArray, up: FloatArray) -> BodyShape:
    """Frame and body size of a vertebra from rough directions.

    Parameters
    ----------
    centre_mm, radius_mm : ndarray (3,), float
        Largest ball of the body.
    back, up : ndarray, shape (3,)
        Rough unit vectors.

    Raises
    ------
    LandmarkError
        If the endplate or the walls of the body cannot be seen.
    """
    back = back - up * (back @ up)
    back /= np.linalg.norm(back)
    left, centre = mirror_plane(bone, np.cross(back, up), centre_mm, radius_mm)
    size = np.full(3, np.nan)
    top, bottom = centre, centre
    is_bottom_seen = True
    for _ in range(3):
        back = back - left * (back @ left)
        back /= np.linalg.norm(back)
        up = np.cross(left, back)
        centre, size[:2] = _centre_in_plane(bone, centre, (left, back, up), radius_mm)
        upper = _endplate(bone, centre, (left, back, up), radius_mm, 1.0)
        lower = _endplate(bone, centre, (left, back, up), radius_mm, -1.0)
        if upper is None:
            raise LandmarkError(
                f"{bone.level}: the superior endplate is not in the image. Use a scan that shows the whole bone."
            )
        is_bottom_seen = lower is not None
        low = lower[0] if lower is not None else upper[0] - 2 * radius_mm
        size[2] = upper[0] - low if is_bottom_seen else np.nan
        top, bottom = centre + upper[0] * up, centre + low * up
        centre = 0.5 * (top + bottom)
        back = back + upper[1] * up
    back /= np.linalg.norm(back)
    axes = np.stack([left, back, np.cross(left, back)], axis=1)
    frame = VertebraFrame(
        origin_mm=centre, axes=_orthonormal(axes), superior_endplate_mm=top, inferior_endplate_mm=bottom
    )
    return BodyShape(frame=frame, size_mm=size, is_inferior_endplate_seen=is_bottom_seen)


def mirror_plane(bone: Bone, left: FloatArray, point_mm: FloatArray, radius_mm: float) -> tuple[FloatArray, FloatArray]:
    """Normal (to the left) of the plane about which the bone's surface is symmetric, and `point_mm` moved onto it.

    Notes
    -----
    Mirror, match to the nearest points of the same side of the surface, drop the worst quarter (a bent
    spinous process, a spur), take the best plane, repeat. The arch counts more than the body, which is
    nearly round and often worn on one side.
    """
    step = max(1, len(bone.surface_mm) // 6000)
    surface, facing = bone.surface_mm[::step], bone.normals[::step]
    points, normals = surface[::3], facing[::3]
    far_mm = number("registration.far_from_body_radii") * radius_mm
    weights = np.where(np.linalg.norm(points - point_mm, axis=1) > far_mm, 1.0, BODY_WEIGHT)
    weight_mm = 6.0
    tree = cKDTree(np.hstack([surface, weight_mm * facing]))
    normal, on_plane = left / np.linalg.norm(left), np.array(point_mm, dtype=np.float64)
    for _ in range(25):
        mirrored = points - 2 * ((points - on_plane) @ normal)[:, None] * normal
        turned = normals - 2 * (normals @ normal)[:, None] * normal
        distance, found = tree.query(np.hstack([mirrored, weight_mm * turned]))
        keep = distance <= np.quantile(distance, 0.75)
        start, end, share = points[keep], surface[found[keep]], weights[keep, None] / weights[keep].sum()
        middle_a, middle_b = (share * start).sum(axis=0), (share * end).sum(axis=0)
        cross = (share * (start - middle_a)).T @ (end - middle_b)
        _, vectors = np.linalg.eigh(cross + cross.T)
        new = vectors[:, 0]  # the reflection I - 2 n n' that maximises trace(R cross)
        new = new if new @ left > 0 else -new
        on_plane = 0.5 * (middle_a + middle_b)
        change = float(1 - abs(new @ normal))
        normal = new
        if change < 1e-8:
            break
    moved: FloatArray = point_mm - ((point_mm - on_plane) @ normal) * normal
    return normal, moved


def _centre_in_plane(
    bone: Bone, centre: FloatArray, axes: tuple[FloatArray, FloatArray, FloatArray], radius: float
) -> tuple[FloatArray, FloatArray]:
    left, back, up = axes
    offsets = np.array([(u, w) for u in np.linspace(-0.5, 0.5, 7) for w in np.linspace(-0.3, 0.3, 5)]) * radius
    starts = centre + offsets[:, :1] * left + offsets[:, 1:] * up
    front = _exit_mm(bone, starts, -back, 2.8 * radius)
    rear = _exit_mm(bone, starts[np.abs(offsets[:, 0]) < 0.4 * radius], back, 2.6 * radius)
    starts = centre + offsets[:, :1] * back + offsets[:, 1:] * up
    sides = [_exit_mm(bone, starts, sign * left, 3.5 * radius) for sign in (1.0, -1.0)]
    if min(np.isfinite(front).sum(), np.isfinite(rear).sum()) < 4:
        raise LandmarkError(f"{bone.level}: the walls of the body are not in the image. Use a scan that shows them.")
    ahead, behind = float(np.nanmax(front)), float(np.nanmedian(rear))
    widths = [float(np.nanmedian(side)) if np.isfinite(side).any() else np.nan for side in sides]
    moved: FloatArray = centre + 0.5 * (behind - ahead) * back
    return moved, np.array([sum(widths), ahead + behind])


def _endplate(
    bone: Bone, centre: FloatArray, axes: tuple[FloatArray, FloatArray, FloatArray], radius: float, sign: float
) -> tuple[float, float] | None:
    """Height above the centre and slope (rise per mm backwards) of an endplate, None if the scan cuts it off."""
    left, back, up = axes
    u, v = (a.ravel() for a in np.meshgrid(np.linspace(-0.9, 0.9, 10) * radius, np.linspace(-0.75, 0.75, 10) * radius))
    starts = centre + u[:, None] * left + v[:, None] * back
    height = _exit_mm(bone, starts, sign * up, 2.2 * radius)
    keep = np.isfinite(height)
    if keep.mean() < 0.5:
        return None
    plane: FloatArray = np.zeros(3)
    design = np.stack([np.ones_like(u), u, v], axis=1)
    for _ in range(4):
        plane = np.asarray(np.linalg.lstsq(design[keep], height[keep], rcond=None)[0], dtype=np.float64)
        rest = np.abs(height - design @ plane)
        keep = np.isfinite(height) & (rest <= max(1.0, 2.0 * float(np.nanmedian(rest))))
    return sign * float(plane[0]), sign * float(plane[2])


def _exit_mm(bone: Bone, starts: FloatArray, direction: FloatArray, reach: float) -> FloatArray:
    """Distance (n,) at which rays leave the bone; NaN if they start outside, do not leave, or leave the scan."""
    steps = np.arange(0.0, reach, 0.5)
    points = starts[:, None, :] + steps[None, :, None] * direction
    distance = bone.at(points.reshape(-1, 3)).reshape(len(starts), len(steps))
    outside = distance > 0
    first = outside.argmax(axis=1)
    rows = np.arange(len(starts))
    before = np.maximum(first - 1, 0)
    a, b = distance[rows, before], distance[rows, first]
    found = steps[before] + 0.5 * np.where(b > a, -a / np.maximum(b - a, 1e-9), 0.0)
    end = starts + found[:, None] * direction
    ok = outside.any(axis=1) & (first > 0) & (bone.margin_mm(end) > 0.75 * bone.spacing_mm)
    return np.where(ok, found, np.nan)


def _orthonormal(axes: FloatArray) -> FloatArray:
    u, _, vt = np.linalg.svd(axes)
    nearest: FloatArray = u @ vt
    return nearest
