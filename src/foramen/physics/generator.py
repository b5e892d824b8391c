"""Radiofrequency generators: what each does with its voltage from step to step, within its limits.

Heat goes with the square of the RMS voltage at the electrode, so that square is what a generator sets. A series
impedance (return pad, rest of the body, cable) lies between the generator's terminals and the tissue that is modelled.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Generator(ABC):
    """Anything that sets the squared voltage of a step.

    Parameters
    ----------
    time_s : float
        Time after which it stops.
    limits : GeneratorLimits
        Largest voltage, current and power at its terminals, while it is on.
    series_ohm : float
        Resistance between its terminals and the tissue.
    """

    time_s: float
    limits: GeneratorLimits
    series_ohm: float = 0.0

    def __post_init__(self) -> None:
        if not self.time_s > 0:
            raise InputError(f"A time of {self.time_s:g} s is not possible; give more than 0.")
        if not self.series_ohm >= 0:
            raise InputError(f"A series resistance of {self.series_ohm:g} ohm is not possible; give 0 or more.")

    @abstractmethod
    def demand_V2(self, moment: Moment) -> float:
        """Squared RMS voltage at the electrode that it would set without limits, averaged over pulses."""

    @property
    def is_sensing(self) -> bool:
        """Whether it needs the thermocouple."""
        return False

    @property
    def duty(self) -> float:
        """Part of the time in which it is on."""
        return 1.0

    @property
    def kinks_s(self) -> tuple[float, ...]:
        """Times at which its course has a corner."""
        return (self.time_s,)

    def wanted_degC(self, now_s: float) -> float:
        """Set curve of the thermocouple at a time; not a number without one."""
        return float("nan")

    def ceiling_V2(self, conductance_S: float) -> float:
        """Largest squared voltage at the electrode within the limits, averaged over pulses."""
        share = 1 + self.series_ohm * conductance_S
        on_pulse = min(
            (self.limits.voltage_V / share) ** 2,
            (self.limits.current_A / conductance_S) ** 2,
            self.limits.power_W / (conductance_S * share),
        )
        return self.duty * on_pulse

    def at_electrode_V(self, voltage_V: float, conductance_S: float) -> float:
        """What is left of a voltage at the terminals."""
        return voltage_V / (1 + self.series_ohm * conductance_S)


@dataclass(frozen=True, slots=True, kw_only=True)
class SetCurve(Generator):
    """A generator that follows a curve: linear ramp to `set_degC`, then hold; the ramp counts in the total time."""

    set_degC: float
    start_degC: float
    ramp_s: float

    def __post_init__(self) -> None:
        Generator.__post_init__(self)
        if not self.set_degC > self.start_degC:
            raise InputError(
                f"The set temperature ({self.set_degC:.1f} degC) must lie above the baseline ({self.start_degC:.1f})."
            )
        if not 0 <= self.ramp_s < self.time_s:
            raise InputError(
                f"The ramp ({self.ramp_s:g} s) counts in the total time ({self.time_s:g} s) and must be shorter."
            )

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
        if now_s >= self.ramp_s:
            return self.set_degC
        return self.start_degC + (self.set_degC - self.start_degC) * now_s / self.ramp_s


@dataclass(frozen=True, slots=True, kw_only=True)
class TemperatureHeld(SetCurve):
    """Ideal temperature control: the thermocouple is on the set curve at the end of every step."""

    def demand_V2(self, moment: Moment) -> float:
        """What puts the thermocouple on the set curve."""
        return holding_V2(moment, self.wanted_degC(moment.now_s))


@dataclass(frozen=True, slots=True, kw_only=True)
class ProportionalIntegral(SetCurve):
    """A controller of power as a real generator has it: it lags behind the ramp and may overshoot.

    Velocity form, implicit in the error e of the step: P = P_last + gain (e - e_last) + e length gain / reset.
    """

    gain_W_per_K: float
    reset_s: float

    def __post_init__(self) -> None:
        SetCurve.__post_init__(self)
        if not (self.gain_W_per_K > 0 and self.reset_s > 0):
            raise InputError("A controller needs a gain and a reset time above 0.")

    def demand_V2(self, moment: Moment) -> float:
        """Root of the control law, which is linear in the squared voltage."""
        strength = self.gain_W_per_K * (1 + moment.length_s / self.reset_s)
        power = moment.last_V2 * moment.conductance_S - self.gain_W_per_K * moment.last_error_K
        power += strength * (self.wanted_degC(moment.now_s) - moment.idle_degC)
        return max(power / (moment.conductance_S + strength * moment.response_K_per_V2), 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class VoltageHeld(Generator):
    """A constant RMS voltage at the generator's terminals."""

    voltage_V: float

    def __post_init__(self) -> None:
        Generator.__post_init__(self)
        _require_positive(self.voltage_V, "voltage", "V")

    def demand_V2(self, moment: Moment) -> float:
        """The part of the voltage that reaches the tissue, squared."""
        return self.at_electrode_V(self.voltage_V, moment.conductance_S) ** 2


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerHeld(Generator):
    """A constant power at the generator's terminals."""

    power_W: float

    def __post_init__(self) -> None:
        Generator.__post_init__(self)
        _require_positive(self.power_W, "power", "W")

    def demand_V2(self, moment: Moment) -> float:
        """Power over conductance, less what the series resistance takes."""
        return self.power_W / (moment.conductance_S * (1 + self.series_ohm * moment.conductance_S))


def holding_V2(moment: Moment, wanted_degC: float) -> float:
    """Squared voltage that takes the thermocouple to a temperature by the end of the step; never negative."""
    if moment.response_K_per_V2 <= 0:
        return 0.0
    return max((wanted_degC - moment.idle_degC) / moment.response_K_per_V2, 0.0)


def _require_positive(value: float, name: str, unit: str) -> None:
    if not value > 0:
        raise InputError(f"A {name} of {value:g} {unit} heats nothing; give more than 0.")
