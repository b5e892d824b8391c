"""Courses of electrodes as polylines (SI): straight, curved at the end, and tined."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from foramen.errors import InputError
from foramen.physics.embedded_electrode import Rod

FloatArray = NDArray[np.float64]

_CHORD_RAD = 0.1  # a curve is drawn in chords of at most this angle: 0.1 % of its radius off the arc


def straight_path_m(pole_m: FloatArray, towards_hub: FloatArray, length_m: float) -> FloatArray:
    """Path from a pole straight to the hub; `towards_hub` need not be a unit vector."""
    direction = towards_hub / np.linalg.norm(towards_hub)
    return np.stack([pole_m, pole_m + direction * length_m])


def curved_path_m(
    exit_m: FloatArray,
    towards_hub: FloatArray,
    bend: FloatArray,
    *,
    curve_radius_m: float,
    curve_length_m: float,
    shaft_m: float,
) -> FloatArray:
    """Path of an electrode that leaves its introducer at `exit_m` on an arc bending towards `bend`.

    The arc is tangential to the shaft; the path runs from the pole back along it and up the straight shaft.

    Raises
    ------
    InputError
        If the arc would close on itself, or `bend` is parallel to the shaft.
    """
    if not 0 < curve_length_m < np.pi * curve_radius_m:
        raise InputError(
            f"A curve of {curve_length_m * 1e3:.1f} mm on a radius of {curve_radius_m * 1e3:.1f} mm turns back on "
            "itself. Give less than half a circle."
        )
    back = towards_hub / np.linalg.norm(towards_hub)
    side = bend - (bend @ back) * back
    if np.linalg.norm(side) < 1e-9:
        raise InputError("The bend of a curved electrode must point sideways of its shaft.")
    side = side / np.linalg.norm(side)
    whole = curve_length_m / curve_radius_m
    angles = np.linspace(whole, 0.0, int(np.ceil(whole / _CHORD_RAD)) + 1)
    arc = exit_m + curve_radius_m * (np.outer(1 - np.cos(angles), side) - np.outer(np.sin(angles), back))
    return np.concatenate([arc, (exit_m + back * shaft_m)[None]])


def tined_rods(
    cannula: Rod, *, tines: int, tine_radius_m: float, tine_length_m: float, leave_m: float, splay_rad: float
) -> list[Rod]:
    """A cannula with bare tines that leave its axis `leave_m` from the pole, splayed forward evenly about it.

    `tine_length_m` is the length outside the cannula; `splay_rad` is the angle to its axis.

    Raises
    ------
    InputError
        If the tines would leave beyond the bare part or stay inside the cannula.
    """
    if not 0 <= leave_m <= cannula.tip_m or tines < 1 or not 0 < splay_rad <= np.pi / 2:
        raise InputError(
            f"{tines} tines that leave {leave_m * 1e3:.1f} mm from the pole at {np.degrees(splay_rad):.0f} degrees do "
            "not fit the cannula: they must leave its bare part, forward or sideways."
        )
    start = cannula.point_m(leave_m)
    forward = cannula.path_m[0] - cannula.path_m[1]
    forward = forward / np.linalg.norm(forward)
    across = np.cross(forward, np.eye(3)[int(np.abs(forward).argmin())])
    across = across / np.linalg.norm(across)
    third = np.cross(forward, across)
    hidden = cannula.radius_m / np.sin(splay_rad)
    rods = [cannula]
    for number in range(tines):
        turn = 2 * np.pi * number / tines
        side = np.cos(turn) * across + np.sin(turn) * third
        direction = np.cos(splay_rad) * forward + np.sin(splay_rad) * side
        length = tine_length_m + hidden
        rods.append(
            Rod(
                path_m=straight_path_m(start + direction * length, -direction, length),
                radius_m=tine_radius_m,
                bore_m=0.0,
                tip_m=length,
                electrode=cannula.electrode,
            )
        )
    return rods
