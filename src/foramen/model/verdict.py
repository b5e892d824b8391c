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

    @property
    def is_deciding(self) -> bool:
        """Whether a criterion of this severity decides the verdict; the others are only shown."""
        return self in (Severity.RED_FLAG, Severity.EXCLUDE_ABSOLUTE, Severity.REQUIRED)


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

    @property
    def speaks_against(self) -> bool:
        """Whether this line alone makes the verdict not acceptable."""
        against = Truth.FALSE if self.severity is Severity.REQUIRED else Truth.TRUE
        return self.severity.is_deciding and self.truth is against


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
        """The lines that decided the verdict, in words: what speaks against, what is open, or what is fulfilled."""
        if self.status is VerdictStatus.NOT_ACCEPTABLE:
            return tuple(c.reason for c in self.criteria if c.speaks_against)
        if self.status is VerdictStatus.NEEDS_INFORMATION:
            return tuple(c.reason for c in self.criteria if c.severity.is_deciding and c.truth is Truth.UNKNOWN)
        return tuple(c.reason for c in self.criteria if c.severity is Severity.REQUIRED)
