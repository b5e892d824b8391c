"""Conductances between the cells of a grid that is revolved about an axis, and the heat of the currents between them.

A half is the resistance times the conductivity (1/m) from a cell's centre to one of its faces, shape (n0, n1): inward,
outward, lower, upper, about the axis. Halves of two neighbours are in series. A conductivity may be 0 or infinite.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _series(first: float, second: float) -> float:
    total = first + second
    return 1.0 / total if total > 0.0 else 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def face_conductances(
    value: FloatArray,
    halves: tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray],
    is_far_above: bool,
    is_far_below: bool,
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Conductances to the next cell along each axis, and to the far field, shape (n0, n1, n2) each.

    The far field lies beyond the last cells of the first axis and, if said so, beyond both ends of the second.
    """
    inward, outward, lower, upper, about = halves
    n0, n1, n2 = value.shape
    g0, g1, g2, far = np.zeros(value.shape), np.zeros(value.shape), np.zeros(value.shape), np.zeros(value.shape)
    for a in range(n0):
        for b in range(n1):
            if a < n0 - 1:
                near, next_ = outward[a, b], inward[a + 1, b]
                for c in range(n2):
                    g0[a, b, c] = _series(near / value[a, b, c], next_ / value[a + 1, b, c])
            else:
                for c in range(n2):
                    far[a, b, c] += value[a, b, c] / outward[a, b]
            if b < n1 - 1:
                near, next_ = upper[a, b], lower[a, b + 1]
                for c in range(n2):
                    g1[a, b, c] = _series(near / value[a, b, c], next_ / value[a, b + 1, c])
            elif is_far_above:
                for c in range(n2):
                    far[a, b, c] += value[a, b, c] / upper[a, b]
            if b == 0 and is_far_below:
                for c in range(n2):
                    far[a, b, c] += value[a, b, c] / lower[a, b]
            if n2 > 1:
                half = about[a, b]
                for c in range(n2 - 1):
                    g2[a, b, c] = _series(half / value[a, b, c], half / value[a, b, c + 1])
                g2[a, b, n2 - 1] = _series(half / value[a, b, n2 - 1], half / value[a, b, 0])
    return g0, g1, g2, far


@njit(cache=True, nogil=True)
def sum_of_conductances(g0: FloatArray, g1: FloatArray, g2: FloatArray, far: FloatArray) -> FloatArray:
    """Sum of every cell's conductances to its neighbours and to the far field."""
    total = np.empty_like(far)
    n0, n1, n2 = far.shape
    for a in range(n0):
        for b in range(n1):
            for c in range(n2):
                total[a, b, c] = far[a, b, c] + g0[a, b, c] + g1[a, b, c]
            if a > 0:
                for c in range(n2):
                    total[a, b, c] += g0[a - 1, b, c]
            if b > 0:
                for c in range(n2):
                    total[a, b, c] += g1[a, b - 1, c]
            if n2 > 1:
                for c in range(n2):
                    total[a, b, c] += g2[a, b, c]
                for c in range(1, n2):
                    total[a, b, c] += g2[a, b, c - 1]
                total[a, b, 0] += g2[a, b, n2 - 1]
    return total


@njit(cache=True, nogil=True, error_model="numpy")
def joule_heat_w(
    potential: FloatArray,
    value: FloatArray,
    halves: tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray],
    g0: FloatArray,
    g1: FloatArray,
    g2: FloatArray,
    far: FloatArray,
    contact: FloatArray,
) -> FloatArray:
    """Heat of every cell (W): that of each face's current, shared by the two cells as their parts of the resistance.

    `contact` (n1, n2) is the conductance from the first layer to an electrode at 1 V; the far field is at 0 V.
    """
    inward, outward, lower, upper, about = halves
    n0, n1, n2 = potential.shape
    heat = np.empty_like(potential)
    for a in range(n0):
        for b in range(n1):
            for c in range(n2):
                heat[a, b, c] = far[a, b, c] * potential[a, b, c] ** 2
    for b in range(n1):
        for c in range(n2):
            heat[0, b, c] += contact[b, c] * (1.0 - potential[0, b, c]) ** 2
    for a in range(n0):
        for b in range(n1):
            for c in range(n2):
                if a < n0 - 1 and g0[a, b, c] > 0.0:
                    square = (g0[a, b, c] * (potential[a, b, c] - potential[a + 1, b, c])) ** 2
                    heat[a, b, c] += square * outward[a, b] / value[a, b, c]
                    heat[a + 1, b, c] += square * inward[a + 1, b] / value[a + 1, b, c]
                if b < n1 - 1 and g1[a, b, c] > 0.0:
                    square = (g1[a, b, c] * (potential[a, b, c] - potential[a, b + 1, c])) ** 2
                    heat[a, b, c] += square * upper[a, b] / value[a, b, c]
                    heat[a, b + 1, c] += square * lower[a, b + 1] / value[a, b + 1, c]
                if g2[a, b, c] > 0.0:
                    after = c + 1 if c < n2 - 1 else 0
                    square = (g2[a, b, c] * (potential[a, b, c] - potential[a, b, after])) ** 2
                    heat[a, b, c] += square * about[a, b] / value[a, b, c]
                    heat[a, b, after] += square * about[a, b] / value[a, b, after]
    return heat
