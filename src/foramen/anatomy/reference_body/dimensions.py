"""Dimensions of the reference vertebrae, from the knowledge files of their regions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from foramen.anatomy.reference_body.regions import FACTS_OF_REGION, place_in_region, region_of
from foramen.errors import KnowledgeError
from foramen.knowledge.facts import number, numbers
from foramen.model.levels import Vertebra


@dataclass(frozen=True, slots=True, kw_only=True)
class VertebraDimensions:
    """Dimensions of one vertebra (mm and degrees; NaN where the sacrum has none)."""

    level: Vertebra
    body_width_mm: float
    body_depth_mm: float
    body_height_mm: float
    body_wedge_deg: float
    disc_height_mm: float
    disc_wedge_deg: float
    pedicle_width_mm: float
    pedicle_height_mm: float
    canal_width_mm: float
    canal_depth_mm: float
    facet_centre_lateral_mm: float
    facet_angle_deg: float
    transverse_half_span_mm: float
    spinous_length_mm: float
    spinous_height_mm: float

    @property
    def posterior_wall_mm(self) -> float:
        """Posterior coordinate of the body's posterior wall."""
        return 0.5 * self.body_depth_mm

    @property
    def wedge_rad(self) -> float:
        """Wedge angle of the body in radians."""
        return float(np.radians(self.body_wedge_deg))


@cache
def dimensions(level: Vertebra) -> VertebraDimensions:
    """Mean dimensions of a vertebra, NaN where its region states none; raises `LevelError` for L6 and T13."""
    names = [f for f in VertebraDimensions.__dataclass_fields__ if f != "level"]
    return VertebraDimensions(level=level, **{name: _at(name, level) for name in names})


def joint_space_mm(upper: Vertebra | None = None) -> float:
    """Distance of bone to bone in the facet joints below a vertebra: its region's, else that of the lumbar spine."""
    if upper is not None and region_of(upper) == "cervical":
        return number("cervical.facet_joint_space_mm")
    return number("anatomy.facet_joint_space_mm")


def per_level(name: str, level: Vertebra) -> float:
    """Value for one vertebra of a fact that its region's knowledge file lists over its vertebrae, by its last name."""
    values = numbers(f"{FACTS_OF_REGION[region_of(level)]}.{name}")
    place = place_in_region(level)
    return values[place] if place < len(values) else float("nan")


def _at(name: str, level: Vertebra) -> float:
    try:
        return per_level(name, level)
    except KnowledgeError:
        return float("nan")
