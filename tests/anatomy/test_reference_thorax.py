"""The thorax as a body: labels, ribs and lungs beside the spine, nerves, and the patient chain on it."""

from __future__ import annotations

import numpy as np
import pytest

from anatomy.bodies import instances_only
from foramen.anatomy.build import build_anatomy
from foramen.anatomy.reference_body import ReferenceBody, make_reference_body, reference_vertebra
from foramen.anatomy.reference_body.posture import mean_frames
from foramen.anatomy.reference_body.rib_cage import cage_at
from foramen.errors import LevelError
from foramen.knowledge.labels import label, structure_value
from foramen.model.anatomy import KeepOutStatus, NerveKind
from foramen.model.levels import Root, Side, Vertebra

LEVELS = ("T5", "T6", "T7", "T8")


@pytest.fixture(scope="module")
def thorax() -> ReferenceBody:
    return make_reference_body(levels=LEVELS, spacing_mm=1.5)


@pytest.fixture(scope="module")
def junction() -> ReferenceBody:
    return make_reference_body(levels=("T10", "T11", "T12", "L1", "L2"), spacing_mm=3.0)


def test_labels_are_known_and_complete(thorax: ReferenceBody) -> None:
    found = set(np.unique(thorax.labels.values).tolist())
    assert all(label(value) is not None for value in found if value)
    for name in LEVELS:
        assert {100 * Vertebra(name).number + part for part in range(1, 12)} <= found, name
    drawn = ("ribs_left", "ribs_right", "lung_left", "lung_right", "spinal_cord", "csf", "epidural_fat", "aorta")
    drawn += ("azygos_vein", "oesophagus", "heart", "trapezius_left", "multifidus_right", "skin", "foraminal_fat")
    assert all(structure_value(name) in found for name in drawn)
    for keep_out in thorax.anatomy.keep_outs:
        if keep_out.status is KeepOutStatus.SHOWN and keep_out.label_values:
            assert set(keep_out.label_values) & found, keep_out.name
    assert "pleura" in {k.name for k in thorax.anatomy.keep_outs if k.status is KeepOutStatus.SHOWN}


def test_lungs_lie_within_the_cage_on_their_sides(thorax: ReferenceBody) -> None:
    geometry = thorax.labels.geometry
    for side in Side:
        lung = np.argwhere(thorax.labels.values == structure_value(f"lung_{side.value}"))[::97]
        points = geometry.lps_mm(lung.astype(float))
        cage = cage_at(mean_frames(), points[:, 2])
        assert np.all(side.sign * points[:, 0] > 0)
        assert np.all(np.abs(points[:, 0]) < cage.half_width_mm)
        assert np.all((points[:, 1] > cage.front_mm) & (points[:, 1] < cage.back_mm))
        assert thorax.image.values[tuple(lung.T)].mean() < -700.0


def test_ribs_touch_no_vertebra_but_come_near(thorax: ReferenceBody) -> None:
    geometry, values = thorax.labels.geometry, thorax.labels.values
    is_rib = (values == structure_value("ribs_left")) | (values == structure_value("ribs_right"))
    points = geometry.lps_mm(np.argwhere(is_rib).astype(float))
    for name in LEVELS:
        frame, bone = mean_frames()[Vertebra(name)], reference_vertebra(Vertebra(name)).bone
        away = bone.at(frame.to_vertebra(points))
        assert 1.5 < away.min() < 4.5  # joint space 2.4 mm; centres of voxels of 1.5 mm


def test_nerves_keep_out_of_all_bone_voxels(thorax: ReferenceBody) -> None:
    values = thorax.labels.values
    ribs = (structure_value("ribs_left"), structure_value("ribs_right"))
    is_bone = ((values > 0) & (values < 5000)) | np.isin(values, ribs)
    for nerve in thorax.anatomy.nerves:
        index = np.rint(thorax.labels.geometry.index(nerve.centreline_mm)).astype(int)
        index = index[np.all((index >= 0) & (index < values.shape), axis=1)]
        limit = 0.15 if nerve.kind is NerveKind.MEDIAL_BRANCH else 0.0  # 0.9 mm off bone, voxels of 1.5 mm
        assert is_bone[tuple(index.T)].mean() <= limit, nerve.name


def test_every_joint_has_its_nerves_on_their_bones(junction: ReferenceBody, thorax: ReferenceBody) -> None:
    """Golden table: the Tn branch crosses the vertebra below, on its transverse process."""
    table = ((thorax, {"T4": "T5", "T5": "T6", "T6": "T7", "T7": "T8"}), (junction, {"T10": "T11", "T11": "T12"}))
    for body, crossed in table:
        for side in Side:
            for root, bone in crossed.items():
                nerve = body.anatomy.nerve(NerveKind.MEDIAL_BRANCH, Root(root), side)
                assert (nerve.name, nerve.crosses) == (f"{root} medial branch", Vertebra(bone))
    for root in ("T10", "T11", "T12", "L1"):
        branch = junction.anatomy.nerve(NerveKind.MEDIAL_BRANCH, Root(root), Side.LEFT).centreline_mm
        spinal = junction.anatomy.nerve(NerveKind.SPINAL_NERVE, Root(root), Side.LEFT).centreline_mm
        assert np.linalg.norm(spinal - branch[0], axis=1).min() < 1e-6


def test_canal_is_filled_through_the_border_of_the_painters(junction: ReferenceBody) -> None:
    geometry, values = junction.labels.geometry, junction.labels.values
    cord = structure_value("spinal_cord")
    sections = [(values[:, :, k] == cord).sum() * geometry.spacing_mm[0] ** 2 for k in range(geometry.shape[2])]
    t11 = round(geometry.index(mean_frames()[Vertebra("T11")].origin_mm[None])[0, 2])
    near = np.array(sections[t11 - 6 : t11 + 7], dtype=float)
    assert near.min() > 25.0  # mm2; the cord at T11 has 49
    assert near.max() < 75.0


def test_body_is_the_same_on_both_sides_but_for_organs(thorax: ReferenceBody) -> None:
    values = thorax.labels.values
    for name in ("ribs", "trapezius", "erector_spinae"):
        left, right = ((values == structure_value(f"{name}_{side.value}")) for side in Side)
        np.testing.assert_array_equal(left, right[::-1])


def test_patient_chain_finds_the_thorax(thorax: ReferenceBody) -> None:
    """From whole-vertebra labels alone; the bones are those of the reference, so only the voxels stand between."""
    anatomy = build_anatomy(thorax.image, instances_only(thorax.labels))
    errors = [
        np.linalg.norm(
            landmark.position_mm - thorax.anatomy.vertebra(v.level).landmark(landmark.name, landmark.side).position_mm
        )
        for v in anatomy.vertebrae
        if v.level.name in LEVELS
        for landmark in v.landmarks
    ]
    assert len(errors) > 40
    assert np.median(errors) < 0.8
    branch = anatomy.nerve(NerveKind.MEDIAL_BRANCH, Root("T6"), Side.LEFT)
    truth = thorax.anatomy.nerve(NerveKind.MEDIAL_BRANCH, Root("T6"), Side.LEFT)
    away = np.linalg.norm(branch.centreline_mm[:, None] - truth.centreline_mm[None], axis=2).min(axis=1)
    assert np.median(away) < 1.0
    assert branch.crosses == Vertebra("T7")


def test_levels_that_do_not_exist_are_refused() -> None:
    with pytest.raises(LevelError, match="T13"):
        make_reference_body(levels=("T12", "T13"))
