"""What may be chosen for one nerve, as numbers from 0 to 1 for the optimiser."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from foramen.errors import InputError
from foramen.knowledge.devices import rf_cannulae
from foramen.knowledge.facts import number
from foramen.knowledge.technique_facts import TechniqueKnowledge
from foramen.model.device import RfCannula, TipShape
from foramen.model.plan import Trajectory
from foramen.model.space import FloatArray

VARIABLES = (
    "cannula and ranked path",
    "set temperature",
    "time",
    "passes",
    "oblique angle",
    "declined angle",
    "shift across the bone",
    "shift along the needle",
    "spacing of the passes",
    "stagger of the passes",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """One choice: a starting path by number, generator, and the passes relative to the path."""

    start: int
    temperature_degC: float
    time_s: float
    passes: int
    turn_deg: tuple[float, float]
    shift_mm: float
    along_mm: float
    spacing_mm: float
    stagger_mm: float

    @property
    def steps(self) -> FloatArray:
        """Number (passes,) of steps of each pass from the middle of all."""
        steps: FloatArray = np.arange(self.passes) - (self.passes - 1) / 2
        return steps

    @property
    def across_mm(self) -> FloatArray:
        """Place (passes,) of each pass across the bone."""
        return self.shift_mm + self.spacing_mm * self.steps

    @property
    def back_mm(self) -> FloatArray:
        """Place (passes,) of each pass along the needle, back from the path's tip."""
        return self.along_mm + self.stagger_mm * self.steps


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranges:
    """What the technique and its devices allow."""

    temperature_degC: tuple[float, float]
    time_s: tuple[float, float]
    passes: int
    ramp_s: float
    frequency_hz: float


def technique_ranges(knowledge: TechniqueKnowledge, *, passes_most: int | None) -> Ranges:
    """Ranges of a technique's own facts, with no more passes than asked for."""
    lesions = knowledge.fact("lesions")
    low, high = int(lesions.low or 1), int(lesions.high or lesions.number)
    if passes_most is not None and not low <= passes_most <= high:
        raise InputError(f"At most {passes_most} lesions on one nerve lie outside {low} to {high}. Choose within.")
    temperature, time = knowledge.fact("temperature_degC"), knowledge.fact("time_s")
    return Ranges(
        temperature_degC=(temperature.low or temperature.number, temperature.high or temperature.number),
        time_s=(time.low or time.number, time.high or time.number),
        passes=high if passes_most is None else passes_most,
        ramp_s=knowledge.number("ramp_s"),
        frequency_hz=knowledge.number("frequency_hz"),
    )


def technique_cannulae(knowledge: TechniqueKnowledge) -> tuple[RfCannula, ...]:
    """Cannulae of the catalogue with a gauge of the technique; bench-top shapes are left out."""
    gauge = knowledge.fact("gauge")
    thick, thin = gauge.low or gauge.number, gauge.high or gauge.number
    return tuple(c for c in rf_cannulae() if thick <= c.gauge <= thin and c.tip_shape is TipShape.SHARP)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Space:
    """All choices for one nerve: places about the starting paths, and the technique's ranges."""

    starts: tuple[Trajectory, ...]
    ranges: Ranges

    def design(self, x: FloatArray) -> Design:
        """The choice that numbers (10,) from 0 to 1 stand for."""
        start = _which(x[0], len(self.starts))
        device = self.starts[start].device
        low, high = self.ranges.temperature_degC
        temperature = (low, min(high, device.max_temperature_degC))
        passes = 1 + _which(x[3], self.ranges.passes)
        tilt, shift, along = (number(f"inverse.{name}") for name in ("tilt_reach_deg", "shift_reach_mm", "along_reach_mm"))
        stagger, spacing = number("inverse.stagger_most_mm"), number("inverse.spacing_most_mm")
        nearest = device.outer_diameter_mm
        is_one = passes == 1
        return Design(
            start=start,
            temperature_degC=_stepped(x[1], temperature, number("inverse.temperature_step_degC")),
            time_s=_stepped(x[2], self.ranges.time_s, number("inverse.time_step_s")),
            passes=passes,
            turn_deg=(_between(x[4], tilt), _between(x[5], tilt)),
            shift_mm=_between(x[6], shift),
            along_mm=_between(x[7], along),
            spacing_mm=0.0 if is_one else nearest + float(x[8]) * (spacing - nearest),
            stagger_mm=0.0 if is_one else _between(x[9], stagger),
        )


def _which(x: float, count: int) -> int:
    return min(int(x * count), count - 1)


def _between(x: float, reach: float) -> float:
    return float((2 * x - 1) * reach)


def _stepped(x: float, limits: tuple[float, float], step: float) -> float:
    low, high = limits
    return float(low + step * round(float(x) * (high - low) / step))
