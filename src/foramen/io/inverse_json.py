"""inverse.json: the settings that inverse planning found, on disk."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from foramen.errors import CaseError
from foramen.io.atomic_file import write_bytes
from foramen.io.dataclass_json import from_data, to_data
from foramen.model.inverse import InverseResult

INVERSE_FILE = "inverse.json"
SCHEMA_NAME = "foramen-inverse"
SCHEMA_VERSION = "1.1"
NOTICE = "Research use, not a medical device."

_OWN_KEYS = ("schema", "notice")


def inverse_data(result: InverseResult) -> dict[str, Any]:
    """The JSON data of a result."""
    content = to_data(result)
    if not isinstance(content, dict):
        raise TypeError("A result must become an object.")
    return {"schema": {"name": SCHEMA_NAME, "version": SCHEMA_VERSION}, "notice": NOTICE, **content}


def write_inverse(result: InverseResult, folder: Path) -> Path:
    """Write inverse.json into a folder; returns its path."""
    text = json.dumps(inverse_data(result), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    write_bytes(folder / INVERSE_FILE, text.encode())
    return folder / INVERSE_FILE


def read_inverse(path: Path) -> InverseResult:
    """The result of a folder or its inverse.json.

    Raises
    ------
    CaseError
        If it is none, of another major version, or damaged.
    """
    file = path / INVERSE_FILE if path.is_dir() else path
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        schema = data["schema"]
        name, (major, minor) = schema["name"], map(int, schema["version"].split("."))
    except (OSError, ValueError, KeyError, TypeError) as failure:
        raise CaseError(
            f"{file} cannot be read as a result of inverse planning ({failure!r}). Optimise again."
        ) from None
    own_major, own_minor = map(int, SCHEMA_VERSION.split("."))
    if name != SCHEMA_NAME or major != own_major:
        raise CaseError(f"{file} is {name} {schema['version']}, not {SCHEMA_NAME} {own_major}.x. Optimise again.")
    content = {key: value for key, value in data.items() if key not in _OWN_KEYS}
    return from_data(InverseResult, content, ignores_unknown=minor > own_minor, path=INVERSE_FILE)
