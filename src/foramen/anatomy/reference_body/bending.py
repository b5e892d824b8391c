"""A column bent out of its mean curve: every change turns or shifts all that stands above one disc.

Turns are about the middle of that disc. Angles: flexion about left (forwards), tilt about posterior (to the left),
rotation about superior (bodies to the left); they are given in LPS of the sagittal column.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial.transform import Rotation

from foramen.anatomy.reference_body.build import Build
from foramen.anatomy.reference_body.column import Member
from foramen.anatomy.reference_body.fracture import central_loss_mm, wedge_deg
from foramen.anatomy.reference_body.pathology import Pathologies
from foramen.anatomy.reference_body.posture import frames_of
from foramen.anatomy.reference_body.regions import REGIONS
from foramen.knowledge.facts import number, numbers
from foramen.model.anatomy import VertebraFrame
from foramen.model.levels import Vertebra
from foramen.model.space import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Hinge:
    """How all above one disc moves against what is below: turns (flexion, tilt, rotation) and a shift.

    `shift_mm` is along (left, posterior, superior) of the vertebra below the disc.
    """

    turn_deg: tuple[float, float, float]
    shift_mm: tuple[float, float, float]


def bent_frames(build: Build, column: tuple[Member, ...], change: Pathologies) -> dict[Vertebra, VertebraFrame]:
    """Frames of a person's column in LPS; L3's body lies at the origin. Nothing changed: exactly `frames_of`."""
    fractions = {disc.above: disc.height_fraction for disc in change.discs}
    frames = frames_of(build, column=column, disc_fractions=fractions)
    hinges = hinges_of(build, column, change)
    if not hinges:
        return frames
    turn, shift = np.eye(3), np.zeros(3)  # of all above the disc that was passed last, on the sagittal column
    found: dict[Vertebra, VertebraFrame] = {}
    lower: Member | None = None
    for member in reversed(column):
        frame = frames[member.level]
        hinge = hinges.get(member.level)
        if hinge is not None and lower is not None:
            below = frames[lower.level]
            centre = 0.5 * (frame.inferior_endplate_mm + below.superior_endplate_mm)
            own = Rotation.from_euler("xyz", hinge.turn_deg, degrees=True).as_matrix()
            move = centre - own @ centre + below.axes @ np.array(hinge.shift_mm)
            turn, shift = turn @ own, turn @ move + shift
        found[member.level] = _carried(frame, turn, shift)
        lower = member
    if change.fracture is not None:
        broken = found[change.fracture.level]
        loss_mm = central_loss_mm(change.fracture, build)
        found[change.fracture.level] = replace(
            broken, superior_endplate_mm=broken.superior_endplate_mm - loss_mm * broken.superior
        )
    origin = found[Vertebra("L3")].origin_mm
    return {member.level: _carried(found[member.level], np.eye(3), -origin) for member in column}


def hinges_of(build: Build, column: tuple[Member, ...], change: Pathologies) -> Mapping[Vertebra, Hinge]:
    """Hinges by the vertebra above the disc."""
    turns = {member.level: np.zeros(3) for member in column}
    shifts = {member.level: np.zeros(3) for member in column}
    if change.scoliosis is not None:
        tilt, rotation = _curve(column, change)
        for place, member in enumerate(column[:-1]):
            turns[member.level] += [0.0, tilt[place] - tilt[place + 1], rotation[place] - rotation[place + 1]]
    if change.listhesis is not None:
        shifts[change.listhesis.above] += [0.0, -change.listhesis.slip_mm, 0.0]
    if change.fracture is not None:
        place = [member.level for member in column].index(change.fracture.level)
        if place > 0:
            above = column[place - 1].level
            turns[above] += [number("cohort.fracture_kyphosis_fraction") * wedge_deg(change.fracture, build), 0.0, 0.0]
            shifts[above] += [0.0, 0.0, -central_loss_mm(change.fracture, build)]
    return {
        level: Hinge(turn_deg=_three(turns[level]), shift_mm=_three(shifts[level]))
        for level in turns
        if turns[level].any() or shifts[level].any()
    }


def _curve(column: tuple[Member, ...], change: Pathologies) -> tuple[FloatArray, FloatArray]:
    """Tilt and rotation of every vertebra in degrees; above T12 both fade out over as many vertebrae as below."""
    if change.scoliosis is None:
        return np.zeros(len(column)), np.zeros(len(column))
    names = REGIONS["lumbar"]
    sign = change.scoliosis.convex.sign
    tilt, rotation = np.zeros(len(column)), np.zeros(len(column))
    first = next(i for i, member in enumerate(column) if member.drawn_as.name == names[0])
    for place, member in enumerate(column):
        if member.drawn_as.name in names:
            row, fade = names.index(member.drawn_as.name), 1.0
        else:
            row, fade = 0, max(0.0, 1.0 - (first - place) / len(names))
        tilt[place] = -sign * change.scoliosis.cobb_deg * numbers("cohort.scoliosis_tilt_shares")[row] * fade
        share = numbers("cohort.scoliosis_rotation_shares")[row]
        rotation[place] = sign * change.scoliosis.rotation_deg * share * fade
    return tilt, rotation


def _carried(frame: VertebraFrame, turn: FloatArray, shift: FloatArray) -> VertebraFrame:
    return VertebraFrame(
        origin_mm=turn @ frame.origin_mm + shift,
        axes=turn @ frame.axes,
        superior_endplate_mm=turn @ frame.superior_endplate_mm + shift,
        inferior_endplate_mm=turn @ frame.inferior_endplate_mm + shift,
    )


def _three(values: FloatArray) -> tuple[float, float, float]:
    return float(values[0]), float(values[1]), float(values[2])
