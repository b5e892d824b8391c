"""Rays through fields on grids and past tubes: surface crossings, line integrals, capsule hits and chords.

All lengths are in one unit, that of the affines. A grid is an array (i, j, k) with a (3, 4) map from
world to index; outside the grid a field is 0. Rays are independent of each other, so that the result
does not depend on the number of threads. Blocks of rays are shared among threads here rather than by the
compiler, which halves the time of compilation.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import edt
import numpy as np
from numba import njit
from numpy.typing import NDArray

Float = NDArray[np.float64]
Field = NDArray[np.float32]

_BISECTIONS = 8
_RAYS_IN_BLOCK = 32768

Result = TypeVar("Result")


def _in_blocks(count: int, work: Callable[[slice], Result]) -> list[Result]:
    """Results of `work` for consecutive blocks of rays, in order, computed by as many threads as there are cores."""
    blocks = [slice(first, min(first + _RAYS_IN_BLOCK, count)) for first in range(0, count, _RAYS_IN_BLOCK)]
    if len(blocks) < 2:
        return [work(slice(0, count))]
    work(slice(0, 0))  # compiles once, before the threads start
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        return list(pool.map(work, blocks))


@njit(cache=True, nogil=True, error_model="numpy")
def _sample(field: Field, x: float, y: float, z: float) -> float:
    """Trilinear value at an index position; 0 outside the grid."""
    nx, ny, nz = field.shape
    if not (0.0 <= x <= nx - 1.0 and 0.0 <= y <= ny - 1.0 and 0.0 <= z <= nz - 1.0):
        return 0.0
    i = min(int(x), nx - 2)
    j = min(int(y), ny - 2)
    k = min(int(z), nz - 2)
    u = x - i
    v = y - j
    w = z - k
    c00 = field[i, j, k] * (1 - u) + field[i + 1, j, k] * u
    c10 = field[i, j + 1, k] * (1 - u) + field[i + 1, j + 1, k] * u
    c01 = field[i, j, k + 1] * (1 - u) + field[i + 1, j, k + 1] * u
    c11 = field[i, j + 1, k + 1] * (1 - u) + field[i + 1, j + 1, k + 1] * u
    return float((c00 * (1 - v) + c10 * v) * (1 - w) + (c01 * (1 - v) + c11 * v) * w)


@njit(cache=True, nogil=True, error_model="numpy")
def _along_axis(top: float, start: float, slope: float, near: float, far: float) -> tuple[float, float]:
    """Depths `near` and `far` after clipping a ray to 0 <= index <= top on one axis; near > far if it misses."""
    if abs(slope) < 1e-12:
        if start < 0.0 or start > top:
            return 1.0, 0.0
        return near, far
    first = -start / slope
    last = (top - start) / slope
    return max(near, min(first, last)), min(far, max(first, last))


@njit(cache=True, nogil=True, error_model="numpy")
def _row(matrix: Float, axis: int, vectors: Float, ray: int) -> float:
    """One component of the linear part of a (3, 4) map times a ray's vector."""
    return float(
        matrix[axis, 0] * vectors[ray, 0] + matrix[axis, 1] * vectors[ray, 1] + matrix[axis, 2] * vectors[ray, 2]
    )


@njit(cache=True, nogil=True, error_model="numpy")
def _enter(
    shape: tuple[int, int, int], index_from_world: Float, starts: Float, directions: Float, ray: int, reach: float
) -> tuple[float, float, float, float, float, float, float, float]:
    """Start and slope of a ray in index coordinates, and the depths at which it enters and leaves the grid."""
    px = _row(index_from_world, 0, starts, ray) + index_from_world[0, 3]
    py = _row(index_from_world, 1, starts, ray) + index_from_world[1, 3]
    pz = _row(index_from_world, 2, starts, ray) + index_from_world[2, 3]
    dx = _row(index_from_world, 0, directions, ray)
    dy = _row(index_from_world, 1, directions, ray)
    dz = _row(index_from_world, 2, directions, ray)
    near, far = _along_axis(shape[0] - 1.0, px, dx, 0.0, reach)
    near, far = _along_axis(shape[1] - 1.0, py, dy, near, far)
    near, far = _along_axis(shape[2] - 1.0, pz, dz, near, far)
    return px, py, pz, dx, dy, dz, near, far


def surface_crossings(
    field: Field,
    index_from_world: Float,
    leaps: Field,
    starts: Float,
    directions: Float,
    reach: float,
    step: float,
    level: float,
    layers: int,
) -> tuple[Float, Field]:
    """Depths (n, layers) at which rays enter the region field >= level, and unit normals (n, layers, 3) there.

    Parameters
    ----------
    field : ndarray float32 (i, j, k)
    index_from_world : ndarray (3, 4)
    leaps : ndarray float32 (i, j, k)
        Result of `safe_leaps`: how far, in index units, a ray may jump from each voxel.
    starts, directions : ndarray (n, 3)
        Rays in world coordinates, directions of unit length.
    reach, step, level : float
        Longest depth, marching step, and level of the surface.
    layers : int
        Crossings to keep per ray; missing ones are inf.

    Notes
    -----
    A surface is found if the ray stays at least one step inside; its depth is then bisected to step / 256.
    The normal is minus the gradient of the trilinear field, by central differences of one voxel.
    """
    blocks = _in_blocks(
        len(starts),
        lambda rays: _surface_crossings(
            field, index_from_world, leaps, starts[rays], directions[rays], reach, step, level, layers
        ),
    )
    return np.concatenate([depth for depth, _ in blocks]), np.concatenate([normal for _, normal in blocks])


@njit(cache=True, nogil=True, error_model="numpy")
def _surface_crossings(
    field: Field,
    index_from_world: Float,
    leaps: Field,
    starts: Float,
    directions: Float,
    reach: float,
    step: float,
    level: float,
    layers: int,
) -> tuple[Float, Field]:
    count = starts.shape[0]
    depth = np.full((count, layers), np.inf)
    normal = np.zeros((count, layers, 3), dtype=np.float32)
    for ray in range(count):
        px, py, pz, dx, dy, dz, near, far = _enter(field.shape, index_from_world, starts, directions, ray, reach)
        speed = math.sqrt(dx * dx + dy * dy + dz * dz)
        found = 0
        t = near
        last = t
        was_inside = False
        while t <= far and found < layers:
            x = px + t * dx
            y = py + t * dy
            z = pz + t * dz
            leap = leaps[int(x + 0.5), int(y + 0.5), int(z + 0.5)] / speed
            if leap > step and t > near:
                last = t
                t += leap
                continue
            is_inside = _sample(field, x, y, z) >= level
            if is_inside and not was_inside:
                low = last
                high = t
                for _ in range(_BISECTIONS):
                    middle = 0.5 * (low + high)
                    if _sample(field, px + middle * dx, py + middle * dy, pz + middle * dz) >= level:
                        high = middle
                    else:
                        low = middle
                depth[ray, found] = high
                x = px + high * dx
                y = py + high * dy
                z = pz + high * dz
                size = 0.0
                for index_axis in range(3):  # the gradient in index coordinates, turned into world coordinates
                    ex = 1.0 if index_axis == 0 else 0.0
                    ey = 1.0 if index_axis == 1 else 0.0
                    ez = 1.0 if index_axis == 2 else 0.0
                    fall = _sample(field, x - ex, y - ey, z - ez) - _sample(field, x + ex, y + ey, z + ez)
                    for axis in range(3):
                        normal[ray, found, axis] += index_from_world[index_axis, axis] * fall
                for axis in range(3):
                    size += normal[ray, found, axis] ** 2
                if size > 0:
                    for axis in range(3):
                        normal[ray, found, axis] /= math.sqrt(size)
                found += 1
            was_inside = is_inside
            last = t
            t += step
    return depth, normal


def line_integrals(
    field: Field, index_from_world: Float, starts: Float, directions: Float, reach: float, step: float
) -> Float:
    """Integral of a field along rays, shape (n,), by the midpoint rule with steps of at most `step`."""
    blocks = _in_blocks(
        len(starts),
        lambda rays: _line_integrals(field, index_from_world, starts[rays], directions[rays], reach, step),
    )
    return np.concatenate(blocks)


@njit(cache=True, nogil=True, error_model="numpy")
def _line_integrals(
    field: Field, index_from_world: Float, starts: Float, directions: Float, reach: float, step: float
) -> Float:
    count = starts.shape[0]
    total = np.zeros(count)
    for ray in range(count):
        px, py, pz, dx, dy, dz, near, far = _enter(field.shape, index_from_world, starts, directions, ray, reach)
        if far <= near:
            continue
        parts = math.ceil((far - near) / step)
        width = (far - near) / parts
        for part in range(parts):
            t = near + (part + 0.5) * width
            total[ray] += _sample(field, px + t * dx, py + t * dy, pz + t * dz) * width
    return total


@njit(cache=True, nogil=True, error_model="numpy")
def _sphere(b: float, c: float) -> tuple[float, float]:
    """Roots of t^2 + 2 b t + c = 0: depths at which a ray enters and leaves a sphere; (inf, -inf) if it misses."""
    root = b * b - c
    if root < 0:
        return np.inf, -np.inf
    root = math.sqrt(root)
    return -b - root, -b + root


@njit(cache=True, nogil=True, error_model="numpy")
def _capsule(starts: Float, directions: Float, ray: int, ends: Float, m: int, radius: float) -> tuple[float, float]:
    """Depths at which a ray enters and leaves a capsule; (inf, -inf) if it misses."""
    aa = ad = ao = od = oo = 0.0
    for axis in range(3):
        a = ends[m, 1, axis] - ends[m, 0, axis]
        o = starts[ray, axis] - ends[m, 0, axis]
        d = directions[ray, axis]
        aa += a * a
        ad += a * d
        ao += a * o
        od += o * d
        oo += o * o
    near, far = _sphere(od, oo - radius * radius)
    near_second, far_second = _sphere(od - ad, oo - 2 * ao + aa - radius * radius)
    near = min(near, near_second)
    far = max(far, far_second)
    square = aa - ad * ad
    if square > 1e-12 * aa:
        half = aa * od - ao * ad
        root = half * half - square * (aa * oo - ao * ao - radius * radius * aa)
        if root >= 0:
            root = math.sqrt(root)
            for sign in (-1.0, 1.0):
                t = (-half + sign * root) / square
                if 0.0 < ao + t * ad < aa:
                    near = min(near, t)
                    far = max(far, t)
    return near, far


@njit(cache=True, nogil=True, error_model="numpy")
def _bounds(ends: Float, radii: Float) -> Float:
    """Centre and squared radius (m, 4) of a sphere about each capsule: most rays miss it."""
    found = np.zeros((radii.shape[0], 4))
    for m in range(radii.shape[0]):
        square = 0.0
        for axis in range(3):
            found[m, axis] = 0.5 * (ends[m, 0, axis] + ends[m, 1, axis])
            square += (0.5 * (ends[m, 1, axis] - ends[m, 0, axis])) ** 2
        found[m, 3] = (radii[m] + math.sqrt(square)) ** 2
    return found


@njit(cache=True, nogil=True, error_model="numpy")
def _may_meet(starts: Float, directions: Float, ray: int, bounds: Float, m: int) -> bool:
    """Whether a ray meets the sphere about a capsule."""
    x = bounds[m, 0] - starts[ray, 0]
    y = bounds[m, 1] - starts[ray, 1]
    z = bounds[m, 2] - starts[ray, 2]
    along = x * directions[ray, 0] + y * directions[ray, 1] + z * directions[ray, 2]
    return bool(x * x + y * y + z * z - along * along <= bounds[m, 3])


def capsule_hits(starts: Float, directions: Float, ends: Float, radii: Float) -> tuple[Float, NDArray[np.int64], Field]:
    """Depth (n,), index (n,) and unit normal (n, 3) of the nearest capsule met; inf and -1 where none is.

    Parameters
    ----------
    starts, directions : ndarray (n, 3)
        Rays; directions of unit length.
    ends : ndarray (m, 2, 3)
        Both ends of each capsule's axis.
    radii : ndarray (m,)
    """
    blocks = _in_blocks(len(starts), lambda rays: _capsule_hits(starts[rays], directions[rays], ends, radii))
    depth, which, normal = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
    return depth, which, normal


@njit(cache=True, nogil=True, error_model="numpy")
def _capsule_hits(
    starts: Float, directions: Float, ends: Float, radii: Float
) -> tuple[Float, NDArray[np.int64], Field]:
    count = starts.shape[0]
    depth = np.full(count, np.inf)
    which = np.full(count, -1, dtype=np.int64)
    normal = np.zeros((count, 3), dtype=np.float32)
    bounds = _bounds(ends, radii)
    for ray in range(count):
        for m in range(radii.shape[0]):
            if not _may_meet(starts, directions, ray, bounds, m):
                continue
            near, far = _capsule(starts, directions, ray, ends, m, radii[m])
            if far >= near and 0.0 <= near < depth[ray]:
                depth[ray] = near
                which[ray] = m
        m = which[ray]
        if m < 0:
            continue
        along = 0.0
        square = 0.0
        for axis in range(3):
            a = ends[m, 1, axis] - ends[m, 0, axis]
            along += a * (starts[ray, axis] + depth[ray] * directions[ray, axis] - ends[m, 0, axis])
            square += a * a
        share = min(1.0, max(0.0, along / square)) if square > 0 else 0.0
        for axis in range(3):
            foot = ends[m, 0, axis] + share * (ends[m, 1, axis] - ends[m, 0, axis])
            normal[ray, axis] = (starts[ray, axis] + depth[ray] * directions[ray, axis] - foot) / radii[m]
    return depth, which, normal


@njit(cache=True, nogil=True, error_model="numpy")
def capsule_chords(starts: Float, directions: Float, ends: Float, radii: Float) -> Float:
    """Length of each ray within each capsule, summed over capsules, shape (n,); capsules are taken as disjoint."""
    count = starts.shape[0]
    total = np.zeros(count)
    bounds = _bounds(ends, radii)
    for ray in range(count):
        for m in range(radii.shape[0]):
            if not _may_meet(starts, directions, ray, bounds, m):
                continue
            near, far = _capsule(starts, directions, ray, ends, m, radii[m])
            if far > max(near, 0.0):
                total[ray] += far - max(near, 0.0)
    return total


def safe_leaps(field: Field, level: float) -> Field:
    """How far (index units) a ray may jump from near each voxel without meeting the surface field = level.

    Notes
    -----
    With D the distance from a voxel to the nearest voxel on the other side of the level, all trilinear samples within
    D - sqrt(3) / 2 - sqrt(3) of a point that rounds to it are on its side.
    """
    sides = np.where(field >= level, 2, 1).astype(np.uint8)
    distance = edt.edt(sides, black_border=False)
    leaps: Field = np.maximum(distance - 1.5 * math.sqrt(3.0), 0).astype(np.float32)
    return leaps
