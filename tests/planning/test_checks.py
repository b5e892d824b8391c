"""The checks of a plan: unknown is never a pass, and a broken hard limit rejects."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foramen.model.evidence import Trace
from foramen.model.plan import Check, CheckStatus, Clearance, ClearanceStatus, PeakTemperature, PlanStatus, Posture
from foramen.model.space import PatientPosition
from foramen.model.verdict import Criterion, Question, Severity, Truth, Verdict, VerdictStatus
from foramen.planning.checks import (
    PlanLimits,
    _check_peak,
    check_candidacy,
    check_clearances,
    check_effect,
    check_posture,
    check_scan_age,
    check_tip_density,
    check_unknown_structures,
    check_warnings,
    plan_status,
)
from report.plan_factory import make_case, make_plan

ON = date(2026, 11, 22)


def verdict(status: VerdictStatus) -> Verdict:
    return Verdict(
        status=status,
        technique="lumbar_medial_branch_rf",
        profile="society",
        criteria=(),
        questions=(Question(fact="pregnant", text="Is the patient pregnant?"),),
        dissent=(),
    )


@pytest.mark.parametrize(
    ("status", "wanted"),
    [
        (VerdictStatus.ACCEPTABLE, CheckStatus.PASS),
        (VerdictStatus.NEEDS_INFORMATION, CheckStatus.CAUTION),
        (VerdictStatus.NOT_ACCEPTABLE, CheckStatus.FAIL),
    ],
)
def test_candidacy(status: VerdictStatus, wanted: CheckStatus) -> None:
    assert check_candidacy(verdict(status)).status is wanted


@pytest.mark.parametrize("severity", [Severity.WARN, Severity.EXCLUDE_RELATIVE])
@pytest.mark.parametrize(
    ("truth", "wanted", "words"),
    [
        (Truth.FALSE, CheckStatus.PASS, "None of 1 holds."),
        (Truth.TRUE, CheckStatus.CAUTION, "Pacemaker: yes. Ask cardiology."),
        (Truth.UNKNOWN, CheckStatus.CAUTION, "Pacemaker: not answered. Ask cardiology."),
    ],
)
def test_a_pacemaker_that_nobody_asked_about_is_a_caution(
    severity: Severity, truth: Truth, wanted: CheckStatus, words: str
) -> None:
    line = Criterion(
        id="GC07",
        severity=severity,
        profile="society",
        text="Pacemaker",
        truth=truth,
        reason="",
        sources=(),
        trace=Trace.SEEN,
        action="Ask cardiology.",
    )
    found = check_warnings(replace(verdict(VerdictStatus.ACCEPTABLE), criteria=(line,)))
    assert found.status is wanted
    assert found.reason == words


@pytest.mark.parametrize(
    ("position", "wanted"),
    [
        (PatientPosition.HFP, CheckStatus.PASS),
        (PatientPosition.HFS, CheckStatus.CAUTION),
        (PatientPosition.UNKNOWN, CheckStatus.CAUTION),
    ],
)
def test_posture_of_scan_and_procedure(position: PatientPosition, wanted: CheckStatus) -> None:
    assert check_posture(position, Posture.PRONE).status is wanted


@pytest.mark.parametrize(
    ("acquired", "wanted"),
    [
        ("", CheckStatus.CAUTION),
        ("2026-06-01", CheckStatus.PASS),
        ("2024-11-22", CheckStatus.PASS),  # exactly 24 months
        ("2024-11-21", CheckStatus.PASS),
        ("2024-10-22", CheckStatus.FAIL),  # 25 months
        ("2026-11-23", CheckStatus.FAIL),  # after the procedure
    ],
)
def test_age_of_the_scan(acquired: str, wanted: CheckStatus) -> None:
    assert check_scan_age(acquired, ON, limit_months=24).status is wanted


@pytest.mark.parametrize(
    ("peak", "wanted"),
    [
        (None, CheckStatus.CAUTION),
        (41.9, CheckStatus.PASS),
        (42.0, CheckStatus.PASS),
        (42.1, CheckStatus.CAUTION),
        (44.9, CheckStatus.CAUTION),
        (45.0, CheckStatus.FAIL),
    ],
)
def test_temperature_at_a_spinal_nerve(peak: float | None, wanted: CheckStatus) -> None:
    found = _check_peak(
        PeakTemperature(structure="L4 spinal nerve", peak_degC=peak, caution_degC=42.0, reject_degC=45.0), "target"
    )
    assert found.status is wanted


@given(st.lists(st.sampled_from(list(CheckStatus)), max_size=6), st.sampled_from(list(CheckStatus)))
def test_one_more_check_never_improves_the_status(found: list[CheckStatus], added: CheckStatus) -> None:
    order = [PlanStatus.ACCEPTABLE, PlanStatus.CAUTION, PlanStatus.REJECTED]

    def status(all_found: list[CheckStatus]) -> int:
        return order.index(plan_status([Check(id="x", text="", status=s, reason="") for s in all_found]))

    assert status([*found, added]) >= status(found)


def test_structures_that_are_not_shown_are_one_caution_and_never_a_pass() -> None:
    trajectories = make_plan(make_case()).trajectories
    unknown = {c.structure for t in trajectories for c in t.clearances if c.status is ClearanceStatus.UNKNOWN}
    assert unknown
    (check,) = check_unknown_structures(trajectories)
    assert check.status is CheckStatus.CAUTION
    assert all(name.replace("_", " ") in check.reason for name in unknown)
    assert check_unknown_structures([]) == ()


def test_a_broken_hard_clearance_fails_and_says_by_how_much() -> None:
    (trajectory, *_) = make_plan(make_case()).trajectories
    broken = Clearance(
        structure="L4 spinal nerve",
        part="shaft",
        distance_mm=1.2,
        required_mm=3.0,
        status=ClearanceStatus.VIOLATED,
        is_hard=True,
    )
    check = check_clearances(replace(trajectory, clearances=(broken,)))
    assert check.status is CheckStatus.FAIL
    assert "1.2 mm" in check.reason
    assert "3 mm required" in check.reason


def test_a_bare_tip_in_bone_that_no_label_shows_is_a_caution() -> None:
    case = make_case()
    trajectory = make_plan(case).trajectories[0]
    soft = replace(case.image, values=np.full(case.image.geometry.shape, 40.0, dtype=np.float32))
    bone = replace(case.image, values=np.full(case.image.geometry.shape, 400.0, dtype=np.float32))
    assert check_tip_density(trajectory, soft, dense_hu=250, max_fraction=0.5).status is CheckStatus.PASS
    found = check_tip_density(trajectory, bone, dense_hu=250, max_fraction=0.5)
    assert found.status is CheckStatus.CAUTION
    assert "100 % of the bare tip lies above 250 HU" in found.reason


def test_a_capture_is_not_counted_where_tissue_boils_in_the_model() -> None:
    delivery = make_plan(make_case()).deliveries[0]
    limits = PlanLimits(
        image_age_max_months=24,
        hottest_tissue_caution_degC=95,
        capture_min_fraction=0.0,
        landmark_confidence_min_fraction=0.5,
        target_sd_caution_mm=3.0,
        target_sd_reject_mm=5.0,
        tip_dense_hu=250,
        tip_dense_max_fraction=0.5,
    )
    for hottest, wanted in (
        (90.0, CheckStatus.PASS),
        (98.9, CheckStatus.PASS),
        (99.1, CheckStatus.CAUTION),
        (120.0, CheckStatus.CAUTION),
    ):
        checks = check_effect(
            replace(delivery, effect=replace(delivery.effect, hottest_tissue_degC=hottest)), limits=limits
        )
        capture = next(check for check in checks if check.id.startswith("capture"))
        assert capture.status is wanted
        assert ("boils" in capture.reason) is (hottest > 99)
