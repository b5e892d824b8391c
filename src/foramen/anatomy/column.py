"""The bones of a column as a label map shows them, for counting: places, sizes, gaps, ribs, the border of the image."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import cc3d
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from foramen.anatomy.counting import SACRUM, ColumnBone
from foramen.knowledge.facts import number
from foramen.model.space import FloatArray, VolumeGeometry

NearestTree = cKDTree
"""Search tree over points of a surface."""

MOST_POINTS = 4000
"""Points of one surface that distances are measured from; more change a distance by less than a millimetre or two."""

_QUARTER = 0.25
"""Lowest part of a bone whose width is held against its upper half's."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Shape:
    """Surface of one number, and how it tapers downwards."""

    bone: ColumnBone
    surface_mm: FloatArray
    taper_fraction: float


def read_column(
    numbers: NDArray[np.uint16],
    geometry: VolumeGeometry,
    *,
    ribs: NDArray[np.bool_] | None = None,
    known: Mapping[int, str] | None = None,
) -> tuple[ColumnBone, ...]:
    """Every vertebra of a label array as a bone for counting, from above downwards.

    Parameters
    ----------
    numbers : ndarray of int, shape (i, j, k)
        A number for each vertebra and 0 elsewhere; what the numbers mean does not matter.
    geometry : VolumeGeometry
        Grid of the array.
    ribs : ndarray of bool, optional
        Voxels of ribs; None where ribs are not labelled, so that nothing is known of them.
    known : mapping, optional
        Number -> name of bones whose name is known, such as the sacrum's.
    """
    known = known or {}
    boxes = ndimage.find_objects(numbers)
    tree = _rib_tree(ribs, geometry)
    shapes: list[_Shape] = []
    for value, box in enumerate(boxes, 1):
        if box is None:
            continue
        shape = _shape(numbers[box] == value, box, geometry, value=value, name=known.get(value, ""))
        if shape.bone.volume_mm3 >= number("counting.fewest_volume_mm3"):
            shapes.append(replace(shape, bone=replace(shape.bone, has_rib=_has_rib(shape.surface_mm, tree))))
    shapes.sort(key=lambda shape: -float(shape.bone.centre_mm[2]))
    return tuple(
        replace(
            shape.bone,
            gap_below_mm=_gap_mm(shape, shapes[place + 1]) if place + 1 < len(shapes) else 0.0,
            known=shape.bone.known or (SACRUM if _is_sacrum(shapes, place) else ""),
        )
        for place, shape in enumerate(shapes)
    )


def _shape(mask: NDArray[np.bool_], box: Sequence[slice], geometry: VolumeGeometry, *, value: int, name: str) -> _Shape:
    voxel_mm3 = abs(float(np.linalg.det(geometry.affine_mm[:3, :3])))
    low = np.array([part.start for part in box], dtype=np.float64)
    inside_mm = geometry.lps_mm(np.argwhere(mask) + low)
    surface_mm = geometry.lps_mm(np.argwhere(mask & ~ndimage.binary_erosion(mask)) + low)
    pieces = np.sort(np.bincount(cc3d.connected_components(mask, connectivity=26).ravel())[1:])[::-1]
    is_cut = _is_cut(box, geometry)  # a cut vertebra comes apart by itself, into body and processes
    is_split = not is_cut and len(pieces) > 1 and pieces[1] > number("counting.piece_fraction") * pieces[0]
    bone = ColumnBone(
        number=value,
        centre_mm=inside_mm.mean(axis=0),
        volume_mm3=float(mask.sum()) * voxel_mm3,
        is_cut=is_cut,
        known=name,
        is_split=bool(is_split),
    )
    thin = max(1, len(surface_mm) // MOST_POINTS)
    return _Shape(bone=bone, surface_mm=surface_mm[::thin], taper_fraction=_taper(inside_mm))


def _is_cut(box: Sequence[slice], geometry: VolumeGeometry) -> bool:
    """Whether a box touches the upper or lower border of the image."""
    axis = int(np.argmax(np.abs(geometry.axes[2])))
    return bool(box[axis].start == 0 or box[axis].stop == geometry.shape[axis])


def _taper(points_mm: FloatArray) -> float:
    """Width from left to right of the lowest quarter of a bone, beside that of its upper half."""
    height = points_mm[:, 2]
    low, high = float(height.min()), float(height.max())
    lowest = points_mm[height < low + _QUARTER * (high - low), 0]
    upper = points_mm[height > (low + high) / 2, 0]
    if not len(lowest) or not len(upper) or np.ptp(upper) == 0:
        return 1.0
    return float(np.ptp(lowest) / np.ptp(upper))


def _is_sacrum(shapes: Sequence[_Shape], place: int) -> bool:
    """Whether the lowest bone is a whole sacrum by its size and by growing narrow downwards."""
    bone = shapes[place].bone
    above = [shape.bone.volume_mm3 for shape in shapes[max(0, place - 3) : place] if not shape.bone.is_cut]
    return (
        place == len(shapes) - 1
        and bool(above)
        and not bone.is_cut
        and bone.volume_mm3 > number("counting.sacrum_volume_ratio") * float(np.median(above))
        and shapes[place].taper_fraction < number("counting.sacrum_taper_fraction")
    )


def _gap_mm(upper: _Shape, lower: _Shape) -> float:
    return float(NearestTree(upper.surface_mm).query(lower.surface_mm)[0].min())


def _rib_tree(ribs: NDArray[np.bool_] | None, geometry: VolumeGeometry) -> cKDTree | None:
    if ribs is None or not ribs.any():
        return None
    index = np.argwhere(ribs)[:: max(1, int(ribs.sum()) // (10 * MOST_POINTS))]
    return NearestTree(geometry.lps_mm(index.astype(np.float64)))


def _has_rib(surface_mm: FloatArray, tree: cKDTree | None) -> bool | None:
    """Whether a rib comes near; None between near and far, and without labels of ribs."""
    if tree is None:
        return None
    far_mm = number("counting.no_rib_mm")
    nearest = float(tree.query(surface_mm, distance_upper_bound=2 * far_mm)[0].min())
    if nearest <= number("counting.rib_reach_mm"):
        return True
    return False if nearest > far_mm else None


def name_known(bones: Iterable[ColumnBone], known: Mapping[int, str]) -> tuple[ColumnBone, ...]:
    """The bones with further names known."""
    return tuple(replace(bone, known=known.get(bone.number, bone.known)) for bone in bones)
