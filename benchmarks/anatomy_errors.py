"""How far a found anatomy is from the truth of a body made by code, and whether its stated uncertainty holds."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.spatial import cKDTree
from scipy.stats import chi2

from foramen.errors import ForamenError
from foramen.knowledge.facts import number
from foramen.model.anatomy import Anatomy, Landmark, Nerve
from foramen.model.space import FloatArray

PROBABILITY = 0.9
"""Of the ellipsoids and tubes that are checked."""

LIMIT_3D = float(chi2.ppf(PROBABILITY, 3))
LIMIT_2D = float(chi2.ppf(PROBABILITY, 2))
LIMIT_1D = float(chi2.ppf(PROBABILITY, 1))
"""Squared distances, in standard deviations, that hold that share of a normal law."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LandmarkError:
    """One landmark: where, how far off (mm; None if it was not found), and whether its 90 % ellipsoid holds the truth.

    `is_held` asks the whole ellipsoid for the truth moved along the bone by the spread between people that is stated
    (drawn, so assumed); `is_held_fit` asks the part of it that does not come from that spread for the truth itself.
    """

    level: str
    name: str
    side: str
    error_mm: float | None
    is_held: bool | None
    is_held_fit: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NerveError:
    """One nerve: distance (mm) of its true course from the found one, mean and largest; share within the 90 % tube."""

    name: str
    kind: str
    side: str
    mean_mm: float | None
    largest_mm: float | None
    held_fraction: float | None


def landmark_errors(truth: Anatomy, found: Anatomy, generator: np.random.Generator) -> list[LandmarkError]:
    """Errors of every landmark of the truth; the generator draws the spread between people."""
    rows = []
    for vertebra in truth.vertebrae:
        for mark in vertebra.landmarks:
            draw = generator.standard_normal(3)
            other = _found(found, mark)
            if other is None or other.covariance_mm2 is None:
                rows.append(_landmark(mark, None, None, None))
                continue
            error = other.position_mm - mark.position_mm
            between = number("registration.landmark_variation_sd_mm")
            along = _along_bone(other, between)
            moved = error - between * along @ draw
            fit = other.covariance_mm2 - between**2 * along
            rows.append(
                _landmark(
                    mark,
                    float(np.linalg.norm(error)),
                    bool(moved @ np.linalg.solve(other.covariance_mm2, moved) < LIMIT_3D),
                    bool(error @ np.linalg.solve(fit, error) < LIMIT_3D),
                )
            )
    return rows


def nerve_errors(truth: Anatomy, found: Anatomy) -> list[NerveError]:
    """Errors of every nerve of the truth."""
    rows = []
    known = {(nerve.kind, nerve.root, nerve.side): nerve for nerve in found.nerves}
    for nerve in truth.nerves:
        other = known.get((nerve.kind, nerve.root, nerve.side))
        if other is None:
            rows.append(_nerve(nerve, None, None, None))
            continue
        distance = cKDTree(_dense(other.centreline_mm)).query(nerve.centreline_mm)[0]
        within = float((distance**2 < LIMIT_2D * other.variation_sd_mm**2).mean())
        rows.append(_nerve(nerve, float(distance.mean()), float(distance.max()), within))
    return rows


def _along_bone(mark: Landmark, between_mm: float) -> FloatArray:
    """Projection (3, 3) onto the bone's surface at a found landmark, read off its covariance.

    The spread between people is added in the surface only, so the direction of least variance is the bone's normal.
    """
    covariance = np.asarray(mark.covariance_mm2)
    _, axes = np.linalg.eigh(covariance - 1e-12 * between_mm * np.eye(3))
    normal = axes[:, 0]
    projection: FloatArray = np.eye(3) - np.outer(normal, normal)
    return projection


def _found(found: Anatomy, mark: Landmark) -> Landmark | None:
    try:
        return found.vertebra(mark.vertebra).landmark(mark.name, mark.side)
    except ForamenError:
        return None


def _dense(line_mm: FloatArray) -> FloatArray:
    pieces = [np.linspace(a, b, 5, endpoint=False) for a, b in pairwise(line_mm)]
    dense: FloatArray = np.concatenate([*pieces, line_mm[-1:]])
    return dense


def _landmark(mark: Landmark, error: float | None, is_held: bool | None, is_held_fit: bool | None) -> LandmarkError:
    return LandmarkError(
        level=mark.vertebra.name,
        name=mark.name.value,
        side=mark.side.value if mark.side else "midline",
        error_mm=error,
        is_held=is_held,
        is_held_fit=is_held_fit,
    )


def _nerve(nerve: Nerve, mean: float | None, largest: float | None, held: float | None) -> NerveError:
    return NerveError(
        name=nerve.name,
        kind=nerve.kind.value,
        side=nerve.side.value if nerve.side else "midline",
        mean_mm=mean,
        largest_mm=largest,
        held_fraction=held,
    )
