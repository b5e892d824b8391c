"""Files and folders that appear whole or not at all.

Everything is written beside its destination under a temporary name, flushed to the disk and renamed at
the end. Whatever interrupts the writing (a full disk, Ctrl-C, an error) removes the temporary copy.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

from foramen.errors import CaseError

TEMPORARY_PREFIX = ".foramen-part-"
"""Begin of the name of everything that is being written."""

_REASONS = {
    errno.ENOSPC: "the disk is full. Free some space or choose another folder with --out",
    errno.EDQUOT: "your disk quota is used up. Free some space or choose another folder with --out",
    errno.EROFS: "the file system is read-only. Choose another folder with --out",
    errno.EACCES: "writing there is not permitted. Choose another folder with --out or ask for the right to write",
    errno.EPERM: "writing there is not permitted. Choose another folder with --out or ask for the right to write",
    errno.EEXIST: "a part of the path is a file, not a folder. Choose another folder with --out",
    errno.ENOTDIR: "a part of the path is a file, not a folder. Choose another folder with --out",
    errno.ENAMETOOLONG: "the name is too long for this file system. Choose a shorter one",
}


def disk_error(path: Path, failure: OSError) -> CaseError:
    """The `CaseError` that says in words why something could not be written to `path`."""
    reason = _REASONS.get(failure.errno or 0, f"{failure.strerror or failure}. Choose another folder with --out")
    return CaseError(f"Cannot write {path}: {reason}. Nothing was left behind.")


def _beside(path: Path) -> Path:
    return path.parent / f"{TEMPORARY_PREFIX}{uuid.uuid4().hex}-{path.name}"


def sync_folder(path: Path) -> None:
    """Flush the names in a folder to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file so that it is either complete or absent (an older one stays as it was).

    Raises
    ------
    CaseError
        If the disk is full, read-only or the folder may not be written to.
    """
    temporary = _beside(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as failure:
        raise disk_error(path, failure) from failure
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """A temporary folder that becomes `path` when the block ends without an error, and vanishes otherwise.

    Parameters
    ----------
    path : Path
        Destination; it must not exist, or be an empty folder.

    Raises
    ------
    CaseError
        If `path` is in use, or the disk is full or read-only.
    """
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise CaseError(f"{path} exists already. Choose another folder, or delete it first.")
    temporary = _beside(path)
    made_parents = [parent for parent in path.parents if not parent.exists()]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.mkdir()
        yield temporary
        _sync_tree(temporary)
        temporary.replace(path)
        made_parents = []
        sync_folder(path.parent)
    except OSError as failure:
        raise disk_error(path, failure) from failure
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        for parent in made_parents:  # the innermost first
            with contextlib.suppress(OSError):
                parent.rmdir()


def _sync_tree(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as stream:
                os.fsync(stream.fileno())
        elif path.is_dir():
            sync_folder(path)
    sync_folder(folder)
