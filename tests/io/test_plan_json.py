"""plan.json: what is written is read again, bit by bit, and what does not belong is refused."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from foramen.errors import CaseError
from foramen.io import plan_json
from foramen.io.dataclass_json import from_data, to_data
from foramen.model.care import Care, CareItem, CareKind, CarePhase
from foramen.model.device import RfCannula, Thermocouple, TipShape
from foramen.model.evidence import Citation, Provenance, Trace
from foramen.model.levels import Level, Root, Segment, Side, Vertebra, VertebraSet
from foramen.model.plan import (
    Capture,
    CaseReference,
    Check,
    CheckStatus,
    Clearance,
    ClearanceStatus,
    Confirmation,
    Delivery,
    Isotherm,
    NotModelled,
    PeakTemperature,
    Plan,
    PlanStatus,
    Posture,
    ReviewStatus,
    RfHeatEffect,
    RfSetting,
    Target,
    Trajectory,
    View,
)
from foramen.model.space import PatientPosition
from foramen.model.verdict import Criterion, Dissent, Question, Severity, Truth, Verdict, VerdictStatus
from planning.robust_effect import make_robust

SCHEMA_FILE = Path(__file__).resolve().parents[2] / "docs" / "plan.schema.json"


def make_view(name: str = "working view") -> View:
    return View(
        name=name,
        purpose="see the junction",
        beam=np.array([0.6, 0.8, 0.0]),
        up=np.array([0.0, 0.0, 1.0]),
        centre_mm=np.array([1.0, 2.0, 1 / 3]),
        words="detector 20 deg to the patient's left",
        primary_angle_deg=20.0,
        secondary_angle_deg=-40.0,
        console_dial="LAO 20",
        posture=Posture.PRONE,
        must_show=("junction",),
    )


def make_plan(*, level: Level | None = None) -> Plan:
    rng = np.random.default_rng(7)
    device = RfCannula(
        id="rf_18g_100_10",
        version="1",
        name="18 G",
        gauge=18,
        outer_diameter_mm=1.27,
        inner_diameter_mm=0.84,
        lengths_mm=(100.0, 150.0),
        active_tip_mm=10.0,
        tip_shape=TipShape.HEMISPHERICAL,
        thermocouple=Thermocouple.POLE,
        material="steel",
        max_temperature_degC=90.0,
    )
    trajectory = Trajectory(
        id="t1",
        target="L3 medial branch",
        device=device,
        entry_mm=np.array([10.0, 90.0, 0.1]),
        tip_mm=np.array([10.0, 20.0, 0.1]),
        length_mm=70.0,
        cannula_length_mm=100.0,
        view=make_view(),
        clearances=(
            Clearance(
                structure="spinal_nerve",
                part="bare_electrode",
                distance_mm=7.25,
                required_mm=5.0,
                status=ClearanceStatus.MET,
                is_hard=True,
            ),
            Clearance(
                structure="periforaminal_arteries",
                part="shaft",
                distance_mm=None,
                required_mm=2.0,
                status=ClearanceStatus.UNKNOWN,
                is_hard=True,
                note="not imaged",
            ),
        ),
        costs={"depth": 0.1},
        reasons=("parallel to the nerve",),
        rank=1,
        angle_to_nerve_deg=12.5,
        oblique_deg=20.0,
        declined_deg=40.0,
        depth_to_bone_mm=69.0,
    )
    effect = RfHeatEffect(
        isotherms=(Isotherm(temperature_degC=50.0, width_mm=7.0, length_mm=12.0, volume_mm3=300.0),),
        captures=(Capture(criterion="50_degC", fraction=0.9, is_within_window=True),),
        peaks=(
            PeakTemperature(structure="L4 spinal nerve", peak_degC=40.5, caution_degC=42.0, reject_degC=45.0),
            PeakTemperature(structure="skin", peak_degC=None, caution_degC=None, reject_degC=None),
        ),
        hottest_tissue_degC=81.0,
        tip_temperature_degC=80.0,
        impedance_initial_ohm=100.0,
        impedance_final_ohm=70.0,
        power_mean_w=2.5,
        power_peak_w=4.0,
        voltage_final_v=13.0,
        history={"time_s": (0.0, 0.1, 0.2)},
        grid_affine_mm=np.eye(4),
        peak_temperature_degC=rng.normal(50, 10, (4, 5, 6)).astype(np.float32),
        omega={"nerve": rng.random((4, 5, 6)).astype(np.float32)},
        tissue_origin={"labelled": 0.25},
        assumptions=("thermocouple at the pole",),
    )
    setting = RfSetting(
        temperature_degC=80.0, time_s=90.0, ramp_s=10.0, thermocouple=Thermocouple.POLE, frequency_hz=460e3
    )
    return Plan(
        id="20260320T101500-abcd",
        technique="lumbar_medial_branch_rf",
        technique_name="Lumbar medial branch radiofrequency",
        level=level or Segment("L4-L5"),
        side=Side.LEFT,
        posture=Posture.PRONE,
        case=CaseReference(
            case_uid="2.25.1",
            frame_uid="2.25.2",
            relative_path="../..",
            image_sha256="a" * 64,
            labels_sha256="b" * 64,
            patient_position=PatientPosition.UNKNOWN,
            acquired_on="",
        ),
        verdict=Verdict(
            status=VerdictStatus.NEEDS_INFORMATION,
            technique="lumbar_medial_branch_rf",
            profile="society",
            criteria=(
                Criterion(
                    id="C1",
                    severity=Severity.REQUIRED,
                    profile="society",
                    text="a positive block",
                    truth=Truth.UNKNOWN,
                    reason="no block recorded",
                    sources=("COHEN2020",),
                    trace=Trace.SEEN,
                    missing=("block.any",),
                ),
            ),
            questions=(Question(fact="block.any", text="Have blocks been done?"),),
            dissent=(Dissent(id="D1", text="against", sources=("BMJ2025",), trace=Trace.SEEN),),
        ),
        targets=(
            Target(
                name="L3 medial branch, on the L4 transverse process",
                nerve="L3 medial branch",
                crosses_bone=Vertebra("L4"),
                joint_served="L4-L5",
                level=level or Segment("L4-L5"),
                side=Side.LEFT,
                position_mm=np.array([0.1, 0.2, 0.3]),
                needed_segment_mm=rng.normal(size=(7, 3)),
                nerve_radius_mm=0.5,
                position_sd_mm=1.0,
                confidence_fraction=0.8,
                segment_definition="junction to notch",
                landmarks_mm={"notch": (1.0, 2.0, 3.0)},
            ),
        ),
        trajectories=(trajectory,),
        alternatives=(trajectory,),
        rejected=("too long",),
        views=(make_view("lateral"),),
        deliveries=(
            Delivery(target="L3 medial branch", trajectories=("t1",), setting=setting, effect=effect),
            Delivery(target="x", trajectories=("t1",), setting=setting, effect=NotModelled(reason="no model")),
        ),
        checks=(Check(id="k", text="level count", status=CheckStatus.CAUTION, reason="unconfirmed"),),
        status=PlanStatus.CAUTION,
        review=ReviewStatus.UNREVIEWED,
        confirmation=Confirmation(by="Dr A", at="2026-03-20", levels="from the sacrum", side=True, landmarks=False),
        care=Care(
            procedure_at="2026-03-25T09:00",
            items=(
                CareItem(
                    phase=CarePhase.DAY,
                    kind=CareKind.STOP_RULE,
                    text="stop",
                    reason="nerve",
                    sources=("MEM",),
                    trace=Trace.UNVERIFIED,
                ),
            ),
        ),
        steps=("one",),
        stop_rules=("two",),
        drug_totals=(),
        citations=(Citation(key="MEM", title="expert knowledge"),),
        limits=("research use",),
        provenance=Provenance(
            foramen_version="0.1.0", knowledge_sha256="c" * 64, made_at="2026-03-20T10:15:00", settings={"seed": "1"}
        ),
    )


def same(first: Plan, second: Plan) -> bool:
    """Plans agree in every field and, bitwise, in every array (`repr` of floats is exact)."""
    keep = lambda path, array: (array.dtype.str, array.shape, array.tobytes())  # noqa: E731
    return to_data(first, store=keep) == to_data(second, store=keep)


@pytest.mark.parametrize("level", [Segment("L5-S1"), Root("L4"), Vertebra("L4"), VertebraSet((Vertebra("L4"),))])
def test_what_is_written_is_read_again(tmp_path: Path, level: Level) -> None:
    plan = make_plan(level=level)
    file = plan_json.write_plan(plan, tmp_path / "plan")
    again = plan_json.read_plan(file)
    assert same(plan, again)
    assert again.level == level
    effect = again.deliveries[0].effect
    assert isinstance(effect, RfHeatEffect)
    assert effect.peak_temperature_degC.dtype == np.float32
    assert not same(plan, dataclasses.replace(plan, id="other")), "the comparison itself must be able to fail"


def test_robustness_is_written_and_read_again(tmp_path: Path) -> None:
    """Every field comes back; a structure that is not shown reads UNKNOWN; the file obeys the schema."""
    plan = dataclasses.replace(make_plan(), robust=make_robust())
    again = plan_json.read_plan(plan_json.write_plan(plan, tmp_path))
    assert again.robust == plan.robust
    data = json.loads((tmp_path / "plan.json").read_text())
    assert data["robust"]["structures"][1]["median_degC"] == "UNKNOWN"
    jsonschema.Draft202012Validator(json.loads(SCHEMA_FILE.read_text())).validate(data)


def test_a_plan_of_version_1_0_is_still_read(tmp_path: Path) -> None:
    """Without the key `robust`, as it was written before."""
    file = plan_json.write_plan(make_plan(), tmp_path)
    data = json.loads(file.read_text())
    del data["robust"]
    data["schema"]["version"] = "1.0"
    file.write_text(json.dumps(data))
    assert same(plan_json.read_plan(tmp_path), make_plan())


def test_a_plan_of_version_1_1_is_still_read(tmp_path: Path) -> None:
    """Without both ways of cerebrospinal fluid, as it was written before."""
    file = plan_json.write_plan(make_plan(), tmp_path)
    data = json.loads(file.read_text())
    effect = data["deliveries"][0]["effect"]
    for entry in effect["captures"] + effect["peaks"]:
        for key in [key for key in entry if "_csf_" in key]:
            del entry[key]
    data["schema"]["version"] = "1.1"
    file.write_text(json.dumps(data))
    assert same(plan_json.read_plan(tmp_path), make_plan())


def test_a_plan_of_version_1_2_is_still_read(tmp_path: Path) -> None:
    """Without what the image is, as it was written when every image was a CT."""
    file = plan_json.write_plan(make_plan(), tmp_path)
    data = json.loads(file.read_text())
    for key in ("modality", "sequence", "is_patient_specific"):
        del data["case"][key]
    data["schema"]["version"] = "1.2"
    file.write_text(json.dumps(data))
    assert same(plan_json.read_plan(tmp_path), make_plan())


def test_both_ways_of_fluid_are_written_and_read_again(tmp_path: Path) -> None:
    plan = make_plan()
    delivery = plan.deliveries[0]
    assert isinstance(delivery.effect, RfHeatEffect)
    capture = Capture(
        criterion="50_degC", fraction=0.7, is_within_window=True, still_csf_fraction=0.9, held_csf_fraction=0.7
    )
    effect = dataclasses.replace(delivery.effect, captures=(capture,))
    plan = dataclasses.replace(plan, deliveries=(dataclasses.replace(delivery, effect=effect), *plan.deliveries[1:]))
    file = plan_json.write_plan(plan, tmp_path)
    assert same(plan_json.read_plan(tmp_path), plan)
    jsonschema.Draft202012Validator(json.loads(SCHEMA_FILE.read_text())).validate(json.loads(file.read_text()))


def test_keys_that_others_rely_on(tmp_path: Path) -> None:
    plan_json.write_plan(make_plan(), tmp_path)
    data = json.loads((tmp_path / "plan.json").read_text())
    assert data["schema"] == {"name": "foramen-plan", "version": "1.3"}
    target = data["targets"][0]
    assert (target["crosses_bone"], target["joint_served"], target["level"], target["side"]) == (
        "L4",
        "L4-L5",
        "L4-L5",
        "left",
    )
    assert target["position_mm"] == [0.1, 0.2, 0.3]
    trajectory = data["trajectories"][0]
    assert trajectory["device"]["id"] == "rf_18g_100_10"
    assert trajectory["device"]["outer_diameter_mm"] == 1.27
    assert {"entry_mm", "tip_mm", "length_mm", "view"} <= set(trajectory)
    assert [c["distance_mm"] for c in trajectory["clearances"]] == [7.25, "UNKNOWN"]
    assert data["deliveries"][0]["effect"]["peaks"][1]["peak_degC"] == "UNKNOWN"
    assert data["deliveries"][0]["effect"]["kind"] == "rf_heat"
    assert (tmp_path / "effect.zarr").is_dir()


def test_written_plan_obeys_the_published_schema(tmp_path: Path) -> None:
    plan_json.write_plan(make_plan(), tmp_path)
    data = json.loads((tmp_path / "plan.json").read_text())
    schema = json.loads(SCHEMA_FILE.read_text())
    validator = jsonschema.Draft202012Validator(schema)
    validator.check_schema(schema)
    validator.validate(data)
    data["trajectories"][0]["tip_mm"] = "there"
    assert list(validator.iter_errors(data)), "the schema must be able to refuse"


def test_published_schema_is_current() -> None:
    assert json.loads(SCHEMA_FILE.read_text()) == plan_json.json_schema(), (
        "write json_schema() to docs/plan.schema.json again"
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d["schema"].update(version="2.0"), "plan version 2.0"),
        (lambda d: d["schema"].update(name="other"), "no plan of Foramen"),
        (lambda d: d["schema"].update(version="one"), "no readable schema version"),
        (lambda d: d.update(extra=1), "unknown key 'extra'"),
        (lambda d: d.pop("verdict"), "'verdict' is missing"),
        (lambda d: d["targets"][0].update(crosses_bone="L9"), "not a vertebra"),
        (lambda d: d["targets"][0].update(side="links"), "one of left, right"),
        (lambda d: d["trajectories"][0].update(length_mm="long"), "float is needed"),
        (lambda d: d["trajectories"][0].update(length_mm=120.0), "Trajectory is 120.0 mm"),
        (lambda d: d.pop("trajectories"), "is damaged"),
        (lambda d: d["deliveries"][0]["effect"].update(kind="magic"), "a known kind"),
    ],
)
def test_damaged_plan_is_refused(tmp_path: Path, change: object, message: str) -> None:
    file = plan_json.write_plan(make_plan(), tmp_path)
    data = json.loads(file.read_text())
    change(data)  # type: ignore[operator]
    file.write_text(json.dumps(data))
    with pytest.raises(CaseError, match=message):
        plan_json.read_plan(tmp_path)


def test_later_minor_version_may_add_keys(tmp_path: Path) -> None:
    file = plan_json.write_plan(make_plan(), tmp_path)
    data = json.loads(file.read_text())
    data["schema"]["version"] = "1.7"
    data["told_later"] = {"samples": 100}
    file.write_text(json.dumps(data))
    assert same(plan_json.read_plan(tmp_path), make_plan())


def test_missing_grid_is_named(tmp_path: Path) -> None:
    plan_json.write_plan(make_plan(), tmp_path)
    for path in sorted((tmp_path / "effect.zarr").rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    with pytest.raises(CaseError, match="peak_temperature_degC"):
        plan_json.read_plan(tmp_path)


def test_interrupted_rewriting_keeps_the_old_plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = make_plan()
    plan_json.write_plan(old, tmp_path)

    def interrupted(path: Path, content: bytes) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(plan_json, "write_bytes", interrupted)
    with pytest.raises(KeyboardInterrupt):
        plan_json.write_plan(dataclasses.replace(old, id="new"), tmp_path)
    assert same(plan_json.read_plan(tmp_path), old)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["effect.zarr", "plan.json"]


def test_a_number_that_is_not_finite_is_not_written(tmp_path: Path) -> None:
    plan = make_plan()
    broken = dataclasses.replace(plan.trajectories[0], costs={"depth": float("nan")})
    with pytest.raises(CaseError, match=r"trajectories\.0\.costs\.depth"):
        plan_json.write_plan(dataclasses.replace(plan, trajectories=(broken,)), tmp_path)
    assert not list(tmp_path.iterdir())


def test_levels_keep_their_kind() -> None:
    for level in (Vertebra("L4"), Root("L4"), Segment("L4-L5"), VertebraSet((Vertebra("L4"), Vertebra("L5")))):
        assert from_data(type(level), to_data(level)) == level
    with pytest.raises(CaseError, match="Root is needed"):
        from_data(Root, to_data(Vertebra("L4")))
