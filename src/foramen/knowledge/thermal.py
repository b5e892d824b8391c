"""Material data of the heat models, read from `tissues.yaml` and `damage.yaml` and turned into SI."""

from __future__ import annotations

import math
from functools import cache

from foramen.errors import InputError, KnowledgeError
from foramen.knowledge.facts import fact, number
from foramen.model.device import TipShape
from foramen.model.thermal import (
    ConductivityLaw,
    Coolant,
    DamageSet,
    GeneratorLimits,
    NeedleEnd,
    NeedleMaterial,
    PerfusionLaw,
    TissueProperties,
)

TISSUES = (
    "muscle",
    "fat",
    "bone_cortical",
    "bone_cancellous",
    "cartilage",
    "disc",
    "ligament",
    "nerve",
    "spinal_cord",
    "dura",
    "csf",
    "blood",
    "skin",
    "organ",
    "lung",
    "air",
    "soft_tissue",
    "metal",
    "cement",
)
"""Every tissue that has properties; `soft_tissue` is what no label names."""

ANSWERS_WARMTH = ("muscle", "fat", "soft_tissue")
"""Tissues whose perfusion is known to rise with warmth."""

KEEPS_FLOWING = ("blood",)
"""Tissues that are streams: only labelled vessels are `blood`, and those are large."""

DAMAGE_SETS = ("coagulation", "nerve_function", "vessel_wall")
"""Every damage set of `damage.yaml`."""

_LOW_KHZ, _HIGH_KHZ = 450.0, 500.0


@cache
def tissue_properties(name: str, *, frequency_hz: float) -> TissueProperties:
    """Properties of a tissue; the conductivity is interpolated between 450 and 500 kHz.

    Raises
    ------
    InputError
        For an unknown tissue or another frequency.
    """
    if name not in TISSUES:
        raise InputError(f"There is no tissue {name!r}. Choose one of: {', '.join(TISSUES)}.")
    weight = (frequency_hz / 1e3 - _LOW_KHZ) / (_HIGH_KHZ - _LOW_KHZ)
    if not -1e-9 <= weight <= 1 + 1e-9:
        raise InputError(
            f"Conductivities are tabulated from {_LOW_KHZ:.0f} to {_HIGH_KHZ:.0f} kHz, not at {frequency_hz / 1e3:g}. "
            "Use a frequency in that range."
        )
    density = number(f"tissues.{name}_density_kg_per_m3")
    low, high = (number(f"tissues.{name}_electric_{kHz}kHz_S_per_m") for kHz in (450, 500))
    perfusion_per_s = number(f"tissues.{name}_perfusion_ml_per_min_kg") * density * 1e-6 / 60
    return TissueProperties(
        name=name,
        electric_S_per_m=low + weight * (high - low),
        thermal_W_per_m_K=number(f"tissues.{name}_thermal_W_per_m_K"),
        heat_capacity_J_per_m3_K=_heat_capacity(name),
        perfusion_W_per_m3_K=perfusion_per_s * _heat_capacity("blood"),
        latent_J_per_m3=number(f"tissues.{name}_density_kg_per_m3")
        * number(f"tissues.{name}_water_fraction")
        * number("tissues.latent_heat_J_per_kg"),
        flow_gain_fraction=number(f"tissues.{name}_flow_gain_fraction") if name in ANSWERS_WARMTH else 0.0,
        keeps_flowing=name in KEEPS_FLOWING,
    )


def _heat_capacity(name: str) -> float:
    return number(f"tissues.{name}_density_kg_per_m3") * number(f"tissues.{name}_specific_heat_J_per_kg_K")


@cache
def needle_material() -> NeedleMaterial:
    """Metal and insulation of a generic cannula with its electrode in place."""
    wall, capacity = number("tissues.cannula_wall_W_per_m_K"), number("tissues.cannula_wall_J_per_m3_K")
    filled = number("tissues.cannula_core_metal_fraction")
    return NeedleMaterial(
        wall_W_per_m_K=wall,
        wall_J_per_m3_K=capacity,
        core_W_per_m_K=filled * wall,
        core_J_per_m3_K=filled * capacity,
        insulation_m=number("tissues.cannula_insulation_mm") / 1e3,
        insulation_W_per_m_K=number("tissues.cannula_insulation_W_per_m_K"),
    )


def needle_end(tip_shape: TipShape, outer_diameter_mm: float) -> NeedleEnd:
    """The end of a straight cannula: round, or the cone about its axis that acts as its bevel of one plane does.

    Raises
    ------
    InputError
        For an end that has no model.
    """
    if tip_shape is TipShape.HEMISPHERICAL:
        return NeedleEnd(length_mm=outer_diameter_mm / 2, sensor_mm=0.0)
    if tip_shape is TipShape.SHARP:
        bevel_mm = outer_diameter_mm / math.tan(math.radians(number("devices.sharp_bevel_angle_deg")))
        return NeedleEnd(
            length_mm=number("devices.bevel_as_cone_fraction") * bevel_mm,
            sensor_mm=number("devices.bevel_sensor_fraction") * bevel_mm,
        )
    raise InputError(f"There is no model of a {tip_shape} end of a straight cannula: choose sharp or hemispherical.")


@cache
def coolant() -> Coolant:
    """Fluid of a generic cooled electrode."""
    return Coolant(
        temperature_degC=number("tissues.coolant_degC"),
        transfer_W_per_m2_K=number("tissues.coolant_transfer_W_per_m2_K"),
    )


@cache
def conductivity_law() -> ConductivityLaw:
    """How conductivity changes with temperature."""
    return ConductivityLaw(
        slope_per_K=number("tissues.sigma_slope_per_K"),
        reference_degC=number("tissues.sigma_reference_degC"),
        boiling_from_degC=number("tissues.boiling_from_degC"),
        boiling_to_degC=number("tissues.boiling_to_degC"),
        boiled_fraction=number("tissues.boiled_fraction"),
    )


@cache
def perfusion_law() -> PerfusionLaw:
    """How perfusion answers warmth."""
    return PerfusionLaw(
        peak_degC=number("tissues.flow_peak_degC"),
        spread_K=number("tissues.flow_spread_K"),
    )


@cache
def generator_limits() -> GeneratorLimits:
    """Limits of a generic generator."""
    return GeneratorLimits(
        voltage_V=number("tissues.generator_voltage_limit_V"),
        current_A=number("tissues.generator_current_limit_A"),
        power_W=number("tissues.generator_power_limit_W"),
    )


@cache
def damage_set(name: str) -> DamageSet:
    """A damage set with its window; raises `InputError` for an unknown name."""
    if name not in DAMAGE_SETS:
        raise InputError(f"There is no damage set {name!r}. Choose one of: {', '.join(DAMAGE_SETS)}.")
    temperatures, times = (_window(f"damage.{name}_{kind}") for kind in ("temperature_window_degC", "time_window_s"))
    coefficients = fact(f"damage.{name}_frequency_per_s")
    return DamageSet(
        id=name,
        meaning=str(fact(f"damage.{name}_meaning").value),
        frequency_per_s=coefficients.number,
        activation_J_per_mol=number(f"damage.{name}_activation_J_per_mol"),
        temperature_low_degC=temperatures[0],
        temperature_high_degC=temperatures[1],
        time_low_s=times[0],
        time_high_s=times[1],
        long_exposure_s=number("damage.long_exposure_s"),
        resting_limit_fraction=number("damage.resting_limit_fraction"),
        sources=coefficients.sources,
    )


def _window(fact_id: str) -> tuple[float, float]:
    value = fact(fact_id).value
    if not isinstance(value, tuple) or len(value) != 2:
        raise KnowledgeError(f"Fact {fact_id} must be a list of two numbers, not {value!r}.")
    return float(value[0]), float(value[1])


def perfusion_stop_set() -> DamageSet:
    """The damage set by which perfusion stops."""
    return damage_set(str(fact("tissues.perfusion_stop_set").value))
