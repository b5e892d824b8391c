"""What is known about each technique (`techniques/<id>.yaml`)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from pydantic import TypeAdapter

from foramen.errors import KnowledgeError
from foramen.knowledge.documents import STRICT, Document, Path, SourceKeys, Traced, document_names, read_document
from foramen.knowledge.facts import facts_of
from foramen.knowledge.rules import Operator, Rule, check_rule
from foramen.model.care import CareKind
from foramen.model.evidence import Fact
from foramen.model.verdict import Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """Anything said about a technique: with sources, where in them, and whether it was read there."""

    sources: SourceKeys
    trace: Traced
    locator: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BleedingClass(Statement):
    """Bleeding class of the procedure."""

    __pydantic_config__ = STRICT
    value: Literal["low", "intermediate", "high"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alias(Statement):
    """Another name under which people search for the technique; for an alias the note is required."""

    __pydantic_config__ = STRICT
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile(Statement):
    """One body's thresholds; every number is a site parameter."""

    __pydantic_config__ = STRICT
    id: str
    title: str
    parameters: dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class CriterionRule(Statement):
    """One criterion with its rule; `profiles` empty means all of them."""

    __pydantic_config__ = STRICT
    id: str
    severity: Severity
    text: str
    rule: Rule
    profiles: tuple[str, ...] = ()
    action: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DissentStatement(Statement):
    """Published disagreement."""

    __pydantic_config__ = STRICT
    id: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewKnowledge(Statement):
    """A C-arm view and what it must show."""

    __pydantic_config__ = STRICT
    id: str
    name: str
    purpose: str
    must_show: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step(Statement):
    """One step of the day; with a quantity it demands `quantity op fact`, which no stop rule may forbid."""

    __pydantic_config__ = STRICT
    id: str
    text: str
    quantity: str = ""
    op: Operator | Literal[""] = ""
    fact: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRule(Statement):
    """When to stop, and what to do; with a quantity it stops where `quantity op fact`.

    ``{limit}`` in the condition stands for that fact; `TechniqueKnowledge.condition` fills it in.
    """

    __pydantic_config__ = STRICT
    id: str
    condition: str
    action: str
    quantity: str = ""
    op: Operator | Literal[""] = ""
    fact: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CareStatement(Statement):
    """One line of care that does not depend on the medicines."""

    __pydantic_config__ = STRICT
    id: str
    kind: CareKind
    text: str
    reason: str
    only_if: Literal["", "sedated", "not_sedated"] = ""
    hours_before: float | None = None
    hours_after: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Complication(Statement):
    """One complication with its denominator (`of`) and what it is counted `per`."""

    __pydantic_config__ = STRICT
    id: str
    event: str
    per: Literal["lesion", "patient", "procedure"]
    percent: float | None = None
    low_percent: float | None = None
    high_percent: float | None = None
    n: int | None = None
    of: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceStatement(Statement):
    """One piece of evidence for or against; designs are never pooled with each other."""

    __pydantic_config__ = STRICT
    id: str
    direction: Literal["for", "against", "uncertain"]
    design: Literal["guideline", "rct_sham", "rct_open", "cohort", "review"]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LeafletAnswer(Statement):
    """A question of patients and its plain answer."""

    __pydantic_config__ = STRICT
    id: str
    question: str
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction(Statement):
    """A claim met in lay articles, and what the evidence says."""

    __pydantic_config__ = STRICT
    id: str
    claim: str
    truth: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TechniqueKnowledge:
    """All that is known about one technique; numbers (settings, constraints) are in `facts`, by key."""

    __pydantic_config__ = STRICT
    id: str
    name: str
    bleeding_class: BleedingClass
    uses: tuple[str, ...]
    aliases: tuple[Alias, ...]
    profiles: tuple[Profile, ...]
    criteria: tuple[CriterionRule, ...]
    dissent: tuple[DissentStatement, ...]
    views: tuple[ViewKnowledge, ...]
    steps: tuple[Step, ...]
    stop_rules: tuple[StopRule, ...]
    preparation: tuple[CareStatement, ...]
    day: tuple[CareStatement, ...]
    aftercare: tuple[CareStatement, ...]
    complications: tuple[Complication, ...]
    evidence: tuple[EvidenceStatement, ...]
    leaflet: tuple[LeafletAnswer, ...]
    corrections: tuple[Correction, ...]
    facts: dict[str, Fact]

    def profile(self, profile_id: str) -> Profile:
        """The profile of that id; raises `KnowledgeError` with those there are."""
        for profile in self.profiles:
            if profile.id == profile_id:
                return profile
        known = ", ".join(profile.id for profile in self.profiles)
        raise KnowledgeError(f"{self.id} has no profile {profile_id!r}. Choose one of {known}.")

    def fact(self, key: str) -> Fact:
        """The fact `<technique>.<key>`, such as ``oblique_deg``."""
        found = self.facts.get(f"{self.id}.{key}")
        if found is None:
            raise KnowledgeError(f"techniques/{self.id}.yaml declares no fact {key!r}.")
        return found

    def condition(self, rule: StopRule) -> str:
        """The condition of a stop rule in words, with the value and unit of its fact for ``{limit}``."""
        if "{limit}" not in rule.condition:
            return rule.condition
        limit = self.fact(rule.fact)
        return rule.condition.replace("{limit}", f"{limit.number:g} {limit.unit}")

    def number(self, key: str) -> float:
        """The value of the numeric fact `<technique>.<key>`."""
        return self.fact(key).number


_SECTIONS: dict[str, Any] = {
    "aliases": Alias,
    "profiles": Profile,
    "criteria": CriterionRule,
    "dissent": DissentStatement,
    "views": ViewKnowledge,
    "steps": Step,
    "stop_rules": StopRule,
    "preparation": CareStatement,
    "day": CareStatement,
    "aftercare": CareStatement,
    "complications": Complication,
    "evidence": EvidenceStatement,
    "leaflet": LeafletAnswer,
    "corrections": Correction,
}


def technique_knowledge_of(document: Document) -> TechniqueKnowledge:
    """What a technique file says; raises `KnowledgeError` with position for anything wrong or undeclared in it."""
    stem = document.name.rpartition("/")[2].removesuffix(".yaml")
    facts = facts_of(document, stem=stem)
    without_facts = Document(
        name=document.name,
        content={key: value for key, value in document.content.items() if key != "facts"} | {"facts": {}},
        positions=document.positions,
    )
    bare = without_facts.parse(TypeAdapter(TechniqueKnowledge))
    if bare.id != stem:
        raise document.error(("id",), f"The id must be that of the file, {stem!r}.")
    _check_ids(document, bare)
    _check_rules(document, bare)
    _check_quantities(document, bare, facts)
    return TechniqueKnowledge(
        **{name: getattr(bare, name) for name in TechniqueKnowledge.__dataclass_fields__ if name != "facts"},
        facts=facts,
    )


def _check_ids(document: Document, bare: TechniqueKnowledge) -> None:
    for section in _SECTIONS:
        seen: set[str] = set()
        for index, entry in enumerate(getattr(bare, section)):
            name = getattr(entry, "id", None) or entry.text
            if name in seen:
                raise document.error((section, index), f"{name!r} stands twice in {section}.")
            seen.add(name)


def _check_rules(document: Document, bare: TechniqueKnowledge) -> None:
    parameters = {profile.id: frozenset(profile.parameters) for profile in bare.profiles}
    for index, criterion in enumerate(bare.criteria):
        path: Path = ("criteria", index)
        for name in criterion.profiles:
            if name not in parameters:
                raise document.error((*path, "profiles"), f"{name!r} is not a profile of this technique.")
        shared = frozenset.intersection(*(parameters[name] for name in criterion.profiles or parameters))
        check_rule(criterion.rule, document=document, path=(*path, "rule"), parameters=shared)


def _check_quantities(document: Document, bare: TechniqueKnowledge, facts: dict[str, Fact]) -> None:
    both: dict[str, tuple[Step | StopRule, ...]] = {"steps": bare.steps, "stop_rules": bare.stop_rules}
    for section, entries in both.items():
        for index, entry in enumerate(entries):
            if len({bool(entry.quantity), bool(entry.op), bool(entry.fact)}) != 1:
                raise document.error((section, index), "quantity, op and fact belong together.")
            if entry.fact and f"{bare.id}.{entry.fact}" not in facts:
                raise document.error((section, index, "fact"), f"There is no fact {entry.fact!r} in this file.")


def technique_ids() -> tuple[str, ...]:
    """Ids of the techniques that have a knowledge file."""
    prefix = "techniques/"
    return tuple(n.removeprefix(prefix).removesuffix(".yaml") for n in document_names() if n.startswith(prefix))


@cache
def technique_knowledge(technique_id: str) -> TechniqueKnowledge:
    """What is known about the technique of that id; raises `KnowledgeError` with the ids there are."""
    if technique_id not in technique_ids():
        raise KnowledgeError(f"There is no technique {technique_id!r}. Known: {', '.join(technique_ids())}.")
    return technique_knowledge_of(read_document(f"techniques/{technique_id}.yaml"))


def fact(technique_id: str, key: str) -> Fact:
    """The fact `key` of a technique, such as ``fact("lumbar_medial_branch_rf", "oblique_deg")``."""
    return technique_knowledge(technique_id).fact(key)


def number(technique_id: str, key: str) -> float:
    """The value of the numeric fact `key` of a technique."""
    return technique_knowledge(technique_id).number(key)


def search_techniques(text: str) -> tuple[tuple[str, str], ...]:
    """Ids of the techniques that a search text means, each with the note that belongs to the name used."""
    wanted = text.strip().lower()
    found: list[tuple[str, str]] = []
    for technique_id in technique_ids():
        known = technique_knowledge(technique_id)
        notes = [alias.note for alias in known.aliases if alias.text in wanted or (wanted and wanted in alias.text)]
        if notes or wanted in known.name.lower() or wanted == technique_id:
            found.append((technique_id, notes[0] if notes else ""))
    return tuple(found)
