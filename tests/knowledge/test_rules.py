"""The rule language takes what is whitelisted and refuses everything else, with file, line and column."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from foramen.errors import KnowledgeError
from foramen.knowledge.documents import parse_document
from foramen.knowledge.judging import Judgement, all_of, any_of, negated
from foramen.knowledge.rules import Rule, check_rule, walk
from foramen.knowledge.technique_facts import technique_ids, technique_knowledge
from foramen.model.verdict import Truth

RULE: TypeAdapter[Rule] = TypeAdapter(Rule)
PARAMETERS = frozenset({"n_blocks", "cutoff_percent"})


def parsed(text: str) -> Rule:
    """The checked rule of a YAML text, as a technique file would hold it."""
    document = parse_document(f"rule:\n{text}", name="test.yaml")
    rule = document.parse(RULE, ("rule",))
    check_rule(rule, document=document, path=("rule",), parameters=PARAMETERS)
    return rule


@pytest.mark.parametrize(
    "text",
    [
        "  {fact: consent}",
        "  {not: {fact: pregnant}}",
        "  {all: [{fact: consent}, {fact: age_years, op: '>=', value: 18}]}",
        "  {fact: device.cied, op: in, value: [pacemaker, icd]}",
        "  {complaint: {region: [lumbar], pattern: [axial], side: planned, nrs_at_least: 4}}",
        "  {positive_blocks: planned, at_least: n_blocks, relief_percent_at_least: cutoff_percent}",
    ],
)
def test_whitelisted_nodes_are_read(text: str) -> None:
    assert list(walk(parsed(text)))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("  'age_years >= 18'", "exactly one of the keys"),
        ("  {expr: 'age_years >= 18'}", "exactly one of the keys"),
        ("  {eval: '__import__(\"os\")'}", "exactly one of the keys"),
        ("  {all: []}", "at least 1"),
        ("  {all: [{fact: consent}], any: [{fact: consent}]}", "exactly one of the keys"),
        ("  {fact: consent, extra: 1}", "[Uu]nexpected"),
        ("  {fact: aeg_years, op: '>=', value: 18}", "'aeg_years' is not a declared fact"),
        ("  {fact: complaint.nrs, op: '>=', value: 4}", "not a declared fact"),
        ("  {fact: age_years, op: '**', value: 18}", "Input should be"),
        ("  {fact: age_years}", "say op and value"),
        ("  {fact: age_years, op: '>=', value: old}", "cannot be a value"),
        ("  {fact: age_years, op: '>=', value: 900}", "between 0 and 120"),
        ("  {fact: age_years, op: '>=', parameter: n_folk}", "not a parameter"),
        ("  {fact: consent, op: '>', value: 3}", "cannot be compared"),
        ("  {fact: device.cied, op: in, value: [toaster]}", "not a value of device.cied"),
        ("  {fact: device.cied, op: '>', value: icd}", "compare with"),
        ("  {complaint: {region: [elbow]}}", "not a declared region"),
        ("  {positive_blocks: planned, at_least: many, relief_percent_at_least: cutoff_percent}", "'many'"),
    ],
)
def test_everything_else_is_refused_with_its_place(text: str, message: str) -> None:
    with pytest.raises(KnowledgeError, match=message) as failure:
        parsed(text)
    assert "test.yaml, line 2, column " in str(failure.value)


def test_place_of_a_nested_mistake() -> None:
    with pytest.raises(KnowledgeError, match=r"line 5, column 7 \(rule\.any\.1\)"):
        parsed("  any:\n    - {fact: consent}\n    -\n      {fact: nobody}\n")


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=8) | st.sampled_from(["all", "any", "not", "fact"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=80, deadline=None)
@given(content=json_like)
def test_no_content_gets_past_the_parser_unless_it_names_declared_facts_only(content: object) -> None:
    document = parse_document("rule: 0", name="test.yaml")
    try:
        rule = RULE.validate_python(content)
    except ValueError:
        return
    # What the schema lets through is a tree of whitelisted nodes; a made-up fact is refused by the second check.
    with pytest.raises(KnowledgeError, match="not a declared fact"):
        check_rule(rule, document=document, path=(), parameters=PARAMETERS)


truths = st.lists(st.sampled_from(list(Truth)), min_size=1, max_size=5)
AS_NUMBER = {Truth.FALSE: 0, Truth.UNKNOWN: 1, Truth.TRUE: 2}


@given(values=truths)
def test_kleene_and_is_the_minimum_or_the_maximum_and_not_reverses(values: list[Truth]) -> None:
    parts = tuple(Judgement(truth=value, found=()) for value in values)
    assert AS_NUMBER[all_of(parts).truth] == min(AS_NUMBER[value] for value in values)
    assert AS_NUMBER[any_of(parts).truth] == max(AS_NUMBER[value] for value in values)
    assert AS_NUMBER[negated(values[0])] == 2 - AS_NUMBER[values[0]]


@pytest.mark.parametrize("technique_id", technique_ids())
def test_every_rule_of_every_technique_names_declared_facts(technique_id: str) -> None:
    # Loading checks this; here it is made sure that there is something to check.
    rules = [criterion.rule for criterion in technique_knowledge(technique_id).criteria]
    assert len(rules) >= 10
