"""Orthogonal grids that fit a needle: rays from its axis through its surface, and layers at even distances from it.

A grid is rotated about the needle's axis (z; the very end of the tip lies at z = 0, the hub at positive z). Index
``i`` counts the layers away from the axis, ``k`` the rays along the meridian (round the tip, then up the shaft) and
``j`` the angle about the axis. A ray starts at its foot on the axis. Where rays share a foot, the layers are spheres;
where they are parallel, the layers are cones, and cylinders about the shaft. So cell faces coincide with the needle's
surface, nothing is staircased, and outside the needle every face is perpendicular to the line between its cells'
nodes. (Inside a pointed end the layers are fractions of the depth, and not quite perpendicular to the rays: there is
metal, with next to no gradient across.) All SI.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from foramen.errors import InputError

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
Rays = tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray, float]

POINT_SHARE = 0.1
"""Radius of the ball that rounds a point, as a part of the shaft's; what it changes stands in validation/rf_bevel."""

BLUNTEST_POINT = 1.5
"""Length of the shortest point, in radii of the shaft."""

RIGHT_ANGLE = np.pi / 2


@dataclass(frozen=True, kw_only=True, eq=False)
class RevolvedGrid:
    """A grid revolved about an axis; its rays turn about a foot, or move up the axis with their direction.

    Parameters
    ----------
    radial_m : ndarray, shape (nr + 1,)
        Edges of the layers: distance from the axis on the shaft. Elsewhere a layer lies equally far from the surface.
    foot_m : ndarray, shape (nk + 1,)
        z of the foot of the rays between the cells.
    polar_rad : ndarray, shape (nk + 1,)
        Angle of those rays, from 0 (ahead of the tip) to a right angle (the shaft); over a cell either foot or angle
        changes.
    reach_m : ndarray, shape (nk + 1,)
        Distance from foot to needle's surface along those rays; that of the shaft is ``radial_m[inner]``.
    angles : int
        Cells about the axis; 1 means exactly axisymmetric, otherwise at least 3.
    inner : int
        First `inner` layers lie inside the needle.
    active_to_m : float
        The needle's surface is bare for z below this value.
    """

    radial_m: FloatArray
    foot_m: FloatArray
    polar_rad: FloatArray
    reach_m: FloatArray
    angles: int
    inner: int
    active_to_m: float

    def __post_init__(self) -> None:
        if self.angles != 1 and self.angles < 3:
            raise InputError(f"A grid needs 1 or at least 3 cells about the axis, not {self.angles}.")

    @property
    def shape(self) -> tuple[int, int, int]:
        """Cells along (i, k, j)."""
        return len(self.radial_m) - 1, len(self.foot_m) - 1, self.angles

    @cached_property
    def is_ball(self) -> BoolArray:
        """Whether the rays of each meridian cell share their foot, shape (nk,)."""
        found: BoolArray = np.diff(self.foot_m) == 0
        return found

    @cached_property
    def end_count(self) -> int:
        """Number of meridian cells before the shaft."""
        return int(np.sum(self.is_ball | (self.polar_rad[:-1] < RIGHT_ANGLE)))

    @property
    def shaft_count(self) -> int:
        """Number of meridian cells of the shaft."""
        return self.shape[1] - self.end_count

    @property
    def angle_step_rad(self) -> float:
        """Angle of one cell about the axis."""
        return 2 * np.pi / self.angles

    @cached_property
    def radial_nodes_m(self) -> FloatArray:
        """Radial coordinate of the cell centres, shape (nr,)."""
        return _centres(self.radial_m)

    @cached_property
    def foot_nodes_m(self) -> FloatArray:
        """Foot of the rays through the cell centres, shape (nk,)."""
        return _centres(self.foot_m)

    @cached_property
    def polar_nodes_rad(self) -> FloatArray:
        """Angle of the rays through the cell centres, shape (nk,)."""
        return _centres(self.polar_rad)

    @cached_property
    def reach_nodes_m(self) -> FloatArray:
        """Distance from foot to needle's surface on the rays through the cell centres, shape (nk,)."""
        return _centres(self.reach_m)

    @property
    def shaft_nodes_m(self) -> FloatArray:
        """z of the centres of the shaft's cells."""
        return self.foot_nodes_m[self.end_count :]

    @cached_property
    def angle_nodes_rad(self) -> FloatArray:
        """Angle about the axis of the cell centres."""
        nodes: FloatArray = (np.arange(self.angles, dtype=np.float64) + 0.5) * self.angle_step_rad
        return nodes

    @cached_property
    def rays(self) -> Rays:
        """Radial nodes; foot, sine, cosine and reach of the rays through the centres; the shaft's radius.

        This is what the kernels that read fields need.
        """
        polar = self.polar_nodes_rad
        shaft = float(self.radial_m[self.inner])
        return self.radial_nodes_m, self.foot_nodes_m, np.sin(polar), np.cos(polar), self.reach_nodes_m, shaft

    def from_foot_m(self, radial_m: FloatArray, reach_m: FloatArray) -> FloatArray:
        """Distance from the foot where the radial coordinate is `radial_m`, on rays of some reach (broadcast)."""
        shaft = self.radial_m[self.inner]
        outside: FloatArray = reach_m + (radial_m - shaft)
        if not self.inner:
            return outside
        found: FloatArray = np.where(radial_m < shaft, radial_m * (reach_m / shaft), outside)
        return found

    def place(self, across: float, along: float) -> tuple[FloatArray, FloatArray]:
        """Distance from the axis and z, each (nr, nk), at these fractions (0 to 1) of every cell."""
        radial = self.radial_m[:-1] + across * np.diff(self.radial_m)
        foot, polar, reach = (
            edges[:-1] + along * np.diff(edges) for edges in (self.foot_m, self.polar_rad, self.reach_m)
        )
        distance = self.from_foot_m(radial[:, None], reach)
        return distance * np.sin(polar), foot - distance * np.cos(polar)

    @cached_property
    def _nodes(self) -> tuple[FloatArray, FloatArray]:
        return self.place(0.5, 0.5)

    @property
    def node_r_m(self) -> FloatArray:
        """Distance of the cell centres from the axis, shape (nr, nk)."""
        return self._nodes[0]

    @property
    def node_z_m(self) -> FloatArray:
        """z of the cell centres, shape (nr, nk)."""
        return self._nodes[1]

    @cached_property
    def surface_z_m(self) -> FloatArray:
        """z of the needle's surface on the rays through the centres, rising, shape (nk,)."""
        found: FloatArray = self.foot_nodes_m - self.reach_nodes_m * np.cos(self.polar_nodes_rad)
        return found

    @cached_property
    def _distance(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Distance from the foot of the inner face, the node and the outer face of every cell, each (nr, nk)."""
        edges = self.from_foot_m(self.radial_m[:, None], self.reach_nodes_m)
        return edges[:-1], self.from_foot_m(self.radial_nodes_m[:, None], self.reach_nodes_m), edges[1:]

    @cached_property
    def _solid_angle(self) -> FloatArray:
        """Of the cells whose rays share their foot, shape (nk,); 0 for the others."""
        return -np.diff(np.cos(self.polar_rad)) * self.angle_step_rad

    @cached_property
    def _height(self) -> FloatArray:
        """Area over distance from the foot, for the cells with parallel rays, shape (nk,); 0 for the others."""
        height: FloatArray = np.diff(self.foot_m) * np.sin(self.polar_nodes_rad) ** 2 * self.angle_step_rad
        return height

    def _either(self, ball: FloatArray, straight: FloatArray) -> FloatArray:
        return np.where(self.is_ball, ball, straight)

    def line_volume_m3(self, low_m: FloatArray, high_m: FloatArray) -> FloatArray:
        """Volume of the cells (..., nk) between two distances from the foot."""
        return self._either((high_m**3 - low_m**3) / 3 * self._solid_angle, (high_m**2 - low_m**2) / 2 * self._height)

    @cached_property
    def volume_m3(self) -> FloatArray:
        """Volume of one cell, shape (nr, nk)."""
        low, _, high = self._distance
        return self.line_volume_m3(low, high)

    @cached_property
    def is_active(self) -> BoolArray:
        """Whether the needle's surface is bare at each meridian cell, shape (nk,)."""
        return self.is_ball | (self.surface_z_m < self.active_to_m)

    @cached_property
    def surface_area_m2(self) -> FloatArray:
        """Area of the needle's surface in one cell, shape (nk,)."""
        reach = self.reach_nodes_m
        return self._either(reach**2 * self._solid_angle, reach * self._height)

    @cached_property
    def radial_half(self) -> tuple[FloatArray, FloatArray]:
        """Resistance x conductivity (1/m) from a centre to its inner and outer face, each (nr, nk).

        Exact for a field of the distance from the foot alone: (1/q1 - 1/q2) / solid angle where rays share it,
        ln(q2/q1) / height where they are parallel.
        """
        low, mid, high = self._distance
        with np.errstate(divide="ignore", invalid="ignore"):
            solid, height = self._solid_angle, self._height
            inward = self._either((1 / low - 1 / mid) / solid, np.log(mid / low) / height)
            outward = self._either((1 / mid - 1 / high) / solid, np.log(high / mid) / height)
        return inward, outward

    @cached_property
    def meridian_half(self) -> tuple[FloatArray, FloatArray]:
        """Resistance x conductivity (1/m) from a centre to its lower and upper face along k, each (nr, nk)."""
        low, _, high = self._distance
        depth = (high - low) * self.angle_step_rad
        ring = (high**2 - low**2) / 2 * self.angle_step_rad
        straight = np.diff(self.foot_m) / 2 / ring
        with np.errstate(divide="ignore", invalid="ignore"):
            edge, node = np.log(np.tan(self.polar_rad / 2)), np.log(np.tan(self.polar_nodes_rad / 2))
            lower = self._either((node - edge[:-1]) / depth, straight)
            upper = self._either((edge[1:] - node) / depth, straight)
        return lower, upper

    @cached_property
    def meridian_length_m(self) -> FloatArray:
        """Length of the cells along the meridian through their nodes, shape (nr, nk)."""
        return self._either(
            self._distance[1] * np.diff(self.polar_rad), np.diff(self.foot_m) * np.sin(self.polar_nodes_rad)
        )

    @cached_property
    def angular_half(self) -> FloatArray:
        """Resistance x conductivity (1/m) from a centre to its faces about the axis, shape (nr, nk)."""
        low, _, high = self._distance
        area = (high - low) * self.meridian_length_m
        half: FloatArray = 0.5 * self.angle_step_rad * self.node_r_m / area
        return half

    def halves(self, first: int) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]:
        """Resistance x conductivity (1/m) to the (inner, outer, lower, upper, angular) face from layer `first` on."""
        inward, outward = self.radial_half
        lower, upper = self.meridian_half
        return inward[first:], outward[first:], lower[first:], upper[first:], self.angular_half[first:]


def _centres(edges: FloatArray) -> FloatArray:
    return (edges[:-1] + edges[1:]) / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedleShape:
    """A straight needle, bare over `tip_m` from its very end; the end is a hemisphere or a point.

    Parameters
    ----------
    radius_m, bore_m : float
        Radius of the shaft and of its lumen.
    tip_m : float
        Length of the bare part, from the very end.
    is_conducting : bool
        If false, the inside is left out (adiabatic surface).
    end_m : float, optional
        Length of the end, from where it begins to where the shaft has its full width: the radius for a hemisphere
        (the default), more for a cone about the axis, which stands for a bevel.
    """

    radius_m: float
    bore_m: float
    tip_m: float
    is_conducting: bool
    end_m: float | None = None

    def __post_init__(self) -> None:
        if not 0 < self.bore_m < self.radius_m:
            raise InputError(f"The lumen ({self.bore_m * 2e3:.2f} mm) must be narrower than the needle.")
        if self.is_pointed and self.length_of_end_m < BLUNTEST_POINT * self.radius_m:
            raise InputError(
                f"A needle's end of {self.length_of_end_m * 1e3:.2f} mm is neither a hemisphere "
                f"({self.radius_m * 1e3:.2f} mm) nor a point (from {BLUNTEST_POINT * self.radius_m * 1e3:.2f} mm)."
            )
        if self.tip_m < self.length_of_end_m + self.radius_m:
            raise InputError(
                f"The active tip ({self.tip_m * 1e3:.2f} mm) must be longer than the needle's end and radius "
                f"({(self.length_of_end_m + self.radius_m) * 1e3:.2f} mm). Choose a longer tip, a thinner needle or a "
                "round end."
            )

    @property
    def length_of_end_m(self) -> float:
        """Length of the end: of the hemisphere if nothing else is said."""
        return self.radius_m if self.end_m is None else self.end_m

    @property
    def is_pointed(self) -> bool:
        """Whether the end is a cone."""
        return self.length_of_end_m != self.radius_m


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
    """Grid about a needle out to `far_m` from its surface's axis and beyond both ends.

    A point is the convex hull of a small ball at its end and the ball of the shaft's radius: sphere, cone, sphere.
    """
    step, radius = resolution.step, shape.radius_m
    outside = radius + _graded(far_m - radius, resolution.radial_scale_m, step)
    inside = np.array([0.0, shape.bore_m, (shape.bore_m + radius) / 2]) if shape.is_conducting else np.empty(0)
    foot, polar, reach = _point(shape, resolution) if shape.is_pointed else _hemisphere(shape, resolution)
    shaft = np.concatenate(
        [_bare_shaft(shape, resolution), shape.tip_m + _graded(far_m, resolution.axial_scale_m, step)]
    )
    return RevolvedGrid(
        radial_m=np.concatenate([inside, outside]),
        foot_m=np.concatenate([foot, shaft[1:]]),
        polar_rad=np.concatenate([polar, np.full(len(shaft) - 1, RIGHT_ANGLE)]),
        reach_m=np.concatenate([reach, np.full(len(shaft) - 1, radius)]),
        angles=resolution.angles,
        inner=len(inside),
        active_to_m=shape.tip_m,
    )


def _polar_count(resolution: Resolution, angle_rad: float) -> int:
    """Cells over an angle of the needle's end."""
    return max(2, round(max(6, round(1.3 / resolution.step)) * angle_rad / RIGHT_ANGLE))


def _hemisphere(shape: NeedleShape, resolution: Resolution) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Foot, angle and reach of the rays about a round end."""
    polar = np.linspace(0, RIGHT_ANGLE, _polar_count(resolution, RIGHT_ANGLE) + 1)
    return np.full(len(polar), shape.radius_m), polar, np.full(len(polar), shape.radius_m)


def _point(shape: NeedleShape, resolution: Resolution) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Foot, angle and reach of the rays about a point: about its small ball, along the cone, about the shaft's ball."""
    small, end = POINT_SHARE * shape.radius_m, shape.length_of_end_m
    between = end - small  # of the balls' centres
    slope = float(np.arcsin((shape.radius_m - small) / between))
    tilt = RIGHT_ANGLE - slope
    tip = np.linspace(0, tilt, _polar_count(resolution, tilt) + 1)
    share = _graded(_cone_m(shape), resolution.axial_scale_m, resolution.step)[1:] / _cone_m(shape)
    shoulder = np.linspace(tilt, RIGHT_ANGLE, _polar_count(resolution, slope) + 1)[1:]
    foot = np.concatenate([np.full(len(tip), small), small + between * share[:-1], np.full(len(shoulder) + 1, end)])
    polar = np.concatenate([tip, np.full(len(share), tilt), shoulder])
    rising = small + (shape.radius_m - small) * share[:-1]
    reach = np.concatenate([np.full(len(tip), small), rising, np.full(len(shoulder) + 1, shape.radius_m)])
    return foot, polar, reach


def _cone_m(shape: NeedleShape) -> float:
    """Length of the cone's surface between the two balls; 0 for a hemisphere."""
    if not shape.is_pointed:
        return 0.0
    small = POINT_SHARE * shape.radius_m
    return float(np.sqrt((shape.length_of_end_m - small) ** 2 - (shape.radius_m - small) ** 2))


def _bare_shaft(shape: NeedleShape, resolution: Resolution) -> FloatArray:
    """Edges from where the shaft begins to the last before the insulation: fine at the needle's end and there."""
    begin, cone = shape.length_of_end_m, _cone_m(shape)
    straight = shape.tip_m - begin
    half = (straight + cone) / 2
    if half < 0.8 * straight:
        up = begin + _graded(half - cone, resolution.axial_scale_m + cone, resolution.step)
        down = shape.tip_m - _graded(half, resolution.axial_scale_m, resolution.step)
        return np.concatenate([up, down[-2:0:-1]])
    return shape.tip_m - _graded(straight, resolution.axial_scale_m, resolution.step)[:0:-1]


def _graded(length: float, scale: float, step: float) -> FloatArray:
    """Edges from 0 to `length` whose cells grow as ``step * (scale + distance)``."""
    total = np.log1p(length / scale)
    count = max(2, int(np.ceil(total / step)))
    edges: FloatArray = scale * np.expm1(np.linspace(0, total, count + 1))
    edges[-1] = length
    return edges
