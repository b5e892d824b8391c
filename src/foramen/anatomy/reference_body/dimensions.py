"""Dimensions of the reference vertebrae, from `knowledge/anatomy.yaml`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from foramen.errors import LevelError
from foramen.knowledge.facts import number, numbers
from foramen.model.levels import Vertebra

LEVELS: tuple[str, ...] = ("T12", "L1", "L2", "L3", "L4", "L5", "S1")
"""Vertebrae of the reference body from above downwards; the tuples of anatomy.yaml follow it."""


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
    """Mean dimensions of a vertebra; raises `LevelError` outside T12 to S1."""
    index = level_index(level)
    names = [f for f in VertebraDimensions.__dataclass_fields__ if f != "level"]
    return VertebraDimensions(level=level, **{name: _at(f"anatomy.{name}", index) for name in names})


def level_index(level: Vertebra) -> int:
    """Place of a vertebra in `LEVELS`; raises `LevelError` if the reference body has none."""
    if level.name not in LEVELS:
        raise LevelError(f"The reference body has no {level}. It has {', '.join(LEVELS)}.")
    return LEVELS.index(level.name)


def joint_space_mm() -> float:
    """Distance of bone to bone in a facet joint."""
    return number("anatomy.facet_joint_space_mm")


def _at(fact_id: str, index: int) -> float:
    values = numbers(fact_id)
    return values[index] if index < len(values) else float("nan")


def per_level(fact_id: str, level: Vertebra) -> float:
    """A fact's value for one vertebra, where the fact lists values from T12 downwards."""
    return _at(fact_id, level_index(level))
