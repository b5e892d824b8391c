"""What a map has finished, on disk: one line of JSON for each item, flushed before the next is counted.

The first line names the work by a digest. A process that is killed while it writes leaves a torn last line, which
is dropped when the ledger is next opened: its item is computed again.
"""

from __future__ import annotations

import contextlib
import fcntl
import io
import json
import os
from collections.abc import Iterator
from pathlib import Path

from foramen.errors import CaseError


class Ledger:
    """An open ledger: `results` by id, and `add`."""

    def __init__(self, path: Path, descriptor: int, results: dict[str, object]) -> None:
        self._path = path
        self._descriptor = descriptor
        self.results = results

    def add(self, key: str, text: str) -> None:
        """Append a result (JSON text) and flush it to the disk.

        Raises
        ------
        CaseError
            If the disk is full or gone; what was added before is kept.
        """
        self._append(f'{{"id": {json.dumps(key)}, "result": {text}}}\n')
        self.results[key] = json.loads(text)

    def _append(self, line: str) -> None:
        left = memoryview(line.encode())
        try:
            while left:
                left = left[os.write(self._descriptor, left) :]
            os.fsync(self._descriptor)
        except OSError as failure:
            raise CaseError(
                f"Cannot write {self._path}: {failure.strerror}. What is finished is kept: make room and run again."
            ) from failure


@contextlib.contextmanager
def open_ledger(path: Path, *, digest: str) -> Iterator[Ledger]:
    """The ledger of the work that `digest` names, new or from an earlier run, held by one process at a time.

    Raises
    ------
    CaseError
        If another process holds it, it is of other work, damaged, or cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)  # the user's umask decides
    except OSError as failure:
        raise CaseError(f"Cannot write {path}: {failure.strerror}. Choose another folder.") from failure
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CaseError(f"{path} is in use by another process. Wait for it, or choose another folder.") from None
        header = json.dumps({"ledger": 1, "digest": digest}) + "\n"
        content = path.read_bytes()
        results, kept = read_ledger(content, header=header, path=path)
        os.ftruncate(descriptor, kept)
        ledger = Ledger(path, descriptor, results)
        if not kept:
            ledger._append(header)
        yield ledger
    finally:
        os.close(descriptor)


def read_ledger(content: bytes, *, header: str, path: Path) -> tuple[dict[str, object], int]:
    """Results by id, and how many bytes of a ledger are sound: all but a torn last line.

    Raises
    ------
    CaseError
        If it begins with another header, or a line before the last is damaged.
    """
    first = header.encode()
    if not content.startswith(first):
        if first.startswith(content):  # torn while it was made
            return {}, 0
        raise CaseError(
            f"{path} is of other work: other items, settings, version or knowledge. "
            "Choose another folder, or delete this one to begin again."
        )
    results: dict[str, object] = {}
    kept = len(first)
    for line in io.BytesIO(content[kept:]):  # lines end at b"\n" only
        is_last = kept + len(line) == len(content)
        try:
            if not line.endswith(b"\n"):
                raise ValueError("torn")
            entry = json.loads(line)
            results[entry["id"]] = entry["result"]
        except (ValueError, KeyError, TypeError):
            if is_last:
                break
            raise CaseError(f"{path} is damaged after byte {kept}. Delete it to begin again.") from None
        kept += len(line)
    return results, kept
