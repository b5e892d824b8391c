"""Drawings of the reference body: read strictly, each with provenance, cached."""

from __future__ import annotations

import pytest

from foramen.errors import KnowledgeError
from foramen.knowledge.check import FindingKind, check_document
from foramen.knowledge.documents import parse_document
from foramen.knowledge.drawings import drawing, drawings_of
from foramen.knowledge.facts import numbers

HEAD = "drawings: [{id: test.a, unit: mm, src: MEM, prov: unverified, note: drawn by eye, "
STRUT = "{part: arch, blend_mm: 1, radii_mm: [[1, 2], [3, 4]]}"


def test_a_drawing_is_read_with_its_shapes() -> None:
    document = parse_document(f"{HEAD}numbers: {{a_mm: 2}}, struts: {{one: {STRUT}}}}}]", name="test.yaml")
    found = drawings_of(document, stem="test")["test.a"]
    assert found.numbers["a_mm"] == 2.0
    assert found.struts["one"].radii_mm == ((1.0, 2.0), (3.0, 4.0))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"{HEAD}struts: {{one: {{part: arch}}}}}}]", "struts.one"),
        (f"{HEAD}ellipsoids: {{one: {{centre_mm: [1, 2], radii_mm: [1, 2, 3]}}}}}}]", "centre_mm"),
        (f"{HEAD}colour: red}}]", "colour"),
        (HEAD.replace("test.a", "other.a") + "numbers: {a: 1}}]", "must begin with"),
        ("drawings: [{id: test.a, unit: mm, prov: unverified, note: n}]", "src"),
        (HEAD.replace("src: MEM", "src: NOBODY") + "numbers: {a: 1}}]", "no source 'NOBODY'"),
    ],
)
def test_a_wrong_drawing_is_an_error_of_the_check(text: str, said: str) -> None:
    findings = check_document(parse_document(text, name="test.yaml"))
    assert any(said in f.text for f in findings if f.kind is FindingKind.ERROR)


def test_look_ups_are_cached_and_unknown_ids_refused() -> None:
    assert drawing("reference_bones.facet") is drawing("reference_bones.facet")
    assert numbers("trajectory.withdrawals_mm") is numbers("trajectory.withdrawals_mm")
    with pytest.raises(KnowledgeError, match="declares the drawing"):
        drawing("reference_bones.nothing")
    with pytest.raises(KnowledgeError, match="not a list of numbers"):
        numbers("trajectory.longest_path_mm")


def test_rows_over_vertebrae_are_complete() -> None:
    for tube in drawing("reference_torso.muscles").tubes.values():
        lengths = {len(row) for row in (tube.lateral_mm, tube.posterior_mm, tube.half_width_mm, tube.half_depth_mm)}
        assert lengths == {7}
