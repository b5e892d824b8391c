"""Sizes of the cord and heights of the roots against the PAM50 template of people's cords."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from foramen.anatomy.reference_body import reference_vertebra
from foramen.anatomy.reference_body.neck import ROWS
from foramen.anatomy.reference_body.posture import mean_frames
from foramen.knowledge.facts import numbers
from foramen.model.anatomy import NerveKind
from foramen.model.levels import Root, Vertebra

SLICE_MM = 2.0


def volume(data_folder: Path, name: str) -> tuple[np.ndarray, np.ndarray]:
    image = nib.load(data_folder / "cord_template" / f"PAM50_small_{name}.nii.gz")
    return np.asarray(image.dataobj), image.affine


def heights(values: np.ndarray, affine: np.ndarray, value: int) -> np.ndarray:
    return np.argwhere(values == value)[:, 2] * affine[2, 2] + affine[2, 3]


@pytest.mark.parametrize("name", ROWS[2:7])
def test_cord_is_as_wide_and_deep_as_the_template(data_folder: Path, name: str) -> None:
    cord, affine = volume(data_folder, "cord")
    levels, _ = volume(data_folder, "levels")
    slices = [cord[:, :, k] > 0.5 for k in np.unique(np.argwhere(levels == int(name[1]))[:, 2])]
    for axis, fact in ((0, "width"), (1, "depth")):
        extent = np.mean([np.ptp(np.argwhere(s)[:, axis]) + 1.0 for s in slices]) * abs(affine[axis, axis])
        ours = numbers(f"cervical.cord_{fact}_mm")[ROWS.index(name)]
        assert ours == pytest.approx(extent, abs=1.0)  # the template has voxels of 1 mm


@pytest.mark.parametrize("number", range(3, 9))
def test_roots_leave_the_cord_as_high_above_the_disc_as_in_the_template(data_folder: Path, number: int) -> None:
    rootlets, affine = volume(data_folder, "rootlets")
    discs, _ = volume(data_folder, "label_disc")
    expected = heights(rootlets, affine, number).mean() - heights(discs, affine, number).mean()
    owner = "C7" if number == 8 else f"C{number}"
    frames, course = (
        mean_frames(),
        reference_vertebra(Vertebra(owner)).course(NerveKind.SPINAL_NERVE, Root(f"C{number}")),
    )
    lower = Vertebra("T1") if number == 8 else Vertebra(owner)
    upper = Vertebra(f"C{number - 1}")
    disc = 0.5 * (frames[upper].inferior_endplate_mm + frames[lower].superior_endplate_mm)
    above = course.points_mm[0, 2] - frames[Vertebra(owner)].to_vertebra(disc)[2]  # the template's cord is straightened
    assert above == pytest.approx(expected, abs=0.5 * SLICE_MM)
