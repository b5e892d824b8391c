"""Programs that label a scan are run only when asked for; a stand-in is called and answers as the real ones do."""

from __future__ import annotations

import os
import sys
import tempfile
import textwrap
from pathlib import Path

import numpy as np
import pytest

from foramen import api
from foramen.errors import ImageError, InputError
from foramen.io.label_maps import vertebrae_found
from foramen.io.segmenters import PROGRAMS, find_segmenter
from foramen.knowledge.labels import vertebra_value
from foramen.model.levels import Vertebra
from small_scan import LEVELS, scan, write_dicom, write_nifti

TSS = {"L3": 43, "L4": 44, "L5": 45, "S1": 50}

TOTALSEGMENTATOR = """
import argparse, pathlib
parser = argparse.ArgumentParser()  # as bin/TotalSegmentator.py declares them
parser.add_argument("-i", dest="input", type=pathlib.Path, required=True)
parser.add_argument("-o", dest="output", type=pathlib.Path, required=True)
parser.add_argument("-ml", "--ml", action="store_true")
parser.add_argument("-ta", "--task", choices=["total", "total_mr"], default="total")
args = parser.parse_args()
assert args.ml and args.task == "total"
image = nib.load(args.input)
labels = np.load(LABELS)
nib.save(nib.Nifti1Image(labels, image.affine), args.output)
"""

TOTALSPINESEG = """
import argparse, pathlib
parser = argparse.ArgumentParser()  # as totalspineseg/inference.py declares them
parser.add_argument("input", type=pathlib.Path)
parser.add_argument("output", type=pathlib.Path)
parser.add_argument("--iso", action="store_true")
args = parser.parse_args()
image = nib.load(args.input)
folder = args.output / "step2_output"
folder.mkdir(parents=True)
nib.save(nib.Nifti1Image(np.load(LABELS), image.affine), folder / args.input.name)
"""


def stand_in(folder: Path, body: str, *, labels: np.ndarray | None = None, name: str = "TotalSegmentator") -> Path:
    """An executable of that name that runs `body` and has `labels` to give."""
    folder.mkdir(exist_ok=True)
    given = folder / f"{name}.npy"
    np.save(given, scan()[1] if labels is None else labels)
    path = folder / name
    head = f"#!{sys.executable}\nimport os, sys, time\nimport nibabel as nib, numpy as np\nLABELS = {str(given)!r}\n"
    path.write_text(head + textwrap.dedent(body))
    path.chmod(0o755)
    return path


@pytest.fixture
def image(tmp_path: Path) -> Path:
    return write_nifti(tmp_path / "ct.nii.gz", scan()[0])


@pytest.fixture(autouse=True)
def clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A temporary folder of its own, to see that nothing is left, and no program on PATH or named elsewhere."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    monkeypatch.setenv("PATH", str(tmp_path / "bin") + os.pathsep + "/usr/bin" + os.pathsep + "/bin")
    for program in PROGRAMS:
        monkeypatch.delenv(program.variable, raising=False)
    return temporary


def test_totalsegmentator_labels_a_nifti_scan(image: Path, tmp_path: Path, clean: Path) -> None:
    stand_in(tmp_path / "bin", TOTALSEGMENTATOR)
    told: list[str] = []
    case = api.import_case(
        image, out=tmp_path / "case", segment="totalsegmentator", progress=lambda stage, _: told.append(stage)
    )
    for name, number in LEVELS.items():
        np.testing.assert_array_equal(case.labels.values == vertebra_value(Vertebra(name)), scan()[1] == number)
    assert "labelled by TotalSegmentator on this machine" in case.history[0]
    assert "read as totalsegmentator_v2" in case.history[1]
    assert any("TotalSegmentator is labelling the scan" in stage for stage in told)
    assert list(clean.iterdir()) == []


def test_totalspineseg_labels_a_dicom_series(tmp_path: Path, clean: Path) -> None:
    write_dicom(tmp_path / "dicom")
    labels = np.zeros_like(scan()[1])
    for name, number in LEVELS.items():
        labels[scan()[1] == number] = TSS[name]
    lps = np.flip(labels, (0, 1))  # the array axes of the series, which the program is handed
    program = stand_in(tmp_path / "elsewhere", TOTALSPINESEG, labels=lps, name="totalspineseg")
    case = api.import_case(tmp_path / "dicom", out=tmp_path / "case", segment="totalspineseg", segment_program=program)
    assert [v.name for v in vertebrae_found(case.labels)] == list(LEVELS)
    assert "labelled by TotalSpineSeg" in case.history[0]
    assert list(clean.iterdir()) == []


def test_a_variable_names_a_program(image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = stand_in(tmp_path / "other", TOTALSEGMENTATOR)
    monkeypatch.setenv("FORAMEN_TOTALSEGMENTATOR", str(program))
    assert find_segmenter("TotalSegmentator", timeout_s=1).path == program


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("print('weights are missing'); sys.exit(3)", r"failed \(exit code 3\).*weights are missing"),
        ("print('all well')", r"ended without writing its labels.*all well"),
        ("open(sys.argv[4], 'wb').write(b'garbage')", "not a readable NIfTI"),
        (
            "i = nib.load(sys.argv[2]); nib.save(nib.Nifti1Image(np.zeros(i.shape, np.uint8), i.affine), sys.argv[4])",
            "labels nothing",
        ),
        (
            "i = nib.load(sys.argv[2]); nib.save(nib.Nifti1Image(np.load(LABELS)[::-1].copy(), i.affine), sys.argv[4])",
            "mirrored",
        ),
        ("os.kill(os.getpid(), 9)", r"failed \(exit code -9\)"),
    ],
)
def test_a_failing_program_gives_one_error_and_no_case(
    image: Path, tmp_path: Path, clean: Path, body: str, message: str
) -> None:
    stand_in(tmp_path / "bin", body)
    with pytest.raises(ImageError, match=message):
        api.import_case(image, out=tmp_path / "case", segment="totalsegmentator")
    assert not (tmp_path / "case").exists()
    assert list(clean.iterdir()) == []


def test_a_program_that_hangs_is_stopped_with_what_it_started(image: Path, tmp_path: Path, clean: Path) -> None:
    pid_file = tmp_path / "pid"
    body = f"""
    import subprocess
    child = subprocess.Popen(["sleep", "600"])
    open({str(pid_file)!r}, "w").write(str(child.pid))
    print("loading", flush=True)
    time.sleep(600)
    """
    stand_in(tmp_path / "bin", body)
    with pytest.raises(ImageError, match=r"stopped after 0\.05 minutes.*loading"):
        api.import_case(image, out=tmp_path / "case", segment="totalsegmentator", segment_timeout_s=3.0)
    status = Path(f"/proc/{pid_file.read_text()}/stat")
    assert not status.exists() or status.read_text().split()[2] == "Z"
    assert list(clean.iterdir()) == []


def test_a_file_that_is_no_program(image: Path, tmp_path: Path) -> None:
    path = tmp_path / "bin"
    path.mkdir()
    (path / "TotalSegmentator").write_text("neither a script nor a program")
    (path / "TotalSegmentator").chmod(0o755)
    with pytest.raises(ImageError, match="cannot be started"):
        api.import_case(image, out=tmp_path / "case", segment="totalsegmentator")


def test_nothing_is_run_unasked_and_the_commands_are_told(image: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        api.import_case(image, out=tmp_path / "case")
    text = str(caught.value)
    assert f"TotalSegmentator -i {image} -o labels.nii.gz --ml --task total" in text
    assert "--labels labels.nii.gz:totalsegmentator_v2" in text
    assert f"totalspineseg {image} labels" in text
    assert "--labels labels/step2_output/ct.nii.gz:totalspineseg" in text
    mark = tmp_path / "ran"
    stand_in(tmp_path / "bin", f"open({str(mark)!r}, 'w')")
    with pytest.raises(InputError, match="--segment totalsegmentator runs TotalSegmentator, which is installed here"):
        api.import_case(image, out=tmp_path / "case")
    assert not mark.exists()
    assert not (tmp_path / "case").exists()


def test_what_is_not_there_is_said(image: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="TotalSpineSeg is not there"):
        api.import_case(image, out=tmp_path / "case", segment="totalspineseg")
    with pytest.raises(InputError, match="may be totalsegmentator or totalspineseg"):
        api.import_case(image, out=tmp_path / "case", segment="segmentor")
