"""Medicines recognised by the names of `knowledge/drugs.yaml`; what is not recognised keeps its text."""

from __future__ import annotations

import re
from functools import cache

from foramen.knowledge.documents import document_names, read_document
from foramen.model.record import Medicine

FILE = "drugs.yaml"
"""Knowledge file with the list ``drugs`` of entries {id, names}."""


@cache
def _names() -> tuple[tuple[str, re.Pattern[str]], ...]:
    if FILE not in document_names():
        return ()
    found: list[tuple[str, re.Pattern[str]]] = []
    for entry in read_document(FILE).content.get("drugs", []):
        for name in entry.get("names", ()) or (entry["id"],):
            found.append((entry["id"], re.compile(rf"(?<![a-z]){re.escape(str(name).lower())}(?![a-z])")))
    return tuple(found)


def recognised(text: str, *, dose: str = "") -> tuple[Medicine, ...]:
    """A medicine as recorded, once for every known drug in it; once without a drug id if none is known.

    Parameters
    ----------
    text : str
        As written, such as ``Aspirin 81 MG Oral Tablet``; a combination names several drugs.
    dose : str
        As written.
    """
    words = text.lower()
    drugs = dict.fromkeys(drug for drug, pattern in _names() if pattern.search(words))
    return tuple(Medicine(text=text, drug=drug, dose=dose) for drug in drugs) or (Medicine(text=text, dose=dose),)
