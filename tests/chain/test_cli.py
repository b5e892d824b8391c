"""The command line as scripts use it: exit codes, JSON, files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from .conftest import TECHNIQUE, Chain, run

pytestmark = pytest.mark.slow


def test_lesion_prints_the_agreed_keys(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--gauge", 18, "--tip-mm", 10, "--temperature-c", 80, "--time-s", 30, "--tissue", "muscle", "--json"]
    assert run(monkeypatch, "lesion", *arguments) == 0
    printed = json.loads(capsys.readouterr().out)
    assert set(printed["isotherms"]) == {"45", "50", "60"}
    for size in printed["isotherms"].values():
        assert {"width_mm", "length_mm", "volume_mm3"} <= set(size)
    keys = {"coagulation", "impedance_ohm", "power_w", "hottest_tissue_degC", "tip_temperature_degC", "elapsed_s"}
    assert keys <= set(printed)
    widths = [printed["isotherms"][key]["width_mm"] for key in ("45", "50", "60")]
    assert widths == sorted(widths, reverse=True)
    assert printed["tip_temperature_degC"] == pytest.approx(80, abs=0.5)  # the generator holds what it was set to


def test_lesion_of_a_pair_prints_the_agreed_keys(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "lesion", "--gauge", 16, "--spacing", 8, "--time-s", 15, "--json") == 0
    printed = json.loads(capsys.readouterr().out)
    for size in printed["isotherms"].values():
        assert {"across_mm", "thickness_mm", "length_mm", "volume_mm3", "is_one_body", "necks"} <= set(size)
    assert len(printed["midpoint_peak_degC"]) == 1
    assert max(printed["tip_temperatures_degC"]) == pytest.approx(80, abs=0.5)


def test_rhizotomy_finds_the_technique_and_says_what_it_is_not(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "techniques", "rhizotomy", "--json") == 0
    rows = json.loads(capsys.readouterr().out)["techniques"]
    assert [row["id"] for row in rows] == [TECHNIQUE]
    assert "decompress" in rows[0]["note"]


def test_devices_and_knowledge(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, "devices", "--json") == 0
    kinds = {device["kind"] for device in json.loads(capsys.readouterr().out)["devices"]}
    assert kinds == {"needle", "rf_cannula", "lead", "introducer", "curved_electrode", "balloon"}
    assert run(monkeypatch, "knowledge", "check", "--json") == 0
    assert json.loads(capsys.readouterr().out)["errors"] == 0


def test_assess_exit_codes(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], chain: Chain) -> None:
    common = ["assess", chain.case_path, "--technique", TECHNIQUE, "--procedure-at", "2026-04-14T09:30", "--json"]
    assert run(monkeypatch, *common, "--level", "L4-L5", "--side", "left") == 0
    assert json.loads(capsys.readouterr().out)["status"] == "acceptable"
    assert run(monkeypatch, *common, "--level", "L4", "--side", "left") == 2
    error = json.loads(capsys.readouterr().out)
    assert error["exit_code"] == 2
    assert "L4-L5" in error["error"]


def test_inspect_writes_a_contact_sheet(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], chain: Chain, tmp_path: Path
) -> None:
    picture = tmp_path / "sheet.png"
    page = tmp_path / "page.html"
    files = ["--picture", picture, "--html", page]
    assert run(monkeypatch, "case", "inspect", chain.case_path, *files, "--json") == 0
    printed = json.loads(capsys.readouterr().out)
    assert {"L4", "L5", "S1"} <= set(printed["levels"])
    assert picture.read_bytes()[:4] == b"\x89PNG"
    assert printed["page"] == str(page)
    assert page.stat().st_size <= 15_000_000
    assert printed["anatomy"]["is_found"]
    joint = next(level for level in printed["techniques"][0]["levels"] if level["level"] == "L4-L5")
    assert [side["problem"] for side in joint["sides"]] == ["", ""]


def test_inspect_replaces_nothing_that_is_not_its_own(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], chain: Chain, tmp_path: Path
) -> None:
    thesis = tmp_path / "thesis.html"
    thesis.write_text("<html>mine</html>")
    sheet = ["--picture", tmp_path / "sheet.png"]
    assert run(monkeypatch, "case", "inspect", chain.case_path, *sheet, "--html", thesis) == 2
    assert "not written by Foramen" in capsys.readouterr().err
    assert thesis.read_text() == "<html>mine</html>"
    assert not (tmp_path / "sheet.png").exists()


def test_a_level_that_is_not_in_the_image_exits_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], chain: Chain, tmp_path: Path
) -> None:
    out = tmp_path / "plan"
    code = run(
        monkeypatch,
        "plan",
        chain.case_path,
        "--technique",
        TECHNIQUE,
        "--level",
        "C5-C6",
        "--side",
        "left",
        "--out",
        out,
    )
    assert code == 2
    assert not out.exists()
    assert "C5" in capsys.readouterr().err


def test_a_missing_case_exits_2_and_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code = run(monkeypatch, "case", "inspect", tmp_path / "nothing")
    assert code == 2
    assert "case import" in capsys.readouterr().err


def test_a_contradicted_record_rejects_with_exit_3_and_is_still_written(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], chain: Chain, tmp_path: Path
) -> None:
    from dataclasses import replace

    from foramen import api
    from foramen.model.record import Answer

    facts = dict(chain.case.record.facts) | {"infection.local": Answer(value=True, source="test")}
    ill = replace(chain.case, record=replace(chain.case.record, facts=facts))
    api.save_case(ill, tmp_path / "case")
    arguments = ["--technique", TECHNIQUE, "--level", "L4-L5", "--side", "left", "--lesions", 1, "--time-s", 20]
    code = run(
        monkeypatch,
        "plan",
        tmp_path / "case",
        *arguments,
        "--procedure-at",
        "2026-04-14T09:30",
        "--out",
        tmp_path / "p",
        "--json",
    )
    printed = json.loads(capsys.readouterr().out)
    assert code == 3
    assert printed["status"] == "rejected"
    assert (tmp_path / "p" / "plan.json").is_file()
    assert (tmp_path / "p" / "report.html").is_file()


def test_an_interrupted_save_leaves_nothing(monkeypatch: pytest.MonkeyPatch, chain: Chain, tmp_path: Path) -> None:
    from foramen import api

    def interrupt(*_: object, **__: object) -> bytes:
        raise KeyboardInterrupt

    monkeypatch.setattr("foramen.api.chain.render_pdf", interrupt)
    with pytest.raises(KeyboardInterrupt):
        api.save(chain.planned, chain.case, tmp_path / "plan")
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_one_clear_error(monkeypatch: pytest.MonkeyPatch, chain: Chain, tmp_path: Path) -> None:
    import errno

    from foramen import api
    from foramen.errors import CaseError

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("foramen.api.chain.render_report", full)
    with pytest.raises(CaseError, match=r"(?i)space|full"):
        api.save(chain.planned, chain.case, tmp_path / "plan")
    assert list(tmp_path.iterdir()) == []


def test_a_scan_of_another_patient_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    import nibabel

    values = np.full((20, 20, 20), -1000, dtype=np.int16)
    values[5:15, 5:15, 5:15] = 40
    values[8:12, 8:12, 8:12] = 900
    nibabel.save(nibabel.Nifti1Image(values, np.diag([2.0, 2.0, 2.0, 1.0])), tmp_path / "ct.nii.gz")
    record = tmp_path / "record.yaml"
    record.write_text("patient_id: SOMEBODY-ELSE\nfacts: {}\n")
    code = run(
        monkeypatch,
        *(
            "case",
            "import",
            tmp_path / "ct.nii.gz",
            "--record",
            record,
            "--patient-id",
            "P1",
            "--out",
            tmp_path / "case",
        ),
    )
    assert code == 2
    assert not (tmp_path / "case").exists()
    assert "patient" in capsys.readouterr().err


def test_a_demo_that_cannot_be_made_leaves_the_earlier_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for part in ("case", "plan"):
        (tmp_path / "demo" / part).mkdir(parents=True)
        (tmp_path / "demo" / part / f"{part}.json").write_text("{}")
    for wrong in (["--spacing-mm", 100], ["--spacing-mm", 0.01], ["--seed", -1], ["--level", "C1-C9"]):
        assert run(monkeypatch, "demo", "--out", tmp_path / "demo", "--overwrite", *wrong) == 2
        assert (tmp_path / "demo" / "plan" / "plan.json").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["case", "import", "x" * 300 + ".nii.gz", "--out", "{folder}/case"],
        ["case", "inspect", "x" * 300],
        [
            "assess",
            "{case}",
            "--technique",
            TECHNIQUE,
            "--level",
            "L4-L5",
            "--side",
            "left",
            "--procedure-at",
            "0001-01-01",
        ],
        ["plan", "{case}", "--technique", TECHNIQUE, "--level", "L4-L5", "--side", "left", "--time-s", "1e9"],
        [
            "plan",
            "{case}",
            "--technique",
            TECHNIQUE,
            "--level",
            "L4-L5",
            "--side",
            "left",
            "--scan-age-limit-months",
            "nan",
        ],
        [
            "plan",
            "{case}",
            "--technique",
            TECHNIQUE,
            "--level",
            "L4-L5",
            "--side",
            "left",
            "--answers",
            "{folder}/bad.yaml",
        ],
        ["lesion", "--tissue", "air"],
        ["lesion", "--baseline-temperature-c", "50"],
        ["lesion", "--baseline-temperature-c", "nan"],
        ["lesion", "--spacing-mm", "1"],
        ["lesion", "--spacing-mm", "nan"],
        ["lesion", "--electrodes", "0"],
        ["lesion", "--electrodes", "2"],
        ["lesion", "--bend-radius-mm", "inf"],
        ["lesion", "--bend-radius-mm", "nan"],
        ["lesion", "--bend-radius-mm", "15", "--spacing-mm", "8"],
        ["lesion", "--tines", "3", "3", "0.5", "120", "1.5"],
        ["lesion", "--electrodes", "1", "--spacing", "8"],
        ["techniques", "qqq", "--json"],
    ],
)
def test_bad_input_is_never_a_fault_of_the_program(
    monkeypatch: pytest.MonkeyPatch, chain: Chain, tmp_path: Path, arguments: list[str]
) -> None:
    (tmp_path / "bad.yaml").write_text("by: 2026-13-01\n")
    filled = [text.format(folder=tmp_path, case=chain.case_path) for text in arguments]
    assert run(monkeypatch, *filled) == 2


def test_an_error_about_a_record_does_not_name_the_patient(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], chain: Chain, tmp_path: Path
) -> None:
    for number, text in enumerate(
        [
            "patient_id: A\nname: John Secretperson\n",
            "patient_id: [John, Secretperson]\n",
            "patient_id: A\nfacts: {age_years: John Secretperson}\n",
            "patient_id: A\ncomplaints: [{region: John Secretperson}]\n",
        ]
    ):
        (tmp_path / "r.yaml").write_text(text)
        labels = f"{chain.case_path / 'labels.nii.gz'}:foramen"
        asked = ["--labels", labels, "--record", tmp_path / "r.yaml", "--out", tmp_path / f"case{number}"]
        assert run(monkeypatch, "case", "import", chain.case_path / "image.nii.gz", *asked) == 2
        assert "Secretperson" not in " ".join(capsys.readouterr()), text
