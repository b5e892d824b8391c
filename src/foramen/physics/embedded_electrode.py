"""Round electrodes of any course embedded in a box grid.

An electrode is the set of points within its radius of a polyline. Cells whose centre lies inside, or that the
polyline passes through, are the electrode's own (`rod`); they carry its potential and its temperature. A face between
such a cell p and tissue q gets the conductance that the field about the round surface would have there,

    g = k A_s / depth,   A_s = sum over the face of (n . e_r) a / r dA   (shaft; (a / r)^2 on the round end),
                         depth = a ln(r_q / a)                           (shaft; a (1 - a / r_q) on the round end),

where r is the distance from the polyline, e_r the direction away from it and A_s the part of the electrode's surface
that the face sees. On a line through the centres of square cells this is Peaceman's equivalent radius of 0.2 cells
(doi:10.2118/6893-PA); it also holds off centre, oblique and for electrodes wider than a cell. Links between cells of
tissue are left as they are: correcting the next ones outwards as well (Ding and Renard) was tried and gained nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
from numpy.typing import NDArray

from foramen.errors import InputError
from foramen.physics.box_grid import BoxGrid, FineSpan, axis_pair, graded_edges

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.intp]
BoolArray = NDArray[np.bool_]

_GAUSS = np.array([-0.7745966692414834, 0.0, 0.7745966692414834]), np.array([5.0, 8.0, 5.0]) / 18
_NEAREST = 1.02  # no tissue cell counts as closer to the axis than this many radii


@dataclass(frozen=True, kw_only=True, eq=False)
class Rod:
    """One round electrode with a hemispherical end: bare for `tip_m` from its pole, insulated beyond.

    Parameters
    ----------
    path_m : ndarray, shape (n, 3)
        Polyline from the pole to the hub.
    radius_m, bore_m : float
        Outer radius, and radius of the lumen.
    tip_m : float
        Bare length along the path.
    electrode : int
        Rods of the same electrode (tines) share one potential.
    """

    path_m: FloatArray
    radius_m: float
    bore_m: float
    tip_m: float
    electrode: int = 0

    def __post_init__(self) -> None:
        lengths = np.linalg.norm(np.diff(self.path_m, axis=0), axis=1)
        if not 0 <= self.bore_m < self.radius_m:
            raise InputError(f"The lumen ({self.bore_m * 2e3:.2f} mm) must be narrower than the electrode.")
        if self.tip_m < 2 * self.radius_m:
            raise InputError(
                f"The active tip ({self.tip_m * 1e3:.2f} mm) must be at least as long as the electrode is thick "
                f"({self.radius_m * 2e3:.2f} mm). Choose a longer tip or a thinner electrode."
            )
        if not len(lengths) or lengths.min() <= 0 or lengths[0] <= self.radius_m or lengths.sum() < self.tip_m:
            raise InputError(
                f"An electrode's course needs distinct points, a first stretch longer than its radius, and a length "
                f"({lengths.sum() * 1e3:.1f} mm) of at least its active tip ({self.tip_m * 1e3:.1f} mm)."
            )

    @cached_property
    def axis_m(self) -> FloatArray:
        """The path from the centre of the round end on."""
        first, second = self.path_m[:2]
        centre = first + (second - first) * (self.radius_m / np.linalg.norm(second - first))
        return np.concatenate([centre[None], self.path_m[1:]])

    def point_m(self, arc_m: float) -> FloatArray:
        """Point of the path at a length from the pole."""
        steps = np.linalg.norm(np.diff(self.path_m, axis=0), axis=1)
        arcs = np.concatenate([[0.0], np.cumsum(steps)])
        return np.array([np.interp(arc_m, arcs, column) for column in self.path_m.T])

    def active_points_m(self) -> FloatArray:
        """Vertices of the bare part of the path."""
        steps = np.linalg.norm(np.diff(self.path_m, axis=0), axis=1)
        arcs = np.concatenate([[0.0], np.cumsum(steps)])
        return np.concatenate([self.path_m[arcs < self.tip_m], self.point_m(self.tip_m)[None]])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Nearest:
    """Where points lie about a rod: distance from its axis, length from its pole, direction away, at its round end."""

    distance_m: FloatArray
    arc_m: FloatArray
    away: FloatArray
    is_end: BoolArray


def nearest(rod: Rod, points_m: FloatArray) -> Nearest:
    """Position of points (n, 3) relative to a rod."""
    best = np.full(len(points_m), np.inf)
    arc, end, away = np.zeros(len(points_m)), np.zeros(len(points_m), bool), np.zeros_like(points_m)
    passed = rod.radius_m
    for number, (start, stop) in enumerate(zip(rod.axis_m[:-1], rod.axis_m[1:], strict=True)):
        length = float(np.linalg.norm(stop - start))
        along = (points_m - start) @ ((stop - start) / length)
        foot = np.clip(along, 0.0, length)
        offset = points_m - start - foot[:, None] * ((stop - start) / length)
        squared = np.einsum("ij,ij->i", offset, offset)
        closer = squared < best
        best[closer] = squared[closer]
        is_before = (along < 0) & (number == 0)
        arc[closer] = np.where(is_before, np.maximum(passed + along, 0.0), passed + foot)[closer]
        end[closer] = is_before[closer]
        away[closer] = offset[closer]
        passed += length
    distance = np.sqrt(best)
    return Nearest(distance_m=distance, arc_m=arc, away=away / np.maximum(distance, 1e-12)[:, None], is_end=end)


def rod_grid(rods: Sequence[Rod], *, cells_per_radius: float, growth: float, far_m: float) -> BoxGrid:
    """Box about the bare parts of rods, `far_m` beyond them on every side.

    Cells are ``radius / cells_per_radius`` wide about the bare parts and grow by `growth` per unit of distance. Along
    a straight rod that is parallel to an axis, they are fine only at both ends of the bare part.
    """
    edges = []
    for axis in range(3):
        spans = []
        for rod in rods:
            course, cell = rod.active_points_m(), rod.radius_m / cells_per_radius
            low, high = float(course[:, axis].min()), float(course[:, axis].max())
            if np.ptp(np.delete(course, axis, axis=1), axis=0).max() < 1e-9:
                pole = rod.radius_m if course[0, axis] < course[-1, axis] else -rod.radius_m
                ends = (course[0, axis], course[0, axis] + pole), (course[-1, axis], course[-1, axis])
                spans += [FineSpan(low_m=min(pair), high_m=max(pair), cell_m=cell) for pair in ends]
            else:
                spans.append(FineSpan(low_m=low - rod.radius_m, high_m=high + rod.radius_m, cell_m=cell))
        least, most = min(span.low_m for span in spans), max(span.high_m for span in spans)
        edges.append(graded_edges(spans, growth=growth, low_m=least - far_m, high_m=most + far_m))
    return BoxGrid(edges_m=(edges[0], edges[1], edges[2]))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Contacts:
    """Faces between rods and tissue, one entry each; cells are indices of the flattened array.

    `low` is the cell on whose side the link is stored along `axis`; `bare_m2` and `covered_m2` are the parts of the
    rod's surface that the face sees; `depth_m` stands for the distance from that surface to the tissue cell's centre.
    """

    rod_cell: IndexArray
    tissue_cell: IndexArray
    low: IndexArray
    axis: IndexArray
    owner: IndexArray
    arc_m: FloatArray
    bare_m2: FloatArray
    covered_m2: FloatArray
    depth_m: FloatArray


@dataclass(frozen=True, kw_only=True, eq=False)
class Embedding:
    """Rods in a grid.

    Parameters
    ----------
    owner : ndarray of int, shape (nx, ny, nz)
        Number of the rod that a cell belongs to, -1 in tissue.
    arc_m : ndarray, shape (nx, ny, nz)
        Length from the pole of that rod (0 in tissue).
    metal : ndarray, shape (nx, ny, nz)
        Part of each cell's volume that lies inside a rod.
    """

    grid: BoxGrid
    rods: tuple[Rod, ...]
    owner: IndexArray
    arc_m: FloatArray
    metal: FloatArray
    contacts: Contacts

    @property
    def is_rod(self) -> BoolArray:
        """Whether a cell belongs to a rod."""
        return self.owner >= 0

    @property
    def electrode_of_rod(self) -> IndexArray:
        """Number of the electrode of each rod."""
        return np.array([rod.electrode for rod in self.rods], dtype=np.intp)

    @property
    def electrode_count(self) -> int:
        """Number of electrodes."""
        return int(self.electrode_of_rod.max()) + 1


def embed(grid: BoxGrid, rods: Sequence[Rod]) -> Embedding:
    """Rods embedded in a grid.

    Raises
    ------
    InputError
        If two electrodes touch, or lie so close that no cell of tissue is between them.
    """
    owner, arc, where = _owners(grid, rods)
    contacts = _contacts(grid, rods, owner)
    return Embedding(
        grid=grid,
        rods=tuple(rods),
        owner=owner,
        arc_m=arc,
        metal=_metal_fraction(grid, rods, where),
        contacts=contacts,
    )


def _owners(grid: BoxGrid, rods: Sequence[Rod]) -> tuple[IndexArray, FloatArray, list[Nearest]]:
    """Rod of each cell, length from its pole, and every cell's position about every rod."""
    where = [nearest(rod, grid.points_m) for rod in rods]
    gap = np.stack([near.distance_m - rod.radius_m for near, rod in zip(where, rods, strict=True)])
    closest = gap.argmin(axis=0)
    owner = np.where(gap.min(axis=0) < 0, closest, -1).reshape(grid.shape)
    for number, rod in enumerate(rods):
        for cell in _traversed(grid, rod):
            if owner[cell] < 0:
                owner[cell] = number
    electrode = np.array([rod.electrode for rod in rods] + [-1])[owner]
    for axis in range(3):
        low, high = axis_pair(electrode, axis)
        if np.any((low >= 0) & (high >= 0) & (low != high)):
            raise InputError("Two electrodes touch or lie within one cell of each other. Move them apart.")
    arcs = np.stack([near.arc_m for near in where])
    arc = np.where(owner.ravel() >= 0, arcs[owner.ravel(), np.arange(owner.size)], 0.0).reshape(grid.shape)
    return owner, arc, where


def _traversed(grid: BoxGrid, rod: Rod) -> set[tuple[int, int, int]]:
    """Cells that a rod's axis passes through, each sharing a face with the next; parts outside the box are left out.

    Where the axis lies in a face, the cells on both sides count, so that a mirrored grid has mirrored rods.
    """
    finest = min(float(widths.min()) for widths in grid.widths_m) / 4
    low, high = (np.array([edges[side] for edges in grid.edges_m]) for side in (0, -1))
    stretches = []
    for start, stop in zip(rod.axis_m[:-1], rod.axis_m[1:], strict=True):
        steps = max(2, int(np.ceil(np.linalg.norm(stop - start) / finest)))
        stretches.append(start + np.linspace(0, 1, steps + 1)[:, None] * (stop - start))
    points = np.concatenate(stretches)
    points = points[((points >= low) & (points <= high)).all(axis=1)]
    cells: set[tuple[int, int, int]] = set()
    for corner in product((-1e-6, 1e-6), repeat=3):
        walk = grid.index_of(points + np.array(corner) * finest)
        for axis in range(3):  # a step over an edge or corner goes through the cells beside it
            bridge = np.concatenate([walk[1:, : axis + 1], walk[:-1, axis + 1 :]], axis=1)
            cells.update((int(x), int(y), int(z)) for x, y, z in np.unique(bridge, axis=0))
        cells.update((int(x), int(y), int(z)) for x, y, z in np.unique(walk, axis=0))
    return cells


def _contacts(grid: BoxGrid, rods: Sequence[Rod], owner: IndexArray) -> Contacts:
    flat = np.arange(owner.size).reshape(grid.shape)
    columns: list[tuple[IndexArray, ...]] = []
    for axis in range(3):
        (low, high), (first, second) = axis_pair(flat, axis), axis_pair(owner, axis)
        is_face = (first >= 0) != (second >= 0)
        low_cell, high_cell, is_low = low[is_face], high[is_face], first[is_face] >= 0
        columns.append(
            (
                np.where(is_low, low_cell, high_cell),
                np.where(is_low, high_cell, low_cell),
                low_cell,
                np.full(len(low_cell), axis),
            )
        )
    rod_cell, tissue_cell, lower, axes = (np.concatenate(column) for column in zip(*columns, strict=True))
    rod_of = owner.ravel()[rod_cell]
    bare, covered, depth, arc = (np.zeros(len(lower)) for _ in range(4))
    for number, rod in enumerate(rods):
        mine = rod_of == number
        sign = np.where(rod_cell[mine] == lower[mine], 1.0, -1.0)
        areas = _seen_surface(grid, rod, lower[mine], axes[mine], sign)
        bare[mine], covered[mine] = areas
        near = nearest(rod, grid.points_m[tissue_cell[mine]])
        depth[mine] = _profile(rod, near)
        arc[mine] = near.arc_m
    return Contacts(
        rod_cell=rod_cell,
        tissue_cell=tissue_cell,
        low=lower,
        axis=axes,
        owner=rod_of,
        arc_m=arc,
        bare_m2=bare,
        covered_m2=covered,
        depth_m=depth,
    )


def _profile(rod: Rod, near: Nearest) -> FloatArray:
    """Potential about the rod for unit flux density at its surface: a ln(r/a), or a (1 - a/r) at the round end."""
    ratio = np.maximum(near.distance_m / rod.radius_m, _NEAREST)
    result: FloatArray = rod.radius_m * np.where(near.is_end, 1 - 1 / ratio, np.log(ratio))
    return result


def _flux(rod: Rod, near: Nearest, axis: IndexArray) -> FloatArray:
    """Component along an axis of the field whose flux density at the rod's surface is 1."""
    ratio = rod.radius_m / np.maximum(near.distance_m, rod.radius_m / 100)
    result: FloatArray = np.where(near.is_end, ratio**2, ratio) * near.away[np.arange(len(axis)), axis]
    return result


def _face_points(grid: BoxGrid, low: IndexArray, axis: IndexArray) -> tuple[FloatArray, FloatArray]:
    """Gauss points (9, n, 3) and their areas (9, n) of the upper faces of cells along an axis each."""
    index = np.stack(np.unravel_index(low, grid.shape), axis=1)
    centre = np.stack([nodes[index[:, i]] for i, nodes in enumerate(grid.nodes_m)], axis=1)
    width = np.stack([widths[index[:, i]] for i, widths in enumerate(grid.widths_m)], axis=1)
    rows = np.arange(len(low))
    centre[rows, axis] += width[rows, axis] / 2
    across = (axis + 1) % 3, (axis + 2) % 3
    points, areas = [], []
    for u, weight_u in zip(*_GAUSS, strict=True):
        for v, weight_v in zip(*_GAUSS, strict=True):
            point = centre.copy()
            point[rows, across[0]] += u / 2 * width[rows, across[0]]
            point[rows, across[1]] += v / 2 * width[rows, across[1]]
            points.append(point)
            areas.append(weight_u * weight_v * width[rows, across[0]] * width[rows, across[1]])
    return np.stack(points), np.stack(areas)


def _seen_surface(
    grid: BoxGrid, rod: Rod, low: IndexArray, axis: IndexArray, sign: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Parts (m2) of a rod's bare and covered surface that faces see."""
    bare, covered = np.zeros(len(low)), np.zeros(len(low))
    for point, area in zip(*_face_points(grid, low, axis), strict=True):
        near = nearest(rod, point)
        seen = _flux(rod, near, axis) * area * sign
        is_bare = near.arc_m < rod.tip_m
        bare += np.where(is_bare, seen, 0.0)
        covered += np.where(is_bare, 0.0, seen)
    return np.maximum(bare, 0.0), np.maximum(covered, 0.0)


def _metal_fraction(grid: BoxGrid, rods: Sequence[Rod], where: Sequence[Nearest]) -> FloatArray:
    """Part of each cell's volume inside any rod, by 5 x 5 x 5 samples."""
    fraction = np.zeros(grid.points_m.shape[0])
    index = np.stack(np.unravel_index(np.arange(len(fraction)), grid.shape), axis=1)
    size = np.stack([widths[index[:, i]] for i, widths in enumerate(grid.widths_m)], axis=1)
    reach = np.linalg.norm(size, axis=1) / 2
    near_any = np.zeros(len(fraction), bool)
    for rod, near in zip(rods, where, strict=True):
        near_any |= near.distance_m - rod.radius_m < reach
    cells = np.flatnonzero(near_any)
    offsets = (np.arange(5) + 0.5) / 5 - 0.5
    for x in offsets:
        for y in offsets:
            for z in offsets:
                points = grid.points_m[cells] + np.array([x, y, z]) * size[cells]
                inside = np.zeros(len(cells), bool)
                for rod in rods:
                    inside |= nearest(rod, points).distance_m < rod.radius_m
                fraction[cells] += inside / 125
    return fraction.reshape(grid.shape)
