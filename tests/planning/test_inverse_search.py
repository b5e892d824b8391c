"""The search of inverse planning against enumeration, and the choice of what is shown and recommended."""

from __future__ import annotations

import dataclasses
import itertools
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foramen.errors import InputError
from foramen.planning.inverse.choose import advice, judged_points, recommended, worth_solving
from foramen.planning.inverse.quick import BOILING, Judged
from foramen.planning.inverse.search import Tried, first_generation, front, non_dominated, search
from foramen.planning.inverse.space import Design, Reach
from planning.inverse_case import BOILS_ABOVE_DEGC, EFFORT, every_design, judge, make_point, make_space

PLACES = Reach(tilt_deg=5.0, shift_mm=2.0, along_mm=3.0, spacing_mm=5.0, stagger_mm=5.0)


def best(tried: tuple[Tried, ...]) -> set[tuple[float, float, int]]:
    """What the settings of the front come to."""
    return {(t.judged.capture, t.judged.burnt_mm3, t.judged.passes) for t in front(tried)}


@pytest.mark.parametrize("seed", [0, 1, 7])
def test_the_search_finds_the_enumerated_best(seed: int) -> None:
    """546 settings without places: the best capture, and nearly the whole front, are those of trying them all."""
    space = make_space()
    designs = every_design(space)
    assert len(designs) == 546
    every = tuple(Tried(design=design, judged=judge(design)) for design in designs)
    found = search(space, judge, dataclasses.replace(EFFORT, population=30, generations=15), seed=seed)
    kept = [t.judged.capture for t in every if t.judged.is_kept]
    assert max(t.judged.capture for t in found if t.judged.is_kept) == max(kept)
    for passes in (1, 2, 3):
        expected = best(tuple(t for t in every if t.design.passes == passes))
        own = best(tuple(t for t in found if t.design.passes == passes))
        assert len(own & expected) >= 0.7 * len(expected)
        assert max(own) == max(expected)


def test_the_search_finds_a_place() -> None:
    """The optimum of a real variable, 0.5 mm aside, is found to 0.2 mm by the most probable setting."""
    found = search(make_space(reach=PLACES, passes=(1, 1)), judge, EFFORT, seed=3)
    chosen = max((t for t in found if t.judged.is_kept), key=lambda t: t.judged.capture)
    assert chosen.design.shift_mm == pytest.approx(0.5, abs=0.2)
    assert chosen.design.temperature_degC == 82.5  # the hottest that does not boil


def test_the_same_seed_gives_the_same_answer_for_any_threads() -> None:
    space = make_space(reach=PLACES)
    one, two = (search(space, judge, EFFORT, seed=5, threads=threads) for threads in (1, 2))
    assert one == two
    assert search(space, judge, EFFORT, seed=6) != one


def test_no_setting_of_the_front_breaks_a_limit_or_is_beaten() -> None:
    found = search(make_space(reach=PLACES), judge, EFFORT, seed=1)
    chosen = front(found)
    assert chosen
    assert any(not t.judged.is_kept for t in found)  # the limit was in the way
    assert all(t.design.temperature_degC <= BOILS_ABOVE_DEGC for t in chosen)
    for one in chosen:
        for other in found:
            if other.judged.is_kept:
                a, b = one.judged, other.judged
                better = b.capture >= a.capture and b.burnt_mm3 <= a.burnt_mm3 and b.passes <= a.passes
                assert not better or (b.capture, b.burnt_mm3, b.passes) == (a.capture, a.burnt_mm3, a.passes)


def test_progress_rises_to_the_end() -> None:
    told: list[float] = []
    search(make_space(), judge, EFFORT, seed=0, progress=told.append)
    assert told == sorted(told)
    assert 0.5 < told[-1] <= 1.0


def test_every_choice_lies_within_the_space() -> None:
    space = make_space(reach=PLACES)
    for passes in (1, 2, 3):
        for chosen in first_generation(space, passes, 40, np.random.default_rng(0)):
            design = space.design(chosen, passes)
            device = space.starts[design.start].device
            assert 60 <= design.temperature_degC <= 90
            assert 90 <= design.time_s <= 120
            assert len(design.across_mm) == passes
            assert abs(design.shift_mm) <= PLACES.shift_mm
            apart = np.diff(design.across_mm)
            assert np.all(apart >= device.outer_diameter_mm - 1e-9)
            assert np.all(apart <= PLACES.spacing_mm + 1e-9)


def test_a_device_is_never_set_above_its_limit() -> None:
    space = make_space()
    cool = dataclasses.replace(space.starts[0].device, max_temperature_degC=72.0)
    low = dataclasses.replace(space, starts=(dataclasses.replace(space.starts[0], device=cool),))
    assert low.design({"start": 0, "temperature": 12, "time": 0}, 1).temperature_degC == 72.0


def test_without_pymoo_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pymoo.optimize", None)
    with pytest.raises(InputError, match=r"pip install \"foramen\[inverse\]\""):
        search(make_space(), judge, EFFORT, seed=0)


@given(st.lists(st.tuples(*[st.integers(0, 4)] * 3), min_size=1, max_size=12))
def test_the_front_is_what_nothing_beats(rows: list[tuple[int, int, int]]) -> None:
    objectives = np.array(rows, dtype=float)
    marks = non_dominated(objectives)
    assert any(marks)
    for row, mark in zip(rows, marks, strict=True):
        beaten = any(all(o <= r for o, r in zip(other, row, strict=True)) and other != row for other in rows)
        assert mark is not beaten


def test_what_is_worth_solving_comes_from_every_number_of_passes() -> None:
    """For each number of passes the most probable region, and the accepted probability where it is reached."""
    found = search(make_space(), judge, EFFORT, seed=0)
    chosen = worth_solving(found, (0.7, 0.97))
    for one, other in itertools.combinations(chosen, 2):
        if one.judged.passes == other.judged.passes:
            assert other.judged.burnt_mm3 <= 0.9 * one.judged.burnt_mm3
    assert {t.design.passes for t in chosen} == {1, 2, 3}
    assert all(t.judged.is_kept for t in chosen)
    for passes in (1, 2, 3):
        own = [t for t in found if t.design.passes == passes and t.judged.is_kept]
        most = max(t.judged.capture for t in own)
        shown = [t.judged.capture for t in chosen if t.design.passes == passes]
        assert max(shown) >= 0.97 * most
    two = [t.judged for t in found if t.design.passes == 2 and t.judged.is_kept and t.judged.capture >= 0.8]
    enough = [t.judged.burnt_mm3 for t in chosen if t.judged.passes == 2 and t.judged.capture >= 0.8]
    assert min(enough) <= min(j.burnt_mm3 for j in two) / 0.9  # itself, or one much like it


def test_the_rule_of_the_recommendation() -> None:
    """Enough first, then passes, then burning; without enough what is near the most probable; broken ones never."""
    textbook = make_point(0, passes=2, capture=0.85, burnt_mm3=600)
    sparing = make_point(1, passes=2, capture=0.83, burnt_mm3=500)
    single = make_point(2, passes=1, capture=0.7, burnt_mm3=400)
    many = make_point(3, passes=3, capture=0.95, burnt_mm3=450)
    broken = make_point(4, passes=1, capture=0.99, burnt_mm3=100, broken=("tissue boils",))
    table = judged_points([textbook, sparing, single, many, broken])
    assert table[0].is_textbook
    assert [p.number for p in table] == [0, 1, 2, 3, 4]
    chosen = next(p for p in table if p.is_recommended)
    assert (chosen.passes, chosen.burnt_mm3) == (2, 500)
    marked = {p.burnt_mm3: p.is_on_front for p in table}
    assert marked == {600: True, 500: True, 400: True, 450: True, 100: False}
    weak = [make_point(5, passes=3, capture=0.79, burnt_mm3=900), make_point(6, passes=2, capture=0.75, burnt_mm3=800)]
    assert recommended([single, *weak]) is weak[1]  # 4 points less are not worth a third pass, 9 points are
    assert recommended([single, weak[0]]) is weak[0]
    assert recommended([]) is None


def test_a_beaten_textbook_setting_is_shown_all_the_same() -> None:
    table = judged_points(
        [make_point(0, passes=2, capture=0.6, burnt_mm3=600), make_point(1, passes=1, capture=0.9, burnt_mm3=500)]
    )
    assert table[0].is_textbook
    assert not table[0].is_on_front
    words = advice(table, {}, ())
    assert "Setting 1" in words
    assert "Textbook" in words


def test_no_feasible_plan_names_the_limit() -> None:
    """Every setting boils: nothing is worth solving, and the advice says which limit is in the way."""

    def hot(design: Design) -> Judged:
        return dataclasses.replace(judge(design), excess=((BOILING, 3.0),))

    found = search(make_space(), hot, EFFORT, seed=0)
    assert worth_solving(found, (0.7, 0.97)) == ()
    textbook = make_point(0, passes=2, capture=0.9, burnt_mm3=600, broken=("tissue boils: 103.0 degC",))
    words = advice(judged_points([textbook]), {BOILING: len(found)}, ())
    assert words.startswith("No feasible plan")
    assert "must not boil" in words
    assert "breaks a hard limit: tissue boils: 103.0 degC" in words
    assert "no path within the hard limits" in advice((), {}, ())
