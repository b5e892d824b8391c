"""The seven-point solver against a dense matrix built from the same conductances."""

from __future__ import annotations

import numpy as np
import pytest

from foramen.kernels import stencil
from foramen.kernels.stencil import factorise, preconditioner

Links = tuple[np.ndarray, np.ndarray, np.ndarray]

NO_SHEARS = (np.empty((0, 0, 0)),) * 3


def conjugate_gradients(
    diagonal: np.ndarray,
    links: Links,
    right: np.ndarray,
    x: np.ndarray,
    *,
    tolerance: float,
    limit: int,
    is_revolved: bool = False,
) -> tuple[int, float]:
    """Factorise and solve."""
    factors = preconditioner(diagonal, links, is_revolved=is_revolved)
    return stencil.conjugate_gradients(diagonal, *links, *factors, *NO_SHEARS, right, x, tolerance, limit)


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


@pytest.mark.parametrize("is_revolved", [False, True])
@pytest.mark.parametrize("shape", [(5, 6, 1), (4, 5, 3), (3, 4, 8), (1, 7, 4), (6, 1, 5)])
def test_solution_is_that_of_the_dense_matrix(shape: tuple[int, int, int], is_revolved: bool) -> None:
    """Equal to 1e-8 of the largest value: the residual is solved to 1e-13 at a condition number up to 1e8."""
    diagonal, links = random_system(shape)
    right = np.random.default_rng(4).normal(size=shape)
    found = np.zeros(shape)
    _, error = conjugate_gradients(diagonal, links, right, found, tolerance=1e-13, limit=2000, is_revolved=is_revolved)
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


def revolved_system() -> tuple[np.ndarray, Links]:
    """A cylinder of two materials, thirty times apart, on opposite sides of the axis, with a far field all around."""
    radius, height, angles = np.geomspace(1.0, 40.0, 25), np.geomspace(1.0, 40.0, 31), 12
    value = np.where(np.arange(angles) < angles // 2, 1.0, 1 / 30.0) * np.ones((24, 30, angles))
    spread = np.diff(height)[None, :, None] * 2 * np.pi / angles
    g0 = value * spread / np.log(radius[1] / radius[0])
    middle = np.diff(radius)[:, None, None]
    g1 = value * middle * radius[:-1, None, None] * (2 * np.pi / angles) / np.diff(height)[None, :, None]
    pair = 2 * value * np.roll(value, -1, axis=2) / (value + np.roll(value, -1, axis=2))
    g2 = pair * middle * np.diff(height)[None, :, None] / (radius[:-1, None, None] * 2 * np.pi / angles)
    diagonal = g0 + g1 + g2 + np.roll(g2, 1, axis=2)
    g0[-1], g1[:, -1] = 0.0, 0.0
    diagonal[1:] += g0[:-1]
    diagonal[:, 1:] += g1[:, :-1]
    return diagonal, (g0, g1, g2)


def test_the_mean_of_a_similar_system_changes_the_iterations_only() -> None:
    """The factor of the mean of another system still leads to the same solution."""
    diagonal, links = revolved_system()
    _, mean = preconditioner(diagonal * 1.5, links, is_revolved=True)
    factors = preconditioner(diagonal, links, is_revolved=True, mean=mean)
    right = np.ones(diagonal.shape)
    own, other = np.zeros(diagonal.shape), np.zeros(diagonal.shape)
    conjugate_gradients(diagonal, links, right, own, tolerance=1e-11, limit=500, is_revolved=True)
    stencil.conjugate_gradients(diagonal, *links, *factors, *NO_SHEARS, right, other, 1e-11, 500)
    assert np.abs(own - other).max() < 1e-9 * np.abs(own).max()
