"""Seven-point systems on a structured grid, periodic along the last axis.

The matrix is symmetric and given by its diagonal and the conductances to the next cell along each axis:
``(A x)_p = diagonal_p x_p - sum_q g_pq x_q``. Conductances of the last face along the first two axes must be 0;
those of the last axis wrap around. Everything runs on one thread in a fixed order, so a result does not
depend on the number of threads.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

RELAXATION = 0.98
"""Part of the dropped fill-in that is moved to the diagonal (modified incomplete Cholesky)."""


@njit(cache=True, nogil=True)
def factorise(diagonal: FloatArray, g0: FloatArray, g1: FloatArray, g2: FloatArray) -> FloatArray:
    """Inverse pivots (n0, n1, n2) of the modified incomplete Cholesky factor without fill-in.

    ``M = (D + L) D^-1 (D + L^T)`` has the row sums of A up to `RELAXATION`; it is exact where one direction
    dominates, which suits grids with cells much finer in one direction.
    """
    n0, n1, n2 = diagonal.shape
    inverse = np.empty_like(diagonal)
    for a in range(n0):
        for b in range(n1):
            for c in range(n2):
                pivot = diagonal[a, b, c]
                if a > 0:
                    g = g0[a - 1, b, c]
                    upper = g1[a - 1, b, c] + (g2[a - 1, b, c] if c < n2 - 1 else 0.0)
                    if c == 0 and n2 > 1:
                        upper += g2[a - 1, b, n2 - 1]
                    pivot -= g * inverse[a - 1, b, c] * (g + RELAXATION * upper)
                if b > 0:
                    g = g1[a, b - 1, c]
                    upper = g0[a, b - 1, c] + (g2[a, b - 1, c] if c < n2 - 1 else 0.0)
                    if c == 0 and n2 > 1:
                        upper += g2[a, b - 1, n2 - 1]
                    pivot -= g * inverse[a, b - 1, c] * (g + RELAXATION * upper)
                if c > 0:
                    g = g2[a, b, c - 1]
                    upper = g0[a, b, c - 1] + g1[a, b, c - 1]
                    if c == 1:
                        upper += g2[a, b, n2 - 1]
                    pivot -= g * inverse[a, b, c - 1] * (g + RELAXATION * upper)
                if c == n2 - 1 and n2 > 1:
                    g = g2[a, b, c]
                    upper = g0[a, b, 0] + g1[a, b, 0] + g2[a, b, 0]
                    pivot -= g * inverse[a, b, 0] * (g + RELAXATION * upper)
                if pivot < 1e-10 * diagonal[a, b, c]:
                    pivot = diagonal[a, b, c]
                inverse[a, b, c] = 1.0 / pivot
    return inverse


@njit(cache=True, nogil=True)
def _precondition(
    inverse: FloatArray, g0: FloatArray, g1: FloatArray, g2: FloatArray, residual: FloatArray, out: FloatArray
) -> float:
    """Write M^-1 residual to `out` and return their scalar product."""
    n0, n1, n2 = residual.shape
    for a in range(n0):
        for b in range(n1):
            for c in range(n2):
                value = residual[a, b, c]
                if a > 0:
                    value += g0[a - 1, b, c] * out[a - 1, b, c]
                if b > 0:
                    value += g1[a, b - 1, c] * out[a, b - 1, c]
                if c > 0:
                    value += g2[a, b, c - 1] * out[a, b, c - 1]
                if c == n2 - 1 and n2 > 1:
                    value += g2[a, b, c] * out[a, b, 0]
                out[a, b, c] = value * inverse[a, b, c]
    product = 0.0
    for a in range(n0 - 1, -1, -1):
        for b in range(n1 - 1, -1, -1):
            for c in range(n2 - 1, -1, -1):
                value = 0.0
                if a < n0 - 1:
                    value += g0[a, b, c] * out[a + 1, b, c]
                if b < n1 - 1:
                    value += g1[a, b, c] * out[a, b + 1, c]
                if c < n2 - 1:
                    value += g2[a, b, c] * out[a, b, c + 1]
                if c == 0 and n2 > 1:
                    value += g2[a, b, n2 - 1] * out[a, b, n2 - 1]
                out[a, b, c] += value * inverse[a, b, c]
                product += out[a, b, c] * residual[a, b, c]
    return product


@njit(cache=True, nogil=True)
def _apply(
    diagonal: FloatArray, g0: FloatArray, g1: FloatArray, g2: FloatArray, x: FloatArray, out: FloatArray
) -> float:
    """Write A x to `out` and return x . A x."""
    n0, n1, n2 = x.shape
    product = 0.0
    for a in range(n0):
        for b in range(n1):
            for c in range(n2):
                value = diagonal[a, b, c] * x[a, b, c]
                if a > 0:
                    value -= g0[a - 1, b, c] * x[a - 1, b, c]
                if a < n0 - 1:
                    value -= g0[a, b, c] * x[a + 1, b, c]
                if b > 0:
                    value -= g1[a, b - 1, c] * x[a, b - 1, c]
                if b < n1 - 1:
                    value -= g1[a, b, c] * x[a, b + 1, c]
                if n2 > 1:
                    below = c - 1 if c > 0 else n2 - 1
                    above = c + 1 if c < n2 - 1 else 0
                    value -= g2[a, b, below] * x[a, b, below] + g2[a, b, c] * x[a, b, above]
                out[a, b, c] = value
                product += value * x[a, b, c]
    return product


@njit(cache=True, nogil=True)
def _combine(weight: float, source: FloatArray, keep: float, out: FloatArray) -> None:
    """out = keep out + weight source."""
    n0, n1, n2 = out.shape
    for a in range(n0):
        for b in range(n1):
            for c in range(n2):
                out[a, b, c] = keep * out[a, b, c] + weight * source[a, b, c]


def conjugate_gradients(
    diagonal: FloatArray,
    links: tuple[FloatArray, FloatArray, FloatArray],
    right: FloatArray,
    x: FloatArray,
    *,
    tolerance: float,
    limit: int,
) -> tuple[int, float]:
    """Solve ``A x = right`` in place from the start in `x`; returns iterations and the relative residual.

    Preconditioned conjugate gradients with `factorise`; stops when the residual's norm in the
    preconditioner's inverse is below `tolerance` times that of `right`.
    """
    g0, g1, g2 = links
    inverse = factorise(diagonal, g0, g1, g2)
    image, shifted = np.empty_like(x), np.empty_like(x)
    scale = _precondition(inverse, g0, g1, g2, right, shifted)
    if scale == 0.0:
        x[:] = 0.0
        return 0, 0.0
    _apply(diagonal, g0, g1, g2, x, image)
    residual = right - image
    measure = _precondition(inverse, g0, g1, g2, residual, shifted)
    search = shifted.copy()
    iterations = 0
    while measure > tolerance**2 * scale and iterations < limit:
        step = measure / _apply(diagonal, g0, g1, g2, search, image)
        _combine(step, search, 1.0, x)
        _combine(-step, image, 1.0, residual)
        following = _precondition(inverse, g0, g1, g2, residual, shifted)
        _combine(1.0, shifted, following / measure, search)
        measure = following
        iterations += 1
    return iterations, float(np.sqrt(max(measure, 0.0) / scale))
