"""Electrodes that are not straight: a bare tip on an arc, or tines that leave it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from foramen.errors import InputError
from foramen.physics.electrode_courses import curved_path_m, straight_path_m, tined_rods
from foramen.physics.embedded_electrode import Rod
from foramen.steps.bench.setup import BenchSetup
from foramen.units import MM_PER_M


@dataclass(frozen=True, slots=True, kw_only=True)
class Tines:
    """Bare wires that leave a cannula's tip forwards, evenly about it.

    Parameters
    ----------
    count : int
        How many.
    length_mm, diameter_mm : float
        Of the part outside the cannula.
    splay_deg : float
        Angle to the cannula's axis.
    leave_mm : float
        Distance from the pole at which they leave.
    """

    count: int
    length_mm: float
    diameter_mm: float
    splay_deg: float
    leave_mm: float

    def __post_init__(self) -> None:
        if not 1 <= self.count <= 6:
            raise InputError(f"{self.count} tines are not modelled: give 1 to 6.")
        if not (0.1 <= self.diameter_mm <= 1.5 and 0.5 <= self.length_mm <= 20):
            raise InputError(
                f"Tines of {self.length_mm:g} x {self.diameter_mm:g} mm are not modelled: give 0.5 to 20 mm of length "
                "and 0.1 to 1.5 mm of diameter."
            )


def straight_rod(setup: BenchSetup, place: int, at_mm: float, far_m: float) -> Rod:
    """Electrode number `place` of a row, `at_mm` along it."""
    pole = np.array([at_mm / MM_PER_M, 0.0, 0.0])
    length_m = setup.tip_mm / MM_PER_M + far_m
    return _rod(setup, straight_path_m(pole, np.array([0.0, 0.0, 1.0]), length_m), place)


def curved_rod(setup: BenchSetup, bend_radius_mm: float, far_m: float) -> Rod:
    """One electrode whose bare tip lies on an arc, bent towards the first axis.

    Raises
    ------
    InputError
        If the tip would turn back on itself.
    """
    if not bend_radius_mm >= setup.outer_diameter_mm:
        raise InputError(f"A bend of {bend_radius_mm:g} mm is tighter than the electrode is thick.")
    path = curved_path_m(
        np.zeros(3),
        np.array([0.0, 0.0, 1.0]),
        np.array([1.0, 0.0, 0.0]),
        curve_radius_m=bend_radius_mm / MM_PER_M,
        curve_length_m=setup.tip_mm / MM_PER_M,
        shaft_m=far_m,
    )
    return _rod(setup, path, 0)


def with_tines(cannula: Rod, tines: Tines) -> list[Rod]:
    """The cannula, then its tines, all at one potential."""
    return tined_rods(
        cannula,
        tines=tines.count,
        tine_radius_m=tines.diameter_mm / (2 * MM_PER_M),
        tine_length_m=tines.length_mm / MM_PER_M,
        leave_m=tines.leave_mm / MM_PER_M,
        splay_rad=math.radians(tines.splay_deg),
    )


def _rod(setup: BenchSetup, path_m: np.ndarray[tuple[int, ...], np.dtype[np.float64]], electrode: int) -> Rod:
    return Rod(
        path_m=path_m,
        radius_m=setup.outer_diameter_mm / (2 * MM_PER_M),
        bore_m=setup.inner_diameter_mm / (2 * MM_PER_M),
        tip_m=setup.tip_mm / MM_PER_M,
        electrode=electrode,
    )
