"""Distance field of each bone of the reference body, with the facet joints kept apart."""

from __future__ import annotations

from functools import cache

import numpy as np

from foramen.anatomy.reference_body import lumbar, sacrum
from foramen.anatomy.reference_body.dimensions import dimensions, joint_space_mm, level_index
from foramen.anatomy.reference_body.field import FIELD_SPACING_MM, BoneField, coordinates, union_of
from foramen.anatomy.reference_body.posture import mean_frames
from foramen.anatomy.reference_body.primitives import Box, Strut, smooth_maximum
from foramen.model.levels import Vertebra, neighbour_below

_LUMBAR_BOX: Box = ((-54.0, -24.0, -44.0), (54.0, 76.0, 34.0))
_SACRUM_BOX: Box = ((-66.0, -28.0, -96.0), (66.0, 58.0, 36.0))


@cache
def bone_field(level: Vertebra) -> BoneField:
    """Field of a bone of the mean body in its own frame; its inferior facets stand off the bone below.

    Raises
    ------
    LevelError
        If the reference body does not have that vertebra.
    """
    field = _carved(level)
    below = neighbour_below(level)
    if below is None or level.name == "S1":
        return field
    frames = mean_frames()
    lower = _carved(below)
    shape = field.distance_mm.shape
    x, y, z = coordinates(field.low_mm, (shape[0], shape[1], shape[2]))
    rows = slice(0, int((0.0 - field.low_mm[2]) / FIELD_SPACING_MM))  # the lower half, where the neighbour can be
    points = np.stack([np.broadcast_to(c, (shape[0], shape[1], rows.stop)) for c in (x, y, z[:, :, rows])], axis=-1)
    in_lower = frames[below].to_vertebra(frames[level].to_lps(points.reshape(-1, 3)))
    room = joint_space_mm() - lower.at(in_lower).reshape(points.shape[:3]).astype(np.float32)
    distance = field.distance_mm.copy()
    distance[:, :, rows] = smooth_maximum(distance[:, :, rows], room, 1.0)
    return BoneField(low_mm=field.low_mm, distance_mm=distance, part=field.part)


@cache
def _carved(level: Vertebra) -> BoneField:
    level_index(level)
    if level.name == "S1":
        field = union_of(sacrum.solids(), _SACRUM_BOX)
        cutters: tuple[Strut, ...] = sacrum.cutters()
    else:
        field = union_of(lumbar.solids(level), _LUMBAR_BOX)
        cutters = (lumbar.canal_cutter(dimensions(level)),)
    left = lumbar.facet_cutter(dimensions(level))
    shape = field.distance_mm.shape
    x, y, z = coordinates(field.low_mm, (shape[0], shape[1], shape[2]))
    distance = field.distance_mm
    for cutter in (*cutters, left, lumbar.mirror(left)):
        distance = smooth_maximum(distance, -cutter.distance(x, y, z), cutter.blend_mm)
    return BoneField(low_mm=field.low_mm, distance_mm=distance, part=field.part)
