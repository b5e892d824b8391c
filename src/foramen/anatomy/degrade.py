"""Label maps as segmentation programs give them: borders off, tips lost, neighbours mixed up, thick slices."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, find_objects, gaussian_filter, map_coordinates, zoom

from foramen.errors import InputError
from foramen.knowledge.facts import number, numbers
from foramen.knowledge.labels import FIRST_STRUCTURE, part_names, structure_value
from foramen.model.space import LabelMap

SEVERITIES = ("mild", "moderate", "severe")
"""Names of the three columns of the `cohort.degrade_...` facts."""

NOISE_STEP_MM = 3.0
"""Grid on which smooth noise is drawn; finer than its correlation length."""

Labels = NDArray[np.uint16]


@dataclass(frozen=True, slots=True, kw_only=True)
class Degradation:
    """How far a label map is degraded; a value of 0 leaves that out.

    Parameters
    ----------
    boundary_mm : float
        Standard deviation, along each axis, of a smooth shift of all borders.
    tip_mm, tip_share_percent : float
        Mean length lost from the tip of a transverse or spinous process, and how many lose theirs.
    merge_mm : float
        By how much the border of two neighbours wanders within a facet joint, whose space is filled with bone.
    slice_mm : float
        Thickness of the slices on which labels were made.
    has_parts : bool
        Whether the parts of a vertebra are still told apart.
    """

    boundary_mm: float = 0.0
    tip_mm: float = 0.0
    tip_share_percent: float = 0.0
    merge_mm: float = 0.0
    slice_mm: float = 0.0
    has_parts: bool = True

    def __post_init__(self) -> None:
        if min(self.boundary_mm, self.tip_mm, self.tip_share_percent, self.merge_mm, self.slice_mm) < 0:
            raise InputError("A label map cannot be degraded by less than 0. Give 0 to leave a change out.")


def degradation(severity: str, *, has_parts: bool = False) -> Degradation:
    """The stated degradation of a severity ("mild", "moderate", "severe"), by default without vertebral parts."""
    if severity not in SEVERITIES:
        raise InputError(f"{severity!r} is not a severity. Give {', '.join(SEVERITIES)}.")
    column = SEVERITIES.index(severity)

    def value(name: str) -> float:
        return numbers(f"cohort.degrade_{name}")[column]

    return Degradation(
        boundary_mm=value("boundary_mm"),
        tip_mm=value("tip_mm"),
        tip_share_percent=value("tip_share_percent"),
        merge_mm=value("merge_mm"),
        slice_mm=value("slice_mm"),
        has_parts=has_parts,
    )


def degrade(labels: LabelMap, how: Degradation, generator: np.random.Generator) -> LabelMap:
    """The label map made worse in the stated way; only the box around labelled vertebrae is changed.

    Parameters
    ----------
    labels : LabelMap
        With vertebral parts if tips are to be lost or joints mixed up.
    how : Degradation
        What is done, in the order tips, joints, borders, slices, parts.
    generator : Generator
        Source of randomness.
    """
    values = labels.values.copy()
    spacing = labels.geometry.spacing_mm
    bone = np.argwhere((values > 0) & (values < FIRST_STRUCTURE))
    if len(bone):
        margin = np.ceil(6.0 / spacing).astype(int)
        low, high = np.maximum(bone.min(0) - margin, 0), np.minimum(bone.max(0) + margin + 1, values.shape)
        box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
        part = values[box].copy()
        if how.tip_mm and how.tip_share_percent:
            _lose_tips(part, spacing, how, generator)
        if how.merge_mm:
            _mix_joints(part, spacing, how.merge_mm, generator)
        if how.boundary_mm:
            part = _shift_borders(part, spacing, how.boundary_mm, generator)
        values[box] = part
    if how.slice_mm:
        values = thick_slices(values, float(spacing[2]), how.slice_mm)
    if not how.has_parts:
        values = without_parts(values)
    return LabelMap(geometry=labels.geometry, values=np.ascontiguousarray(values))


def without_parts(values: Labels) -> Labels:
    """Labels with the parts of each vertebra merged."""
    found = values.copy()
    bone = values < FIRST_STRUCTURE
    found[bone] = values[bone] // 100 * 100
    return found


def thick_slices(values: Labels, spacing_mm: float, slice_mm: float) -> Labels:
    """Labels made on slices of `slice_mm` along the last axis: the middle of each slice stands for all of it."""
    count = max(round(slice_mm / spacing_mm), 1)
    index = np.arange(values.shape[2]) // count * count + count // 2
    found: Labels = values[:, :, np.minimum(index, values.shape[2] - 1)]
    return found


def smooth_noise(
    shape: tuple[int, ...], spacing_mm: NDArray[np.float64], correlation_mm: float, generator: np.random.Generator
) -> NDArray[np.float32]:
    """A Gaussian random field of unit variance on a grid, drawn on a coarser one."""
    coarse = [max(int(np.ceil(n * s / NOISE_STEP_MM)) + 1, 2) for n, s in zip(shape, spacing_mm, strict=True)]
    noise = gaussian_filter(
        generator.standard_normal(coarse, dtype=np.float32), correlation_mm / np.sqrt(2.0) / NOISE_STEP_MM, mode="wrap"
    )
    noise /= max(float(noise.std()), 1e-6)
    full = zoom(noise, [n / m for n, m in zip(shape, coarse, strict=True)], order=1, grid_mode=True, mode="nearest")
    found: NDArray[np.float32] = full[tuple(slice(n) for n in shape)].astype(np.float32)
    return found


def _shift_borders(
    values: Labels, spacing_mm: NDArray[np.float64], sd_mm: float, generator: np.random.Generator
) -> Labels:
    correlation_mm = number("cohort.degrade_boundary_correlation_mm")
    index = [
        np.arange(n, dtype=np.float32).reshape([-1 if a == axis else 1 for a in range(3)])
        + smooth_noise(values.shape, spacing_mm, correlation_mm, generator) * np.float32(sd_mm / spacing_mm[axis])
        for axis, n in enumerate(values.shape)
    ]
    found: Labels = map_coordinates(values, index, order=0, mode="nearest")
    return found


def _lose_tips(
    values: Labels, spacing_mm: NDArray[np.float64], how: Degradation, generator: np.random.Generator
) -> None:
    names = part_names()
    body = names.index("body")
    tips = [i for i, name in enumerate(names) if name in ("spinous", "transverse_left", "transverse_right")]
    for number_, box in _vertebrae(values):
        block = values[box]
        middle = np.argwhere(block == 100 * number_ + body).mean(0) if (block == 100 * number_ + body).any() else None
        for part in tips:
            voxels = np.argwhere(block == 100 * number_ + part)
            is_lost = generator.random() < 0.01 * how.tip_share_percent
            length_mm = how.tip_mm * generator.uniform(0.5, 1.5)
            if not is_lost or middle is None or not len(voxels):
                continue
            away = np.linalg.norm((voxels - middle) * spacing_mm, axis=1)
            lost = voxels[away > away.max() - length_mm]
            block[tuple(lost.T)] = 0


def _mix_joints(
    values: Labels, spacing_mm: NDArray[np.float64], merge_mm: float, generator: np.random.Generator
) -> None:
    """Let the border of neighbours wander within their joints, and fill the joint spaces."""
    names = part_names()
    joint = structure_value("facet_joint")
    found = dict(_vertebrae(values))
    for upper, lower in [(a, b) for a in found for b in found if _is_next(a, b, tuple(found))]:
        for side in ("left", "right"):
            own, other = (
                100 * upper + names.index(f"inferior_articular_{side}"),
                100 * lower + names.index(f"superior_articular_{side}"),
            )
            near = np.argwhere((values == own) | (values == other))
            if not len(near) or not (values == own).any() or not (values == other).any():
                continue
            box = tuple(slice(max(a - 4, 0), b + 5) for a, b in zip(near.min(0), near.max(0), strict=True))
            block = values[box]
            to_own = distance_transform_edt(block != own, sampling=spacing_mm)
            to_other = distance_transform_edt(block != other, sampling=spacing_mm)
            limit = merge_mm + spacing_mm.max()
            zone = (to_own < limit) & (to_other < limit) & ((block == own) | (block == other) | (block == joint))
            wander = merge_mm * smooth_noise(block.shape, spacing_mm, 4 * merge_mm, generator)
            goes_to_own = to_own - to_other + wander < 0
            block[zone] = np.where(goes_to_own[zone], own, other)


def _is_next(upper: int, lower: int, present: tuple[int, ...]) -> bool:
    order = sorted(present, key=_place)
    return order.index(lower) == order.index(upper) + 1


def _place(number_: int) -> float:
    return 19.5 if number_ == 28 else float(number_)  # T13 stands between T12 and L1


def _vertebrae(values: Labels) -> list[tuple[int, tuple[slice, ...]]]:
    """Vertebra numbers that are labelled, with the boxes that they fill."""
    numbers_ = np.where(values < FIRST_STRUCTURE, values // 100, 0).astype(np.int32)
    return [(i + 1, box) for i, box in enumerate(find_objects(numbers_)) if box is not None]
