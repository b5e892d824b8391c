"""Paths to the nerve of the block vertebra: the right one is known, and every limit can be made to bite."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from block_spine import CANNULA, L4, block_spine, groove_direction
from foramen.errors import InputError, PlanRejected
from foramen.geometry.segments import point_polyline_distance
from foramen.knowledge.labels import structure_value
from foramen.model.anatomy import KeepOut, KeepOutStatus, LandmarkName, Nerve, NerveKind, Origin
from foramen.model.levels import Root, Segment, Side
from foramen.model.plan import ClearanceStatus
from foramen.model.space import LabelMap
from foramen.steps.targeting import NeededPart, find_target, lumbar_joint_supply
from foramen.steps.trajectory import companions, search_trajectories, trajectory_rules

RULES = trajectory_rules("lumbar_medial_branch_rf")
NEEDED = NeededPart(
    start=LandmarkName.SAP_TP_JUNCTION,
    end=LandmarkName.MAMILLO_ACCESSORY_NOTCH,
    length_mm=8.0,
    shortest_mm=2.0,
    nerve_radius_mm=1.0,
)


def target_of(anatomy, side=Side.LEFT):
    joint = Segment("L4-L5")
    return find_target(anatomy, lumbar_joint_supply(joint)[0], joint=joint, side=side, needed=NEEDED)


def plan(scene, side=Side.LEFT, *, rules=RULES, devices=(CANNULA,)):
    image, labels, anatomy = scene
    return search_trajectories(anatomy, image, labels, target_of(anatomy, side), devices, rules=rules)


@pytest.fixture(scope="module")
def scene():
    return block_spine()


@pytest.mark.parametrize("spacing_mm", [1.0, 3.0])
def test_the_electrode_lies_in_the_groove(spacing_mm):
    scene = block_spine(spacing_mm=spacing_mm)
    best = plan(scene).ranked[0]
    assert best.angle_to_nerve_deg < 10 if spacing_mm > 2 else best.angle_to_nerve_deg < 5  # search step: 2.5 deg
    course = target_of(scene[2]).needed_segment_mm
    axis = np.array([best.tip_mm, best.tip_mm - 10 * best.direction])
    # Half of the nerve's sheath and the cannula's radius together: they touch. At 3 mm, half a voxel more.
    assert point_polyline_distance(course, axis).mean() < (1.5 if spacing_mm < 2 else 3.0)
    assert best.entry_mm[1] > 85  # through the back
    assert best.entry_mm[2] < best.tip_mm[2] - 30  # from below
    assert best.entry_mm[0] > best.tip_mm[0]  # from the side
    assert best.id == "L3 medial branch/left/1"
    assert best.cannula_length_mm >= best.length_mm + RULES.length_reserve_mm


def test_tip_stays_behind_the_foramen(scene):
    for path in plan(scene).ranked:
        assert path.tip_mm[1] >= 24.0  # posterior border of the foramen in the block vertebra
    moved = dataclasses.replace(RULES, tip_past_border_max_mm=-2.5)  # demand 2.5 mm behind it
    assert plan(scene, rules=moved).ranked[0].tip_mm[1] >= 26.5


def test_unknown_keep_outs_are_never_met(scene):
    lines = {c.structure: c for c in plan(scene).ranked[0].clearances}
    assert lines["periforaminal arteries"].status is ClearanceStatus.UNKNOWN
    assert lines["periforaminal arteries"].distance_mm is None
    assert lines["canal"].status is ClearanceStatus.MET
    assert lines["L3 spinal nerve"].distance_mm > 5


def test_alternatives_really_differ_and_costs_rise(scene):
    paths = plan(scene).ranked
    assert len(paths) == 3
    totals = [path.costs["total"] for path in paths]
    assert totals == sorted(totals)
    for i, first in enumerate(paths):
        for second in paths[i + 1 :]:
            assert first.direction @ second.direction <= np.cos(np.radians(RULES.distinct_deg)) + 1e-12


@settings(max_examples=4, deadline=None)
@given(
    shift=st.tuples(*[st.integers(-200, 200)] * 3),
    turn_deg=st.integers(-8, 8),
)
def test_moving_the_patient_moves_the_plan(shift, turn_deg):
    c, s = np.cos(np.radians(turn_deg)), np.sin(np.radians(turn_deg))
    motion = np.eye(4)
    motion[:3, :3] = [[c, -s, 0], [s, c, 0], [0, 0, 1]]
    motion[:3, 3] = shift
    here, there = plan(block_spine(spacing_mm=2.0)), plan(block_spine(spacing_mm=2.0, motion=motion))
    assert [path.id for path in here.ranked] == [path.id for path in there.ranked]
    for first, second in zip(here.ranked, there.ranked, strict=True):
        assert second.tip_mm == pytest.approx(motion[:3, :3] @ first.tip_mm + motion[:3, 3], abs=1e-6)
        assert second.entry_mm == pytest.approx(motion[:3, :3] @ first.entry_mm + motion[:3, 3], abs=1e-6)


def test_mirroring_swaps_sides(scene):
    left, right = plan(scene, Side.LEFT).ranked, plan(scene, Side.RIGHT).ranked
    mirror = np.array([-1, 1, 1])
    for first, second in zip(left, right, strict=True):
        assert second.tip_mm == pytest.approx(first.tip_mm * mirror, abs=1e-6)
        assert second.entry_mm == pytest.approx(first.entry_mm * mirror, abs=1e-6)
        assert second.oblique_deg == pytest.approx(first.oblique_deg)


def with_block(scene, name, low, high):
    """A structure in a box of LPS millimetres, as label and as keep-out where it is one."""
    image, labels, anatomy = scene
    index = np.moveaxis(np.indices(labels.geometry.shape), 0, -1).astype(float)
    centres = labels.geometry.lps_mm(index)
    values = labels.values.copy()
    values[((centres >= low) & (centres <= high)).all(axis=-1)] = structure_value(name)
    return image, LabelMap(geometry=labels.geometry, values=values), anatomy


def test_a_bone_in_the_way_is_named_and_avoided(scene):
    free = plan(scene).ranked[0]
    middle = (free.entry_mm + free.tip_mm) / 2
    blocked = with_block(scene, "hip_left", middle - 6, middle + 6)
    search = plan(blocked)
    assert any("pass through the left hip" in reason for reason in search.rejected)
    path = search.ranked[0]
    steps = np.linspace(0, 1, 200)[:, None]
    points = path.tip_mm + steps * (path.entry_mm - path.tip_mm)
    outside = np.maximum(np.abs(points - middle) - 6, 0)
    assert np.linalg.norm(outside, axis=1).min() > 0


def test_unlabelled_bone_is_seen_by_its_density(scene):
    free = plan(scene).ranked[0]
    middle = (free.entry_mm + free.tip_mm) / 2
    image, labels, anatomy = scene
    centres = image.geometry.lps_mm(np.moveaxis(np.indices(image.geometry.shape), 0, -1).astype(float))
    values = image.values.copy()
    values[(np.abs(centres - middle) < 6).all(axis=-1)] = 700
    search = plan((dataclasses.replace(image, values=values), labels, anatomy))
    assert any("unlabelled bone" in reason for reason in search.rejected)


def test_a_keep_out_in_the_way_is_avoided(scene):
    free = plan(scene).ranked[0]
    middle = (free.entry_mm + free.tip_mm) / 2
    image, labels, anatomy = with_block(scene, "kidney_left", middle - 4, middle + 4)
    kidney = KeepOut(name="kidneys", status=KeepOutStatus.SHOWN, label_values=(structure_value("kidney_left"),))
    anatomy = dataclasses.replace(anatomy, keep_outs=(*anatomy.keep_outs, kidney))
    search = plan((image, labels, anatomy))
    assert any("kidneys" in reason for reason in search.rejected)
    line = next(c for c in search.ranked[0].clearances if c.structure == "kidneys")
    assert line.distance_mm >= RULES.keep_out_distance_mm("kidneys")


def test_a_spinal_nerve_beside_the_groove_rejects_the_plan(scene):
    image, labels, anatomy = scene
    start = target_of(anatomy).needed_segment_mm[0] + np.array([5.0, 0, 0])
    near = Nerve(
        name="L3 spinal nerve",
        kind=NerveKind.SPINAL_NERVE,
        root=Root("L3"),
        side=Side.LEFT,
        crosses=None,
        centreline_mm=np.array([start, start + 8 * groove_direction(Side.LEFT)]),
        radius_mm=2.0,
        variation_sd_mm=1.0,
        origin=Origin.TRUTH,
    )
    with pytest.raises(PlanRejected, match="bare electrode within 5 mm of a spinal nerve"):
        plan((image, labels, dataclasses.replace(anatomy, nerves=(*anatomy.nerves, near))))


def test_the_skin_must_be_in_the_image():
    with pytest.raises(PlanRejected, match="leave the image before they reach the skin"):
        plan(block_spine(is_cropped=True))


def test_a_short_cannula_is_refused_with_its_length(scene):
    short = dataclasses.replace(CANNULA, lengths_mm=(60.0,))
    with pytest.raises(PlanRejected, match="longest cannula of 60 mm"):
        plan(scene, devices=(short,))
    assert plan(scene, devices=(short, CANNULA)).ranked[0].device is CANNULA
    with pytest.raises(InputError, match="No cannula"):
        plan(scene, devices=())


def test_second_lesion_lies_beside_the_first(scene):
    image, labels, anatomy = scene
    first = plan(scene).ranked[0]
    made = companions(anatomy, image, labels, target_of(anatomy), first, rules=RULES, lesions=3)
    assert [path.id for path in made] == [f"{first.id}/lesion 2", f"{first.id}/lesion 3"]
    for path in made:
        assert path.direction == pytest.approx(first.direction)
        apart = path.tip_mm - first.tip_mm
        assert 1.0 < np.linalg.norm(apart) < 4.5  # one or two cannula diameters, up or down the bone
        assert all(c.status is not ClearanceStatus.VIOLATED for c in path.clearances if c.is_hard)


def test_rules_come_from_the_knowledge_files():
    assert RULES.electrode_to_nerve_mm == 5
    assert RULES.sacral_oblique.usual_low_deg == RULES.sacral_oblique.usual_high_deg == 0
    assert RULES.declined.usual_low_deg == 40
    assert L4.name == "L4"
