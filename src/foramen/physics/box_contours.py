"""Extent and volume, on a box grid, of the region where a field exceeds a level, and whether it is one body."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from foramen.physics.box_grid import BoxGrid, axis_pair
from foramen.physics.embedded_electrode import Embedding

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxExtent:
    """Extents along x, y and z, electrodes included, and the volume without them (SI)."""

    extent_m: tuple[float, float, float]
    volume_m3: float
    is_one_body: bool


def measure_box(embedding: Embedding, values: FloatArray, level: float) -> BoxExtent:
    """Extent of ``values >= level``; the field is linear along grid lines between the cell centres.

    `is_one_body`: the region, with the electrodes in it, is connected.
    """
    grid = embedding.grid
    inside = values >= level
    if not inside.any():
        return BoxExtent(extent_m=(0.0, 0.0, 0.0), volume_m3=0.0, is_one_body=False)
    x, y, z = (float(size) for size in np.ptp(boundary_points_m(grid, values, level), axis=0))
    tissue = _volume_fraction(values, level) * grid.volume_m3 * (1 - embedding.metal)
    return BoxExtent(extent_m=(x, y, z), volume_m3=float(tissue.sum()), is_one_body=int(ndimage.label(inside)[1]) == 1)


def boundary_points_m(grid: BoxGrid, values: FloatArray, level: float) -> FloatArray:
    """Points (n, 3) where grid lines cross the level, and cell centres at or above it on the outside of the box."""
    index = np.arange(values.size).reshape(values.shape)
    found = []
    for axis in range(3):
        (low, high), (first, second) = axis_pair(values, axis), axis_pair(index, axis)
        crossed = (low >= level) != (high >= level)
        part = ((level - low[crossed]) / (high[crossed] - low[crossed]))[:, None]
        start, stop = grid.points_m[first[crossed]], grid.points_m[second[crossed]]
        found.append(start + part * (stop - start))
        ends = np.take(index, [0, -1], axis=axis).ravel()
        found.append(grid.points_m[ends[values.ravel()[ends] >= level]])
    return np.concatenate(found)


def line_extent_m(nodes_m: FloatArray, values: FloatArray, level: float) -> float:
    """Length of the stretch of a line about its hottest point where values exceed a level, linear between nodes."""
    top = int(values.argmax())
    if values[top] < level:
        return 0.0
    ends = []
    for step in (-1, 1):
        here = top
        while 0 <= here + step < len(values) and values[here + step] >= level:
            here += step
        end = float(nodes_m[here])
        if 0 <= here + step < len(values):
            part = (values[here] - level) / (values[here] - values[here + step])
            end += float(part * (nodes_m[here + step] - nodes_m[here]))
        ends.append(end)
    return ends[1] - ends[0]


def _volume_fraction(values: FloatArray, level: float) -> FloatArray:
    """Part of each cell above the level: that of a plane with the field's local gradient through the cell's centre.

    The part of a slab is linear in the distance from the level, which is exact for planes along the grid's faces.
    """
    spread = np.zeros_like(values)
    for axis in range(3):
        padded = np.concatenate([np.take(values, [0], axis), values, np.take(values, [-1], axis)], axis=axis)
        low, high = axis_pair(padded, axis)
        step = np.abs(high - low)
        first, second = axis_pair(step, axis)
        np.maximum(spread, (first + second) / 2, out=spread)
    with np.errstate(divide="ignore", invalid="ignore"):
        part = np.where(spread > 0, 0.5 + (values - level) / spread, np.where(values >= level, 1.0, 0.0))
    clipped: FloatArray = np.clip(part, 0.0, 1.0)
    return clipped


def values_along(grid: BoxGrid, values: FloatArray, point_m: tuple[float, float, float], axis: int) -> FloatArray:
    """Values at the nodes of a line along an axis through a point, linear between the nodes of the other two axes."""
    line = values
    for other in (2, 1, 0):
        if other == axis:
            continue
        nodes = grid.nodes_m[other]
        low = int(np.clip(np.searchsorted(nodes, point_m[other]) - 1, 0, len(nodes) - 2))
        part = float(np.clip((point_m[other] - nodes[low]) / (nodes[low + 1] - nodes[low]), 0, 1))
        line = np.take(line, low, axis=other) * (1 - part) + np.take(line, low + 1, axis=other) * part
    return line


def value_at(grid: BoxGrid, values: FloatArray, point_m: tuple[float, float, float]) -> float:
    """Value at a point, linear between nodes."""
    return float(np.interp(point_m[2], grid.nodes_m[2], values_along(grid, values, point_m, 2)))
