"""Candidacy for lumbar medial branch neurotomy: three values, block by block."""

from __future__ import annotations

import dataclasses
from datetime import date

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from foramen.errors import KnowledgeError, LevelError, RecordError
from foramen.knowledge.contradictions import require_consistent
from foramen.model.levels import Segment, Side
from foramen.model.record import (
    UNKNOWN,
    Answer,
    BlockKind,
    ClinicalRecord,
    Complaint,
    DiagnosticBlock,
    Listed,
)
from foramen.model.verdict import Severity, Truth, Verdict, VerdictStatus
from foramen.steps.candidacy import assess

TODAY = date(2026, 6, 1)
NERVES = frozenset({"L3", "L4"})

NO = [
    "neuro.cauda_equina",
    "neuro.progressive_deficit",
    "neuro.myelopathy_signs",
    "fever_with_spinal_pain",
    "intravenous_drug_use",
    "cancer_history",
    "new_spinal_pain",
    "trauma_major",
    "trauma_minor",
    "steroid_long_term",
    "unexplained_weight_loss",
    "night_rest_pain",
    "aortic_aneurysm_suspected",
    "infection.local",
    "infection.systemic",
    "pregnant",
    "allergy.local_anaesthetic",
    "coagulation.uncorrected",
    "rfa.previous_same_level_side",
]
"""Facts that a suitable patient answers with no."""

CONTRAINDICATIONS = [key for key in NO if key not in ("rfa.previous_same_level_side", "trauma_minor")]


def block(**changes: object) -> DiagnosticBlock:
    """A positive block of the planned nerves and side, with changes."""
    usual: dict[str, object] = {
        "date": "2026-04-01",
        "kind": BlockKind.MEDIAL_BRANCH,
        "nerves": NERVES,
        "side": "left",
        "agent": "bupivacaine 0.5 %",
        "relief_percent": 85.0,
        "is_concordant": True,
        "was_sedated": False,
        "local_anaesthetic_only": True,
    }
    return DiagnosticBlock(**(usual | changes))  # type: ignore[arg-type]


def suitable(*blocks: DiagnosticBlock, complete: str = "2026-05-30", **facts: bool | float | str) -> ClinicalRecord:
    """The record of a patient to whom nothing speaks against, with these blocks and changed facts."""
    answers: dict[str, bool | float | str] = {key: False for key in NO}
    answers |= {"age_years": 54, "sex": "female", "consent": True, "conservative.weeks_failed": 26}
    answers |= {key.replace("__", "."): value for key, value in facts.items()}
    return ClinicalRecord(
        patient_id="p",
        facts={key: Answer(value=value, when="2026-05-30", source="clinic") for key, value in answers.items()},
        complaints=(Complaint(region="lumbar", side="left", pattern="axial", nrs=7.0, duration_weeks=60.0),),
        blocks=Listed(items=blocks or (block(), block(date="2026-04-20")), complete_as_of=complete),
    )


def judged(record: ClinicalRecord, *, profile: str = "society", side: Side = Side.LEFT, **site: float) -> Verdict:
    """Verdict for L4-L5."""
    return assess(
        record,
        technique="lumbar_medial_branch_rf",
        level=Segment("L4-L5"),
        side=side,
        nerves=NERVES,
        on=TODAY,
        profile=profile,
        site=site,
    )


def truth(verdict: Verdict, criterion_id: str) -> Truth:
    """Truth of one criterion."""
    return next(c.truth for c in verdict.criteria if c.id == criterion_id)


def test_suitable_patient_is_acceptable_and_sees_dissent() -> None:
    verdict = judged(suitable())
    assert verdict.status is VerdictStatus.ACCEPTABLE
    assert any("BMJ2025" in entry.sources for entry in verdict.dissent)
    assert all(c.sources and c.reason for c in verdict.criteria)


def test_red_flags_come_first() -> None:
    severities = [c.severity for c in judged(suitable()).criteria]
    first_other = next(i for i, s in enumerate(severities) if s is not Severity.RED_FLAG)
    assert first_other >= 8
    assert Severity.RED_FLAG not in severities[first_other:]


def test_reasons_are_the_lines_that_decided() -> None:
    infected = judged(suitable(infection__local=True, bmi=40.0))
    assert infected.reasons == tuple(c.reason for c in infected.criteria if c.id == "GC01")
    assert "local infection: yes (2026-05-30, clinic)" in infected.reasons[0]
    open_ = judged(suitable(block(relief_percent=UNKNOWN)))
    assert [("relief not recorded" in reason) for reason in open_.reasons] == [True]
    assert len(judged(suitable()).reasons) >= 3


@pytest.mark.parametrize("profile", ["society", "sis_strict", "bcbs_nd", "cms_lcd"])
def test_every_profile_accepts_two_good_blocks(profile: str) -> None:
    assert judged(suitable(), profile=profile).status is VerdictStatus.ACCEPTABLE


def test_empty_record_asks_and_never_accepts() -> None:
    verdict = judged(ClinicalRecord(patient_id="p"))
    assert verdict.status is VerdictStatus.NEEDS_INFORMATION
    asked = {question.fact for question in verdict.questions}
    assert {"neuro.cauda_equina", "block.any", "consent", "complaint.pattern", "conservative.weeks_failed"} <= asked
    assert all(question.text.rstrip(".")[-1] not in "_." and question.why for question in verdict.questions)
    cauda = next(q for q in verdict.questions if q.fact == "neuro.cauda_equina")
    assert "absent" in cauda.text


@pytest.mark.parametrize(
    "change",
    [
        {"side": "right"},
        {"nerves": frozenset({"L4", "L5"})},
        {"nerves": frozenset({"L3"})},
        {"relief_percent": 49.0},
        {"is_concordant": False},
        {"was_sedated": True},
        {"local_anaesthetic_only": False},
        {"kind": BlockKind.INTRA_ARTICULAR},
        {"date": "2026-07-01"},
    ],
)
def test_block_that_differs_does_not_count(change: dict[str, object]) -> None:
    verdict = judged(suitable(block(**change)))
    assert truth(verdict, "LRFA1") is Truth.FALSE
    assert verdict.status is VerdictStatus.NOT_ACCEPTABLE


@pytest.mark.parametrize(
    "field", ["nerves", "side", "relief_percent", "is_concordant", "was_sedated", "local_anaesthetic_only"]
)
def test_block_with_a_missing_field_is_asked_about(field: str) -> None:
    verdict = judged(suitable(block(**{field: UNKNOWN})))
    assert truth(verdict, "LRFA1") is Truth.UNKNOWN
    assert f"block.{field}" in {question.fact for question in verdict.questions}


def test_bilateral_block_needs_the_relief_of_each_side() -> None:
    assert truth(judged(suitable(block(side="bilateral"))), "LRFA1") is Truth.UNKNOWN


def test_two_blocks_of_one_day_count_once() -> None:
    verdict = judged(suitable(block(), block()), profile="sis_strict")
    assert truth(verdict, "LRFA1P") is Truth.FALSE


def test_two_weak_blocks_do_not_add_up_to_a_strong_rule() -> None:
    # The rule counts blocks that each reach the cut-off; the best relief of one does not lend itself to another.
    verdict = judged(
        suitable(block(relief_percent=85.0), block(date="2026-04-20", relief_percent=50.0)), profile="sis_strict"
    )
    assert truth(verdict, "LRFA1P") is Truth.FALSE


def test_cut_off_of_100_percent_can_be_met() -> None:
    verdict = judged(suitable(block(relief_percent=100.0)), cutoff_percent=100.0)
    assert truth(verdict, "LRFA1") is Truth.TRUE
    assert "Site values: cutoff_percent 100" in next(c.reason for c in verdict.criteria if c.id == "LRFA1")


def test_absence_in_a_list_that_is_not_complete_is_unknown() -> None:
    verdict = judged(suitable(block(side="right"), complete=""))
    assert truth(verdict, "LRFA1") is Truth.UNKNOWN
    assert verdict.status is VerdictStatus.NEEDS_INFORMATION


def test_repeat_needs_relief_from_the_first() -> None:
    earlier = {"rfa__previous_same_level_side": True, "rfa__previous_relief_weeks": 30.0}
    no_block = block(side="right")
    good = judged(suitable(no_block, rfa__previous_relief_percent=60.0, **earlier))
    poor = judged(suitable(no_block, rfa__previous_relief_percent=20.0, **earlier))
    open_ = judged(suitable(no_block, **earlier))
    assert (good.status, poor.status) == (VerdictStatus.ACCEPTABLE, VerdictStatus.NOT_ACCEPTABLE)
    assert open_.status is VerdictStatus.NEEDS_INFORMATION


def test_facet_and_radicular_pain_may_stand_side_by_side() -> None:
    record = suitable()
    leg = Complaint(region="limb", side="left", pattern="radicular", nrs=4.0, duration_weeks=10.0)
    both = judged(dataclasses.replace(record, complaints=(*record.complaints, leg)))
    only = judged(dataclasses.replace(record, complaints=(leg,)))
    assert both.status is VerdictStatus.ACCEPTABLE
    assert truth(both, "LRFA12") is Truth.TRUE
    assert only.status is VerdictStatus.NOT_ACCEPTABLE


def test_pain_on_the_other_side_is_refused() -> None:
    assert judged(suitable(block(side="right")), side=Side.RIGHT).status is VerdictStatus.NOT_ACCEPTABLE


def test_pain_in_the_midline_states_no_side() -> None:
    record = suitable()
    middle = dataclasses.replace(record.complaints[0], side="midline")
    verdict = judged(dataclasses.replace(record, complaints=(middle,)))
    assert truth(verdict, "LRFA0") is Truth.UNKNOWN
    assert "complaint.side" in {question.fact for question in verdict.questions}


def test_complete_allergy_list_answers_and_contradiction_is_refused() -> None:
    record = suitable()
    facts = {key: answer for key, answer in record.facts.items() if key != "allergy.local_anaesthetic"}
    listed = Listed(items=("Lidocaine: rash",), complete_as_of="2026-05-30")
    allergic = dataclasses.replace(record, facts=facts, allergies=listed)
    assert judged(allergic).status is VerdictStatus.NOT_ACCEPTABLE
    none = dataclasses.replace(record, facts=facts, allergies=Listed(complete_as_of="2026-05-30"))
    assert judged(none).status is VerdictStatus.ACCEPTABLE
    with pytest.raises(RecordError, match="contradicts itself"):
        judged(dataclasses.replace(record, allergies=listed))


def test_man_need_not_be_asked_about_pregnancy() -> None:
    record = suitable(sex="male")
    facts = {key: answer for key, answer in record.facts.items() if key != "pregnant"}
    assert judged(dataclasses.replace(record, facts=facts)).status is VerdictStatus.ACCEPTABLE


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"age_years": 203.0}, "between 0 and 120"),
        ({"age_years": -1.0}, "between"),
        ({"consent": "yes"}, "true or false"),
        ({"device__cied": "toaster"}, "one of none, pacemaker, icd"),
        ({"favourite_colour": "blue"}, "not a declared fact"),
        ({"bmi": float("nan")}, "between"),
    ],
)
def test_impossible_answers_are_refused(facts: dict[str, bool | float | str], message: str) -> None:
    with pytest.raises(RecordError, match=message):
        judged(suitable(**facts))


def test_unknown_profile_parameter_technique_and_missing_nerves() -> None:
    with pytest.raises(KnowledgeError, match="society, sis_strict"):
        judged(suitable(), profile="folklore")
    with pytest.raises(KnowledgeError, match="cutoff_percent"):
        judged(suitable(), cutof_percent=60.0)
    with pytest.raises(LevelError, match="No nerves"):
        assess(
            suitable(),
            technique="lumbar_medial_branch_rf",
            level=Segment("L4-L5"),
            side=Side.LEFT,
            nerves=frozenset(),
            on=TODAY,
        )


RANK = {VerdictStatus.NOT_ACCEPTABLE: 0, VerdictStatus.NEEDS_INFORMATION: 1, VerdictStatus.ACCEPTABLE: 2}

maybe = st.sampled_from([True, False, UNKNOWN])
blocks = st.builds(
    block,
    date=st.sampled_from(["2026-03-01", "2026-04-01", ""]),
    kind=st.sampled_from([BlockKind.MEDIAL_BRANCH, BlockKind.INTRA_ARTICULAR]),
    nerves=st.sampled_from([NERVES, frozenset({"L4", "L5"}), frozenset({"L3", "L4", "L5"}), UNKNOWN]),
    side=st.sampled_from(["left", "right", "bilateral", UNKNOWN]),
    relief_percent=st.sampled_from([20.0, 50.0, 80.0, 100.0, UNKNOWN]),
    is_concordant=maybe,
    was_sedated=maybe,
    local_anaesthetic_only=maybe,
)
complaints = st.builds(
    Complaint,
    region=st.sampled_from(["lumbar", "limb", UNKNOWN]),
    side=st.sampled_from(["left", "right", "bilateral", "midline", UNKNOWN]),
    pattern=st.sampled_from(["axial", "facet", "radicular", UNKNOWN]),
    nrs=st.sampled_from([3.0, 7.0, UNKNOWN]),
    duration_weeks=st.sampled_from([4.0, 60.0, UNKNOWN]),
)


def is_consistent(record: ClinicalRecord) -> bool:
    """Whether a record holds no two answers of which one must be wrong."""
    try:
        require_consistent(record)
    except RecordError:
        return False
    return True


@st.composite
def records(draw: st.DrawFn) -> ClinicalRecord:
    """Records near the edge between the verdicts."""
    record = suitable(
        *draw(st.lists(blocks, min_size=1, max_size=3)),
        complete=draw(st.sampled_from(["", "2026-05-30"])),
        rfa__previous_relief_percent=draw(st.sampled_from([10.0, 60.0])),
        rfa__previous_relief_weeks=draw(st.sampled_from([4.0, 40.0])),
        rfa__previous_same_level_side=draw(st.booleans()),
        age_years=draw(st.sampled_from([40.0, 75.0])),
    )
    kept = draw(st.lists(st.sampled_from(sorted(record.facts)), max_size=3, unique=True))
    turned = draw(st.sampled_from([None, *CONTRAINDICATIONS]))
    facts = {key: answer for key, answer in record.facts.items() if key not in kept}
    if turned:
        facts[turned] = Answer(value=True)
    made = dataclasses.replace(
        record, facts=facts, complaints=tuple(draw(st.lists(complaints, max_size=2))) or record.complaints
    )
    assume(is_consistent(made))  # contrary answers are refused; taking one of them back is a correction, not a loss
    return made


profiles = st.sampled_from(["society", "sis_strict", "bcbs_nd", "cms_lcd"])


@settings(max_examples=60, deadline=None)
@given(record=records(), profile=profiles, key=st.sampled_from(CONTRAINDICATIONS))
def test_adding_a_contraindication_never_helps(record: ClinicalRecord, profile: str, key: str) -> None:
    worse = dataclasses.replace(record, facts=record.facts | {key: Answer(value=True)})
    if not is_consistent(worse):
        return  # refused: that helps nobody either
    assert RANK[judged(worse, profile=profile).status] <= RANK[judged(record, profile=profile).status]


@settings(max_examples=60, deadline=None)
@given(record=records(), profile=profiles, data=st.data())
def test_deleting_an_answer_accepts_nobody(record: ClinicalRecord, profile: str, data: st.DataObject) -> None:
    key = data.draw(st.sampled_from(sorted(record.facts)))
    poorer = dataclasses.replace(record, facts={k: a for k, a in record.facts.items() if k != key})
    before, after = judged(record, profile=profile).status, judged(poorer, profile=profile).status
    assert after is before or after is VerdictStatus.NEEDS_INFORMATION


@settings(max_examples=60, deadline=None)
@given(record=records(), profile=profiles, data=st.data())
def test_deleting_a_field_of_a_block_or_complaint_accepts_nobody(
    record: ClinicalRecord, profile: str, data: st.DataObject
) -> None:
    field = data.draw(st.sampled_from(["nerves", "side", "relief_percent", "is_concordant", "was_sedated"]))
    items = record.blocks.items
    index = data.draw(st.integers(0, len(items) - 1))
    forgotten = dataclasses.replace(items[index], **{field: UNKNOWN})
    poorer = dataclasses.replace(
        record,
        blocks=dataclasses.replace(record.blocks, items=(*items[:index], forgotten, *items[index + 1 :])),
        complaints=(dataclasses.replace(record.complaints[0], pattern=UNKNOWN), *record.complaints[1:]),
    )
    before, after = judged(record, profile=profile).status, judged(poorer, profile=profile).status
    assert after is before or after is VerdictStatus.NEEDS_INFORMATION


@settings(max_examples=40, deadline=None)
@given(record=records(), profile=profiles, data=st.data())
def test_deleting_a_whole_complaint_or_block_accepts_nobody(
    record: ClinicalRecord, profile: str, data: st.DataObject
) -> None:
    gone = data.draw(st.integers(0, len(record.complaints) - 1))
    poorer = dataclasses.replace(
        record,
        complaints=tuple(c for i, c in enumerate(record.complaints) if i != gone),
        blocks=Listed(items=record.blocks.items[1:]),  # without the statement that the list is complete
    )
    before, after = judged(record, profile=profile).status, judged(poorer, profile=profile).status
    assert after is not VerdictStatus.ACCEPTABLE or before is VerdictStatus.ACCEPTABLE


@settings(max_examples=40, deadline=None)
@given(good=blocks, profile=profiles, change=st.sampled_from(["side", "level"]))
def test_block_moved_to_another_side_or_level_never_counts(good: DiagnosticBlock, profile: str, change: str) -> None:
    moved = dataclasses.replace(
        good, **({"side": "right"} if change == "side" else {"nerves": frozenset({"L1", "L2"})})
    )
    rule = "LRFA1" if profile == "society" else "LRFA1P"
    verdict = judged(suitable(moved, dataclasses.replace(moved, date="2026-02-02")), profile=profile)
    assert truth(verdict, rule) is Truth.FALSE


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"pregnant": True, "sex": "male"}, "recorded sex is male"),
        ({"pregnant": True, "age_years": 60}, "60 years or more"),
        ({"coagulation__inr": 9.0}, "INR above 3"),
        ({"coagulation__platelets_1e9_l": 5.0}, "platelets"),
    ],
)
def test_answers_that_cannot_both_be_right_are_refused(changes: dict[str, bool | float | str], words: str) -> None:
    with pytest.raises(RecordError, match=f"contradicts itself.*{words}"):
        judged(suitable(**changes))


def test_a_problem_list_can_name_an_acute_sign_but_not_deny_it() -> None:
    usual = suitable()
    named = dataclasses.replace(usual, conditions=Listed(items=("Cauda equina syndrome",), complete_as_of="2026-05-30"))
    with pytest.raises(RecordError, match="contradicts itself"):
        judged(named)
    facts = {key: answer for key, answer in usual.facts.items() if key != "neuro.cauda_equina"}
    assert truth(judged(dataclasses.replace(named, facts=facts)), "RF01") is Truth.TRUE
    silent = dataclasses.replace(usual, facts=facts, conditions=Listed(items=(), complete_as_of="2026-05-30"))
    assert truth(judged(silent), "RF01") is Truth.UNKNOWN
