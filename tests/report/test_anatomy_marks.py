"""Marks on cuts: codes that do not overlap, and each side on its own side."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foramen.model.levels import Side
from foramen.report.anatomy_marks import (
    MARK_LOOKS,
    course_colour,
    draw_landmarks,
    draw_nerves,
    landmark_codes,
    landmark_words,
    landmarks_of,
    points_per_mm,
    spread,
)
from foramen.report.annotation import new_figure, prepare_axes
from foramen.report.spine_cuts import axial_cut, coronal_through_landmarks, find_spine, sagittal_through_landmarks
from report.case_factory import make_case
from report.marked_anatomy import marked_anatomy


@given(st.lists(st.floats(-5, 105), min_size=1, max_size=30), st.floats(0.5, 20))
def test_codes_are_spread_within_the_cut(wanted: list[float], step: float) -> None:
    places = np.array(spread(sorted(wanted), step=step, low=0.0, high=100.0))
    room = 100.0 / max(len(wanted) - 1, 1)
    assert places.min() >= -1e-9
    assert places.max() <= 100 + 1e-9
    assert (np.diff(places) >= min(step, room) - 1e-9).all()


def test_codes_with_room_stay_where_they_are() -> None:
    assert spread([10.0, 30.0, 70.0], step=5.0, low=0.0, high=100.0) == [10.0, 30.0, 70.0]
    assert spread([50.0, 50.0], step=10.0, low=0.0, high=100.0) == [45.0, 55.0]


def test_codes_are_initials_and_differ() -> None:
    codes = landmark_codes(["sap_tip", "sap_tp_junction", "sacral_tip", "foramen_posterior_border", "sap_tip"])
    assert codes["sap_tp_junction"] == "STJ"
    assert len(set(codes.values())) == len(codes) == 4
    assert landmark_words("sap_tp_junction") == "SAP TP junction"


def test_left_marks_stand_on_the_right_of_an_axial_cut() -> None:
    anatomy, case = marked_anatomy(), make_case()
    spine = find_spine(case.labels)
    figure = new_figure(4, 4)
    axes = figure.add_axes((0, 0, 1, 1))
    cut = axial_cut(spine, anatomy, spine.names.index("L4"), 60.0)
    prepare_axes(axes, cut.plane)
    marks = [mark for mark in landmarks_of(anatomy) if mark.vertebra.name == "L4"]
    codes = landmark_codes(mark.name.value for mark in marks)
    draw_landmarks(axes, cut, marks, reach_mm=100.0, codes=codes, by_height=False)
    sure, unsure = MARK_LOOKS["high"], MARK_LOOKS["low"]
    shown = [line for line in axes.lines if line.get_marker() in (sure.marker, unsure.marker)]
    assert len(shown) == 8
    for line in shown:  # the left ones are the sure ones of the made-up anatomy
        assert (float(np.asarray(line.get_xdata())[0]) > 0) == (line.get_marker() == sure.marker)
    assert sorted(text.get_text() for text in axes.texts) == sorted(2 * list(codes.values()))
    for text in axes.texts:
        assert (text.get_position()[0] > 0) == (text.get_color() == sure.colour)


def test_a_tube_is_as_wide_as_it_is() -> None:
    anatomy, case = marked_anatomy(), make_case()
    nerve = next(n for n in anatomy.nerves if n.side is Side.LEFT)
    cut = coronal_through_landmarks(find_spine(case.labels), anatomy)
    axes = new_figure(4, 4).add_axes((0, 0, 1, 1))
    prepare_axes(axes, cut.plane)
    draw_nerves(axes, cut, [nerve], reach_mm=200.0)
    wide_mm = max(line.get_linewidth() for line in axes.lines) / points_per_mm(axes)
    assert wide_mm == pytest.approx(2 * (nerve.radius_mm + 2 * nerve.total_sd_mm))
    assert {line.get_color() for line in axes.lines} == {course_colour(nerve.kind)}


@pytest.mark.parametrize("side", list(Side))
def test_a_cut_along_the_joints_meets_the_landmarks_of_its_side(side: Side) -> None:
    anatomy, case = marked_anatomy(), make_case()
    cut = sagittal_through_landmarks(find_spine(case.labels), anatomy, side)
    marks = np.array([mark.position_mm for mark in landmarks_of(anatomy) if mark.side is side])
    _, distance = cut.project(marks)
    assert np.abs(distance).max() < 8  # they lie between 14 and 24 mm to the side, the cut at their mean
    others = np.array([mark.position_mm for mark in landmarks_of(anatomy) if mark.side is not side])
    assert np.abs(cut.project(others)[1]).min() > 30
    shown = cut.points_mm(20)
    assert (np.sign(shown[..., 0]) == side.sign).all()
