"""A nerve's course on the reference bone that it passes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from scipy.interpolate import PchipInterpolator

from foramen.model.anatomy import LandmarkName, NerveKind
from foramen.model.levels import Root, Side
from foramen.model.space import FloatArray

STEP_MM = 0.5
"""Distance of neighbouring points of a course."""


class Lie(StrEnum):
    """How a nerve runs by the bone that lists it."""

    ON_BONE = "on_bone"  # techniques meet it on this bone: it is laid on the surface, a little soft tissue between
    CLEAR_OF_BONE = "clear_of_bone"  # kept out of the bone by its radius
    IN_BONE = (
        "in_bone"  # carried as it is: within a canal of the bone, or where labels are too coarse to show the canal
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Course:
    """A nerve of the left side or the midline in the frame of one bone (left, posterior, superior; mm).

    Parameters
    ----------
    name : str
        In words, such as ``L3 medial branch``.
    kind, root : NerveKind, Root
        Which nerve; with the side they name it uniquely.
    points_mm : ndarray, shape (n, 3)
        From proximal to distal.
    radius_mm, variation_sd_mm : float
        Radius, and standard deviation of its place between people.
    lie : Lie
        How the nerve runs by the bone.
    needs : tuple of LandmarkName
        Of a nerve on the bone: landmarks of which one must be found for the nerve to be placed.
    is_own : bool
        Whether this bone decides that the nerve exists. A neighbour may list the same nerve, with as many points, as
        it sees it: both views are then believed alike.
    ganglion : tuple of int or None
        First and last point of the dorsal root ganglion.
    ganglion_radius_mm : float
        Its radius.
    begins_at : int or None
        Where this nerve leaves its spinal nerve: index into that nerve's course; None if it has no such origin.
    """

    name: str
    kind: NerveKind
    root: Root
    points_mm: FloatArray
    radius_mm: float
    variation_sd_mm: float
    lie: Lie
    needs: tuple[LandmarkName, ...] = ()
    is_own: bool = True
    ganglion: tuple[int, int] | None = None
    ganglion_radius_mm: float = 0.0
    begins_at: int | None = None

    @property
    def sides(self) -> tuple[Side | None, ...]:
        """Sides on which the nerve runs: both, or none for that of the midline."""
        return (None,) if self.kind is NerveKind.BASIVERTEBRAL_NERVE else tuple(Side)


def smooth_course(points_mm: Sequence[FloatArray] | FloatArray) -> FloatArray:
    """Smooth course (n, 3) through points (m, 3), sampled about every `STEP_MM`."""
    points = np.asarray(points_mm, dtype=np.float64)
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    count = max(int(np.ceil(along[-1] / STEP_MM)) + 1, 2)
    found: FloatArray = PchipInterpolator(along, points)(np.linspace(0.0, along[-1], count))
    return found
