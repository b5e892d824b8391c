"""Larger uncertainty of landmarks and nerves where the image is an MR or no image of this patient."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from foramen.anatomy.landmarks import probability_within
from foramen.knowledge.facts import number
from foramen.model.anatomy import Anatomy, Landmark, LevelCount, Nerve, VertebraAnatomy
from foramen.model.space import FloatArray, VolumeGeometry


def mr_sd_mm(geometry: VolumeGeometry) -> float:
    """What an MR adds to the standard uncertainty of a place (mm): bone's edge in its labels, and its thick slices."""
    slices_mm = number("registration.mr_slice_fraction") * float(geometry.spacing_mm.max())
    return float(np.hypot(number("registration.mr_boundary_sd_mm"), slices_mm))


def widened_for_mr(anatomy: Anatomy, geometry: VolumeGeometry) -> Anatomy:
    """The anatomy of an MR with the larger uncertainty that its labels have, and a note that says so."""
    extra_mm = mr_sd_mm(geometry)
    note = (
        f"Planned on MR: labels of bone are less sharp there and slices are up to {geometry.spacing_mm.max():.1f} mm "
        f"apart; {extra_mm:.1f} mm (SD) are added to every landmark and nerve."
    )
    return _widened(anatomy, lambda _vertebra, _point: extra_mm, note)


def widened_for_population(anatomy: Anatomy) -> Anatomy:
    """A reference body's anatomy as it stands for a person: not patient-specific, uncertain as people differ.

    Notes
    -----
    Added variance at a point: (relative spread of size x distance from the vertebra's centre)^2 + (spread of
    shape)^2. Both are facts of `anatomy.yaml`.
    """
    size, shape_mm = number("anatomy.size_sd_fraction"), number("anatomy.generic_shape_sd_mm")

    def extra_mm(vertebra: VertebraAnatomy | None, point_mm: FloatArray) -> float:
        centre = anatomy.vertebrae[0].frame.origin_mm if vertebra is None else vertebra.frame.origin_mm
        return float(np.hypot(size * np.linalg.norm(point_mm - centre), shape_mm))

    note = (
        "The anatomy is a reference body's, not this patient's; the spread between people is added to every landmark "
        "and nerve."
    )
    count = LevelCount(
        method="no scan",
        is_ambiguous=True,
        reason="the levels are those of a reference body; count this patient's from the sacrum under fluoroscopy.",
    )
    return replace(_widened(anatomy, extra_mm, note), is_patient_specific=False, level_count=count)


def _widened(anatomy: Anatomy, extra_mm: Callable[[VertebraAnatomy | None, FloatArray], float], note: str) -> Anatomy:
    return replace(
        anatomy,
        vertebrae=tuple(
            replace(v, landmarks=tuple(_landmark(mark, extra_mm(v, mark.position_mm)) for mark in v.landmarks))
            for v in anatomy.vertebrae
        ),
        nerves=tuple(_nerve(nerve, anatomy, extra_mm) for nerve in anatomy.nerves),
        notes=(*anatomy.notes, note),
    )


def _landmark(landmark: Landmark, extra_mm: float) -> Landmark:
    covariance = landmark.covariance_mm2
    covariance = landmark.sd_mm**2 * np.eye(3) if covariance is None else covariance
    wider = covariance + extra_mm**2 * np.eye(3)
    return replace(
        landmark,
        sd_mm=float(np.sqrt(np.trace(wider) / 3.0)),
        covariance_mm2=wider,
        confidence_fraction=min(
            landmark.confidence_fraction, probability_within(wider, number("registration.confidence_radius_mm"))
        ),
    )


def _nerve(nerve: Nerve, anatomy: Anatomy, extra_mm: Callable[[VertebraAnatomy | None, FloatArray], float]) -> Nerve:
    middle = nerve.centreline_mm[len(nerve.centreline_mm) // 2]
    near = min(anatomy.vertebrae, key=lambda v: float(np.linalg.norm(v.frame.origin_mm - middle)), default=None)
    return replace(nerve, landmark_sd_mm=float(np.hypot(nerve.landmark_sd_mm, extra_mm(near, middle))))
