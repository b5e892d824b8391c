"""The plan: targets, trajectories, settings, effects, checks, care, and how it was made."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

import numpy as np

from foramen.errors import InputError
from foramen.model.care import Care
from foramen.model.device import RfCannula, Thermocouple
from foramen.model.evidence import Citation, Provenance
from foramen.model.levels import Level, Side, Vertebra
from foramen.model.robust import RobustEffect
from foramen.model.space import FloatArray, Modality, MrSequence, PatientPosition
from foramen.model.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Target:
    """Where a technique must act, in words and in space.

    Parameters
    ----------
    name : str
        In words: "L3 medial branch, on the L4 transverse process".
    nerve : str
        Name of the nerve.
    crosses_bone : Vertebra
        Bone on which the nerve is met.
    joint_served : str
        Joint that it supplies, such as L4-L5.
    level : Level
        The level asked for.
    position_mm : ndarray, shape (3,)
        Centre of the needed part of the nerve, LPS.
    needed_segment_mm : ndarray, shape (n, 3)
        The part of the nerve's centreline that must be captured, at <= 0.2 mm steps.
    nerve_radius_mm, position_sd_mm : float
        Radius of the nerve and standard uncertainty of its position.
    segment_definition : str
        Which part of the nerve is needed, in words.
    landmarks_mm : dict
        Positions (LPS) of the landmarks that the target rests on, by name.
    """

    name: str
    nerve: str
    crosses_bone: Vertebra
    joint_served: str
    level: Level
    side: Side
    position_mm: FloatArray
    needed_segment_mm: FloatArray
    nerve_radius_mm: float
    position_sd_mm: float
    confidence_fraction: float
    segment_definition: str
    landmarks_mm: dict[str, tuple[float, float, float]] = field(default_factory=dict)


class Posture(StrEnum):
    """Posture of the patient during the procedure."""

    PRONE = "prone"
    SUPINE = "supine"
    LEFT_LATERAL = "left_lateral"
    RIGHT_LATERAL = "right_lateral"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class View:
    """A C-arm view; its truth is the unit beam vector from source to detector in LPS.

    `words`, `primary_angle_deg` / `secondary_angle_deg` (DICOM 0018,1510 / 0018,1511) and
    `console_dial` are derived from it for `posture` and the side of the C-arm.
    """

    name: str
    purpose: str
    beam: FloatArray
    up: FloatArray
    centre_mm: FloatArray
    words: str
    primary_angle_deg: float
    secondary_angle_deg: float
    console_dial: str
    posture: Posture
    must_show: tuple[str, ...]

    def __post_init__(self) -> None:
        if abs(float(np.linalg.norm(self.beam)) - 1) > 1e-6:
            raise InputError("The beam of a C-arm view must be a unit vector.")


class ClearanceStatus(StrEnum):
    """Outcome of one clearance."""

    MET = "met"
    VIOLATED = "violated"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clearance:
    """Distance from the swept needle to a structure, against what is required.

    `distance_mm` is None where the structure is not shown: the status is then UNKNOWN, never met.
    `part` says which part of the device was measured (whole shaft or bare electrode).
    """

    structure: str
    part: Literal["shaft", "bare_electrode", "tip"]
    distance_mm: float | None
    required_mm: float
    status: ClearanceStatus
    is_hard: bool
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trajectory:
    """A straight path from skin to tip."""

    id: str
    target: str
    device: RfCannula
    entry_mm: FloatArray
    tip_mm: FloatArray
    length_mm: float
    cannula_length_mm: float
    view: View
    clearances: tuple[Clearance, ...]
    costs: dict[str, float]
    reasons: tuple[str, ...]
    rank: int
    angle_to_nerve_deg: float
    oblique_deg: float
    declined_deg: float
    depth_to_bone_mm: float

    def __post_init__(self) -> None:
        if self.length_mm > self.cannula_length_mm:
            raise InputError(
                f"Trajectory is {self.length_mm:.1f} mm but the cannula is {self.cannula_length_mm:.1f} mm long. "
                "Choose a longer cannula or a nearer entry."
            )

    @property
    def direction(self) -> FloatArray:
        """Unit vector from entry to tip."""
        vector = self.tip_mm - self.entry_mm
        unit: FloatArray = vector / np.linalg.norm(vector)
        return unit


@dataclass(frozen=True, slots=True, kw_only=True)
class RfSetting:
    """Settings of a temperature-held radiofrequency lesion."""

    temperature_degC: float
    time_s: float
    ramp_s: float
    thermocouple: Thermocouple
    frequency_hz: float
    lesions: int = 1
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """Fraction of the needed nerve segment whose whole cross-section lies in the lesion."""

    criterion: str  # "50_degC", "60_degC", "omega_<set>"
    fraction: float
    is_within_window: bool
    note: str = ""
    still_csf_fraction: float | None = None  # with still cerebrospinal fluid, where it warms; the smaller one counts
    held_csf_fraction: float | None = None  # with fluid held at body temperature


@dataclass(frozen=True, slots=True, kw_only=True)
class PeakTemperature:
    """Highest temperature at a structure, against its limits; None where it is not shown."""

    structure: str
    peak_degC: float | None
    caution_degC: float | None
    reject_degC: float | None
    note: str = ""
    still_csf_degC: float | None = None  # with still cerebrospinal fluid, where it warms; the higher one counts
    held_csf_degC: float | None = None  # with fluid held at body temperature


@dataclass(frozen=True, slots=True, kw_only=True)
class Isotherm:
    """Extent of one isotherm (maximum over time)."""

    temperature_degC: float
    width_mm: float
    length_mm: float
    volume_mm3: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RfHeatEffect:
    """Predicted effect of one or several composed heat lesions on one target.

    Grids are in LPS of the plan's frame; `peak_temperature_degC` (float32, axes i, j, k) is the
    maximum over time and over the composed lesions on `grid_affine_mm`.
    """

    kind: Literal["rf_heat"] = "rf_heat"
    isotherms: tuple[Isotherm, ...]
    captures: tuple[Capture, ...]
    peaks: tuple[PeakTemperature, ...]
    hottest_tissue_degC: float  # near-maximum: what the hottest volume that counts reaches or exceeds
    tip_temperature_degC: float
    impedance_initial_ohm: float
    impedance_final_ohm: float
    power_mean_w: float
    power_peak_w: float
    voltage_final_v: float
    history: dict[str, tuple[float, ...]]  # time_s, tip_degC, power_w, impedance_ohm
    grid_affine_mm: FloatArray
    peak_temperature_degC: np.ndarray[tuple[int, int, int], np.dtype[np.float32]]
    omega: dict[str, np.ndarray[tuple[int, int, int], np.dtype[np.float32]]]
    tissue_origin: dict[str, float]  # fraction of the heated volume by origin of its tissue class
    assumptions: tuple[str, ...]

    @property
    def tightest_capture(self) -> Capture:
        """The capture that decides: the smallest of those that are within their window."""
        return min((c for c in self.captures if c.is_within_window), key=lambda c: c.fraction)


@dataclass(frozen=True, slots=True, kw_only=True)
class NotModelled:
    """No model exists for this effect; no number is given."""

    kind: Literal["not_modelled"] = "not_modelled"
    reason: str


Effect = RfHeatEffect | NotModelled


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Delivery:
    """One thing done: setting through one or more trajectories, and the predicted effect."""

    target: str
    trajectories: tuple[str, ...]
    setting: RfSetting
    effect: Effect


class CheckStatus(StrEnum):
    """Outcome of one check of the plan."""

    PASS = "pass"
    CAUTION = "caution"
    FAIL = "fail"


HEAT_CHECK = "heat at "
"""Start of the id of a check that compares a structure's temperature with its limits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check of the plan: what was tested, the outcome and why."""

    id: str
    text: str
    status: CheckStatus
    reason: str
    sources: tuple[str, ...] = ()


class PlanStatus(StrEnum):
    """What the checks allow."""

    REJECTED = "rejected"
    CAUTION = "caution"
    ACCEPTABLE = "acceptable"


class ReviewStatus(StrEnum):
    """Whether a named person has confirmed levels, side and landmarks."""

    UNREVIEWED = "unreviewed"
    REVIEWED = "reviewed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """What a named person confirmed, and when."""

    by: str
    at: str
    levels: str  # how the levels were counted; empty if not confirmed
    side: bool
    landmarks: bool

    @property
    def is_full(self) -> bool:
        """Whether level count, side and landmarks are all confirmed by a named person."""
        return bool(self.by and self.levels and self.side and self.landmarks)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseReference:
    """Which case a plan belongs to, and what its image is.

    `is_patient_specific` is False where image or anatomy are not this patient's.
    """

    case_uid: str
    frame_uid: str
    relative_path: str
    image_sha256: str
    labels_sha256: str
    patient_position: PatientPosition
    acquired_on: str
    patient_id: str = ""
    modality: Modality = Modality.CT
    sequence: MrSequence = MrSequence.UNKNOWN
    is_patient_specific: bool = True

    @property
    def may_be_acceptable(self) -> bool:
        """Whether a plan on this image can be more than a caution: only on a CT of the patient."""
        return self.modality is Modality.CT and self.is_patient_specific


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plan:
    """One procedure for one patient, with its reasons."""

    id: str
    technique: str
    technique_name: str
    level: Level
    side: Side
    posture: Posture
    case: CaseReference
    verdict: Verdict
    targets: tuple[Target, ...]
    trajectories: tuple[Trajectory, ...]
    alternatives: tuple[Trajectory, ...]
    rejected: tuple[str, ...]
    views: tuple[View, ...]
    deliveries: tuple[Delivery, ...]
    checks: tuple[Check, ...]
    status: PlanStatus
    review: ReviewStatus
    confirmation: Confirmation | None
    care: Care
    steps: tuple[str, ...]
    stop_rules: tuple[str, ...]
    drug_totals: tuple[str, ...]
    citations: tuple[Citation, ...]
    limits: tuple[str, ...]
    provenance: Provenance
    robust: RobustEffect | None = None

    def __post_init__(self) -> None:
        if self.status is PlanStatus.ACCEPTABLE and not self.case.may_be_acceptable:
            basis = self.case.modality if self.case.is_patient_specific else "a body that is not the patient's"
            raise InputError(f"A plan on {basis} is at best a caution, never acceptable. Make the plan again.")

    def trajectory(self, trajectory_id: str) -> Trajectory:
        """The chosen trajectory of that id."""
        return next(t for t in self.trajectories if t.id == trajectory_id)
