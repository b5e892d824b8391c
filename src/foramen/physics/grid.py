"""Orthogonal grids that fit a needle: spherical shells about its round end, cylinders about its shaft.

A grid is rotated about the needle's axis (z; the pole of the tip lies at z = 0, the hub at positive z). Index
``i`` counts away from the axis, ``k`` along the meridian (round the tip, then up the shaft) and ``j`` the
angle about the axis. Cell faces coincide with the needle's surface, so nothing is staircased. All SI.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from foramen.errors import InputError

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, eq=False)
class RevolvedGrid:
    """A grid revolved about an axis: `polar` cells of a ball, then `axial` cells of a cylinder.

    Parameters
    ----------
    radial_m : ndarray, shape (nr + 1,)
        Cell edges away from the axis (distance from the ball's centre or from the axis).
    polar_rad : ndarray, shape (np + 1,) or (0,)
        Edges of the polar angle from 0 (pole of the tip); the ball's centre lies at z = `ball_centre_m`.
    axial_m : ndarray, shape (nz + 1,) or (0,)
        Edges along the axis.
    angles : int
        Cells about the axis; 1 means exactly axisymmetric, otherwise at least 3.
    ball_centre_m : float
        z of the centre of the spherical part.
    inner : int
        First `inner` radial layers lie inside the needle.
    active_to_m : float
        The needle's surface is bare for z below this value.
    """

    radial_m: FloatArray
    polar_rad: FloatArray
    axial_m: FloatArray
    angles: int
    ball_centre_m: float
    inner: int
    active_to_m: float

    def __post_init__(self) -> None:
        if self.angles != 1 and self.angles < 3:
            raise InputError(f"A grid needs 1 or at least 3 cells about the axis, not {self.angles}.")

    @property
    def shape(self) -> tuple[int, int, int]:
        """Cells along (i, k, j)."""
        return len(self.radial_m) - 1, self.polar_count + self.axial_count, self.angles

    @property
    def polar_count(self) -> int:
        """Number of polar cells."""
        return max(len(self.polar_rad) - 1, 0)

    @property
    def axial_count(self) -> int:
        """Number of axial cells."""
        return max(len(self.axial_m) - 1, 0)

    @property
    def angle_step_rad(self) -> float:
        """Angle of one cell about the axis."""
        return 2 * np.pi / self.angles

    @cached_property
    def radial_nodes_m(self) -> FloatArray:
        """Radial coordinate of the cell centres, shape (nr,)."""
        return _centres(self.radial_m)

    @cached_property
    def polar_nodes_rad(self) -> FloatArray:
        """Polar angle of the cell centres."""
        return _centres(self.polar_rad)

    @cached_property
    def axial_nodes_m(self) -> FloatArray:
        """z of the centres of the axial cells."""
        return _centres(self.axial_m)

    @cached_property
    def angle_nodes_rad(self) -> FloatArray:
        """Angle about the axis of the cell centres."""
        nodes: FloatArray = (np.arange(self.angles, dtype=np.float64) + 0.5) * self.angle_step_rad
        return nodes

    @cached_property
    def node_r_m(self) -> FloatArray:
        """Distance of the cell centres from the axis, shape (nr, nk)."""
        ball = self.radial_nodes_m[:, None] * np.sin(self.polar_nodes_rad)
        shaft = np.broadcast_to(self.radial_nodes_m[:, None], (self.shape[0], self.axial_count))
        return np.concatenate([ball, shaft], axis=1)

    @cached_property
    def node_z_m(self) -> FloatArray:
        """z of the cell centres, shape (nr, nk)."""
        ball = self.ball_centre_m - self.radial_nodes_m[:, None] * np.cos(self.polar_nodes_rad)
        shaft = np.broadcast_to(self.axial_nodes_m, (self.shape[0], self.axial_count))
        return np.concatenate([ball, shaft], axis=1)

    @cached_property
    def volume_m3(self) -> FloatArray:
        """Volume of one cell, shape (nr, nk)."""
        cubes = np.diff(self.radial_m**3)[:, None] / 3 * self._solid_angle
        squares = np.diff(self.radial_m**2)[:, None] / 2 * self.angle_step_rad * np.diff(self.axial_m)
        return np.concatenate([cubes, squares], axis=1)

    @cached_property
    def _solid_angle(self) -> FloatArray:
        return -np.diff(np.cos(self.polar_rad)) * self.angle_step_rad

    @cached_property
    def is_active(self) -> BoolArray:
        """Whether the needle's surface is bare at each meridian cell, shape (nk,)."""
        bare = np.concatenate([np.ones(self.polar_count, bool), self.axial_nodes_m < self.active_to_m])
        return bare

    @cached_property
    def surface_area_m2(self) -> FloatArray:
        """Area of the needle's surface in one cell, shape (nk,)."""
        radius = self.radial_m[self.inner]
        ball = radius**2 * self._solid_angle
        return np.concatenate([ball, radius * self.angle_step_rad * np.diff(self.axial_m)])

    @cached_property
    def radial_half(self) -> tuple[FloatArray, FloatArray]:
        """Resistance x conductivity (1/m) from a centre to its inner and outer face, each (nr, nk).

        Exact for a field of r alone: (1/r1 - 1/r2) / solid angle in the ball, ln(r2/r1) / (angle dz) on the shaft.
        """
        low, mid, high = self.radial_m[:-1, None], self.radial_nodes_m[:, None], self.radial_m[1:, None]
        height = self.angle_step_rad * np.diff(self.axial_m)
        with np.errstate(divide="ignore"):
            inward = [(1 / low - 1 / mid) / self._solid_angle, np.log(mid / low) / height]
            outward = [(1 / mid - 1 / high) / self._solid_angle, np.log(high / mid) / height]
        return np.concatenate(inward, axis=1), np.concatenate(outward, axis=1)

    @cached_property
    def meridian_half(self) -> tuple[FloatArray, FloatArray]:
        """Resistance x conductivity (1/m) from a centre to its lower and upper face along k, each (nr, nk)."""
        depth = np.diff(self.radial_m)[:, None] * self.angle_step_rad
        ring = np.diff(self.radial_m**2)[:, None] / 2 * self.angle_step_rad
        with np.errstate(divide="ignore"):
            edge, node = np.log(np.tan(self.polar_rad / 2)), np.log(np.tan(self.polar_nodes_rad / 2))
        half = np.diff(self.axial_m) / 2 / ring
        lower = np.concatenate([(node - edge[:-1]) / depth, half], axis=1)
        upper = np.concatenate([(edge[1:] - node) / depth, half], axis=1)
        return lower, upper

    @cached_property
    def angular_half(self) -> FloatArray:
        """Resistance x conductivity (1/m) from a centre to its faces about the axis, shape (nr, nk)."""
        span = np.diff(self.polar_rad) / np.sin(self.polar_nodes_rad)
        ball = np.diff(self.radial_m)[:, None] * span
        shaft = (np.diff(self.radial_m) / self.radial_nodes_m)[:, None] * np.diff(self.axial_m)
        half: FloatArray = 0.5 * self.angle_step_rad / np.concatenate([ball, shaft], axis=1)
        return half

    def halves(self, first: int) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]:
        """Resistance x conductivity (1/m) to the (inner, outer, lower, upper, angular) face from layer `first` on."""
        inward, outward = self.radial_half
        lower, upper = self.meridian_half
        return inward[first:], outward[first:], lower[first:], upper[first:], self.angular_half[first:]

    def index(
        self, r_m: FloatArray, z_m: FloatArray, angle_rad: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Fractional indices (i, k, j) of points given by distance from the axis, z and angle."""
        height = z_m - self.ball_centre_m
        is_ball = (height < 0) & (self.polar_count > 0)
        radial = np.where(is_ball, np.hypot(r_m, height), r_m)
        i = _fraction(radial, self.radial_nodes_m)
        j = np.mod(angle_rad, 2 * np.pi) / self.angle_step_rad - 0.5
        if not self.axial_count:
            return i, _fraction(np.arctan2(r_m, -height), self.polar_nodes_rad), j
        k = self.polar_count + _fraction(z_m, self.axial_nodes_m)
        if self.polar_count:
            k = np.where(is_ball, _fraction(np.arctan2(r_m, -height), self.polar_nodes_rad), k)
            seam = self._across_seam(radial, height, np.arctan2(r_m, -height))
            k = np.where((seam >= 0) & (seam <= 1), self.polar_count - 1 + seam, k)
        return i, k, j

    def _across_seam(self, radial: FloatArray, height: FloatArray, polar: FloatArray) -> FloatArray:
        """Position between the last polar node (0) and the first axial node (1), where ball and cylinder meet."""
        before = np.maximum(radial, 1e-12) * (np.pi / 2 - self.polar_nodes_rad[-1])
        after = self.axial_nodes_m[0] - self.ball_centre_m
        along = np.where(height < 0, np.maximum(radial, 1e-12) * (polar - self.polar_nodes_rad[-1]), before + height)
        position: FloatArray = along / (before + after)
        return position


def _centres(edges: FloatArray) -> FloatArray:
    return (edges[:-1] + edges[1:]) / 2


def _fraction(values: FloatArray, nodes: FloatArray) -> FloatArray:
    return np.interp(values, nodes, np.arange(len(nodes), dtype=np.float64))


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedleShape:
    """A straight needle with a hemispherical end, bare over `tip_m` from its pole.

    `bore_m` is the radius of the lumen; with `is_conducting` false the inside is left out (adiabatic surface).
    """

    radius_m: float
    bore_m: float
    tip_m: float
    is_conducting: bool

    def __post_init__(self) -> None:
        if not 0 < self.bore_m < self.radius_m:
            raise InputError(f"The lumen ({self.bore_m * 2e3:.2f} mm) must be narrower than the needle.")
        if self.tip_m < 2 * self.radius_m:
            raise InputError(
                f"The active tip ({self.tip_m * 1e3:.2f} mm) must be at least as long as the needle is thick "
                f"({self.radius_m * 2e3:.2f} mm). Choose a longer tip or a thinner needle."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """How fine a needle grid is; `step` is the growth of cells per cell and scales all of them.

    Parameters
    ----------
    step : float
        Cell size at distance d from the needle or from the end of the insulation is about
        ``step * (scale + d)``.
    radial_scale_m, axial_scale_m : float
        The scales of that law away from the needle and along it.
    angles : int
        Cells about the axis.
    """

    step: float
    angles: int = 1
    radial_scale_m: float = 0.5e-3
    axial_scale_m: float = 0.4e-3


def needle_grid(shape: NeedleShape, resolution: Resolution, *, far_m: float) -> RevolvedGrid:
    """Grid about a needle out to `far_m` from its surface's axis and beyond both ends."""
    step, radius = resolution.step, shape.radius_m
    outside = radius + _graded(far_m - radius, resolution.radial_scale_m, step)
    inside = np.array([0.0, shape.bore_m, (shape.bore_m + radius) / 2]) if shape.is_conducting else np.empty(0)
    half = (shape.tip_m - radius) / 2
    ramp = _graded(half, resolution.axial_scale_m, step)
    above = _graded(far_m, resolution.axial_scale_m, step)
    axial = np.concatenate([radius + ramp, shape.tip_m - ramp[-2::-1], shape.tip_m + above[1:]])
    polar_count = max(6, round(1.3 / step))
    return RevolvedGrid(
        radial_m=np.concatenate([inside, outside]),
        polar_rad=np.linspace(0, np.pi / 2, polar_count + 1),
        axial_m=axial,
        angles=resolution.angles,
        ball_centre_m=radius,
        inner=len(inside),
        active_to_m=shape.tip_m,
    )


def _graded(length: float, scale: float, step: float) -> FloatArray:
    """Edges from 0 to `length` whose cells grow as ``step * (scale + distance)``."""
    total = np.log1p(length / scale)
    count = max(2, int(np.ceil(total / step)))
    edges: FloatArray = scale * np.expm1(np.linspace(0, total, count + 1))
    edges[-1] = length
    return edges
