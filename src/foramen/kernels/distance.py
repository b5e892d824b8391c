"""Sampling of a field on a grid at many points: the inner loop of every clearance."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray


@numba.njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator,unused-ignore]
def sample_trilinear(field: NDArray[np.float32], index: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values of a field between its voxel centres, by trilinear interpolation.

    Parameters
    ----------
    field : ndarray of float32, shape (a, b, c)
        Values at the voxel centres.
    index : ndarray, shape (n, 3)
        Fractional voxel indices. A point outside the grid takes the value of the nearest face.

    Returns
    -------
    ndarray, shape (n,)
        ``f = sum_k w_k f_k`` over the eight voxels around the point, with weights that sum to one.
    """
    size = field.shape
    values = np.empty(index.shape[0], dtype=np.float64)
    low = np.empty(3, dtype=np.int64)
    part = np.empty(3, dtype=np.float64)
    for n in range(index.shape[0]):
        for axis in range(3):
            x = min(max(index[n, axis], 0.0), size[axis] - 1.0)
            base = min(int(x), max(size[axis] - 2, 0))
            low[axis] = base
            part[axis] = x - base
        total = 0.0
        for corner in range(8):
            weight = 1.0
            i = low[0] + (corner & 1)
            j = low[1] + ((corner >> 1) & 1)
            k = low[2] + ((corner >> 2) & 1)
            weight *= part[0] if corner & 1 else 1.0 - part[0]
            weight *= part[1] if (corner >> 1) & 1 else 1.0 - part[1]
            weight *= part[2] if (corner >> 2) & 1 else 1.0 - part[2]
            if weight > 0.0:
                total += weight * field[i, j, k]
        values[n] = total
    return values
