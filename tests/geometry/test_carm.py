"""Words, DICOM angles and dials of a beam, against known stands and their own inverses."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foramen.errors import InputError
from foramen.geometry.carm import (
    Dial,
    beam_from_dial,
    beam_from_dicom,
    beam_from_turns,
    describe_view,
    dial_words,
    dicom_angles,
    mobile_dial,
    turns,
    view_words,
)
from foramen.model.levels import Side
from foramen.model.plan import Posture

COMPONENT = st.floats(-1, 1, allow_nan=False)


@st.composite
def beams(draw):
    vector = np.array([draw(COMPONENT) for _ in range(3)])
    length = np.linalg.norm(vector)
    # Straight along the body (as for no C-arm) longitude is undefined: keep 2 deg off it.
    if length < 0.1 or np.hypot(*vector[:2]) < 0.035 * length:
        return np.array([0.0, 1.0, 0.0])
    return vector / length


@pytest.mark.parametrize(
    ("angles", "detector"),
    [
        ((0, 0), (0, -1, 0)),  # the patient faces the detector
        ((90, 0), (1, 0, 0)),  # LAO 90: detector at the patient's left
        ((-90, 0), (-1, 0, 0)),  # RAO 90
        ((180, 0), (0, 1, 0)),  # detector behind the patient
        ((0, 90), (0, 0, 1)),  # CRA 90
        ((30, 0), (0.5, -np.sqrt(0.75), 0)),  # LAO 30
        ((0, -30), (0, -np.sqrt(0.75), -0.5)),  # CAU 30
    ],
)
def test_dicom_signs(angles, detector):
    assert beam_from_dicom(*angles) == pytest.approx(np.array(detector), abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(beam=beams(), posture=st.sampled_from(list(Posture)))
def test_every_form_leads_back_to_the_beam(beam, posture):
    assert beam_from_dicom(*dicom_angles(beam)) == pytest.approx(beam, abs=1e-9)
    assert beam_from_turns(*turns(beam, posture), posture) == pytest.approx(beam, abs=1e-9)
    assert beam_from_dial(mobile_dial(beam, posture), posture) == pytest.approx(beam, abs=1e-7)


@settings(max_examples=40, deadline=None)
@given(sideways=st.integers(-80, 80), headward=st.integers(-60, 60))
def test_words_carry_the_angles(sideways, headward):
    beam = beam_from_turns(sideways, headward, Posture.PRONE)
    words = view_words(beam, Posture.PRONE)
    side = re.search(r"(\d+) deg to the patient's (left|right)", words)
    head = re.search(r"(\d+) deg towards the (head|feet)", words)
    assert (int(side[1]) * (1 if side[2] == "left" else -1) if side else 0) == sideways
    assert (int(head[1]) * (1 if head[2] == "head" else -1) if head else 0) == headward


def test_the_working_view_of_the_design():
    beam = beam_from_turns(20, -40, Posture.PRONE)
    assert view_words(beam, Posture.PRONE).startswith("detector 20 deg to the patient's left, 40 deg towards the feet")
    assert dicom_angles(beam) == pytest.approx((160, -40))
    # sin(orbital) = sin 20 cos 40, tan(tilt) = tan 40 / cos 20: a tilted arc is not longitude and latitude.
    dial = mobile_dial(beam, Posture.PRONE)
    assert dial.orbital_deg == pytest.approx(np.degrees(np.arcsin(np.sin(np.radians(20)) * np.cos(np.radians(40)))))
    assert dial.tilt_deg == pytest.approx(-np.degrees(np.arctan(np.tan(np.radians(40)) / np.cos(np.radians(20)))))


def test_a_lateral_view_is_squared_by_a_small_swivel_never_by_a_large_tilt():
    beam = beam_from_turns(90, 3, Posture.PRONE)
    dial = mobile_dial(beam, Posture.PRONE)
    assert (dial.orbital_deg, dial.tilt_deg, dial.swivel_deg) == pytest.approx((90, 0, 3), abs=1e-9)
    assert "orbital 90 deg, detector away from the stand, swivel 3 deg, detector to the head" in dial_words(
        beam, Posture.PRONE, Side.RIGHT
    )
    beam = beam_from_turns(-90, -3, Posture.PRONE)
    assert "orbital 90 deg, detector away from the stand, swivel 3 deg, detector to the feet" in dial_words(
        beam, Posture.PRONE, Side.LEFT
    )
    with pytest.raises(InputError, match="one of the two"):
        beam_from_dial(Dial(orbital_deg=10, tilt_deg=5, swivel_deg=5), Posture.PRONE)


@settings(max_examples=60, deadline=None)
@given(sideways=st.integers(-180, 180), headward=st.integers(-45, 45))
def test_no_dial_asks_for_an_arc_on_its_side(sideways, headward):
    dial = mobile_dial(beam_from_turns(sideways, headward, Posture.PRONE), Posture.PRONE)
    # tilt and swivel have tangents z / |y| and z / |x|, and the larger of |x|, |y| is at least sqrt((1 - z^2) / 2)
    limit = np.degrees(np.arctan(np.sqrt(2) * np.tan(np.radians(abs(headward)))))
    assert max(abs(dial.tilt_deg), abs(dial.swivel_deg)) <= limit + 1e-9


def test_turning_the_patient_over_moves_the_detector_under_the_table():
    beam = beam_from_turns(0, 0, Posture.PRONE)
    assert turns(beam, Posture.SUPINE)[0] == pytest.approx(180)
    # The same LAO 30 beam is 30 deg left of straight above in a supine patient, 150 deg in a prone one.
    beam = beam_from_dicom(30, 0)
    assert turns(beam, Posture.SUPINE)[0] == pytest.approx(30)
    assert turns(beam, Posture.PRONE)[0] == pytest.approx(150)


def test_the_dial_names_the_stand():
    beam = beam_from_turns(15, 0, Posture.PRONE)
    assert "orbital 15 deg, detector towards the stand" in dial_words(beam, Posture.PRONE, Side.LEFT)
    assert "orbital 15 deg, detector away from the stand" in dial_words(beam, Posture.PRONE, Side.RIGHT)
    with pytest.raises(InputError, match="prone or supine"):
        dial_words(beam, Posture.LEFT_LATERAL, Side.LEFT)


def test_up_on_the_screen_is_towards_the_head():
    view = describe_view(
        "v",
        "p",
        beam=np.array([0.3, 0.7, -0.6]),
        centre_mm=np.zeros(3),
        posture=Posture.PRONE,
        carm_side=Side.LEFT,
        must_show=(),
    )
    assert view.up @ view.beam == pytest.approx(0, abs=1e-12)
    assert view.up[2] > 0
