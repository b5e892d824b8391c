"""Thermal damage: Arrhenius integrals with a stated window of validity, and cumulative equivalent minutes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from foramen.model.thermal import DamageSet
from foramen.units import KELVIN_AT_ZERO_DEGC

FloatArray = NDArray[np.float64]

GAS_CONSTANT_J_PER_MOL_K = 8.314462618
DAY_S = 86400.0


def rate_per_s(damage: DamageSet, temperature_degC: FloatArray | float) -> FloatArray:
    """d Omega / dt = A exp(-Ea / (R T)) at a temperature."""
    absolute = np.asarray(temperature_degC, dtype=np.float64) + KELVIN_AT_ZERO_DEGC
    exponent = np.log(damage.frequency_per_s) - damage.activation_J_per_mol / (GAS_CONSTANT_J_PER_MOL_K * absolute)
    rate: FloatArray = np.exp(np.minimum(exponent, 300.0))
    return rate


def omega(damage: DamageSet, temperature_degC: float, time_s: float) -> float:
    """Omega of a constant temperature held for a time, whether in the window or not."""
    return float(rate_per_s(damage, temperature_degC)) * time_s


def resting_omega(damage: DamageSet) -> float:
    """Omega after 24 h at 37 degC: what the set would claim of a healthy body."""
    return omega(damage, 37.0, DAY_S)


def threshold_degC(damage: DamageSet, time_s: float) -> float:
    """Constant temperature at which Omega reaches 1 in a time."""
    inverse = np.log(damage.frequency_per_s * time_s) * GAS_CONSTANT_J_PER_MOL_K / damage.activation_J_per_mol
    return float(1 / inverse - KELVIN_AT_ZERO_DEGC)


def objection(damage: DamageSet, time_s: float) -> str:
    """Why a set says nothing reliable about an exposure of that length; empty if it may be used.

    The temperature that decides is the one at the Omega = 1 boundary, since inside it damage only grows.
    """
    resting, limit = resting_omega(damage), damage.resting_limit_fraction
    if time_s > damage.long_exposure_s and resting >= limit:
        return (
            f"{damage.id}: Omega would reach {resting:.2g} in a day at 37 degC (limit {limit:g}), "
            f"so it is refused for exposures over {damage.long_exposure_s:.0f} s; read temperature and CEM43"
        )
    if not damage.time_low_s <= time_s <= damage.time_high_s:
        return (
            f"{damage.id}: validated for {damage.time_low_s:.0f} to {damage.time_high_s:.0f} s, not {time_s:.0f} s; "
            "read temperature and CEM43"
        )
    boundary = threshold_degC(damage, time_s)
    if not damage.temperature_low_degC <= boundary <= damage.temperature_high_degC:
        return (
            f"{damage.id}: validated between {damage.temperature_low_degC:.0f} and {damage.temperature_high_degC:.0f} "
            f"degC, but its boundary lies at {boundary:.1f} degC; read temperature and CEM43"
        )
    return ""


def cem43_rate_min_per_s(temperature_degC: FloatArray | float) -> FloatArray:
    """Cumulative equivalent minutes at 43 degC per second.

    R ** (43 - T) with R = 0.5 from 43 degC, 0.25 between 39 and 43 degC, nothing below (Sapareto and Dewey).
    """
    temperature = np.asarray(temperature_degC, dtype=np.float64)
    base = np.where(temperature >= 43, 0.5, 0.25)
    rate: FloatArray = np.where(temperature >= 39, base ** (43 - np.minimum(temperature, 300.0)), 0.0) / 60
    return rate


def cem43_min(temperature_degC: float, time_s: float) -> float:
    """Cumulative equivalent minutes at 43 degC of a constant temperature held for a time."""
    return float(cem43_rate_min_per_s(temperature_degC)) * time_s
