"""A made-up plan for tests of the report, on the made-up case; nothing clinical."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from foramen.model.care import Care, CareItem, CareKind, CarePhase
from foramen.model.case import Case
from foramen.model.device import RfCannula, Thermocouple, TipShape
from foramen.model.evidence import Citation, Provenance, Trace
from foramen.model.levels import Segment, Side, Vertebra
from foramen.model.plan import (
    Capture,
    CaseReference,
    Check,
    CheckStatus,
    Clearance,
    ClearanceStatus,
    Delivery,
    Effect,
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
from foramen.model.verdict import Criterion, Dissent, Question, Severity, Truth, Verdict, VerdictStatus
from report.case_factory import FRAME, HEIGHT_MM, course_of, make_anatomy, make_case

__all__ = ["NOT_MODELLED", "make_anatomy", "make_case", "make_plan", "make_view"]

DEVICE = RfCannula(
    id="rf-18g-10mm",
    version="1",
    name="RF cannula 18 G, 10 mm active tip, straight",
    gauge=18,
    outer_diameter_mm=1.27,
    inner_diameter_mm=0.84,
    lengths_mm=(100.0, 145.0),
    active_tip_mm=10.0,
    tip_shape=TipShape.HEMISPHERICAL,
    thermocouple=Thermocouple.POLE,
    material="stainless steel",
    max_temperature_degC=90.0,
)


def make_view(*, name: str, beam: tuple[float, float, float], centre_mm: np.ndarray, words: str) -> View:
    """A C-arm view with the beam given (source to detector, LPS)."""
    unit = np.array(beam) / np.linalg.norm(beam)
    up = np.array([0.0, 0, 1]) - unit[2] * unit
    return View(
        name=name,
        purpose=f"see what the {name} shows",
        beam=unit,
        up=up / np.linalg.norm(up),
        centre_mm=centre_mm,
        words=words,
        primary_angle_deg=20.0,
        secondary_angle_deg=-40.0,
        console_dial="LAO 20, caudal 40 (prone, C-arm from the patient's right)",
        posture=Posture.PRONE,
        must_show=("electrode seen end on", "squared superior endplate"),
    )


def _target(side: Side, root: str, bone: str) -> Target:
    line = course_of(side, HEIGHT_MM[bone])[2:5]
    steps = np.linspace(0, 1, 80)[:, None]
    needed = np.concatenate([line[0] + steps * (line[1] - line[0]), line[1] + steps * (line[2] - line[1])])
    return Target(
        name=f"{root} medial branch, on the {bone} transverse process",
        nerve=f"{root} medial branch",
        crosses_bone=Vertebra(bone),
        joint_served="L4-L5",
        level=Segment("L4-L5"),
        side=side,
        position_mm=line[1],
        needed_segment_mm=needed,
        nerve_radius_mm=0.5,
        position_sd_mm=1.2,
        confidence_fraction=0.8,
        segment_definition="from the junction to the notch",
    )


def _trajectory(target: Target, identifier: str) -> Trajectory:
    tip = target.needed_segment_mm[20] + np.array([0.8 * target.side.sign, 0, 0])
    direction = np.array([-0.30 * target.side.sign, -0.72, 0.62])
    direction /= np.linalg.norm(direction)
    length = 72.0
    view = make_view(
        name="working view",
        beam=tuple(-direction),
        centre_mm=tip,
        words=f"detector 20 deg to the patient's {target.side.value}, 40 deg towards the feet",
    )
    clearances = (
        Clearance(
            structure="spinal nerve",
            part="bare_electrode",
            distance_mm=8.4,
            required_mm=5.0,
            status=ClearanceStatus.MET,
            is_hard=True,
        ),
        Clearance(
            structure="thecal sac",
            part="shaft",
            distance_mm=14.0,
            required_mm=3.0,
            status=ClearanceStatus.MET,
            is_hard=True,
        ),
        Clearance(
            structure="periforaminal arteries",
            part="shaft",
            distance_mm=None,
            required_mm=2.0,
            status=ClearanceStatus.UNKNOWN,
            is_hard=True,
            note="not imaged: Doppler / live contrast required",
        ),
    )
    return Trajectory(
        id=identifier,
        target=target.name,
        device=DEVICE,
        entry_mm=tip - length * direction,
        tip_mm=tip,
        length_mm=length,
        cannula_length_mm=100.0,
        view=view,
        clearances=clearances,
        costs={"parallelism": 0.2, "depth": 0.4},
        reasons=("parallel to the nerve within 9 deg", "shortest path with 5 mm to the spinal nerve"),
        rank=1,
        angle_to_nerve_deg=9.0,
        oblique_deg=20.0,
        declined_deg=40.0,
        depth_to_bone_mm=66.0,
    )


def _heat(trajectory: Trajectory) -> RfHeatEffect:
    count, spacing = 51, 0.6
    affine = np.diag([spacing, spacing, spacing, 1.0])
    affine[:3, 3] = trajectory.tip_mm - spacing * (count - 1) / 2
    points = np.indices((count,) * 3).reshape(3, -1).T * spacing + affine[:3, 3]
    back = np.clip((points - trajectory.tip_mm) @ -trajectory.direction, 0, 10.0)
    distance = np.linalg.norm(points - trajectory.tip_mm + back[:, None] * trajectory.direction, axis=1)
    temperature = 37.0 + 45.0 * np.exp(-np.maximum(distance - 0.635, 0) / 2.5)
    field = temperature.reshape((count,) * 3).astype(np.float32)
    return RfHeatEffect(
        isotherms=(
            Isotherm(temperature_degC=45, width_mm=9.2, length_mm=17.0, volume_mm3=690),
            Isotherm(temperature_degC=50, width_mm=6.6, length_mm=14.1, volume_mm3=300),
            Isotherm(temperature_degC=60, width_mm=4.2, length_mm=11.9, volume_mm3=110),
        ),
        captures=(
            Capture(criterion="50_degC", fraction=0.92, is_within_window=True),
            Capture(criterion="60_degC", fraction=0.61, is_within_window=True),
            Capture(criterion="omega_nerve", fraction=0.4, is_within_window=False, note="fit holds at 43-45 C only"),
        ),
        peaks=(
            PeakTemperature(structure="L4 spinal nerve", peak_degC=39.4, caution_degC=42.0, reject_degC=45.0),
            PeakTemperature(
                structure="L3 dorsal root ganglion",
                peak_degC=None,
                caution_degC=42.0,
                reject_degC=45.0,
                note="not in this image",
            ),
        ),
        hottest_tissue_degC=83.0,
        tip_temperature_degC=80.0,
        impedance_initial_ohm=120.0,
        impedance_final_ohm=84.0,
        power_mean_w=3.1,
        power_peak_w=6.0,
        voltage_final_v=17.0,
        history={
            "time_s": (0.0, 10.0, 45.0, 90.0),
            "tip_degC": (37.0, 80.0, 80.0, 80.0),
            "power_w": (0.0, 6.0, 3.2, 2.9),
            "impedance_ohm": (120.0, 100.0, 90.0, 84.0),
        },
        grid_affine_mm=affine,
        peak_temperature_degC=field,
        omega={},
        tissue_origin={"labels": 0.4, "inferred_from_hu": 0.6},
        assumptions=("temperature held at the thermocouple", "perfusion stops as tissue coagulates"),
    )


def _verdict() -> Verdict:
    return Verdict(
        status=VerdictStatus.NEEDS_INFORMATION,
        technique="lumbar_medial_branch_rf",
        profile="two_blocks",
        criteria=(
            Criterion(
                id="pain_duration",
                severity=Severity.REQUIRED,
                profile="all",
                text="Axial pain for at least 12 weeks",
                truth=Truth.TRUE,
                reason="30 weeks recorded",
                sources=("COHEN2020",),
                trace=Trace.SEEN,
            ),
            Criterion(
                id="pregnancy",
                severity=Severity.EXCLUDE_RELATIVE,
                profile="all",
                text="Pregnancy",
                truth=Truth.UNKNOWN,
                reason="nobody has said",
                sources=("MEM",),
                trace=Trace.UNVERIFIED,
                missing=("pregnancy",),
            ),
        ),
        questions=(Question(fact="pregnancy", text="Is the patient pregnant?", why="X-ray"),),
        dissent=(
            Dissent(id="mint", text="A pragmatic trial found no benefit.", sources=("MINT2017",), trace=Trace.SEEN),
        ),
    )


def _care() -> Care:
    return Care(
        procedure_at="2026-12-01T09:00",
        items=(
            CareItem(
                phase=CarePhase.PREPARATION,
                kind=CareKind.MEDICINE,
                text="Apixaban: agree with the prescriber whether to go on",
                reason="stopping carries a risk of its own",
                sources=("ENDRES2017",),
                trace=Trace.SEEN,
                when="before 2026-11-28",
                is_shared_decision=True,
            ),
            CareItem(
                phase=CarePhase.DAY,
                kind=CareKind.STEP,
                text="Time out: two identifiers, side and level",
                reason="wrong-side procedures",
                sources=("OPNOTE_CODE",),
                trace=Trace.SEEN,
            ),
            CareItem(
                phase=CarePhase.AFTERCARE,
                kind=CareKind.CALL,
                text="Call for fever, new weakness or numbness",
                reason="infection and nerve injury are rare but urgent",
                sources=("MEM",),
                trace=Trace.UNVERIFIED,
            ),
        ),
    )


def make_plan(
    case: Case,
    *,
    side: Side = Side.LEFT,
    status: PlanStatus = PlanStatus.CAUTION,
    effect: Effect | None = None,
    has_trajectories: bool = True,
) -> Plan:
    """A plan for both nerves of the L4-L5 joint on the given side."""
    targets = (_target(side, "L3", "L4"), _target(side, "L4", "L5"))
    trajectories = tuple(_trajectory(t, f"t{i}") for i, t in enumerate(targets)) if has_trajectories else ()
    setting = RfSetting(
        temperature_degC=80.0, time_s=90.0, ramp_s=10.0, thermocouple=Thermocouple.POLE, frequency_hz=460e3
    )
    deliveries = tuple(
        Delivery(target=t.target, trajectories=(t.id,), setting=setting, effect=effect or _heat(t))
        for t in trajectories
    )
    centre = targets[0].position_mm
    views = (
        make_view(name="AP", beam=(0, 1, 0), centre_mm=centre, words="detector straight above the patient's back"),
        make_view(name="true lateral", beam=(1, 0, 0), centre_mm=centre, words="detector at the patient's left"),
    )
    return Plan(
        id="20261122T221500-abc123",
        technique="lumbar_medial_branch_rf",
        technique_name="Lumbar medial branch radiofrequency",
        level=Segment("L4-L5"),
        side=side,
        posture=Posture.PRONE,
        case=CaseReference(
            case_uid=case.uid,
            frame_uid=FRAME,
            relative_path="..",
            image_sha256=case.image_sha256,
            labels_sha256=case.labels_sha256,
            patient_position=case.patient_position,
            acquired_on=case.acquired_on,
            patient_id=case.patient_id,
        ),
        verdict=_verdict(),
        targets=targets,
        trajectories=trajectories,
        alternatives=tuple(replace(t, id=f"{t.id}-alt", rank=2, oblique_deg=0.0) for t in trajectories),
        rejected=("entry 40 mm from the midline: the shaft passes the foramen",),
        views=(*(t.view for t in trajectories), *views),
        deliveries=deliveries,
        checks=(
            Check(id="levels", text="Level count", status=CheckStatus.CAUTION, reason="not confirmed by a person"),
            Check(id="reach", text="Cannula is long enough", status=CheckStatus.PASS, reason="28 mm in reserve"),
            *(
                (Check(id="peak", text="Spinal nerve below 45 C", status=CheckStatus.FAIL, reason="peak 51 C"),)
                if status is PlanStatus.REJECTED
                else ()
            ),
        ),
        status=status,
        review=ReviewStatus.UNREVIEWED,
        confirmation=None,
        care=_care(),
        steps=("Square the superior endplate of L4.", "Advance down the beam to bone."),
        stop_rules=("Tip past the posterior border of the foramen on the true lateral: withdraw.",),
        drug_totals=("Lidocaine 2 %: 4 mL = 80 mg of 300 mg",),
        citations=(Citation(key="COHEN2020", title="Consensus practice guidelines", reference="RAPM 2020"),),
        limits=("No respiration or motion is modelled.",),
        provenance=Provenance(
            foramen_version="0.0.0", knowledge_sha256="c" * 64, made_at="2026-11-22T22:15:00", settings={"rank": "1"}
        ),
    )


NOT_MODELLED = NotModelled(reason="no grid could be built here")
