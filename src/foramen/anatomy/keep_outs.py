"""Structures that a needle must not enter, each shown by this patient's labels or UNKNOWN (never clear)."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from foramen.knowledge.labels import label, structure_labels
from foramen.model.anatomy import KeepOut, KeepOutStatus, Nerve, NerveKind
from foramen.model.levels import ROOTS, Root, Side, Vertebra, neighbour_above
from foramen.model.space import LabelMap

NOT_IMAGED = "not imaged: Doppler / live contrast required"
"""Note of a vessel that a plain scan and its labels do not show."""

NEVER_LABELLED = ("radicular_arteries", "periforaminal_arteries", "segmental_lumbar_arteries")
"""Vessels that no label map shows; an atlas may forbid them, never clear them."""


def find_keep_outs(labels: LabelMap, nerves: Iterable[Nerve]) -> tuple[KeepOut, ...]:
    """All keep-outs: groups of the label table, nerves derived from the bones, vessels never imaged."""
    present = {int(v) for v in np.unique(labels.values)}
    groups: dict[str, set[int]] = {}
    for entry in structure_labels():
        if entry.keep_out:
            groups.setdefault(entry.keep_out, set()).add(entry.value)
    found = [_labelled(name, tuple(sorted(values & present))) for name, values in groups.items()]
    found.extend(_neural(tuple(nerves)))
    found.extend(KeepOut(name=n, status=KeepOutStatus.UNKNOWN, note=NOT_IMAGED) for n in NEVER_LABELLED)
    return tuple(found)


def nerves_not_placed(nerves: Iterable[Nerve], kind: NerveKind, *, beside: Vertebra, side: Side) -> tuple[Root, ...]:
    """Roots whose nerve passes the foramen above or below a vertebra and was not placed, from above downwards.

    A bone that is not labelled has no foramen to place its nerve in; that nerve is then UNKNOWN beside its
    neighbours, never clear because another one lies farther away.
    """
    placed = {nerve.root for nerve in nerves if nerve.kind is kind and nerve.side is side}
    passing = [Root(v.name) for v in (neighbour_above(beside), beside) if v is not None and v.name in ROOTS]
    return tuple(root for root in passing if root not in placed)


def _labelled(name: str, values: tuple[int, ...]) -> KeepOut:
    if values:
        words = ", ".join(entry.name for entry in map(label, values) if entry is not None)
        return KeepOut(
            name=name, status=KeepOutStatus.SHOWN, label_values=values, note=f"labelled: {words.replace('_', ' ')}"
        )
    words = name.replace("_", " ")
    return KeepOut(
        name=name,
        status=KeepOutStatus.UNKNOWN,
        note=f"no label of {words} in this map: absent, outside the scan or not labelled; look at the images",
    )


def _neural(nerves: tuple[Nerve, ...]) -> list[KeepOut]:
    found = []
    for kind in (NerveKind.SPINAL_NERVE, NerveKind.DORSAL_ROOT_GANGLION):
        roots = sorted({str(n.root) for n in nerves if n.kind is kind})
        is_shown = bool(roots)
        found.append(
            KeepOut(
                name=kind.value,
                status=KeepOutStatus.SHOWN if is_shown else KeepOutStatus.UNKNOWN,
                note=f"derived from the foramina of {', '.join(roots)}; not seen on the scan"
                if is_shown
                else "no foramen could be placed on this image",
            )
        )
    return found
