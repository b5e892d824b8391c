"""Where a C-arm stands for a beam: words, DICOM angles and console dial from one unit vector.

The truth is the unit beam vector from source to detector in LPS. Everything else is read off it.

Notes
-----
DICOM (PS3.3 C.8.7.5.1.2) places the *detector* by longitude and latitude about the patient: both angles
are 0 when the detector faces the chest; the primary angle is +90 deg with the detector at the patient's
left (LAO) and -90 deg at the right (RAO); the secondary angle is +90 deg towards the head (CRA). Hence a
detector behind a prone patient has a primary angle of 180 deg.

A mobile C-arm stands beside the table: it tilts about the patient's left-right axis, or swivels about the
vertical, and slides (orbits) within its arc, so its dials are not longitude and latitude.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from foramen.errors import InputError
from foramen.geometry.segments import unit
from foramen.model.anatomy import VertebraFrame
from foramen.model.levels import Side
from foramen.model.plan import Posture, View
from foramen.model.space import FloatArray

LEFT = np.array([1.0, 0.0, 0.0])
POSTERIOR = np.array([0.0, 1.0, 0.0])
SUPERIOR = np.array([0.0, 0.0, 1.0])

_UP: dict[Posture, FloatArray] = {
    Posture.PRONE: POSTERIOR,
    Posture.SUPINE: -POSTERIOR,
    Posture.LEFT_LATERAL: -LEFT,  # lying on the left side
    Posture.RIGHT_LATERAL: LEFT,
}
_UP_WORDS = {
    Posture.PRONE: "above the back",
    Posture.SUPINE: "above the front",
    Posture.LEFT_LATERAL: "above the right side",
    Posture.RIGHT_LATERAL: "above the left side",
}
_SIDEWAYS: dict[Posture, tuple[FloatArray, str, str]] = {
    Posture.PRONE: (LEFT, "to the patient's left", "to the patient's right"),
    Posture.SUPINE: (LEFT, "to the patient's left", "to the patient's right"),
    Posture.LEFT_LATERAL: (-POSTERIOR, "towards the patient's front", "towards the patient's back"),
    Posture.RIGHT_LATERAL: (-POSTERIOR, "towards the patient's front", "towards the patient's back"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Dial:
    """Dials of a mobile C-arm beside the table, 0 with the detector straight above.

    `orbital_deg` is positive towards the patient's left (front, if the patient lies on a side), beyond 90 with the
    detector below the table. `tilt_deg` (of the arc, its top towards the head) and `swivel_deg` (of the whole
    C-arm about the vertical, its left end towards the head): one of the two is 0.
    """

    orbital_deg: float
    tilt_deg: float = 0.0
    swivel_deg: float = 0.0


def beam_from_dicom(primary_angle_deg: float, secondary_angle_deg: float) -> FloatArray:
    """Unit beam vector source -> detector (LPS) of DICOM positioner angles (0018,1510) and (0018,1511)."""
    primary, secondary = np.radians((primary_angle_deg, secondary_angle_deg))
    return np.array(
        [np.cos(secondary) * np.sin(primary), -np.cos(secondary) * np.cos(primary), np.sin(secondary)], dtype=np.float64
    )


def dicom_angles(beam: FloatArray) -> tuple[float, float]:
    """DICOM primary (-180, 180] and secondary (-90, 90) positioner angles (deg) of a beam vector (LPS)."""
    x, y, z = unit(beam)
    if np.hypot(x, y) < 1e-9:
        return 0.0, float(np.copysign(90.0, z))
    primary = float(np.degrees(np.arctan2(x, -y)))
    return (180.0 if primary <= -180.0 + 1e-9 else primary), float(np.degrees(np.arcsin(np.clip(z, -1, 1))))


def turns(beam: FloatArray, posture: Posture) -> tuple[float, float]:
    """Turn sideways and towards the head (deg) of the detector, counted from straight above the table.

    Sideways is positive to the patient's left (to the front, if the patient lies on a side).
    """
    sideways, _, _ = _SIDEWAYS[posture]
    direction = unit(beam)
    side = np.degrees(np.arctan2(direction @ sideways, direction @ _UP[posture]))
    return float(side), float(np.degrees(np.arcsin(np.clip(direction @ SUPERIOR, -1, 1))))


def beam_from_turns(sideways_deg: float, headward_deg: float, posture: Posture) -> FloatArray:
    """Unit beam vector (LPS) of the detector's turns from straight above the table; inverse of `turns`."""
    side, head = np.radians((sideways_deg, headward_deg))
    sideways, _, _ = _SIDEWAYS[posture]
    beam: FloatArray = np.cos(head) * (np.sin(side) * sideways + np.cos(side) * _UP[posture]) + np.sin(head) * SUPERIOR
    return beam


def beam_behind(frame: VertebraFrame, side: Side, *, oblique_deg: float, declined_deg: float) -> FloatArray:
    """Unit beam vector (LPS) of a detector behind a vertebra, turned and tilted from its squared frontal view.

    Parameters
    ----------
    oblique_deg : float
        Turn towards `side` about the vertebra's long axis.
    declined_deg : float
        Tilt towards the feet, from the plane of the superior endplate.
    """
    oblique, declined = np.radians((oblique_deg, declined_deg))
    level = np.cos(oblique) * frame.posterior + side.sign * np.sin(oblique) * frame.left
    beam: FloatArray = np.cos(declined) * level - np.sin(declined) * frame.superior
    return beam


def angles_behind(frame: VertebraFrame, side: Side, beam: FloatArray) -> tuple[float, float]:
    """Oblique and declined angles (deg) of a beam relative to a vertebra; inverse of `beam_behind`."""
    back = unit(beam)
    oblique = np.degrees(np.arctan2(side.sign * (back @ frame.left), back @ frame.posterior))
    return float(oblique), float(np.degrees(np.arcsin(np.clip(-(back @ frame.superior), -1, 1))))


def view_words(beam: FloatArray, posture: Posture) -> str:
    """The detector's position in words, such as "detector 20 deg to the patient's left, 40 deg towards the feet"."""
    sideways, headward = (round(angle) for angle in turns(beam, posture))
    _, positive, negative = _SIDEWAYS[posture]
    parts = []
    if sideways:
        parts.append(f"{abs(sideways)} deg {positive if sideways > 0 else negative}")
    if headward:
        parts.append(f"{abs(headward)} deg towards the {'head' if headward > 0 else 'feet'}")
    return f"detector {', '.join(parts) if parts else 'straight'} (0 = {_UP_WORDS[posture]})"


def mobile_dial(beam: FloatArray, posture: Posture) -> Dial:
    """Dials of a mobile C-arm that stands beside the table, with the smaller of tilt and swivel.

    Notes
    -----
    With u up, w sideways and h to the head the detector stands at
    ``d = sin(o) w + cos(o) (cos(t) u + sin(t) h)`` if the arc tilts by t and then slides by o within itself, and at
    ``d = sin(o) (cos(s) w + sin(s) h) + cos(o) u`` if it swivels by s instead. Near a lateral view a tilt hardly
    moves the detector, so that only the swivel can square it; near a frontal view it is the other way round.
    """
    sideways, _, _ = _SIDEWAYS[posture]
    direction = unit(beam)
    side, up, head = (float(direction @ axis) for axis in (sideways, _UP[posture], SUPERIOR))
    sign = -1.0 if side < 0 else 1.0
    is_below = up < 0
    if abs(side) > abs(up):
        swivel = np.degrees(np.arctan2(sign * head, abs(side)))
        return Dial(orbital_deg=float(sign * np.degrees(np.arccos(np.clip(up, -1, 1)))), swivel_deg=float(swivel))
    tilt = np.degrees(np.arctan2(-head if is_below else head, abs(up)))
    orbital = np.degrees(np.arcsin(np.clip(abs(side), 0, 1)))
    return Dial(orbital_deg=float(sign * (180 - orbital if is_below else orbital)), tilt_deg=float(tilt))


def beam_from_dial(dial: Dial, posture: Posture) -> FloatArray:
    """Unit beam vector (LPS) of the dials of a mobile C-arm; inverse of `mobile_dial`.

    Raises
    ------
    InputError
        If the C-arm both tilts and swivels.
    """
    if dial.tilt_deg and dial.swivel_deg:
        raise InputError(f"Tilt {dial.tilt_deg:g} and swivel {dial.swivel_deg:g} deg: one of the two must be 0.")
    orbital, tilt, swivel = np.radians((dial.orbital_deg, dial.tilt_deg, dial.swivel_deg))
    sideways, _, _ = _SIDEWAYS[posture]
    beam: FloatArray = np.sin(orbital) * (np.cos(swivel) * sideways + np.sin(swivel) * SUPERIOR) + np.cos(orbital) * (
        np.cos(tilt) * _UP[posture] + np.sin(tilt) * SUPERIOR
    )
    return beam


def dial_words(beam: FloatArray, posture: Posture, carm_side: Side) -> str:
    """What to set on the console, for the patient's posture and the side on which a mobile C-arm stands.

    Raises
    ------
    InputError
        If the patient lies on a side: the C-arm then has no left or right side of the patient to stand on.
    """
    if posture not in (Posture.PRONE, Posture.SUPINE):
        raise InputError(
            f"Dials are described for a prone or supine patient, not {posture.value}. Use the DICOM angles instead."
        )
    dial = mobile_dial(beam, posture)
    orbital, tilt, swivel = round(dial.orbital_deg), round(dial.tilt_deg), round(dial.swivel_deg)
    is_to_stand = (orbital > 0) == (carm_side is Side.LEFT)
    slide = f"orbital {abs(orbital)} deg, detector {'towards' if is_to_stand else 'away from'} the stand"
    towards = "head" if beam @ SUPERIOR > 0 else "feet"
    lean = f"tilt {abs(tilt)} deg to the {towards}" if tilt else "tilt 0 deg"
    if swivel:
        lean = f"swivel {abs(swivel)} deg, detector to the {towards}"
    sideways, headward = (round(angle) for angle in turns(beam, posture))
    rotation = f"rotation {abs(sideways)} deg{'' if not sideways else _left_or_right(sideways)}"
    angulation = f"angulation {abs(headward)} deg{'' if not headward else _head_or_feet(headward)}"
    return (
        f"{posture.value}, mobile C-arm on the patient's {carm_side.value}: "
        f"{slide if orbital else 'orbital 0 deg'}, {lean}. "
        f"C-arm at the head end: {rotation}, {angulation}"
    )


def _left_or_right(angle_deg: float) -> str:
    return " to the patient's left" if angle_deg > 0 else " to the patient's right"


def _head_or_feet(angle_deg: float) -> str:
    return " cranial" if angle_deg > 0 else " caudal"


def describe_view(
    name: str,
    purpose: str,
    *,
    beam: FloatArray,
    centre_mm: FloatArray,
    posture: Posture,
    carm_side: Side,
    must_show: tuple[str, ...],
) -> View:
    """A C-arm view with its words, DICOM angles and dials, all derived from the beam vector.

    Parameters
    ----------
    beam : ndarray, shape (3,)
        From source to detector, LPS; any length above 0.
    centre_mm : ndarray, shape (3,)
        Point to centre on, LPS.
    carm_side : Side
        Side of the patient on which a mobile C-arm stands.
    """
    direction = unit(beam)
    primary, secondary = dicom_angles(direction)
    across = SUPERIOR - (SUPERIOR @ direction) * direction
    up = unit(across) if np.linalg.norm(across) > 1e-6 else -POSTERIOR
    return View(
        name=name,
        purpose=purpose,
        beam=direction,
        up=up,
        centre_mm=np.asarray(centre_mm, dtype=np.float64),
        words=view_words(direction, posture),
        primary_angle_deg=round(primary, 1),
        secondary_angle_deg=round(secondary, 1),
        console_dial=dial_words(direction, posture, carm_side),
        posture=posture,
        must_show=must_show,
    )
