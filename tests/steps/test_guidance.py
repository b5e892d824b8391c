"""Views of a technique: what they look along, relative to a tilted vertebra."""

from __future__ import annotations

import numpy as np
import pytest

from foramen.geometry.carm import angles_behind, beam_behind
from foramen.model.anatomy import VertebraFrame
from foramen.model.levels import Side
from foramen.model.plan import Posture
from foramen.steps.guidance import technique_views

ID = "lumbar_medial_branch_rf"


def tilted_frame(tilt_deg):
    """A vertebra whose superior endplate slopes down to the front by `tilt_deg`, as L5 does."""
    c, s = np.cos(np.radians(tilt_deg)), np.sin(np.radians(tilt_deg))
    axes = np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
    return VertebraFrame(
        origin_mm=np.zeros(3),
        axes=axes,
        superior_endplate_mm=axes @ [0, 0, 14],
        inferior_endplate_mm=axes @ [0, 0, -14],
    )


def views(frame, side, needle=None):
    found = technique_views(
        ID,
        frame,
        side,
        centre_mm=np.zeros(3),
        posture=Posture.PRONE,
        oblique_deg=20.0,
        declined_deg=42.5,
        needle=needle,
    )
    return {view.name: view for view in found}


@pytest.mark.parametrize("side", list(Side))
def test_relative_angles_lead_back(side):
    frame = tilted_frame(15)
    beam = beam_behind(frame, side, oblique_deg=18, declined_deg=41)
    assert angles_behind(frame, side, beam) == pytest.approx((18, 41))
    assert np.sign(beam[0]) == side.sign


def test_squaring_a_sloping_endplate_tilts_the_detector_to_the_head():
    level = views(tilted_frame(15), Side.LEFT)["AP, endplate squared"]
    assert "15 deg towards the head" in level.words
    assert level.secondary_angle_deg == pytest.approx(15)
    assert level.primary_angle_deg == pytest.approx(180)


def test_declined_counts_from_the_endplate_not_from_the_table():
    working = views(tilted_frame(15), Side.RIGHT)["Declined ipsilateral oblique (down the needle)"]
    assert working.secondary_angle_deg == pytest.approx(-42.5 + 15, abs=1.5)  # the oblique turn takes up to 1.3 deg
    assert "to the patient's right" in working.words


def test_the_working_view_comes_first_and_looks_down_the_needle():
    needle = np.array([-0.3, -0.7, 0.6])
    needle /= np.linalg.norm(needle)
    first = next(iter(views(tilted_frame(0), Side.LEFT, needle).values()))
    assert first.beam == pytest.approx(-needle)
    assert first.must_show


def test_the_lateral_view_runs_across_the_vertebra_with_the_arc_under_the_table():
    lateral = views(tilted_frame(10), Side.LEFT)["True lateral"]
    assert lateral.beam == pytest.approx([-1, 0, 0])
    assert "orbital 90 deg, detector towards the stand" in lateral.console_dial
    assert "mobile C-arm on the patient's right" in lateral.console_dial
    assert any("posterior border of the foramen" in text for text in lateral.must_show)
