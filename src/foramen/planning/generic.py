"""What a plan on a body that is not the patient's may claim: nothing near the needle counts as clear."""

from __future__ import annotations

from dataclasses import replace

from foramen.model.plan import Check, CheckStatus, Clearance, ClearanceStatus, Trajectory

IN_THE_BODY = "In the reference body: "
"""Start of the reason of a check that passed on a body that is not the patient's."""

ABOUT_THE_RECORD = ("candidacy", "warnings")
"""Checks that are of the patient's own record."""


def without_clearance(trajectory: Trajectory) -> Trajectory:
    """The path with every clearance that was met UNKNOWN: a body of others may forbid a path, never clear it."""
    return replace(trajectory, clearances=tuple(_unknown(c) for c in trajectory.clearances))


def _unknown(clearance: Clearance) -> Clearance:
    if clearance.status is not ClearanceStatus.MET:
        return clearance
    note = f"{clearance.distance_mm:.0f} mm in the reference body; where it lies in this patient is not known"
    return replace(clearance, status=ClearanceStatus.UNKNOWN, distance_mm=None, note=note)


def of_the_body(checks: tuple[Check, ...]) -> tuple[Check, ...]:
    """The checks, each one that passed on the body saying that it is not the patient's."""
    return tuple(
        replace(check, reason=f"{IN_THE_BODY}{check.reason}")
        if check.status is CheckStatus.PASS and check.id not in ABOUT_THE_RECORD
        else check
        for check in checks
    )
