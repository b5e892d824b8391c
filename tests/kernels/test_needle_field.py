"""Fields read on a needle's grid: equal to the interpolation of `PlacedLesion`, and right for simple fields."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from foramen.geometry.needle_frame import needle_frame
from foramen.kernels.needle_field import read_field
from foramen.model.space import FloatArray
from foramen.physics.placed_lesion import PlacedLesion
from planning.robust_case import make_grid

GRID = make_grid()
FRAME = needle_frame(np.array([3.0, -2.0, 5.0]), np.array([20.0, 60.0, 30.0]))


def points(count: int = 4000) -> FloatArray:
    """Points about the needle, inside it, beside its axis, ahead of its tip, at the seam and beyond the grid."""
    rng = np.random.default_rng(5)
    near = FRAME.tip_mm + rng.normal(0.0, 8.0, (count, 3))
    by_axis = FRAME.lps_mm(np.full(7, 1e-3), np.linspace(-20, 60, 7), np.ones(7))
    seam = FRAME.lps_mm(np.linspace(0.1, 30, 60), np.full(60, 0.635), np.linspace(0, 6.3, 60))
    far = FRAME.tip_mm + rng.normal(0.0, 200.0, (50, 3))
    return np.concatenate([near, by_axis, seam, far])


def read(field: FloatArray, where: FloatArray) -> FloatArray:
    """`read_field` about the needle above."""
    nodes = (GRID.radial_nodes_m, GRID.polar_nodes_rad, GRID.axial_nodes_m)
    axes = np.stack([FRAME.across, FRAME.sideways, FRAME.axis])
    return read_field(where / 1e3, FRAME.tip_mm / 1e3, axes, nodes, GRID.ball_centre_m, field)


def test_equal_to_the_interpolation_of_placed_lesions() -> None:
    """The same value as `map_coordinates` gives, for a field without any smoothness, to rounding."""
    field = np.random.default_rng(11).normal(size=GRID.shape)
    placed = PlacedLesion(lesion=SimpleNamespace(grid=GRID), frame=FRAME)  # type: ignore[arg-type]
    expected = placed._interpolate(field, points())
    np.testing.assert_allclose(read(field, points()), expected, rtol=0, atol=1e-10)


def test_a_field_linear_along_the_shaft_is_read_exactly() -> None:
    """Beside the shaft the grid is a product of lines, so z itself comes back."""
    height = np.broadcast_to(GRID.node_z_m[:, :, None], GRID.shape)
    z_mm = np.linspace(3, 30, 100)
    where = FRAME.lps_mm(np.full(100, 4.0), z_mm, np.linspace(0, 6, 100))
    np.testing.assert_allclose(read(np.ascontiguousarray(height), where) * 1e3, z_mm, rtol=0, atol=1e-9)
