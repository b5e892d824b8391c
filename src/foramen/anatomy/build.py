"""The anatomy of a patient from a CT or MR and its label map of whole vertebrae."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from foramen.anatomy.ala import lacks_ala, with_ala
from foramen.anatomy.bones import Bone, extract_bone, level_mask
from foramen.anatomy.frames import BodyShape, back_of, body_ball, check_back, measure_body, up_of
from foramen.anatomy.keep_outs import find_keep_outs
from foramen.anatomy.landmarks import find_landmarks
from foramen.anatomy.levels import count_levels, labelled_levels
from foramen.anatomy.nerves import find_nerves
from foramen.anatomy.reference_body.regions import LEVELS
from foramen.anatomy.registered_frame import registered_frame
from foramen.anatomy.registration import Registration, register
from foramen.anatomy.turned import turn_of, turned, upright
from foramen.anatomy.widening import widened_for_mr
from foramen.errors import ImageError, LandmarkError
from foramen.jobs.blas import with_one_blas_thread
from foramen.knowledge.facts import number
from foramen.knowledge.labels import label
from foramen.model.anatomy import Anatomy, VertebraAnatomy
from foramen.model.levels import Side, Vertebra
from foramen.model.space import FloatArray, LabelMap, Modality, Volume, require_same_frame

SACRUM = Vertebra("S1")

REGISTERED: tuple[str, ...] = LEVELS[LEVELS.index("C3") :]
"""Vertebrae that are found in a patient; atlas and axis have no body with two endplates to find their frames by."""


@with_one_blas_thread
def build_anatomy(image: Volume, labels: LabelMap) -> Anatomy:
    """Frames, landmarks, nerves, keep-outs and level count of a patient.

    Parameters
    ----------
    image : Volume
        CT or MR.
    labels : LabelMap
        On the grid of the image, numbered by `labels.yaml`; whole vertebrae suffice.

    Raises
    ------
    ImageError
        If the grids differ, or (on CT) the labels do not lie on bone.
    LevelError
        If no vertebra is labelled or the names run upwards.
    LandmarkError
        If the labels are mirrored or turned back to front.
    """
    _check_images(image, labels)
    turn = turn_of(image.geometry)
    geometry = upright(image.geometry, turn)
    found = _build(replace(image, geometry=geometry), replace(labels, geometry=geometry))
    return turned(found, turn)


def _build(image: Volume, labels: LabelMap) -> Anatomy:
    """The anatomy of a scan along the patient's axes."""
    levels = labelled_levels(labels)
    outside = [
        f"{level}: outside {REGISTERED[0]} to {REGISTERED[-1]}, only named." for level in levels if not _known(level)
    ]
    work = _Work(bones={}, notes=outside)
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:  # bones do not depend on each other
        for bone, notes in pool.map(partial(_extract, image, labels), filter(_known, levels)):
            work.notes += notes
            if bone is not None:
                work.bones[bone.level] = bone
    _check_sides(labels)
    if image.modality is Modality.CT:  # an MR shows no density; what that leaves open stands in the case's history
        _check_on_bone(image, labels)
    shapes = _measure(work)
    registrations: dict[Vertebra, Registration] = {}
    vertebrae: dict[Vertebra, VertebraAnatomy] = {}
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:  # bones do not depend on each other
        registered = list(pool.map(lambda level: register(work.bones[level], shapes[level]), shapes))
    for (level, shape), registration in zip(shapes.items(), registered, strict=True):
        bone = work.bones[level]
        landmarks, note = find_landmarks(bone, registration)
        if landmarks:
            registrations[level] = registration
        vertebrae[level] = VertebraAnatomy(
            level=level,
            frame=registered_frame(bone, registration) if landmarks else shape.frame,
            landmarks=landmarks,
            is_complete=not bone.is_cut,
            note=note,
        )
    nerves = find_nerves(work.bones, registrations, vertebrae)
    anatomy = Anatomy(
        frame_uid=image.geometry.frame_uid,
        vertebrae=tuple(vertebrae.values()),
        nerves=nerves,
        keep_outs=find_keep_outs(labels, nerves),
        level_count=count_levels(labels, levels),
        notes=tuple(work.notes),
    )
    return anatomy if image.modality is Modality.CT else widened_for_mr(anatomy, image.geometry)


def _known(level: Vertebra) -> bool:
    """Whether the reference bone of this vertebra is registered."""
    return level.name in REGISTERED


def _extract(image: Volume, labels: LabelMap, level: Vertebra) -> tuple[Bone | None, list[str]]:
    """The bone of one vertebra, or None if its label cannot be used, and what is to be said about it."""
    notes: list[str] = []
    try:
        return extract_bone(labels.geometry, _voxels(image, labels, level, notes), level), notes
    except LandmarkError as error:
        return None, [*notes, str(error)]


def _voxels(image: Volume, labels: LabelMap, level: Vertebra, notes: list[str]) -> NDArray[np.bool_]:
    mask = level_mask(labels, level)
    if level != SACRUM or not mask.any() or not lacks_ala(labels, mask):
        return mask
    if image.modality is not Modality.CT:
        notes.append("S1: the label leaves out the sacral alae, and an MR shows no unlabelled bone: label them too.")
        return mask
    notes.append("S1: the label leaves out the sacral alae; they were taken from unlabelled bone of the CT beside it.")
    return with_ala(image, labels, mask)


@dataclass(slots=True, kw_only=True)
class _Work:
    bones: dict[Vertebra, Bone]
    notes: list[str] = field(default_factory=list)


def _measure(work: _Work) -> dict[Vertebra, BodyShape]:
    """Frames of all bones, first the whole vertebrae, then those that are cut, then the sacrum from L5."""
    balls = {level: body_ball(bone) for level, bone in work.bones.items() if level != SACRUM}
    whole = {level: ball for level, ball in balls.items() if not work.bones[level].is_cut}
    usual_radius = float(np.median([r for _, r in (whole or balls).values()])) if balls else 0.0
    least_radius = number("registration.least_body_radius_fraction") * usual_radius
    rows = {level: centre for level, (centre, radius) in balls.items() if radius > least_radius}
    found: dict[Vertebra, BodyShape] = {}
    for level in whole:
        bone = work.bones[level]
        centre, radius = balls[level]
        back = back_of(bone, centre, radius)
        up = up_of(level, {**rows, level: centre})
        check_back(bone, back)
        _try(work, found, level, centre, radius, back, up)
    for level in [v for v in balls if v not in found]:
        if not work.bones[level].is_cut:
            continue
        near = _nearest(level, found)
        if near is None:
            work.notes.append(f"{level}: cut by the edge of the scan and no whole vertebra beside it to go by.")
            continue
        frame = found[near].frame
        _try(work, found, level, balls[level][0], balls[near][1], frame.posterior, frame.superior)
    if SACRUM in work.bones:
        _measure_sacrum(work, found, usual_radius)
    return {level: found[level] for level in work.bones if level in found}


def _measure_sacrum(work: _Work, found: dict[Vertebra, BodyShape], radius: float) -> None:
    above = _nearest(SACRUM, found)
    if above is None:
        work.notes.append("S1: the sacrum's frame is found from L5 above it, which is not in this image.")
        return
    frame = found[above].frame
    if above.name not in {"L5", "L6"}:
        work.notes.append(f"S1: L5 is missing (nearest is {above}), so the sacrum's frame is not found.")
        return
    down = radius + number("registration.lumbosacral_disc_mm")
    seed = frame.inferior_endplate_mm - down * frame.superior
    inside = work.bones[SACRUM].low_mm + np.argwhere(work.bones[SACRUM].distance_mm < -0.5 * radius)
    near = inside[np.linalg.norm(inside - seed, axis=1) < radius]
    centre = near.mean(axis=0) if len(near) else seed
    _try(work, found, SACRUM, centre, radius, frame.posterior, frame.superior)


def _try(
    work: _Work,
    found: dict[Vertebra, BodyShape],
    level: Vertebra,
    centre: FloatArray,
    radius: float,
    back: FloatArray,
    up: FloatArray,
) -> None:
    try:
        found[level] = measure_body(work.bones[level], centre_mm=centre, radius_mm=radius, back=back, up=up)
    except LandmarkError as error:
        work.notes.append(str(error))


def _nearest(level: Vertebra, found: dict[Vertebra, BodyShape]) -> Vertebra | None:
    return min(found, key=lambda v: (abs(v.number - level.number), v.number), default=None)


def _check_images(image: Volume, labels: LabelMap) -> None:
    require_same_frame(image.geometry.frame_uid, labels.geometry.frame_uid, "Image and label map")
    if not image.geometry.same_as(labels.geometry):
        raise ImageError(
            f"Image {image.geometry.shape} and label map {labels.geometry.shape} lie on different grids. "
            "Resample the label map to the image first (foramen case import does)."
        )


def _check_sides(labels: LabelMap) -> None:
    """Raise `LandmarkError` if a structure labelled left lies to the right of its right counterpart."""
    lateral: dict[str, dict[Side, float]] = {}
    for value, centre in _centres_mm(labels).items():
        entry = label(value)
        if entry is None or entry.side is None:
            continue
        stem = entry.name.replace("_left", "").replace("_right", "")
        lateral.setdefault(stem, {})[entry.side] = float(centre[0])
    for name, by_side in lateral.items():
        if len(by_side) == 2 and by_side[Side.LEFT] < by_side[Side.RIGHT]:
            raise LandmarkError(
                f"The label map is mirrored: {name} left lies {by_side[Side.RIGHT] - by_side[Side.LEFT]:.0f} mm to the "
                "right of its right counterpart. Export the labels again with their affine."
            )


def _centres_mm(labels: LabelMap) -> dict[int, FloatArray]:
    """Centre (LPS, mm) of each label from every second voxel along each axis: enough to tell left from right."""
    thin = labels.values[::2, ::2, ::2]
    flat = thin.ravel()
    counts = np.bincount(flat)
    axes = np.ogrid[tuple(map(slice, thin.shape))]
    sums = [np.bincount(flat, weights=np.broadcast_to(axis, thin.shape).ravel()) for axis in axes]
    present = np.flatnonzero(counts)
    return {
        int(value): labels.geometry.lps_mm(2.0 * np.array([total[value] for total in sums]) / counts[value])
        for value in present[present > 0]
    }


def _check_on_bone(image: Volume, labels: LabelMap) -> None:
    """Raise `ImageError` if the vertebral labels are not denser than what surrounds them."""
    mask = (labels.values > 0) & (labels.values < 5000)
    reach = max(1, round(number("registration.bone_contrast_reach_mm") / float(image.geometry.spacing_mm.min())))
    box = ndimage.find_objects(mask.astype(np.uint8))[0]
    block = tuple(slice(max(s.start - reach, 0), s.stop + reach) for s in box)
    inside = mask[block]
    around = ndimage.binary_dilation(inside, iterations=reach) & ~inside
    values = image.values[block]
    if not around.any():
        raise ImageError("The vertebral labels fill the whole image. Check the label map.")
    difference = float(values[inside].mean() - values[around].mean())
    limit = number("registration.bone_contrast_limit_hu")
    if difference < limit:
        raise ImageError(
            f"The vertebral labels do not lie on bone: only {difference:.0f} HU above their surroundings (limit "
            f"{limit:.0f} HU). The label map is shifted, mirrored or of another scan."
        )
