"""Elliptic systems on a logically structured grid: given conductances between cells, held cells and sources.

The cells are an array (n0, n1, n2). ``(A x)_p = diagonal_p x_p - sum_q g_pq x_q = source_p``, symmetric and positive;
the same system serves a potential (S, V, A) and an implicit step of temperature (W/K, K, W).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foramen.errors import SolverError
from foramen.kernels.stencil import conjugate_gradients, preconditioner

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

Links = tuple[FloatArray, FloatArray, FloatArray]
"""Conductances to the next cell along each axis, shape (n0, n1, n2) each.

Those of the last cells along the first two axes are 0; the last axis wraps around, so give 0 there where it should not.
"""

ITERATION_LIMIT = 3000
"""Iterations after which a linear system counts as not solved."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LinearSystem:
    """A conductance system with the factors that precondition it, for one or several sources."""

    diagonal: FloatArray
    links: Links
    factors: tuple[FloatArray, FloatArray]
    shears: Links

    def solve(self, source: FloatArray, start: FloatArray, *, tolerance: float, what: str) -> tuple[FloatArray, int]:
        """Solution and iterations, begun at `start`, to a relative residual of `tolerance`.

        Raises
        ------
        SolverError
            If it does not converge; the message names the cell with the largest residual.
        """
        x = start.copy()
        iterations, error = conjugate_gradients(
            self.diagonal, *self.links, *self.factors, *self.shears, source, x, tolerance, ITERATION_LIMIT
        )
        if not np.isfinite(error) or error > tolerance:
            raise SolverError(
                f"The {what} was not solved: relative residual {error:.2e} after {iterations} iterations, wanted "
                f"{tolerance:.1e}; worst in cell {self._worst_cell(source, x)}. Use a coarser grid, or check the "
                "tissue properties for extreme values."
            )
        return x, int(iterations)

    def _worst_cell(self, source: FloatArray, x: FloatArray) -> tuple[int, ...]:
        residual = source - self.diagonal * x
        for axis, link in enumerate(self.links):
            residual += link * np.roll(x, -1, axis=axis) + np.roll(link * x, 1, axis=axis)
        worst = int(np.argmax(np.where(np.isfinite(residual), np.abs(residual), np.inf)))
        return tuple(int(index) for index in np.unravel_index(worst, x.shape))


def linear_system(
    diagonal: FloatArray,
    links: Links,
    *,
    shears: Links | None = None,
    is_revolved: bool = False,
    like: LinearSystem | None = None,
) -> LinearSystem:
    """The system of a diagonal and links, factorised.

    Parameters
    ----------
    shears : tuple of three ndarray, optional
        Conductances (n0, n1, n2) of the plaquettes between cell (a, b, c) and the next along both axes of the pairs
        (0, 1), (0, 2) and (1, 2): along the rising diagonal, and negative along the falling one. They stand for the
        off-diagonal elements of a conductivity tensor.
    is_revolved : bool
        Whether the last axis is the angle of a grid revolved about an axis, which has a better preconditioner.
    like : LinearSystem, optional
        A similar system, whose costlier factor is used again; that changes the number of iterations only.
    """
    mean = None if like is None else like.factors[1]
    factors = preconditioner(diagonal, links, is_revolved=is_revolved, mean=mean)
    none = np.empty((0, 0, 0))
    return LinearSystem(diagonal=diagonal, links=links, factors=factors, shears=shears or (none, none, none))


def detached(links: Links, cells: BoolArray, value: FloatArray) -> tuple[Links, FloatArray]:
    """Links without those of `cells`, and the source that held cells at `value` are to their neighbours."""
    state = np.where(cells, value, 0.0)
    source = np.zeros_like(state)
    free = []
    for axis, link in enumerate(links):
        if link.shape[axis] > 1:
            source += link * np.roll(state, -1, axis=axis) + np.roll(link * state, 1, axis=axis)
        free.append(np.where(cells | np.roll(cells, -1, axis=axis), 0.0, link))
    return (free[0], free[1], free[2]), source
