"""Solids as approximate signed distances (mm, negative inside), and their smooth union.

Every bone of the reference body is a smooth union of struts (tapered capsules of elliptic section) and a
few special solids. Distances are of first order: exact at the surface, slightly off far from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]
Vector = tuple[float, float, float]
Box = tuple[Vector, Vector]

AXIS_SLOPE_PER_MM = np.float32(1e-3)
"""Where the field of a strut is flatter, a point lies on its axis and the quotient of its distance is 0 / 0."""

FAR_MM = 30.0
"""Distance given to grid points that no solid comes near."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Strut:
    """A tapered capsule of elliptic section from `start` to `end`.

    Parameters
    ----------
    start, end : tuple of float
        Ends of the axis, mm in the vertebra's frame.
    wide : tuple of float
        Direction of the section's first axis (made perpendicular to the strut).
    start_radii_mm, end_radii_mm : tuple of float
        Radii of the section along `wide` and across it.
    part : str
        Vertebral part that it belongs to (labels.yaml).
    blend_mm : float
        Width of the fillet where it joins what was there before.
    cap_mm : float or None
        Length of the rounded ends; by default the smaller radius.
    """

    start: Vector
    end: Vector
    wide: Vector
    start_radii_mm: tuple[float, float]
    end_radii_mm: tuple[float, float]
    part: str
    blend_mm: float = 4.0
    cap_mm: float | None = None

    @property
    def box(self) -> Box:
        """Corners of a box around the strut."""
        reach = max(*self.start_radii_mm, *self.end_radii_mm)
        ends = np.array([self.start, self.end])
        low, high = ends.min(0) - reach, ends.max(0) + reach
        return _vector(low), _vector(high)

    def distance(self, x: Field, y: Field, z: Field) -> Field:
        """Signed distance at broadcastable coordinates: ``k0 (k0 - 1) / k1`` of the local ellipsoid."""
        axis = np.subtract(self.end, self.start)
        length = float(np.linalg.norm(axis))
        along = axis / length
        first = np.array(self.wide) - np.dot(self.wide, along) * along
        first /= np.linalg.norm(first)
        second = np.cross(along, first)
        dx, dy, dz = (c - np.float32(s) for c, s in zip((x, y, z), self.start, strict=True))
        position = _dot(along, dx, dy, dz)
        fraction = np.clip(position / np.float32(length), 0, 1)
        radius_a = _blend(self.start_radii_mm[0], self.end_radii_mm[0], fraction)
        radius_b = _blend(self.start_radii_mm[1], self.end_radii_mm[1], fraction)
        cap = np.minimum(radius_a, radius_b) if self.cap_mm is None else np.float32(self.cap_mm)
        a = _dot(first, dx, dy, dz) / radius_a
        b = _dot(second, dx, dy, dz) / radius_b
        c = (position - fraction * np.float32(length)) / cap
        k0 = np.sqrt(a * a + b * b + c * c)
        k1 = np.sqrt((a / radius_a) ** 2 + (b / radius_b) ** 2 + (c / cap) ** 2)
        on_axis = k1 < AXIS_SLOPE_PER_MM
        found: Field = np.where(on_axis, -np.minimum(radius_a, radius_b), k0 * (k0 - 1) / np.where(on_axis, 1, k1))
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """A vertebral body: kidney-shaped section, waisted walls, slightly hollow endplates.

    The superior endplate is the plane z = height / 2; the inferior one is tilted by `wedge_rad`
    (positive: taller in front). `form` holds the numbers of the drawing `reference_bones.body`: rims, hollows and
    exponents of the section.
    """

    width_mm: float
    depth_mm: float
    height_mm: float
    wedge_rad: float
    waist_fraction: float
    form: Mapping[str, float]
    part: str = "body"
    blend_mm: float = 4.0

    @property
    def box(self) -> Box:
        """Corners of a box around the body."""
        half = (0.5 * self.width_mm, 0.5 * self.depth_mm, 0.5 * self.height_mm + 4)
        return (-half[0], -half[1], -half[2]), half

    def distance(self, x: Field, y: Field, z: Field) -> Field:
        """Signed distance at broadcastable coordinates."""
        form = self.form
        half_width = 0.5 * self.width_mm + form["rim_width_mm"]  # the rims are rounded off
        half_depth = 0.5 * self.depth_mm + form["rim_depth_mm"]
        half_height = 0.5 * self.height_mm
        middle = np.clip(1 - (z / np.float32(half_height)) ** 2, 0, 1)
        profile = 1 - np.float32(self.waist_fraction) * middle
        lateral = x / np.float32(half_width)
        hollow = np.float32(form["posterior_hollow_mm"]) * np.clip(
            1 - (form["hollow_narrowing"] * lateral) ** 2, 0, None
        )
        deep = np.clip(y / np.float32(form["hollow_begins_fraction"] * half_depth), 0, 1)
        hollow = np.where(y > 0, hollow * deep, 0)
        v = (y + hollow) / (np.float32(half_depth) * profile)
        u = lateral / profile
        power = section_power(form, v)  # round in front, square behind
        k0 = (np.abs(u) ** power + np.abs(v) ** power) ** (1 / power)
        wall = (k0 - 1) * np.float32(0.5 * (half_width + half_depth)) * profile
        dish = np.float32(form["endplate_hollow_mm"]) * np.clip(1 - (k0 / form["dish_fraction"]) ** 2, 0, 1)
        top = z - np.float32(half_height) + dish
        bottom = -(z + np.float32(half_height)) * np.cos(self.wedge_rad) - y * np.sin(self.wedge_rad) + dish
        ends = smooth_maximum(top, bottom, form["endplate_edge_mm"])
        found: Field = smooth_maximum(wall, ends, form["rim_edge_mm"]).astype(np.float32)
        return found


def section_power(form: Mapping[str, float], posterior: Field) -> Field:
    """Exponent of a body's or disc's outline: behind the middle (`posterior` > 0) or before it."""
    return np.where(posterior > 0, np.float32(form["back_exponent"]), np.float32(form["front_exponent"]))


class Solid(Protocol):
    """What a bone is united from: a part of it with a signed distance."""

    @property
    def part(self) -> str:
        """Vertebral part that it belongs to (labels.yaml)."""
        ...

    @property
    def blend_mm(self) -> float:
        """Width of the fillet where it joins what was there before."""
        ...

    @property
    def box(self) -> Box:
        """Corners of a box around it."""
        ...

    def distance(self, x: Field, y: Field, z: Field) -> Field:
        """Signed distance (mm, negative inside) at broadcastable coordinates."""
        ...


def smooth_minimum(a: Field, b: Field, width_mm: float) -> Field:
    """Smooth union of two distances: a fillet of about `width_mm` where they meet."""
    h = np.clip(1 - np.abs(a - b) / np.float32(width_mm), 0, None)
    found: Field = np.minimum(a, b) - h * h * np.float32(0.25 * width_mm)
    return found


def smooth_maximum(a: Field, b: Field, width_mm: float) -> Field:
    """Smooth intersection of two distances."""
    return -smooth_minimum(-a, -b, width_mm)


def _dot(direction: NDArray[np.float64], x: Field, y: Field, z: Field) -> Field:
    found: Field = np.float32(direction[0]) * x + np.float32(direction[1]) * y + np.float32(direction[2]) * z
    return found


def _blend(start: float, end: float, fraction: Field) -> Field:
    found: Field = np.float32(start) + np.float32(end - start) * fraction
    return found


def _vector(values: NDArray[np.float64]) -> Vector:
    return float(values[0]), float(values[1]), float(values[2])
