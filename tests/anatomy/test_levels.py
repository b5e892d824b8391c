"""Names and the count of the bones together: a named map that contradicts itself is ambiguous, with the reason."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from foramen.anatomy.levels import count_levels, labelled_levels
from foramen.anatomy.reference_body import make_reference_body
from foramen.errors import LevelError
from foramen.knowledge.labels import structure_value, vertebra_value
from foramen.model.anatomy import LevelCount
from foramen.model.levels import Vertebra
from foramen.model.space import LabelMap


@cache
def body() -> LabelMap:
    """The reference body, T12 to the sacrum with ribs, as whole vertebrae."""
    labels = make_reference_body(spacing_mm=2.5).labels
    values = np.where(labels.values < 5000, labels.values // 100 * 100, labels.values).astype(np.uint16)
    return LabelMap(geometry=labels.geometry, values=values)


def renamed(table: dict[str, str], *, without_ribs: bool = False) -> LabelMap:
    """The body with bones named otherwise; an empty name takes the label away."""
    given = body().values
    values = given.copy()
    for old, new in table.items():
        number = vertebra_value(Vertebra(new)) if new else 0
        values[given == vertebra_value(Vertebra(old))] = number
    if without_ribs:
        values[np.isin(given, (structure_value("ribs_left"), structure_value("ribs_right")))] = 0
    return LabelMap(geometry=body().geometry, values=values)


def count(labels: LabelMap) -> LevelCount:
    return count_levels(labels, labelled_levels(labels))


def test_a_usual_loin_with_ribs_is_not_doubted() -> None:
    assert not count(body()).is_ambiguous


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        ({"L3": ""}, "a vertebra between L2 and L4 seems not to be labelled"),
        ({"L3": "L2"}, "; L2 is 2.1 times as large as its neighbours: two bones?"),
        ({"T12": "T11", "L1": "T12", "L2": "L1", "L3": "L2", "L4": "L3", "L5": "L4"}, "labelled L4 would be L5"),
        ({"T12": "T10", "L1": "T11", "L2": "T12", "L3": "L1", "L4": "L2", "L5": "L3"}, "L3 would be L5 by counting"),
        ({"L5": "L6"}, "L6 is labelled: a transitional or supernumerary vertebra"),
        ({"L5": "S1"}, "fit no usual spine"),  # as a sacralised L5 would be labelled
        ({"L2": "L4"}, "L4 lies on two bones"),
    ],
)
def test_a_map_that_contradicts_itself_is_ambiguous_with_the_reason(table: dict[str, str], reason: str) -> None:
    found = count(renamed(table))
    assert found.is_ambiguous
    assert reason in found.reason


def test_names_without_ribs_or_sacrum_are_doubted_as_before() -> None:
    assert "no rib is labelled" in count(renamed({}, without_ribs=True)).reason
    assert "the sacrum is not labelled" in count(renamed({"S1": ""})).reason


def test_bones_without_a_name_are_said_and_alone_refused() -> None:
    labels = body()
    unnamed = structure_value("unnamed_vertebra")
    values = np.where(labels.values == vertebra_value(Vertebra("T12")), unnamed, labels.values).astype(np.uint16)
    found = count(LabelMap(geometry=labels.geometry, values=values))
    assert "1 vertebra is labelled without a name" in found.reason
    values = np.where(values < 5000, np.where(values > 0, unnamed, 0), values).astype(np.uint16)
    with pytest.raises(LevelError, match="--level-of"):
        labelled_levels(LabelMap(geometry=labels.geometry, values=values))
