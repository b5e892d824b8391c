"""The reference body scaled to a person's stature, for a plan without any scan of that person."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from foramen.anatomy.reference_body import make_reference_body
from foramen.errors import InputError
from foramen.knowledge.facts import number, numbers
from foramen.model.space import FloatArray, LabelMap, PatientPosition, Volume, VolumeGeometry


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GenericBody:
    """Image and labels of the scaled body on one grid, the scales (left, posterior, superior), and how it lies."""

    image: Volume
    labels: LabelMap
    scale: tuple[float, float, float]
    patient_position: PatientPosition


def stature_scale(stature_mm: float) -> tuple[float, float, float]:
    """Scales of the body along (left, posterior, superior) for a stature.

    Raises
    ------
    InputError
        If the stature is outside the range for which scaling makes sense.

    Notes
    -----
    scale = 1 + share x (stature / reference stature - 1): heights follow stature, widths and depths follow it in part.
    """
    low_mm, high_mm = numbers("anatomy.generic_stature_range_mm")
    if not low_mm <= stature_mm <= high_mm:
        raise InputError(
            f"A height of {stature_mm / 10:.0f} cm cannot be used: a body is scaled from {low_mm / 10:.0f} to "
            f"{high_mm / 10:.0f} cm. Check the height; for other statures plan on an image (CT or MR) with labels."
        )
    relative = stature_mm / number("anatomy.reference_stature_mm") - 1
    x, y, z = (float(1 + share * relative) for share in numbers("anatomy.stature_share"))
    return x, y, z


def make_generic_body(stature_mm: float, *, spacing_mm: float = 1.0) -> GenericBody:
    """The mean reference body as a CT with labels, scaled to a stature; see `stature_scale`.

    Parameters
    ----------
    spacing_mm : float
        Voxel size before scaling.
    """
    scale = stature_scale(stature_mm)
    body = make_reference_body(spacing_mm=spacing_mm)
    geometry = _scaled(body.image.geometry, np.array(scale))
    return GenericBody(
        image=Volume(geometry=geometry, values=body.image.values, modality=body.image.modality),
        labels=LabelMap(geometry=geometry, values=body.labels.values),
        scale=scale,
        patient_position=body.patient_position,
    )


def _scaled(geometry: VolumeGeometry, scale: FloatArray) -> VolumeGeometry:
    """The grid stretched along the LPS axes, in a frame of reference of its own."""
    digest = hashlib.sha256(f"generic {geometry.frame_uid} {scale.tolist()}".encode()).digest()
    return VolumeGeometry(
        shape=geometry.shape,
        affine_mm=np.diag([*scale, 1.0]) @ geometry.affine_mm,
        frame_uid=f"2.25.{int.from_bytes(digest[:16], 'big')}",
    )
