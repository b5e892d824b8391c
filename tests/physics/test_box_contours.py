"""Extents on a box grid against a ball and two balls whose size is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from foramen.physics.box_contours import line_extent_m, measure_box, value_at, values_along
from foramen.physics.box_grid import FineSpan, graded_edges
from physics.box_case import make_embedding, make_pair

EMBEDDING = make_embedding(make_pair(10e-3), growth=0.12)
GRID = EMBEDDING.grid


def ball(centre_x_m: float, radius_m: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Radius minus distance from a point on the x axis: positive inside the ball."""
    distance: np.ndarray[tuple[int, ...], np.dtype[np.float64]] = np.linalg.norm(
        GRID.points_m - np.array([centre_x_m, 0, 0]), axis=1
    ).reshape(GRID.shape)
    return radius_m - distance


def test_a_ball_has_its_size_and_the_volume_leaves_the_metal_out() -> None:
    """Diameter within 1 %; volume within 2 % of the ball without what both rods take of it."""
    found = measure_box(EMBEDDING, ball(0, 8e-3), 0.0)
    assert found.extent_m == pytest.approx((16e-3,) * 3, rel=0.01)
    metal = float((EMBEDDING.metal * GRID.volume_m3)[ball(0, 8e-3) > 0].sum())
    assert metal > 0
    assert found.volume_m3 == pytest.approx(4 / 3 * math.pi * 8e-3**3 - metal, rel=0.02)
    assert found.is_one_body


def test_two_balls_are_two_bodies_until_they_meet() -> None:
    """Radius 4 mm at +-5 mm apart; radius 6 mm joined."""
    apart, joined = (np.maximum(ball(-5e-3, r), ball(5e-3, r)) for r in (4e-3, 6e-3))
    assert not measure_box(EMBEDDING, apart, 0.0).is_one_body
    assert measure_box(EMBEDDING, apart, 0.0).extent_m[0] == pytest.approx(18e-3, rel=0.01)
    assert measure_box(EMBEDDING, joined, 0.0).is_one_body


def test_nothing_reaches_the_level() -> None:
    """No size and no body."""
    found = measure_box(EMBEDDING, ball(0, 1e-3), 1.0)
    assert found.extent_m == (0.0, 0.0, 0.0)
    assert found.volume_m3 == 0
    assert not found.is_one_body


def test_lines_and_points_interpolate_linear_fields_exactly() -> None:
    """A field linear in x, y and z is met at any point."""
    field = (GRID.points_m @ np.array([1.0, 2.0, 3.0])).reshape(GRID.shape)
    point = (1.1e-3, -0.7e-3, 2.3e-3)
    assert value_at(GRID, field, point) == pytest.approx(1.1e-3 - 1.4e-3 + 6.9e-3)
    along = values_along(GRID, field, point, 1)
    assert along == pytest.approx(1.1e-3 + 2 * GRID.nodes_m[1] + 6.9e-3)
    nodes = np.array([0.0, 1.0, 2.0, 3.0, 4.0])
    assert line_extent_m(nodes, np.array([0.0, 4.0, 6.0, 4.0, 0.0]), 2.0) == pytest.approx(3.0)
    assert line_extent_m(nodes, np.zeros(5), 2.0) == 0


def test_graded_edges_keep_to_the_law_and_to_symmetry() -> None:
    """Cells of 0.5 mm in the span, growing by at most 0.2 per distance, mirrored about the middle."""
    edges = graded_edges([FineSpan(low_m=-1e-3, high_m=1e-3, cell_m=0.5e-3)], growth=0.2, low_m=-0.05, high_m=0.05)
    middle, size = (edges[1:] + edges[:-1]) / 2, np.diff(edges)
    law = 0.5e-3 + 0.2 * np.maximum(np.abs(middle) - 1e-3, 0)
    assert (size <= 1.05 * law).all()
    assert edges == pytest.approx(-edges[::-1], abs=1e-12)
    assert edges[[0, -1]] == pytest.approx([-0.05, 0.05])
