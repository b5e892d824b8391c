"""Tubes and balls are closed, face outwards and have the size that they state."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh

from foramen.errors import ImageError
from foramen.geometry.segments import project_on_polyline
from foramen.geometry.tubes import ball_surface, tube_surface
from foramen.model.space import Surface


def mesh(surface: Surface) -> trimesh.Trimesh:
    return trimesh.Trimesh(surface.vertices_mm, surface.faces, process=False)


def test_a_straight_tube_is_a_capsule() -> None:
    course = np.array([[1.0, 2, 3], [1, 2, 13], [1, 2, 33]])
    found = mesh(tube_surface(course, 2.0, frame_uid="1", sides=48))
    capsule_mm3 = np.pi * 4 * 30 + 4 / 3 * np.pi * 8
    assert found.is_watertight
    assert found.volume == pytest.approx(capsule_mm3, rel=0.02)  # positive: faces outwards; a polygon is a bit thinner
    assert found.bounds[0][2] == pytest.approx(1.0)
    assert found.bounds[1][2] == pytest.approx(35.0)


def test_a_bent_tube_keeps_its_distance_from_the_course() -> None:
    angle = np.linspace(0, np.pi, 60)
    course = np.stack([20 * np.cos(angle), 20 * np.sin(angle), 5 * angle], axis=1)
    surface = tube_surface(course, 1.5, frame_uid="1")
    assert mesh(surface).is_watertight
    assert mesh(surface).volume > 0
    fine = np.stack([np.interp(np.linspace(0, 59, 4000), np.arange(60), course[:, a]) for a in range(3)], axis=1)
    distance = np.linalg.norm(surface.vertices_mm[:, None] - fine[None], axis=2).min(axis=1)
    # the miter of two steps that bend by 3 degrees: within 1 - cos(1.5 deg) of the radius, and the sampling
    assert np.abs(distance - 1.5).max() < 0.01
    assert project_on_polyline(surface.vertices_mm[0], course) < 1.0


def test_a_ball_is_round() -> None:
    surface = ball_surface(np.array([5.0, -6, 7]), 3.0, frame_uid="1")
    assert np.allclose(np.linalg.norm(surface.vertices_mm - (5, -6, 7), axis=1), 3.0, atol=1e-4)
    assert mesh(surface).is_watertight
    assert 0.7 * 4 / 3 * np.pi * 27 < mesh(surface).volume < 4 / 3 * np.pi * 27


@pytest.mark.parametrize(("course", "radius_mm"), [(np.zeros((2, 3)), 1.0), (np.eye(3)[:2], 0.0)])
def test_impossible_tubes_are_refused(course: np.ndarray, radius_mm: float) -> None:
    with pytest.raises(ImageError, match="two different points"):
        tube_surface(course, radius_mm, frame_uid="1")
