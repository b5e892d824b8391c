"""Truth for the groove between superior articular and transverse process on the meshes of `mesh_lumbosacral`.

The data set has a mesh for each vertebra and, separately, for each superior articular process. Seen in axial cuts,
the separate mesh is no process but a curved plate about 1.5 mm thick along its joint surface: the facet. The groove in
which the nerve lies is on the other, lateral side of the neck, 9 to 11 mm away, so a distance to that plate says
nothing about the landmark; it only tells where on the vertebra the process stands. The truth is read off the
vertebra's own mesh:

1. the mesh as a mask of 1 mm voxels, cut axially every millimetre, and the back of each cut, column by column;
2. cuts that show the transverse process: bone reaches at least 15 mm further to the side than the plate does;
3. in each, the chord from the hindmost point of bone (lateral to the middle of the plate) to the tip of the
   transverse process, and the point of the bone's outline between them that lies deepest below the chord: the corner
   where the lateral wall of the superior articular process meets the back of the transverse process;
4. corners at least 3 mm deep, from cut to cut, are the groove.

A first definition, by the curvature of the surface, was given up: it found the crease below the transverse process
on some bones, and other places left and right of a mesh that is its own mirror image.

The mesh is its own mirror image, so the corners of both sides make one curve.

At the sacrum no process stands out: the notch between the process and the ala is the saddle between them. From above
downwards, the first cut at which the bone under the plate and a second piece of bone at least 8 mm lateral to the
plate become one; the point half-way between the two pieces.

A landmark must lie within `GROOVE_MM` of the groove. Where along the groove is not judged: the mesh marks no nerve.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from foramen.knowledge.labels import vertebra_value
from foramen.model.levels import Side, Vertebra
from foramen.model.space import LabelMap, Modality, Volume, VolumeGeometry

FloatArray = NDArray[np.float64]

LEVELS = tuple(Vertebra(name) for name in ("L1", "L2", "L3", "L4", "L5", "S1"))
SACRUM = Vertebra("S1")
GROOVE_MM = 3.0
BEYOND_PLATE_MM = 15.0
DEEP_MM = 3.0
BESIDE_PLATE_MM = 8.0
SMOOTH_MM = 0.7
MARGIN_MM = 6
FOLDER = "mesh_lumbosacral"
LETTER = {Side.LEFT: "l", Side.RIGHT: "r"}


@dataclass(frozen=True, slots=True, kw_only=True)
class MeshScan:
    """The meshes as a flat CT (bone 400 HU, elsewhere 40 HU) with its labels, 1 mm, LPS."""

    image: Volume
    labels: LabelMap


def load_mesh(path: Path) -> tuple[FloatArray, NDArray[np.int64]]:
    """Vertices (n, 3; LPS, mm) and triangles (m, 3) of a gzipped OBJ in metres, x forward, y left, z up."""
    with gzip.open(path, "rt", encoding="ascii") as file:
        lines = [line.split() for line in file]
    points = np.array([line[1:4] for line in lines if line[:1] == ["v"]], dtype=np.float64) * 1e3
    faces = np.array(
        [[int(corner.split("/")[0]) - 1 for corner in line[1:4]] for line in lines if line[:1] == ["f"]], dtype=np.int64
    )
    return np.stack([points[:, 1], -points[:, 0], points[:, 2]], axis=1), faces


def mesh_scan(data_folder: Path) -> MeshScan:
    """All vertebrae on one grid of 1 mm."""
    meshes = {level: load_mesh(data_folder / FOLDER / f"{level}.obj.gz") for level in LEVELS}
    low = np.floor(np.min([points.min(axis=0) for points, _ in meshes.values()], axis=0)) - MARGIN_MM
    high = np.ceil(np.max([points.max(axis=0) for points, _ in meshes.values()], axis=0)) + MARGIN_MM
    size = (high - low).astype(int)
    shape = (int(size[0]), int(size[1]), int(size[2]))
    values = np.zeros(shape, dtype=np.uint16)
    for level, (points, faces) in meshes.items():
        values[inside(points - low, faces, shape)] = vertebra_value(level)
    affine = np.eye(4)
    affine[:3, 3] = low
    geometry = VolumeGeometry(shape=shape, affine_mm=affine, frame_uid="1.2.6")
    image = np.where(values > 0, 400.0, 40.0).astype(np.float32)
    return MeshScan(
        image=Volume(geometry=geometry, values=image, modality=Modality.CT),
        labels=LabelMap(geometry=geometry, values=values),
    )


def inside(points: FloatArray, faces: NDArray[np.int64], shape: tuple[int, int, int]) -> NDArray[np.bool_]:
    """Voxels of a unit grid whose centres lie inside a closed mesh: crossings of each vertical line, counted."""
    crossings = np.zeros(shape, dtype=np.int32)
    nudge = np.array([1.3e-5, 2.7e-5])  # no line runs exactly through an edge
    for a, b, c in points[faces]:
        low = np.maximum(np.ceil(np.min([a, b, c], axis=0)[:2] - nudge), 0).astype(int)
        high = np.minimum(np.floor(np.max([a, b, c], axis=0)[:2] - nudge), np.array(shape[:2]) - 1).astype(int)
        area = (b[0] - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (b[1] - a[1])
        if (high < low).any() or abs(area) < 1e-12:
            continue
        x, y = np.meshgrid(np.arange(low[0], high[0] + 1), np.arange(low[1], high[1] + 1), indexing="ij")
        px, py = x + nudge[0] - a[0], y + nudge[1] - a[1]
        along_b = (px * (c[1] - a[1]) - py * (c[0] - a[0])) / area
        along_c = (py * (b[0] - a[0]) - px * (b[1] - a[1])) / area
        hit = (along_b >= 0) & (along_c >= 0) & (along_b + along_c <= 1)
        height = a[2] + along_b * (b[2] - a[2]) + along_c * (c[2] - a[2])
        above = np.clip(np.ceil(height[hit]).astype(int), 0, shape[2] - 1)
        np.add.at(crossings, (x[hit], y[hit], above), 1)
    return np.cumsum(crossings, axis=2) % 2 == 1


def plate(data_folder: Path, level: Vertebra, side: Side) -> FloatArray:
    """Vertices (n, 3) of the separate mesh of a superior articular process: the plate along its facet."""
    name = f"{level}_superior_articular_process_{LETTER[side]}.obj.gz"
    return load_mesh(data_folder / FOLDER / name)[0]


def groove(scan: MeshScan, data_folder: Path, level: Vertebra, side: Side) -> FloatArray:
    """Points (n, 3; LPS, mm) of the groove between superior articular and transverse process, from low to high."""
    both = [_corners(scan, plate(data_folder, level, own), level, own) * [own.sign, 1.0, 1.0] for own in Side]
    together = np.concatenate(both) * [side.sign, 1.0, 1.0]
    return together[np.argsort(together[:, 2], kind="stable")]


def _corners(scan: MeshScan, plate_mm: FloatArray, level: Vertebra, side: Side) -> FloatArray:
    mask = scan.labels.values == vertebra_value(level)
    low = scan.labels.geometry.lps_mm(np.zeros((1, 3)))[0]
    lateral_mm, middle_mm = (side.sign * plate_mm[:, 0]).max(), abs(plate_mm[:, 0].mean())
    corners = []
    for height in np.flatnonzero(mask.any(axis=(0, 1))):
        cut = ndimage.gaussian_filter(mask[:, :, height].astype(np.float64), SMOOTH_MM)
        columns = np.flatnonzero((cut > 0.5).any(axis=1))
        rows = [[low[0] + column, low[1] + _hindmost(cut[column])] for column in columns]
        back = np.array(rows).reshape(-1, 2)
        back = (back * [side.sign, 1.0])[side.sign * back[:, 0] > middle_mm]
        corner = _corner(back[np.argsort(back[:, 0])], lateral_mm)
        if corner is not None:
            corners.append([side.sign * corner[0], corner[1], low[2] + height])
    return np.array(corners).reshape(-1, 3)


def _hindmost(column: FloatArray) -> float:
    """Index at which a line from front to back leaves the bone for good."""
    last = int(np.flatnonzero(column > 0.5)[-1])
    return last + (column[last] - 0.5) / (column[last] - column[last + 1])


def _corner(back: FloatArray, lateral_mm: float) -> FloatArray | None:
    """Deepest point (lateral, posterior) of the back of a cut (n, 2; from medial to lateral) between the processes."""
    if not len(back) or back[-1, 0] < lateral_mm + BEYOND_PLATE_MM:
        return None
    hind = int(back[:, 1].argmax())
    along = back[-1] - back[hind]
    offset = back[hind:] - back[hind]
    depth = (offset[:, 0] * along[1] - offset[:, 1] * along[0]) / float(np.linalg.norm(along))
    deepest = int(depth.argmax())
    return back[hind + deepest] if depth[deepest] >= DEEP_MM else None


def ala_notch(scan: MeshScan, data_folder: Path, side: Side) -> FloatArray:
    """The saddle (3,) between the first sacral superior articular process and the ala (LPS, mm)."""
    plate_mm = plate(data_folder, SACRUM, side)
    mask = scan.labels.values == vertebra_value(SACRUM)
    mask &= (side.sign * _coordinate(scan, 0) > 0)[:, None, None]
    top = np.rint(scan.labels.geometry.index(plate_mm[plate_mm[:, 2].argmax()])).astype(int)
    lateral = side.sign * _coordinate(scan, 0) > (side.sign * plate_mm[:, 0]).max() + BESIDE_PLATE_MM
    for height in range(top[2] - 2, 0, -1):
        pieces, _ = ndimage.label(mask[:, :, height:])
        near = pieces[top[0] - 4 : top[0] + 5, top[1] - 4 : top[1] + 5]
        own = np.bincount(near[near > 0]).argmax() if near.any() else 0
        if own and (pieces == own)[lateral].any():
            return _between(scan, mask, height, top, lateral)
    raise AssertionError("process and ala are not joined")


def _between(
    scan: MeshScan, mask: NDArray[np.bool_], height: int, top: NDArray[np.int64], lateral: NDArray[np.bool_]
) -> FloatArray:
    """Middle of the shortest way between the two pieces just above the cut at which they join."""
    pieces, _ = ndimage.label(mask[:, :, height + 1 :])
    near = pieces[top[0] - 4 : top[0] + 5, top[1] - 4 : top[1] + 5]
    process = np.argwhere(pieces == np.bincount(near[near > 0]).argmax())
    ala = np.argwhere((pieces > 0) & lateral[:, None, None] & (pieces != pieces[tuple(process[0])]))
    piece = np.bincount(pieces[tuple(ala.T)]).argmax()
    other = np.argwhere(pieces == piece)
    distance, nearest = cKDTree(process).query(other)
    ways = distance < distance.min() + 1.0
    middle = 0.5 * (other[ways] + process[nearest[ways]]).mean(axis=0)
    middle[2] = height
    return scan.labels.geometry.lps_mm(middle[None])[0]


def _coordinate(scan: MeshScan, axis: int) -> FloatArray:
    geometry = scan.labels.geometry
    return geometry.lps_mm(np.zeros((1, 3)))[0][axis] + np.arange(geometry.shape[axis], dtype=np.float64)
