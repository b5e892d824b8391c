"""What the report says in numbers and words, drawn from a plan: needle lines, unknowns, sources."""

from __future__ import annotations

from dataclasses import dataclass

from foramen.model.anatomy import Anatomy, KeepOutStatus
from foramen.model.plan import (
    Clearance,
    ClearanceStatus,
    Delivery,
    Plan,
    Posture,
    RfHeatEffect,
    Target,
    Trajectory,
)
from foramen.model.space import PatientPosition
from foramen.report.figures import delivery_of, trajectories_of
from foramen.report.messages import message

_MM_PER_CM = 10.0
_PRONE_SCANS = {PatientPosition.HFP, PatientPosition.FFP}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NeedleLine:
    """One needle in words, as it is read at the table."""

    trajectory: Trajectory
    entry_midline: str
    entry_endplate: str
    reserve_mm: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TargetSheet:
    """One target with its needles, what is done there, and the names of its pictures."""

    number: int
    target: Target
    needles: tuple[NeedleLine, ...]
    clearances: tuple[ClearanceRow, ...]
    delivery: Delivery | None
    effect: RfHeatEffect | None
    not_modelled: str
    pictures: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearanceRow:
    """One structure and part of the device, with its clearance on each path to one target (None: not measured)."""

    clearance: Clearance
    by_path: tuple[Clearance | None, ...]
    status: ClearanceStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownLine:
    """One thing that is not known, and what to do about it."""

    what: str
    why: str


def needle_line(trajectory: Trajectory, target: Target, anatomy: Anatomy) -> NeedleLine:
    """Entry in cm from the midline and from the endplate line of the crossed vertebra, along the patient's axes.

    Along the axes (LPS) it can be measured on the skin or on an untilted AP view; along the axis of a tilted
    vertebra, 10 cm behind it, the same point would be several centimetres elsewhere.
    """
    offset = trajectory.entry_mm - anatomy.vertebra(target.crosses_bone).frame.superior_endplate_mm
    side = message("side.left" if offset[0] >= 0 else "side.right")
    above = float(offset[2])
    return NeedleLine(
        trajectory=trajectory,
        entry_midline=message("entry.midline", distance=f"{abs(offset[0]) / _MM_PER_CM:.1f}", side=side),
        entry_endplate=message(
            "entry.above" if above >= 0 else "entry.below",
            distance=f"{abs(above) / _MM_PER_CM:.1f}",
            level=target.crosses_bone,
        ),
        reserve_mm=trajectory.cannula_length_mm - trajectory.length_mm,
    )


def target_sheets(plan: Plan, anatomy: Anatomy) -> tuple[TargetSheet, ...]:
    """Every target of a plan, in the plan's order."""
    sheets = []
    for number, target in enumerate(plan.targets, start=1):
        delivery = delivery_of(plan, target)
        effect = delivery.effect if delivery is not None else None
        needles = tuple(needle_line(t, target, anatomy) for t in trajectories_of(plan, target))
        sheets.append(
            TargetSheet(
                number=number,
                target=target,
                needles=needles,
                clearances=clearance_rows(needles),
                delivery=delivery,
                effect=effect if isinstance(effect, RfHeatEffect) else None,
                not_modelled=""
                if isinstance(effect, RfHeatEffect)
                else (effect.reason if effect is not None else message("effect.no_path")),
                pictures=str(number),
            )
        )
    return tuple(sheets)


_WORST_FIRST = (ClearanceStatus.VIOLATED, ClearanceStatus.UNKNOWN, ClearanceStatus.MET)


def clearance_rows(needles: tuple[NeedleLine, ...]) -> tuple[ClearanceRow, ...]:
    """Clearances of all paths to one target side by side, the worst first; what is not known before what is met."""
    tables = [{(c.structure, c.part): c for c in needle.trajectory.clearances} for needle in needles]
    rows = []
    for key in dict.fromkeys(key for table in tables for key in table):
        found = tuple(table.get(key) for table in tables)
        status = min((c.status for c in found if c is not None), key=_WORST_FIRST.index)
        rows.append(ClearanceRow(clearance=next(c for c in found if c is not None), by_path=found, status=status))
    return tuple(sorted(rows, key=lambda row: _WORST_FIRST.index(row.status)))


def is_posture_changed(plan: Plan) -> bool:
    """Whether scan and procedure differ in posture, or the scan's is unknown."""
    scanned_prone = plan.case.patient_position in _PRONE_SCANS
    return not (scanned_prone and plan.posture is Posture.PRONE)


def unknown_clearances(plan: Plan) -> tuple[Clearance, ...]:
    """Clearances of the chosen paths to structures that are not shown, each structure once."""
    found: dict[str, Clearance] = {}
    for trajectory in plan.trajectories:
        for clearance in trajectory.clearances:
            if clearance.status is ClearanceStatus.UNKNOWN:
                found.setdefault(clearance.structure, clearance)
    return tuple(found.values())


def unknown_lines(plan: Plan, anatomy: Anatomy) -> tuple[UnknownLine, ...]:
    """Everything about this plan that is not known: structures, temperatures, posture, level count, answers."""
    lines: dict[str, str] = {}
    for clearance in unknown_clearances(plan):
        lines.setdefault(_words(clearance.structure), clearance.note or message("unknown.not_shown"))
    for keep_out in anatomy.keep_outs:
        if keep_out.status is KeepOutStatus.UNKNOWN:
            lines.setdefault(_words(keep_out.name), keep_out.note or message("unknown.not_shown"))
    for sheet in target_sheets(plan, anatomy):
        if sheet.effect is None:
            lines.setdefault(message("unknown.effect", target=sheet.target.name), sheet.not_modelled)
            continue
        for peak in sheet.effect.peaks:
            if peak.peak_degC is None:
                what = message("unknown.temperature", structure=peak.structure)
                lines.setdefault(what, peak.note or message("unknown.not_shown"))
    if plan.case.patient_position is PatientPosition.UNKNOWN:
        lines.setdefault(message("unknown.posture"), message("unknown.posture_why"))
    if anatomy.level_count.is_ambiguous:
        lines.setdefault(message("unknown.levels"), anatomy.level_count.reason)
    for question in plan.verdict.questions:
        lines.setdefault(question.text, question.why)
    return tuple(UnknownLine(what=what, why=why) for what, why in lines.items())


def keep_out_lines(plan: Plan, anatomy: Anatomy) -> tuple[UnknownLine, ...]:
    """Only the structures that are not shown: what the card must carry to the table."""
    lines: dict[str, str] = {}
    for clearance in unknown_clearances(plan):
        lines.setdefault(_words(clearance.structure), clearance.note or message("unknown.not_shown"))
    for keep_out in anatomy.keep_outs:
        if keep_out.status is KeepOutStatus.UNKNOWN:
            lines.setdefault(_words(keep_out.name), keep_out.note or message("unknown.not_shown"))
    return tuple(UnknownLine(what=what, why=why) for what, why in lines.items())


def _words(name: str) -> str:
    return name.replace("_", " ")
