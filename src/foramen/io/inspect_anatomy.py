"""What was found of a patient's anatomy, line by line: vertebrae with their landmarks, and nerves with their tubes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from foramen.geometry.segments import arc_length
from foramen.knowledge.facts import number, numbers
from foramen.model.anatomy import Anatomy, Landmark, LandmarkName, LevelCount, Nerve, VertebraAnatomy
from foramen.model.levels import Side, Vertebra
from foramen.model.space import FloatArray

Triple = tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectedLandmark:
    """A landmark that was found, or one that some technique needs and that was not, with the reason.

    Parameters
    ----------
    position_mm : tuple of float or None
        LPS; None if it was not found, as are `sd_mm` and `confidence_fraction`.
    half_axes_mm : tuple of float or None
        Half axes, ascending, of the ellipsoid that holds it with the probability `display.ellipsoid_fraction`.
    covariance_mm2 : tuple of tuples of float or None
        Of the position, LPS; None also where it is alike in all directions.
    confidence : str
        ``high``, ``medium``, ``low``, or ``none`` if it was not found.
    note : str
        Why it is missing, or what was noted when it was placed.
    """

    name: str
    side: str
    is_found: bool
    position_mm: Triple | None
    sd_mm: float | None
    half_axes_mm: Triple | None
    covariance_mm2: tuple[Triple, Triple, Triple] | None
    confidence_fraction: float | None
    confidence: str
    origin: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectedVertebra:
    """A labelled vertebra; without a frame nothing can be planned on it, and `note` says why."""

    level: str
    has_frame: bool
    is_complete: bool
    centre_mm: Triple | None
    note: str
    landmarks: tuple[InspectedLandmark, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectedNerve:
    """A nerve as it was placed.

    Parameters
    ----------
    variation_sd_mm, landmark_sd_mm, total_sd_mm : float
        Standard deviation of its position across it: assumed natural variation with the fit, that of the bone's
        landmarks, and both together.
    tube_radius_mm : float
        Its radius and `display.tube_sd` times the total: what the pictures show as its uncertainty tube.
    middle_mm : tuple of float
        The point half-way along its centreline, LPS.
    """

    name: str
    kind: str
    root: str
    side: str
    crosses: str
    radius_mm: float
    variation_sd_mm: float
    landmark_sd_mm: float
    total_sd_mm: float
    tube_radius_mm: float
    length_mm: float
    middle_mm: Triple
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectedAnatomy:
    """Everything that planning would go by; `reason` says why there is none."""

    is_found: bool
    reason: str
    is_patient_specific: bool
    level_count: LevelCount | None
    vertebrae: tuple[InspectedVertebra, ...]
    nerves: tuple[InspectedNerve, ...]
    notes: tuple[str, ...]


def no_anatomy(reason: str) -> InspectedAnatomy:
    """An inspection's part on anatomy where none could be found, or none was looked for."""
    return InspectedAnatomy(
        is_found=False,
        reason=reason,
        is_patient_specific=False,
        level_count=None,
        vertebrae=(),
        nerves=(),
        notes=(),
    )


def inspect_anatomy(
    anatomy: Anatomy, labelled: Iterable[Vertebra], needed: Mapping[Vertebra, frozenset[LandmarkName]]
) -> InspectedAnatomy:
    """The anatomy line by line, with what is missing of it.

    Parameters
    ----------
    anatomy : Anatomy
        As planning uses it.
    labelled : iterable of Vertebra
        All labelled vertebrae; one without a frame is listed with the reason.
    needed : mapping
        For each vertebra the landmarks that some technique needs on it, on both sides.
    """
    known = {vertebra.level: vertebra for vertebra in anatomy.vertebrae}
    levels = [*labelled, *(level for level in known if level not in set(labelled))]
    return InspectedAnatomy(
        is_found=True,
        reason="",
        is_patient_specific=anatomy.is_patient_specific,
        level_count=anatomy.level_count,
        vertebrae=tuple(
            _vertebra(level, known.get(level), needed.get(level, frozenset()), anatomy.notes) for level in levels
        ),
        nerves=tuple(_nerve(nerve) for nerve in anatomy.nerves),
        notes=anatomy.notes,
    )


def tube_radius_mm(nerve: Nerve) -> float:
    """Radius (mm) of the uncertainty tube that pictures show about a nerve's centreline."""
    return nerve.radius_mm + number("display.tube_sd") * nerve.total_sd_mm


def confidence_word(confidence_fraction: float) -> str:
    """``high``, ``medium`` or ``low`` by the bands of `display.confidence_bands_fraction`."""
    low, high = numbers("display.confidence_bands_fraction")
    return "high" if confidence_fraction >= high else "medium" if confidence_fraction >= low else "low"


def _vertebra(
    level: Vertebra, found: VertebraAnatomy | None, needed: frozenset[LandmarkName], notes: tuple[str, ...]
) -> InspectedVertebra:
    own = " ".join(note.removeprefix(f"{level}: ") for note in notes if note.startswith((f"{level}:", f"{level} ")))
    why = (found.note if found else own) or "it could not be placed on this bone"
    placed = {(mark.name, mark.side): mark for mark in found.landmarks} if found else {}
    names = [name for name in LandmarkName if name in needed or any(key[0] is name for key in placed)]
    return InspectedVertebra(
        level=level.name,
        has_frame=found is not None,
        is_complete=found is not None and found.is_complete,
        centre_mm=_triple(found.frame.origin_mm) if found else None,
        note=" ".join(part for part in (found.note if found else "", own) if part),
        landmarks=tuple(
            _found(placed[name, side]) if (name, side) in placed else _missing(name, side, why)
            for name in names
            for side in Side
        ),
    )


def _found(mark: Landmark) -> InspectedLandmark:
    return InspectedLandmark(
        name=mark.name.value,
        side=mark.side.value,
        is_found=True,
        position_mm=_triple(mark.position_mm),
        sd_mm=round(mark.sd_mm, 3),
        half_axes_mm=_triple(mark.ellipsoid(number("display.ellipsoid_fraction"))[0]),
        covariance_mm2=_rows(mark.covariance_mm2),
        confidence_fraction=round(mark.confidence_fraction, 4),
        confidence=confidence_word(mark.confidence_fraction),
        origin=mark.origin.value,
        note=mark.note,
    )


def _missing(name: LandmarkName, side: Side, why: str) -> InspectedLandmark:
    return InspectedLandmark(
        name=name.value,
        side=side.value,
        is_found=False,
        position_mm=None,
        sd_mm=None,
        half_axes_mm=None,
        covariance_mm2=None,
        confidence_fraction=None,
        confidence="none",
        origin="",
        note=_own_reason(name, side, why),
    )


def _own_reason(name: LandmarkName, side: Side, why: str) -> str:
    """The reason of this landmark among those that a vertebra's note lists, or the whole note."""
    _, begins, rest = why.partition(f"{side.value} {name.value.replace('_', ' ')} (")
    reason, ends, _ = rest.partition(")")
    return reason if begins and ends else why


def _nerve(nerve: Nerve) -> InspectedNerve:
    along = arc_length(nerve.centreline_mm)
    middle = np.array([np.interp(along[-1] / 2, along, nerve.centreline_mm[:, axis]) for axis in range(3)])
    return InspectedNerve(
        name=nerve.name,
        kind=nerve.kind.value,
        root=nerve.root.name,
        side=nerve.side.value,
        crosses=nerve.crosses.name if nerve.crosses else "",
        radius_mm=round(nerve.radius_mm, 3),
        variation_sd_mm=round(nerve.variation_sd_mm, 3),
        landmark_sd_mm=round(nerve.landmark_sd_mm, 3),
        total_sd_mm=round(nerve.total_sd_mm, 3),
        tube_radius_mm=round(tube_radius_mm(nerve), 3),
        length_mm=round(float(along[-1]), 2),
        middle_mm=_triple(middle),
        origin=nerve.origin.value,
    )


def _triple(point_mm: FloatArray) -> Triple:
    x, y, z = (round(float(value), 3) for value in point_mm)
    return x, y, z


def _rows(covariance_mm2: FloatArray | None) -> tuple[Triple, Triple, Triple] | None:
    if covariance_mm2 is None:
        return None
    first, second, third = (_triple(row) for row in covariance_mm2)
    return first, second, third
