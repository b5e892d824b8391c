"""Care around lumbar medial branch neurotomy: dates, medicines, and what never happens by itself."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from foramen.errors import InputError, RecordError
from foramen.knowledge.drugs import drugs
from foramen.knowledge.technique_facts import technique_knowledge
from foramen.model.care import Care, CareItem, CareKind, CarePhase
from foramen.model.record import UNKNOWN, Answer, ClinicalRecord, Listed, Medicine, Unknown
from foramen.steps.care import plan_care

TECHNIQUE = "lumbar_medial_branch_rf"
AT = datetime(2026, 9, 14, 10, 30)


def record(*medicines: str, complete: str = "2026-09-01", **facts: bool | float | str) -> ClinicalRecord:
    """A record with these medicines and answers."""
    return ClinicalRecord(
        patient_id="p",
        facts={key.replace("__", "."): Answer(value=value) for key, value in facts.items()},
        medicines=Listed(items=tuple(Medicine(text=text) for text in medicines), complete_as_of=complete),
    )


def care_for(patient: ClinicalRecord, *, is_sedated: bool | Unknown = False, at: datetime = AT) -> Care:
    """Care for the technique."""
    return plan_care(patient, technique=TECHNIQUE, procedure_at=at, is_sedated=is_sedated)


def about(care: Care, word: str, phase: CarePhase = CarePhase.PREPARATION) -> CareItem:
    """The one item that begins with a word."""
    return next(item for item in care.of(phase) if item.text.startswith(word))


@pytest.mark.parametrize(
    "medicine", ["Eliquis 5 mg bd", "warfarin 5 mg", "Plavix 75 mg", "Clexane 40 mg", "aspirin 100 mg"]
)
def test_no_blood_thinner_gets_a_stop_date_without_agreement(medicine: str) -> None:
    item = about(care_for(record(medicine)), medicine)
    assert not item.when[:4].isdigit()
    assert "Harm of stopping: 9 serious events including 2 deaths in 2296" in item.reason
    assert "4766" in item.reason
    assert item.is_shared_decision or "take as usual" in item.text


@pytest.mark.parametrize("drug_id", sorted(drugs()))
def test_no_medicine_at_all_is_stopped_by_the_plan(drug_id: str) -> None:
    patient = ClinicalRecord(patient_id="p", medicines=Listed(items=(Medicine(text="X", drug=drug_id),)))
    item = about(care_for(patient, is_sedated=True), "X")
    assert not item.when[:4].isdigit()
    assert "stop" not in item.text or "do not stop" in item.text


def test_agreed_hold_is_dated_from_the_procedure_and_restarted() -> None:
    patient = record("Clexane 40 mg", prescriber__agreed_hold=True)
    care = care_for(patient)
    item = about(care, "Clexane")
    assert datetime.fromisoformat(item.when) == AT - timedelta(hours=24)
    assert not item.is_shared_decision
    assert datetime.fromisoformat(about(care, "Clexane", CarePhase.AFTERCARE).when) == AT + timedelta(hours=4)


def test_agreed_pause_without_an_interval_has_no_invented_date_but_a_restart() -> None:
    care = care_for(record("Eliquis 5 mg", prescriber__agreed_hold=True))
    assert about(care, "Eliquis").when == "as the prescriber said"
    assert "24 h after" in about(care, "Eliquis", CarePhase.AFTERCARE).text


def test_agreement_is_not_spread_over_two_blood_thinners() -> None:
    care = care_for(record("Clexane 40 mg", "Plavix", prescriber__agreed_hold=True))
    assert about(care, "Clexane").is_shared_decision
    assert about(care, "More than one blood thinner").is_shared_decision
    assert not any(item.text.startswith("Clexane") for item in care.of(CarePhase.AFTERCARE))


def test_risk_factor_leads_to_a_discussion_never_to_a_hold() -> None:
    plain = about(care_for(record("Eliquis")), "Eliquis")
    risky = care_for(record("Eliquis", bleeding__history=True, renal__egfr_ml_min=22.0, age_years=88.0))
    assert about(risky, "Eliquis") == plain
    risks = [item for item in risky.items if item.text.startswith("Bleeding risk factor")]
    assert len(risks) == 2
    assert all(item.is_shared_decision and "never an automatic hold" in item.reason for item in risks)


def test_unknown_medicine_goes_to_a_person_and_an_open_list_is_asked_about() -> None:
    care = care_for(record("Zorblaxin 3 mg", complete=""))
    assert "Manual review" in about(care, "Zorblaxin").text
    assert any("list of medicines complete" in item.text for item in care.items if item.kind is CareKind.QUESTION)


def test_known_half_of_a_combination_does_not_hide_the_unknown_half() -> None:
    care = care_for(record("Acetaminophen 300 MG / Zorblaxin 5 MG Oral Tablet"))
    assert "Manual review" in about(care, "Zorblaxin").text
    assert "take as usual" in about(care, "Acetaminophen").text


def test_a_medicine_listed_twice_is_said_once() -> None:
    care = care_for(record("Eliquis", "Eliquis"))
    assert len([item for item in care.items if item.text.startswith("Eliquis")]) == 1
    assert not any(item.text.startswith("More than one blood thinner") for item in care.items)


def test_an_antibiotic_raises_the_question_of_infection() -> None:
    assert "what infection" in about(care_for(record("doxycycline hyclate 100 MG")), "doxycycline").text


def test_phenprocoumon_is_not_taken_for_a_shorter_relative() -> None:
    assert "Manual review" in about(care_for(record("Marcoumar")), "Marcoumar").text


@pytest.mark.parametrize(("is_sedated", "fasts"), [(True, True), (False, False)])
def test_fasting_and_escort_follow_sedation(is_sedated: bool, fasts: bool) -> None:
    care = care_for(record("Ozempic"), is_sedated=is_sedated)
    texts = " ".join(item.text for item in care.items)
    assert ("Last solid food" in texts) is fasts
    assert ("Someone must take the patient home" in texts) is fasts
    assert about(care, "Ozempic").is_shared_decision is fasts
    if fasts:
        assert about(care, "Last solid food").when == "2026-09-14T02:30"
        assert about(care, "Clear liquids").when == "2026-09-14T08:30"


def test_unknown_sedation_is_asked_and_both_ways_are_shown() -> None:
    care = care_for(record(), is_sedated=UNKNOWN)
    texts = [item.text for item in care.of(CarePhase.PREPARATION)]
    assert "Is sedation planned?" in texts
    assert any(t.startswith("If sedated: Last solid food") for t in texts)
    assert any(t.startswith("If not sedated: Eat and drink") for t in texts)


def test_metformin_goes_on_unless_the_kidney_is_poor() -> None:
    assert "take as usual" in about(care_for(record("metformin", renal__egfr_ml_min=45.0)), "metformin").text
    assert about(care_for(record("metformin", renal__egfr_ml_min=20.0)), "metformin").is_shared_decision
    assert about(care_for(record("metformin", renal__acute_injury=True)), "metformin").is_shared_decision


def test_hours_are_real_hours_over_a_clock_change() -> None:
    zone = ZoneInfo("Europe/Berlin")
    at = datetime(2026, 10, 25, 9, 0, tzinfo=zone)  # clocks went back at 03:00
    item = about(care_for(record(), is_sedated=True, at=at), "Last solid food")
    elapsed = at.astimezone(UTC) - datetime.fromisoformat(item.when).astimezone(UTC)
    assert elapsed == timedelta(hours=8)
    assert item.when.startswith("2026-10-25T02:00")


def test_implants_allergies_and_pregnancy_are_asked_or_planned() -> None:
    asked = {item.text for item in care_for(record()).items if item.kind is CareKind.QUESTION}
    assert any("pacemaker" in text for text in asked)
    assert any("pregnant" in text for text in asked)
    care = care_for(record(device__cied="icd", pregnant=True, allergy__latex=True))
    texts = " ".join(item.text for item in care.items)
    assert "Device plan" in texts
    assert "Defer: pregnant" in texts
    assert "latex-free" in texts
    quiet = care_for(record(device__cied="none", device__neurostimulator=False, sex="male"))
    questions = " ".join(item.text for item in quiet.items if item.kind is CareKind.QUESTION)
    assert "pacemaker" not in questions
    assert "pregnant" not in questions


@pytest.mark.parametrize(("weight_kg", "limit"), [(50.0, "225 mg"), (100.0, "300 mg")])
def test_lidocaine_maximum_by_weight_and_absolute(weight_kg: float, limit: str) -> None:
    assert limit in about(care_for(record(weight_kg=weight_kg)), "Plain lidocaine", CarePhase.DAY).text


def test_preparation_is_in_the_order_of_time_and_every_line_has_reason_and_source() -> None:
    care = care_for(record("Clexane", prescriber__agreed_hold=True), is_sedated=True)
    dated = [item.when for item in care.of(CarePhase.PREPARATION) if item.when[:4].isdigit()]
    assert dated == sorted(dated)
    assert len(dated) >= 3
    assert all(item.reason and item.sources for item in care.items)


def test_a_date_without_time_and_an_impossible_answer_are_refused() -> None:
    with pytest.raises(InputError, match="time of day"):
        care_for(record(), at=date(2026, 9, 14))  # type: ignore[arg-type]
    with pytest.raises(RecordError, match="between"):
        care_for(record(weight_kg=-3.0))


def _intervals_meet(low: tuple[str, float], high: tuple[str, float]) -> bool:
    """Whether two half lines (operator, limit) on one quantity have a value in common."""
    samples = sorted({low[1], high[1], low[1] - 1, high[1] - 1, low[1] + 1, high[1] + 1, (low[1] + high[1]) / 2})
    tests = {">": float.__gt__, ">=": float.__ge__, "<": float.__lt__, "<=": float.__le__}
    return any(tests[low[0]](float(x), float(low[1])) and tests[high[0]](float(x), float(high[1])) for x in samples)


def test_no_step_asks_for_what_a_stop_rule_forbids() -> None:
    known = technique_knowledge(TECHNIQUE)
    pairs = [(s, x) for s in known.steps for x in known.stop_rules if s.quantity and s.quantity == x.quantity]
    assert {s.quantity for s, _ in pairs} >= {"tip_past_foramen_border_mm", "leg_response_threshold_v"}
    for step, stop in pairs:
        asked, forbidden = (step.op, known.number(step.fact)), (stop.op, known.number(stop.fact))
        assert not _intervals_meet(asked, forbidden), f"{step.id} asks for what {stop.id} forbids"


def test_tip_past_the_posterior_border_is_withdrawn() -> None:
    rule = next(r for r in technique_knowledge(TECHNIQUE).stop_rules if r.quantity == "tip_past_foramen_border_mm")
    assert (rule.op, technique_knowledge(TECHNIQUE).number(rule.fact)) == (">", 0)
    assert "posterior border" in rule.condition
    assert "Withdraw" in rule.action
    assert "middle of the foramen" not in rule.condition


def test_a_stop_rule_states_the_limit_of_its_fact() -> None:
    known = technique_knowledge(TECHNIQUE)
    rules = [rule for rule in known.stop_rules if "{limit}" in rule.condition]
    assert {rule.fact for rule in rules} == {"impedance_stop_ohm", "motor_no_leg_response_below_v"}
    for rule in rules:
        limit = known.fact(rule.fact)
        assert f"{limit.number:g} {limit.unit}" in known.condition(rule)
    assert not any("{" in known.condition(rule) for rule in known.stop_rules)
