"""Capture of a nerve: the part of its needed segment whose whole cross-section lies in the lesion."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from foramen.model.plan import Capture
from foramen.model.space import FloatArray
from foramen.model.thermal import DamageSet
from foramen.physics.damage import objection
from foramen.physics.placed_lesion import PlacedLesion, composed_omega, composed_peak_degC


def captures(
    lesions: Sequence[PlacedLesion],
    sections_mm: FloatArray,
    sets: Sequence[DamageSet],
    *,
    levels_degC: Sequence[float],
    time_s: float,
) -> tuple[Capture, ...]:
    """Captured fraction by each isotherm and by Omega >= 1 of each damage set.

    Parameters
    ----------
    sections_mm : ndarray, shape (n, m, 3)
        m points across the nerve, rim included, at n even steps along the needed segment, LPS.
    levels_degC : sequence of float
        Isotherms by which capture is reported.
    time_s : float
        Length of one exposure, compared with each set's window; outside it the capture is flagged.
    """
    points = sections_mm.reshape(-1, 3)
    coldest = composed_peak_degC(lesions, points).reshape(sections_mm.shape[:2]).min(axis=1)
    found = [
        Capture(criterion=f"{level:.0f}_degC", fraction=float(np.mean(coldest >= level)), is_within_window=True)
        for level in levels_degC
    ]
    for damage in sets:
        least = composed_omega(lesions, damage.id, points).reshape(sections_mm.shape[:2]).min(axis=1)
        reason = objection(damage, time_s)
        found.append(
            Capture(
                criterion=f"omega_{damage.id}",
                fraction=float(np.mean(least >= 1)),
                is_within_window=not reason,
                note=reason or damage.meaning,
            )
        )
    return tuple(found)
