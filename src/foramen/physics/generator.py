"""Radiofrequency generators: what each does with its voltage from step to step, within its limits.

Heat goes with the square of the RMS voltage at the electrode, so that square is what a generator sets. A series
impedance (return pad, rest of the body, cable) lies between the generator's terminals and the tissue that is modelled.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from foramen.errors import InputError
from foramen.model.thermal import GeneratorLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What is known in one time step; the thermocouple would read ``idle + square x response``.

    Parameters
    ----------
    now_s, length_s : float
        End of the step and its length.
    idle_degC, response_K_per_V2 : float
        Thermocouple without power in this step, and its rise per squared volt (not a number if not asked for).
    conductance_S : float
        Of the tissue, from electrode to far field.
    last_V2, last_error_K : float
        Squared voltage of the step before, and how far the thermocouple then was below the set curve.
    """

    now_s: float
    length_s: float
    idle_degC: float
    response_K_per_V2: float
    conductance_S: float
    last_V2: float
    last_error_K: float


class Generator(Protocol):
    """Anything that sets the squared voltage of a step."""

    @property
    def time_s(self) -> float:
        """Time after which it stops."""

    @property
    def limits(self) -> GeneratorLimits:
        """Its largest voltage, current and power."""

    @property
    def series_ohm(self) -> float:
        """Resistance between its terminals and the tissue."""

    @property
    def is_sensing(self) -> bool:
        """Whether it needs the thermocouple."""

    @property
    def kinks_s(self) -> tuple[float, ...]:
        """Times at which its course has a corner."""

    def wanted_degC(self, now_s: float) -> float:
        """Set curve of the thermocouple at a time; not a number without one."""

    def demand_V2(self, moment: Moment) -> float:
        """Squared RMS voltage that it would set without limits."""


def ceiling_V2(limits: GeneratorLimits, conductance_S: float, series_ohm: float) -> float:
    """Largest squared voltage at the electrode within limits that hold at the generator's terminals."""
    share = 1 + series_ohm * conductance_S
    return min(
        (limits.voltage_V / share) ** 2,
        (limits.current_A / conductance_S) ** 2,
        limits.power_W / (conductance_S * share),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TemperatureHeld:
    """Ideal temperature control: linear ramp to `set_degC`, then hold; the ramp counts in the total time."""

    set_degC: float
    start_degC: float
    ramp_s: float
    time_s: float
    limits: GeneratorLimits
    series_ohm: float = 0.0

    def __post_init__(self) -> None:
        _require_set_curve(self.set_degC, self.start_degC, self.ramp_s, self.time_s)
        _require_series(self.series_ohm)

    @property
    def is_sensing(self) -> bool:
        """It follows the thermocouple."""
        return True

    @property
    def kinks_s(self) -> tuple[float, ...]:
        """End of the ramp and of the lesion."""
        return self.ramp_s, self.time_s

    def wanted_degC(self, now_s: float) -> float:
        """Set curve at a time."""
        return _set_curve_degC(self.set_degC, self.start_degC, self.ramp_s, now_s)

    def demand_V2(self, moment: Moment) -> float:
        """What puts the thermocouple on the set curve at the end of the step."""
        if moment.response_K_per_V2 <= 0:
            return 0.0
        return max((self.wanted_degC(moment.now_s) - moment.idle_degC) / moment.response_K_per_V2, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProportionalIntegral:
    """A controller of power as a real generator has it: it lags behind the ramp and may overshoot.

    Velocity form, implicit in the error e of the step: P = P_last + gain (e - e_last) + e length gain / reset.
    """

    set_degC: float
    start_degC: float
    ramp_s: float
    time_s: float
    limits: GeneratorLimits
    gain_W_per_K: float
    reset_s: float
    series_ohm: float = 0.0

    def __post_init__(self) -> None:
        _require_set_curve(self.set_degC, self.start_degC, self.ramp_s, self.time_s)
        _require_series(self.series_ohm)
        if not (self.gain_W_per_K > 0 and self.reset_s > 0):
            raise InputError("A controller needs a gain and a reset time above 0.")

    @property
    def is_sensing(self) -> bool:
        """It follows the thermocouple."""
        return True

    @property
    def kinks_s(self) -> tuple[float, ...]:
        """End of the ramp and of the lesion."""
        return self.ramp_s, self.time_s

    def wanted_degC(self, now_s: float) -> float:
        """Set curve at a time."""
        return _set_curve_degC(self.set_degC, self.start_degC, self.ramp_s, now_s)

    def demand_V2(self, moment: Moment) -> float:
        """Root of the control law, which is linear in the squared voltage."""
        strength = self.gain_W_per_K * (1 + moment.length_s / self.reset_s)
        power = moment.last_V2 * moment.conductance_S - self.gain_W_per_K * moment.last_error_K
        power += strength * (self.wanted_degC(moment.now_s) - moment.idle_degC)
        return max(power / (moment.conductance_S + strength * moment.response_K_per_V2), 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class VoltageHeld:
    """A constant RMS voltage at the generator's terminals."""

    voltage_V: float
    time_s: float
    limits: GeneratorLimits
    series_ohm: float = 0.0

    def __post_init__(self) -> None:
        _require_positive(self.voltage_V, self.time_s, "voltage", "V")
        _require_series(self.series_ohm)

    @property
    def is_sensing(self) -> bool:
        """It needs no thermocouple."""
        return False

    @property
    def kinks_s(self) -> tuple[float, ...]:
        """The end."""
        return (self.time_s,)

    def wanted_degC(self, now_s: float) -> float:
        """No set curve."""
        return float("nan")

    def demand_V2(self, moment: Moment) -> float:
        """The part of the voltage that reaches the tissue, squared."""
        return (self.voltage_V / (1 + self.series_ohm * moment.conductance_S)) ** 2


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerHeld:
    """A constant power at the generator's terminals."""

    power_W: float
    time_s: float
    limits: GeneratorLimits
    series_ohm: float = 0.0

    def __post_init__(self) -> None:
        _require_positive(self.power_W, self.time_s, "power", "W")
        _require_series(self.series_ohm)

    @property
    def is_sensing(self) -> bool:
        """It needs no thermocouple."""
        return False

    @property
    def kinks_s(self) -> tuple[float, ...]:
        """The end."""
        return (self.time_s,)

    def wanted_degC(self, now_s: float) -> float:
        """No set curve."""
        return float("nan")

    def demand_V2(self, moment: Moment) -> float:
        """Power over conductance, less what the series resistance takes."""
        conductance = moment.conductance_S
        return self.power_W / (conductance * (1 + self.series_ohm * conductance))


def _set_curve_degC(set_degC: float, start_degC: float, ramp_s: float, now_s: float) -> float:
    if now_s >= ramp_s:
        return set_degC
    return start_degC + (set_degC - start_degC) * now_s / ramp_s


def _require_set_curve(set_degC: float, start_degC: float, ramp_s: float, time_s: float) -> None:
    if not set_degC > start_degC:
        raise InputError(f"The set temperature ({set_degC:.1f} degC) must lie above the baseline ({start_degC:.1f}).")
    if not 0 <= ramp_s < time_s:
        raise InputError(f"The ramp ({ramp_s:g} s) counts in the total time ({time_s:g} s) and must be shorter.")


def _require_positive(value: float, time_s: float, name: str, unit: str) -> None:
    if not value > 0:
        raise InputError(f"A {name} of {value:g} {unit} heats nothing; give more than 0.")
    if not time_s > 0:
        raise InputError(f"A time of {time_s:g} s is not possible; give more than 0.")


def _require_series(series_ohm: float) -> None:
    if not series_ohm >= 0:
        raise InputError(f"A series resistance of {series_ohm:g} ohm is not possible; give 0 or more.")
