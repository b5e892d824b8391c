"""The grid about a needle: volumes and areas of round and pointed ends by closed form, and its rays read back."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foramen.errors import InputError
from foramen.kernels.needle_field import ray_indices
from foramen.physics.conduction import solve_potential
from foramen.physics.grid import POINT_SHARE, NeedleShape, Resolution, RevolvedGrid, needle_grid
from physics.closed_forms import SIGMA

FAR_M = 0.05
RADIUS_M, BORE_M, TIP_M = 0.635e-3, 0.419e-3, 10e-3
ENDS = st.one_of(st.none(), st.floats(1.5, 8.0).map(lambda radii: radii * RADIUS_M))
STEPS = st.sampled_from([0.1, 0.2, 0.3])


def shape_of(end_m: float | None, *, is_conducting: bool = True) -> NeedleShape:
    return NeedleShape(radius_m=RADIUS_M, bore_m=BORE_M, tip_m=TIP_M, is_conducting=is_conducting, end_m=end_m)


def grid_of(end_m: float | None, *, step: float = 0.2, angles: int = 1, is_conducting: bool = True) -> RevolvedGrid:
    resolution = Resolution(step=step, angles=angles)
    return needle_grid(shape_of(end_m, is_conducting=is_conducting), resolution, far_m=FAR_M)


def hull(small_m: float, large_m: float, between_m: float) -> tuple[float, float]:
    """Volume and area of the convex hull of two balls up to the centre of the larger one: cap, frustum, zone."""
    sine = (large_m - small_m) / between_m
    cosine = math.sqrt(1 - sine**2)

    def zone(radius: float, low: float, high: float) -> float:
        """Volume of a ball between two heights above its centre."""
        return math.pi * (radius**2 * (high - low) - (high**3 - low**3) / 3)

    first, last = small_m * cosine, large_m * cosine  # radii of the frustum's ends
    height = between_m - (large_m - small_m) * sine
    frustum = math.pi * height / 3 * (first**2 + first * last + last**2)
    volume = zone(small_m, -small_m, -small_m * sine) + frustum + zone(large_m, -large_m * sine, 0)
    cap, shoulder = 2 * math.pi * small_m**2 * (1 - sine), 2 * math.pi * large_m**2 * sine
    return volume, cap + shoulder + math.pi * (first + last) * between_m * cosine


@given(end_m=ENDS, step=STEPS)
def test_cells_of_the_end_fill_the_space_between_two_hulls(end_m: float | None, step: float) -> None:
    """Layers outside a hull of two balls are hulls of larger balls: volumes and area are exact, whatever the cells."""
    grid = grid_of(end_m, step=step)
    small = RADIUS_M if end_m is None else POINT_SHARE * RADIUS_M
    between = 1e-12 if end_m is None else end_m - small
    end = grid.end_count
    volume, area = hull(small, RADIUS_M, between)
    away = grid.radial_m[grid.inner + 8] - RADIUS_M
    outer, _ = hull(small + away, RADIUS_M + away, between)
    found = grid.volume_m3[grid.inner : grid.inner + 8, :end].sum()
    assert found == pytest.approx(outer - volume, rel=1e-9)
    assert grid.surface_area_m2[:end].sum() == pytest.approx(area, rel=1e-9)
    assert grid.volume_m3[: grid.inner, :end].sum() == pytest.approx(volume, rel=0.01)  # layers inside: nearly exact


@given(end_m=ENDS, step=STEPS)
def test_the_grid_fits_the_needle(end_m: float | None, step: float) -> None:
    """It begins at the very end, rises without a gap, and has an edge at the insulation and at the shaft's begin."""
    grid = grid_of(end_m, step=step)
    assert grid.foot_m[0] - grid.reach_m[0] == pytest.approx(0.0, abs=1e-12)
    assert (np.diff(grid.surface_z_m) > 0).all()
    assert np.abs(grid.foot_m - TIP_M).min() < 1e-12
    assert grid.shaft_nodes_m[0] > shape_of(end_m).length_of_end_m
    assert grid.is_active.sum() == np.sum(grid.surface_z_m < TIP_M)
    assert (grid.volume_m3 > 0).all()


@given(end_m=ENDS, across=st.floats(0.0, 0.99), along=st.floats(0.0, 0.99))
def test_a_place_in_a_cell_is_found_in_it(end_m: float | None, across: float, along: float) -> None:
    """The kernel that looks up a point is the inverse of the grid's own map outside the needle."""
    grid = grid_of(end_m)
    r, z = grid.place(across, along)
    for i in range(grid.inner, grid.shape[0], 4):
        low, high = np.interp(grid.radial_m[i : i + 2], grid.radial_nodes_m, np.arange(grid.shape[0]))
        for k in range(grid.shape[1]):
            found = ray_indices(r[i, k], z[i, k], *grid.rays)
            assert low - 0.02 <= found[0] <= high + 0.02
            assert abs(found[1] - k) < 1


def test_a_point_read_at_its_own_node_is_that_node() -> None:
    grid = grid_of(4 * RADIUS_M)
    for i in range(grid.inner, grid.shape[0]):
        for k in range(grid.shape[1]):
            found = ray_indices(grid.node_r_m[i, k], grid.node_z_m[i, k], *grid.rays)
            assert found == pytest.approx((i, k), abs=1e-6)


def test_a_pointed_needle_is_between_the_shorter_and_the_whole_round_one() -> None:
    """Resistance falls with every bit of metal that is added: cone < round end of the same length, > shortened one."""

    def ohm(end_m: float | None, tip_m: float = TIP_M) -> float:
        shape = NeedleShape(radius_m=RADIUS_M, bore_m=BORE_M, tip_m=tip_m, is_conducting=False, end_m=end_m)
        grid = needle_grid(shape, Resolution(step=0.1), far_m=FAR_M)
        return solve_potential(grid, np.full(grid.shape, SIGMA)).resistance_ohm

    end_m = 4 * RADIUS_M
    assert ohm(None) < ohm(end_m) < ohm(None, TIP_M - end_m + RADIUS_M)


def test_the_resistance_of_a_point_converges() -> None:
    """First order or better; 0.3 % from the limit at the step of the bench, though its point is nearly sharp."""

    def ohm(step: float) -> float:
        grid = grid_of(4 * RADIUS_M, step=step, is_conducting=False)
        return solve_potential(grid, np.full(grid.shape, SIGMA)).resistance_ohm

    coarse, middle, fine = ohm(0.2), ohm(0.1), ohm(0.05)
    limit = fine - (middle - fine)
    assert math.log2((coarse - middle) / (middle - fine)) > 0.9
    assert coarse == pytest.approx(limit, rel=0.006)


def test_the_mean_about_the_axis_is_that_of_the_plane() -> None:
    """Cells about the axis only divide those of the plane."""
    plane, solid = grid_of(4 * RADIUS_M), grid_of(4 * RADIUS_M, angles=8)
    np.testing.assert_allclose(8 * solid.volume_m3, plane.volume_m3, rtol=1e-12)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"end_m": 0.5 * RADIUS_M}, "hemisphere"),
        ({"end_m": 1.2 * RADIUS_M}, "hemisphere"),
        ({"end_m": 9.7e-3}, "must be longer than the needle's end"),
        ({"bore_m": 2 * RADIUS_M}, "narrower than the needle"),
    ],
)
def test_an_impossible_needle_is_refused(changes: dict[str, float], message: str) -> None:
    usual = {"radius_m": RADIUS_M, "bore_m": BORE_M, "tip_m": TIP_M, "end_m": None}
    with pytest.raises(InputError, match=message):
        NeedleShape(**{**usual, **changes}, is_conducting=True)
