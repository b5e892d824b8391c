"""The whole chain through the Python API, on the reference body."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from pypdf import PdfReader
from threadpoolctl import threadpool_limits

from foramen import api
from foramen.errors import CaseError, InputError, LevelError
from foramen.io.plan_json import plan_data, read_plan
from foramen.model.plan import CheckStatus, PlanStatus, ReviewStatus
from foramen.model.record import ClinicalRecord
from foramen.model.verdict import VerdictStatus

from .conftest import COARSE_MM, TECHNIQUE, Chain, short_plan

pytestmark = pytest.mark.slow


def test_both_nerves_of_the_joint_are_planned_on_the_right_bones(chain: Chain) -> None:
    found = [(t.nerve, t.crosses_bone.name, t.joint_served, t.side.value) for t in chain.planned.plan.targets]
    assert found == [("L3 medial branch", "L4", "L4-L5", "left"), ("L4 medial branch", "L5", "L4-L5", "left")]


def test_the_reference_patient_is_a_candidate_and_the_plan_is_cautious(chain: Chain) -> None:
    plan = chain.planned.plan
    assert plan.verdict.status is VerdictStatus.ACCEPTABLE
    assert plan.verdict.dissent, "a positive verdict stands beside the published disagreement"
    assert plan.status is PlanStatus.CAUTION  # arteries are not shown, posture differs
    assert plan.review is ReviewStatus.UNREVIEWED
    assert not [c for c in plan.checks if c.status is CheckStatus.FAIL]


def test_targets_lie_where_the_body_has_its_nerves(chain: Chain) -> None:
    from foramen.anatomy.reference_body import make_reference_body

    truth = make_reference_body(spacing_mm=chain.case.image.geometry.spacing_mm[0]).anatomy
    for target in chain.planned.plan.targets:
        nerve = next(n for n in truth.nerves if n.name == target.nerve and n.side is target.side)
        distance = np.linalg.norm(nerve.centreline_mm - target.position_mm, axis=1).min()
        # 3 mm is the landmark limit at 3 mm spacing; the plan saw only CT and labels
        assert distance <= 3.0, f"{target.name}: {distance:.1f} mm from the true nerve"


def test_no_hard_limit_is_broken(chain: Chain) -> None:
    for trajectory in chain.planned.plan.trajectories:
        for clearance in trajectory.clearances:
            if clearance.is_hard and clearance.distance_mm is not None:
                assert clearance.distance_mm >= clearance.required_mm, f"{trajectory.id}: {clearance.structure}"


def test_unseen_arteries_stay_unknown(chain: Chain) -> None:
    for trajectory in chain.planned.plan.trajectories:
        unknown = [c for c in trajectory.clearances if "arter" in c.structure and c.distance_mm is None]
        assert unknown
        assert {c.status.value for c in unknown} == {"unknown"}


def test_the_plan_folder_is_complete_and_reads_back(chain: Chain) -> None:
    names = {entry.name for entry in chain.saved.folder.iterdir()}
    assert names >= {"plan.json", "effect.zarr", "report.html", "report.pdf", "card.pdf", "figures"}
    read = read_plan(chain.saved.folder)
    assert api.plain(read.targets[0]) == api.plain(chain.planned.plan.targets[0])
    content = json.loads(chain.saved.plan.read_text())
    assert content["schema"]["name"] == "foramen-plan"
    assert {"name", "nerve", "crosses_bone", "joint_served", "level", "side", "position_mm"} <= set(
        content["targets"][0]
    )
    assert {"device", "entry_mm", "tip_mm", "length_mm", "view", "clearances"} <= set(content["trajectories"][0])


def test_the_report_is_short_enough_to_be_read(chain: Chain) -> None:
    pages = [" ".join(page.extract_text().split()) for page in PdfReader(chain.saved.folder / "report.pdf").pages]
    assert len(pages) <= 12
    for rule in chain.planned.plan.stop_rules:
        assert " ".join(pages).count(rule) == 1, rule
    for question in chain.planned.plan.verdict.questions:
        assert question.text in pages[0]


def test_a_plan_is_never_overwritten(chain: Chain) -> None:
    with pytest.raises(CaseError, match="exists"):
        api.save(chain.planned, chain.case, chain.saved.folder)


def test_an_empty_record_needs_information_and_never_passes(chain: Chain) -> None:
    from dataclasses import replace

    empty = replace(chain.case, record=ClinicalRecord(patient_id=chain.case.patient_id))
    verdict = api.assess(
        empty, technique=TECHNIQUE, level="L4-L5", side="left", procedure_at=api.REFERENCE_PROCEDURE_AT
    )
    assert verdict.status is VerdictStatus.NEEDS_INFORMATION
    assert verdict.questions


def test_the_other_side_was_never_blocked(chain: Chain) -> None:
    verdict = api.assess(
        chain.case, technique=TECHNIQUE, level="L4-L5", side="right", procedure_at=api.REFERENCE_PROCEDURE_AT
    )
    assert verdict.status is not VerdictStatus.ACCEPTABLE


def test_wrong_requests_are_refused(chain: Chain) -> None:
    with pytest.raises(LevelError, match="L4-L5"):
        api.plan(chain.case, technique=TECHNIQUE, level="L4", side="left")
    with pytest.raises(InputError, match="lumbar_medial_branch_rf"):
        api.plan(chain.case, technique="magic", level="L4-L5", side="left")
    for lesions in (0, -1, 9):
        with pytest.raises(InputError, match="lesions"):
            api.plan(chain.case, technique=TECHNIQUE, level="L4-L5", side="left", lesions=lesions)
    with pytest.raises(InputError, match="limit"):
        api.plan(chain.case, technique=TECHNIQUE, level="L4-L5", side="left", temperature_degC=120)


def test_a_confirmation_needs_a_name_and_all_three_parts() -> None:
    assert api.confirmation() is None
    with pytest.raises(InputError, match="--by"):
        api.confirmation(side=True)
    partial = api.confirmation(by="A. Name", side=True)
    full = api.confirmation(by="A. Name", levels="from the sacrum", side=True, landmarks=True)
    assert partial is not None
    assert full is not None
    assert (partial.is_full, full.is_full) == (False, True)


def test_each_saved_view_is_the_one_that_its_caption_names(chain: Chain) -> None:
    from foramen.report.carm import attenuation_of, draw_view
    from foramen.report.figures import distinct_views, picture_of_view, pictured_views

    plan = chain.planned.plan
    centre = np.mean([target.position_mm for target in plan.targets], axis=0)
    attenuation = attenuation_of(chain.case.image, centre)
    shown = pictured_views(plan)
    assert [view.name for view in shown] != [view.name for view in distinct_views(plan)][: len(shown)]  # order matters
    for view in shown:
        drawn = draw_view(attenuation, view, plan.trajectories)
        assert (chain.saved.folder / "figures" / f"{picture_of_view(plan, view)}.png").read_bytes() == drawn


def test_the_digest_of_a_record_does_not_depend_on_the_order_of_a_set() -> None:
    import os
    import subprocess
    import sys

    code = (
        "from foramen.api import reference_record as r; from foramen.workflow import record_sha256 as s; print(s(r()))"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3", "4")
    }
    assert len(found) == 1


def test_a_stored_plan_opens_with_its_own_case_and_no_other(chain: Chain, tmp_path: Path) -> None:
    plan, case = api.open_plan(chain.saved.folder)
    assert plan.id == chain.planned.plan.id
    assert case.image_sha256 == chain.case.image_sha256
    api.save_case(chain.case, tmp_path / "moved")
    assert api.open_plan(chain.saved.plan, case=tmp_path / "moved")[1].uid == chain.case.uid
    other = api.reference_case(spacing_mm=6.0)
    api.save_case(other, tmp_path / "other")
    with pytest.raises(CaseError, match="was made on another image"):
        api.open_plan(chain.saved.folder, case=tmp_path / "other")


def test_a_replay_is_equal_to_the_last_bit_whatever_the_threads_of_blas(chain: Chain) -> None:
    with threadpool_limits(limits=2, user_api="blas"):
        case = api.reference_case(spacing_mm=COARSE_MM)
        again = short_plan(case).plan
    assert case.image_sha256 == chain.case.image_sha256
    (first, first_grids), (second, second_grids) = (plan_data(plan) for plan in (chain.planned.plan, again))
    for data in (first, second):
        del data["id"], data["provenance"]["made_at"]
    assert first == second
    for name, values in first_grids.items():
        np.testing.assert_array_equal(values, second_grids[name])
