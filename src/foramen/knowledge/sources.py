"""Where facts come from (`sources.yaml`)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

from pydantic import TypeAdapter

from foramen.errors import KnowledgeError
from foramen.knowledge.documents import STRICT, read_document
from foramen.model.evidence import Citation

Tier = Literal[
    "guideline",
    "rct",
    "cohort",
    "review",
    "laboratory",
    "anatomy",
    "dataset",
    "regulator",
    "payer",
    "standard",
    "teaching",
    "public_code",
    "lay_article",
    "own_model",
    "unverified",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    __pydantic_config__ = STRICT

    title: str
    tier: Tier
    seen: bool
    reference: str = ""
    url: str = ""
    note: str = ""


@cache
def citations() -> dict[str, Citation]:
    """Every source by key."""
    document = read_document("sources.yaml")
    sources = document.parse(TypeAdapter(dict[str, _Source]), ("sources",))
    return {
        key: Citation(
            key=key,
            title=source.title,
            reference=source.reference,
            url=source.url,
            tier=source.tier,
            is_seen=source.seen,
            note=source.note,
        )
        for key, source in sources.items()
    }


def citation(key: str) -> Citation:
    """The source of that key; raises `KnowledgeError` if `sources.yaml` does not declare it."""
    found = citations().get(key)
    if found is None:
        raise KnowledgeError(f"sources.yaml has no source {key!r}. Add it, or correct the key.")
    return found
