"""A real small file system for tests of full and read-only disks."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest


def _call(*command: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)


@contextlib.contextmanager
def small_disk(folder: Path, *, size_bytes: int) -> Iterator[Path]:
    """A file system of that size mounted at a new folder; skips where this user may not mount one."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("a small disk can be mounted by root only")
    folder.mkdir()
    mounted = _call("mount", "-t", "tmpfs", "-o", f"size={size_bytes}", "tmpfs", folder)
    if mounted.returncode != 0:
        pytest.skip(f"no small disk can be mounted here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def make_read_only(folder: Path) -> None:
    """Turn a mounted small disk read-only; skips where that is not possible."""
    turned = _call("mount", "-o", "remount,ro", folder)
    if turned.returncode != 0:
        pytest.skip(f"the small disk cannot be made read-only here: {turned.stderr.strip()}")


def fill(folder: Path, *, leave_bytes: int) -> None:
    """Fill a small disk up to that many free bytes."""
    usage = os.statvfs(folder)
    (folder / "filler").write_bytes(bytes(max(0, usage.f_bavail * usage.f_frsize - leave_bytes)))


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, hidden ones too, except the lock of a case."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }
