"""Files and folders that appear whole or not at all.

Everything is written beside its destination under a temporary name, flushed to the disk and renamed at
the end. Whatever interrupts the writing (a full disk, Ctrl-C, an error) removes the temporary copy. A process
that is killed cannot; its copy is never taken for a result, and the next writing in that folder removes it: a
copy that is still being written is known by the lock that its process holds on it.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
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
    return CaseError(f"Cannot write {_final(path)}: {reason}. Nothing was left behind.")


def _beside(path: Path) -> Path:
    return path.parent / f"{TEMPORARY_PREFIX}{uuid.uuid4().hex}-{path.name}"


def _final(path: Path) -> Path:
    """The path with the names that its parts will have when they are complete."""
    begin = len(TEMPORARY_PREFIX) + len(uuid.uuid4().hex) + 1
    return Path(*(part[begin:] if part.startswith(TEMPORARY_PREFIX) else part for part in path.parts))


def is_temporary(path: Path) -> bool:
    """Whether a path is the temporary copy of something that is being written, or was when its process was killed."""
    return path.name.startswith(TEMPORARY_PREFIX)


@contextlib.contextmanager
def _temporary(path: Path, *, flags: int) -> Iterator[tuple[Path, int]]:
    """A locked temporary copy beside `path` and its open descriptor; flags of 0 make a folder, others a file."""
    remove_dead(path.parent)
    while True:
        temporary = _beside(path)
        if not flags:
            temporary.mkdir()
        try:
            descriptor = os.open(temporary, flags, 0o666)  # the user's umask decides
            with contextlib.suppress(OSError):  # a file system without locks: nobody can hold one, nobody removes
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            if temporary.exists():  # else another process took it for dead before it was locked
                break
            os.close(descriptor)
        except BaseException:
            _remove(temporary)
            raise
    try:
        yield temporary, descriptor
    finally:
        _remove(temporary)
        os.close(descriptor)


def _remove(temporary: Path) -> None:
    shutil.rmtree(temporary, ignore_errors=True)
    with contextlib.suppress(OSError):
        temporary.unlink(missing_ok=True)


def remove_dead(folder: Path) -> None:
    """Remove temporary copies that no living process holds; what cannot be locked or removed stays."""
    for temporary in sorted(folder.glob(f"{TEMPORARY_PREFIX}*")):
        try:
            descriptor = os.open(temporary, os.O_RDONLY | os.O_NOFOLLOW)
        except OSError:
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _remove(temporary)
        except OSError:
            continue
        finally:
            os.close(descriptor)


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
    with (
        _in_its_folder(path),
        _temporary(path, flags=os.O_WRONLY | os.O_CREAT | os.O_EXCL) as (temporary, descriptor),
    ):
        with os.fdopen(descriptor, "wb", closefd=False) as stream:
            stream.write(content)
        os.fsync(descriptor)
        temporary.replace(path)
        sync_folder(path.parent)


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
    require_unused(path)
    with _in_its_folder(path), _temporary(path, flags=0) as (temporary, _):
        yield temporary
        _sync_tree(temporary)
        temporary.replace(path)
        sync_folder(path.parent)


@contextlib.contextmanager
def moved_away(path: Path) -> Iterator[None]:
    """Put an older folder aside, and back again if the block fails."""
    aside = path.with_name(f".foramen-old-{path.name}")
    try:
        shutil.rmtree(aside, ignore_errors=True)
        if path.exists():
            path.rename(aside)
    except OSError as failure:
        raise disk_error(path, failure) from failure
    try:
        yield
    except BaseException:
        if aside.exists():
            shutil.rmtree(path, ignore_errors=True)
            aside.rename(path)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def require_unused(path: Path) -> None:
    """Raise `CaseError` if a folder to be made exists already and is not empty."""
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise CaseError(f"{path} exists already. Choose another folder, or delete it first.")


def require_writable(path: Path, *, room_bytes: int = 0) -> None:
    """Raise `CaseError` if a folder could not be made at `path`, before long work whose result it is to hold.

    `room_bytes` are written there and removed again: a quota is not seen in any other way.
    """
    require_unused(path)
    with _in_its_folder(path), _temporary(path, flags=0) as (temporary, _):
        if room_bytes:
            write_bytes(temporary / "room", bytes(room_bytes))


@contextlib.contextmanager
def _in_its_folder(path: Path) -> Iterator[None]:
    """Make the folder of `path`; what was made for nothing is removed. Errors of the disk become `CaseError`."""
    made = [parent for parent in path.parents if not parent.exists()]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as failure:
        raise disk_error(path, failure) from failure
    finally:
        for parent in made:  # the innermost first; one that holds something stays
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
