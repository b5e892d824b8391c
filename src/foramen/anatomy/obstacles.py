"""What a needle may meet on its way: bone, keep-outs and nerves, as distance queries."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from foramen.errors import FrameError, ImageError
from foramen.geometry.distance_field import DistanceField
from foramen.geometry.segments import segment_polyline_distance
from foramen.knowledge.labels import FIRST_STRUCTURE, label
from foramen.model.anatomy import Anatomy, KeepOut, KeepOutStatus, Nerve, NerveKind
from foramen.model.space import FloatArray, LabelMap, Modality, Volume, VolumeGeometry, require_same_frame

HARD_TISSUES = frozenset({"bone", "cement"})
"""Tissues of the label table that a needle cannot pass."""

NEURAL_KINDS = (NerveKind.SPINAL_NERVE, NerveKind.DORSAL_ROOT_GANGLION)
"""Nerves that a needle must keep away from; the others are targets."""

RIM_TOLERANCES = 1.25
"""Dense voxels nearer to labelled bone than this many half voxel diagonals are its blurred edge, not more bone."""

_PART_WORDS = {
    "whole": "vertebra",
    "arch": "lamina",
    "superior_articular_left": "superior articular process",
    "superior_articular_right": "superior articular process",
    "inferior_articular_left": "inferior articular process",
    "inferior_articular_right": "inferior articular process",
    "transverse_left": "transverse process",
    "transverse_right": "transverse process",
    "pedicle_left": "pedicle",
    "pedicle_right": "pedicle",
    "ala_left": "ala",
    "ala_right": "ala",
    "spinous": "spinous process",
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cloud:
    """One structure: its surface voxels for distances from afar, and which label values it has.

    Parameters
    ----------
    tree : KDTree
        Centres of the voxels with a face neighbour outside the structure, LPS.
    is_own : ndarray of bool, shape (65536,)
        Whether a label value belongs to the structure.
    """

    name: str
    tree: KDTree
    labels: LabelMap
    is_own: NDArray[np.bool_]

    def distance_mm(self, points_mm: FloatArray, *, within_mm: float = np.inf) -> FloatArray:
        """Distances (...) mm of LPS points (..., 3) to the faces of the structure's outer voxels, 0 inside it.

        Beyond `within_mm` the distance is infinite, which is much faster to find out.
        """
        points = np.asarray(points_mm, dtype=np.float64).reshape(-1, 3)
        half_voxel_mm = float(self.labels.geometry.spacing_mm.min() / 2)
        centre_mm, _ = self.tree.query(points, distance_upper_bound=within_mm + half_voxel_mm)
        distance: FloatArray = np.where(self._contains(points), 0.0, np.maximum(centre_mm - half_voxel_mm, 0.0))
        return distance.reshape(np.shape(points_mm)[:-1])

    def _contains(self, points_mm: FloatArray) -> NDArray[np.bool_]:
        geometry = self.labels.geometry
        index = np.rint(geometry.index(points_mm)).astype(np.intp)
        is_in_grid: NDArray[np.bool_] = np.all((index >= 0) & (index < np.array(geometry.shape)), axis=1)
        i, j, k = np.where(is_in_grid[:, None], index, 0).T
        inside: NDArray[np.bool_] = is_in_grid & self.is_own[self.labels.values[i, j, k]]
        return inside


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Obstacles:
    """Everything that a needle may meet around one target.

    Parameters
    ----------
    bone : DistanceField
        Labelled bone, and unlabelled voxels that are as dense as bone, around the target.
    bone_values : ndarray of uint16, shape (n,)
        Label value of each voxel in `bone_tree`; 0 stands for bone known only from its density.
    keep_outs : tuple of Cloud
        Structures that this patient's labels show.
    nerves : tuple of Nerve
        Spinal nerves and dorsal root ganglia.
    unknown : tuple of KeepOut
        Structures that this patient's images and labels do not show.
    tolerance_mm : float
        Half of a voxel's diagonal in the label map.
    """

    bone: DistanceField
    bone_tree: KDTree
    bone_values: NDArray[np.uint16]
    keep_outs: tuple[Cloud, ...]
    nerves: tuple[Nerve, ...]
    unknown: tuple[KeepOut, ...]
    tolerance_mm: float

    def bone_names(self, points_mm: FloatArray) -> tuple[str, ...]:
        """Names in words of the bones nearest to LPS points (n, 3)."""
        _, nearest = self.bone_tree.query(np.atleast_2d(points_mm))
        return tuple(bone_words(int(value)) for value in self.bone_values[nearest])

    def nerve_distances_mm(self, starts_mm: FloatArray, ends_mm: FloatArray) -> FloatArray:
        """Distances (n, number of nerves) mm between segments (n, 3) and the surfaces of the nerves."""
        if not self.nerves:
            return np.full((len(starts_mm), 0), np.inf)
        return np.stack(
            [segment_polyline_distance(starts_mm, ends_mm, n.centreline_mm) - n.radius_mm for n in self.nerves], axis=1
        )


def bone_words(value: int) -> str:
    """Name in words of a bone's label value, such as "L4 lamina"; 0 is bone known only from its density."""
    entry = label(value)
    if entry is None:
        return "unlabelled bone (by its density)"
    if entry.vertebra is None:
        name = entry.name.replace("_", " ")
        return f"{entry.side.value} {name.removesuffix(entry.side.value).strip()}" if entry.side else name
    if entry.vertebra.name == "S1" and entry.part == "whole":
        return "sacrum"
    side = f"{entry.side.value} " if entry.side else ""
    return f"{side}{entry.vertebra} {_PART_WORDS.get(entry.part, entry.part.replace('_', ' '))}"


def find_obstacles(
    anatomy: Anatomy, image: Volume, labels: LabelMap, *, around_mm: FloatArray, bone_hu: float
) -> Obstacles:
    """What a needle may meet in a region.

    Parameters
    ----------
    around_mm : ndarray, shape (n, 3)
        LPS points whose bounding box, with a rim, is where bone is looked for; keep-outs are
        looked for in the whole label map.
    bone_hu : float
        Unlabelled voxels above it count as bone, except the blurred edge of labelled bone.

    Raises
    ------
    FrameError
        If anatomy, image and labels are in different frames of reference or on different grids.
    ImageError
        If no bone is labelled in the region.
    """
    require_same_frame(anatomy.frame_uid, labels.geometry.frame_uid, "Anatomy and label map")
    require_same_frame(image.geometry.frame_uid, labels.geometry.frame_uid, "Image and label map")
    if not image.geometry.same_as(labels.geometry):
        raise FrameError("Image and label map are on different grids. Resample the labels to the image.")
    bone, tree, values = _bone(image, labels, _block(labels.geometry, around_mm), bone_hu)
    shown = tuple(  # those without label values are shown by the nerves
        keep_out for keep_out in anatomy.keep_outs if keep_out.status is KeepOutStatus.SHOWN and keep_out.label_values
    )
    return Obstacles(
        bone=bone,
        bone_tree=tree,
        bone_values=values,
        keep_outs=_clouds(shown, labels),
        nerves=tuple(nerve for nerve in anatomy.nerves if nerve.kind in NEURAL_KINDS),
        unknown=tuple(keep_out for keep_out in anatomy.keep_outs if keep_out.status is KeepOutStatus.UNKNOWN),
        tolerance_mm=bone.tolerance_mm,
    )


Block = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]
"""First voxel and the one after the last, along each array axis."""


@lru_cache(maxsize=2)  # a search and the companions of its paths look at the same bone
def _bone(
    image: Volume, labels: LabelMap, within: Block, bone_hu: float
) -> tuple[DistanceField, KDTree, NDArray[np.uint16]]:
    geometry = _part(labels.geometry, within)
    block = tuple(slice(*ends) for ends in within)
    values = labels.values[block]
    is_labelled = _hard_values()[values]
    if not is_labelled.any():
        raise ImageError("No bone is labelled around the target. Check the label map in the contact sheet.")
    bone = DistanceField.from_mask(is_labelled, geometry)
    is_dense = (image.values[block] > bone_hu) & (values == 0) & (bone.values_mm > RIM_TOLERANCES * bone.tolerance_mm)
    if image.modality is Modality.CT and is_dense.any():
        bone = DistanceField.from_mask(is_labelled | is_dense, geometry)
    is_shell = (bone.values_mm <= 0) & (bone.values_mm > -2 * bone.tolerance_mm)
    index = np.argwhere(is_shell)
    return (
        bone,
        KDTree(geometry.lps_mm(index.astype(np.float64))),
        np.where(is_labelled[is_shell], values[is_shell], 0).astype(np.uint16),
    )


def _hard_values() -> NDArray[np.bool_]:
    table = np.zeros(np.iinfo(np.uint16).max + 1, dtype=np.bool_)
    table[1:FIRST_STRUCTURE] = True
    for value in range(FIRST_STRUCTURE, FIRST_STRUCTURE + 1000):
        entry = label(value)
        table[value] = entry is not None and entry.tissue in HARD_TISSUES
    return table


def _block(geometry: VolumeGeometry, around_mm: FloatArray, rim_mm: float = 20.0) -> Block:
    index = geometry.index(np.atleast_2d(around_mm))
    rim = rim_mm / geometry.spacing_mm
    low = np.clip(np.floor(index.min(axis=0) - rim), 0, np.array(geometry.shape) - 1).astype(int)
    high = np.maximum(np.clip(np.ceil(index.max(axis=0) + rim) + 1, 1, geometry.shape).astype(int), low + 1)
    (i, j, k), (ii, jj, kk) = (tuple(int(n) for n in ends) for ends in (low, high))
    return (i, ii), (j, jj), (k, kk)


def _part(geometry: VolumeGeometry, within: Block) -> VolumeGeometry:
    (i, ii), (j, jj), (k, kk) = within
    affine = geometry.affine_mm.copy()
    affine[:3, 3] = geometry.lps_mm(np.array([i, j, k], dtype=np.float64))
    return VolumeGeometry(shape=(ii - i, jj - j, kk - k), affine_mm=affine, frame_uid=geometry.frame_uid)


@lru_cache(maxsize=1)  # the targets of one plan share them; label maps are never changed, so identity is enough
def _clouds(keep_outs: tuple[KeepOut, ...], labels: LabelMap) -> tuple[Cloud, ...]:
    """Surface voxels of each keep-out: those with a face neighbour outside it."""
    wanted = np.zeros(np.iinfo(np.uint16).max + 1, dtype=np.bool_)
    wanted[[value for keep_out in keep_outs for value in keep_out.label_values]] = True
    padded = np.pad(np.ascontiguousarray(labels.values), 1)
    flat, linear = np.flatnonzero(wanted[padded]), padded.ravel()
    strides = np.array(padded.strides) // padded.itemsize
    return tuple(_cloud(keep_out, labels, flat, linear, strides) for keep_out in keep_outs)


def _cloud(
    keep_out: KeepOut,
    labels: LabelMap,
    flat: NDArray[np.intp],
    linear: NDArray[np.uint16],
    strides: NDArray[np.intp],
) -> Cloud:
    is_own = np.zeros(np.iinfo(np.uint16).max + 1, dtype=np.bool_)
    is_own[list(keep_out.label_values)] = True
    own = flat[is_own[linear[flat]]]
    if not own.size:
        raise ImageError(
            f"The keep-out {keep_out.name} is said to be shown, but none of its label values is in the label map. "
            "Build the anatomy again from this label map."
        )
    is_inner = np.ones(own.size, dtype=np.bool_)
    for stride in strides:
        is_inner &= is_own[linear[own - stride]] & is_own[linear[own + stride]]
    padded_shape = tuple(size + 2 for size in labels.geometry.shape)
    index = np.stack(np.unravel_index(own[~is_inner], padded_shape), axis=1) - 1
    points = labels.geometry.lps_mm(index.astype(np.float64))
    return Cloud(name=keep_out.name, tree=KDTree(points), labels=labels, is_own=is_own)
