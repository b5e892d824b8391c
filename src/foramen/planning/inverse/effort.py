"""How much is computed: the knowledge's numbers, or fewer for a quick look."""

from __future__ import annotations

from dataclasses import dataclass

from foramen.knowledge.facts import number, numbers
from foramen.physics.grid import Resolution
from foramen.steps.effect.simulation import RESOLUTION

SEARCH_RESOLUTION = Resolution(step=0.3, angles=8)
"""Grid of the fields that the search moves, and of the reduced models behind the table's probabilities: its error
against `RESOLUTION` is part of the error that is measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """Sizes of the search and of the table.

    Parameters
    ----------
    population, generations, search_scenarios : int
        Of the search.
    scenarios, full_solves : int
        Behind each probability of the table, and full solutions by which the reduced model's error is measured.
    shown_shares : tuple of float
        For each number of passes a setting is solved in full at each of these shares of its most probable capture.
    """

    population: int
    generations: int
    search_scenarios: int
    scenarios: int
    full_solves: int
    shown_shares: tuple[float, ...]
    resolution: Resolution = RESOLUTION
    search_resolution: Resolution = SEARCH_RESOLUTION


def known_effort() -> Effort:
    """The effort of the knowledge."""

    def size(name: str) -> int:
        return round(number(f"inverse.{name}"))

    return Effort(
        population=size("population"),
        generations=size("generations"),
        search_scenarios=size("search_scenarios"),
        scenarios=size("scenarios"),
        full_solves=size("full_solves"),
        shown_shares=numbers("inverse.shown_shares"),
    )
