"""Where the vertebrae of the reference body stand: the curve of the column, lying on the back."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

import numpy as np

from foramen.anatomy.reference_body.build import MEAN_BUILD, Build
from foramen.anatomy.reference_body.column import Member, column_of
from foramen.anatomy.reference_body.dimensions import dimensions
from foramen.knowledge.facts import number
from foramen.model.anatomy import VertebraFrame
from foramen.model.levels import Vertebra
from foramen.model.space import FloatArray

SOUND_DISCS: Mapping[Vertebra, float] = MappingProxyType({})
"""No disc has lost height."""


def frames_of(
    build: Build = MEAN_BUILD,
    *,
    column: tuple[Member, ...] | None = None,
    disc_fractions: Mapping[Vertebra, float] = SOUND_DISCS,
) -> dict[Vertebra, VertebraFrame]:
    """Frames of a column in LPS, C1 to S1 if none is given, stacked from the sacrum upwards; L3's body at the origin.

    Parameters
    ----------
    build : Build
        Size, disc height and curve.
    column : tuple of Member, optional
        Vertebrae from above downwards.
    disc_fractions : mapping
        Height left of the disc below a vertebra; a lower disc is less wedged too.
    """
    members = column_of() if column is None else column
    frames: dict[Vertebra, VertebraFrame] = {}
    sacrum = dimensions(members[-1].drawn_as)
    tilt_deg = number("anatomy.sacral_slope_deg") * build.curve_scale
    endplate = np.zeros(3)
    frames[members[-1].level] = _frame(endplate, tilt_deg, sacrum.body_height_mm * build.scale[2], sacrum.wedge_rad)
    for member in reversed(members[:-1]):
        own, left = dimensions(member.drawn_as), disc_fractions.get(member.level, 1.0)
        inferior_tilt_deg = tilt_deg - own.disc_wedge_deg * build.curve_scale * left
        endplate = endplate + own.disc_height_mm * build.disc_scale * build.scale[2] * left * _up(
            0.5 * (tilt_deg + inferior_tilt_deg)
        )
        tilt_deg = inferior_tilt_deg - own.body_wedge_deg * build.curve_scale
        height_mm = own.body_height_mm * build.scale[2]
        endplate = endplate + height_mm * _up(tilt_deg)
        frames[member.level] = _frame(endplate, tilt_deg, height_mm, own.wedge_rad)
    shift = frames[Vertebra("L3")].origin_mm
    return {member.level: _moved(frames[member.level], -shift) for member in members}


@cache
def mean_frames() -> dict[Vertebra, VertebraFrame]:
    """Frames of the mean body."""
    return frames_of(MEAN_BUILD)


def _up(tilt_deg: float) -> FloatArray:
    tilt = np.radians(tilt_deg)
    return np.array([0.0, -np.sin(tilt), np.cos(tilt)])


def _frame(endplate_mm: FloatArray, tilt_deg: float, height_mm: float, wedge_rad: float) -> VertebraFrame:
    up = _up(tilt_deg)
    axes = np.stack([[1.0, 0.0, 0.0], np.cross(up, [1.0, 0.0, 0.0]), up], axis=1)
    return VertebraFrame(
        origin_mm=endplate_mm - 0.5 * height_mm * up,
        axes=axes,
        superior_endplate_mm=endplate_mm,
        inferior_endplate_mm=endplate_mm - height_mm * up,
    )


def _moved(frame: VertebraFrame, shift_mm: FloatArray) -> VertebraFrame:
    return VertebraFrame(
        origin_mm=frame.origin_mm + shift_mm,
        axes=frame.axes,
        superior_endplate_mm=frame.superior_endplate_mm + shift_mm,
        inferior_endplate_mm=frame.inferior_endplate_mm + shift_mm,
    )
