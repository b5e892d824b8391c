"""The contact sheet shows the labels where they are, whatever way the array lies."""

from __future__ import annotations

import io
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from foramen.io.inspect import inspect_case
from foramen.io.label_maps import LabelSource, read_labels
from foramen.io.nifti import read_image
from foramen.knowledge.labels import vertebra_value
from foramen.model.anatomy import NerveKind
from foramen.model.levels import Vertebra
from foramen.model.space import FloatArray, LabelMap, Modality, Volume, VolumeGeometry
from foramen.report.anatomy_marks import MARK_LOOKS, course_colour
from foramen.report.contact_sheet import contact_sheet
from foramen.report.label_overlay import vertebra_colour
from foramen.report.palette import rgb
from report.case_factory import make_case
from report.marked_anatomy import marked_anatomy


def pixels(png: bytes) -> FloatArray:
    picture: FloatArray = np.asarray(imread(io.BytesIO(png)), dtype=np.float64)[..., :3]
    return picture


def small_spine() -> tuple[Volume, LabelMap]:
    """Three block-like vertebrae, off the middle so that a left-right mistake moves them."""
    shape = (50, 40, 45)
    affine_mm = np.diag([3.0, 3.0, 3.0, 1.0])
    affine_mm[:3, 3] = (-75.0, -60.0, -70.0)
    geometry = VolumeGeometry(shape=shape, affine_mm=affine_mm, frame_uid="2.25.1")
    values = np.full(shape, -1000.0, dtype=np.float32)
    values[3:47, 3:37] = 40.0
    numbers = np.zeros(shape, dtype=np.uint16)
    for place, name in enumerate(("L3", "L4", "L5")):
        box = (slice(26, 36), slice(15, 28), slice(32 - 12 * place, 41 - 12 * place))
        values[box] = 400.0
        numbers[box] = vertebra_value(Vertebra(name))
    return Volume(geometry=geometry, values=values, modality=Modality.CT), LabelMap(geometry=geometry, values=numbers)


def turned(
    image: Volume, labels: LabelMap, order: tuple[int, int, int], flips: tuple[int, ...]
) -> tuple[Volume, LabelMap]:
    """The same voxels in space with permuted and flipped array axes."""
    change = np.eye(4)
    change[:3, :3] = np.eye(3)[:, list(order)]
    for axis in flips:
        change[:3, 3] += change[:3, axis] * (image.geometry.shape[order[axis]] - 1)
        change[:3, axis] *= -1
    values = np.flip(np.transpose(image.values, order), flips)
    numbers = np.flip(np.transpose(labels.values, order), flips)
    geometry = VolumeGeometry(
        shape=tuple(int(n) for n in values.shape),  # type: ignore[arg-type]
        affine_mm=image.geometry.affine_mm @ change,
        frame_uid=image.geometry.frame_uid,
    )
    volume = Volume(geometry=geometry, values=np.ascontiguousarray(values), modality=image.modality)
    return volume, LabelMap(geometry=geometry, values=np.ascontiguousarray(numbers))


def test_array_order_does_not_change_the_pictures() -> None:
    image, labels = small_spine()
    first = pixels(contact_sheet(image, labels))[90:]
    again = pixels(contact_sheet(*turned(image, labels, (2, 0, 1), (0, 2))))[90:]  # below the line that names the axes
    # Only rounding at voxel borders may differ: a thousandth of the pixels at most.
    assert (np.abs(first - again).max(axis=2) > 0.02).mean() < 1e-3
    mirrored = LabelMap(geometry=labels.geometry, values=np.ascontiguousarray(labels.values[::-1]))
    other = pixels(contact_sheet(image, mirrored))[90:]
    assert (np.abs(first - other).max(axis=2) > 0.02).mean() > 5e-3, "mirrored labels must look different"


def test_every_vertebra_has_its_colour_and_neighbours_differ() -> None:
    image, labels = small_spine()
    picture = pixels(contact_sheet(image, labels))
    for name in ("L3", "L4", "L5"):
        colour = np.array(rgb(vertebra_colour(Vertebra(name))))
        assert (np.abs(picture - colour).max(axis=2) < 0.06).sum() > 100
    row = [vertebra_colour(Vertebra(name)) for name in ("T11", "T12", "L1", "L2", "L3", "L4", "L5", "S1")]
    assert all(a != b for a, b in pairwise(row))


def test_a_scan_without_labels_is_still_drawn() -> None:
    image, labels = small_spine()
    empty = LabelMap(geometry=labels.geometry, values=np.zeros_like(labels.values))
    assert contact_sheet(image, empty).startswith(b"\x89PNG")


@pytest.mark.parametrize("without", ["nothing", "a level", "an end", "registered anatomy"])
def test_landmarks_and_nerves_are_drawn_with_whatever_there_is(without: str) -> None:
    case = make_case()
    values = case.labels.values.copy()
    if without == "a level":
        values[values // 100 == Vertebra("L5").number] = 0
    if without == "an end":
        values[:, :, 70:] = 0
    labels = LabelMap(geometry=case.labels.geometry, values=values)
    anatomy = None if without == "registered anatomy" else marked_anatomy()
    changed = replace(case, labels=labels)
    inspection = inspect_case(changed, anatomy, reason="The reference does not fit.")
    picture = pixels(contact_sheet(case.image, labels, title="case 1", anatomy=anatomy, inspection=inspection))
    drawn = {
        name: int((np.abs(picture - np.array(rgb(colour))).max(axis=2) < 0.04).sum())
        for name, colour in (
            ("high", MARK_LOOKS["high"].colour),
            ("low", MARK_LOOKS["low"].colour),
            ("branch", course_colour(NerveKind.MEDIAL_BRANCH)),
            ("spinal", course_colour(NerveKind.SPINAL_NERVE)),
        )
    }
    if anatomy is None:
        assert drawn["high"] == 0
        assert drawn["spinal"] == 0
    else:
        assert min(drawn.values()) > 100, drawn


def test_the_picture_says_who_made_it() -> None:
    png = contact_sheet(*small_spine())
    assert b"Software\x00Foramen" in png[:4096]


@pytest.mark.data
def test_real_scan_is_drawn(data_folder: Path) -> None:
    image = read_image(data_folder / "ct_lumbar_3mm" / "ct.nii.gz")
    reading = read_labels([LabelSource(path=data_folder / "ct_lumbar_3mm" / "totalseg.nii.gz")], image)
    picture = pixels(contact_sheet(image, reading.labels, title="case 1"))
    for name in ("L1", "L5", "S1"):
        colour = np.array(rgb(vertebra_colour(Vertebra(name))))
        assert (np.abs(picture - colour).max(axis=2) < 0.06).sum() > 300
