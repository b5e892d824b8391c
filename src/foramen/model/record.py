"""The clinical record as the planner sees it: answers, never defaults."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import Final, Generic, TypeVar

from foramen.errors import RecordError
from foramen.model.finding import Finding


class _Unknown(Enum):
    UNKNOWN = "UNKNOWN"

    def __bool__(self) -> bool:
        raise TypeError("UNKNOWN is neither true nor false; ask for it explicitly.")

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = _Unknown.UNKNOWN
"""Nobody has said. It propagates, and never counts as safe."""

Unknown = _Unknown

AnswerValue = bool | float | str

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answered question: its value (False for "asked, absent"), when and by whom."""

    value: AnswerValue
    when: str = ""
    source: str = ""


class BlockKind(StrEnum):
    """Kind of diagnostic injection."""

    MEDIAL_BRANCH = "medial_branch"
    INTRA_ARTICULAR = "intra_articular"
    NERVE_ROOT = "nerve_root"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class DiagnosticBlock:
    """One diagnostic block; a field that nobody recorded is UNKNOWN.

    `nerves` are names such as ``L3`` (medial branch of L3) on `side`; `relief_percent` is the best
    relief while the anaesthetic acted; `is_concordant` that it lasted as long as the agent does.
    """

    date: str
    kind: BlockKind
    nerves: frozenset[str] | Unknown
    side: str | Unknown
    agent: str | Unknown
    relief_percent: float | Unknown
    is_concordant: bool | Unknown
    was_sedated: bool | Unknown
    local_anaesthetic_only: bool | Unknown

    def __post_init__(self) -> None:
        if isinstance(self.relief_percent, float | int) and not 0 <= self.relief_percent <= 100:
            raise RecordError(f"Block of {self.date}: relief {self.relief_percent} % is outside 0 to 100 %.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """One pain complaint; a field that nobody recorded is UNKNOWN."""

    region: str | Unknown
    side: str | Unknown
    pattern: str | Unknown
    nrs: float | Unknown
    duration_weeks: float | Unknown
    dermatome: str | Unknown = UNKNOWN

    def __post_init__(self) -> None:
        if isinstance(self.nrs, float | int) and not 0 <= self.nrs <= 10:
            raise RecordError(f"Pain rating {self.nrs} is outside 0 to 10.")
        if isinstance(self.duration_weeks, float | int) and self.duration_weeks < 0:
            raise RecordError(f"Pain duration {self.duration_weeks} weeks is negative.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Medicine:
    """One medicine as recorded; `drug` is an id of `knowledge/drugs.yaml`, or empty if not recognised."""

    text: str
    drug: str = ""
    dose: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed(Generic[Item]):
    """A list with the date on which it was declared complete; without it absence is UNKNOWN."""

    items: tuple[Item, ...] = ()
    complete_as_of: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClinicalRecord:
    """One patient's record: answers by fact key, and the lists.

    `facts` maps a declared fact key (`knowledge/facts.yaml`) to an `Answer`; a key that is not in
    it is UNKNOWN. `findings` are measures and readings of the patient's images: they answer nothing until
    a person has confirmed them.
    """

    patient_id: str
    facts: dict[str, Answer] = field(default_factory=dict)
    complaints: tuple[Complaint, ...] = ()
    blocks: Listed[DiagnosticBlock] = field(default_factory=Listed)
    medicines: Listed[Medicine] = field(default_factory=Listed)
    allergies: Listed[str] = field(default_factory=Listed)
    conditions: Listed[str] = field(default_factory=Listed)
    origin: str = ""
    findings: tuple[Finding, ...] = ()

    def value(self, key: str) -> AnswerValue | Unknown:
        """The answer to a fact, or UNKNOWN."""
        answer = self.facts.get(key)
        return UNKNOWN if answer is None else answer.value
