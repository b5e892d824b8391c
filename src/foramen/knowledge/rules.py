"""The rule language: a whitelisted tree over declared facts, written as YAML mappings, never evaluated as code.

A node is a mapping with one of these keys:

``all``, ``any``            list of nodes
``not``                     a node
``fact``                    a declared fact; alone: it is true; else ``op`` with ``value`` or ``parameter``
``complaint``               some complaint has this region, pattern, side, strength and duration
``positive_blocks``         enough positive diagnostic blocks of the planned nerves and side
``negative_blocks``         some block of the planned nerves and side failed on relief
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from foramen.knowledge.documents import STRICT, Document, Path
from foramen.knowledge.record_facts import record_facts

Operator = Literal["==", "!=", ">=", "<=", ">", "<", "in"]


@dataclass(frozen=True, slots=True, kw_only=True)
class All:
    """True if every part is true."""

    __pydantic_config__ = STRICT
    parts: Annotated[tuple[Rule, ...], Field(validation_alias="all", min_length=1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyOf:
    """True if some part is true."""

    __pydantic_config__ = STRICT
    parts: Annotated[tuple[Rule, ...], Field(validation_alias="any", min_length=1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Not:
    """True if its part is false."""

    __pydantic_config__ = STRICT
    part: Annotated[Rule, Field(validation_alias="not")]


@dataclass(frozen=True, slots=True, kw_only=True)
class FactTest:
    """Compares one answer; a bool fact alone is tested for true. `parameter` is a number of the profile."""

    __pydantic_config__ = STRICT
    fact: str
    op: Operator = "=="
    value: bool | float | str | tuple[str, ...] | None = None
    parameter: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a complaint must be: any of the regions, any of the patterns, on the planned side, strong and long."""

    __pydantic_config__ = STRICT
    region: tuple[str, ...] = ()
    pattern: tuple[str, ...] = ()
    side: Literal["", "planned"] = ""
    nrs_at_least: float | None = None
    duration_weeks_at_least: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplaintTest:
    """True if some complaint is as wanted."""

    __pydantic_config__ = STRICT
    complaint: Wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class PositiveBlocks:
    """True if enough blocks, on different days, were positive for the planned nerves and side."""

    __pydantic_config__ = STRICT
    positive_blocks: Literal["planned"]
    at_least: str
    relief_percent_at_least: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NegativeBlocks:
    """True if some valid block of the planned nerves and side gave less relief."""

    __pydantic_config__ = STRICT
    negative_blocks: Literal["planned"]
    relief_percent_below: str


_TAGS = ("all", "any", "not", "fact", "complaint", "positive_blocks", "negative_blocks")


def _tag(node: Any) -> str | None:
    keys = set(node) & set(_TAGS) if isinstance(node, dict) else set()
    return keys.pop() if len(keys) == 1 else None


Rule = Annotated[
    Annotated[All, Tag("all")]
    | Annotated[AnyOf, Tag("any")]
    | Annotated[Not, Tag("not")]
    | Annotated[FactTest, Tag("fact")]
    | Annotated[ComplaintTest, Tag("complaint")]
    | Annotated[PositiveBlocks, Tag("positive_blocks")]
    | Annotated[NegativeBlocks, Tag("negative_blocks")],
    Discriminator(
        _tag,
        custom_error_type="rule_node",
        custom_error_message=f"A rule is a mapping with exactly one of the keys {', '.join(_TAGS)}",
    ),
]
"""Any node of a rule."""


def walk(rule: Rule, path: Path = ()) -> Iterator[tuple[Path, Rule]]:
    """Every node of a rule with its path in the file, the outermost first."""
    yield path, rule
    match rule:
        case All(parts=parts) | AnyOf(parts=parts):
            key = "all" if isinstance(rule, All) else "any"
            for index, part in enumerate(parts):
                yield from walk(part, (*path, key, index))
        case Not(part=part):
            yield from walk(part, (*path, "not"))


def check_rule(rule: Rule, *, document: Document, path: Path, parameters: frozenset[str]) -> None:
    """Raise `KnowledgeError` with position if a rule names something undeclared or compares what cannot be compared."""
    for place, node in walk(rule, path):
        problem = _problem(node, parameters)
        if problem:
            raise document.error(place, problem)


def _problem(node: Rule, parameters: frozenset[str]) -> str:
    match node:
        case FactTest():
            return _fact_problem(node, parameters)
        case PositiveBlocks() | NegativeBlocks():
            names = (
                {node.at_least, node.relief_percent_at_least}
                if isinstance(node, PositiveBlocks)
                else {node.relief_percent_below}
            )
            unknown = sorted(names - parameters)
            return f"{unknown[0]!r} is not a parameter of every profile of this rule." if unknown else ""
        case ComplaintTest(complaint=wanted):
            for field, values in (("region", wanted.region), ("pattern", wanted.pattern)):
                odd = [v for v in values if record_facts()[f"complaint.{field}"].refusal(v)]
                if odd:
                    return f"{odd[0]!r} is not a declared {field} of a complaint."
    return ""


def _fact_problem(node: FactTest, parameters: frozenset[str]) -> str:
    declared = record_facts().get(node.fact)
    if declared is None or declared.of != "answer":
        return f"{node.fact!r} is not a declared fact. Declare it in facts.yaml, or correct the spelling."
    if node.parameter:
        if node.value is not None or declared.type != "number":
            return "A parameter is compared with a number fact, and stands instead of a value."
        return "" if node.parameter in parameters else f"{node.parameter!r} is not a parameter of every profile."
    if declared.type == "bool":
        is_plain = node.value is None or (isinstance(node.value, bool) and node.op in ("==", "!="))
        return "" if is_plain else f"{node.fact} is true or false and cannot be compared with {node.value!r}."
    if node.value is None:
        return f"{node.fact} is not a bool: say op and value."
    if node.op == "in":
        values = node.value if isinstance(node.value, tuple) else ()
        if not values or declared.type != "choice":
            return "'in' compares a choice with a list of its values."
        odd = [v for v in values if declared.refusal(v)]
        return f"{odd[0]!r} is not a value of {node.fact}." if odd else ""
    if isinstance(node.value, tuple):
        return "A list of values needs the operator 'in'."
    if declared.type == "choice" and node.op not in ("==", "!="):
        return f"{node.fact} is a choice: compare with ==, != or in."
    refusal = declared.refusal(node.value)
    return f"{node.value!r} cannot be a value of {node.fact}: {refusal}." if refusal else ""
