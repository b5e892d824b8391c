"""Care around the procedure: preparation, the day, aftercare."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from foramen.model.evidence import Trace


class CarePhase(StrEnum):
    """When an item of care applies."""

    PREPARATION = "preparation"
    DAY = "day"
    AFTERCARE = "aftercare"


class CareKind(StrEnum):
    """What kind of line it is."""

    STEP = "step"
    STOP_RULE = "stop_rule"
    MEDICINE = "medicine"
    CHECK = "check"
    ADVICE = "advice"
    CALL = "call"
    QUESTION = "question"


@dataclass(frozen=True, slots=True, kw_only=True)
class CareItem:
    """One line of care with its reason and source.

    `when` is a local date and time (ISO 8601) where it can be computed, else words; `is_shared_decision`
    marks lines that need the prescriber's agreement and never go to the patient as an instruction.
    """

    phase: CarePhase
    kind: CareKind
    text: str
    reason: str
    sources: tuple[str, ...]
    trace: Trace
    when: str = ""
    is_shared_decision: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Care:
    """All care around one procedure, in the order of time."""

    procedure_at: str
    items: tuple[CareItem, ...]

    def of(self, phase: CarePhase) -> tuple[CareItem, ...]:
        """The items of one phase."""
        return tuple(item for item in self.items if item.phase is phase)
