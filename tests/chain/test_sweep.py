"""`foramen sweep` as a user runs it: files, exit codes, stopping and going on."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from foramen.io.atlas import read_atlas
from foramen.planning import lesion_atlas
from map_work import here, wait_for

from .conftest import run
from .test_interrupts import started

SMALL = ("--gauge", 18, 22, "--tip", 5, "--temperature", 70, 80, "--time", 15, "--tissue", "muscle")


def rows(folder: Path) -> tuple[Any, ...]:
    """The rows of an atlas; its date differs from run to run."""
    return read_atlas(folder).rows


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_sweep_that_is_stopped_goes_on_to_the_same_atlas(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, number: signal.Signals
) -> None:
    out, whole = tmp_path / "out", tmp_path / "whole"
    assert run(monkeypatch, "sweep", "--out", whole, *SMALL, "--workers", 2) == 0

    ledger = out / "ledger.jsonl"
    process = started("sweep", "--out", out, *SMALL, "--workers", 1, flush_s=0.3)
    wait_for(lambda: ledger.exists() and ledger.read_bytes().count(b"\n") == 2)
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == (-number if number is signal.SIGKILL else 1)
    assert number is signal.SIGKILL or "run the same command again" in " ".join(said.split())
    assert sorted(path.name for path in out.iterdir()) == ["ledger.jsonl"]

    capsys.readouterr()
    assert run(monkeypatch, "sweep", "--out", out, *SMALL, "--workers", 1, "--json") == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["cases"] == 4
    assert 1 <= printed["resumed"] < 4
    assert rows(out) == rows(whole)


@pytest.fixture
def without_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cases are computed in this process, so that tests can change how."""
    monkeypatch.setattr("foramen.api.atlas.choose_executor", lambda **_: here)


@pytest.mark.usefixtures("without_processes")
def test_it_writes_page_table_and_arrays_and_prints_json(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run(monkeypatch, "sweep", "--out", tmp_path / "a", *SMALL, "--json") == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["cases"] == 4
    assert printed["resumed"] == 0
    assert printed["failures"] == {}
    for name in ("page", "table", "arrays"):
        assert Path(printed[name]).exists()
    assert run(monkeypatch, "sweep", "--out", tmp_path / "a", *SMALL) == 0
    told = capsys.readouterr().out
    assert "4 cases, 4 of them from an earlier run" in told
    assert "not a medical device" in told


@pytest.mark.usefixtures("without_processes")
def test_another_sweep_in_the_same_folder_exits_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run(monkeypatch, "sweep", "--out", tmp_path / "a", *SMALL) == 0
    before = rows(tmp_path / "a")
    assert run(monkeypatch, "sweep", "--out", tmp_path / "a", *SMALL, "fat") == 2
    assert "other work" in " ".join(capsys.readouterr().err.split())
    assert rows(tmp_path / "a") == before


@pytest.mark.usefixtures("without_processes")
def test_a_case_that_fails_exits_1_after_the_others_and_the_page_says_which(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    whole = lesion_atlas.bench_lesion

    def fragile(**settings: Any) -> Any:
        if settings["temperature_degC"] == 80 and settings["outer_diameter_mm"] > 1:
            raise RuntimeError("a fault of this test")
        return whole(**settings)

    monkeypatch.setattr(lesion_atlas, "bench_lesion", fragile)
    assert run(monkeypatch, "sweep", "--out", tmp_path / "a", *SMALL, "--json") == 1
    name = "18 G x 5 mm, 80 degC, 15 s, muscle, single"
    assert json.loads(capsys.readouterr().out)["failures"] == {name: "RuntimeError: a fault of this test"}
    assert f"<b>{name}</b>: RuntimeError" in (tmp_path / "a" / "atlas.html").read_text(encoding="utf-8")
    assert sum(row["failure"] == "" for row in rows(tmp_path / "a")) == 3


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (("--temperature", 100), "would boil"),
        (("--time", "-5"), "-5 s"),
        (("--tip", 200), "longer than a needle"),
        (("--tissue", "cheese"), "no tissue 'cheese'"),
        (("--gauge", 19), "No RF cannula of 19 G"),
        (("--spacing", "-1"), "impossible"),
        (("--workers", 0), "0 workers"),
        (("--workers", 2, "--dask", "tcp://localhost:1"), "not both"),
        (("--gauge", "thick"), "thick"),
    ],
)
def test_bad_input_exits_2_before_anything_is_made(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, bad: tuple[object], says: str
) -> None:
    assert run(monkeypatch, "sweep", "--out", tmp_path / "a", *bad) == 2
    assert says in " ".join(capsys.readouterr().err.split())
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_other_things_exits_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").touch()
    assert run(monkeypatch, "sweep", "--out", tmp_path, *SMALL) == 2
    assert "exists already" in " ".join(capsys.readouterr().err.split())
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
