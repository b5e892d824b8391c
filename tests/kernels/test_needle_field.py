"""Fields read on a needle's grid: equal to a library, and right for simple fields."""

from __future__ import annotations

import numpy as np
from scipy import ndimage
from scipy.interpolate import PchipInterpolator

from foramen.geometry.needle_frame import needle_frame
from foramen.kernels.needle_field import read_field
from foramen.model.space import FloatArray
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
    axes = np.stack([FRAME.across, FRAME.sideways, FRAME.axis])
    return read_field(where / 1e3, FRAME.tip_mm / 1e3, axes, GRID.rays, field)


def looked_up(r_m: FloatArray, z_m: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Fractional indices of points outside the needle among layers and rays, by comparing with every ray."""
    radial, foot, sine, cosine, reach, shaft = GRID.rays
    beyond = r_m[:, None] * cosine + (z_m[:, None] - foot) * sine
    low = np.clip((beyond >= 0).sum(axis=1) - 1, 0, len(foot) - 2)
    rows = np.arange(len(low))
    share = np.clip(beyond[rows, low] / (beyond[rows, low] - beyond[rows, low + 1]), 0, 1)
    start, surface = (edge[low] + share * (edge[low + 1] - edge[low]) for edge in (foot, reach))
    away = shaft + np.hypot(r_m, np.minimum(z_m, foot[-1]) - start) - surface
    return np.interp(away, radial, np.arange(len(radial))), low + share


def test_equal_to_a_library_on_every_line() -> None:
    """Linear along and about the needle, then SciPy's monotone cubic away from it; the ends of a line are left out."""
    field = np.random.default_rng(11).normal(size=GRID.shape)
    where = points(1500)
    r_mm, z_mm, angle = FRAME.cylindrical(where)
    i, k = looked_up(r_mm / 1e3, z_mm / 1e3)
    j = np.mod(angle, 2 * np.pi) / GRID.angle_step_rad - 0.5
    wrapped = np.concatenate([field[:, :, -1:], field, field[:, :, :1]], axis=2)
    rows, nodes = np.arange(GRID.shape[0]), GRID.radial_nodes_m
    found = read(field, where)
    inside = np.nonzero((i >= 1) & (i <= rows[-1] - 1))[0]
    assert inside.size > 1000
    for n in inside:
        place = np.stack([rows, np.full(rows.size, k[n]), np.full(rows.size, j[n] + 1)])
        line = ndimage.map_coordinates(wrapped, place, order=1, mode="nearest")
        expected = PchipInterpolator(nodes, line)(np.interp(i[n], rows, nodes))
        assert abs(found[n] - expected) < 1e-9


def test_a_line_is_read_exactly_away_from_the_needle() -> None:
    """A field that is linear in the distance from the axis comes back beside the shaft, ends of the grid included."""
    distance = np.broadcast_to(GRID.radial_nodes_m[:, None, None], GRID.shape)
    r_mm = np.linspace(1.0, 40.0, 100)
    where = FRAME.lps_mm(r_mm, np.full(100, 20.0), np.linspace(0, 6, 100))
    np.testing.assert_allclose(read(np.ascontiguousarray(distance), where) * 1e3, r_mm, rtol=0, atol=1e-9)


def test_a_field_linear_along_the_shaft_is_read_exactly() -> None:
    """Beside the shaft the grid is a product of lines, so z itself comes back."""
    height = np.broadcast_to(GRID.node_z_m[:, :, None], GRID.shape)
    z_mm = np.linspace(3, 30, 100)
    where = FRAME.lps_mm(np.full(100, 4.0), z_mm, np.linspace(0, 6, 100))
    np.testing.assert_allclose(read(np.ascontiguousarray(height), where) * 1e3, z_mm, rtol=0, atol=1e-9)
