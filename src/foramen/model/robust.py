"""How robust a plan is: probabilities over what is not known exactly, each with its interval."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from foramen.model.evidence import Trace


class RobustDecision(StrEnum):
    """What the confidence bounds allow to say; `CAUTION` is decided, `UNDECIDED` is not."""

    ACCEPTABLE = "acceptable"
    CAUTION = "caution"
    UNDECIDED = "undecided"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Varied:
    """One thing that was varied: its spread in words, whether it is common to all lesions, and where it is from."""

    name: str
    spread: str
    is_common: bool
    trace: Trace
    sources: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probability:
    """Estimated share of scenarios with its confidence interval (sampling and reduced model together)."""

    estimate_fraction: float
    low_fraction: float
    high_fraction: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureProbability:
    """Probability that at least `captured_fraction` of the needed segment is captured."""

    captured_fraction: float
    probability: Probability


@dataclass(frozen=True, slots=True, kw_only=True)
class RobustTarget:
    """Geometric capture probabilities at one target."""

    target: str
    nominal_fraction: float  # by the tightest criterion, as the plan states it
    median_fraction: float
    captures: tuple[CaptureProbability, ...]
    decision: RobustDecision


@dataclass(frozen=True, slots=True, kw_only=True)
class RobustStructure:
    """Temperatures at one structure to be spared; None where it is not shown or has no such limit."""

    target: str
    structure: str
    median_degC: float | None
    high_degC: float | None  # 95 % of the scenarios are not above it
    caution_degC: float | None
    reject_degC: float | None
    passes_caution: Probability | None
    passes_reject: Probability | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReducedModelError:
    """Full solution minus reduced model over `solves` scenarios of one target.

    Capture: margin at the deciding point of the tightest criterion, in kelvin. Structures: rise, as a fraction of
    the rise (of 1 K where that is less). `disagreements` counts scenarios in which both differ about capture.
    """

    target: str
    solves: int
    bias_K: float
    sd_K: float
    largest_K: float
    disagreements: int
    disagreement_high_fraction: float  # upper confidence bound of their share
    structure_bias_fraction: float
    structure_sd_fraction: float


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatHistogram:
    """Dose-volume histogram: volume of a structure at or above each temperature, or each thermal dose.

    `low_mm3`, `median_mm3` and `high_mm3` are the 5th, 50th and 95th percentile over scenarios; `nominal_mm3` is the
    plan itself. For surfaces (canal, skin, hardware) the volume is that of the listed part of the surface times one
    millimetre of depth.
    """

    target: str
    structure: str
    quantity: str  # "peak_degC" or "cem43_min"
    levels: tuple[float, ...]
    nominal_mm3: tuple[float, ...]
    low_mm3: tuple[float, ...]
    median_mm3: tuple[float, ...]
    high_mm3: tuple[float, ...]
    total_mm3: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WorstCase:
    """One bad scenario: what it is bad for, and what came together."""

    target: str
    scenario: int
    what: str
    came_together: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RobustEffect:
    """Geometric capture probability under the stated model, and risk to neighbours; never a promise of benefit."""

    decision: RobustDecision
    reason: str
    scenarios: int
    seed: int
    confidence_fraction: float
    targets: tuple[RobustTarget, ...]
    any_keep_out: Probability
    structures: tuple[RobustStructure, ...]
    errors: tuple[ReducedModelError, ...]
    varied: tuple[Varied, ...]
    histograms: tuple[HeatHistogram, ...]
    worst: tuple[WorstCase, ...]
    assumptions: tuple[str, ...]
