"""The lumbar sympathetic chain before the sides of the bodies L2 to L4, medial to the psoas (left side)."""

from __future__ import annotations

import numpy as np

from foramen.anatomy.reference_body.course import Course, Lie, smooth_course
from foramen.anatomy.reference_body.dimensions import VertebraDimensions
from foramen.knowledge.drawings import drawing
from foramen.knowledge.facts import number
from foramen.model.anatomy import NerveKind
from foramen.model.levels import Root

LEVELS_OF_CHAIN = ("L2", "L3", "L4")
"""Vertebrae by which the chain is drawn: where it is blocked."""


def sympathetic_course(own: VertebraDimensions) -> Course:
    """The stretch of the chain beside one vertebra, from the disc above to the disc below."""
    rows = drawing("reference_bones.sympathetic_chain").rows
    size = np.array([0.5 * own.body_width_mm, 0.5 * own.body_depth_mm, 0.5 * own.body_height_mm])
    lateral, posterior, superior = (np.array(rows[name]) for name in ("lateral", "posterior", "superior"))
    points = np.stack([lateral, posterior, superior], axis=1) * size
    return Course(
        name=f"{own.level} sympathetic chain",
        kind=NerveKind.SYMPATHETIC_CHAIN,
        root=Root(own.level.name),
        points_mm=smooth_course(points),
        radius_mm=0.5 * number("anatomy.sympathetic_chain_diameter_mm"),
        variation_sd_mm=number("anatomy.sympathetic_chain_variation_sd_mm"),
        lie=Lie.CLEAR_OF_BONE,
    )
