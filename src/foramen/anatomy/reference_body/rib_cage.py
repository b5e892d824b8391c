"""Where the ribs run: their heads beside the vertebrae, and the surface of the rib cage as transverse sections (mm)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import PchipInterpolator

from foramen.anatomy.reference_body.dimensions import dimensions
from foramen.anatomy.reference_body.regions import REGIONS
from foramen.knowledge.drawings import drawing
from foramen.model.anatomy import VertebraFrame
from foramen.model.levels import Vertebra
from foramen.model.space import FloatArray

CARRIERS: tuple[Vertebra, ...] = tuple(Vertebra(name) for name in (*REGIONS["thoracic"], "T12"))
"""Vertebrae that carry ribs, from above downwards."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CageSection:
    """Sections of the rib cage at heights: half width, and posterior coordinate of its front and back (n,), LPS."""

    half_width_mm: FloatArray
    front_mm: FloatArray
    back_mm: FloatArray

    def edge(self, turn_rad: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Left border (x, y) at turns (n,) about the middle, 0 at the back and pi in front."""
        power = 2.0 / drawing("reference_thoracic.cage").numbers["exponent"]
        sine, cosine = np.sin(turn_rad), np.cos(turn_rad)
        middle, half = 0.5 * (self.front_mm + self.back_mm), 0.5 * (self.back_mm - self.front_mm)
        lateral: FloatArray = self.half_width_mm * np.abs(sine) ** power
        return lateral, middle + half * np.sign(cosine) * np.abs(cosine) ** power


def cage_at(frames: Mapping[Vertebra, VertebraFrame], heights_mm: FloatArray) -> CageSection:
    """Sections of the rib cage around a column at heights (n,), LPS; constant above T1 and below T12."""
    shape = drawing("reference_thoracic.cage")
    places = np.array([frames[level].origin_mm for level in CARRIERS])
    order = np.argsort(places[:, 2])
    heights = np.clip(heights_mm, places[order[0], 2], places[order[-1], 2])

    def along(values: FloatArray) -> FloatArray:
        found: FloatArray = PchipInterpolator(places[order, 2], values[order])(heights)
        return found

    rows = {name: np.array(shape.rows[name]) for name in ("half_width_mm", "before_mm", "behind_mm")}
    return CageSection(
        half_width_mm=along(rows["half_width_mm"]),
        front_mm=along(places[:, 1] - rows["before_mm"]),
        back_mm=along(places[:, 1] + rows["behind_mm"]),
    )


def rib_head(level: Vertebra) -> FloatArray:
    """Middle (3,) of the head of a left rib, in the frame of the vertebra that carries it."""
    own = dimensions(level)
    lateral, forward, above = (
        rib_row(level, name) for name in ("head_lateral_mm", "head_forward_mm", "head_above_endplate_mm")
    )
    side = 0.5 * own.canal_width_mm + own.pedicle_width_mm
    return np.array([side + lateral, own.posterior_wall_mm - forward, 0.5 * own.body_height_mm + above])


def rib_row(level: Vertebra, name: str) -> float:
    """Value of a row of the ribs' drawing for the rib that a vertebra carries."""
    return drawing("reference_thoracic.rib").rows[name][CARRIERS.index(level)]
