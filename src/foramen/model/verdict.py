"""Candidacy: criteria judged in three values, and the verdict they lead to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from foramen.model.evidence import Trace


class Truth(StrEnum):
    """Three-valued truth."""

    TRUE = "true"
    FALSE = "false"
    UNKNOWN = "unknown"


class Severity(StrEnum):
    """What a criterion does to the verdict."""

    RED_FLAG = "red_flag"  # true: stop, urgent pathway
    EXCLUDE_ABSOLUTE = "exclude_absolute"  # true: not acceptable
    REQUIRED = "required"  # false: not acceptable; unknown: needs information
    EXCLUDE_RELATIVE = "exclude_relative"  # true: acceptable only with a reason; shown
    SUPPORTING = "supporting"
    WARN = "warn"
    INFO = "info"


class VerdictStatus(StrEnum):
    """Outcome of the candidacy question."""

    NOT_ACCEPTABLE = "not_acceptable"
    NEEDS_INFORMATION = "needs_information"
    ACCEPTABLE = "acceptable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A missing fact, in words, with how to get it; "asked, absent" is a possible answer."""

    fact: str
    text: str
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """One rule as judged for one patient."""

    id: str
    severity: Severity
    profile: str
    text: str
    truth: Truth
    reason: str
    sources: tuple[str, ...]
    trace: Trace
    missing: tuple[str, ...] = ()
    action: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dissent:
    """Published disagreement that stands beside every positive verdict."""

    id: str
    text: str
    sources: tuple[str, ...]
    trace: Trace


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Answer to "may they have it?", with every line of the reasoning."""

    status: VerdictStatus
    technique: str
    profile: str
    criteria: tuple[Criterion, ...]
    questions: tuple[Question, ...]
    dissent: tuple[Dissent, ...]

    @property
    def reasons(self) -> tuple[str, ...]:
        """The lines that decided the verdict, in words."""
        decisive = {
            VerdictStatus.NOT_ACCEPTABLE: {Truth.TRUE, Truth.FALSE},
            VerdictStatus.NEEDS_INFORMATION: {Truth.UNKNOWN},
            VerdictStatus.ACCEPTABLE: {Truth.TRUE, Truth.FALSE},
        }[self.status]
        return tuple(c.reason for c in self.criteria if c.truth in decisive and c.severity is not Severity.INFO)
