"""Anatomy found along the scan's own axes and turned to the patient's: an oblique scan gives the same bones."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import numpy as np

from foramen.model.anatomy import Anatomy, Landmark, Nerve, VertebraAnatomy, VertebraFrame
from foramen.model.space import FloatArray, VolumeGeometry

UPRIGHT_TOLERANCE = 1e-9
"""Axes that differ from the patient's by less than this are the patient's."""


def turn_of(geometry: VolumeGeometry) -> FloatArray:
    """Rotation (3, 3) that carries the patient's axes to those of the scan's nearest to them.

    Notes
    -----
    Of all orders and signs of the array's axes that make a right-handed frame, the one with the largest trace: the
    smallest turn. Identity for every scan along the patient's axes, whatever the order and direction of its arrays.
    """
    best: FloatArray = np.eye(3)
    largest = -np.inf
    for order in permutations(range(3)):
        axes = geometry.axes[:, order]
        axes = axes * np.where(np.diag(axes) < 0, -1.0, 1.0)
        if np.linalg.det(axes) > 0 and np.trace(axes) > largest:
            best, largest = axes, float(np.trace(axes))
    return np.eye(3) if np.abs(best - np.eye(3)).max() < UPRIGHT_TOLERANCE else best


def upright(geometry: VolumeGeometry, turn: FloatArray) -> VolumeGeometry:
    """The grid with the scan's turn undone, about the patient's origin."""
    affine = geometry.affine_mm.copy()
    affine[:3] = turn.T @ affine[:3]
    return VolumeGeometry(shape=geometry.shape, affine_mm=affine, frame_uid=geometry.frame_uid)


def turned(anatomy: Anatomy, turn: FloatArray) -> Anatomy:
    """An anatomy found on the upright grid, in LPS."""
    return replace(
        anatomy,
        vertebrae=tuple(_vertebra(vertebra, turn) for vertebra in anatomy.vertebrae),
        nerves=tuple(_nerve(nerve, turn) for nerve in anatomy.nerves),
    )


def _vertebra(vertebra: VertebraAnatomy, turn: FloatArray) -> VertebraAnatomy:
    frame = vertebra.frame
    moved = VertebraFrame(
        origin_mm=turn @ frame.origin_mm,
        axes=turn @ frame.axes,
        superior_endplate_mm=turn @ frame.superior_endplate_mm,
        inferior_endplate_mm=turn @ frame.inferior_endplate_mm,
    )
    return replace(vertebra, frame=moved, landmarks=tuple(_landmark(mark, turn) for mark in vertebra.landmarks))


def _landmark(landmark: Landmark, turn: FloatArray) -> Landmark:
    covariance = landmark.covariance_mm2
    if covariance is not None:
        covariance = turn @ covariance @ turn.T
        covariance = 0.5 * (covariance + covariance.T)
    return replace(landmark, position_mm=turn @ landmark.position_mm, covariance_mm2=covariance)


def _nerve(nerve: Nerve, turn: FloatArray) -> Nerve:
    return replace(nerve, centreline_mm=nerve.centreline_mm @ turn.T)
