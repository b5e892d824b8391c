"""Only what Foramen wrote is replaced."""

from __future__ import annotations

from pathlib import Path

import pytest

from foramen.errors import CaseError
from foramen.io.own_file import require_replaceable
from foramen.report.annotation import new_figure, png_bytes
from foramen.report.messages import message


def test_what_foramen_wrote_may_be_replaced(tmp_path: Path) -> None:
    require_replaceable(tmp_path / "nothing.png")
    picture = tmp_path / "a.png"
    picture.write_bytes(png_bytes(new_figure(1, 1), dots_per_inch=50, software=message("contact.software")))
    require_replaceable(picture)
    page = tmp_path / "a.html"
    page.write_text('<!DOCTYPE html>\n<meta name="generator" content="Foramen 0.1.0, Inspection">\n')
    require_replaceable(page)


@pytest.mark.parametrize("content", [b"", b"a thesis", b"\x89PNG\r\n\x1a\n", b"<html>about Foramen</html>"])
def test_what_others_wrote_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "thesis.html"
    file.write_bytes(content)
    with pytest.raises(CaseError, match=r"thesis\.html exists already and was not written by Foramen"):
        require_replaceable(file)
    assert file.read_bytes() == content


def test_folders_and_links_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CaseError):
        require_replaceable(tmp_path)
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CaseError):
        require_replaceable(link)
