"""One file per technique; each holds ``TECHNIQUE = Technique(...)``, found here by its presence.

Adding a technique is one module in this package and one ``knowledge/techniques/<id>.yaml``.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from foramen.errors import InputError
from foramen.knowledge.technique_facts import search_techniques, technique_knowledge
from foramen.model.technique import Technique

__all__ = ["all_techniques", "search", "technique", "technique_rows"]


@cache
def all_techniques() -> tuple[Technique, ...]:
    """Every technique, in alphabetical order of its id.

    Raises
    ------
    InputError
        If a module of this package holds no technique, or its id is not the module's name.
    """
    found = []
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda entry: entry.name):
        entry = getattr(importlib.import_module(f"{__name__}.{module.name}"), "TECHNIQUE", None)
        if not isinstance(entry, Technique) or entry.id != module.name:
            raise InputError(
                f"techniques/{module.name}.py must hold TECHNIQUE = Technique(id={module.name!r}, ...). "
                "Move anything else to the layer where it belongs."
            )
        found.append(entry)
    return tuple(found)


def technique(name: str) -> Technique:
    """The technique of that id or of another name by which it is known, such as ``rhizotomy``.

    Raises
    ------
    InputError
        If no technique, or more than one, goes by that name; the message lists the ids.
    """
    by_id = {entry.id: entry for entry in all_techniques()}
    if name in by_id:
        return by_id[name]
    meant = [by_id[technique_id] for technique_id, _ in search(name) if technique_id in by_id]
    if len(meant) == 1:
        return meant[0]
    choice = ", ".join(entry.id for entry in meant) if meant else ", ".join(by_id)
    problem = f"{name!r} may mean several techniques" if meant else f"There is no technique {name!r}"
    raise InputError(f"{problem}. Choose one of: {choice}.")


def search(text: str) -> tuple[tuple[str, str], ...]:
    """Ids of the techniques that a search text means, each with the note that belongs to the name used."""
    return search_techniques(text) if text.strip() else ()


def technique_rows(search_text: str = "") -> list[dict[str, object]]:
    """One row for each technique that goes by the text, with its level kind, aliases and the note to the name used."""
    notes = dict(search(search_text))
    rows: list[dict[str, object]] = []
    for entry in all_techniques():
        known = technique_knowledge(entry.id)
        if search_text and entry.id not in notes and search_text.lower() not in f"{entry.id} {entry.name}".lower():
            continue
        rows.append(
            {
                "id": entry.id,
                "name": entry.name,
                "region": entry.region,
                "level_kind": entry.level_kind.value,
                "guidance": ", ".join(entry.guidance),
                "effect_model": entry.effect_model,
                "aliases": ", ".join(alias.text for alias in known.aliases),
                "note": notes.get(entry.id, ""),
            }
        )
    return rows
