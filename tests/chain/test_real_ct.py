"""Targets and paths on a real CT (3 mm, abdomen-pelvis) with the labels of another program.

Nobody has marked the nerves on this scan, so the tests ask what can be asked: is each target on the right
bone of the right level and side, do left and right agree through the vertebra's midplane, is any hard limit broken?
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from foramen.anatomy.build import build_anatomy
from foramen.io.case_folder import new_case
from foramen.io.label_maps import parse_label_source, read_labels
from foramen.io.nifti import read_image
from foramen.knowledge.labels import label
from foramen.knowledge.technique_facts import technique_knowledge
from foramen.knowledge.trajectory_rules import trajectory_rules
from foramen.model.anatomy import Anatomy
from foramen.model.levels import Segment, Side, Vertebra
from foramen.model.plan import CheckStatus, ClearanceStatus, PlanStatus, Target
from foramen.model.record import ClinicalRecord
from foramen.model.space import LabelMap, Volume
from foramen.planning.settings import choose_cannula
from foramen.steps.trajectory import search_trajectories
from foramen.techniques import technique
from foramen.workflow import PlanRequest, plan_case

pytestmark = [pytest.mark.slow, pytest.mark.data]

TECHNIQUE = technique("lumbar_medial_branch_rf")
JOINTS = ("L4-L5", "L5-S1")

BONE_MM = 3.0
"""A target must lie this near to labelled bone: one voxel of this scan."""

MIRROR_MM = 4.0
"""How far left and right targets may differ through the midplane: people are not symmetric to a millimetre."""


DENSE_HU = 200.0
"""Unlabelled voxels above this are bone in this scan without contrast medium near the sacrum."""


@dataclass(frozen=True)
class Scan:
    """The scan, its labels and the anatomy built from them."""

    image: Volume
    labels: LabelMap
    anatomy: Anatomy


LABEL_FILES = {"spine": ("totalseg.nii.gz",), "spine+organs": ("totalseg.nii.gz", "organs.nii.gz")}


@pytest.fixture(scope="module", params=list(LABEL_FILES))
def scan(request: pytest.FixtureRequest, data_folder: Path) -> Scan:
    folder = data_folder / "ct_lumbar_3mm"
    image = read_image(folder / "ct.nii.gz")
    reading = read_labels([parse_label_source(str(folder / name)) for name in LABEL_FILES[request.param]], image)
    return Scan(image=image, labels=reading.labels, anatomy=build_anatomy(image, reading.labels))


def targets_of(scan: Scan, joint: str, side: Side) -> tuple[Target, ...]:
    return TECHNIQUE.find_targets(scan.anatomy, Segment(joint), side)


def distance_to_bone_mm(scan: Scan, vertebra: Vertebra, point_mm: np.ndarray) -> float:
    """Distance to the nearest labelled voxel of the bone, as a box: a voxel of 3 mm is bone to its faces.

    The spine-only map labels S1 without its alae; for the sacrum, CT bone beside the label counts there too.
    """
    values, geometry = scan.labels.values, scan.labels.geometry
    known = {int(v): label(int(v)) for v in np.unique(values) if v}
    own = [value for value, entry in known.items() if entry is not None and entry.vertebra == vertebra]
    bone = np.isin(values, own)
    if vertebra == Vertebra("S1"):
        bone |= (scan.image.values > DENSE_HU) & (values == 0)
    offset = np.abs((geometry.lps_mm(np.argwhere(bone).astype(np.float64)) - point_mm) @ geometry.axes)
    return float(np.linalg.norm(np.maximum(offset - geometry.spacing_mm / 2, 0.0), axis=1).min())


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("joint", JOINTS)
def test_targets_lie_on_the_right_bone_of_the_right_level_and_side(scan: Scan, joint: str, side: Side) -> None:
    for target in targets_of(scan, joint, side):
        near = distance_to_bone_mm(scan, target.crosses_bone, target.position_mm)
        assert near <= BONE_MM, f"{target.name}: {near:.1f} mm from the labelled {target.crosses_bone}"
        local = scan.anatomy.vertebra(target.crosses_bone).frame.to_vertebra(target.position_mm)
        assert np.sign(local[0]) == side.sign, f"{target.name} is on the wrong side"
        assert local[1] > 0, f"{target.name} is in front of the middle of the body"


@pytest.mark.parametrize("joint", JOINTS)
def test_left_and_right_agree_through_the_midplane(scan: Scan, joint: str) -> None:
    for left, right in zip(targets_of(scan, joint, Side.LEFT), targets_of(scan, joint, Side.RIGHT), strict=True):
        frame = scan.anatomy.vertebra(left.crosses_bone).frame
        mirrored = frame.to_vertebra(right.position_mm) * (-1.0, 1.0, 1.0)
        apart = float(np.linalg.norm(frame.to_vertebra(left.position_mm) - mirrored))
        assert apart <= MIRROR_MM, f"{left.name}: {apart:.1f} mm between left and mirrored right"


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("joint", JOINTS)
def test_a_path_keeps_every_hard_limit(scan: Scan, joint: str, side: Side) -> None:
    device = choose_cannula(technique_knowledge(TECHNIQUE.id), device_id=None)
    for target in targets_of(scan, joint, side):
        search = search_trajectories(
            scan.anatomy, scan.image, scan.labels, target, (device,), rules=trajectory_rules(TECHNIQUE.id)
        )
        best = search.ranked[0]
        broken = [c for c in best.clearances if c.is_hard and c.status is ClearanceStatus.VIOLATED]
        assert not broken, f"{best.id}: {broken}"
        assert best.length_mm <= best.cannula_length_mm
        # the shaft outside the last centimetres must be free of bone: sampled independently of the planner
        inside = ndimage.map_coordinates(
            _is_bone(scan), scan.labels.geometry.index(_points(best.entry_mm, best.tip_mm, until=0.8)).T, order=0
        )
        assert not inside.any(), f"{best.id} crosses labelled bone on its way"


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("joint", JOINTS)
def test_the_whole_plan_breaks_no_hard_limit(scan: Scan, joint: str, side: Side) -> None:
    """Companion lesions and heat included; candidacy aside, since nothing is recorded of this patient."""
    case = new_case(scan.image, scan.labels, record=ClinicalRecord(patient_id=""))
    request = PlanRequest(
        technique=TECHNIQUE.id, level=joint, side=side, procedure_at=datetime(2026, 4, 14, 9, 30), time_s=60
    )
    plan = plan_case(case, request, anatomy=scan.anatomy).plan
    assert [t.name for t in plan.targets] == [t.name for t in targets_of(scan, joint, side)]
    assert len(plan.trajectories) == sum(len(delivery.trajectories) for delivery in plan.deliveries) == 4
    for trajectory in (*plan.trajectories, *plan.alternatives):
        broken = [c for c in trajectory.clearances if c.is_hard and c.status is ClearanceStatus.VIOLATED]
        assert not broken, f"{trajectory.id}: {broken}"
    failed = [check for check in plan.checks if check.status is CheckStatus.FAIL]
    assert not failed, failed
    assert plan.status is PlanStatus.CAUTION  # arteries are not shown, the record is empty


def _is_bone(scan: Scan) -> np.ndarray:
    known = {int(v): label(int(v)) for v in np.unique(scan.labels.values) if v}
    bones = [value for value, entry in known.items() if entry is not None and entry.tissue == "bone"]
    return np.isin(scan.labels.values, bones).astype(np.uint8)


def _points(entry_mm: np.ndarray, tip_mm: np.ndarray, *, until: float) -> np.ndarray:
    along = np.linspace(0, until, 200)[:, None]
    return entry_mm + along * (tip_mm - entry_mm)
