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

from foramen.kernels.rotational import add_mean, factorise_mean, factorise_planes, solve_planes

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


@njit(cache=True, nogil=True, fastmath=True)
def _precondition_plane(
    inverse: FloatArray, g0: FloatArray, g1: FloatArray, residual: FloatArray, out: FloatArray
) -> float:
    """`_precondition` for a single cell along the last axis."""
    n0, n1, _ = residual.shape
    for a in range(n0):
        last = residual[a, 0, 0]
        if a > 0:
            last += g0[a - 1, 0, 0] * out[a - 1, 0, 0]
        last *= inverse[a, 0, 0]
        out[a, 0, 0] = last
        for b in range(1, n1):
            value = residual[a, b, 0] + g1[a, b - 1, 0] * last
            if a > 0:
                value += g0[a - 1, b, 0] * out[a - 1, b, 0]
            last = value * inverse[a, b, 0]
            out[a, b, 0] = last
    product = 0.0
    for a in range(n0 - 1, -1, -1):
        last = 0.0
        for b in range(n1 - 1, -1, -1):
            value = g1[a, b, 0] * last
            if a < n0 - 1:
                value += g0[a, b, 0] * out[a + 1, b, 0]
            last = out[a, b, 0] + value * inverse[a, b, 0]
            out[a, b, 0] = last
            product += last * residual[a, b, 0]
    return product


@njit(cache=True, nogil=True, fastmath=True)
def _apply_plane(diagonal: FloatArray, g0: FloatArray, g1: FloatArray, x: FloatArray, out: FloatArray) -> float:
    """`_apply` for a single cell along the last axis."""
    n0, n1, _ = x.shape
    product = 0.0
    for a in range(n0):
        for b in range(n1):
            out[a, b, 0] = diagonal[a, b, 0] * x[a, b, 0]
        for b in range(n1 - 1):
            out[a, b, 0] -= g1[a, b, 0] * x[a, b + 1, 0]
        for b in range(1, n1):
            out[a, b, 0] -= g1[a, b - 1, 0] * x[a, b - 1, 0]
        if a > 0:
            for b in range(n1):
                out[a, b, 0] -= g0[a - 1, b, 0] * x[a - 1, b, 0]
        if a < n0 - 1:
            for b in range(n1):
                out[a, b, 0] -= g0[a, b, 0] * x[a + 1, b, 0]
        for b in range(n1):
            product += out[a, b, 0] * x[a, b, 0]
    return product


@njit(cache=True, nogil=True)
def _precondition(
    inverse: FloatArray, g0: FloatArray, g1: FloatArray, g2: FloatArray, residual: FloatArray, out: FloatArray
) -> float:
    """Write M^-1 residual to `out` and return their scalar product."""
    n0, n1, n2 = residual.shape
    if n2 == 1:
        plane: float = _precondition_plane(inverse, g0, g1, residual, out)
        return plane
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


@njit(cache=True, nogil=True, fastmath=True)
def _apply(
    diagonal: FloatArray, g0: FloatArray, g1: FloatArray, g2: FloatArray, x: FloatArray, out: FloatArray
) -> float:
    """Write A x to `out` and return x . A x."""
    n0, n1, n2 = x.shape
    if n2 == 1:
        plane: float = _apply_plane(diagonal, g0, g1, x, out)
        return plane
    product = 0.0
    for a in range(n0):
        for b in range(n1):
            if 0 < a < n0 - 1 and 0 < b < n1 - 1:
                for c in range(n2):
                    before = g0[a - 1, b, c] * x[a - 1, b, c] + g1[a, b - 1, c] * x[a, b - 1, c]
                    after = g0[a, b, c] * x[a + 1, b, c] + g1[a, b, c] * x[a, b + 1, c]
                    out[a, b, c] = diagonal[a, b, c] * x[a, b, c] - before - after
            else:
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
                    out[a, b, c] = value
            if n2 > 1:
                for c in range(n2 - 1):
                    out[a, b, c] -= g2[a, b, c] * x[a, b, c + 1]
                for c in range(1, n2):
                    out[a, b, c] -= g2[a, b, c - 1] * x[a, b, c - 1]
                out[a, b, 0] -= g2[a, b, n2 - 1] * x[a, b, n2 - 1]
                out[a, b, n2 - 1] -= g2[a, b, n2 - 1] * x[a, b, 0]
            for c in range(n2):
                product += out[a, b, c] * x[a, b, c]
    return product


@njit(cache=True, nogil=True, fastmath=True)
def _add_shears(s01: FloatArray, s02: FloatArray, s12: FloatArray, x: FloatArray, out: FloatArray) -> float:
    """Add what shears contribute to A x, and return x . A x.

    A shear couples the four cells of a plaquette: its conductance acts along the one diagonal and, negative, along the
    other, which is a conductivity's off-diagonal element between the two axes.
    """
    n0, n1, n2 = x.shape
    for a in range(n0 - 1):
        for b in range(n1 - 1):
            for c in range(n2):
                rising = s01[a, b, c] * (x[a + 1, b + 1, c] - x[a, b, c])
                falling = s01[a, b, c] * (x[a + 1, b, c] - x[a, b + 1, c])
                out[a + 1, b + 1, c] += rising
                out[a, b, c] -= rising
                out[a + 1, b, c] -= falling
                out[a, b + 1, c] += falling
    for a in range(n0 - 1):
        for b in range(n1):
            for c in range(n2 - 1):
                rising = s02[a, b, c] * (x[a + 1, b, c + 1] - x[a, b, c])
                falling = s02[a, b, c] * (x[a + 1, b, c] - x[a, b, c + 1])
                out[a + 1, b, c + 1] += rising
                out[a, b, c] -= rising
                out[a + 1, b, c] -= falling
                out[a, b, c + 1] += falling
    for a in range(n0):
        for b in range(n1 - 1):
            for c in range(n2 - 1):
                rising = s12[a, b, c] * (x[a, b + 1, c + 1] - x[a, b, c])
                falling = s12[a, b, c] * (x[a, b + 1, c] - x[a, b, c + 1])
                out[a, b + 1, c + 1] += rising
                out[a, b, c] -= rising
                out[a, b + 1, c] -= falling
                out[a, b, c + 1] += falling
    product: float = _product(x, out)
    return product


@njit(cache=True, nogil=True, fastmath=True)
def _descend(step: float, search: FloatArray, image: FloatArray, x: FloatArray, residual: FloatArray) -> None:
    """x += step search; residual -= step image."""
    size = x.size
    along, value = search.reshape(size), x.reshape(size)
    for p in range(size):
        value[p] += step * along[p]
    across, rest = image.reshape(size), residual.reshape(size)
    for p in range(size):
        rest[p] -= step * across[p]


@njit(cache=True, nogil=True, fastmath=True)
def _turn(keep: float, shifted: FloatArray, search: FloatArray) -> None:
    """search = shifted + keep search."""
    size = search.size
    new, old = shifted.reshape(size), search.reshape(size)
    for p in range(size):
        old[p] = new[p] + keep * old[p]


@njit(cache=True, nogil=True, fastmath=True)
def _product(first: FloatArray, second: FloatArray) -> float:
    size = first.size
    left, right = first.reshape(size), second.reshape(size)
    total = 0.0
    for p in range(size):
        total += left[p] * right[p]
    return total


@njit(cache=True, nogil=True)
def _shift(
    inverse: FloatArray, mean: FloatArray, g0: FloatArray, g1: FloatArray, g2: FloatArray,
    residual: FloatArray, out: FloatArray,
) -> float:  # fmt: skip
    """Write the preconditioned residual to `out` and return their scalar product."""
    if mean.size == 0:
        measure: float = _precondition(inverse, g0, g1, g2, residual, out)
    else:
        solve_planes(inverse, g0, g1, residual, out)
        add_mean(mean, residual, out)
        measure = _product(residual, out)
    return measure


@njit(cache=True, nogil=True)
def conjugate_gradients(
    diagonal: FloatArray, g0: FloatArray, g1: FloatArray, g2: FloatArray,
    inverse: FloatArray, mean: FloatArray, s01: FloatArray, s02: FloatArray, s12: FloatArray,
    right: FloatArray, x: FloatArray, tolerance: float, limit: int,
) -> tuple[int, float]:  # fmt: skip
    """Solve ``A x = right`` in place from the start in `x`; returns iterations and the relative residual.

    Conjugate gradients, preconditioned by `inverse` and `mean` (see `preconditioner`); stops when the residual's norm
    in the preconditioner's inverse is below `tolerance` times that of `right`. `s01`, `s02` and `s12` are shears
    between two axes each (see `_add_shears`), empty without; the preconditioner does not see them.
    """
    image, shifted = np.empty_like(x), np.empty_like(x)
    scale = _shift(inverse, mean, g0, g1, g2, right, shifted)
    if scale == 0.0:
        x[:] = 0.0
        return 0, 0.0
    _apply(diagonal, g0, g1, g2, x, image)
    if s01.size > 0:
        _add_shears(s01, s02, s12, x, image)
    residual = right - image
    measure = _shift(inverse, mean, g0, g1, g2, residual, shifted)
    search = shifted.copy()
    iterations = 0
    while measure > tolerance**2 * scale and iterations < limit:
        curvature = _apply(diagonal, g0, g1, g2, search, image)
        if s01.size > 0:
            curvature = _add_shears(s01, s02, s12, search, image)
        step = measure / curvature
        _descend(step, search, image, x, residual)
        following = _shift(inverse, mean, g0, g1, g2, residual, shifted)
        _turn(following / measure, shifted, search)
        measure = following
        iterations += 1
    return iterations, np.sqrt(max(measure, 0.0) / scale)


def preconditioner(
    diagonal: FloatArray,
    links: tuple[FloatArray, FloatArray, FloatArray],
    *,
    is_revolved: bool,
    mean: FloatArray | None = None,
) -> tuple[FloatArray, FloatArray]:
    """Factors for `conjugate_gradients`: (`inverse`, `mean`).

    On a grid with few cells about an axis (`is_revolved`) the factor of the half-planes and of the mean about the axis
    (`foramen.kernels.rotational`; a `mean` of a similar system may be given), otherwise the incomplete factor of the
    whole and an empty `mean`.
    """
    if is_revolved and diagonal.shape[2] > 1:
        inverse = np.empty_like(diagonal)
        factorise_planes(diagonal, *links, inverse)
        return inverse, factorise_mean(diagonal, *links) if mean is None else mean
    return factorise(diagonal, *links), np.empty((0, 0))
