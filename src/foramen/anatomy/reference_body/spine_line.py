"""Lines along the spine as functions of height: bodies, canal, spinous tips."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import PchipInterpolator

from foramen.anatomy.reference_body import cervical, thoracic
from foramen.anatomy.reference_body.build import Build
from foramen.anatomy.reference_body.dimensions import dimensions
from foramen.anatomy.reference_body.lumbar import canal_front_mm
from foramen.anatomy.reference_body.regions import region_of
from foramen.knowledge.drawings import drawing
from foramen.model.anatomy import VertebraFrame
from foramen.model.levels import Vertebra
from foramen.model.space import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SpineLine:
    """Where the spine runs: coordinates (LPS, mm) at heights z (LPS, mm).

    Parameters
    ----------
    frames : mapping
        Of the bones drawn as each reference bone.
    build : Build
        Size of the body.
    more : tuple
        Further bones of a long column: the reference bone that each is drawn as, and its frame.
    """

    frames: Mapping[Vertebra, VertebraFrame]
    build: Build
    more: tuple[tuple[Vertebra, VertebraFrame], ...] = ()

    def point(self, level: str, left: float, posterior: float, superior: float) -> FloatArray:
        """LPS point (3,) of a place given in the mean vertebra's frame."""
        return self._at(self.frames[Vertebra(level)], (left, posterior, superior))

    def _at(self, frame: VertebraFrame, own_mm: tuple[float, float, float]) -> FloatArray:
        found: FloatArray = frame.to_lps(np.array(own_mm) * np.array(self.build.scale))
        return found

    def z(self, level: str) -> float:
        """Height of a body's centre."""
        return float(self.frames[Vertebra(level)].origin_mm[2])

    def body_y(self, z_mm: FloatArray) -> FloatArray:
        """Posterior coordinates of the bodies' centres at heights (n,)."""
        return self._line(lambda level: (0.0, 0.0), z_mm, end="body_line_mm")

    def body_x(self, z_mm: FloatArray) -> FloatArray:
        """Coordinates to the left of the bodies' centres at heights (n,): 0 in a straight spine."""
        return self._line(lambda level: (0.0, 0.0), z_mm, end="body_line_mm", axis=0)

    def canal_x(self, z_mm: FloatArray) -> FloatArray:
        """Coordinates to the left of the middle of the canal at heights (n,)."""
        return self._line(_canal_middle, z_mm, end="hiatus_mm", axis=0)

    def canal_y(self, z_mm: FloatArray) -> FloatArray:
        """Posterior coordinates of the middle of the canal at heights (n,)."""
        return self._line(_canal_middle, z_mm, end="hiatus_mm")

    def spinous_y(self, z_mm: FloatArray) -> FloatArray:
        """Posterior coordinates of the line of spinous tips at heights (n,)."""
        return self._line(_spinous_tip, z_mm, end="last_tubercle_mm")

    def _line(
        self, place: Callable[[Vertebra], tuple[float, float]], z_mm: FloatArray, *, end: str, axis: int = 1
    ) -> FloatArray:
        points = [self._at(frame, (0.0, *place(level))) for level, frame in (*self.frames.items(), *self.more)]
        points.append(self.point("S1", 0.0, *_sacral(end)))
        order = np.argsort([p[2] for p in points])
        heights, across = np.array(points)[order, 2], np.array(points)[order, axis]
        found: FloatArray = PchipInterpolator(heights, across)(np.clip(z_mm, heights[0], heights[-1]))
        return found


def _canal_middle(level: Vertebra) -> tuple[float, float]:
    own = dimensions(level)
    if level.name == "S1":
        return _sacral("sacral_canal_mm")
    front = cervical.canal_front_mm(own) if region_of(level) == "cervical" else canal_front_mm(own)
    return front + 0.5 * own.canal_depth_mm, 0.0


def _spinous_tip(level: Vertebra) -> tuple[float, float]:
    own = dimensions(level)
    if level.name == "S1":
        return _sacral("sacral_spinous_tip_mm")
    if region_of(level) == "thoracic":
        return thoracic.spinous_tip(own)
    return own.posterior_wall_mm + own.spinous_length_mm, -0.5 * own.spinous_height_mm


def _sacral(name: str) -> tuple[float, float]:
    posterior, superior = drawing("reference_bones.canal_line").rows[name]
    return posterior, superior
