"""Structures that heat must not reach, as points at which to read the temperature."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from foramen.anatomy.keep_outs import nerves_not_placed
from foramen.anatomy.tissue_map import TissueMap
from foramen.knowledge.labels import structure_labels, structure_value
from foramen.model.anatomy import Anatomy, Nerve, NerveKind
from foramen.model.levels import Side, Vertebra
from foramen.model.space import FloatArray, LabelMap, VolumeGeometry

AROUND = 12
"""Points around a nerve at each point of its centreline."""

_PROTECTED = (NerveKind.SPINAL_NERVE, NerveKind.DORSAL_ROOT_GANGLION)
_CANAL = {"thecal_sac": "thecal sac", "canal": "spinal canal"}


class Sensitivity(StrEnum):
    """Which temperature limits apply; the values begin the names of a technique's limits."""

    SPINAL_NERVE = "spinal_nerve"
    THECAL_SAC = "thecal_sac"
    SKIN = "skin"
    HARDWARE = "hardware"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SensitiveStructure:
    """A structure and points (n, 3) on it, LPS; `points_mm` is None if the patient's data do not show it.

    No points at all (n = 0) means that it is shown, but nowhere near.
    """

    name: str
    sensitivity: Sensitivity
    points_mm: FloatArray | None
    note: str = ""


def sensitive_structures(
    anatomy: Anatomy,
    labels: LabelMap,
    tissues: TissueMap,
    *,
    beside: tuple[Vertebra, Side],
    centres_mm: FloatArray,
    entries_mm: FloatArray,
    reach_mm: float,
) -> tuple[SensitiveStructure, ...]:
    """Spinal nerves and ganglia, thecal sac, canal, skin and metal, with their points within reach of the lesions.

    Parameters
    ----------
    beside : tuple of Vertebra and Side
        Where the lesions are: the nerves of the foramina above and below that bone are listed even if they
        could not be placed.
    centres_mm, entries_mm : ndarray, shape (m, 3)
        Centres of the active tips and entries into the skin, LPS.
    reach_mm : float
        Points farther from every centre are left out: they stay at baseline. Entries always count.
    """
    return (
        *_nerves(anatomy, beside, centres_mm, reach_mm),
        *_canal(labels, centres_mm, reach_mm),
        _skin(tissues, labels, centres_mm, entries_mm, reach_mm),
        *_hardware(tissues, centres_mm, reach_mm),
    )


def nerve_surface(centreline_mm: FloatArray, radius_mm: float, *, spacing_mm: float = 0.2) -> FloatArray:
    """Points (n, `AROUND` + 1, 3) across a nerve: its centre and its rim, at steps along the centreline."""
    along = _resampled(centreline_mm, spacing_mm)
    tangent = np.gradient(along, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    helper = np.eye(3)[np.abs(tangent).argmin(axis=1)]
    first = np.cross(tangent, helper)
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    second = np.cross(tangent, first)
    angle = np.arange(AROUND) * 2 * np.pi / AROUND
    rim = np.cos(angle)[:, None] * first[:, None] + np.sin(angle)[:, None] * second[:, None]
    return np.concatenate([along[:, None], along[:, None] + radius_mm * rim], axis=1)


def _resampled(line_mm: FloatArray, spacing_mm: float) -> FloatArray:
    """A polyline at even steps of at most `spacing_mm`."""
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(line_mm, axis=0), axis=1))])
    at = np.linspace(0, length[-1], max(2, int(np.ceil(length[-1] / spacing_mm)) + 1))
    return np.stack([np.interp(at, length, line_mm[:, axis]) for axis in range(3)], axis=1)


def _near(points_mm: FloatArray, centres_mm: FloatArray, reach_mm: float) -> FloatArray:
    distance = np.linalg.norm(points_mm[:, None] - centres_mm[None], axis=2).min(axis=1)
    near: FloatArray = points_mm[distance <= reach_mm]
    return near


def _nerves(
    anatomy: Anatomy, beside: tuple[Vertebra, Side], centres_mm: FloatArray, reach_mm: float
) -> list[SensitiveStructure]:
    found = []
    vertebra, side = beside
    for kind in _PROTECTED:
        nerves = [nerve for nerve in anatomy.nerves if nerve.kind is kind]
        for root in nerves_not_placed(nerves, kind, beside=vertebra, side=side):
            name = f"{side.value} {root.name} {kind.value.replace('_', ' ')}"
            note = f"It could not be placed ({root.name} is not labelled or not whole): its temperature is unknown."
            found.append(SensitiveStructure(name=name, sensitivity=Sensitivity.SPINAL_NERVE, points_mm=None, note=note))
        found += [near for nerve in nerves if (near := _nerve(nerve, centres_mm, reach_mm)) is not None]
    return found


def _nerve(nerve: Nerve, centres_mm: FloatArray, reach_mm: float) -> SensitiveStructure | None:
    points = _near(nerve_surface(nerve.centreline_mm, nerve.radius_mm).reshape(-1, 3), centres_mm, reach_mm)
    if not len(points):
        return None
    name = f"{nerve.side.value} {nerve.name}"
    note = f"course {nerve.origin.value.replace('_', ' ')}, standard deviation {nerve.variation_sd_mm:.1f} mm"
    return SensitiveStructure(name=name, sensitivity=Sensitivity.SPINAL_NERVE, points_mm=points, note=note)


def _canal(labels: LabelMap, centres_mm: FloatArray, reach_mm: float) -> list[SensitiveStructure]:
    box = _box(labels.geometry, centres_mm, reach_mm)
    present = set(np.unique(labels.values).tolist())
    found = []
    for group, name in _CANAL.items():
        values = [entry.value for entry in structure_labels() if entry.keep_out == group and entry.value in present]
        if not values:
            continue
        corners = _rim_corners_mm(labels.geometry, np.isin(labels.values[box], values), box)
        points = _near(corners, centres_mm, reach_mm)
        note = "read at the corners of its labelled voxels"
        found.append(SensitiveStructure(name=name, sensitivity=Sensitivity.THECAL_SAC, points_mm=points, note=note))
    if not found:
        note = "The labels show neither thecal sac nor canal: its temperature is unknown."
        found.append(
            SensitiveStructure(name="thecal sac", sensitivity=Sensitivity.THECAL_SAC, points_mm=None, note=note)
        )
    return found


def _skin(
    tissues: TissueMap, labels: LabelMap, centres_mm: FloatArray, entries_mm: FloatArray, reach_mm: float
) -> SensitiveStructure:
    box = _box(tissues.geometry, centres_mm, reach_mm)
    outside = tissues.origin_index[box] == 0
    labelled = labels.values[box] == structure_value("skin")
    rim = ndimage.binary_dilation(outside, iterations=1) & ~outside
    index = np.argwhere(labelled | rim) + np.array([part.start for part in box])
    points = _near(tissues.geometry.lps_mm(index), centres_mm, reach_mm)
    has_air = bool((tissues.origin_index == 0).any() or labelled.any())
    if not has_air:
        note = "The image does not reach the skin: its temperature is unknown."
        return SensitiveStructure(name="skin", sensitivity=Sensitivity.SKIN, points_mm=None, note=note)
    return SensitiveStructure(
        name="skin", sensitivity=Sensitivity.SKIN, points_mm=np.concatenate([points, entries_mm]), note=""
    )


def _hardware(tissues: TissueMap, centres_mm: FloatArray, reach_mm: float) -> list[SensitiveStructure]:
    """Metal within reach, labelled or seen in the image; nothing where a CT shows none, UNKNOWN on an MR."""
    box = _box(tissues.geometry, centres_mm, reach_mm)
    metal = tissues.tissue_index[box] == tissues.names.index("metal")
    points = _near(_rim_corners_mm(tissues.geometry, metal, box), centres_mm, reach_mm)
    if not len(points) and not tissues.is_density_known:
        note = "No metal is labelled, and an MR does not tell it: ask for implants and look at the images."
        return [SensitiveStructure(name="hardware", sensitivity=Sensitivity.HARDWARE, points_mm=None, note=note)]
    if not len(points):
        return []
    note = "metal in the image; read at the corners of its voxels"
    return [SensitiveStructure(name="hardware", sensitivity=Sensitivity.HARDWARE, points_mm=points, note=note)]


def _box(geometry: VolumeGeometry, centres_mm: FloatArray, reach_mm: float) -> tuple[slice, slice, slice]:
    """Voxels that may lie within reach of any centre."""
    index = geometry.index(centres_mm)
    margin = reach_mm / geometry.spacing_mm + 1
    low = np.clip(np.floor(index.min(axis=0) - margin), 0, np.array(geometry.shape) - 1).astype(int)
    high = np.clip(np.ceil(index.max(axis=0) + margin) + 1, low + 1, geometry.shape).astype(int)
    return slice(low[0], high[0]), slice(low[1], high[1]), slice(low[2], high[2])


def _rim_corners_mm(geometry: VolumeGeometry, mask: NDArray[np.bool_], box: Sequence[slice]) -> FloatArray:
    """Corners, LPS, of the voxels of a mask that have a neighbour outside it."""
    rim = mask & ~ndimage.binary_erosion(mask)
    index = np.argwhere(rim) + np.array([part.start for part in box])
    corners = np.array(np.meshgrid((-0.5, 0.5), (-0.5, 0.5), (-0.5, 0.5), indexing="ij")).reshape(3, -1).T
    return geometry.lps_mm((index[:, None] + corners[None]).reshape(-1, 3))
