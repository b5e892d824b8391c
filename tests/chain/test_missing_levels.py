"""A real CT in which L4 is not to be had: out of the image, cut by its border, or without a label."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from foramen import api

from .conftest import TECHNIQUE, run

pytestmark = [pytest.mark.slow, pytest.mark.data]

L4_NUMBER = 28
"""L4 in TotalSegmentator v2, the numbering of this scan's labels."""


def made_case(data_folder: Path, folder: Path, change: str) -> Path:
    """The case of `ct_lumbar_3mm` with L4 taken away in one of several ways."""
    scan = nib.load(data_folder / "ct_lumbar_3mm" / "ct.nii.gz")
    labels = nib.load(data_folder / "ct_lumbar_3mm" / "totalseg.nii.gz")
    numbers = np.asarray(labels.dataobj)
    slices = np.flatnonzero((numbers == L4_NUMBER).any(axis=(0, 1)))  # the third axis runs to the head
    if change == "label removed":
        kept = nib.Nifti1Image(np.where(numbers == L4_NUMBER, 0, numbers).astype(np.uint8), labels.affine)
        nib.save(scan, folder / "ct.nii.gz")
        nib.save(kept, folder / "labels.nii.gz")
    else:
        middle = int(slices.mean())
        part = {
            "image ends above": slice(int(slices[-1]) + 1, None),
            "image begins below": slice(None, int(slices[0])),
            "cut in half": slice(None, middle),
            "a crumb left": slice(int(slices[-1]) - 1, None),
        }[change]
        nib.save(scan.slicer[:, :, part], folder / "ct.nii.gz")
        nib.save(labels.slicer[:, :, part], folder / "labels.nii.gz")
    api.import_case(
        folder / "ct.nii.gz",
        labels=[f"{folder / 'labels.nii.gz'}:totalsegmentator_v2"],
        patient_position="HFS",
        out=folder / "case",
    )
    return folder / "case"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("label removed", "L4 is not labelled, although vertebrae above and below it are"),
        ("image ends above", "L4 is not labelled in this image"),
        ("image begins below", "L4 is not labelled in this image"),
        ("cut in half", "L4 cannot be used in this image"),
        ("a crumb left", "L4 cannot be used in this image"),
    ],
)
def test_a_plan_without_l4_is_refused_and_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    data_folder: Path,
    tmp_path: Path,
    change: str,
    message: str,
) -> None:
    case = made_case(data_folder, tmp_path, change)
    before = sorted(path.name for path in case.iterdir())
    level = "L3-L4" if "image ends" in change or "crumb" in change else "L4-L5"
    asked = ["plan", case, "--technique", TECHNIQUE, "--level", level, "--side", "left", "--out", tmp_path / "plan"]
    assert run(monkeypatch, *asked, "--json") == 2
    captured = capsys.readouterr()
    error = json.loads(captured.out)
    assert error["exit_code"] == 2
    assert message in error["error"]
    assert any(advice in error["error"] for advice in ("import", "Label", "Use a scan"))
    assert "Traceback" not in captured.err
    assert not (tmp_path / "plan").exists()
    assert sorted(path.name for path in case.iterdir()) == before


def test_the_nerve_of_an_unlabelled_vertebra_is_unknown_beside_its_neighbour(data_folder: Path, tmp_path: Path) -> None:
    """Without L4's label its foramen is not found: the L4 nerve must not count as clear because L5's is far away."""
    case = api.open_case(made_case(data_folder, tmp_path, "label removed"))
    planned = api.plan(case, technique=TECHNIQUE, level="L5-S1", side="left", lesions=1, time_s=20)
    upper, lower = planned.plan.trajectories
    not_placed = {"L4 spinal nerve", "L4 dorsal root ganglion"}
    assert {c.structure for c in upper.clearances if c.distance_mm is None} >= not_placed
    assert not {c.structure for c in lower.clearances} & not_placed, (
        "the sacral target lies beside the L5 and S1 nerves"
    )
    (delivery,) = (d for d in planned.plan.deliveries if d.target == upper.target)
    peaks = {peak.structure: peak.peak_degC for peak in delivery.effect.peaks}
    assert all(peaks[f"left {name}"] is None for name in not_placed)
    assert peaks["left L5 spinal nerve"] is not None
    (unseen,) = (check for check in planned.plan.checks if check.id == "not shown")
    assert all(name in unseen.reason for name in not_placed)
    assert planned.plan.status == "caution"
