"""Whether a patient's bone shows what lies beyond the part that its registration went by.

The registration of the sacrum goes by its first segment, because label maps differ in what lies below. A point further
down is carried along with it, and believed only where the patient's own surface is seen around it.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from foramen.anatomy.bones import Bone
from foramen.anatomy.reference_body import reference_vertebra
from foramen.anatomy.registration import Registration, surface_points_mm
from foramen.knowledge.facts import number
from foramen.model.levels import Vertebra
from foramen.model.space import FloatArray

THINNED_MM = 2.0
"""Spacing of the surface points that are looked for."""

FEWEST_POINTS = 200
"""Surface points that are looked at where none is within reach."""


def beyond_mm(level: Vertebra, reference_mm: FloatArray) -> FloatArray:
    """How far (n,) points (n, 3) of the reference frame lie beyond what the registration went by; 0 within its reach.

    How much farther the nearest surface that it went by is than the nearest surface.
    """
    points = np.atleast_2d(reference_mm)
    found: FloatArray = _went_by(level).query(points)[0] - _surface(level).query(points)[0]
    found[found < number("registration.beyond_mm")] = 0.0
    return found


def is_shown(bone: Bone, registration: Registration, reference_mm: FloatArray, *, is_in_opening: bool = False) -> bool:
    """Whether the patient's bone shows the surroundings of what lies beyond the registered part.

    Parameters
    ----------
    reference_mm : ndarray, shape (3,) or (n, 3)
        A landmark, or a nerve's course of which at least half lies beyond the registered part to be judged.
    is_in_opening : bool
        Judge it wherever it lies: a landmark that no surface vouches for.

    Returns
    -------
    bool
        Also True for what lies within the registered part.
    """
    points = np.atleast_2d(reference_mm)
    beyond = beyond_mm(bone.level, points)
    if not is_in_opening:
        if np.median(beyond) == 0:
            return True
        points = points[beyond > 0]
    surface = _surface(bone.level)
    near = surface.query_ball_point(points, number("registration.beyond_reach_mm"))
    around = np.unique(np.concatenate([np.array(found, dtype=np.int64) for found in near]))
    if not len(around):  # deep within the bone: the nearest surface vouches for it
        around = np.unique(surface.query(points, k=FEWEST_POINTS)[1])
    carried = registration.carry(surface.data[around])
    seen = np.abs(bone.at(carried)) < number("registration.beyond_surface_mm") + 0.5 * bone.spacing_mm
    seen &= bone.margin_mm(carried) > bone.spacing_mm
    return bool(seen.mean() >= number("registration.beyond_shown_fraction"))


def beyond_sd_mm(level: Vertebra, reference_mm: FloatArray) -> float:
    """Standard uncertainty (mm) that being carried beyond the registered part adds: of the middle one of points."""
    return number("registration.beyond_sd_fraction") * float(np.median(beyond_mm(level, reference_mm)))


@cache
def _went_by(level: Vertebra) -> cKDTree:
    return cKDTree(surface_points_mm(level))


@cache
def _surface(level: Vertebra) -> cKDTree:
    points = reference_vertebra(level).surface.vertices_mm
    return cKDTree(points[_thinned(points)])


def _thinned(points: FloatArray) -> NDArray[np.int64]:
    _, first = np.unique(np.floor(points / THINNED_MM).astype(np.int64), axis=0, return_index=True)
    return np.sort(first)
