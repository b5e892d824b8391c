"""Which tissue every voxel is: by its label, or without one by its Hounsfield number, and which of both."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from foramen.anatomy.label_tissue import is_shell
from foramen.errors import FrameError, ImageError
from foramen.geometry.skin import find_body
from foramen.knowledge.facts import number
from foramen.knowledge.labels import label
from foramen.knowledge.thermal import TISSUES
from foramen.model.space import FloatArray, LabelMap, Modality, Volume, VolumeGeometry

ORIGINS = ("outside_body", "label", "inferred_from_hu", "assumed_without_label")
"""How a voxel's tissue came to be known; `origin_index` counts in this tuple."""

_RIM_VOXELS = 3
"""The body found on a thinned grid is widened by this before anything outside counts as air."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TissueMap:
    """Tissue of every voxel: `names[tissue_index]`, known by `ORIGINS[origin_index]` (both uint8, axes i, j, k).

    `is_density_known` is False on an MR: fat, air, bone and metal without a label are then not told apart.
    """

    geometry: VolumeGeometry
    tissue_index: NDArray[np.uint8]
    names: tuple[str, ...]
    origin_index: NDArray[np.uint8]
    is_density_known: bool = True

    def at(self, points_mm: FloatArray) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Tissue and origin index of the voxels nearest to LPS points (n, 3); beyond the grid, of its edge."""
        index = np.rint(self.geometry.index(points_mm)).astype(np.intp)
        i, j, k = (np.clip(index[:, axis], 0, self.geometry.shape[axis] - 1) for axis in range(3))
        return self.tissue_index[i, j, k], self.origin_index[i, j, k]

    def is_tissue(self, name: str) -> NDArray[np.bool_]:
        """Voxels of one tissue."""
        mask: NDArray[np.bool_] = self.tissue_index == self.names.index(name)
        return mask


def classify_tissue(image: Volume, labels: LabelMap) -> TissueMap:
    """Tissue of every voxel.

    A label decides where there is one; labelled bone is split into cortical and cancellous by HU. Unlabelled voxels
    in the body are air, fat, soft tissue, bone or metal by HU (thresholds in `tissues.yaml`). Metal overrides any
    label. Outside the body is air. An MR tells no density: labelled bone is cortical near its surface, and what is
    unlabelled in the body is taken as soft tissue.

    Raises
    ------
    FrameError
        If image and labels are not on one grid.
    ImageError
        If a label value is unknown.
    """
    if not image.geometry.same_as(labels.geometry):
        raise FrameError("The label map is not on the image's grid. Resample it to the image first.")
    if image.modality is not Modality.CT:
        return _without_density(image, labels)
    by_hu = _by_hounsfield(image.values)
    tissue = np.where(labels.values > 0, _by_label(labels.values)[labels.values], by_hu)
    origin = np.where(labels.values > 0, 1, 2).astype(np.uint8)
    is_bone = tissue == _BONE
    dense = image.values >= number("tissues.cortical_from_hu")
    tissue[is_bone] = np.where(dense[is_bone], _index("bone_cortical"), _index("bone_cancellous"))
    is_metal = by_hu == _index("metal")
    origin[is_metal & (tissue != _index("metal"))] = 2
    tissue[is_metal] = _index("metal")
    outside = _outside(image) & (labels.values == 0) & ~is_metal
    tissue[outside], origin[outside] = _index("air"), 0
    return TissueMap(geometry=image.geometry, tissue_index=tissue, names=TISSUES, origin_index=origin)


def _without_density(image: Volume, labels: LabelMap) -> TissueMap:
    """Tissue of every voxel of an MR, by the labels alone."""
    is_labelled = labels.values > 0
    tissue = np.where(is_labelled, _by_label(labels.values)[labels.values], np.uint8(_index("soft_tissue")))
    origin = np.where(is_labelled, ORIGINS.index("label"), ORIGINS.index("assumed_without_label")).astype(np.uint8)
    is_bone = tissue == _BONE
    tissue[is_bone] = _index("bone_cancellous")
    tissue[is_shell(is_bone, image.geometry)] = _index("bone_cortical")
    outside = _outside(image) & ~is_labelled
    tissue[outside], origin[outside] = _index("air"), 0
    return TissueMap(
        geometry=image.geometry, tissue_index=tissue, names=TISSUES, origin_index=origin, is_density_known=False
    )


_BONE = 255
"""Marks bone that is still to be split."""


def _index(name: str) -> int:
    return TISSUES.index(name)


def _by_label(values: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """Tissue index by label value; raises `ImageError` for a value that the table does not know."""
    table = np.zeros(1 << 16, dtype=np.uint8)
    for value in np.unique(values):
        if value == 0:
            continue
        entry = label(int(value))
        if entry is None:
            raise ImageError(
                f"The label map holds the value {value}, which labels.yaml does not know. "
                "Import it again with a mapping file."
            )
        table[value] = _BONE if entry.tissue == "bone" else _index(entry.tissue)
    return table


def _by_hounsfield(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    limits = [number(f"tissues.{key}") for key in ("air_below_hu", "fat_below_hu", "bone_from_hu")]
    limits += [number("tissues.cortical_from_hu"), number("tissues.metal_from_hu")]
    kinds = np.array([_index(k) for k in ("air", "fat", "soft_tissue", "bone_cancellous", "bone_cortical", "metal")])
    tissue: NDArray[np.uint8] = kinds.astype(np.uint8)[np.digitize(values, limits)]
    return tissue


def _outside(image: Volume) -> NDArray[np.bool_]:
    """Voxels outside the body."""
    body = find_body(image, threshold_hu=number("tissues.air_below_hu"))
    inside = ndimage.binary_dilation(body.inside > 0, iterations=_RIM_VOXELS)
    thin = [round(a / b) for a, b in zip(body.geometry.spacing_mm, image.geometry.spacing_mm, strict=True)]
    i, j, k = (
        np.minimum(np.arange(n) // t, m - 1) for n, t, m in zip(image.geometry.shape, thin, inside.shape, strict=True)
    )
    outside: NDArray[np.bool_] = ~inside[np.ix_(i, j, k)]
    return outside
