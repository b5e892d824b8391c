"""Texts of the report, by key of the message catalogue."""

from __future__ import annotations

from functools import cache
from importlib import resources

import yaml

from foramen.errors import KnowledgeError


@cache
def _catalogue(language: str) -> dict[str, str]:
    path = resources.files("foramen.report").joinpath(f"messages_{language}.yaml")
    if not path.is_file():
        raise KnowledgeError(f"There is no message catalogue messages_{language}.yaml. Use language 'en'.")
    catalogue: dict[str, str] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return catalogue


def message(key: str, *, language: str = "en", **values: object) -> str:
    """Text of a key, with its ``{placeholders}`` filled in; raises `KnowledgeError` for a key that is not declared."""
    text = _catalogue(language).get(key)
    if text is None:
        raise KnowledgeError(f"messages_{language}.yaml has no text for the key {key!r}. Add it.")
    return text.format(**values)
