"""Material data of the heat models: tissues, needles, damage sets and generator limits (SI)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class TissueProperties:
    """One tissue at the working frequency and 37 degC."""

    name: str
    electric_S_per_m: float
    thermal_W_per_m_K: float
    heat_capacity_J_per_m3_K: float
    perfusion_W_per_m3_K: float  # blood perfusion times the heat capacity of blood
    latent_J_per_m3: float  # heat that boils its water
    flow_gain_fraction: float  # by how many times its perfusion at rest warmth can add to it
    keeps_flowing: bool = False  # a stream that comes from elsewhere: coagulation does not stop it
    is_held: bool = False  # a fluid so well mixed that it stays at body temperature


class CsfMixing(StrEnum):
    """How cerebrospinal fluid is taken. No source says how well it mixes: the truth lies between both."""

    STILL = "still"  # heat is conducted only
    HELD = "held"  # it stays at body temperature


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedleEnd:
    """Length of the end of a needle (its radius if it is round), and how far behind it a thermocouple there lies."""

    length_mm: float
    sensor_mm: float


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedleMaterial:
    """Thermal properties of a cannula's wall, of what fills its lumen, and of its insulation.

    The metal is an equipotential for the electric problem.
    """

    wall_W_per_m_K: float
    wall_J_per_m3_K: float
    core_W_per_m_K: float
    core_J_per_m3_K: float
    insulation_m: float
    insulation_W_per_m_K: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Coolant:
    """Fluid that flows in the lumen of a cooled electrode, at one temperature along it.

    `transfer_W_per_m2_K` is the heat transfer between the fluid and the inner wall.
    """

    temperature_degC: float
    transfer_W_per_m2_K: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ConductivityLaw:
    """Conductivity with temperature: sigma0 (1 + slope (T - reference)), and a fall to a fraction at boiling."""

    slope_per_K: float
    reference_degC: float
    boiling_from_degC: float
    boiling_to_degC: float
    boiled_fraction: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PerfusionLaw:
    """Perfusion with temperature: w0 (1 + gain exp(-((T - peak) / spread)^2)) up to the peak, constant above it."""

    peak_degC: float
    spread_K: float


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneratorLimits:
    """Largest RMS voltage, RMS current and power of a generator."""

    voltage_V: float
    current_A: float
    power_W: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DamageSet:
    """Arrhenius coefficients with the temperatures and times in which they were validated.

    Parameters
    ----------
    id, meaning : str
        Key, and what Omega = 1 stands for.
    frequency_per_s, activation_J_per_mol : float
        Omega = integral of frequency exp(-activation / (R T)) dt.
    temperature_low_degC, temperature_high_degC, time_low_s, time_high_s : float
        The window of temperatures and exposure times of the experiments behind the set.
    long_exposure_s : float
        Longer exposures need Omega(37 degC, 24 h) below `resting_limit_fraction`.
    """

    id: str
    meaning: str
    frequency_per_s: float
    activation_J_per_mol: float
    temperature_low_degC: float
    temperature_high_degC: float
    time_low_s: float
    time_high_s: float
    long_exposure_s: float
    resting_limit_fraction: float
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TissueShift:
    """How one patient and generator differ from the tabulated ones; the default is no difference.

    Parameters
    ----------
    perfusion_factor, thermal_factor : float
        On the perfusion and on the thermal conductivity of every tissue.
    contrast_exponent : float
        Electric conductivities become ``reference (sigma / reference)^exponent``.
    set_offset_K : float
        True minus displayed temperature at the thermocouple.
    """

    perfusion_factor: float = 1.0
    thermal_factor: float = 1.0
    contrast_exponent: float = 1.0
    set_offset_K: float = 0.0
