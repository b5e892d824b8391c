"""Preconditioner for seven-point systems on a grid that is revolved about an axis (periodic in the last index).

Two parts are added. The planes: a modified incomplete Cholesky factor of every half-plane about the axis, all of them
side by side, so that the inner loops run over the angle without a recurrence. The mean: what is constant about the
axis, solved exactly by a banded Cholesky factor. The planes see how tissue differs from angle to angle, the mean
carries what is smooth over many cells; for a step of temperature about a metal needle both together need about half the
iterations of an incomplete factor of the whole.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

RELAXATION = 0.98
"""Part of the dropped fill-in that is moved to the diagonal."""

TOWARDS_MEAN = 0.5
"""Part of the coupling about the axis that is taken off the diagonal of the planes.

Between independent half-planes (0) and half-planes that move together (1), which the mean already covers.
"""


@njit(cache=True, nogil=True)
def factorise_planes(diagonal: FloatArray, g0: FloatArray, g1: FloatArray, g2: FloatArray, inverse: FloatArray) -> None:
    """Write the inverse pivots (n0, n1, n2) of the incomplete factor of every half-plane to `inverse`."""
    n0, n1, n2 = diagonal.shape
    for a in range(n0):
        for b in range(n1):
            for c in range(n2):
                before = c - 1 if c > 0 else n2 - 1
                pivot = diagonal[a, b, c] - TOWARDS_MEAN * (g2[a, b, c] + g2[a, b, before])
                if a > 0:
                    g = g0[a - 1, b, c]
                    pivot -= g * inverse[a - 1, b, c] * (g + RELAXATION * g1[a - 1, b, c])
                if b > 0:
                    g = g1[a, b - 1, c]
                    pivot -= g * inverse[a, b - 1, c] * (g + RELAXATION * g0[a, b - 1, c])
                if pivot < 1e-3 * diagonal[a, b, c]:
                    pivot = diagonal[a, b, c]
                inverse[a, b, c] = 1.0 / pivot


@njit(cache=True, nogil=True, fastmath=True)
def solve_planes(inverse: FloatArray, g0: FloatArray, g1: FloatArray, residual: FloatArray, out: FloatArray) -> None:
    """Write the planes' part of the preconditioned residual to `out`."""
    n0, n1, n2 = residual.shape
    for a in range(n0):
        for b in range(n1):
            if a > 0 and b > 0:
                for c in range(n2):
                    carried = g0[a - 1, b, c] * out[a - 1, b, c] + g1[a, b - 1, c] * out[a, b - 1, c]
                    out[a, b, c] = (residual[a, b, c] + carried) * inverse[a, b, c]
            elif a > 0:
                for c in range(n2):
                    out[a, b, c] = (residual[a, b, c] + g0[a - 1, b, c] * out[a - 1, b, c]) * inverse[a, b, c]
            elif b > 0:
                for c in range(n2):
                    out[a, b, c] = (residual[a, b, c] + g1[a, b - 1, c] * out[a, b - 1, c]) * inverse[a, b, c]
            else:
                for c in range(n2):
                    out[a, b, c] = residual[a, b, c] * inverse[a, b, c]
    for a in range(n0 - 1, -1, -1):
        for b in range(n1 - 1, -1, -1):
            if a < n0 - 1 and b < n1 - 1:
                for c in range(n2):
                    carried = g0[a, b, c] * out[a + 1, b, c] + g1[a, b, c] * out[a, b + 1, c]
                    out[a, b, c] += carried * inverse[a, b, c]
            elif a < n0 - 1:
                for c in range(n2):
                    out[a, b, c] += g0[a, b, c] * out[a + 1, b, c] * inverse[a, b, c]
            elif b < n1 - 1:
                for c in range(n2):
                    out[a, b, c] += g1[a, b, c] * out[a, b + 1, c] * inverse[a, b, c]


@njit(cache=True, nogil=True, fastmath=True)
def factorise_mean(diagonal: FloatArray, g0: FloatArray, g1: FloatArray, g2: FloatArray) -> FloatArray:
    """Banded Cholesky factor (n1 n0, n0 + 1) of the system of what is constant about the axis.

    Unknowns run along the first axis fastest. Row ``p`` holds columns ``p - n0 ... p``; the last is the inverse pivot.
    """
    n0, n1, n2 = diagonal.shape
    factor = np.zeros((n0 * n1, n0 + 1))
    for b in range(n1):
        for a in range(n0):
            p = b * n0 + a
            own, left, below = 0.0, 0.0, 0.0
            for c in range(n2):
                own += diagonal[a, b, c] - 2.0 * g2[a, b, c]
            if a > 0:
                for c in range(n2):
                    left += g0[a - 1, b, c]
            if b > 0:
                for c in range(n2):
                    below += g1[a, b - 1, c]
            factor[p, n0] = own
            factor[p, n0 - 1] -= left
            factor[p, 0] -= below
    for p in range(n0 * n1):
        first = max(0, p - n0)
        smallest = 1e-12 * factor[p, n0]
        for q in range(first, p):
            total = factor[p, q - p + n0]
            low = max(first, q - n0)
            count = q - low
            for s in range(count):
                total -= factor[p, low - p + n0 + s] * factor[q, low - q + n0 + s]
            factor[p, q - p + n0] = total * factor[q, n0]
        total = factor[p, n0]
        for s in range(first - p + n0, n0):
            total -= factor[p, s] * factor[p, s]
        factor[p, n0] = 1.0 / np.sqrt(total) if total > smallest else 0.0  # a part that touches nothing
    return factor


@njit(cache=True, nogil=True, fastmath=True)
def add_mean(factor: FloatArray, residual: FloatArray, out: FloatArray) -> None:
    """Add the mean's part of the preconditioned residual to `out`."""
    n0, n1, n2 = residual.shape
    size = n0 * n1
    x = np.empty(size)
    for b in range(n1):
        for a in range(n0):
            total = 0.0
            for c in range(n2):
                total += residual[a, b, c]
            x[b * n0 + a] = total
    for p in range(size):
        total = x[p]
        first = max(0, p - n0)
        offset = first - p + n0
        for s in range(p - first):
            total -= factor[p, offset + s] * x[first + s]
        x[p] = total * factor[p, n0]
    for p in range(size - 1, -1, -1):
        value = x[p] * factor[p, n0]
        x[p] = value
        first = max(0, p - n0)
        offset = first - p + n0
        for s in range(p - first):
            x[first + s] -= value * factor[p, offset + s]
    for a in range(n0):
        for b in range(n1):
            value = x[b * n0 + a]
            for c in range(n2):
                out[a, b, c] += value
