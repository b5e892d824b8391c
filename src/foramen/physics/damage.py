"""Thermal damage: Arrhenius integrals with a stated window of validity, and cumulative equivalent minutes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foramen.errors import InputError
from foramen.units import KELVIN_AT_ZERO_DEGC

FloatArray = NDArray[np.float64]

GAS_CONSTANT_J_PER_MOL_K = 8.314462618
DAY_S = 86400.0
RESTING_LIMIT = 0.01
"""Largest Omega after 24 h at 37 degC of a set that may be used for long exposures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DamageSet:
    """Arrhenius coefficients with the temperatures and times in which they were validated.

    Omega = integral of `frequency_per_s` exp(-`activation_J_per_mol` / (R T)) dt; Omega = 1 marks damage.

    Parameters
    ----------
    id, meaning : str
        Key, and what Omega = 1 stands for.
    temperature_low_degC, temperature_high_degC, time_low_s, time_high_s : float
        The window of temperatures and exposure times of the experiments behind the set.
    long_exposure_s : float
        Longer exposures need Omega(37 degC, 24 h) < 0.01.
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

    def rate_per_s(self, temperature_degC: FloatArray | float) -> FloatArray:
        """d Omega / dt at a temperature."""
        absolute = np.asarray(temperature_degC, dtype=np.float64) + KELVIN_AT_ZERO_DEGC
        exponent = np.log(self.frequency_per_s) - self.activation_J_per_mol / (GAS_CONSTANT_J_PER_MOL_K * absolute)
        rate: FloatArray = np.exp(np.minimum(exponent, 300.0))
        return rate

    def omega(self, temperature_degC: float, time_s: float) -> float:
        """Omega of a constant temperature held for a time, whether in the window or not."""
        return float(self.rate_per_s(temperature_degC)) * time_s

    @property
    def resting_omega(self) -> float:
        """Omega after 24 h at 37 degC: what the set would claim of a healthy body."""
        return self.omega(37.0, DAY_S)

    def threshold_degC(self, time_s: float) -> float:
        """Constant temperature at which Omega reaches 1 in a time."""
        inverse = np.log(self.frequency_per_s * time_s) * GAS_CONSTANT_J_PER_MOL_K / self.activation_J_per_mol
        return float(1 / inverse - KELVIN_AT_ZERO_DEGC)

    def objection(self, time_s: float) -> str:
        """Why this set says nothing reliable about an exposure of that length; empty if it may be used.

        The temperature that decides is the one at the Omega = 1 boundary, since inside it damage only grows.
        """
        if time_s > self.long_exposure_s and self.resting_omega >= RESTING_LIMIT:
            return (
                f"{self.id}: Omega would reach {self.resting_omega:.2g} in a day at 37 degC (limit {RESTING_LIMIT}), "
                f"so it is refused for exposures over {self.long_exposure_s:.0f} s; read temperature and CEM43"
            )
        if not self.time_low_s <= time_s <= self.time_high_s:
            return (
                f"{self.id}: validated for {self.time_low_s:.0f} to {self.time_high_s:.0f} s, not {time_s:.0f} s; "
                "read temperature and CEM43"
            )
        boundary = self.threshold_degC(time_s)
        if not self.temperature_low_degC <= boundary <= self.temperature_high_degC:
            return (
                f"{self.id}: validated between {self.temperature_low_degC:.0f} and {self.temperature_high_degC:.0f} "
                f"degC, but its boundary lies at {boundary:.1f} degC; read temperature and CEM43"
            )
        return ""

    def require_window(self, time_s: float) -> None:
        """Raise `InputError` outside the window."""
        objection = self.objection(time_s)
        if objection:
            raise InputError(f"Damage set out of its window. {objection}.")


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
