"""Import and plan on disks that are really full or read-only."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from foramen import api
from foramen.errors import CaseError

from .conftest import TECHNIQUE, Chain, run
from .small_disk import contents, fill, make_read_only, small_disk

pytestmark = pytest.mark.slow

BLOCK_BYTES = 4096


def size_of(*paths: Path) -> int:
    """Bytes of files and folders, in whole blocks."""
    files = [file for path in paths for file in (path.rglob("*") if path.is_dir() else [path]) if file.is_file()]
    return sum(-(-file.stat().st_size // BLOCK_BYTES) * BLOCK_BYTES for file in files)


def plan_command(chain: Chain, case: Path) -> list[object]:
    """The command that makes the plan of the chain again, into the case."""
    at = api.REFERENCE_PROCEDURE_AT.isoformat(timespec="minutes")
    what = ["--technique", TECHNIQUE, "--level", "L4-L5", "--side", "left", "--lesions", 1, "--time-s", 30]
    return ["plan", case, *what, "--procedure-at", at, "--json"]


@pytest.mark.parametrize("room", ["none", "half of the image", "the image alone"])
def test_an_import_on_a_full_disk(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], chain: Chain, tmp_path: Path, room: str
) -> None:
    image, labels = chain.case_path / "image.nii.gz", chain.case_path / "labels.nii.gz"
    leave = {"none": 0, "half of the image": size_of(image) // 2, "the image alone": size_of(image) + BLOCK_BYTES}[room]
    with small_disk(tmp_path / "disk", size_bytes=2 * size_of(image, labels)) as disk:
        (disk / "old.txt").write_text("an older file")
        fill(disk, leave_bytes=leave)
        before = contents(disk)
        asked = ["case", "import", image, "--labels", f"{labels}:foramen", "--out", disk / "new" / "case", "--json"]
        assert run(monkeypatch, *asked) == 2
        captured = capsys.readouterr()
        error = json.loads(captured.out)["error"]
        assert "disk is full" in error
        assert str(disk / "new" / "case") in error, "the message names what was asked for"
        assert ".foramen-part" not in error
        assert "Traceback" not in captured.err
        assert contents(disk) == before
        assert not (disk / "new").exists()


@pytest.mark.parametrize("room", ["none", "the pages and half of the grids"])
def test_a_plan_on_a_full_disk(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], chain: Chain, tmp_path: Path, room: str
) -> None:
    """Without any room (not even for the lock's content) nothing is computed; later the grids do not fit."""
    plan = chain.saved.folder
    grids = size_of(plan / "effect.zarr")
    leave = 0 if room == "none" else size_of(plan) - grids // 2
    with small_disk(tmp_path / "disk", size_bytes=size_of(chain.case_path) + 4 * grids) as disk:
        case = disk / "case"
        shutil.copytree(chain.case_path, case, ignore=shutil.ignore_patterns("plans", ".lock"))
        (case / "plans" / "old").mkdir(parents=True)
        shutil.copy(chain.saved.plan, case / "plans" / "old" / "plan.json")
        fill(disk, leave_bytes=leave)
        before = contents(disk)
        if room == "none":
            monkeypatch.setattr(api, "plan", pytest.fail)
        assert run(monkeypatch, *plan_command(chain, case)) == 2
        captured = capsys.readouterr()
        error = json.loads(captured.out)["error"]
        assert "disk is full" in error
        assert ".foramen-part" not in error
        assert "Traceback" not in captured.err
        assert contents(disk) == before
        assert [entry.name for entry in (case / "plans").iterdir()] == ["old"]
        assert api.open_case(case).image_sha256 == chain.case.image_sha256


def test_a_read_only_disk(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], chain: Chain, tmp_path: Path
) -> None:
    with small_disk(tmp_path / "disk", size_bytes=2 * size_of(chain.case_path)) as disk:
        case = disk / "case"
        shutil.copytree(chain.case_path, case, ignore=shutil.ignore_patterns("plans", ".lock"))
        make_read_only(disk)
        image = chain.case_path / "image.nii.gz"
        commands = (["case", "import", image, "--out", disk / "new", "--json"], plan_command(chain, case))
        for command in commands:
            assert run(monkeypatch, *command) == 2
            assert "read-only" in json.loads(capsys.readouterr().out)["error"]
        with pytest.raises(CaseError, match="read-only"):
            api.require_writable(case_path=case)
        api.require_writable(case_path=case, folder=tmp_path / "elsewhere" / "plan")  # a plan beside it is possible
        assert sorted(os.listdir(tmp_path)) == ["disk"], "trying out leaves nothing"


def test_a_place_that_is_taken_is_refused_before_anything_is_computed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], chain: Chain, tmp_path: Path
) -> None:
    def computed(*_: object, **__: object) -> None:
        raise AssertionError("the plan was computed although it cannot be written")

    monkeypatch.setattr(api, "plan", computed)
    (tmp_path / "plan").mkdir()
    (tmp_path / "plan" / "mine.txt").write_text("keep me")
    assert run(monkeypatch, *plan_command(chain, chain.case_path), "--out", tmp_path / "plan") == 2
    assert "exists already" in json.loads(capsys.readouterr().out)["error"]
    assert (tmp_path / "plan" / "mine.txt").read_text() == "keep me"
