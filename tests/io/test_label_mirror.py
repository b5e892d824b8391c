"""Label maps without sides that are flipped from left to right no longer fit the bones; what cannot be seen is said."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from foramen.anatomy.reference_body import make_reference_body
from foramen.errors import ImageError
from foramen.io.dicom import read_dicom_series
from foramen.io.label_agreement import mirror_fault
from foramen.io.label_maps import require_agreement
from foramen.io.nifti import on_grid_of, read_array, read_image
from foramen.knowledge.labels import structure_value, vertebra_value
from foramen.model.levels import Vertebra
from foramen.model.space import LabelMap, Volume

SMALLEST_MM3 = 15_000.0
"""Sets of vertebrae with less bone are crumbs at the border."""

L3 = vertebra_value(Vertebra("L3"))


def left_right(image: Volume) -> int:
    return int(np.argmax(np.abs(image.geometry.axes[0])))


def in_place(mask: np.ndarray, axis: int) -> np.ndarray:
    """A mask mirrored about its own centre, to the nearest voxel: the hardest flip to see."""
    middle = float(np.argwhere(mask).mean(axis=0)[axis])
    return np.roll(np.flip(mask, axis), round(2 * middle - (mask.shape[axis] - 1)), axis=axis)


def fault(mask: np.ndarray, image: Volume) -> str:
    return mirror_fault(np.where(mask, L3, 0).astype(np.uint16), image)


def real_scans(data: Path) -> list[tuple[Volume, np.ndarray]]:
    loin = read_image(data / "ct_lumbar_3mm" / "ct.nii.gz")
    patch = read_image(data / "ct_lumbar_segment" / "sub-ct_label-22_ct.nii.gz")
    series, _ = read_dicom_series(data / "ct_dicom_series")
    found = []
    for image, path, wanted in (
        (loin, "ct_lumbar_3mm/totalseg.nii.gz", range(26, 34)),
        (patch, "ct_lumbar_segment/sub-ct_seg-vert_label-22_msk.nii.gz", range(21, 24)),
        (series, "ct_dicom_labels.nii.gz", range(32, 34)),
    ):
        values, affine = read_array(data / path)
        values = on_grid_of(image.geometry, values, affine, name=path)
        found.append((image, np.where(np.isin(values, list(wanted)), values, 0)))
    return found


@pytest.mark.data
def test_every_flipped_real_map_is_caught_and_no_right_one(data_folder: Path) -> None:
    counts = {"right": 0, "caught": 0, "flips": 0}
    for image, values in real_scans(data_folder):
        axis = left_right(image)
        voxel_mm3 = abs(float(np.linalg.det(image.geometry.affine_mm[:3, :3])))
        numbers = [int(n) for n in np.unique(values[values > 0])]
        for group in [*([n] for n in numbers), *map(list, pairwise(numbers)), numbers]:
            mask = np.isin(values, group)
            if mask.sum() * voxel_mm3 < SMALLEST_MM3:
                continue
            assert fault(mask, image) == "", f"{group} is the right way round"
            counts["right"] += 1
            for flipped in (np.flip(mask, axis), in_place(mask, axis)):
                counts["flips"] += 1
                counts["caught"] += fault(flipped, image) != ""
    assert counts["right"] >= 24
    assert counts["caught"] == counts["flips"]


def body_scan() -> tuple[Volume, np.ndarray]:
    body = make_reference_body(spacing_mm=3.0)
    return body.image, body.labels.values


def test_a_symmetric_body_in_the_middle_cannot_be_told_from_its_mirror_image() -> None:
    image, values = body_scan()
    mask = (values > 0) & (values < 5000)
    assert fault(np.flip(mask, left_right(image)), image) == ""


def test_the_same_body_out_of_the_middle_can() -> None:
    image, values = body_scan()
    axis = left_right(image)
    keep = tuple(slice(6, None) if a == axis else slice(None) for a in range(3))  # 18 mm less on one side
    mask = ((values > 0) & (values < 5000))[keep]
    geometry = image.geometry
    affine_mm = geometry.affine_mm.copy()
    affine_mm[:3, 3] = geometry.lps_mm(np.array([6.0 if a == axis else 0.0 for a in range(3)]))
    shape = (mask.shape[0], mask.shape[1], mask.shape[2])
    cut = Volume(
        geometry=type(geometry)(shape=shape, affine_mm=affine_mm, frame_uid=geometry.frame_uid),
        values=image.values[keep],
        modality=image.modality,
    )
    assert fault(mask, cut) == ""
    assert "mirrored left-right" in fault(np.flip(mask, axis), cut)


@pytest.mark.parametrize("organs", [("liver",), ("spleen",), ("aorta", "inferior_vena_cava")])
def test_organs_tell_where_scan_and_labels_are_mirrored_together(organs: tuple[str, ...]) -> None:
    image, values = body_scan()
    place = {"liver": -70.0, "spleen": 75.0, "aorta": 12.0, "inferior_vena_cava": -14.0}  # LPS: the left is +
    spine = image.geometry.lps_mm(np.argwhere((values > 0) & (values < 5000)).mean(axis=0))
    labels = np.where(values < 5000, values // 100 * 100, 0).astype(np.uint16)
    soft = image.values.copy()
    for name in organs:
        x, y, z = np.rint(image.geometry.index(spine + np.array([place[name], -45.0, 0.0]))).astype(int)
        box = (slice(x - 3, x + 4), slice(y - 3, y + 4), slice(z - 8, z + 9))
        labels[box], soft[box] = structure_value(name), 50.0
    scan = Volume(geometry=image.geometry, values=soft, modality=image.modality)
    require_agreement(LabelMap(geometry=image.geometry, values=labels), scan)
    axis = left_right(image)
    both = Volume(geometry=image.geometry, values=np.flip(soft, axis).copy(), modality=image.modality)
    with pytest.raises(ImageError, match="looks mirrored"):
        require_agreement(LabelMap(geometry=image.geometry, values=np.flip(labels, axis).copy()), both)
