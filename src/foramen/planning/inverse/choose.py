"""Which settings are shown, which of them are on the front, which one is recommended, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from foramen.knowledge.facts import number
from foramen.model.inverse import InversePoint
from foramen.planning.inverse.quick import BOILING, NEIGHBOURS, PATH
from foramen.planning.inverse.search import Tried, front, non_dominated

RULE = (
    "Of the settings that keep every hard limit: those whose probability of capture reaches the accepted one, or, if "
    f"none does, those within {100 * number('inverse.near_best_fraction'):g} percentage points of the most probable. "
    "Of these the fewest passes, then the least burnt tissue."
)

LIMIT_WORDS = {
    PATH: "the limits on the needle's path (bone, nerves, keep-outs, depth)",
    BOILING: "the hottest tissue, which must not boil",
    NEIGHBOURS: "the temperature of a structure to be spared",
}


def worth_solving(tried: tuple[Tried, ...], shares: Sequence[float]) -> tuple[Tried, ...]:
    """For each number of passes the settings that burn least at these shares of its most probable capture and at the
    accepted probability, the most probable first; of two that are much alike the less probable is left out.
    """
    found: list[Tried] = []
    for passes in sorted({entry.judged.passes for entry in tried}):
        own = front(tuple(entry for entry in tried if entry.judged.passes == passes))
        most = max((entry.judged.capture for entry in own), default=0.0)
        wanted = {number("robust.capture_accept_probability"), *(share * most for share in shares)}
        limit_mm3 = np.inf
        for capture in sorted(wanted, reverse=True):
            enough = [entry for entry in own if entry.judged.capture >= capture and entry.judged.burnt_mm3 <= limit_mm3]
            if enough:
                found.append(min(enough, key=lambda entry: (entry.judged.burnt_mm3, -entry.judged.capture)))
                limit_mm3 = number("inverse.distinct_share") * found[-1].judged.burnt_mm3
    return tuple(found)


def judged_points(points: Sequence[InversePoint]) -> tuple[InversePoint, ...]:
    """Points in the table's order, with the front and the recommendation marked; only those that keep every limit."""
    kept = [point for point in points if not point.broken]
    objectives = [(-p.capture.estimate_fraction, p.burnt_mm3, float(p.passes)) for p in kept]
    marks = non_dominated(np.array(objectives).reshape(-1, 3))
    on_front = {p.number for p, best in zip(kept, marks, strict=True) if best}
    chosen = recommended([p for p in kept if p.number in on_front])
    ordered = sorted(points, key=lambda p: (not p.is_textbook, p.passes, p.burnt_mm3, p.number))
    marked = [
        replace(p, is_on_front=p.number in on_front, is_recommended=chosen is not None and p.number == chosen.number)
        for p in ordered
    ]
    others = iter(range(1, len(marked) + 1))
    return tuple(p if p.is_textbook else replace(p, number=next(others)) for p in marked)


def recommended(points: Sequence[InversePoint]) -> InversePoint | None:
    """The point that `RULE` chooses among points within the limits."""
    most = max((point.capture.estimate_fraction for point in points), default=0.0)
    accept = number("robust.capture_accept_probability")
    wanted = accept if most >= accept else most - number("inverse.near_best_fraction")
    enough = [point for point in points if point.capture.estimate_fraction >= wanted]
    return min(enough, key=lambda p: (p.passes, p.burnt_mm3, -p.capture.estimate_fraction), default=None)


def advice(points: Sequence[InversePoint], prevented: dict[str, int], dropped: Sequence[str]) -> str:
    """The recommendation beside the textbook setting, or what prevents every plan."""
    chosen = next((point for point in points if point.is_recommended), None)
    textbook = next((point for point in points if point.is_textbook), None)
    beside = _textbook_words(textbook)
    if chosen is None:
        reasons = [
            LIMIT_WORDS.get(name, name) + f" ({count} settings)" * (count > 0) for name, count in prevented.items()
        ]
        reasons += list(dropped)
        return (
            f"No feasible plan. What prevents it: {'; '.join(reasons) or 'no path within the hard limits'}. {beside} "
            "Do not treat this nerve by this technique, or find out whether the limit is real in this patient."
        )
    accept = number("robust.capture_accept_probability")
    if chosen.is_textbook:
        return f"The textbook setting is the best that was found. {beside}"
    lead = f"Setting {chosen.number} ({chosen.words}): {_numbers(chosen)}."
    if chosen.capture.estimate_fraction < accept:
        lead += (
            f" No setting that was found within the hard limits reaches the accepted {100 * accept:g} %: the physician "
            "weighs."
        )
        if prevented:
            name = max(prevented, key=lambda name: prevented[name])
            lead += f" Most often in the way: {LIMIT_WORDS.get(name, name)}."
    return f"{lead} {beside}".strip()


def _textbook_words(textbook: InversePoint | None) -> str:
    if textbook is None:
        return "The textbook setting has no path within the hard limits."
    broken = f", but breaks a hard limit: {'; '.join(textbook.broken)}" if textbook.broken else ""
    return f"Textbook ({textbook.words}): {_numbers(textbook)}{broken}."


def _numbers(point: InversePoint) -> str:
    found = point.capture
    return (
        f"captured with probability {100 * found.estimate_fraction:.0f} % ({100 * found.low_fraction:.0f} to "
        f"{100 * found.high_fraction:.0f} %), {point.burnt_mm3:.0f} mm3 burnt, hottest tissue "
        f"{point.hottest_tissue_degC:.0f} degC"
    )
