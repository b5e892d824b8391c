"""README's Python runs as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

README = Path(__file__).resolve().parents[2] / "README.md"

pytestmark = pytest.mark.slow


def test_the_seven_lines_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code = re.search(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert code is not None
    lines = [line for line in code.group(1).splitlines() if line and not line.startswith("import")]
    assert len(lines) <= 7
    monkeypatch.chdir(tmp_path)
    exec(compile(code.group(1), "README.md", "exec"), {})
    printed = capsys.readouterr().out
    assert "L3 medial branch, on the L4 transverse process" in printed
    assert printed.startswith("acceptable caution")
    assert (tmp_path / "my-plan" / "report.html").is_file()
    assert (tmp_path / "my-plan" / "card.pdf").is_file()
