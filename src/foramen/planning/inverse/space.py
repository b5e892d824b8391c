"""What may be chosen for one nerve: a place about a ranked path, the generator, and the number of passes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from foramen.knowledge.devices import rf_cannulae
from foramen.knowledge.facts import number
from foramen.knowledge.technique_facts import TechniqueKnowledge
from foramen.model.device import RfCannula, TipShape
from foramen.model.plan import RfSetting, Trajectory
from foramen.model.space import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """One choice: a starting path by number, generator, and the passes relative to the path."""

    start: int
    temperature_degC: float
    time_s: float
    passes: int
    turn_deg: tuple[float, float] = (0.0, 0.0)
    shift_mm: float = 0.0
    along_mm: float = 0.0
    spacing_mm: float = 0.0
    stagger_mm: float = 0.0

    @property
    def steps(self) -> FloatArray:
        """Number (passes,) of steps of each pass from the middle of all."""
        steps: FloatArray = np.arange(self.passes, dtype=np.float64) - (self.passes - 1) / 2
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
    """What the technique allows, and how finely a generator is set."""

    temperature_degC: tuple[float, float]
    time_s: tuple[float, float]
    passes: tuple[int, int]
    ramp_s: float
    frequency_hz: float
    temperature_step_degC: float
    time_step_s: float

    def setting(self, device: RfCannula, temperature_degC: float, time_s: float, *, passes: int = 1) -> RfSetting:
        """The generator's setting."""
        return RfSetting(
            temperature_degC=temperature_degC,
            time_s=time_s,
            ramp_s=self.ramp_s,
            thermocouple=device.thermocouple,
            frequency_hz=self.frequency_hz,
            lesions=passes,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How far the passes may be placed from a ranked path, and from each other."""

    tilt_deg: float
    shift_mm: float
    along_mm: float
    spacing_mm: float
    stagger_mm: float


def technique_ranges(knowledge: TechniqueKnowledge) -> Ranges:
    """Ranges of a technique's own facts; the temperature may be lower, so that nothing need boil."""
    lesions, temperature, time = (knowledge.fact(name) for name in ("lesions", "temperature_degC", "time_s"))
    return Ranges(
        temperature_degC=(number("inverse.temperature_least_degC"), temperature.high or temperature.number),
        time_s=(time.low or time.number, time.high or time.number),
        passes=(int(lesions.low or 1), int(lesions.high or lesions.number)),
        ramp_s=knowledge.number("ramp_s"),
        frequency_hz=knowledge.number("frequency_hz"),
        temperature_step_degC=number("inverse.temperature_step_degC"),
        time_step_s=number("inverse.time_step_s"),
    )


def known_reach() -> Reach:
    """The reach of the knowledge."""
    return Reach(
        tilt_deg=number("inverse.tilt_reach_deg"),
        shift_mm=number("inverse.shift_reach_mm"),
        along_mm=number("inverse.along_reach_mm"),
        spacing_mm=number("inverse.spacing_most_mm"),
        stagger_mm=number("inverse.stagger_most_mm"),
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
    reach: Reach

    @property
    def passes(self) -> tuple[int, int]:
        """Fewest and most passes."""
        return self.ranges.passes

    @property
    def integers(self) -> dict[str, tuple[int, int]]:
        """Whole numbers to be chosen, with their least and most: the generator's steps."""
        ranges = self.ranges
        temperature = _steps(ranges.temperature_degC, ranges.temperature_step_degC)
        return {"temperature": (0, temperature), "time": (0, _steps(ranges.time_s, ranges.time_step_s))}

    def reals(self, passes: int) -> dict[str, tuple[float, float]]:
        """Real numbers to be chosen, with their least and most; spacing is the part of what lies beyond a diameter."""
        reach = self.reach
        reaches = {"oblique": reach.tilt_deg, "declined": reach.tilt_deg, "shift": reach.shift_mm}
        reaches |= {"along": reach.along_mm, "stagger": reach.stagger_mm if passes > 1 else 0.0}
        found = {name: (-far, far) for name, far in reaches.items() if far > 0}
        return found | ({"spacing": (0.0, 1.0)} if passes > 1 and reach.spacing_mm > 0 else {})

    def design(self, chosen: Mapping[str, float], passes: int) -> Design:
        """The choice that these numbers stand for; what is not named stays as it is on the ranked path."""
        start = int(chosen["start"])
        device, ranges = self.starts[start].device, self.ranges
        temperature = ranges.temperature_degC[0] + ranges.temperature_step_degC * int(chosen["temperature"])
        nearest = device.outer_diameter_mm
        beyond = max(self.reach.spacing_mm - nearest, 0.0) * float(chosen.get("spacing", 0.0))
        return Design(
            start=start,
            temperature_degC=min(temperature, ranges.temperature_degC[1], device.max_temperature_degC),
            time_s=min(ranges.time_s[0] + ranges.time_step_s * int(chosen["time"]), ranges.time_s[1]),
            passes=passes,
            turn_deg=(float(chosen.get("oblique", 0.0)), float(chosen.get("declined", 0.0))),
            shift_mm=float(chosen.get("shift", 0.0)),
            along_mm=float(chosen.get("along", 0.0)),
            spacing_mm=nearest + beyond if passes > 1 else 0.0,
            stagger_mm=float(chosen.get("stagger", 0.0)),
        )


def _steps(limits: tuple[float, float], step: float) -> int:
    return int(np.ceil((limits[1] - limits[0]) / step - 1e-9))
