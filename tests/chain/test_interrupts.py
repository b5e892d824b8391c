"""Ctrl-C and kill in the middle of an import and of a plan, as real processes with real signals."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from foramen import api
from foramen.errors import CaseError
from foramen.io.plan_json import read_plan

from .conftest import TECHNIQUE, run
from .small_disk import contents

pytestmark = pytest.mark.slow

PATIENCE_S = 120.0

SLOW_DISK = """
import os, sys, time
flush, pause_s = os.fsync, float(sys.argv.pop(1))
def slow(descriptor):
    time.sleep(pause_s)
    flush(descriptor)
os.fsync = slow
from foramen.cli import main
main()
"""
"""The command line on a disk that takes some time to flush a file, so that a signal meets the writing."""


def started(*arguments: object, flush_s: float = 0.0) -> subprocess.Popen[str]:
    """A process that runs `foramen ARGUMENTS` on a disk that takes `flush_s` longer for each file."""
    command = [sys.executable, "-c", SLOW_DISK, str(flush_s), *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def stop(process: subprocess.Popen[str], number: signal.Signals, *, when: Callable[[], bool]) -> str:
    """Send a signal as soon as something is seen on the disk; returns what the process said on stderr."""
    until = time.monotonic() + PATIENCE_S
    while not when():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until, "it never came to the place at which it was to be stopped"
        time.sleep(0.002)
    process.send_signal(number)
    _, said = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == (-signal.SIGKILL if number is signal.SIGKILL else 1), said
    assert "Traceback" not in said
    return said


def temporary(folder: Path) -> list[Path]:
    """Temporary copies anywhere below a folder."""
    return [path for path in folder.rglob("*") if path.name.startswith(".foramen-part-")]


@pytest.fixture(scope="module")
def coarse_case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The reference body at 3 mm as a case folder."""
    path = tmp_path_factory.mktemp("coarse") / "case"
    api.save_case(api.reference_case(spacing_mm=3.0), path)
    return path


def plan_arguments(case: Path) -> list[object]:
    what = ["--technique", TECHNIQUE, "--level", "L4-L5", "--side", "left", "--lesions", 1, "--time-s", 15]
    return ["plan", case, *what, "--procedure-at", "2026-04-14T09:30"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_import_that_is_stopped_is_no_case(
    monkeypatch: pytest.MonkeyPatch, coarse_case: Path, tmp_path: Path, number: signal.Signals
) -> None:
    out = tmp_path / "case"
    labels = f"{coarse_case / 'labels.nii.gz'}:foramen"
    asked = ["case", "import", coarse_case / "image.nii.gz", "--labels", labels, "--out", out]

    def is_half_written() -> bool:
        return any(part.is_dir() and (part / "image.nii.gz").exists() for part in tmp_path.iterdir())

    said = stop(started(*asked, flush_s=0.5), number, when=is_half_written)
    assert not out.exists()
    if number is not signal.SIGKILL:
        assert "Stopped by the user" in said
        assert list(tmp_path.iterdir()) == []
    else:
        (left,) = temporary(tmp_path)  # nobody could remove it; it is no case under any name
        with pytest.raises(CaseError, match="not a case folder"):
            api.open_case(left)
    assert run(monkeypatch, *asked) == 0
    np.testing.assert_array_equal(api.open_case(out).image.values, api.open_case(coarse_case).image.values)
    assert [entry.name for entry in tmp_path.iterdir()] == ["case"], "the next import removes what a kill left"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_plan_that_is_stopped_while_it_computes(coarse_case: Path, number: signal.Signals) -> None:
    before = contents(coarse_case)
    (coarse_case / ".lock").unlink(missing_ok=True)
    process = started(*plan_arguments(coarse_case))

    def has_begun() -> bool:
        if not (coarse_case / ".lock").exists():
            return False
        time.sleep(2.0)  # it computes for several seconds more
        return True

    said = stop(process, number, when=has_begun)
    assert number is signal.SIGKILL or "Stopped by the user" in said
    assert contents(coarse_case) == before
    assert temporary(coarse_case) == []


def test_a_plan_that_is_stopped_while_it_is_written(
    monkeypatch: pytest.MonkeyPatch, coarse_case: Path, tmp_path: Path
) -> None:
    """First Ctrl-C, then a kill, then again to the end: only the last one leaves a plan, and it is whole."""
    before = contents(coarse_case)
    plans = coarse_case / "plans"

    def is_half_written() -> bool:
        return any((part / "figures").is_dir() and any((part / "figures").iterdir()) for part in temporary(coarse_case))

    said = stop(started(*plan_arguments(coarse_case)), signal.SIGINT, when=is_half_written)
    assert "Stopped by the user" in said
    assert contents(coarse_case) == before
    assert not plans.exists()

    stop(started(*plan_arguments(coarse_case)), signal.SIGKILL, when=is_half_written)
    (left,) = plans.iterdir()
    assert left in temporary(coarse_case)
    with pytest.raises(CaseError, match="no plan"):
        read_plan(left)
    assert {name: data for name, data in contents(coarse_case).items() if not name.startswith("plans")} == before

    assert run(monkeypatch, *plan_arguments(coarse_case)) == 0
    assert temporary(coarse_case) == [], "the next plan removes what a kill left"
    (plan,) = plans.iterdir()
    assert read_plan(plan).id == plan.name
