"""Whether a file that stands in the way was written by Foramen, so that it may be replaced."""

from __future__ import annotations

from pathlib import Path

from foramen.errors import CaseError

PICTURE_MARK = b"Software\x00Foramen"
"""In the head of every picture that may be replaced (a text chunk of PNG)."""

PAGE_MARK = b'<meta name="generator" content="Foramen'
"""In the head of every page that may be replaced."""

HEAD_BYTES = 4096
"""The mark stands within this many bytes from the file's begin."""


def require_replaceable(path: Path) -> None:
    """Raise `CaseError` if something exists at `path` that Foramen did not write."""
    if not path.exists() and not path.is_symlink():
        return
    head = b""
    if path.is_file() and not path.is_symlink():
        try:
            with path.open("rb") as stream:
                head = stream.read(HEAD_BYTES)
        except OSError as failure:
            raise CaseError(f"{path} exists and cannot be read ({failure.strerror}). Choose another file.") from failure
    if PICTURE_MARK not in head and PAGE_MARK not in head:
        raise CaseError(
            f"{path} exists already and was not written by Foramen. Choose another file, or delete it first."
        )
