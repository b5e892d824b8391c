"""Facts, where they come from, and how a result was made."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Trace(StrEnum):
    """Whether a fact was read in its source."""

    SEEN = "seen"
    DERIVED = "derived"  # arithmetic or simulation on seen numbers
    UNVERIFIED = "unverified"  # not traced; usable, always shown as such


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """One entry of `knowledge/sources.yaml`."""

    key: str
    title: str
    reference: str = ""
    url: str = ""
    tier: str = ""
    is_seen: bool = False
    note: str = ""


FactValue = float | str | bool | tuple[float, ...] | tuple[str, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One sourced statement or number."""

    id: str
    value: FactValue
    unit: str = ""
    low: float | None = None
    high: float | None = None
    sd: float | None = None
    population: str = ""
    sources: tuple[str, ...] = ()
    locator: str = ""
    trace: Trace = Trace.UNVERIFIED
    note: str = ""

    @property
    def number(self) -> float:
        """The value as a number; raises TypeError for a fact in words."""
        if isinstance(self.value, bool) or not isinstance(self.value, int | float):
            raise TypeError(f"Fact {self.id} is not a number: {self.value!r}.")
        return float(self.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """What went into a result: enough to make it again."""

    foramen_version: str
    knowledge_sha256: str
    made_at: str
    image_sha256: str = ""
    labels_sha256: str = ""
    record_sha256: str = ""
    settings: dict[str, str] = field(default_factory=dict)
    packages: dict[str, str] = field(default_factory=dict)
    facts_used: tuple[str, ...] = ()
