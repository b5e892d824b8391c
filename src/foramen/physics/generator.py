"""Radiofrequency generator that follows a set temperature at its thermocouple, within its limits."""

from __future__ import annotations

from dataclasses import dataclass

from foramen.errors import InputError
from foramen.model.thermal import GeneratorLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class Generator:
    """Temperature-held generator: linear ramp to `set_degC`, then hold; the ramp counts in the total time."""

    set_degC: float
    start_degC: float
    ramp_s: float
    time_s: float
    limits: GeneratorLimits

    def __post_init__(self) -> None:
        if self.set_degC <= self.start_degC:
            raise InputError(
                f"The set temperature ({self.set_degC:.1f} degC) must lie above the baseline ({self.start_degC:.1f})."
            )
        if not 0 <= self.ramp_s < self.time_s:
            raise InputError(
                f"The ramp ({self.ramp_s:g} s) counts in the total time ({self.time_s:g} s) and must be shorter."
            )

    def wanted_degC(self, time_s: float) -> float:
        """Set curve at a time."""
        if time_s >= self.ramp_s:
            return self.set_degC
        return self.start_degC + (self.set_degC - self.start_degC) * time_s / self.ramp_s

    def square_voltage_V2(
        self, wanted_K: float, idle_K: float, response_K_per_V2: float, conductance_S: float
    ) -> float:
        """Squared RMS voltage that takes the thermocouple from `idle_K` to `wanted_K`, within the limits."""
        if response_K_per_V2 <= 0:
            return 0.0
        ceiling = min(
            self.limits.voltage_V**2,
            (self.limits.current_A / conductance_S) ** 2,
            self.limits.power_W / conductance_S,
        )
        return min(max((wanted_K - idle_K) / response_K_per_V2, 0.0), ceiling)
