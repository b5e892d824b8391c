"""Extent and volume of the region about a needle where a field exceeds a level, by sub-cell interpolation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

from foramen.physics.grid import RevolvedGrid

FloatArray = NDArray[np.float64]

PARTS = 6
"""Parts into which the distance between two cells is divided where a contour is sought."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """Size of a region about a needle: width and length include the needle, the volume does not (SI)."""

    width_m: float
    length_m: float
    volume_m3: float


def measure(grid: RevolvedGrid, values: FloatArray, surface: FloatArray, level: float) -> Extent:
    """Extent of ``values >= level`` outside the needle.

    Parameters
    ----------
    grid : RevolvedGrid
    values : ndarray, shape (nr, nk, nj)
        At the cell centres; layers inside the needle are ignored.
    surface : ndarray, shape (nk, nj)
        On the needle's surface.
    level : float
        Threshold.

    Notes
    -----
    Along every line away from the needle the field is a monotone cubic between the surface and the cell centres.
    Width = largest r(angle) + r(angle + 180 deg) at one height; length = extent along the axis.
    """
    inner = grid.inner
    if max(float(values[inner:].max()), float(surface.max())) < level:
        return Extent(width_m=0.0, length_m=0.0, volume_m3=0.0)
    nodes = np.concatenate([grid.radial_m[inner : inner + 1], grid.radial_nodes_m[inner:]])
    radial, field = _refined(nodes, np.concatenate([surface[None], values[inner:]]))
    low, high = _inside(radial, field, level)
    is_empty = high <= low
    ends = (grid.from_foot_m(edge.swapaxes(1, 2), grid.reach_nodes_m) for edge in (low, high))
    volume = float(np.where(is_empty.swapaxes(1, 2), 0.0, grid.line_volume_m3(*ends)).sum())
    reach = np.where(is_empty, 0.0, high).max(axis=0)
    return Extent(width_m=_width(grid, reach), length_m=_length(grid, field, reach, level), volume_m3=volume)


def _refined(nodes: FloatArray, field: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Nodes and field with `PARTS` even parts for each interval, by monotone cubics along the first axis.

    Straight lines between cell centres would overestimate sizes, as temperature falls like a hollow curve.
    """
    low, high = nodes[:-1, None], nodes[1:, None]
    parts = (low + (high - low) * (np.arange(PARTS) / PARTS)).ravel()
    finer = np.append(parts, nodes[-1])
    values: FloatArray = PchipInterpolator(nodes, field, axis=0)(finer)
    return finer, values


def _inside(radial: FloatArray, field: FloatArray, level: float) -> tuple[FloatArray, FloatArray]:
    """Start and end (segments, nk, nj) of the part of each segment where the field is at least `level`."""
    first, last = field[:-1], field[1:]
    near, far = radial[:-1, None, None], radial[1:, None, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        crossing = near + (far - near) * (first - level) / (first - last)
    low = np.where(first >= level, near, np.where(last >= level, crossing, far))
    high = np.where(last >= level, far, np.where(first >= level, crossing, near))
    return low, high


def _width(grid: RevolvedGrid, reach: FloatArray) -> float:
    """Largest diameter perpendicular to the axis."""
    radius = _from_foot(grid, reach) * np.sin(grid.polar_nodes_rad)[:, None]
    if grid.angles == 1:
        return 2 * _peak(radius[:, 0])
    if grid.angles % 2:
        opposite = (np.roll(radius, grid.angles // 2, axis=1) + np.roll(radius, grid.angles // 2 + 1, axis=1)) / 2
    else:
        opposite = np.roll(radius, grid.angles // 2, axis=1)
    across = radius + opposite
    return _peak(across[:, int(across.max(axis=0).argmax())])


def _peak(values: FloatArray) -> float:
    """Largest value of a smooth row of numbers: the top of the parabola through the three largest neighbours."""
    top = int(values.argmax())
    if not 0 < top < len(values) - 1:
        return float(values[top])
    left, middle, right = values[top - 1 : top + 2]
    bend = left - 2 * middle + right
    return float(middle if bend >= 0 else middle - (right - left) ** 2 / (8 * bend))


def _from_foot(grid: RevolvedGrid, reach: FloatArray) -> FloatArray:
    """Distance from the foot of the farthest points (nk, nj) of the region; 0 where a line does not meet it."""
    return np.where(reach > 0, grid.from_foot_m(reach, grid.reach_nodes_m[:, None]), 0.0)


def _length(grid: RevolvedGrid, field: FloatArray, reach: FloatArray, level: float) -> float:
    """Extent along the axis: highest minus lowest z of the region."""
    count = grid.end_count
    highest = _highest(grid, field, level)
    if not count or reach[:count].max() <= 0:
        return highest - _lowest(grid, field, level)
    away = _from_foot(grid, reach)[:count]
    tops = grid.foot_nodes_m[:count, None] - away * np.cos(grid.polar_nodes_rad[:count])[:, None]
    highest = max(highest, float(np.where(reach[:count] > 0, tops, -np.inf).max()))
    return highest - (float(grid.foot_m[0]) - _on_axis(grid, away))


def _on_axis(grid: RevolvedGrid, away: FloatArray) -> float:
    """Distance from the foot straight ahead of the tip: even in the polar angle, through the first two rays."""
    near, far = (float(row.mean()) for row in away[:2])
    if near <= 0 or far <= 0:
        return near
    angle = grid.polar_nodes_rad[:2] ** 2
    return (near * float(angle[1]) - far * float(angle[0])) / float(angle[1] - angle[0])


def _highest(grid: RevolvedGrid, field: FloatArray, level: float) -> float:
    """Highest z on the shaft's lines where the field is at least `level`."""
    part = field[:, grid.end_count :]
    nodes = grid.shaft_nodes_m
    found = -np.inf
    above = (part >= level).any(axis=(0, 2))
    if not above.any():
        return found
    last = int(np.nonzero(above)[0][-1])
    if last == len(nodes) - 1:
        return float(nodes[-1])
    low, high = part[:, last], part[:, last + 1]
    fraction = np.where(low >= level, (low - level) / np.where(low > high, low - high, 1.0), 0.0)
    return float(nodes[last] + fraction.max() * (nodes[last + 1] - nodes[last]))


def _lowest(grid: RevolvedGrid, field: FloatArray, level: float) -> float:
    """Lowest z of the shaft's lines where the field is at least `level`."""
    above = (field[:, grid.end_count :] >= level).any(axis=(0, 2))
    return float(grid.shaft_nodes_m[int(np.nonzero(above)[0][0])])
