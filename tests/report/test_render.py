"""Report and card: what they must say, and that nothing in a record can break them."""

from __future__ import annotations

import builtins
import io
from dataclasses import replace
from typing import Any

import pytest
from pypdf import PdfReader
from scipy.spatial.transform import Rotation

from foramen.errors import ForamenError, FrameError
from foramen.model.anatomy import Anatomy
from foramen.model.case import Case
from foramen.model.plan import Plan, PlanStatus, RfHeatEffect
from foramen.model.robust import RobustDecision
from foramen.model.verdict import Question
from foramen.report import figures, render_card, render_pdf, render_report
from foramen.report.messages import message
from foramen.report.sheet import needle_line
from planning.robust_effect import make_robust
from report.plan_factory import NOT_MODELLED, make_plan

DISCLAIMER = "Research use only. Not a medical device."


def _pages(pdf: bytes) -> list[str]:
    return [" ".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(pdf)).pages]


@pytest.fixture(scope="module")
def html(plan: Plan, case: Case, anatomy: Anatomy, pictures: dict[str, bytes]) -> str:
    return render_report(plan, case, anatomy, pictures)


def test_the_report_says_what_where_and_how_sure(html: str, plan: Plan) -> None:
    for text in (
        DISCLAIMER,
        "CAUTION",
        "UNREVIEWED",
        "L4-L5, LEFT",
        plan.targets[0].name,
        plan.targets[1].name,
        plan.case.patient_id,
        plan.id,
        plan.stop_rules[0],
        plan.drug_totals[0],
        plan.verdict.questions[0].text,
        plan.verdict.dissent[0].text,
        plan.rejected[0],
        plan.care.items[0].text,
        plan.limits[0],
        plan.citations[0].title,
        plan.provenance.knowledge_sha256,
        plan.trajectories[0].view.words,
    ):
        assert text.replace("'", "&#39;") in html


def test_still_and_held_fluid_are_told_where_they_differ(
    plan: Plan, case: Case, anatomy: Anatomy, pictures: dict[str, bytes], html: str
) -> None:
    """Both numbers stand beside the one that counts; a number that does not depend on the fluid stands alone."""
    delivery = plan.deliveries[0]
    assert isinstance(delivery.effect, RfHeatEffect)
    first, *others = delivery.effect.captures
    nerve, *neighbours = delivery.effect.peaks
    effect = replace(
        delivery.effect,
        captures=(replace(first, still_csf_fraction=0.97, held_csf_fraction=0.92), *others),
        peaks=(replace(nerve, still_csf_degC=39.4, held_csf_degC=39.4), *neighbours),
    )
    told = replace(plan, deliveries=(replace(delivery, effect=effect), *plan.deliveries[1:]))
    page = render_report(told, case, anatomy, pictures)
    assert page.count("still fluid 97 %, held 92 %") == 1
    assert page.count("still fluid") == 1
    assert "still fluid" not in html


def test_robustness_is_told_with_intervals_and_provenance(plan: Plan, case: Case, anatomy: Anatomy) -> None:
    """Probabilities, what was varied and from where, error of the reduced model, worst case; absent if not computed."""
    robust = make_robust([target.name for target in plan.targets], decision=RobustDecision.UNDECIDED)
    told = replace(plan, robust=robust)
    html = render_report(told, case, anatomy, figures(told, case, anatomy))
    for text in (
        message("report.robust"),
        "Geometric capture probability under the stated model",
        "45.6 % (42.6 to 48.6 %)",
        "1.2 % (0.0 to 4.2 %)",
        message("robust.undecided"),
        "tip along the shaft",
        "unverified",
        "32 scenarios solved in full",
        "Scenario 41",
        "nerve 4 mm off",
        "1 more stay below 38 °C in 95 % of the scenarios",
        message("robust.histogram_alt"),
    ):
        assert text in html, text
    row = html.partition("<td>thecal sac</td>")[2].partition("</tr>")[0]
    assert "UNKNOWN" in row
    assert "success" not in html.partition(message("report.robust"))[2].partition("</section>")[0]


def test_without_robustness_nothing_is_said_of_it(html: str) -> None:
    assert message("report.robust") not in html


def test_unknown_structures_are_said_to_be_unknown(html: str) -> None:
    assert "UNKNOWN: periforaminal arteries" in html
    assert "not imaged: Doppler / live contrast required" in html
    assert "UNKNOWN: temperature at L3 dorsal root ganglion" in html
    assert "UNKNOWN: Is the patient pregnant?" in html


def test_the_report_needs_nothing_from_outside(html: str) -> None:
    assert 'src="data:image/png;base64,' in html
    assert 'src="http' not in html
    assert "<script" not in html
    assert "file://" not in html


def test_a_hostile_record_stays_text(plan: Plan, case: Case, anatomy: Anatomy, pictures: dict[str, bytes]) -> None:
    name = "<script>alert('x')</script><img src=file:///etc/passwd>\"'}}{{7*7}}{%"
    hostile = replace(plan, case=replace(plan.case, patient_id=name), limits=(name,))
    text = render_report(hostile, case, anatomy, pictures)
    assert "<script>" not in text
    assert "<img src=file" not in text
    assert "&lt;script&gt;alert(&#39;x&#39;)" in text
    assert "{{7*7}}" in text
    assert len(_pages(render_card(hostile, case, anatomy, pictures))) == 1


def test_every_page_of_the_pdf_carries_identity_and_disclaimer(
    plan: Plan, case: Case, anatomy: Anatomy, pictures: dict[str, bytes]
) -> None:
    pages = _pages(render_pdf(plan, case, anatomy, pictures))
    assert 5 <= len(pages) <= 12  # summary, two targets, views, candidacy and the rest
    assert "UNKNOWN: Is the patient pregnant?" in pages[0]
    assert " ".join(pages).count(plan.stop_rules[0]) == 1
    for page in pages:
        assert DISCLAIMER in page
        assert f"Patient {plan.case.patient_id}" in page
        assert plan.id in page
        assert "2026-11-22" in page


def test_the_card_is_one_page_with_what_the_table_needs(
    plan: Plan, case: Case, anatomy: Anatomy, pictures: dict[str, bytes]
) -> None:
    pages = _pages(render_card(plan, case, anatomy, pictures))
    assert len(pages) == 1
    tip = plan.trajectories[0].tip_mm
    entry = plan.trajectories[0].entry_mm
    assert tip[0] > 0  # on the patient's left
    for text in (
        "L4-L5, LEFT",
        f"{entry[0] / 10:.1f} cm to the left of the midline",
        f"{(36 + 13 - entry[2]) / 10:.1f} cm below the superior endplate line of L4",
        "skin to tip 72 mm, to bone 66 mm",
        "28 mm in reserve",
        "80 °C, 90 s in all, ramp 10 s",
        "Motor test",
        "Sensory test",
        plan.stop_rules[0],
        "Lidocaine",
        "periforaminal arteries",
        "Ask before you begin:",
        "Is the patient pregnant?",
        DISCLAIMER,
        plan.case.patient_id,
    ):
        assert text in pages[0]


def test_the_card_cuts_questions_before_it_cuts_anything_of_safety(
    plan: Plan, case: Case, anatomy: Anatomy, pictures: dict[str, bytes]
) -> None:
    asked = tuple(
        Question(fact=f"fact_{number}", text=f"Question {number}: is it known?", why="a long reason " * 12)
        for number in range(40)
    )
    rules = tuple(f"{number}: " + "tip past the border, withdraw and look again; " * 4 + "stop" for number in range(12))
    long = replace(
        plan,
        verdict=replace(plan.verdict, questions=asked),
        stop_rules=rules,
        drug_totals=("a long line about a drug and its limit " * 6,) * 3,
    )
    pages = _pages(render_card(long, case, anatomy, pictures))
    assert len(pages) == 1
    for rule in rules:
        assert rule in pages[0]
    for trajectory in plan.trajectories:
        assert trajectory.view.console_dial in pages[0]
    assert "more: see the report." in pages[0]  # what is left out is said
    assert "Question 0" in pages[0]
    assert len(PdfReader(io.BytesIO(render_card(long, case, anatomy, pictures))).pages[0].images) >= 3


def test_a_rejected_plan_without_a_path_is_still_reported(case: Case, anatomy: Anatomy) -> None:
    rejected = make_plan(case, status=PlanStatus.REJECTED, has_trajectories=False)
    rejected = replace(rejected, targets=rejected.targets[:1])
    pictures = figures(rejected, case, anatomy)
    text = render_report(rejected, case, anatomy, pictures)
    assert "REJECTED" in text
    assert "No path satisfies the hard limits." in text
    assert "Spinal nerve below 45 C" in text
    pages = _pages(render_card(rejected, case, anatomy, pictures))
    assert len(pages) == 1
    assert "REJECTED" in pages[0]


def test_an_effect_that_is_not_modelled_is_named(case: Case, anatomy: Anatomy, pictures: dict[str, bytes]) -> None:
    bare = make_plan(case, effect=NOT_MODELLED)
    text = render_report(bare, case, anatomy, {k: v for k, v in pictures.items() if "course" not in k})
    assert text.count("Not modelled:") == 2
    assert NOT_MODELLED.reason in text
    assert "UNKNOWN: heat at L3 medial branch" in text


def test_the_pictures_are_the_same_each_time(
    plan: Plan, case: Case, anatomy: Anatomy, pictures: dict[str, bytes]
) -> None:
    one = replace(plan, targets=plan.targets[:1], trajectories=plan.trajectories[:1], views=())
    again = figures(one, case, anatomy)
    for name in ("1-cuts", "1-3d-working", "1-3d-oblique", "1-3d-lateral", "1-course"):
        assert again[name] == pictures[name]


def test_a_plan_of_another_frame_is_refused(plan: Plan, case: Case, anatomy: Anatomy) -> None:
    with pytest.raises(FrameError, match="share a frame"):
        figures(replace(plan, case=replace(plan.case, frame_uid="9.9.9")), case, anatomy)


def test_missing_pango_says_what_to_install(
    plan: Plan, case: Case, anatomy: Anatomy, pictures: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def without_pango(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.startswith("weasyprint"):
            raise OSError("cannot load library 'libpango-1.0-0'")
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without_pango)
    with pytest.raises(ForamenError, match="apt-get install libpango"):
        render_pdf(plan, case, anatomy, pictures)
    assert "L4-L5" in render_report(plan, case, anatomy, pictures)


def test_an_undeclared_message_is_an_error() -> None:
    with pytest.raises(ForamenError, match="has no text for the key"):
        message("no.such.key")


def test_the_skin_entry_is_measured_along_the_patient_and_not_along_a_tilted_vertebra(
    plan: Plan, anatomy: Anatomy
) -> None:
    target, trajectory = plan.targets[0], plan.trajectories[0]
    vertebra = anatomy.vertebra(target.crosses_bone)
    turn = Rotation.from_euler("x", 50, degrees=True).as_matrix()
    frame = vertebra.frame
    tilted = replace(frame, axes=frame.axes @ turn.T)
    others = tuple(v for v in anatomy.vertebrae if v.level != vertebra.level)
    turned = replace(anatomy, vertebrae=(*others, replace(vertebra, frame=tilted)))
    line = needle_line(trajectory, target, turned)
    above = (trajectory.entry_mm - frame.superior_endplate_mm)[2] / 10
    assert f"{abs(above):.1f} cm {'above' if above > 0 else 'below'}" in line.entry_endplate
