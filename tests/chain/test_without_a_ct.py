"""Plans on an MR and on no scan at all: made, marked on every page and picture, and never acceptable."""

from __future__ import annotations

import io
import json
import re
import shutil
from dataclasses import dataclass, replace
from importlib import resources
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pypdf import PdfReader

from chain.conftest import run, short_plan
from foramen import api
from foramen.errors import CaseError, InputError
from foramen.io import plan_json
from foramen.io.case_folder import new_case
from foramen.knowledge.facts import number
from foramen.model.anatomy import KeepOutStatus
from foramen.model.case import Case
from foramen.model.plan import Check, CheckStatus, ClearanceStatus, PlanStatus, RfHeatEffect
from foramen.model.record import UNKNOWN
from foramen.model.space import Modality, MrSequence, PatientPosition
from foramen.planning.basis import check_basis
from foramen.planning.checks import plan_status
from foramen.planning.confirmed_findings import with_confirmed_findings
from foramen.report import render_report
from foramen.report.annotation import STAMP, stamped
from foramen.steps.effect import simulate_rf_heat
from foramen.workflow import Planned
from report.plan_factory import make_anatomy, make_case, make_plan
from synthetic_mr import body, image, spine_labels

MARK = "NOT PATIENT-SPECIFIC"
HEIGHT_CM = 160.0


@dataclass(frozen=True)
class Made:
    """A case, where it is saved, its plan and where that is."""

    case: Case
    path: Path
    planned: Planned
    saved: api.Saved


def _made(case: Case, folder: Path) -> Made:
    api.save_case(case, folder / "case")
    planned = short_plan(case)
    return Made(case, folder / "case", planned, api.save_in_case(planned, case, case_path=folder / "case"))


@pytest.fixture(scope="module")
def generic(tmp_path_factory: pytest.TempPathFactory) -> Made:
    case = api.generic_case(record=api.reference_record(), height_cm=HEIGHT_CM, spacing_mm=1.5)
    return _made(case, tmp_path_factory.mktemp("generic"))


@pytest.fixture(scope="module")
def mr(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A T2 of 3.5 mm slices with the labels of a spine model only: muscle, fat and organs are not labelled."""
    case = new_case(
        image(),
        spine_labels(),
        record=api.reference_record(),
        patient_position=PatientPosition.HFS,
        acquired_on="2026-03-10",
    )
    return _made(case, tmp_path_factory.mktemp("mr"))


def _pages(pdf: Path) -> list[str]:
    return [" ".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(pdf.read_bytes())).pages]


def test_every_page_and_picture_of_a_generic_plan_says_so(generic: Made) -> None:
    saved = generic.saved
    for pdf in (saved.report_pdf, saved.card):
        pages = _pages(pdf)
        assert pages
        assert all(MARK in page for page in pages)
    assert MARK in saved.report.read_text()
    data = json.loads(saved.plan.read_text())
    assert MARK in data["notice"]
    assert data["case"]["is_patient_specific"] is False
    assert MARK in data["limits"][0]
    pictures = sorted((saved.folder / "figures").glob("*.png"))
    assert len(pictures) >= 6
    for picture in pictures:
        pixels = np.asarray(Image.open(picture).convert("RGB"))
        strip = tuple(int(STAMP[i : i + 2], 16) for i in (1, 3, 5))
        assert tuple(pixels[-1, 0]) == strip, f"{picture.name} carries no strip"
    assert "Scanned HFS" not in saved.report.read_text()  # nobody was scanned


def test_a_generic_plan_clears_nothing(generic: Made) -> None:
    """A body of others may forbid a path, never clear it; levels have to be counted; places are less certain."""
    plan = generic.planned.plan
    assert plan.status is PlanStatus.CAUTION
    for trajectory in (*plan.trajectories, *plan.alternatives):
        assert trajectory.clearances
        assert all(c.status is not ClearanceStatus.MET for c in trajectory.clearances)
    assert generic.planned.anatomy.level_count.is_ambiguous
    assert not generic.planned.anatomy.is_patient_specific
    of_record = {"candidacy", "warnings"}
    passed = [c for c in plan.checks if c.status is CheckStatus.PASS and c.id not in of_record]
    assert all(c.reason.startswith("In the reference body: ") for c in passed)
    ids = {c.id for c in plan.checks}
    assert "not patient-specific" in ids
    assert not {"posture", "scan_age"} & ids
    own = api.plan(
        replace(generic.case, is_patient_specific=True),
        technique=plan.technique,
        level="L4-L5",
        side="left",
        procedure_at=api.REFERENCE_PROCEDURE_AT,
        lesions=1,
        time_s=30,
    ).plan
    for alike, target in zip(own.targets, plan.targets, strict=True):
        assert target.position_sd_mm > alike.position_sd_mm + 1


def test_the_body_follows_the_stature() -> None:
    small, tall = (api.generic_case(height_cm=h, spacing_mm=3.0) for h in (150.0, 190.0))
    assert not small.is_patient_specific
    assert not tall.is_patient_specific
    ratio = tall.image.geometry.spacing_mm / small.image.geometry.spacing_mm
    assert ratio[2] == pytest.approx(190 / 150, rel=1e-9)
    assert ratio[0] == pytest.approx((1 + 0.5 * (1.9 / 1.7 - 1)) / (1 + 0.5 * (1.5 / 1.7 - 1)), rel=1e-9)
    assert small.image.geometry.frame_uid != tall.image.geometry.frame_uid


def test_answers_fill_the_record_and_never_contradict_it() -> None:
    record = api.reference_record()
    case = api.generic_case(record=record, height_cm=HEIGHT_CM, weight_kg=74, sex="female", spacing_mm=3.0)
    assert case.record == record
    with pytest.raises(InputError, match="contradicts the record"):
        api.generic_case(record=record, height_cm=HEIGHT_CM, weight_kg=90, spacing_mm=3.0)
    with pytest.raises(InputError, match="needs the patient's height"):
        api.generic_case(record=record, spacing_mm=3.0)
    empty = api.generic_case(height_cm=HEIGHT_CM, age_years=61, spacing_mm=3.0)
    assert empty.record.value("age_years") == 61
    for height in (90.0, 240.0, float("nan")):
        with pytest.raises(InputError, match="height of"):
            api.generic_case(height_cm=height)


def test_the_generic_command_makes_a_case_that_plan_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "case", "generic", "--height-cm", 172, "--out", tmp_path / "case", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["is_patient_specific"] is False
    assert api.open_case(tmp_path / "case").is_patient_specific is False
    assert run(monkeypatch, "case", "generic", "--out", tmp_path / "other") == 2
    assert "--height-cm" in capsys.readouterr().err


def test_a_plan_on_an_mr_is_a_caution_that_says_so(mr: Made) -> None:
    plan = mr.planned.plan
    assert plan.status is PlanStatus.CAUTION, [c for c in plan.checks if c.status is CheckStatus.FAIL]
    assert {"planned on MR", "tip density"} <= {c.id for c in plan.checks if c.status is CheckStatus.CAUTION}
    assert any(c.id.startswith("heat at hardware") and c.status is CheckStatus.CAUTION for c in plan.checks)
    for page in (*_pages(mr.saved.report_pdf), *_pages(mr.saved.card)):
        assert "PLANNED ON MR" in page
        assert MARK not in page
    effects = [d.effect for d in plan.deliveries]
    for effect in effects:
        assert isinstance(effect, RfHeatEffect)
        assert effect.tissue_origin["inferred_from_hu"] == 0
        assert effect.tissue_origin["assumed_without_label"] > 0.2  # muscle is not labelled here
        assert any("taken as soft tissue" in line for line in effect.assumptions)
    assert data_of(mr)["case"]["modality"] == "MR"
    unknown = {k.name for k in mr.planned.anatomy.keep_outs if k.status is KeepOutStatus.UNKNOWN}
    assert {"aorta", "kidneys", "bowel"} <= unknown


def data_of(made: Made) -> dict[str, dict[str, object]]:
    """plan.json of what was made."""
    content: dict[str, dict[str, object]] = json.loads(made.saved.plan.read_text())
    return content


def test_zones_on_an_mr_differ_from_those_on_the_ct_by_what_is_stated(mr: Made) -> None:
    """Along the same paths; fat that no label names is missed, so the zones are narrower, never wider."""
    plan, stated = mr.planned.plan, number("mr_reading.width_error_fraction")
    for delivery, target in zip(plan.deliveries, plan.targets, strict=True):
        paths = [plan.trajectory(name) for name in delivery.trajectories]
        on_ct = simulate_rf_heat(mr.planned.anatomy, body().image, body().labels, target, paths, delivery.setting)
        assert isinstance(delivery.effect, RfHeatEffect)
        for one, other in zip(delivery.effect.isotherms, on_ct.isotherms, strict=True):
            assert (1 - stated) * other.width_mm <= one.width_mm <= other.width_mm


@pytest.mark.parametrize("key", ["modality", "is_patient_specific"])
def test_a_plan_cannot_be_stripped_of_what_it_stands_on(generic: Made, mr: Made, tmp_path: Path, key: str) -> None:
    """By deleting the key from plan.json: the case contradicts; by writing acceptable: the plan is refused."""
    made = mr if key == "modality" else generic
    folder = tmp_path / "plan"
    shutil.copytree(made.saved.folder, folder)
    data = json.loads((folder / "plan.json").read_text())
    (folder / "plan.json").write_text(json.dumps(data | {"status": "acceptable"}))
    with pytest.raises((InputError, CaseError), match="at best a caution"):
        plan_json.read_plan(folder)
    for name in ("modality", "sequence", "is_patient_specific"):
        del data["case"][name]
    (folder / "plan.json").write_text(json.dumps(data | {"status": "acceptable"}))
    with pytest.raises(CaseError, match="Plan again"):
        api.open_plan(folder, case=made.path)


@given(
    statuses=st.lists(st.sampled_from(CheckStatus), max_size=6),
    modality=st.sampled_from(Modality),
    is_specific=st.booleans(),
    is_built=st.booleans(),
)
def test_only_a_ct_of_the_patient_can_be_acceptable(
    statuses: list[CheckStatus], modality: Modality, is_specific: bool, is_built: bool
) -> None:
    """Whatever the other checks say, and whichever of case and anatomy is not the patient's."""
    made = make_case()
    values = made.image.values - made.image.values.min()
    picture = replace(made.image, values=values, modality=modality)
    case = replace(made, image=picture, is_patient_specific=is_specific)
    anatomy = replace(make_anatomy(), is_patient_specific=is_built)
    others = tuple(Check(id=str(i), text="", status=s, reason="") for i, s in enumerate(statuses))
    found = plan_status((*check_basis(case, anatomy), *others))
    is_best = modality is Modality.CT and is_specific and is_built
    assert (found is PlanStatus.ACCEPTABLE) == (is_best and set(statuses) <= {CheckStatus.PASS})


@pytest.mark.parametrize(("modality", "is_specific"), list(product(Modality, (True, False))))
def test_no_acceptable_plan_can_exist_without_a_ct_of_the_patient(modality: Modality, is_specific: bool) -> None:
    plan = make_plan(make_case())
    case = replace(plan.case, modality=modality, is_patient_specific=is_specific)
    if modality is Modality.CT and is_specific:
        assert replace(plan, case=case, status=PlanStatus.ACCEPTABLE).status is PlanStatus.ACCEPTABLE
        return
    with pytest.raises(InputError, match="at best a caution"):
        replace(plan, case=case, status=PlanStatus.ACCEPTABLE)


def test_a_stamp_leaves_the_picture_as_it_was() -> None:
    picture = Image.fromarray(np.random.default_rng(1).integers(0, 255, (60, 200, 3)).astype(np.uint8))
    stream = io.BytesIO()
    picture.save(stream, format="png")
    marked = Image.open(io.BytesIO(stamped(stream.getvalue(), MARK)))
    assert np.array_equal(np.asarray(marked)[:60], np.asarray(picture))
    assert marked.height > 60
    strip = np.asarray(marked)[60:]
    assert (strip == 255).all(axis=-1).any(), "the strip carries no words"


ADVICE = re.compile(
    r"\b(get|order|acquire|obtain|request|make|take|use|import|give|perform|repeat|needs?)\s+(a|another|the|one)\s+"
    r"(new\s+|plain\s+|finer\s+)?CT\b",
    re.IGNORECASE,
)


def test_nothing_advises_a_ct_merely_to_plan() -> None:
    """Over every text of the package: messages, errors, knowledge and templates."""
    assert ADVICE.search("Use a CT.")
    found = []
    for entry in _texts(resources.files("foramen")):
        found += [f"{entry.name}: {match.group(0)}" for match in ADVICE.finditer(entry.read_text(encoding="utf-8"))]
    assert not found, found


def _texts(folder: object) -> list[Path]:
    root = Path(str(folder))
    return sorted(path for ending in ("*.py", "*.yaml", "*.j2") for path in root.rglob(ending))


def test_an_unknown_sequence_is_shown_as_such() -> None:
    case = replace(make_case(), image=replace(image(), sequence=MrSequence.UNKNOWN), labels=spine_labels())
    texts = [check.reason for check in check_basis(case, make_anatomy())]
    assert any("UNKNOWN sequence" in text for text in texts)


def test_findings_are_written_into_the_record_and_count_once_confirmed(
    mr: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`case measure` writes them, `case confirm` makes one an answer; the report of the level tells them."""
    folder = tmp_path / "case"
    shutil.copytree(mr.path, folder)
    assert run(monkeypatch, "case", "measure", folder, "--json") == 0
    told = json.loads(capsys.readouterr().out)["findings"]
    assert {f["level"] for f in told} >= {"L3-L4", "L4-L5"}
    case = api.open_case(folder)
    assert len(case.record.findings) == len(told)
    assert with_confirmed_findings(case.record, "L4-L5").value("imaging.disc_height_mm") is UNKNOWN
    options = ("--finding", "disc_height_mm", "--level", "L4-L5", "--by", "Dr A")
    assert run(monkeypatch, "case", "confirm", folder, *options) == 0
    capsys.readouterr()
    again = api.open_case(folder)
    height = with_confirmed_findings(again.record, "L4-L5").value("imaging.disc_height_mm")
    assert height == next(f["value"] for f in told if (f["kind"], f["level"]) == ("disc_height_mm", "L4-L5"))
    assert run(monkeypatch, "case", "confirm", folder, "--finding", "x", "--level", "L4-L5", "--by", "Dr A") == 2
    page = render_report(mr.planned.plan, again, mr.planned.anatomy)
    assert "disc height" in page
    assert "Dr A" in page
