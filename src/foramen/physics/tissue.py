"""Properties of tissue and metal on a grid (SI), and how they change with temperature."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.integer]

METAL_CONDUCTIVITY_S_PER_M = 1e3
"""Metal in the tissue is capped here: about a thousand times any tissue, so already one potential."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TissueProperties:
    """One tissue at the working frequency and 37 degC."""

    name: str
    electric_S_per_m: float
    thermal_W_per_m_K: float
    heat_capacity_J_per_m3_K: float
    perfusion_W_per_m3_K: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TissueField:
    """Properties of every cell outside the needle, shape (nr - inner, nk, nj) each."""

    electric_S_per_m: FloatArray
    thermal_W_per_m_K: FloatArray
    heat_capacity_J_per_m3_K: FloatArray
    perfusion_W_per_m3_K: FloatArray


def tissue_field(table: Sequence[TissueProperties], index: IndexArray) -> TissueField:
    """Properties of the cells whose tissue is `table[index]`."""
    electric = np.array([min(t.electric_S_per_m, METAL_CONDUCTIVITY_S_PER_M) for t in table])
    return TissueField(
        electric_S_per_m=electric[index],
        thermal_W_per_m_K=np.array([t.thermal_W_per_m_K for t in table])[index],
        heat_capacity_J_per_m3_K=np.array([t.heat_capacity_J_per_m3_K for t in table])[index],
        perfusion_W_per_m3_K=np.array([t.perfusion_W_per_m3_K for t in table])[index],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedleMaterial:
    """Thermal properties of the cannula's wall, of what fills its lumen, and of its insulation.

    The metal is an equipotential for the electric problem.
    """

    wall_W_per_m_K: float
    wall_J_per_m3_K: float
    core_W_per_m_K: float
    core_J_per_m3_K: float
    insulation_m: float
    insulation_W_per_m_K: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ConductivityLaw:
    """sigma(T) = sigma0 (1 + `per_K` (T - `reference_degC`)) up to boiling, then a smooth fall by `boiled_factor`."""

    per_K: float
    reference_degC: float
    boiling_from_degC: float
    boiling_to_degC: float
    boiled_factor: float

    def factor(self, temperature_degC: FloatArray) -> FloatArray:
        """sigma / sigma0 at a temperature; never below one hundredth of the value at the reference."""
        capped = np.minimum(temperature_degC, self.boiling_from_degC)
        rise = np.maximum(1 + self.per_K * (capped - self.reference_degC), 0.01)
        span = self.boiling_to_degC - self.boiling_from_degC
        boiled = np.clip((temperature_degC - self.boiling_from_degC) / span, 0, 1)
        result: FloatArray = rise * self.boiled_factor**boiled
        return result
