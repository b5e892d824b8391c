"""A sagittal MR of the reference body: the labels of its CT, with thick slices and the noise of magnitude images."""

from __future__ import annotations

from dataclasses import replace

import edt
import numpy as np
from numpy.typing import NDArray

from foramen.anatomy.reference_body.basivertebral import draw_basivertebral_canals
from foramen.anatomy.reference_body.body import ReferenceBody, make_reference_body
from foramen.anatomy.reference_body.canvas import Canvas
from foramen.anatomy.reference_body.draw_nerves import draw_nerves
from foramen.anatomy.reference_body.regions import REGIONS
from foramen.anatomy.reference_body.tissue_contrast import Weighting, mr_signal, mr_signal_of_label
from foramen.errors import InputError
from foramen.knowledge.facts import number
from foramen.knowledge.labels import FIRST_STRUCTURE, structure_labels
from foramen.model.space import LabelMap, Modality, Volume, VolumeGeometry

Field = NDArray[np.float32]

_FIELD_OF_VIEW_MM = (96.0, 240.0)
"""Width over the slices and depth of the image, as of a lumbar examination."""

_SUBSLICE_MM = 1.0
"""A slice is the mean of thinner ones of about this."""


def make_reference_mr(
    *,
    weighting: Weighting = Weighting.T2,
    spacing_mm: tuple[float, float, float] = (4.0, 0.8, 0.8),
    seed: int | None = None,
    levels: tuple[str, ...] = REGIONS["lumbar"],
    noise_fraction: float | None = None,
    field_of_view_mm: tuple[float, float] = _FIELD_OF_VIEW_MM,
) -> ReferenceBody:
    """A lumbar body lying on its back as a sagittal MR with labels and truth.

    Parameters
    ----------
    weighting : Weighting
        T1 or T2.
    spacing_mm : tuple of three floats
        Thickness of the sagittal slices (along left), and voxel size within them along posterior and superior.
    seed : int or None
        As of `make_reference_body`.
    levels : tuple of str
        As of `make_reference_body`.
    noise_fraction : float or None
        Standard deviation of each of the two channels over the brightest signal; None takes
        `tissue_contrast.mr_noise_fraction`.
    field_of_view_mm : tuple of two floats
        As of `make_reference_body`, but narrower.

    Returns
    -------
    ReferenceBody
        Its image is an MR; each label is that of the middle of the slice.

    Raises
    ------
    InputError
        If the noise is negative, or spacing, seed or levels are refused by `make_reference_body`.

    Notes
    -----
    The signal of a slice is the mean over its thickness. The magnitude of a complex signal with Gaussian noise in both
    channels is Rician. Coil shading, chemical shift, motion and the degeneration of discs are not modelled.
    """
    noise = number("tissue_contrast.mr_noise_fraction") if noise_fraction is None else noise_fraction
    if noise < 0:
        raise InputError(f"The noise of the MR is {noise} of the brightest signal; it cannot be below 0.")
    parts = max(round(spacing_mm[0] / _SUBSLICE_MM), 1)
    fine = make_reference_body(
        spacing_mm=(spacing_mm[0] / parts, spacing_mm[1], spacing_mm[2]),
        seed=seed,
        levels=levels,
        noise_hu=0.0,
        field_of_view_mm=field_of_view_mm,
    )
    signal = mr_signal_of(fine.labels, weighting)
    canvas = Canvas(geometry=fine.labels.geometry, labels=fine.labels.values)
    draw_nerves(signal, canvas, fine.anatomy, mr_signal(weighting, "nerve"))
    draw_basivertebral_canals(signal, canvas, fine.anatomy, mr_signal(weighting, "basivertebral_canal"))
    geometry = _thick(fine.labels.geometry, parts)
    slices = geometry.shape[0]
    mean = signal[: slices * parts].reshape(slices, parts, *geometry.shape[1:]).mean(axis=1, dtype=np.float32)
    generator = np.random.default_rng([0 if seed is None else seed + 1, 2301])
    image = np.rint(number("tissue_contrast.mr_full_signal") * rician(mean, noise, generator)).astype(np.float32)
    labels = np.ascontiguousarray(fine.labels.values[parts // 2 : slices * parts : parts])
    return replace(
        fine,
        image=Volume(geometry=geometry, values=image, modality=Modality.MR),
        labels=LabelMap(geometry=geometry, values=labels),
    )


def mr_signal_of(labels: LabelMap, weighting: Weighting) -> Field:
    """Relative signal of each voxel of a label map, bone with its dark cortical shell (float32, axes i, j, k)."""
    signal: Field = mr_signal_of_label(weighting)[labels.values]
    is_bone = np.isin(labels.values, [entry.value for entry in structure_labels() if entry.tissue == "bone"])
    is_bone |= (labels.values > 0) & (labels.values < FIRST_STRUCTURE)
    spacing = labels.geometry.spacing_mm
    depth = edt.edt(np.ascontiguousarray(is_bone), anisotropy=tuple(float(s) for s in spacing), parallel=1)
    depth -= np.float32(0.5 * float(spacing.min()))  # from the voxel's centre to its bone's surface
    shell, transition = number("anatomy.cortical_thickness_body_mm"), number("anatomy.cortical_transition_mm")
    spongy = np.clip((depth - np.float32(shell)) / np.float32(transition), 0, 1)
    dark = np.float32(mr_signal(weighting, "bone_cortical"))
    signal[is_bone] = (dark + (signal - dark) * spongy)[is_bone]
    return signal


def rician(signal: Field, noise_fraction: float, generator: np.random.Generator) -> Field:
    """Magnitude of a signal with Gaussian noise of that standard deviation in both channels."""
    real = signal + np.float32(noise_fraction) * generator.standard_normal(signal.shape, dtype=np.float32)
    other = np.float32(noise_fraction) * generator.standard_normal(signal.shape, dtype=np.float32)
    found: Field = np.hypot(real, other)
    return found


def _thick(fine: VolumeGeometry, parts: int) -> VolumeGeometry:
    """Grid of slices of so many fine ones; a rest at the end is left out."""
    affine = fine.affine_mm.copy()
    affine[:3, 3] += 0.5 * (parts - 1) * affine[:3, 0]
    affine[:3, 0] *= parts
    return VolumeGeometry(
        shape=(fine.shape[0] // parts, fine.shape[1], fine.shape[2]), affine_mm=affine, frame_uid=fine.frame_uid
    )
