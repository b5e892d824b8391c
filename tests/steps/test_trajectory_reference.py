"""Paths on the reference body: where an interventional physician would put the needle, on both sides."""

from __future__ import annotations

import numpy as np
import pytest

from foramen.anatomy.reference_body import make_reference_body
from foramen.geometry.segments import point_polyline_distance
from foramen.knowledge.devices import device
from foramen.model.levels import Segment, Side
from foramen.model.plan import ClearanceStatus
from foramen.steps.trajectory import search_trajectories, trajectory_rules
from foramen.techniques import technique

RF = technique("lumbar_medial_branch_rf")
RULES = trajectory_rules(RF.id)


@pytest.fixture(scope="module")
def body():
    return make_reference_body(spacing_mm=1.5)


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("joint", ["L4-L5", "L5-S1"])
def test_needles_lie_in_the_groove_and_break_no_hard_limit(body, joint, side):
    for target in RF.find_targets(body.anatomy, Segment(joint), side):
        found = search_trajectories(body.anatomy, body.image, body.labels, target, [device("rf_18g_10mm")], rules=RULES)
        best = found.ranked[0]
        frame = body.anatomy.vertebra(target.crosses_bone).frame
        tip, entry = frame.to_vertebra(best.tip_mm), frame.to_vertebra(best.entry_mm)
        assert entry[1] > tip[1] + 20, "through the back"
        assert entry[2] < tip[2] - 20, "from below"
        assert abs(entry[0]) > abs(tip[0]) - 5, "not across the midline"
        axis = np.array([best.tip_mm, best.tip_mm - best.device.active_tip_mm * best.direction])
        beside = point_polyline_distance(target.needed_segment_mm, axis).mean()
        # A nerve of 1 mm radius that touches a cannula of 0.64 mm radius lies 1.6 mm from its axis.
        assert beside < 1.6
        assert all(c.status is not ClearanceStatus.VIOLATED for c in best.clearances if c.is_hard)
        assert any(c.status is ClearanceStatus.UNKNOWN for c in best.clearances), "arteries are never clear on CT"
        views = RF.plan_views(body.anatomy, target, best.direction)
        assert views[0].beam == pytest.approx(-best.direction)
        assert len(views) == 5
