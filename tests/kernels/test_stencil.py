"""The seven-point solver against a dense matrix built from the same conductances."""

from __future__ import annotations

import numpy as np
import pytest

from foramen.kernels.stencil import conjugate_gradients, factorise


def random_system(shape: tuple[int, int, int]) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """A diagonal and conductances over six decades."""
    rng = np.random.default_rng(3)
    g0, g1, g2 = (10.0 ** rng.uniform(-3, 3, shape) for _ in range(3))
    g0[-1], g1[:, -1] = 0.0, 0.0
    if shape[2] == 1:
        g2[:] = 0.0
    diagonal = g0 + g1 + g2 + np.roll(g2, 1, axis=2) + 0.01
    diagonal[1:] += g0[:-1]
    diagonal[:, 1:] += g1[:, :-1]
    return diagonal, (g0, g1, g2)


def dense(diagonal: np.ndarray, links: tuple[np.ndarray, np.ndarray, np.ndarray]) -> np.ndarray:
    """The same matrix, written out."""
    number = np.arange(diagonal.size).reshape(diagonal.shape)
    matrix = np.diag(diagonal.ravel())
    for axis, link in enumerate(links):
        for first, second, g in zip(number.ravel(), np.roll(number, -1, axis=axis).ravel(), link.ravel(), strict=True):
            if first != second and g:
                matrix[first, second] -= g
                matrix[second, first] -= g
    return matrix


@pytest.mark.parametrize("shape", [(5, 6, 1), (4, 5, 3), (3, 4, 8), (1, 7, 4), (6, 1, 5)])
def test_solution_is_that_of_the_dense_matrix(shape: tuple[int, int, int]) -> None:
    """Equal to 1e-8 of the largest value: the residual is solved to 1e-13 at a condition number up to 1e8."""
    diagonal, links = random_system(shape)
    right = np.random.default_rng(4).normal(size=shape)
    found = np.zeros(shape)
    _, error = conjugate_gradients(diagonal, links, right, found, tolerance=1e-13, limit=2000)
    exact = np.linalg.solve(dense(diagonal, links), right.ravel()).reshape(shape)
    assert error <= 1e-13
    assert np.abs(found - exact).max() < 1e-8 * np.abs(exact).max()


def test_a_line_is_solved_in_one_sweep() -> None:
    """Where only one direction couples, the incomplete factor is complete."""
    diagonal, (g0, g1, g2) = random_system((40, 1, 1))
    found = np.zeros(diagonal.shape)
    count, _ = conjugate_gradients(diagonal, (g0, g1, g2), np.ones(diagonal.shape), found, tolerance=1e-6, limit=50)
    assert count <= 2  # 1 but for rounding
    assert (factorise(diagonal, g0, g1, g2) > 0).all()


def test_no_source_means_zero() -> None:
    """A right side of zero overwrites the start."""
    diagonal, links = random_system((4, 4, 4))
    found = np.ones(diagonal.shape)
    assert conjugate_gradients(diagonal, links, np.zeros(diagonal.shape), found, tolerance=1e-8, limit=50)[0] == 0
    assert not found.any()


def test_the_limit_of_iterations_is_kept() -> None:
    """It stops at the limit and reports the residual that is left."""
    diagonal, links = random_system((6, 6, 6))
    count, error = conjugate_gradients(
        diagonal, links, np.ones(diagonal.shape), np.zeros(diagonal.shape), tolerance=1e-12, limit=3
    )
    assert count == 3
    assert error > 1e-12
