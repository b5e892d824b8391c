"""Sourced facts by id.

Every YAML file of this package may have a top-level list ``facts``; an entry's ``id`` begins with the
file's stem (``anatomy.l5_pedicle_width_mm`` stands in ``anatomy.yaml``). Keys of an entry: ``id value unit low
high sd population src locator prov note``; ``src`` is one key or a list of keys of ``sources.yaml``.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any

import yaml

from foramen.errors import KnowledgeError
from foramen.model.evidence import Fact, Trace


@cache
def _facts(stem: str) -> dict[str, Fact]:
    path = resources.files("foramen.knowledge").joinpath(f"{stem}.yaml")
    if not path.is_file():
        raise KnowledgeError(f"There is no knowledge file {stem}.yaml.")
    content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {entry["id"]: _fact(entry) for entry in content.get("facts", [])}


def _fact(entry: dict[str, Any]) -> Fact:
    value = entry["value"]
    sources = entry.get("src", [])
    return Fact(
        id=entry["id"],
        value=tuple(value) if isinstance(value, list) else value,
        unit=entry.get("unit", ""),
        low=entry.get("low"),
        high=entry.get("high"),
        sd=entry.get("sd"),
        population=entry.get("population", ""),
        sources=(sources,) if isinstance(sources, str) else tuple(sources),
        locator=entry.get("locator", ""),
        trace=Trace(entry.get("prov", "unverified")),
        note=entry.get("note", ""),
    )


def fact(fact_id: str) -> Fact:
    """The fact of that id; raises `KnowledgeError` if no file declares it."""
    found = _facts(fact_id.partition(".")[0]).get(fact_id)
    if found is None:
        raise KnowledgeError(f"No knowledge file declares the fact {fact_id!r}.")
    return found


def number(fact_id: str) -> float:
    """The value of a numeric fact."""
    return fact(fact_id).number
