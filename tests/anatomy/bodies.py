"""Reference bodies and real scans as (image, labels), with the moves under which anatomy must not change."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import nibabel as nib
import numpy as np

from anatomy.segment_truth import RAS_TO_LPS, SegmentFiles, load_segment
from foramen.anatomy.build import build_anatomy
from foramen.anatomy.reference_body import ReferenceBody, make_reference_body
from foramen.knowledge.labels import vertebra_value
from foramen.model.anatomy import Anatomy, Landmark
from foramen.model.levels import Side, Vertebra
from foramen.model.space import FloatArray, LabelMap, Modality, Volume, VolumeGeometry

Scan = tuple[Volume, LabelMap]

TOTALSEG = {26: "S1", 27: "L5", 28: "L4", 29: "L3", 30: "L2", 31: "L1", 32: "T12", 33: "T11"}
"""TotalSegmentator v2 numbers of `ct_lumbar_3mm`."""


@cache
def body(spacing_mm: float | tuple[float, float, float]) -> ReferenceBody:
    """A seeded body that is not the mean (its sizes differ from the reference vertebrae's) without T12."""
    return make_reference_body(spacing_mm=spacing_mm, seed=3, field_of_view_mm=(160.0, 130.0))


def instances_only(labels: LabelMap) -> LabelMap:
    """The label map with all vertebral parts merged, as segmentation programs give it."""
    values = labels.values.copy()
    bone = values < 5000
    values[bone] = values[bone] // 100 * 100
    return LabelMap(geometry=labels.geometry, values=values)


def rearranged(scan: Scan, order: tuple[int, int, int], flipped: tuple[int, ...]) -> Scan:
    """The same patient stored with other array axes: anatomy must stay where it is."""
    image, labels = scan
    old = image.geometry
    permutation = np.zeros((4, 4))
    permutation[3, 3] = 1.0
    for new, axis in enumerate(order):
        permutation[axis, new] = 1.0
        if new in flipped:
            permutation[axis, new] = -1.0
            permutation[axis, 3] = old.shape[axis] - 1
    values, numbers = np.transpose(image.values, order), np.transpose(labels.values, order)
    values, numbers = np.flip(values, flipped).copy(), np.flip(numbers, flipped).copy()
    geometry = VolumeGeometry(shape=values.shape, affine_mm=old.affine_mm @ permutation, frame_uid=old.frame_uid)
    return (
        Volume(geometry=geometry, values=values, modality=image.modality),
        LabelMap(geometry=geometry, values=numbers),
    )


def moved(scan: Scan, affine: FloatArray) -> Scan:
    """The patient moved in space by an affine (4, 4): the grid's affine changes, the arrays do not."""
    image, labels = scan
    old = image.geometry
    geometry = VolumeGeometry(shape=old.shape, affine_mm=affine @ old.affine_mm, frame_uid=old.frame_uid)
    return (
        Volume(geometry=geometry, values=image.values, modality=image.modality),
        LabelMap(geometry=geometry, values=labels.values),
    )


def by_name(anatomy: Anatomy) -> dict[tuple[Vertebra, str, Side], Landmark]:
    """All landmarks by vertebra, name and side."""
    return {(v.level, m.name.value, m.side): m for v in anatomy.vertebrae for m in v.landmarks}


@cache
def segment_anatomy(data_folder: Path) -> Anatomy:
    """Anatomy of `ct_lumbar_segment` from its CT and instance map."""
    return anatomy_of_files(load_segment(data_folder))


def anatomy_of_files(files: SegmentFiles) -> Anatomy:
    """Anatomy from the image and the instance map of a labelled patch: the sub-regions are not seen."""
    shape = files.image.shape
    geometry = VolumeGeometry(shape=(shape[0], shape[1], shape[2]), affine_mm=files.affine_mm, frame_uid="1.2.3")
    values = np.zeros(shape, dtype=np.uint16)
    for value, level in files.levels.items():
        values[files.instances == value] = vertebra_value(level)
    image = Volume(geometry=geometry, values=files.image, modality=Modality.CT)
    return build_anatomy(image, LabelMap(geometry=geometry, values=values))


@cache
def lumbar_scan(data_folder: Path) -> Scan:
    """`ct_lumbar_3mm` with its vertebrae."""
    folder = data_folder / "ct_lumbar_3mm"
    image, labels = nib.load(folder / "ct.nii.gz"), np.asarray(nib.load(folder / "totalseg.nii.gz").dataobj)
    geometry = VolumeGeometry(shape=image.shape, affine_mm=RAS_TO_LPS @ image.affine, frame_uid="1.2.4")
    values = np.zeros(image.shape, dtype=np.uint16)
    for value, name in TOTALSEG.items():
        values[labels == value] = vertebra_value(Vertebra(name))
    hounsfield = np.asarray(image.dataobj, dtype=np.float32)
    return (
        Volume(geometry=geometry, values=hounsfield, modality=Modality.CT),
        LabelMap(geometry=geometry, values=values),
    )


@cache
def lumbar_anatomy(data_folder: Path) -> Anatomy:
    """Anatomy of `ct_lumbar_3mm`."""
    return build_anatomy(*lumbar_scan(data_folder))
