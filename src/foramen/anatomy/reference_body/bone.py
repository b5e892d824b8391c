"""Distance field of each bone of the reference body, with the facet joints kept apart."""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy.ndimage import map_coordinates

from foramen.anatomy.reference_body.dimensions import joint_space_mm
from foramen.anatomy.reference_body.drawings_by_region import drawing_of
from foramen.anatomy.reference_body.field import FIELD_SPACING_MM, BoneField, carve, coordinates, union_of
from foramen.anatomy.reference_body.posture import mean_frames
from foramen.anatomy.reference_body.primitives import FAR_MM, smooth_maximum
from foramen.anatomy.reference_body.regions import LEVELS, require_bone
from foramen.model.levels import Vertebra, neighbour_below


@cache
def bone_field(level: Vertebra) -> BoneField:
    """Field of a bone of the mean body in its own frame; its inferior facets stand off the bone below.

    Raises
    ------
    LevelError
        If the reference body does not have that vertebra.
    """
    require_bone(level)
    field, joint_box = _carved(level), drawing_of(level).joint_box
    below = neighbour_below(level)
    if below is None or below.name not in LEVELS or joint_box is None:
        return field
    frames, lower = mean_frames(), _carved(below)
    near = tuple(
        slice(int((a - low) / FIELD_SPACING_MM), int((b - low) / FIELD_SPACING_MM) + 1)
        for a, b, low in zip(*joint_box, field.low_mm, strict=True)
    )
    shape = field.distance_mm.shape
    grid = coordinates(field.low_mm, (shape[0], shape[1], shape[2]))
    x, y, z = grid[0][near[0]], grid[1][:, near[1]], grid[2][:, :, near[2]]
    turn = frames[below].axes.T @ frames[level].axes
    shift = frames[below].to_vertebra(frames[level].origin_mm) - np.array(lower.low_mm)
    index = np.stack(
        [(x * turn[c, 0] + y * turn[c, 1] + z * turn[c, 2] + shift[c]) / FIELD_SPACING_MM for c in range(3)]
    )
    to_lower = map_coordinates(lower.distance_mm, index, order=1, cval=FAR_MM, output=np.float32)
    distance = field.distance_mm.copy()
    distance[near] = smooth_maximum(distance[near], joint_space_mm(level) - to_lower, 1.0)
    return BoneField(low_mm=field.low_mm, distance_mm=distance, part=field.part)


@cache
def _carved(level: Vertebra) -> BoneField:
    shape = drawing_of(level)
    return carve(union_of(shape.solids, shape.box), shape.cutters)
