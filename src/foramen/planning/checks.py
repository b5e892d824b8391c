"""Every check of a plan, and the status they lead to.

A check that cannot be made because something is not known is a caution, never a pass; a hard limit
that is broken rejects the plan.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from scipy.ndimage import map_coordinates

from foramen.knowledge.facts import number
from foramen.model.anatomy import Anatomy
from foramen.model.case import Case
from foramen.model.plan import (
    HEAT_CHECK,
    Check,
    CheckStatus,
    ClearanceStatus,
    Delivery,
    PeakTemperature,
    PlanStatus,
    Posture,
    RfHeatEffect,
    Target,
    Trajectory,
)
from foramen.model.space import Modality, PatientPosition, Volume
from foramen.model.verdict import Criterion, Severity, Truth, Verdict, VerdictStatus
from foramen.planning.basis import check_basis, is_patient_specific
from foramen.planning.generic import of_the_body

_SCAN_POSTURE = {
    PatientPosition.HFS: Posture.SUPINE,
    PatientPosition.FFS: Posture.SUPINE,
    PatientPosition.HFP: Posture.PRONE,
    PatientPosition.FFP: Posture.PRONE,
    PatientPosition.HFDL: Posture.LEFT_LATERAL,
    PatientPosition.FFDL: Posture.LEFT_LATERAL,
    PatientPosition.HFDR: Posture.RIGHT_LATERAL,
    PatientPosition.FFDR: Posture.RIGHT_LATERAL,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanLimits:
    """Limits that the checks compare with; the caller fills them from knowledge or the site.

    Parameters
    ----------
    image_age_max_months : float
        Oldest scan that may be planned on.
    hottest_tissue_caution_degC : float
        Tissue temperature above which an alarm is raised whatever the display says.
    capture_min_fraction : float
        Part of the needed nerve segment that the tightest criterion should reach.
    landmark_confidence_min_fraction : float
        Confidence below which a target is flagged.
    target_sd_caution_mm, target_sd_reject_mm : float
        Standard uncertainty of a target's place above which it is flagged, and above which the plan fails.
    tip_dense_hu, tip_dense_max_fraction : float
        Density from which the CT shows bone along the bare tip, and the part of the tip that may lie in it.
    """

    image_age_max_months: float
    hottest_tissue_caution_degC: float
    capture_min_fraction: float
    landmark_confidence_min_fraction: float
    target_sd_caution_mm: float
    target_sd_reject_mm: float
    tip_dense_hu: float
    tip_dense_max_fraction: float


def check_candidacy(verdict: Verdict) -> Check:
    """Whether candidacy allows the procedure."""
    status = {
        VerdictStatus.ACCEPTABLE: CheckStatus.PASS,
        VerdictStatus.NEEDS_INFORMATION: CheckStatus.CAUTION,
        VerdictStatus.NOT_ACCEPTABLE: CheckStatus.FAIL,
    }[verdict.status]
    if verdict.status is VerdictStatus.NEEDS_INFORMATION:
        reason = f"{len(verdict.questions)} questions are open; the first: {verdict.questions[0].text}"
    elif verdict.status is VerdictStatus.NOT_ACCEPTABLE:
        reason = "; ".join(c.reason for c in _decisive(verdict)) or "A criterion rules it out."
    else:
        reason = f"All required criteria of the profile {verdict.profile!r} are met."
    return Check(id="candidacy", text="May this patient have it?", status=status, reason=reason)


def _decisive(verdict: Verdict) -> list[Criterion]:
    stops = {Severity.RED_FLAG, Severity.EXCLUDE_ABSOLUTE}
    return [
        c
        for c in verdict.criteria
        if (c.severity in stops and c.truth is Truth.TRUE)
        or (c.severity is Severity.REQUIRED and c.truth is Truth.FALSE)
    ]


def check_warnings(verdict: Verdict) -> Check:
    """Whether a warning holds (metal, pacemaker, relative contraindication ...) or was never asked about."""
    warns = [c for c in verdict.criteria if c.severity in (Severity.WARN, Severity.EXCLUDE_RELATIVE)]
    present = [f"{c.text}: yes. {c.action}".rstrip() for c in warns if c.truth is Truth.TRUE]
    open_ones = [f"{c.text}: not answered. {c.action}".rstrip() for c in warns if c.truth is Truth.UNKNOWN]
    return Check(
        id="warnings",
        text="Warnings and open questions",
        status=CheckStatus.CAUTION if present or open_ones else CheckStatus.PASS,
        reason=" ".join(present + open_ones) or f"None of {len(warns)} holds.",
    )


def check_levels(anatomy: Anatomy) -> Check:
    """Whether the level count can be trusted."""
    count = anatomy.level_count
    status = CheckStatus.CAUTION if count.is_ambiguous else CheckStatus.PASS
    return Check(id="level_count", text="Level count", status=status, reason=f"{count.method}: {count.reason}")


def check_posture(position: PatientPosition, posture: Posture) -> Check:
    """Whether scan and procedure have the same posture; skin and viscera move between them."""
    text = "Posture of scan and procedure"
    scan = _SCAN_POSTURE.get(position)
    if scan is None:
        return Check(
            id="posture",
            text=text,
            status=CheckStatus.CAUTION,
            reason="The posture of the scan is UNKNOWN. Import again with --patient-position.",
        )
    if scan is not posture:
        return Check(
            id="posture",
            text=text,
            status=CheckStatus.CAUTION,
            reason=f"Scanned {scan.value}, treated {posture.value}: skin entry and viscera shift; bone landmarks hold.",
        )
    return Check(id="posture", text=text, status=CheckStatus.PASS, reason=f"Both {posture.value}.")


def check_scan_age(acquired_on: str, on: date, *, limit_months: float) -> Check:
    """Whether the scan is recent enough; an unknown date is a caution, never a pass."""
    text = "Age of the scan"
    if not acquired_on:
        return Check(
            id="scan_age",
            text=text,
            status=CheckStatus.CAUTION,
            reason=f"The date of the scan is UNKNOWN (site limit {limit_months:g} months).",
        )
    acquired = date.fromisoformat(acquired_on)
    months = (on.year - acquired.year) * 12 + on.month - acquired.month - (on.day < acquired.day)
    if acquired > on:
        return Check(
            id="scan_age",
            text=text,
            status=CheckStatus.FAIL,
            reason=f"The scan is dated {acquired_on}, after the procedure on {on}. Check both dates.",
        )
    if months > limit_months:
        return Check(
            id="scan_age",
            text=text,
            status=CheckStatus.FAIL,
            reason=f"The scan is {months} months old; the site limit is {limit_months:g}. Use a newer scan, "
            "or change the limit with --scan-age-limit-months and say why.",
        )
    return Check(
        id="scan_age", text=text, status=CheckStatus.PASS, reason=f"{months} months (site limit {limit_months:g})."
    )


def check_target(target: Target, *, limits: PlanLimits) -> Check:
    """Whether the target's place is certain enough."""
    sd_mm = target.position_sd_mm
    status = CheckStatus.PASS
    is_weak = target.confidence_fraction < limits.landmark_confidence_min_fraction
    if is_weak or not sd_mm <= limits.target_sd_caution_mm:
        status = CheckStatus.CAUTION
    if not sd_mm <= limits.target_sd_reject_mm:
        status = CheckStatus.FAIL
    return Check(
        id=f"target: {target.name}",
        text=f"Place of the {target.name}",
        status=status,
        reason=f"Standard uncertainty {sd_mm:.1f} mm (caution above {limits.target_sd_caution_mm:g}, failed above "
        f"{limits.target_sd_reject_mm:g} mm), confidence {target.confidence_fraction:.2f} (flagged below "
        f"{limits.landmark_confidence_min_fraction:.2f}).",
    )


def check_clearances(trajectory: Trajectory) -> Check:
    """Whether a path keeps its distances to every structure that the scan shows."""
    violated = [c for c in trajectory.clearances if c.status is ClearanceStatus.VIOLATED]
    hard = [c for c in violated if c.is_hard]
    if violated:
        status = CheckStatus.FAIL if hard else CheckStatus.CAUTION
        reason = "; ".join(
            f"{c.structure}: {c.distance_mm:.1f} mm to the {c.part.replace('_', ' ')}, {c.required_mm:g} mm required"
            for c in (hard or violated)
            if c.distance_mm is not None
        )
    else:
        status = CheckStatus.PASS
        shown = [c for c in trajectory.clearances if c.status is ClearanceStatus.MET]
        reason = f"{len(shown)} clearances to structures that the scan shows are met."
    return Check(id=f"clearance: {trajectory.id}", text=f"Path {trajectory.id}", status=status, reason=reason)


def check_tip_density(trajectory: Trajectory, image: Volume, *, dense_hu: float, max_fraction: float) -> Check:
    """Whether the bare tip would lie in bone that the CT shows, labelled or not."""
    along = np.linspace(0.0, trajectory.device.active_tip_mm, 1 + round(4 * trajectory.device.active_tip_mm))
    points = trajectory.tip_mm - along[:, None] * trajectory.direction
    values = map_coordinates(image.values, image.geometry.index(points).T, order=1, mode="nearest")
    fraction = float(np.mean(values > dense_hu))
    found = f"{100 * fraction:.0f} % of the bare tip lies above {dense_hu:.0f} HU (at most {100 * max_fraction:.0f} %)."
    return Check(
        id=f"tip density: {trajectory.id}",
        text=f"Bare tip beside the bone, path {trajectory.id}",
        status=CheckStatus.PASS if fraction <= max_fraction else CheckStatus.CAUTION,
        reason=found
        if fraction <= max_fraction
        else f"{found} The label map may leave out bone there: the tip may not reach this place. Look at the cuts.",
    )


def _check_tips(image: Volume, trajectories: Sequence[Trajectory], limits: PlanLimits) -> list[Check]:
    """The density along every bare tip; one caution for all of them on an MR, which tells none."""
    if image.modality is not Modality.CT:
        reason = "UNKNOWN: an MR shows no bone that the label map leaves out, so a tip may lie in it. Look at the cuts."
        return [Check(id="tip density", text="Bare tips beside the bone", status=CheckStatus.CAUTION, reason=reason)]
    return [
        check_tip_density(t, image, dense_hu=limits.tip_dense_hu, max_fraction=limits.tip_dense_max_fraction)
        for t in trajectories
    ]


def check_unknown_structures(trajectories: Sequence[Trajectory]) -> tuple[Check, ...]:
    """One caution that names every structure that no path can be cleared of; empty if the scan shows them all."""
    unknown = {
        c.structure.replace("_", " ")
        for trajectory in trajectories
        for c in trajectory.clearances
        if c.status is ClearanceStatus.UNKNOWN
    }
    if not unknown:
        return ()
    reason = f"UNKNOWN, not clear: {', '.join(sorted(unknown))}."
    return (
        Check(id="not shown", text="Structures that the scan does not show", status=CheckStatus.CAUTION, reason=reason),
    )


def boils(effect: RfHeatEffect) -> bool:
    """Whether the hottest tissue reaches the temperature at which water begins to boil in the model."""
    return effect.hottest_tissue_degC >= number("tissues.boiling_from_degC")


def check_effect(delivery: Delivery, *, limits: PlanLimits) -> tuple[Check, ...]:
    """Capture of the nerve, temperature at each neighbour, and the hottest tissue."""
    effect = delivery.effect
    if not isinstance(effect, RfHeatEffect):
        return (
            Check(
                id=f"effect: {delivery.target}",
                text=f"Effect on the {delivery.target}",
                status=CheckStatus.CAUTION,
                reason=f"Not modelled: {effect.reason}",
            ),
        )
    tightest = effect.tightest_capture
    is_boiling = boils(effect)
    captured = tightest.fraction >= limits.capture_min_fraction and not is_boiling
    checks = [
        Check(
            id=f"capture: {delivery.target}",
            text=f"Nerve inside the lesion: {delivery.target}",
            status=CheckStatus.PASS if captured else CheckStatus.CAUTION,
            reason=", ".join(
                f"{100 * c.fraction:.0f} % by {c.criterion.replace('_', ' ')}"
                + ("" if c.is_within_window else " (outside its validated window, not counted)")
                for c in effect.captures
            )
            + f"; the tightest decides, {100 * limits.capture_min_fraction:.0f} % wanted, on the nominal course."
            + (
                " Not counted: tissue boils in the model, and how a real lesion goes on from there is uncertain."
                * is_boiling
            ),
        )
    ]
    checks.extend(_check_peak(peak, delivery.target) for peak in effect.peaks if _has_limit(peak))
    hot, volume_mm3 = effect.hottest_tissue_degC, number("tissues.hottest_volume_mm3")
    checks.append(
        Check(
            id=f"hottest tissue: {delivery.target}",
            text=f"Hottest tissue: {delivery.target}",
            status=CheckStatus.CAUTION if hot > limits.hottest_tissue_caution_degC else CheckStatus.PASS,
            reason=f"{volume_mm3:g} mm3 reaches {hot:.0f} degC while the display says "
            f"{effect.tip_temperature_degC:.0f} degC (alarm above {limits.hottest_tissue_caution_degC:.0f} degC)."
            + (" Tissue boils there: steam and a rising impedance are likely." if is_boiling else ""),
        )
    )
    return tuple(checks)


def _has_limit(peak: PeakTemperature) -> bool:
    return peak.reject_degC is not None or peak.caution_degC is not None


def _check_peak(peak: PeakTemperature, target: str) -> Check:
    name = f"{HEAT_CHECK}{peak.structure}: {target}"
    text = f"Temperature at the {peak.structure}"
    if peak.peak_degC is None:
        return Check(id=name, text=text, status=CheckStatus.CAUTION, reason=f"UNKNOWN: not shown. {peak.note}".strip())
    if peak.reject_degC is not None and peak.peak_degC >= peak.reject_degC:
        status = CheckStatus.FAIL
    elif peak.caution_degC is not None and peak.peak_degC > peak.caution_degC:
        status = CheckStatus.CAUTION
    else:
        status = CheckStatus.PASS
    limits = []
    if peak.caution_degC is not None:
        limits.append(f"caution above {peak.caution_degC:g}")
    if peak.reject_degC is not None:
        limits.append(f"rejected from {peak.reject_degC:g}")
    reason = f"{peak.peak_degC:.1f} degC ({', '.join(limits)} degC)."
    return Check(id=name, text=text, status=status, reason=reason)


def check_plan(
    *,
    case: Case,
    anatomy: Anatomy,
    verdict: Verdict,
    posture: Posture,
    targets: Sequence[Target],
    trajectories: Sequence[Trajectory],
    deliveries: Sequence[Delivery],
    on: date,
    limits: PlanLimits,
) -> tuple[Check, ...]:
    """Every check of a plan, in the order in which a physician would ask."""
    checks = [check_candidacy(verdict), check_warnings(verdict), *check_basis(case, anatomy), check_levels(anatomy)]
    if case.is_patient_specific:  # without a scan there is neither posture nor age of it
        checks.append(check_posture(case.patient_position, posture))
        checks.append(check_scan_age(case.acquired_on, on, limit_months=limits.image_age_max_months))
    checks += [check_target(t, limits=limits) for t in targets]
    checks += check_unknown_structures(trajectories)
    checks += [check_clearances(trajectory) for trajectory in trajectories]
    checks += _check_tips(case.image, trajectories, limits)
    for delivery in deliveries:
        checks += check_effect(delivery, limits=limits)
    return tuple(checks) if is_patient_specific(case, anatomy) else of_the_body(tuple(checks))


def plan_status(checks: Sequence[Check]) -> PlanStatus:
    """Status that the checks allow: one failure rejects, one caution cautions."""
    found = {check.status for check in checks}
    if CheckStatus.FAIL in found:
        return PlanStatus.REJECTED
    return PlanStatus.CAUTION if CheckStatus.CAUTION in found else PlanStatus.ACCEPTABLE
