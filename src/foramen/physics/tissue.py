"""Properties of tissue on a grid (SI), and how conductivity changes with temperature."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from foramen.model.thermal import ConductivityLaw, PerfusionLaw, TissueProperties, TissueShift
from foramen.physics.grid import RevolvedGrid

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IndexArray = NDArray[np.integer]

METAL_CONDUCTIVITY_S_PER_M = 1e3
"""Metal in the tissue is capped here: about a thousand times any tissue, so already one potential."""

HELD = 1e5
"""Sink of a held cell over the sum of its conductances: its rise is at most 1e-5 of its neighbours'."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TissueField:
    """Properties of every cell outside the needle, shape (nr - inner, nk, nj) each.

    `lasting_fraction` is the part of the perfusion that coagulation does not stop (streams); cells that are `is_held`
    stay at baseline.
    """

    electric_S_per_m: FloatArray
    thermal_W_per_m_K: FloatArray
    heat_capacity_J_per_m3_K: FloatArray
    perfusion_W_per_m3_K: FloatArray
    latent_J_per_m3: FloatArray
    flow_gain_fraction: FloatArray
    lasting_fraction: FloatArray
    is_held: BoolArray


def tissue_field(table: Sequence[TissueProperties], samples: IndexArray, *, is_perfused: bool) -> TissueField:
    """Properties of cells whose tissue is `table[index]`, averaged over samples (s, nr - inner, nk, nj)."""

    def mean(values: Sequence[float]) -> FloatArray:
        averaged: FloatArray = np.array(values)[samples].mean(axis=0)
        return averaged

    flow = [t.perfusion_W_per_m3_K if is_perfused else 0.0 for t in table]
    perfusion = mean(flow)
    lasting = mean([w if t.keeps_flowing else 0.0 for w, t in zip(flow, table, strict=True)])
    return TissueField(
        electric_S_per_m=mean([min(t.electric_S_per_m, METAL_CONDUCTIVITY_S_PER_M) for t in table]),
        thermal_W_per_m_K=mean([t.thermal_W_per_m_K for t in table]),
        heat_capacity_J_per_m3_K=mean([t.heat_capacity_J_per_m3_K for t in table]),
        perfusion_W_per_m3_K=perfusion,
        latent_J_per_m3=mean([t.latent_J_per_m3 for t in table]),
        flow_gain_fraction=mean([t.flow_gain_fraction for t in table]),
        lasting_fraction=np.divide(lasting, perfusion, out=np.zeros_like(perfusion), where=perfusion > 0),
        is_held=is_mostly([t.is_held for t in table], samples),
    )


def is_mostly(chosen: Sequence[bool], samples: IndexArray) -> BoolArray:
    """Cells of which at least half of the samples (s, nr - inner, nk, nj) are of the chosen tissues."""
    mostly: BoolArray = np.array(chosen)[samples].mean(axis=0) >= 0.5
    return mostly


def uniform_field(properties: TissueProperties, grid: RevolvedGrid, *, is_perfused: bool) -> TissueField:
    """One tissue everywhere outside the needle."""
    samples = np.zeros((1, grid.shape[0] - grid.inner, *grid.shape[1:]), dtype=np.intp)
    return tissue_field([properties], samples, is_perfused=is_perfused)


def shifted_field(field: TissueField, shift: TissueShift, *, reference_S_per_m: float) -> TissueField:
    """The tissue of a patient who differs from the tables; cells that do not conduct stay so."""
    ratio = field.electric_S_per_m / reference_S_per_m
    return replace(
        field,
        electric_S_per_m=reference_S_per_m * ratio**shift.contrast_exponent,
        thermal_W_per_m_K=field.thermal_W_per_m_K * shift.thermal_factor,
        perfusion_W_per_m3_K=field.perfusion_W_per_m3_K * shift.perfusion_factor,
    )


def flowing_fraction(tissue: TissueField, alive_fraction: FloatArray) -> FloatArray:
    """Part of the perfusion that still flows where this part of the tissue is not coagulated: streams flow on."""
    flowing: FloatArray = tissue.lasting_fraction + (1 - tissue.lasting_fraction) * alive_fraction
    return flowing


def held_sink_W_per_K(tissue: TissueField, diagonal_W_per_K: FloatArray) -> FloatArray:
    """Sink that keeps held cells at baseline, from the sum of each cell's conductances.

    A sink, so that what a held fluid takes stands in the balance of energy; neither warmth nor coagulation changes it.
    """
    sink: FloatArray = np.where(tissue.is_held, HELD * diagonal_W_per_K, 0.0)
    return sink


def perfusion_factor(law: PerfusionLaw, gain: FloatArray, temperature_degC: FloatArray) -> FloatArray:
    """w / w0 at a temperature, as living tissue answers warmth until it coagulates."""
    below = np.minimum(temperature_degC, law.peak_degC) - law.peak_degC
    factor: FloatArray = 1 + gain * np.exp(-((below / law.spread_K) ** 2))
    return factor


def conductivity_factor(law: ConductivityLaw, temperature_degC: FloatArray) -> FloatArray:
    """sigma / sigma0 at a temperature; never below one hundredth before boiling."""
    capped = np.minimum(temperature_degC, law.boiling_from_degC)
    rise = np.maximum(1 + law.slope_per_K * (capped - law.reference_degC), 0.01)
    span = law.boiling_to_degC - law.boiling_from_degC
    boiled = np.clip((temperature_degC - law.boiling_from_degC) / span, 0, 1)
    result: FloatArray = rise * law.boiled_fraction**boiled
    return result
