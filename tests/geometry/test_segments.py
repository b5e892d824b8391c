"""Distances of segments and polylines against brute force and closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foramen.errors import InputError
from foramen.geometry.segments import (
    arc_length,
    cut_polyline,
    point_polyline_distance,
    project_on_polyline,
    segment_polyline_distance,
)

coordinate = st.integers(-20, 20).map(float)
point = st.tuples(coordinate, coordinate, coordinate).map(np.array)


@settings(max_examples=60, deadline=None)
@given(a=point, b=point, c=point, d=point)
def test_segment_distance_agrees_with_dense_sampling(a, b, c, d):
    steps = np.linspace(0, 1, 201)[:, None]
    first, second = a + steps * (b - a), c + steps * (d - c)
    sampled = np.linalg.norm(first[:, None] - second[None], axis=-1).min()
    found = float(segment_polyline_distance(a, b, np.array([c, d]))[0])
    assert found <= sampled + 1e-9
    # Samples lie at most half a step from the nearest points: 69 mm / 200 / 2 on each segment.
    assert sampled - found <= (np.linalg.norm(b - a) + np.linalg.norm(d - c)) / 400 + 1e-9


def test_crossing_and_parallel_segments():
    x, y, z = np.eye(3)
    assert segment_polyline_distance(-x, x, np.array([-y + 2 * z, y + 2 * z]))[0] == pytest.approx(2)
    assert segment_polyline_distance(0 * x, x, np.array([5 * x + y, 9 * x + y]))[0] == pytest.approx(np.hypot(4, 1))


def test_polyline_distance_is_that_of_its_nearest_segment():
    corner = np.array([[0.0, 0, 0], [10, 0, 0], [10, 10, 0]])
    assert point_polyline_distance(np.array([[12.0, 5, 0]]), corner)[0] == pytest.approx(2)
    assert segment_polyline_distance(np.array([14.0, 5, -3]), np.array([14.0, 5, 3]), corner)[0] == pytest.approx(4)


def test_cut_lies_on_the_line_at_equal_steps():
    corner = np.array([[0.0, 0, 0], [10, 0, 0], [10, 10, 0]])
    part = cut_polyline(corner, 6.0, 14.0, step_mm=0.2)
    assert part[0] == pytest.approx([6, 0, 0])
    assert part[-1] == pytest.approx([10, 4, 0])
    assert np.diff(arc_length(part)) == pytest.approx(0.2)
    assert project_on_polyline(np.array([10.5, 3.0, 1.0]), corner) == pytest.approx(13)


def test_a_cut_beyond_the_line_is_refused():
    with pytest.raises(InputError, match="is 20"):
        cut_polyline(np.array([[0.0, 0, 0], [20, 0, 0]]), 5, 25, step_mm=0.2)
