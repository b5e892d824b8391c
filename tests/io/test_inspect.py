"""An inspection says what is there, what is missing, and for which technique it matters."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from foramen.io.case_folder import import_case
from foramen.io.inspect import axis_letters, inspect_case
from foramen.io.label_maps import LabelSource
from foramen.model.space import PatientPosition, VolumeGeometry
from small_scan import LEVELS, scan, write_nifti

TECHNIQUE = "lumbar_medial_branch_rf"


def inspected(tmp_path: Path, labels: np.ndarray, **more: PatientPosition):  # type: ignore[no-untyped-def]
    image = write_nifti(tmp_path / "ct.nii.gz", scan()[0])
    path = write_nifti(tmp_path / "labels.nii.gz", labels)
    return inspect_case(
        import_case(image, labels=[LabelSource(path=path, scheme="totalsegmentator_v2")], out=tmp_path / "case", **more)
    )


def test_levels_and_what_is_missing(tmp_path: Path) -> None:
    found = inspected(tmp_path, scan()[1], patient_position=PatientPosition.HFS)
    assert found.levels == ("L3", "L4", "L5", "S1")
    assert found.axes == "RAH"
    assert found.spacing_mm == (2.5, 2.5, 2.5)
    assert found.patient_position == "HFS"
    needs = next(t for t in found.techniques if t.technique == TECHNIQUE)
    missing = {level.level: level.missing for level in needs.levels}
    assert missing["L4-L5"] == ()
    assert missing["L5-S1"] == ()
    assert missing["L2-L3"] == ("L2",)  # its upper nerve crosses the L2 transverse process
    assert "L1-L2" not in missing
    assert "kidneys" in found.keep_outs_shown
    assert {"aorta", "periforaminal_arteries", "thecal_sac"} <= set(found.keep_outs_unknown)
    # labels / body: counted on the very arrays that the scan was made of
    values, labels = scan()
    assert found.unlabelled_body_fraction == pytest.approx(1 - (labels > 0).sum() / (values > -500).sum(), abs=0.02)
    json.dumps(found.as_json())
    assert any("L2-L3 (missing L2)" in line for line in found.lines())


def test_a_scan_without_l4(tmp_path: Path) -> None:
    labels = scan()[1]
    labels[labels == LEVELS["L4"]] = 0
    found = inspected(tmp_path, labels)
    assert found.levels == ("L3", "L5", "S1")
    assert found.absent_between == ("L4",)
    needs = next(t for t in found.techniques if t.technique == TECHNIQUE)
    assert {level.level: level.missing for level in needs.levels}["L4-L5"] == ("L4",)
    assert any("Not labelled between others: L4" in line for line in found.lines())
    assert any("caution" in line for line in found.lines())


def test_vertebrae_at_the_border_are_named(tmp_path: Path) -> None:
    labels = scan()[1]
    labels[24:36, 8:24, 54:60] = LEVELS["L3"]
    image = scan()[0]
    image[24:36, 8:24, 54:60] = 350
    path = write_nifti(tmp_path / "l.nii.gz", labels)
    case = import_case(
        write_nifti(tmp_path / "c.nii.gz", image), labels=[LabelSource(path=path)], out=tmp_path / "case2"
    )
    assert inspect_case(case).cut_off == ("L3",)


def test_axis_letters_of_an_oblique_grid() -> None:
    angle = np.radians(30)
    affine = np.eye(4)
    affine[:2, :2] = [[-np.cos(angle), np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    assert axis_letters(VolumeGeometry(shape=(2, 2, 2), affine_mm=affine, frame_uid="1")) == "RPH"
