"""Cuts that follow the spine: through the bodies, through the posterior elements, and across each vertebra."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from foramen.knowledge.labels import FIRST_STRUCTURE
from foramen.model.anatomy import Anatomy, LandmarkName
from foramen.model.levels import VERTEBRA_NUMBERS, Side
from foramen.model.space import FloatArray, LabelMap
from foramen.report.label_overlay import SPINE_ORDER
from foramen.report.slices import Plane, axial_plane, coronal_plane, sagittal_plane

SHORTEST_HALF_MM, LONGEST_HALF_MM = 90.0, 260.0
AROUND_MM = 60.0
"""Height that is shown above and below the labelled vertebrae, within these limits."""

_NAMES = {number: name for name, number in VERTEBRA_NUMBERS.items()}

_FAR_OUT = frozenset({LandmarkName.TRANSVERSE_PROCESS_TIP})
"""Landmarks too far to the side to lead a cut through the joints."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Spine:
    """Labelled vertebrae from above downwards, the centres of their labels and of the front parts of these (n, 3)."""

    names: tuple[str, ...]
    centres_mm: FloatArray
    fronts_mm: FloatArray

    @property
    def centre_mm(self) -> FloatArray:
        """Middle of the front parts' box (LPS, mm)."""
        middle: FloatArray = (self.fronts_mm.min(axis=0) + self.fronts_mm.max(axis=0)) / 2
        return middle

    @property
    def half_mm(self) -> float:
        """Half the height shown around the spine."""
        return float(np.clip(np.ptp(self.centres_mm[:, 2]) / 2 + AROUND_MM, SHORTEST_HALF_MM, LONGEST_HALF_MM))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BentPlane:
    """A cut whose place along `axis` (0 or 1 of LPS) changes with height, so that it follows a curve.

    Parameters
    ----------
    plane : Plane
        Vertical cut; lengths in the picture are its lengths.
    heights_mm, places_mm : ndarray, shape (n,)
        The curve: LPS z, ascending, and the coordinate along `axis` there. Empty for a flat cut.
    """

    plane: Plane
    axis: int
    heights_mm: FloatArray
    places_mm: FloatArray

    def points_mm(self, pixels: int) -> FloatArray:
        """LPS positions of the pixel centres, shape (rows, columns, 3)."""
        points = self.plane.points_mm(pixels).copy()
        points[..., self.axis] += self._shift_mm(points[..., 2])
        return points

    def project(self, points_mm: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Positions in the picture (n, 2; mm right and down of its centre) and distances from the cut (n,)."""
        points = np.atleast_2d(np.asarray(points_mm, dtype=np.float64)).copy()
        points[:, self.axis] -= self._shift_mm(points[:, 2])
        return self.plane.project(points)

    def _shift_mm(self, heights_mm: FloatArray) -> FloatArray:
        if not len(self.heights_mm):
            return np.zeros_like(heights_mm)
        shift: FloatArray = np.interp(heights_mm, self.heights_mm, self.places_mm) - self.plane.centre_mm[self.axis]
        return shift


def find_spine(labels: LabelMap) -> Spine:
    """The labelled vertebrae; one nameless place in the middle of the image if there is none."""
    values = labels.values
    index = np.argwhere((values > 0) & (values < FIRST_STRUCTURE))
    numbers = values[tuple(index.T)].astype(np.int64) // 100
    present = sorted(
        (n for n in np.unique(numbers) if int(n) in _NAMES), key=lambda n: SPINE_ORDER.index(_NAMES[int(n)])
    )
    if not present:
        middle = labels.geometry.lps_mm((np.array(labels.geometry.shape) - 1) / 2)
        return Spine(names=("-",), centres_mm=middle[None], fronts_mm=middle[None])
    points_mm = labels.geometry.lps_mm(index.astype(np.float64))
    centres, fronts = [], []
    for number in present:
        points = points_mm[numbers == number]
        centres.append(points.mean(axis=0))
        fronts.append(points[points[:, 1] <= centres[-1][1]].mean(axis=0))  # the body lies in front of the centre
    names = tuple(_NAMES[int(n)] for n in present)
    return Spine(names=names, centres_mm=np.array(centres), fronts_mm=np.array(fronts))


def sagittal_through_bodies(spine: Spine) -> BentPlane:
    """Sagittal cut that meets every body in its middle."""
    return _bent(sagittal_plane(spine.centre_mm, spine.half_mm), 0, spine.fronts_mm)


def coronal_through_bodies(spine: Spine) -> BentPlane:
    """Coronal cut that meets every body in its middle."""
    return _bent(coronal_plane(spine.centre_mm, spine.half_mm), 1, spine.fronts_mm)


def coronal_through_landmarks(spine: Spine, anatomy: Anatomy) -> BentPlane:
    """Coronal cut along the landmarks of both sides, through the posterior elements."""
    return _bent(coronal_plane(spine.centre_mm, spine.half_mm), 1, _leads(anatomy, tuple(Side)))


def sagittal_through_landmarks(spine: Spine, anatomy: Anatomy, side: Side) -> BentPlane:
    """Sagittal cut along the landmarks of one side, through its joints and foramina."""
    leads = _leads(anatomy, (side,))
    centre_mm = spine.centre_mm.copy()
    centre_mm[1] = leads[:, 1].mean()
    return _bent(sagittal_plane(centre_mm, spine.half_mm), 0, leads)


def axial_cut(spine: Spine, anatomy: Anatomy | None, place: int, half_mm: float) -> BentPlane:
    """Axial cut through a vertebra of the spine: at the height of its landmarks, else through its middle."""
    centre_mm = spine.centres_mm[place].copy()
    marks = [] if anatomy is None else _leading(anatomy, spine.names[place], tuple(Side))
    if marks:
        centre_mm[2] = np.mean([mark[2] for mark in marks])
    return BentPlane(plane=axial_plane(centre_mm, half_mm), axis=0, heights_mm=np.zeros(0), places_mm=np.zeros(0))


def has_landmarks(anatomy: Anatomy | None, side: Side | None = None) -> bool:
    """Whether a cut can be led along landmarks (of one side)."""
    return anatomy is not None and bool(len(_leads(anatomy, tuple(Side) if side is None else (side,))))


def _leads(anatomy: Anatomy, sides: tuple[Side, ...]) -> FloatArray:
    """One point (n, 3) for each vertebra: the mean of the landmarks that lead a cut."""
    means = [_leading(anatomy, vertebra.level.name, sides) for vertebra in anatomy.vertebrae]
    return np.array([np.mean(marks, axis=0) for marks in means if marks]).reshape(-1, 3)


def _leading(anatomy: Anatomy, name: str, sides: tuple[Side, ...]) -> list[FloatArray]:
    found = [vertebra for vertebra in anatomy.vertebrae if vertebra.level.name == name]
    marks = [mark for vertebra in found for mark in vertebra.landmarks if mark.side in sides]
    return [mark.position_mm for mark in marks if mark.name not in _FAR_OUT]


def _bent(plane: Plane, axis: int, leads_mm: FloatArray) -> BentPlane:
    order = np.argsort(leads_mm[:, 2])
    return BentPlane(plane=plane, axis=axis, heights_mm=leads_mm[order, 2], places_mm=leads_mm[order, axis])
