"""Graded Cartesian grids (boxes) for electrodes that no single axis describes. All SI.

Cells are fine where an electrode is and grow with the distance from it; faces do not follow the electrodes, which
are embedded (`embedded_electrode`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from foramen.errors import InputError
from foramen.physics.linear_system import Links

FloatArray = NDArray[np.float64]
Kind = TypeVar("Kind", bound=np.generic)


@dataclass(frozen=True, kw_only=True, eq=False)
class BoxGrid:
    """A box of cells given by their edges along x, y and z."""

    edges_m: tuple[FloatArray, FloatArray, FloatArray]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Cells along (x, y, z)."""
        x, y, z = (len(edges) - 1 for edges in self.edges_m)
        return x, y, z

    @cached_property
    def nodes_m(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Cell centres along each axis."""
        x, y, z = ((edges[:-1] + edges[1:]) / 2 for edges in self.edges_m)
        return x, y, z

    @cached_property
    def widths_m(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Cell sizes along each axis."""
        x, y, z = (np.diff(edges) for edges in self.edges_m)
        return x, y, z

    @cached_property
    def points_m(self) -> FloatArray:
        """Cell centres, shape (cells, 3), in the order of a flattened array."""
        return np.stack([axis.ravel() for axis in np.meshgrid(*self.nodes_m, indexing="ij")], axis=1)

    @cached_property
    def volume_m3(self) -> FloatArray:
        """Volume of each cell, shape (nx, ny, nz)."""
        x, y, z = self.widths_m
        volume: FloatArray = x[:, None, None] * y[:, None] * z
        return volume

    def half_resistance(self, axis: int) -> FloatArray:
        """Resistance x conductivity (1/m) from a cell's centre to either face along an axis."""
        shape = [1, 1, 1]
        shape[axis] = -1
        half: FloatArray = self.widths_m[axis].reshape(shape) ** 2 / (2 * self.volume_m3)
        return half

    def index_of(self, points_m: FloatArray) -> NDArray[np.intp]:
        """Indices (n, 3) of the cells that hold points (n, 3); points outside get the nearest cell."""
        found = [
            np.clip(np.searchsorted(edges, points_m[:, axis], side="right") - 1, 0, len(edges) - 2)
            for axis, edges in enumerate(self.edges_m)
        ]
        return np.stack(found, axis=1)


def two_point_links(grid: BoxGrid, value: FloatArray) -> Links:
    """Conductances to the next cell along each axis for a property of the cells: two halves in series."""
    links = []
    for axis in range(3):
        with np.errstate(divide="ignore"):
            half = grid.half_resistance(axis) / value
        low, high = axis_pair(half, axis)
        link = np.zeros(grid.shape)
        axis_pair(link, axis)[0][:] = 1 / (low + high)
        links.append(link)
    return links[0], links[1], links[2]


def far_conductance(grid: BoxGrid, value: FloatArray) -> FloatArray:
    """Conductance of each cell to the outside of the box."""
    far = np.zeros(grid.shape)
    for axis in range(3):
        for side in (0, -1):
            place: list[slice | int] = [slice(None)] * 3
            place[axis] = side
            far[tuple(place)] += value[tuple(place)] / grid.half_resistance(axis)[tuple(place)]
    return far


def axis_pair(values: NDArray[Kind], axis: int) -> tuple[NDArray[Kind], NDArray[Kind]]:
    """Views of an array without its last and without its first layer along an axis: the two sides of each face."""
    low: list[slice] = [slice(None)] * 3
    high: list[slice] = [slice(None)] * 3
    low[axis], high[axis] = slice(None, -1), slice(1, None)
    return values[tuple(low)], values[tuple(high)]


def link_sums(links: Links) -> FloatArray:
    """Sum of the conductances of each cell to its neighbours."""
    total = np.zeros(links[0].shape)
    for axis, link in enumerate(links):
        total += link
        axis_pair(total, axis)[1][:] += axis_pair(link, axis)[0]
    return total


@dataclass(frozen=True, slots=True, kw_only=True)
class FineSpan:
    """A stretch of an axis in which cells are about `cell_m` wide."""

    low_m: float
    high_m: float
    cell_m: float


def graded_edges(spans: Sequence[FineSpan], *, growth: float, low_m: float, high_m: float) -> FloatArray:
    """Edges from `low_m` to `high_m` whose cells are at most ``cell + growth * distance`` of every span."""
    if not spans or not low_m < high_m or growth <= 0:
        raise InputError("A graded axis needs a fine span, a growth above 0 and two ends in order.")
    breaks = [point for span in spans for point in (span.low_m, span.high_m) if low_m < point < high_m]
    finest = min(span.cell_m for span in spans)
    count = max(2, int(np.ceil((high_m - low_m) / finest * 4)))
    place = np.unique(np.concatenate([np.linspace(low_m, high_m, count + 1), breaks]))
    size = np.full(len(place), np.inf)
    for span in spans:
        distance = np.maximum(np.maximum(span.low_m - place, place - span.high_m), 0.0)
        np.minimum(size, span.cell_m + growth * distance, out=size)
    rate = 1 / size
    passed = np.concatenate([[0.0], np.cumsum((rate[1:] + rate[:-1]) / 2 * np.diff(place))])
    edges: FloatArray = np.interp(np.linspace(0, passed[-1], int(np.ceil(passed[-1])) + 1), passed, place)
    edges[0], edges[-1] = low_m, high_m
    return edges
