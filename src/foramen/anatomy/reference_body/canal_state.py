"""What has narrowed the sac within the bony canal: thick ligament at a disc, or fat around it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from foramen.knowledge.facts import number
from foramen.model.space import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class CanalState:
    """Narrowings of one body's canal.

    Parameters
    ----------
    narrow : tuple of (float, float)
        Height (LPS z, mm) and share of width and depth that is lost there.
    fat : tuple of (float, float)
        Height below which fat has grown, and the share of the sac's width and depth that it takes.
    """

    narrow: tuple[tuple[float, float], ...] = ()
    fat: tuple[float, float] = (0.0, 0.0)

    def narrowing(self, heights_mm: FloatArray) -> FloatArray:
        """Share (n,) of width and depth lost to thick ligament and disc at heights (n,)."""
        length_mm = number("cohort.stenosis_length_mm")
        found: FloatArray = np.zeros_like(heights_mm)
        for height_mm, loss in self.narrow:
            found = np.maximum(found, loss * np.exp(-0.5 * ((heights_mm - height_mm) / length_mm) ** 2))
        return found

    def narrowed(
        self, path_mm: FloatArray, radii_mm: FloatArray, heights_mm: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Path (n, 3) and radii (n, 2) of what is left, pressed forwards by the ligament behind."""
        if not self.narrow:
            return path_mm, radii_mm
        lost = self.narrowing(heights_mm)
        path = path_mm.copy()
        path[:, 1] -= 0.5 * lost * radii_mm[:, 1]
        return path, radii_mm * (1 - lost)[:, None]

    def fat_gain(self, heights_mm: FloatArray) -> FloatArray:
        """Share (n,) of the sac's width and depth lost to fat, growing over one stenosis length below its height."""
        height_mm, loss = self.fat
        rise = np.clip((height_mm - heights_mm) / number("cohort.stenosis_length_mm"), 0.0, 1.0)
        found: FloatArray = loss * rise
        return found


OPEN_CANAL = CanalState()
