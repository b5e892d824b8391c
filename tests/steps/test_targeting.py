"""Which nerve on which bone: the golden table, and the needed part of the nerve."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from block_spine import block_spine, groove_direction
from foramen.errors import LandmarkError, LevelError
from foramen.geometry.segments import arc_length
from foramen.model.anatomy import LandmarkName
from foramen.model.levels import Segment, Side
from foramen.steps.targeting import NeededPart, find_target, lumbar_joint_supply

GOLDEN = {
    "T12-L1": ("T11 medial branch, on the T12 transverse process", "T12 medial branch, on the L1 transverse process"),
    "L1-L2": ("T12 medial branch, on the L1 transverse process", "L1 medial branch, on the L2 transverse process"),
    "L2-L3": ("L1 medial branch, on the L2 transverse process", "L2 medial branch, on the L3 transverse process"),
    "L3-L4": ("L2 medial branch, on the L3 transverse process", "L3 medial branch, on the L4 transverse process"),
    "L4-L5": ("L3 medial branch, on the L4 transverse process", "L4 medial branch, on the L5 transverse process"),
    "L5-S1": ("L4 medial branch, on the L5 transverse process", "L5 dorsal ramus, on the sacral ala"),
}
NEEDED = NeededPart(
    start=LandmarkName.SAP_TP_JUNCTION,
    end=LandmarkName.MAMILLO_ACCESSORY_NOTCH,
    length_mm=8.0,
    shortest_mm=2.0,
    nerve_radius_mm=1.0,
)


@pytest.mark.parametrize(("joint", "words"), GOLDEN.items())
def test_golden_table_of_joints_nerves_and_bones(joint, words):
    assert tuple(supply.words for supply in lumbar_joint_supply(Segment(joint))) == words


@pytest.mark.parametrize("joint", ["C4-C5", "T10-T11", "L5-L6", "L4-S1"])
def test_other_joints_are_refused(joint):
    with pytest.raises(LevelError, match="T12-L1 to L5-S1"):
        lumbar_joint_supply(Segment(joint))


def target(anatomy, side=Side.LEFT, needed=NEEDED):
    joint = Segment("L4-L5")
    return find_target(anatomy, lumbar_joint_supply(joint)[0], joint=joint, side=side, needed=needed)


@pytest.mark.parametrize("side", list(Side))
def test_needed_part_runs_between_its_landmarks(side):
    _, _, anatomy = block_spine()
    found = target(anatomy, side)
    length = arc_length(found.needed_segment_mm)
    assert length[-1] == pytest.approx(8.0, abs=1e-6)  # landmarks at 1 and 9 mm along the groove
    assert np.diff(length).max() <= 0.2 + 1e-9
    along = found.needed_segment_mm[-1] - found.needed_segment_mm[0]
    assert along / 8 == pytest.approx(groove_direction(side), abs=1e-6)
    assert found.nerve_radius_mm == 1.0  # the upper bound that capture is judged with, not the drawn 0.5 mm
    assert found.side is side
    assert np.sign(found.position_mm[0]) == side.sign
    assert found.position_sd_mm == pytest.approx(np.hypot(1.1, 1.0))


def test_without_an_end_landmark_the_length_counts():
    _, _, anatomy = block_spine()
    found = target(anatomy, needed=dataclasses.replace(NEEDED, end=None, length_mm=5.0))
    assert arc_length(found.needed_segment_mm)[-1] == pytest.approx(5.0)
    assert "over 5 mm" in found.segment_definition


def test_landmarks_in_the_wrong_order_are_refused():
    _, _, anatomy = block_spine()
    turned = dataclasses.replace(NEEDED, start=NEEDED.end, end=NEEDED.start)
    with pytest.raises(LandmarkError, match="wrong order"):
        target(anatomy, needed=turned)
