"""Fields on the revolved grid about a needle, read at points in space.

The grid is that of `physics.grid.RevolvedGrid`: rays from the needle's axis, and layers about its surface. Lengths are
in one unit. Every point is independent of the others, so the result does not depend on the number of threads that
share them.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

Float = NDArray[np.float64]


@njit(cache=True, nogil=True, error_model="numpy")
def _fraction(value: float, nodes: Float) -> float:
    """Fractional index of a value among rising nodes, held at both ends."""
    last = nodes.shape[0] - 1
    if value <= nodes[0]:
        return 0.0
    if value >= nodes[last]:
        return float(last)
    low, high = 0, last
    while high - low > 1:
        middle = (low + high) // 2
        if nodes[middle] <= value:
            low = middle
        else:
            high = middle
    return low + float((value - nodes[low]) / (nodes[high] - nodes[low]))


@njit(cache=True, nogil=True, error_model="numpy")
def ray_indices(
    r: float, z: float, radial: Float, foot: Float, sine: Float, cosine: Float, reach: Float, shaft: float
) -> tuple[float, float]:
    """Fractional indices (i, k) of a point at distance r from the axis and height z; held at the grid's edges."""
    low, high = 0, foot.shape[0] - 1
    before = r * cosine[low] + (z - foot[low]) * sine[low]  # how far the point lies beyond a ray, along the meridian
    after = r * cosine[high] + (z - foot[high]) * sine[high]
    if before <= 0.0:
        high, after = low + 1, 1.0
        before = 0.0
    elif after >= 0.0:
        low, before = high - 1, 1.0
        after = 0.0
        if foot[low] < foot[high]:  # above the last ray of the shaft
            z = foot[high]
    else:
        while high - low > 1:
            middle = (low + high) // 2
            beyond = r * cosine[middle] + (z - foot[middle]) * sine[middle]
            if beyond >= 0.0:
                low, before = middle, beyond
            else:
                high, after = middle, beyond
    share = before / (before - after)
    distance = math.hypot(r, z - (foot[low] + share * (foot[high] - foot[low])))
    surface = reach[low] + share * (reach[high] - reach[low])
    depth = distance - surface
    from_axis = shaft + depth if depth >= 0.0 else distance * shaft / surface
    return _fraction(from_axis, radial), low + share


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _slope(first: float, last: float, before: float, after: float) -> float:
    """Slope at a node between secants `before` and `after` over lengths `first` and `last`: no overshoot."""
    if before * after <= 0.0:
        return 0.0
    near, far = 2.0 * last + first, last + 2.0 * first
    return (near + far) / (near / before + far / after)


@njit(cache=True, nogil=True, error_model="numpy")
def _monotone_cubic(nodes: Float, values: Float, row: int, fraction: float) -> float:
    """Monotone cubic (Fritsch, Carlson) between nodes `row` and `row` + 1; `values` are of `row` - 1 to `row` + 2."""
    length = nodes[row + 1] - nodes[row]
    secant = (values[2] - values[1]) / length
    start, end = secant, secant
    if row > 0:
        step = nodes[row] - nodes[row - 1]
        start = _slope(step, length, (values[1] - values[0]) / step, secant)
    if row < nodes.shape[0] - 2:
        step = nodes[row + 2] - nodes[row + 1]
        end = _slope(length, step, secant, (values[3] - values[2]) / step)
    t = fraction
    rest = (t * t - 2.0 * t + 1.0) * t * start + (t - 1.0) * t * t * end
    found: float = values[1] + (3.0 - 2.0 * t) * t * t * (values[2] - values[1]) + length * rest
    return found


@njit(cache=True, nogil=True, error_model="numpy")
def read_field(
    points: Float, tip: Float, axes: Float, rays: tuple[Float, Float, Float, Float, Float, float], field: Float
) -> Float:
    """A field at points, shape (n,): monotone cubic away from the needle, linear along and about it, held at the edges.

    Straight lines between cells would read too much of a temperature that falls like a hollow curve.

    Parameters
    ----------
    points : ndarray (n, 3)
    tip : ndarray (3,)
        Pole of the needle's tip.
    axes : ndarray (3, 3)
        Rows: direction of angle 0, direction of angle 90 deg, direction from tip to hub.
    rays : tuple
        `RevolvedGrid.rays`: radial nodes; foot, sine, cosine and reach of the rays; radius of the shaft.
    field : ndarray (nr, nk, nj)
    """
    radial, foot, sine, cosine, reach, shaft = rays
    rows, columns, angles = field.shape
    found = np.empty(points.shape[0])
    values = np.empty(4)
    for n in range(points.shape[0]):
        x = points[n, 0] - tip[0]
        y = points[n, 1] - tip[1]
        w = points[n, 2] - tip[2]
        first = axes[0, 0] * x + axes[0, 1] * y + axes[0, 2] * w
        second = axes[1, 0] * x + axes[1, 1] * y + axes[1, 2] * w
        height = axes[2, 0] * x + axes[2, 1] * y + axes[2, 2] * w
        i, k = ray_indices(math.hypot(first, second), height, radial, foot, sine, cosine, reach, shaft)
        j = math.atan2(second, first) / (2 * math.pi) * angles - 0.5
        i0 = min(int(i), rows - 2)
        k0 = min(int(k), columns - 2)
        j0 = math.floor(j)
        fk, fj = k - k0, j - j0
        before, after = j0 % angles, (j0 + 1) % angles
        for a in range(4):
            row = min(max(i0 - 1 + a, 0), rows - 1)
            low = field[row, k0, before] + fj * (field[row, k0, after] - field[row, k0, before])
            high = field[row, k0 + 1, before] + fj * (field[row, k0 + 1, after] - field[row, k0 + 1, before])
            values[a] = low + fk * (high - low)
        found[n] = _monotone_cubic(radial, values, i0, i - i0)
    return found


@njit(cache=True, nogil=True, error_model="numpy")
def read_combined(
    points: Float,
    tips: Float,
    axes: Float,
    rays: tuple[Float, Float, Float, Float, Float, float],
    fields: NDArray[np.float32],
    weights: Float,
) -> Float:
    """Weighted sums of several fields at the points of several scenarios, shape (s, n); interpolated as `read_field`.

    Parameters
    ----------
    points : ndarray (s, n, 3)
    tips : ndarray (s, 3)
    axes : ndarray (s, 3, 3)
    fields : ndarray (nr, nk, nj, f)
    weights : ndarray (s, f)
    """
    radial, foot, sine, cosine, reach, shaft = rays
    rows, columns, angles, count = fields.shape
    found = np.empty(points.shape[:2])
    for s in range(points.shape[0]):
        for n in range(points.shape[1]):
            x = points[s, n, 0] - tips[s, 0]
            y = points[s, n, 1] - tips[s, 1]
            w = points[s, n, 2] - tips[s, 2]
            first = axes[s, 0, 0] * x + axes[s, 0, 1] * y + axes[s, 0, 2] * w
            second = axes[s, 1, 0] * x + axes[s, 1, 1] * y + axes[s, 1, 2] * w
            height = axes[s, 2, 0] * x + axes[s, 2, 1] * y + axes[s, 2, 2] * w
            i, k = ray_indices(math.hypot(first, second), height, radial, foot, sine, cosine, reach, shaft)
            j = math.atan2(second, first) / (2 * math.pi) * angles - 0.5
            i0 = min(int(i), rows - 2)
            k0 = min(int(k), columns - 2)
            j0 = math.floor(j)
            fi, fk, fj = i - i0, k - k0, j - j0
            before, after = j0 % angles, (j0 + 1) % angles
            value = 0.0
            for a in range(2):
                for b in range(2):
                    share = (fi if a else 1 - fi) * (fk if b else 1 - fk)
                    for f in range(count):
                        low = fields[i0 + a, k0 + b, before, f]
                        high = fields[i0 + a, k0 + b, after, f]
                        value += share * weights[s, f] * (low + fj * (high - low))
            found[s, n] = value
    return found
