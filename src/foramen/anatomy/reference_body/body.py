"""A whole reference body as a CT with its label map and its truth."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from foramen.anatomy.reference_body.assembly import (
    blend_bones,
    paint_bones,
    paint_discs,
    paint_joints,
    paint_sacroiliac_joints,
    place_bones,
)
from foramen.anatomy.reference_body.basivertebral import draw_basivertebral_canals
from foramen.anatomy.reference_body.bending import bent_frames
from foramen.anatomy.reference_body.build import draw_build
from foramen.anatomy.reference_body.canvas import Canvas
from foramen.anatomy.reference_body.column import column_of, lumbar_levels
from foramen.anatomy.reference_body.ct_findings import draw_findings, material_of
from foramen.anatomy.reference_body.draw_nerves import draw_nerves
from foramen.anatomy.reference_body.hardware import draw_hardware
from foramen.anatomy.reference_body.person import Person
from foramen.anatomy.reference_body.person_bones import bones_of, canal_of, joint_spaces_mm, spine_of
from foramen.anatomy.reference_body.regions import COLUMN, REGIONS, region_of
from foramen.anatomy.reference_body.soft_tissue import paint_soft_tissue
from foramen.anatomy.reference_body.tissue_hu import GAS_VALUE, hu_of_label
from foramen.anatomy.reference_body.truth import true_anatomy
from foramen.errors import InputError, LevelError
from foramen.jobs.blas import with_one_blas_thread
from foramen.knowledge.facts import number
from foramen.knowledge.labels import FIRST_STRUCTURE, structure_value
from foramen.model.anatomy import Anatomy, VertebraFrame
from foramen.model.levels import Vertebra
from foramen.model.space import LabelMap, Modality, PatientPosition, Volume, VolumeGeometry

Field = NDArray[np.float32]

_NOISE_BLUR_VOXELS = 0.6
"""Correlation of the noise of neighbouring voxels."""

_FIELD_OF_VIEW_MM = (340.0, 240.0)
"""Width and depth of the image."""

_NECK_FIELD_OF_VIEW_MM, _NECK_BACK_EDGE_MM = (200.0, 190.0), 72.0
"""Width and depth of the image of a neck, and its posterior edge (LPS y)."""

_BACK_EDGE_MM, _BEHIND_THORAX_MM = 104.0, 12.0
"""Posterior edge of the image (LPS y; L3's body is the origin), and how much further back that of a thorax lies."""

_NEAR, _RIBS_ABOVE = 2, 5
"""How many vertebrae above and below an image can reach into it, and how many above it can carry ribs that do."""

_ABOVE_MM, _BELOW_MM, _SACRUM_BELOW_MM = 8.0, 8.0, 38.0
"""What the image shows above the highest endplate and below the lowest, and below the first sacral body."""

_WHOLE_SACRUM_BELOW_MM, _WHOLE_SACRUM_BEHIND_MM = 104.0, 28.0
"""What it shows below the first sacral body, and how much further it reaches back, with sacrum and coccyx whole."""


SACRUM = Vertebra("S1")

_ARCH_REACH_MM = (20.0, 35.0)
"""How far to the side and behind the endplate's centre a vertebra that leans is to be shown at its top."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReferenceBody:
    """A body made by code: CT, labels on the same grid, and the truth in LPS."""

    image: Volume
    labels: LabelMap
    anatomy: Anatomy
    patient_position: PatientPosition


@with_one_blas_thread
def make_reference_body(
    *,
    spacing_mm: float | tuple[float, float, float] = 1.0,
    seed: int | None = None,
    levels: tuple[str, ...] | None = None,
    noise_hu: float | None = None,
    field_of_view_mm: tuple[float, float] | None = None,
    has_whole_sacrum: bool = False,
    person: Person | None = None,
) -> ReferenceBody:
    """A body lying on its back (HFS), as a CT with labels and truth; lumbar unless other levels are given.

    Parameters
    ----------
    spacing_mm : float or tuple of three floats
        Voxel size along left, posterior and superior.
    seed : int or None
        Draws size, disc height, curve and fat within sourced ranges; None is the mean body.
    levels : tuple of str, optional
        Vertebrae in the field of view, neighbours, within C1 to S1; T12 to S1 if not given.
    noise_hu : float or None
        Standard deviation of the image noise; None takes `anatomy.ct_noise_hu`.
    field_of_view_mm : tuple of two floats or None
        Width and depth of the image; None fits the region; narrower images cut the flanks and the belly off.
    has_whole_sacrum : bool
        Show sacrum and coccyx down to their ends with the skin behind them (S1 must be among the levels): the image
        reaches further down and back than otherwise.
    person : Person, optional
        A virtual person (`virtual_person`), whose own build and changes the body has; `seed` must then be None.

    Raises
    ------
    InputError
        If the spacing is not positive or above 6 mm, the noise is negative, both a seed and a person are given, or the
        whole sacrum is wanted without S1.
    LevelError
        If a level is not part of the reference body.

    Notes
    -----
    The origin of LPS is the centre of L3's body. The same arguments give the same voxels and the same
    frame of reference UID.
    """
    spacing = _spacing(spacing_mm)
    noise = number("anatomy.ct_noise_hu") if noise_hu is None else noise_hu
    if noise < 0:
        raise InputError(f"Image noise is {noise} HU; it cannot be below 0.")
    if seed is not None and seed < 0:
        raise InputError(f"The seed {seed} is negative. Give 0 or more.")
    if person is not None and seed is not None:
        raise InputError("Give a seed or a person, not both: a person has its own seed.")
    whose = Person(build=draw_build(seed)) if person is None else person
    changes = whose.pathologies
    column = column_of(changes.transitional)
    frames = bent_frames(whose.build, column, changes)
    wanted = _levels(levels or lumbar_levels(column), tuple(frames))
    is_neck = all(_region(level) == "cervical" for level in wanted)
    field_of_view_mm = field_of_view_mm or (_NECK_FIELD_OF_VIEW_MM if is_neck else _FIELD_OF_VIEW_MM)
    if has_whole_sacrum and wanted[-1].name != "S1":
        raise InputError(f"The whole sacrum needs S1; the levels end at {wanted[-1]}. Add S1 to the levels.")
    told = () if person is None else (person,)
    uid = _frame_uid(spacing, seed, levels or REGIONS["lumbar"], noise, field_of_view_mm, has_whole_sacrum, *told)
    leaning_mm = 0.0 if person is None else _leaning_mm(frames[wanted[0]])
    shown = {level: frames[level] for level in wanted}
    geometry = _geometry(
        shown, spacing, field_of_view_mm, uid, leaning_mm=leaning_mm, has_whole_sacrum=has_whole_sacrum
    )
    canvas = Canvas(geometry=geometry, labels=np.zeros(geometry.shape, dtype=np.uint16, order="F"))  # slices contiguous
    carriers = bones_of(whose, _beside(tuple(frames), wanted, _RIBS_ABOVE))
    near = {level: carriers[level] for level in _beside(tuple(frames), wanted, _NEAR)}
    paint_soft_tissue(canvas, spine_of(column, frames, whose.build), canal_of(changes, frames))
    paint_discs(canvas, carriers, {disc.above: disc.bulge_mm for disc in changes.discs})
    bones = place_bones(canvas, near, carriers, joint_spaces_mm(changes))
    paint_joints(canvas, bones, near)
    if SACRUM in near:
        paint_sacroiliac_joints(canvas, bones, near[SACRUM])
    anatomy = true_anatomy(near, uid, wanted, whose)
    image: Field = hu_of_label()[canvas.labels]
    draw_nerves(image, canvas, anatomy, number("anatomy.hu_nerve"))
    blend_bones(image, canvas, bones, material_of(whose))
    draw_basivertebral_canals(image, canvas, anatomy, number("anatomy.hu_basivertebral_canal"))
    draw_findings(image, canvas, bones, near, whose)
    paint_bones(canvas, bones)
    if changes.fusion is not None:
        draw_hardware(image, canvas, bones_of(whose), changes.fusion)
    first = whose.seed if seed is None and person is not None else -1 if seed is None else seed
    values = _noisy(image, noise, np.random.default_rng([first + 1, 2300]))
    canvas.labels[canvas.labels == GAS_VALUE] = structure_value("colon")
    return ReferenceBody(
        image=Volume(
            geometry=geometry, values=np.ascontiguousarray(np.rint(values)), modality=Modality.CT
        ),  # as scanners do
        labels=LabelMap(geometry=geometry, values=np.ascontiguousarray(canvas.labels)),
        anatomy=anatomy,
        patient_position=PatientPosition.HFS,
    )


def _noisy(image: Field, noise_hu: float, generator: np.random.Generator) -> Field:
    """The image with noise, larger in dense tissue."""
    noise = generator.standard_normal(image.shape[::-1], dtype=np.float32).T  # laid out as the image
    blurred = gaussian_filter(noise, _NOISE_BLUR_VOXELS, truncate=2.0)
    blurred *= np.float32(noise_hu / max(float(blurred[::4, ::4, ::4].std()), 1e-6))
    gain = np.float32(number("anatomy.ct_noise_dense_gain"))
    blurred *= np.where(image > number("anatomy.ct_noise_dense_hu"), gain, np.float32(1.0))
    image += blurred
    return image


def _spacing(spacing_mm: float | tuple[float, float, float]) -> tuple[float, float, float]:
    found = (spacing_mm,) * 3 if isinstance(spacing_mm, int | float) else tuple(spacing_mm)
    if len(found) != 3 or not all(0.4 <= s <= 6.0 for s in found):
        raise InputError(f"The voxel size {spacing_mm} mm is not usable: give 0.4 to 6 mm, one value or three.")
    return found[0], found[1], found[2]


def _levels(names: tuple[str, ...], column: tuple[Vertebra, ...]) -> tuple[Vertebra, ...]:
    wanted = [place for place, level in enumerate(column) if level.name in names]
    if not wanted or set(names) - {level.name for level in column}:
        has = ", ".join(level.name for level in column)
        raise LevelError(f"The reference body has {has}, not {', '.join(names) or 'nothing'}.")
    return column[wanted[0] : wanted[-1] + 1]


def _beside(column: tuple[Vertebra, ...], levels: tuple[Vertebra, ...], above: int) -> tuple[Vertebra, ...]:
    """Bones that can reach into an image of `levels`: as many above it as given, and those below it."""
    first, last = column.index(levels[0]), column.index(levels[-1])
    return column[max(first - above, 0) : last + 1 + _NEAR]


def _region(level: Vertebra) -> str:
    """Region of a vertebra, also of one that the usual column does not have."""
    return region_of(level) if level.name in COLUMN else "lumbar"


def _leaning_mm(highest: VertebraFrame) -> float:
    """How much further up an image must reach because the highest vertebra leans forwards or to a side."""
    forwards, sideways = max(float(highest.posterior[2]), 0.0), abs(float(highest.left[2]))
    return _ARCH_REACH_MM[1] * forwards + _ARCH_REACH_MM[0] * sideways


def _geometry(
    shown: Mapping[Vertebra, VertebraFrame],
    spacing: tuple[float, float, float],
    field_of_view_mm: tuple[float, float],
    uid: str,
    *,
    leaning_mm: float,
    has_whole_sacrum: bool,
) -> VolumeGeometry:
    levels = list(shown)
    below, behind = _SACRUM_BELOW_MM if levels[-1].name == "S1" else _BELOW_MM, 0.0
    if has_whole_sacrum:
        below, behind = _WHOLE_SACRUM_BELOW_MM, _WHOLE_SACRUM_BEHIND_MM
    top = shown[levels[0]].superior_endplate_mm[2] + _ABOVE_MM + leaning_mm
    bottom = shown[levels[-1]].inferior_endplate_mm[2] - below
    back_edge_mm = _BACK_EDGE_MM + (_BEHIND_THORAX_MM if _region(levels[0]) == "thoracic" else 0.0)
    back_edge_mm = (_NECK_BACK_EDGE_MM if _region(levels[-1]) == "cervical" else back_edge_mm) + behind
    extent = (field_of_view_mm[0], field_of_view_mm[1] + behind, top - bottom)
    shape = tuple(max(round(e / s), 1) for e, s in zip(extent, spacing, strict=True))
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = (
        -0.5 * (shape[0] - 1) * spacing[0],
        back_edge_mm - (shape[1] - 1) * spacing[1],
        bottom,
    )
    return VolumeGeometry(shape=(shape[0], shape[1], shape[2]), affine_mm=affine, frame_uid=uid)


def _frame_uid(*arguments: object) -> str:
    digest = hashlib.sha256(repr(("reference body", FIRST_STRUCTURE, *arguments)).encode()).digest()
    return f"2.25.{int.from_bytes(digest[:16], 'big')}"
