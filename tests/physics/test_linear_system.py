"""The linear system on a needle's grid: both preconditioners, failure, and held cells."""

from __future__ import annotations

import numpy as np
import pytest

from foramen.errors import SolverError
from foramen.physics import linear_system as module
from foramen.physics.conduction import conductances
from foramen.physics.linear_system import Links, detached, linear_system
from physics.lesion_case import make_grid


def bony_needle() -> tuple[np.ndarray, Links]:
    """Heat conduction about a metal needle with fat on one side, and a little heat stored."""
    grid = make_grid(step=0.16, angles=16, is_conducting=True)
    across = grid.node_r_m[:, :, None] * np.cos(grid.angle_nodes_rad)
    value = np.where(across > 1.5e-3, 0.2, 0.5)
    value[: grid.inner] = 15.0
    link = conductances(grid, value, first=0)
    return link.diagonal + 1e6 * grid.volume_m3[:, :, None], link.links


def test_the_mean_about_the_axis_saves_iterations() -> None:
    """The two-part preconditioner needs fewer iterations than one of the whole, for the same answer."""
    diagonal, links = bony_needle()
    source = np.zeros(diagonal.shape)
    source[0, :30] = 1.0
    start = np.zeros(diagonal.shape)
    whole, slow = linear_system(diagonal, links).solve(source, start, tolerance=1e-8, what="test")
    parts, fast = linear_system(diagonal, links, is_revolved=True).solve(source, start, tolerance=1e-8, what="test")
    assert np.abs(whole - parts).max() < 1e-6 * np.abs(whole).max()
    assert fast < 0.8 * slow


def test_no_convergence_names_the_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    """A solve that is cut short says where the residual is largest."""
    monkeypatch.setattr(module, "ITERATION_LIMIT", 1)
    diagonal, links = bony_needle()
    source = np.zeros(diagonal.shape)
    source[3, 20, 5] = 1.0
    with pytest.raises(SolverError, match=r"after 1 iterations.* in cell \(\d+, \d+, \d+\)"):
        linear_system(diagonal, links).solve(source, np.zeros(diagonal.shape), tolerance=1e-9, what="test")


def test_held_cells_are_sources_to_their_neighbours() -> None:
    """Between two held ends of a row of equal links the solution is a straight line."""
    links = tuple(np.full((7, 1, 1), float(axis == 0)) for axis in range(3))
    links[0][-1] = 0.0
    cells = np.zeros((7, 1, 1), dtype=bool)
    cells[0], cells[-1] = True, True
    free, source = detached((links[0], links[1], links[2]), cells, np.where(cells, np.arange(7.0)[:, None, None], 0.0))
    diagonal = np.where(cells, 1.0, 2.0)
    right = np.where(cells, np.arange(7.0)[:, None, None], source)
    x, _ = linear_system(diagonal, free).solve(right, np.zeros((7, 1, 1)), tolerance=1e-12, what="test")
    assert x.ravel() == pytest.approx(np.arange(7.0))
