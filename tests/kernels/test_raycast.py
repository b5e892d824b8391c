"""The ray caster against closed forms and a plain NumPy twin."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from foramen.kernels.raycast import capsule_chords, capsule_hits, line_integrals, safe_leaps, surface_crossings

SPACING = 0.5
AFFINE = np.array([[SPACING, 0, 0, -20.0], [0, SPACING, 0, -20.0], [0, 0, SPACING, -20.0], [0, 0, 0, 1]])
INDEX_FROM_WORLD = np.linalg.inv(AFFINE)[:3]
SIZE = 81


def _radius_field(radius: float) -> np.ndarray:
    grid = np.indices((SIZE,) * 3) * SPACING - 20.0
    return (radius - np.linalg.norm(grid, axis=0) + 1.0).astype(np.float32)  # the level 1 is the sphere


def _rays(count: int, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    aim = rng.uniform(-6, 6, (count, 3))
    direction = rng.normal(size=(count, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    return aim - 60 * direction, direction


def _sphere_depth(starts: np.ndarray, directions: np.ndarray, radius: float) -> np.ndarray:
    b = np.sum(starts * directions, axis=1)
    root = b**2 - (np.sum(starts**2, axis=1) - radius**2)
    return np.where(root >= 0, -b - np.sqrt(np.maximum(root, 0)), np.inf)


def test_first_surface_is_the_sphere() -> None:
    field = _radius_field(12.0)
    starts, directions = _rays(500)
    depth, normal = surface_crossings(
        field, INDEX_FROM_WORLD, safe_leaps(field, 1.0), starts, directions, 200.0, 0.25, 1.0, 2
    )
    expected = _sphere_depth(starts, directions, 12.0)
    assert np.isfinite(depth[:, 0]).all()
    # trilinear interpolation of a distance errs by h^2 / (8 r) = 0.003 along the normal; grazing rays magnify it
    assert np.abs(depth[:, 0] - expected).max() < 0.02
    outward = (starts + expected[:, None] * directions) / 12.0
    assert (np.sum(normal[:, 0] * outward, axis=1) > 0.999).all()
    assert np.isinf(depth[:, 1]).all()


def test_leaps_change_nothing() -> None:
    field = _radius_field(5.0)
    starts, directions = _rays(400, seed=8)
    no_leaps = np.zeros_like(safe_leaps(field, 1.0))
    fast, _ = surface_crossings(
        field, INDEX_FROM_WORLD, safe_leaps(field, 1.0), starts, directions, 200.0, 0.25, 1.0, 1
    )
    slow, _ = surface_crossings(field, INDEX_FROM_WORLD, no_leaps, starts, directions, 200.0, 0.25, 1.0, 1)
    both = np.isfinite(fast) & np.isfinite(slow)
    assert both.sum() > 100
    assert np.abs(fast[both] - slow[both]).max() < 0.25 / 128  # both bisect to a 256th of a step
    assert (np.isfinite(fast) != np.isfinite(slow)).mean() < 0.02  # only rays that graze for less than a step


def test_line_integrals_match_the_chord_and_the_numpy_twin() -> None:
    inside = np.ones((SIZE,) * 3, dtype=np.float32)
    starts, directions = _rays(200, seed=5)
    chord = line_integrals(inside, INDEX_FROM_WORLD, starts, directions, 300.0, 0.3)
    low, high = (-20.0 - starts) / directions, (20.0 - starts) / directions
    expected = np.minimum(low, high).max(axis=1), np.maximum(low, high).min(axis=1)
    assert chord == pytest.approx(expected[1] - expected[0], rel=1e-9)

    field = np.random.default_rng(1).random((SIZE,) * 3, dtype=np.float32)
    found = line_integrals(field, INDEX_FROM_WORLD, starts[:20], directions[:20], 300.0, 0.3)
    for ray in range(20):
        near, far = expected[0][ray], expected[1][ray]
        parts = int(np.ceil((far - near) / 0.3))
        t = near + (np.arange(parts) + 0.5) * (far - near) / parts
        points = starts[ray] + t[:, None] * directions[ray]
        index = (points @ INDEX_FROM_WORLD[:, :3].T + INDEX_FROM_WORLD[:, 3]).T
        twin = map_coordinates(field.astype(np.float64), index, order=1, mode="constant").sum() * (far - near) / parts
        assert found[ray] == pytest.approx(twin, rel=1e-6)  # float32 weights in the kernel


def test_capsule_hits_a_cylinder_and_its_caps() -> None:
    ends = np.array([[[0.0, 0, -10], [0, 0, 10]]])
    radii = np.array([2.0])
    starts = np.array([[-50.0, 1.0, 3.0], [0.5, 0.0, 50.0], [-50.0, 2.5, 0.0], [-50.0, 0.0, 11.0]])
    directions = np.array([[1.0, 0, 0], [0, 0, -1.0], [1.0, 0, 0], [1.0, 0, 0]])
    depth, which, normal = capsule_hits(starts, directions, ends, radii)
    expected = [50 - np.sqrt(3.0), 40 - np.sqrt(4 - 0.25), np.inf, 50 - np.sqrt(3.0)]
    assert depth == pytest.approx(expected, abs=1e-9)
    assert which.tolist() == [0, 0, -1, 0]
    assert normal[0] == pytest.approx([-np.sqrt(3.0) / 2, 0.5, 0], abs=1e-6)
    chords = capsule_chords(starts, directions, ends, radii)
    assert chords == pytest.approx([2 * np.sqrt(3), 20 + 2 * np.sqrt(4 - 0.25), 0, 2 * np.sqrt(3)], abs=1e-9)


def test_the_nearest_capsule_wins() -> None:
    ends = np.array([[[0.0, -5, 0], [0, 5, 0]], [[-8.0, -5, 0], [-8, 5, 0]]])
    depth, which, _ = capsule_hits(np.array([[-50.0, 0, 0]]), np.array([[1.0, 0, 0]]), ends, np.array([1.0, 1.0]))
    assert which[0] == 1
    assert depth[0] == pytest.approx(41.0)


def test_a_turned_grid_gives_the_same_depths() -> None:
    field = _radius_field(12.0)
    turn = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    affine = AFFINE.copy()
    affine[:3] = turn @ AFFINE[:3]
    starts, directions = _rays(50)
    depth, normal = surface_crossings(
        field, np.linalg.inv(affine)[:3], safe_leaps(field, 1.0), starts, directions, 200.0, 0.25, 1.0, 1
    )
    expected = _sphere_depth(starts, directions, 12.0)
    assert np.abs(depth[:, 0] - expected).max() < 0.02
    outward = (starts + expected[:, None] * directions) / 12.0
    assert (np.sum(normal[:, 0] * outward, axis=1) > 0.999).all()
