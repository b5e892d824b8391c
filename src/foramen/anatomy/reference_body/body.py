"""A whole reference body as a CT with its label map and its truth."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from foramen.anatomy.reference_body.assembly import (
    PlacedBone,
    blend_bones,
    paint_bones,
    paint_discs,
    paint_joints,
    paint_sacroiliac_joints,
    place_bones,
)
from foramen.anatomy.reference_body.basivertebral import draw_basivertebral_canals
from foramen.anatomy.reference_body.build import draw_build
from foramen.anatomy.reference_body.canvas import Canvas
from foramen.anatomy.reference_body.draw_nerves import draw_nerves
from foramen.anatomy.reference_body.placement import Placement
from foramen.anatomy.reference_body.posture import frames_of
from foramen.anatomy.reference_body.regions import LEVELS, REGIONS, region_of
from foramen.anatomy.reference_body.soft_tissue import paint_soft_tissue
from foramen.anatomy.reference_body.spine_line import SpineLine
from foramen.anatomy.reference_body.tissue_hu import GAS_VALUE, hu_of_label
from foramen.anatomy.reference_body.truth import true_anatomy
from foramen.errors import InputError, LevelError
from foramen.jobs.blas import with_one_blas_thread
from foramen.knowledge.facts import number
from foramen.knowledge.labels import FIRST_STRUCTURE, structure_value
from foramen.model.anatomy import Anatomy
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
    levels: tuple[str, ...] = REGIONS["lumbar"],
    noise_hu: float | None = None,
    field_of_view_mm: tuple[float, float] | None = None,
    has_whole_sacrum: bool = False,
) -> ReferenceBody:
    """A body lying on its back (HFS), as a CT with labels and truth; lumbar unless other levels are given.

    Parameters
    ----------
    spacing_mm : float or tuple of three floats
        Voxel size along left, posterior and superior.
    seed : int or None
        Draws size, disc height, curve and fat within sourced ranges; None is the mean body.
    levels : tuple of str
        Vertebrae in the field of view, neighbours, within C1 to S1.
    noise_hu : float or None
        Standard deviation of the image noise; None takes `anatomy.ct_noise_hu`.
    field_of_view_mm : tuple of two floats or None
        Width and depth of the image; None fits the region; narrower images cut the flanks and the belly off.
    has_whole_sacrum : bool
        Show sacrum and coccyx down to their ends with the skin behind them (S1 must be among the levels): the image
        reaches further down and back than otherwise.

    Raises
    ------
    InputError
        If the spacing is not positive or above 6 mm, the noise is negative, or the whole sacrum is wanted without S1.
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
    wanted = _levels(levels)
    if seed is not None and seed < 0:
        raise InputError(f"The seed {seed} is negative. Give 0 or more.")
    is_neck = all(region_of(level) == "cervical" for level in wanted)
    field_of_view_mm = field_of_view_mm or (_NECK_FIELD_OF_VIEW_MM if is_neck else _FIELD_OF_VIEW_MM)
    build = draw_build(seed)
    frames = {level: frame for level, frame in frames_of(build).items() if level.name in LEVELS}
    spine = SpineLine(frames=frames, build=build)
    placements = {level: Placement(level=level, frame=frame, scale=build.scale) for level, frame in frames.items()}
    if has_whole_sacrum and wanted[-1].name != "S1":
        raise InputError(f"The whole sacrum needs S1; the levels end at {wanted[-1]}. Add S1 to the levels.")
    uid = _frame_uid(spacing, seed, levels, noise, field_of_view_mm, has_whole_sacrum)
    geometry = _geometry(spine, wanted, spacing, field_of_view_mm, uid, has_whole_sacrum=has_whole_sacrum)
    canvas = Canvas(geometry=geometry, labels=np.zeros(geometry.shape, dtype=np.uint16, order="F"))  # slices contiguous
    paint_soft_tissue(canvas, spine)
    paint_discs(canvas, frames, build)
    near, carriers = (_beside(placements, wanted, above) for above in (_NEAR, _RIBS_ABOVE))
    bones = place_bones(canvas, near, carriers)
    paint_joints(canvas, bones, {level: frames[level] for level in near}, build)
    paint_sacroiliac_joints(canvas, bones, frames[Vertebra("S1")], build)
    anatomy = true_anatomy(near, uid, wanted)
    values = _image(canvas, bones, anatomy, noise, np.random.default_rng([0 if seed is None else seed + 1, 2300]))
    paint_bones(canvas, bones)
    canvas.labels[canvas.labels == GAS_VALUE] = structure_value("colon")
    return ReferenceBody(
        image=Volume(
            geometry=geometry, values=np.ascontiguousarray(np.rint(values)), modality=Modality.CT
        ),  # as scanners do
        labels=LabelMap(geometry=geometry, values=np.ascontiguousarray(canvas.labels)),
        anatomy=anatomy,
        patient_position=PatientPosition.HFS,
    )


def _image(
    canvas: Canvas, bones: list[PlacedBone], anatomy: Anatomy, noise_hu: float, generator: np.random.Generator
) -> Field:
    """Hounsfield units of the canvas, bones and nerves, with noise (bones not yet in the labels)."""
    image: Field = hu_of_label()[canvas.labels]
    draw_nerves(image, canvas, anatomy, number("anatomy.hu_nerve"))
    blend_bones(image, canvas, bones)
    draw_basivertebral_canals(image, canvas, anatomy, number("anatomy.hu_basivertebral_canal"))
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


def _levels(names: tuple[str, ...]) -> tuple[Vertebra, ...]:
    wanted = [name for name in LEVELS if name in names]
    if not wanted or set(names) - set(LEVELS):
        raise LevelError(f"The reference body has {', '.join(LEVELS)}, not {', '.join(names) or 'nothing'}.")
    first, last = LEVELS.index(wanted[0]), LEVELS.index(wanted[-1])
    return tuple(Vertebra(name) for name in LEVELS[first : last + 1])


def _beside(
    placements: dict[Vertebra, Placement], levels: tuple[Vertebra, ...], above: int
) -> dict[Vertebra, Placement]:
    """Bones that can reach into an image of `levels`: as many above it as given, and those below it."""
    names = list(placements)
    first, last = names.index(levels[0]), names.index(levels[-1])
    return {level: placements[level] for level in names[max(first - above, 0) : last + 1 + _NEAR]}


def _geometry(
    spine: SpineLine,
    levels: tuple[Vertebra, ...],
    spacing: tuple[float, float, float],
    field_of_view_mm: tuple[float, float],
    uid: str,
    *,
    has_whole_sacrum: bool,
) -> VolumeGeometry:
    below, behind = _SACRUM_BELOW_MM if levels[-1].name == "S1" else _BELOW_MM, 0.0
    if has_whole_sacrum:
        below, behind = _WHOLE_SACRUM_BELOW_MM, _WHOLE_SACRUM_BEHIND_MM
    top = spine.frames[levels[0]].superior_endplate_mm[2] + _ABOVE_MM
    bottom = spine.frames[levels[-1]].inferior_endplate_mm[2] - below
    back_edge_mm = _BACK_EDGE_MM + (_BEHIND_THORAX_MM if region_of(levels[0]) == "thoracic" else 0.0)
    back_edge_mm = (_NECK_BACK_EDGE_MM if region_of(levels[-1]) == "cervical" else back_edge_mm) + behind
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
