"""What inverse planning writes and prints: page, plot, inverse.json, exit codes."""

from __future__ import annotations

import io
import json
import re
import sys
from pathlib import Path

import pytest
from PIL import Image

from foramen import api
from foramen.cli.entry import main
from foramen.errors import CaseError
from foramen.io.inverse_json import inverse_data, read_inverse
from foramen.model.inverse import InverseResult
from foramen.report.inverse import draw_front, render_inverse
from planning.inverse_case import make_point, make_result

BOILS = ("tissue boils: 102.4 degC (boiling begins at 99 degC)",)


@pytest.fixture(scope="module")
def result() -> InverseResult:
    """A textbook setting that boils, and two others."""
    return make_result(
        make_point(0, passes=2, capture=0.73, burnt_mm3=780, broken=BOILS),
        make_point(1, passes=1, capture=0.5, burnt_mm3=400),
        make_point(2, passes=3, capture=0.85, burnt_mm3=700),
    )


@pytest.fixture(scope="module")
def hopeless() -> InverseResult:
    """Nothing but a textbook setting that boils."""
    return make_result(make_point(0, passes=2, capture=0.73, burnt_mm3=780, broken=BOILS))


def test_the_page_says_what_it_must(result: InverseResult) -> None:
    page = render_inverse(result)
    assert "Research use only. Not a medical device." in page
    rows = re.findall(r"<tr class=\"(.*?)\"><td>(.*?)</td>(.*?)</tr>", page)
    assert [row[1] for row in rows] == ["Textbook", "1", "2"]
    assert "textbook" in rows[0][0]
    assert "breaks a hard limit" in rows[0][2]
    assert "102.4 °C" in rows[0][2]
    assert ["recommended" in row[0] for row in rows] == [False, False, True]
    assert "Passes of setting 2" in page  # how to carry out what is recommended
    assert page.count("60 mm</td><td>") == 3
    assert "radicular arteries" in page
    for line in (*result.assumptions, *result.optimised):
        assert line in page
    assert not re.findall(r"(?:src|href)=\"(?!data:)", page)  # nothing is fetched


def test_a_page_without_a_feasible_plan_names_the_limit(hopeless: InverseResult) -> None:
    page = render_inverse(hopeless)
    assert "No feasible plan" in page
    assert "must not boil" in page
    assert "recommended</span>" not in page


def test_the_plot_is_a_picture_and_replays(result: InverseResult, hopeless: InverseResult) -> None:
    first = draw_front(result.targets[0], result)
    assert draw_front(result.targets[0], result) == first
    assert draw_front(hopeless.targets[0], hopeless) != first
    with Image.open(io.BytesIO(first)) as picture:
        assert picture.size[0] > 1000


def test_what_is_saved_comes_back(result: InverseResult, tmp_path: Path) -> None:
    saved = api.save_inverse(result, tmp_path / "out")
    assert {path.name for path in saved.folder.iterdir()} == {"inverse.json", "inverse.html", "front-1.png"}
    data = json.loads(saved.data.read_text(encoding="utf-8"))
    assert data["schema"] == {"name": "foramen-inverse", "version": "1.1"}
    assert "not a medical device" in data["notice"]
    again = read_inverse(saved.folder)
    assert inverse_data(again) == data
    assert again.targets[0].recommended is not None
    with pytest.raises(CaseError):
        api.save_inverse(result, saved.folder)  # it is in use


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "cannot be read"),
        ('{"schema": {"name": "foramen-plan", "version": "1.0"}}', "foramen-plan"),
        ('{"schema": {"name": "foramen-inverse", "version": "2.0"}}', "not foramen-inverse 1.x"),
        ('{"schema": {"name": "foramen-inverse", "version": "1.1"}}', "is missing"),
    ],
)
def test_a_damaged_file_is_refused(text: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "inverse.json").write_text(text, encoding="utf-8")
    with pytest.raises(CaseError, match=words):
        read_inverse(tmp_path)


def run(
    monkeypatch: pytest.MonkeyPatch, result: InverseResult, *arguments: object
) -> tuple[int, list[dict[str, object]]]:
    """Exit code of `foramen optimise`, and with what the search was asked, which is not run again here."""
    asked: list[dict[str, object]] = []

    def optimise(case: object, **options: object) -> InverseResult:
        asked.append(options)
        return result

    monkeypatch.setattr(api, "open_case", lambda path: path)
    monkeypatch.setattr(api, "optimise", optimise)
    monkeypatch.setattr("foramen.cli.optimise.compile_ahead", lambda: None)
    common = ["foramen", "optimise", "case", "--technique", "rhizotomy", "--level", "L4-L5", "--side", "left"]
    monkeypatch.setattr(sys, "argv", [*common, *map(str, arguments)])
    with pytest.raises(SystemExit) as stopped:
        main()
    return int(stopped.value.code or 0), asked


def test_the_command_prints_writes_and_exits(
    result: InverseResult, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, asked = run(monkeypatch, result, "--seed", 7, "--device", "rf_18g_10mm", "--out", tmp_path / "a", "--json")
    assert code == 0
    assert (asked[0]["seed"], asked[0]["devices"]) == (7, ("rf_18g_10mm",))
    printed = json.loads(capsys.readouterr().out)
    assert printed["is_feasible"] is True
    assert printed["targets"][0]["points"][0]["is_textbook"] is True
    assert Path(printed["page"]).is_file()
    assert run(monkeypatch, result, "--out", tmp_path / "b")[0] == 0
    shown = capsys.readouterr().out
    assert "textbook" in shown
    assert "Setting 2" in shown
    assert "UNKNOWN, never clear: radicular arteries" in shown
    assert "Research use, not a medical device." in shown


def test_no_feasible_plan_exits_3_and_is_written(
    hopeless: InverseResult, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run(monkeypatch, hopeless, "--out", tmp_path / "c")[0] == 3
    assert "No feasible plan" in capsys.readouterr().out
    assert (tmp_path / "c" / "inverse.json").is_file()


def test_a_folder_in_use_is_refused_before_the_search(
    result: InverseResult, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("mine", encoding="utf-8")
    code, asked = run(monkeypatch, result, "--out", tmp_path / "full")
    assert code == 2
    assert asked == []
