"""What disease does to the CT inside bones and discs: thin spongy bone, crushed bone, changed marrow, gas."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from foramen.anatomy.reference_body.assembly import PlacedBone, own_coordinates
from foramen.anatomy.reference_body.canvas import Canvas
from foramen.anatomy.reference_body.dimensions import dimensions
from foramen.anatomy.reference_body.person import Person
from foramen.anatomy.reference_body.placement import Placement
from foramen.anatomy.reference_body.primitives import Field
from foramen.anatomy.reference_body.tissue_hu import BoneMaterial
from foramen.knowledge.facts import number, numbers
from foramen.knowledge.labels import disc_value
from foramen.model.levels import Vertebra


def material_of(person: Person) -> BoneMaterial:
    """Bone of a person: spongy bone by age, a thin shell with osteoporosis."""
    is_thin = person.pathologies.has_osteoporosis
    return BoneMaterial(
        cancellous_hu=person.cancellous_hu,
        shell_fraction=number("cohort.osteoporosis_cortex_fraction") if is_thin else 1.0,
    )


def draw_findings(
    image: Field, canvas: Canvas, bones: list[PlacedBone], placements: Mapping[Vertebra, Placement], person: Person
) -> None:
    """Draw into the image what a person's changes look like inside bones and discs."""
    change = person.pathologies
    by_level = dict(zip(reversed(list(placements)), bones, strict=False))
    levels = list(placements)
    if change.fracture is not None and change.fracture.level in by_level:
        level = change.fracture.level
        depth_mm = number("cohort.fracture_dense_mm")
        _marrow(image, canvas, by_level[level], placements[level], number("cohort.fracture_dense_hu"), depth_mm, 1.0)
    if change.modic is not None and change.modic.above in by_level:
        change_hu = numbers("cohort.modic_hu")[change.modic.type - 1]
        above, depth_mm = change.modic.above, change.modic.depth_mm
        _marrow(image, canvas, by_level[above], placements[above], change_hu, depth_mm, -1.0)
        for below in levels[levels.index(above) + 1 : levels.index(above) + 2]:
            _marrow(image, canvas, by_level[below], placements[below], change_hu, depth_mm, 1.0)
    for disc in change.discs:
        if disc.has_gas and disc.above in by_level:
            _gas(image, canvas, by_level[disc.above], placements[disc.above])


def _marrow(
    image: Field,
    canvas: Canvas,
    bone: PlacedBone,
    placement: Placement,
    change_hu: float,
    depth_mm: float,
    end: float,
) -> None:
    """Change spongy bone below the upper (`end` 1) or above the lower (-1) endplate, most in front of the middle."""
    own = dimensions(placement.drawn_as)
    x, y, z = own_coordinates(canvas, bone.block, placement)
    plate = own.body_height_mm * 0.5 - z if end > 0 else z + 0.5 * own.body_height_mm + y * np.tan(own.wedge_rad)
    inside = bone.is_body & (bone.distance_mm < -number("anatomy.cortical_transition_mm"))
    share = np.clip(1.5 - plate / np.float32(depth_mm), 0, 1)
    share = share * np.clip(1.2 - (x / (0.5 * own.body_width_mm)) ** 2 - np.clip(y / own.body_depth_mm, 0, 1), 0, 1)
    image[bone.block] += np.where(inside, np.float32(change_hu) * share, 0).astype(np.float32)


def _gas(image: Field, canvas: Canvas, bone: PlacedBone, placement: Placement) -> None:
    """Gas in the middle of the disc below a bone."""
    own = dimensions(placement.drawn_as)
    x, y, z = own_coordinates(canvas, bone.block, placement)
    wide, deep, high = numbers("cohort.vacuum_extent_fraction")
    half_mm = 0.5 * high * own.disc_height_mm
    under = z + 0.5 * own.body_height_mm + y * np.tan(own.wedge_rad)  # 0 at the lower endplate
    gas = (x / (0.5 * wide * own.body_width_mm)) ** 2 + (y / (0.5 * deep * own.body_depth_mm)) ** 2
    gas = gas + ((under + half_mm) / half_mm) ** 2
    inside = (gas < 1) & (canvas.labels[bone.block] == disc_value(placement.level))
    image[bone.block][inside] = number("cohort.hu_vacuum")
