"""Knowledge files: places of errors, facts, sources, declared record facts, devices, medicines."""

from __future__ import annotations

import pytest

from foramen.errors import KnowledgeError, RecordError
from foramen.knowledge.check import FindingKind, check_document, check_knowledge, conflicts, trace_counts
from foramen.knowledge.devices import device, devices, devices_of_document, devices_of_kind, rf_cannulae
from foramen.knowledge.documents import Document, knowledge_sha256, parse_document, read_document
from foramen.knowledge.drugs import drugs, recognised
from foramen.knowledge.facts import fact, facts_of, number
from foramen.knowledge.record_facts import check_answer, record_facts
from foramen.knowledge.sources import citation, citations
from foramen.knowledge.technique_facts import number as technique_number
from foramen.knowledge.technique_facts import (
    search_techniques,
    technique_knowledge,
    technique_knowledge_of,
)
from foramen.model.evidence import Trace

TECHNIQUE = "lumbar_medial_branch_rf"


def document(text: str, name: str = "test.yaml") -> Document:
    """A knowledge file of that text."""
    return parse_document(text, name=name)


def test_the_files_as_they_stand_have_no_error() -> None:
    errors = [finding for finding in check_knowledge() if finding.kind is FindingKind.ERROR]
    assert not errors


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("facts:\n  - {id: test.a, value: 1, unit: mm, src: MEM, prov: maybe}", "line 2, column 5[0-9]"),
        ("facts:\n  - {id: other.a, value: 1, unit: mm, src: MEM, prov: seen}", "must begin with 'test'"),
        ("facts:\n  - {id: test.a, value: 1, unit: mm, prov: seen}", "line 2, column 5"),
        ("facts:\n  - {id: test.a, value: 1, unit: mm, src: MEM, prov: seen, colour: red}", "colour"),
        ("facts:\n  - {id: test.a, value: 1, low: 3, high: 2, src: MEM, prov: seen}", "low 3.0 is above high 2.0"),
        (
            "facts: [{id: test.a, value: 1, src: MEM, prov: seen}, {id: test.a, value: 1, src: MEM, prov: seen}]",
            "twice",
        ),
    ],
)
def test_a_wrong_fact_is_refused_with_its_place(text: str, message: str) -> None:
    with pytest.raises(KnowledgeError, match=message) as failure:
        facts_of(document(text), stem="test")
    assert "test.yaml, line " in str(failure.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\na: 2", "line 2, column 1: 'a' is repeated"),
        ("a: [1, 2", "line "),
        ("- 1", "mapping at its top level"),
        ("base: &b {x: 1}\nc: {<<: *b}", "line 2, column 5: merge keys"),
        ("a: &a [*a]", "aliases"),
        ("a: 2026-13-01", "line 1, column 4: '2026-13-01' is impossible"),
        ("? [1]\n: 2", "keys that are lists"),
        ("a: !!python/object:os.system x", "line 1"),
    ],
)
def test_broken_yaml_is_refused_with_its_place(text: str, message: str) -> None:
    with pytest.raises(KnowledgeError, match=message):
        document(text)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("{id: test.a, value: 1, unit: mm, src: NOBODY, prov: unverified}", "no source 'NOBODY'"),
        ("{id: test.a, value: 1, unit: mm, src: MEM, prov: seen}", "none of its sources"),
        ("{id: test.a, value: 1, unit: furlong, src: COSMAN2014, prov: seen}", "unit 'furlong'"),
        ("{id: test.a, value: 1, src: COSMAN2014, prov: seen}", "number without a unit"),
    ],
)
def test_the_check_finds_uncited_unread_and_unitless_numbers(entry: str, message: str) -> None:
    findings = list(check_document(document(f"facts:\n  - {entry}\n")))
    assert any(message in f.text and f.kind is FindingKind.ERROR and f.line == 2 for f in findings)


def test_unverified_numbers_and_conflicts_are_listed() -> None:
    findings = check_knowledge()
    unverified = [f for f in findings if f.kind is FindingKind.UNVERIFIED]
    listed = sum(counts["unverified"] for counts in trace_counts().values())
    assert len(unverified) == listed > 0
    assert len([f for f in findings if f.kind is FindingKind.CONFLICT]) == len(conflicts()) > 5


def test_expert_knowledge_is_never_called_read() -> None:
    assert not citation("MEM").is_seen
    assert fact("lumbar_medial_branch_rf.parallel_max_deg").trace is Trace.UNVERIFIED
    with pytest.raises(KnowledgeError, match="no source"):
        citation("NOBODY1999")


def test_sources_of_every_fact_and_device_resolve() -> None:
    used = {key for entry in technique_knowledge(TECHNIQUE).facts.values() for key in entry.sources}
    used |= {key for entry in devices() for key in entry.sources}
    used |= {key for entry in drugs().values() for key in entry.sources}
    assert used <= set(citations())


def test_knowledge_hash_names_the_content() -> None:
    assert len(knowledge_sha256()) == 64
    assert knowledge_sha256() == knowledge_sha256()


# --- what the corrections demand of this technique


def test_angles_and_limits_follow_the_corrections() -> None:
    def of(key: str) -> float:
        return technique_number(TECHNIQUE, key)

    assert (of("oblique_deg"), of("oblique_l5_deg")) == (20, 0)
    assert (of("declined_low_deg"), of("declined_high_deg")) == (40, 45)
    assert (of("spinal_nerve_caution_degC"), of("spinal_nerve_reject_degC")) == (42, 45)
    assert of("bare_electrode_to_spinal_nerve_mm") == 5
    assert of("tip_past_foramen_border_max_mm") == 0
    assert number(f"{TECHNIQUE}.temperature_degC") == 80


def test_profiles_have_the_published_numbers() -> None:
    known = technique_knowledge(TECHNIQUE)
    numbers = {p.id: (p.parameters["n_blocks"], p.parameters["cutoff_percent"]) for p in known.profiles}
    assert numbers == {"society": (1, 50), "sis_strict": (2, 80), "cms_lcd": (2, 80), "bcbs_nd": (2, 50)}
    assert known.bleeding_class.value == "low"


@pytest.mark.parametrize("text", ["rhizotomy", "Facet Rhizotomy", "facet denervation"])
def test_lay_names_find_the_technique(text: str) -> None:
    (found,) = search_techniques(text)
    assert found[0] == TECHNIQUE
    assert found[1]


def test_rhizotomy_is_found_with_the_note_that_it_is_not_decompression() -> None:
    assert "not decompression" in search_techniques("rhizotomy")[0][1]
    assert not search_techniques("appendectomy")


def test_every_complication_rate_has_its_denominator() -> None:
    for entry in technique_knowledge(TECHNIQUE).complications:
        if entry.n is not None and entry.of is not None and entry.percent is not None:
            # percentages are printed with at most one decimal, some whole: half a unit of the last place
            assert 100 * entry.n / entry.of == pytest.approx(entry.percent, abs=0.5), entry.id


def test_technique_file_with_an_undeclared_quantity_is_refused() -> None:
    known = read_document(f"techniques/{TECHNIQUE}.yaml")
    steps = [*known.content["steps"]]
    steps[6] = {**steps[6], "fact": "no_such_fact"}
    broken = Document(name=known.name, content={**known.content, "steps": steps}, positions=known.positions)
    with pytest.raises(KnowledgeError, match="no_such_fact"):
        technique_knowledge_of(broken)


# --- devices

ROD_DIAMETERS_MM = {22: 0.72, 20: 0.91, 18: 1.27, 16: 1.65}
"""Outer diameters printed with the lesions of Cosman 2014; rounded to 0.01 mm."""


def test_cannulae_have_the_diameters_of_the_experiments() -> None:
    for gauge, diameter_mm in ROD_DIAMETERS_MM.items():
        assert device(f"rf_{gauge}g_10mm").outer_diameter_mm == pytest.approx(diameter_mm, abs=0.005)  # type: ignore[union-attr]


def test_catalogue_has_every_kind_and_unique_ids() -> None:
    kinds = {entry.kind for entry in devices()}
    assert kinds == {"needle", "rf_cannula", "lead", "introducer", "curved_electrode", "balloon"}
    assert len({entry.id for entry in devices()}) == len(devices())
    assert {(d.gauge, d.active_tip_mm) for d in rf_cannulae()} >= {(g, t) for g in (16, 18, 20, 22) for t in (5, 10)}
    assert devices_of_kind("lead")
    with pytest.raises(KnowledgeError, match="Kinds in the catalogue"):
        devices_of_kind("spoon")
    with pytest.raises(KnowledgeError, match="rf_18g_10mm"):
        device("rf_19g_10mm")


GAUGES = "gauges: {src: MEM, prov: unverified, table: [{gauge: 18, outer_mm: 1.27, inner_mm: 0.838}]}\n"
NEEDLE = (
    "kind: needle, version: '1', name: n, lengths_mm: [90], tip_shape: quincke, material: steel, "
    "src: MEM, prov: unverified"
)


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        (f"[{{id: a, gauges: [21], {NEEDLE}}}]", "21 G is not in the gauge table"),
        (f"[{{id: a, gauges: [18], {NEEDLE}}}, {{id: a, gauges: [18], {NEEDLE}}}]", "used twice"),
        ("[{kind: spoon, id: a}]", "spoon"),
        (f"[{{id: a, gauges: [18], colour: red, {NEEDLE}}}]", "colour"),
    ],
)
def test_wrong_device_is_refused_with_its_place(entries: str, message: str) -> None:
    with pytest.raises(KnowledgeError, match=message) as failure:
        devices_of_document(document(f"{GAUGES}devices: {entries}\n", name="devices.yaml"))
    assert "devices.yaml, line 2" in str(failure.value)


# --- medicines and declared facts


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("Eliquis 5 mg bd", {"apixaban"}),
        ("ASA 100 mg", {"aspirin_secondary"}),
        ("aspirin/dipyridamole 25/200", {"aspirin_secondary", "dipyridamole"}),
        ("heparin infusion 1000 IU/h", {"heparin_iv"}),
        ("Nasacort", set()),  # holds "asa" inside a word
        ("Marcoumar", set()),
    ],
)
def test_medicines_are_recognised_by_whole_words(text: str, ids: set[str]) -> None:
    assert set(recognised(text)) == ids


def test_lumbar_medial_branch_class_holds_no_direct_anticoagulant_by_itself() -> None:
    for drug_id in ("warfarin", "apixaban", "rivaroxaban", "edoxaban", "dabigatran"):
        assert drugs()[drug_id].hold_h["low"] == "shared"
    for drug_id in ("ibuprofen", "naproxen", "aspirin_secondary", "clopidogrel"):
        assert drugs()[drug_id].hold_h["low"] == "none"


def test_every_declared_fact_can_be_asked() -> None:
    for key, entry in record_facts().items():
        assert entry.question.endswith((".", "?", "...")), key
        assert "_" not in entry.question


@pytest.mark.parametrize(
    ("key", "value"), [("age_years", 54), ("consent", False), ("device.cied", "icd"), ("bmi", 31.5)]
)
def test_possible_answers_are_taken(key: str, value: bool | float | str) -> None:
    check_answer(key, value)


def test_a_field_of_a_complaint_is_not_an_answer() -> None:
    with pytest.raises(RecordError, match="not a declared fact"):
        check_answer("complaint.nrs", 5.0)
