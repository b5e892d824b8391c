"""Latent heat of tissue water: the enthalpy of a cell, as a temperature that its sensible heat would need.

``h = T + latent / capacity * f(T)``, where f is the part of the water that has boiled, linear over the range in which
conductivity is lost. Vapour does not move or condense elsewhere, and boiled tissue keeps its heat capacity.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TissueWater:
    """Rises (K) between which water boils, and latent heat over heat capacity (K) of every cell, 0 without water."""

    from_K: float
    to_K: float
    latent_K: FloatArray

    def is_boiling(self, rise: FloatArray) -> bool:
        """Whether water boils in any cell."""
        return bool(rise.max() > self.from_K) and bool(np.any((rise > self.from_K) & (self.latent_K > 0)))

    def enthalpy_K(self, rise: FloatArray) -> FloatArray:
        """Enthalpy over heat capacity; the rise itself where nothing boils."""
        if not self.is_boiling(rise):
            return rise
        boiled = np.clip((rise - self.from_K) / (self.to_K - self.from_K), 0.0, 1.0)
        enthalpy: FloatArray = rise + self.latent_K * boiled
        return enthalpy

    def rise_K(self, enthalpy_K: FloatArray) -> FloatArray:
        """Inverse of `enthalpy_K`."""
        slope = 1 + self.latent_K / (self.to_K - self.from_K)
        over = enthalpy_K - self.from_K
        boiling = np.minimum(self.from_K + over / slope, self.to_K)
        rise: FloatArray = np.where(over <= 0, enthalpy_K, np.maximum(boiling, enthalpy_K - self.latent_K))
        return rise

    def slope_at(self, rise: FloatArray) -> FloatArray:
        """dh/dT."""
        is_boiling = (rise > self.from_K) & (rise < self.to_K)
        slope: FloatArray = np.where(is_boiling, 1 + self.latent_K / (self.to_K - self.from_K), 1.0)
        return slope
