"""The chain from a case to a plan, as functions over data; no science of its own, opens no file."""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib import metadata

from foramen import __version__
from foramen.anatomy.of_case import anatomy_of
from foramen.errors import InputError
from foramen.jobs.blas import with_one_blas_thread
from foramen.knowledge.check import knowledge_sha256
from foramen.knowledge.facts import number
from foramen.knowledge.sources import citation
from foramen.knowledge.technique_facts import TechniqueKnowledge, technique_knowledge
from foramen.model.anatomy import Anatomy
from foramen.model.care import Care
from foramen.model.case import Case
from foramen.model.evidence import Citation, Provenance
from foramen.model.levels import Level, Side, parse_level
from foramen.model.plan import (
    CaseReference,
    Check,
    Confirmation,
    Delivery,
    Plan,
    ReviewStatus,
    RfHeatEffect,
    RfSetting,
    Target,
    View,
)
from foramen.model.record import UNKNOWN, ClinicalRecord
from foramen.model.technique import Technique
from foramen.model.verdict import Verdict
from foramen.planning.basis import is_patient_specific, limits_of_basis
from foramen.planning.checks import PlanLimits, check_plan, plan_status
from foramen.planning.confirmed_findings import with_confirmed_findings
from foramen.planning.current_record import current_record
from foramen.planning.drug_totals import lidocaine_total
from foramen.planning.paths import PlannedPaths, deliver, find_paths
from foramen.planning.robust import prepare, robustness, with_robustness
from foramen.planning.settings import choose_cannula, choose_setting
from foramen.steps.candidacy import assess
from foramen.steps.care import plan_care
from foramen.techniques import technique as technique_of

ReportProgress = Callable[[str, float], None]

LIMITS = (
    "Research use, not a medical device. A plan is a proposal to a physician, who decides.",
    "Vessels that no label shows (radicular, periforaminal, segmental arteries) are UNKNOWN, never clear.",
    "Geometric capture under the stated model is not pain relief.",
    "The heat model leaves out: blood vessels below the size of a label, the return pad's place, fluid injected "
    "before the lesion, boiling, electrode motion, and differences between people in tissue properties.",
    "Nerves are not seen: their courses are carried over from a reference spine with the stated uncertainty.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRequest:
    """What is asked of the planner."""

    technique: str
    level: str
    side: Side
    procedure_at: datetime
    profile: str = "society"
    is_sedated: bool | None = None
    device: str | None = None
    temperature_degC: float | None = None
    time_s: float | None = None
    lesions: int | None = None
    image_age_max_months: float | None = None
    confirmation: Confirmation | None = None
    robust_seed: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Planned:
    """A plan, the anatomy that it was made on, and the seconds that each stage took."""

    plan: Plan
    anatomy: Anatomy
    stage_seconds: dict[str, float]


@dataclass(slots=True)
class Clock:
    """Times the stages of one run and passes progress on."""

    progress: ReportProgress
    seconds: dict[str, float] = field(default_factory=dict)
    _started: float = field(default_factory=time.perf_counter)

    def stage(self, name: str, fraction: float) -> None:
        """Begin a stage; the one before it ends."""
        now = time.perf_counter()
        if self.seconds:
            last = next(reversed(self.seconds))
            self.seconds[last] = now - self._started
        self._started = now
        self.seconds[name] = 0.0
        self.progress(name, fraction)

    def stop(self) -> dict[str, float]:
        """Seconds by stage."""
        self.stage("done", 1.0)
        del self.seconds["done"]
        return self.seconds


def assess_case(case: Case, *, technique: str, level: str, side: Side, profile: str, on: datetime) -> Verdict:
    """Candidacy of the case's record for a technique at a level and side; no anatomy is needed."""
    chosen = technique_of(technique)
    typed = parse_level(level, kind=chosen.level_kind)
    return _candidacy(case, chosen, typed, side, profile=profile, on=on)


def _current(case: Case, on: datetime) -> ClinicalRecord:
    return current_record(case.record, on=on.date(), list_valid_months=number("planning.list_valid_months"))


def _at_level(case: Case, level: Level, on: datetime) -> ClinicalRecord:
    return with_confirmed_findings(_current(case, on), str(level))


def _candidacy(case: Case, technique: Technique, level: Level, side: Side, *, profile: str, on: datetime) -> Verdict:
    return assess(
        _at_level(case, level, on),
        technique=technique.id,
        level=level,
        side=side,
        nerves=technique.treated_nerves(level),
        profile=profile,
        on=on.date(),
    )


NOMINAL_SHARE = 0.3
"""Part of the progress that belongs to the plan itself where its robustness is asked for too."""


def plan_case(
    case: Case, request: PlanRequest, *, anatomy: Anatomy | None = None, progress: ReportProgress = lambda _s, _f: None
) -> Planned:
    """A checked plan for one technique, level and side of a case.

    Parameters
    ----------
    case : Case
        Image, labels and record.
    request : PlanRequest
        Technique, level, side, date and the settings that depart from the technique's own.
    anatomy : Anatomy, optional
        Anatomy that is already known (and perhaps corrected by a person); else it is built from the scan.
    progress : callable
        Told each stage's name and the fraction done.

    Raises
    ------
    InputError
        If level, side, image or request cannot be used. A plan that breaks a hard limit is returned with
        the status rejected and its reasons, not raised.
    """
    seed = request.robust_seed
    if seed is None:
        return _plan_case(case, request, anatomy, progress=progress)
    _require_seed(seed)
    planned = _plan_case(case, request, anatomy, progress=lambda stage, done: progress(stage, NOMINAL_SHARE * done))
    if not any(isinstance(delivery.effect, RfHeatEffect) for delivery in planned.plan.deliveries):
        return planned
    return add_robustness(
        planned,
        case,
        seed=seed,
        progress=lambda stage, done: progress(stage, NOMINAL_SHARE + (1 - NOMINAL_SHARE) * done),
    )


@with_one_blas_thread
def _plan_case(case: Case, request: PlanRequest, anatomy: Anatomy | None, *, progress: ReportProgress) -> Planned:
    """The plan on the nominal anatomy, needle and tissue."""
    clock = Clock(progress=progress)
    technique = technique_of(request.technique)
    knowledge = technique_knowledge(technique.id)
    level = parse_level(request.level, kind=technique.level_kind)
    device = choose_cannula(knowledge, device_id=request.device)
    setting = choose_setting(
        knowledge,
        device,
        temperature_degC=request.temperature_degC,
        time_s=request.time_s,
        lesions=request.lesions,
    )
    clock.stage("anatomy", 0.02)
    if anatomy is None:
        anatomy = anatomy_of(case)
    for vertebra in technique.needs_vertebrae(level):
        anatomy.vertebra(vertebra)
    clock.stage("candidacy", 0.25)
    verdict = _candidacy(case, technique, level, request.side, profile=request.profile, on=request.procedure_at)
    targets = technique.find_targets(anatomy, level, request.side)
    clock.stage("paths", 0.28)
    paths = find_paths(case, anatomy, targets, device, technique=technique, lesions=setting.lesions)
    clock.stage("heat", 0.35)
    deliveries = deliver(
        case,
        anatomy,
        targets,
        paths,
        setting,
        technique=technique,
        progress=lambda done: progress("heat", 0.35 + 0.6 * done),
    )
    clock.stage("care and checks", 0.95)
    care = plan_care(
        _current(case, request.procedure_at),
        technique=technique.id,
        procedure_at=request.procedure_at,
        is_sedated=UNKNOWN if request.is_sedated is None else request.is_sedated,
    )
    checks = (
        *check_plan(
            case=case,
            anatomy=anatomy,
            verdict=verdict,
            posture=technique.posture,
            targets=targets,
            trajectories=paths.chosen,
            deliveries=deliveries,
            on=request.procedure_at.date(),
            limits=_limits(knowledge, request),
        ),
        *paths.failures,
    )
    plan = _assemble(
        case,
        request,
        _Parts(
            technique=technique,
            knowledge=knowledge,
            level=level,
            anatomy=anatomy,
            verdict=verdict,
            targets=targets,
            paths=paths,
            deliveries=deliveries,
            checks=checks,
            care=care,
            setting=setting,
        ),
    )
    return Planned(plan=plan, anatomy=anatomy, stage_seconds=clock.stop())


def add_robustness(
    planned: Planned, case: Case, *, seed: int, progress: ReportProgress = lambda _s, _f: None
) -> Planned:
    """A plan with its robustness: probabilities over what is not known exactly, and the check that follows.

    Raises
    ------
    InputError
        If the plan has no heat effect, or the seed is negative.
    """
    _require_seed(seed)
    clock = Clock(progress=progress)
    clock.stage("reduced model", 0.0)
    prepared = prepare(planned.plan, case, planned.anatomy, progress=lambda done: progress("reduced model", 0.8 * done))
    clock.stage("scenarios", 0.8)
    plan = with_robustness(planned.plan, robustness(prepared, seed=seed))
    return Planned(plan=plan, anatomy=planned.anatomy, stage_seconds=planned.stage_seconds | clock.stop())


def _require_seed(seed: int) -> None:
    if seed < 0:
        raise InputError(f"The seed of the scenarios is {seed}; give 0 or more.")


def _limits(knowledge: TechniqueKnowledge, request: PlanRequest) -> PlanLimits:
    months = knowledge.number("image_age_max_months")
    asked = request.image_age_max_months
    if asked is not None and not (math.isfinite(asked) and asked > 0):
        raise InputError(f"A limit of {asked:g} months for the scan's age is not usable: give a positive number.")
    return PlanLimits(
        image_age_max_months=months if request.image_age_max_months is None else request.image_age_max_months,
        hottest_tissue_caution_degC=knowledge.number("tissue_alarm_degC"),
        capture_min_fraction=knowledge.number("capture_caution_fraction"),
        landmark_confidence_min_fraction=number("planning.landmark_confidence_min_fraction"),
        target_sd_caution_mm=number("planning.target_sd_caution_mm"),
        target_sd_reject_mm=number("planning.target_sd_reject_mm"),
        tip_dense_hu=number("planning.tip_dense_hu"),
        tip_dense_max_fraction=number("planning.tip_dense_max_fraction"),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Parts:
    """Everything that a plan is put together from."""

    technique: Technique
    knowledge: TechniqueKnowledge
    level: Level
    anatomy: Anatomy
    verdict: Verdict
    targets: tuple[Target, ...]
    paths: PlannedPaths
    deliveries: tuple[Delivery, ...]
    checks: tuple[Check, ...]
    care: Care
    setting: RfSetting


def _assemble(case: Case, request: PlanRequest, parts: _Parts) -> Plan:
    """The plan with identity, citations and provenance."""
    knowledge = parts.knowledge
    made_at = datetime.now(UTC)
    confirmation = request.confirmation
    is_reviewed = confirmation is not None and confirmation.is_full
    return Plan(
        id=plan_id(case, request, made_at=made_at),
        technique=parts.technique.id,
        technique_name=parts.technique.name,
        level=parts.level,
        side=request.side,
        posture=parts.technique.posture,
        case=CaseReference(
            case_uid=case.uid,
            frame_uid=case.image.geometry.frame_uid,
            relative_path="",
            image_sha256=case.image_sha256,
            labels_sha256=case.labels_sha256,
            patient_position=case.patient_position,
            acquired_on=case.acquired_on,
            patient_id=case.patient_id,
            modality=case.image.modality,
            sequence=case.image.sequence,
            is_patient_specific=is_patient_specific(case, parts.anatomy),
        ),
        verdict=parts.verdict,
        targets=parts.targets,
        trajectories=parts.paths.chosen,
        alternatives=parts.paths.alternatives,
        rejected=parts.paths.rejected,
        views=_views(parts),
        deliveries=parts.deliveries,
        checks=parts.checks,
        status=plan_status(parts.checks),
        review=ReviewStatus.REVIEWED if is_reviewed else ReviewStatus.UNREVIEWED,
        confirmation=confirmation,
        care=parts.care,
        steps=tuple(step.text for step in knowledge.steps),
        stop_rules=tuple(f"{knowledge.condition(rule).rstrip('.')}: {rule.action}" for rule in knowledge.stop_rules),
        drug_totals=(lidocaine_total(knowledge, nerves=len(parts.targets), record=case.record),),
        citations=_citations(parts),
        limits=(*limits_of_basis(case, parts.anatomy), *LIMITS),
        provenance=_provenance(case, request, parts, made_at=made_at),
    )


def _views(parts: _Parts) -> tuple[View, ...]:
    """C-arm views of each target, along its first path where there is one."""
    found: list[View] = []
    for target in parts.targets:
        first = parts.paths.by_target.get(target.name)
        needle = first[0].direction if first else None
        found += parts.technique.plan_views(parts.anatomy, target, needle)
    return tuple(found)


def plan_id(case: Case, request: PlanRequest, *, made_at: datetime) -> str:
    """Identifier of a plan that sorts by time: moment, level, side and a digest of case and request."""
    digest = hashlib.sha256(f"{case.uid} {request}".encode()).hexdigest()[:6]
    return f"{made_at:%Y%m%dT%H%M%SZ}-{request.level.strip().upper().replace('/', '-')}-{request.side.value}-{digest}"


def _citations(parts: _Parts) -> tuple[Citation, ...]:
    """Every source that the plan leans on, each once, in alphabetical order of its key."""
    keys: set[str] = set()
    groups: tuple[Iterable[tuple[str, ...]], ...] = (
        (criterion.sources for criterion in parts.verdict.criteria),
        (dissent.sources for dissent in parts.verdict.dissent),
        (item.sources for item in parts.care.items),
        (trajectory.device.sources for trajectory in parts.paths.chosen),
        (fact.sources for fact in parts.knowledge.facts.values()),
        (statement.sources for statement in parts.knowledge.evidence),
        (rule.sources for rule in parts.knowledge.stop_rules),
        (step.sources for step in parts.knowledge.steps),
    )
    for group in groups:
        for sources in group:
            keys.update(sources)
    return tuple(citation(key) for key in sorted(keys))


def record_sha256(record: ClinicalRecord) -> str:
    """Digest of a record's content; the order in which a set happens to be stored does not matter."""

    def plain(value: object) -> object:
        return sorted(value) if isinstance(value, frozenset) else str(value)

    return hashlib.sha256(json.dumps(asdict(record), default=plain, sort_keys=True).encode()).hexdigest()


PACKAGES_THAT_MATTER = ("numpy", "scipy", "numba", "SimpleITK", "nibabel", "scikit-image", "edt")
"""Libraries whose version can change a number of a plan."""


def _provenance(case: Case, request: PlanRequest, parts: _Parts, *, made_at: datetime) -> Provenance:
    settings = {
        name: str(getattr(request, name))
        for name in request.__dataclass_fields__
        if name != "confirmation" and getattr(request, name) is not None
    }
    return Provenance(
        foramen_version=__version__,
        knowledge_sha256=knowledge_sha256(),
        made_at=made_at.isoformat(timespec="seconds"),
        image_sha256=case.image_sha256,
        labels_sha256=case.labels_sha256,
        record_sha256=record_sha256(case.record),
        settings=settings,
        packages={name: metadata.version(name) for name in PACKAGES_THAT_MATTER},
        facts_used=tuple(sorted(parts.knowledge.facts)),
    )
