"""Inner loops of every clearance: a field sampled at many points, and segments against a polyline."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray


@numba.njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator,unused-ignore]
def sample_trilinear(
    field: NDArray[np.float32], to_index: NDArray[np.float64], points: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Values of a field between its voxel centres, by trilinear interpolation.

    Parameters
    ----------
    field : ndarray of float32, shape (a, b, c)
        Values at the voxel centres.
    to_index : ndarray, shape (3, 4)
        Maps a homogeneous point to its fractional voxel index.
    points : ndarray, shape (n, 3)
        Where to sample. A point outside the grid takes the value of the nearest face.

    Returns
    -------
    ndarray, shape (n,)
        ``f = sum_k w_k f_k`` over the eight voxels around the point, with weights that sum to one.
    """
    size = field.shape
    values = np.empty(points.shape[0], dtype=np.float64)
    low = np.empty(3, dtype=np.int64)
    part = np.empty(3, dtype=np.float64)
    for n in range(points.shape[0]):
        for axis in range(3):
            x = to_index[axis, 3]
            for k in range(3):
                x += to_index[axis, k] * points[n, k]
            x = min(max(x, 0.0), size[axis] - 1.0)
            base = min(int(x), max(size[axis] - 2, 0))
            low[axis] = base
            part[axis] = x - base
        total = 0.0
        for corner in range(8):
            weight = 1.0
            i = low[0] + (corner & 1)
            j = low[1] + ((corner >> 1) & 1)
            m = low[2] + ((corner >> 2) & 1)
            weight *= part[0] if corner & 1 else 1.0 - part[0]
            weight *= part[1] if (corner >> 1) & 1 else 1.0 - part[1]
            weight *= part[2] if (corner >> 2) & 1 else 1.0 - part[2]
            if weight > 0.0:
                total += weight * field[i, j, m]
        values[n] = total
    return values


@numba.njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator,unused-ignore]
def segments_to_polyline(
    starts: NDArray[np.float64], ends: NDArray[np.float64], polyline: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Shortest distances (n,) between n straight segments (n, 3) and one polyline (m, 3).

    Notes
    -----
    For each pair of segments p + s u and q + t v the squared distance is a convex quadratic in (s, t) on the
    unit square: s is its unconstrained optimum clamped, t the best for that s clamped, s again the best for
    that t clamped (Ericson, Real-Time Collision Detection, 5.1.9).
    """
    nearest = np.full(starts.shape[0], np.inf)
    for n in range(starts.shape[0]):
        for m in range(polyline.shape[0] - 1):
            a = b = c = d = e = 0.0
            for k in range(3):
                u = ends[n, k] - starts[n, k]
                v = polyline[m + 1, k] - polyline[m, k]
                r = starts[n, k] - polyline[m, k]
                a += u * u
                b += u * v
                c += v * v
                d += u * r
                e += v * r
            determinant = a * c - b * b
            s = min(max((b * e - c * d) / determinant, 0.0), 1.0) if determinant > 1e-12 * a * c else 0.0
            t = min(max((b * s + e) / c, 0.0), 1.0) if c > 0.0 else 0.0
            s = min(max((b * t - d) / a, 0.0), 1.0) if a > 0.0 else 0.0
            squared = 0.0
            for k in range(3):
                gap = (
                    starts[n, k]
                    - polyline[m, k]
                    + s * (ends[n, k] - starts[n, k])
                    - t * (polyline[m + 1, k] - polyline[m, k])
                )
                squared += gap * gap
            nearest[n] = min(nearest[n], squared)
        nearest[n] = np.sqrt(nearest[n])
    return nearest
