"""The field of a reference bone that disease has changed: grown and rough facet joints, a sacralised L5."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from foramen.anatomy.reference_body.dimensions import dimensions
from foramen.anatomy.reference_body.field import FIELD_SPACING_MM, BoneField, coordinates, part_number
from foramen.anatomy.reference_body.lumbar import facet
from foramen.anatomy.reference_body.posture import mean_frames
from foramen.anatomy.reference_body.primitives import smooth_minimum
from foramen.anatomy.reference_body.shapes import placed
from foramen.anatomy.reference_body.vertebra import on_side
from foramen.knowledge.drawings import drawing
from foramen.knowledge.facts import number, numbers
from foramen.model.levels import Side, Vertebra
from foramen.model.space import FloatArray

REACH_RADII = 2.5
"""Growth is evaluated within this many Gaussian radii of its middle."""

SMALLEST_SHARE = 0.15
"""Least growth from place to place, as a share of the mean: bone does not shrink."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Growth:
    """Bone grown about a joint: its middle (3,) in the bone's frame, its growth, and that of its shell."""

    centre_mm: FloatArray
    growth_mm: float
    shell_mm: float


def growth_above(shape: Vertebra, side: Side, grade: int) -> Growth:
    """Growth of a bone's superior facet on one side by the grade of the joint above it."""
    return _growth(facet(dimensions(shape))[0], side, grade)


def growth_below(shape: Vertebra, lower: Vertebra, side: Side, grade: int) -> Growth:
    """Growth of a bone's inferior facet on one side by the grade of the joint with the bone below it."""
    frames = mean_frames()
    centre, _, normal = facet(dimensions(lower))
    behind = centre + drawing("reference_bones.facet").numbers["inferior_process_mm"] * normal
    return _growth(frames[shape].to_vertebra(frames[lower].to_lps(behind)), side, grade)


def _growth(left_mm: FloatArray, side: Side, grade: int) -> Growth:
    return Growth(
        centre_mm=on_side(left_mm, side),
        growth_mm=numbers("cohort.facet_growth_mm")[grade - 1],
        shell_mm=numbers("cohort.facet_sclerosis_mm")[grade - 1],
    )


def grown(field: BoneField, growths: tuple[Growth, ...], generator: np.random.Generator) -> BoneField:
    """The field with bone grown about joints, unevenly as osteophytes are."""
    radius_mm, bump_mm = number("cohort.facet_reach_mm"), number("cohort.facet_roughness_mm")
    distance = field.distance_mm.copy()
    grid = coordinates(field.low_mm, distance.shape)
    for growth in growths:
        low = np.array(growth.centre_mm) - REACH_RADII * radius_mm
        first = np.maximum(np.floor(field.index(low)), 0).astype(int)
        last = np.ceil(field.index(low + 2 * REACH_RADII * radius_mm)).astype(int) + 1
        near = tuple(slice(a, b) for a, b in zip(first, last, strict=True))
        x, y, z = grid[0][near[0]], grid[1][:, near[1]], grid[2][:, :, near[2]]
        cx, cy, cz = growth.centre_mm
        away = (x - cx) ** 2 + (y - cy) ** 2 + (z - cz) ** 2
        block = distance[near]
        bumps = gaussian_filter(generator.standard_normal(block.shape, dtype=np.float32), bump_mm / FIELD_SPACING_MM)
        bumps *= np.float32(number("cohort.facet_roughness_fraction")) / max(float(bumps.std()), 1e-6)
        share = np.clip(1 + bumps, SMALLEST_SHARE, None)
        block -= (growth.growth_mm * share * np.exp(-away / (2 * radius_mm**2))).astype(np.float32)
    return BoneField(low_mm=field.low_mm, distance_mm=distance, part=field.part)


def sacralised(field: BoneField, sides: tuple[Side, ...]) -> BoneField:
    """L5 with transverse processes that reach down to the sacral ala on the given sides."""
    distance, part = field.distance_mm.copy(), field.part.copy()
    grid = coordinates(field.low_mm, distance.shape)
    for side in sides:
        x, y, z = grid[0] * np.float32(side.sign), grid[1], grid[2]
        for shape in drawing("cohort.sacralised_l5").struts.values():
            own = placed(shape).distance(x, y, z)
            part[own < distance] = part_number(f"transverse_{side.value}")
            distance = smooth_minimum(distance, own, shape.blend_mm)
    return BoneField(low_mm=field.low_mm, distance_mm=distance, part=part)
