"""Temporary copies: those of the dead are removed, those of the living are left alone."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from foramen.cli.commands import _is_earlier_demo
from foramen.errors import CaseError, InputError
from foramen.io import atomic_file
from foramen.io.atomic_file import is_temporary, require_writable, whole_folder, write_bytes

KILLED = """
import os, sys
from pathlib import Path
from foramen.io.atomic_file import whole_folder, write_bytes
with whole_folder(Path(sys.argv[1])) as folder:
    write_bytes(folder / "image", b"half")
    os._exit(9)
"""


def killed_while_writing(path: Path) -> None:
    """Let a process die in the middle of writing the folder `path`."""
    died = subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False)
    assert died.returncode == 9


def test_the_copy_of_a_dead_process_is_removed_by_the_next_writing(tmp_path: Path) -> None:
    killed_while_writing(tmp_path / "case")
    (left,) = tmp_path.iterdir()
    assert is_temporary(left)
    assert (left / "image").read_bytes() == b"half"
    write_bytes(tmp_path / "other", b"whole")
    assert [entry.name for entry in tmp_path.iterdir()] == ["other"]


def test_the_copy_of_a_living_process_is_left_alone(tmp_path: Path) -> None:
    with whole_folder(tmp_path / "first") as first:
        with whole_folder(tmp_path / "second") as second:
            write_bytes(second / "a", b"2")
            write_bytes(tmp_path / "file", b"3")
            assert first.is_dir()
        write_bytes(first / "a", b"1")
    found = {str(path.relative_to(tmp_path)): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert found == {"first/a": b"1", "second/a": b"2", "file": b"3"}


def test_without_locks_on_the_file_system_nothing_is_taken_for_dead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed_while_writing(tmp_path / "case")

    def no_locks(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(atomic_file.fcntl, "flock", no_locks)
    write_bytes(tmp_path / "file", b"whole")
    assert (tmp_path / "file").read_bytes() == b"whole"
    assert len([path for path in tmp_path.iterdir() if is_temporary(path)]) == 1


def test_a_link_is_never_followed(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "scan").write_bytes(b"keep")
    os.symlink(tmp_path / "mine", tmp_path / f"{atomic_file.TEMPORARY_PREFIX}link")
    write_bytes(tmp_path / "file", b"whole")
    assert (tmp_path / "mine" / "scan").read_bytes() == b"keep"


def test_trying_out_leaves_nothing_and_names_what_is_in_the_way(tmp_path: Path) -> None:
    require_writable(tmp_path / "deep" / "plan", room_bytes=1000)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(CaseError, match="exists already"):
        require_writable(tmp_path / "file")
    with pytest.raises(CaseError, match=r"file/plan: a part of the path is a file"):
        require_writable(tmp_path / "file" / "plan")


@pytest.mark.parametrize("parts", [("case",), ("plan",), ("case", "plan")])
def test_an_interrupted_demo_can_be_run_again(tmp_path: Path, parts: tuple[str, ...]) -> None:
    """Ctrl-C may come between the case and the plan, which are written side by side."""
    out = tmp_path / "demo"
    for part in parts:
        write_bytes(out / part / f"{part}.json", b"{}")
    killed_while_writing(out / "plan2")
    with pytest.raises(InputError, match="--overwrite"):
        _is_earlier_demo(out, overwrite=False)
    assert all((out / part).is_dir() for part in parts)
    assert _is_earlier_demo(out, overwrite=True)
    assert all((out / part).is_dir() for part in parts), "nothing goes before its successor is made"


def test_only_a_demo_is_overwritten(tmp_path: Path) -> None:
    out = tmp_path / "demo"
    write_bytes(out / "case" / "case.json", b"{}")
    write_bytes(out / "thesis.txt", b"years of work")
    with pytest.raises(InputError):
        _is_earlier_demo(out, overwrite=True)
    (out / "thesis.txt").rename(out / "case" / "thesis.txt")
    with pytest.raises(InputError):
        _is_earlier_demo(out, overwrite=True)
    (out / "case" / "case.json").unlink()
    with pytest.raises(InputError):
        _is_earlier_demo(out, overwrite=True)
    assert (out / "case" / "thesis.txt").exists()


def test_a_demo_of_which_nothing_was_written_is_no_obstacle(tmp_path: Path) -> None:
    killed_while_writing(tmp_path / "demo" / "case")
    assert not _is_earlier_demo(tmp_path / "demo", overwrite=False)
    assert list((tmp_path / "demo").iterdir()) == []
