"""Tissue of an MR's voxels: only the labels tell it, since signal has no scale; what is unlabelled is assumed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from foramen.knowledge.facts import number
from foramen.model.space import VolumeGeometry


def is_shell(bone: NDArray[np.bool_], geometry: VolumeGeometry) -> NDArray[np.bool_]:
    """Voxels of labelled bone within a cortex's thickness of its surface (`mr_reading.cortical_shell_mm`)."""
    found = np.zeros_like(bone)
    if not bone.any():
        return found
    box = ndimage.find_objects(bone.astype(np.uint8))[0]
    block = tuple(slice(max(part.start - 1, 0), part.stop + 1) for part in box)
    deep = ndimage.distance_transform_edt(bone[block], sampling=geometry.spacing_mm)
    # distances run to the next voxel's centre; the surface lies half a voxel nearer
    shell = deep - 0.5 * float(geometry.spacing_mm.min()) <= number("mr_reading.cortical_shell_mm")
    found[block] = bone[block] & shell
    return found
