"""The reference body: labels, truth, determinism, variation, and its likeness to a CT."""

from __future__ import annotations

import numpy as np
import pytest

from foramen.anatomy.reference_body import ReferenceBody, make_reference_body
from foramen.anatomy.reference_body.build import draw_build
from foramen.anatomy.reference_body.posture import frames_of
from foramen.errors import InputError, LevelError
from foramen.knowledge.facts import fact, number
from foramen.knowledge.labels import disc_value, label, structure_value
from foramen.model.anatomy import KeepOutStatus, LandmarkName, NerveKind
from foramen.model.levels import Root, Side, Vertebra
from foramen.model.space import PatientPosition

SMALL = {"levels": ("L3", "L4", "L5", "S1"), "field_of_view_mm": (150.0, 170.0)}


@pytest.fixture(scope="module")
def body() -> ReferenceBody:
    return make_reference_body(**SMALL)


@pytest.fixture(scope="module")
def whole() -> ReferenceBody:
    return make_reference_body(spacing_mm=3.0)


def bone_at(body: ReferenceBody, points_mm: np.ndarray) -> np.ndarray:
    index = np.rint(body.labels.geometry.index(points_mm)).astype(int)
    inside = np.all((index >= 0) & (index < body.labels.geometry.shape), axis=1)
    values = np.zeros(len(points_mm), dtype=int)
    values[inside] = body.labels.values[tuple(index[inside].T)]
    return (values > 0) & (values < 5000)


def test_labels_are_known_and_complete(whole: ReferenceBody) -> None:
    found = np.unique(whole.labels.values)
    assert all(label(int(v)) is not None for v in found if v)
    for name in ("L1", "L2", "L3", "L4", "L5"):
        numbers = {100 * Vertebra(name).number + part for part in range(1, 12)}
        assert numbers <= set(found.tolist()), name
        assert disc_value(Vertebra(name)) in found
    drawn = ("csf", "spinal_cord", "epidural_fat", "aorta", "skin", "psoas_left", "multifidus_right", "kidney_left")
    assert all(structure_value(name) in found for name in drawn)
    for keep_out in whole.anatomy.keep_outs:
        if keep_out.status is KeepOutStatus.SHOWN and keep_out.label_values:
            assert set(keep_out.label_values) & set(found.tolist()), keep_out.name
    assert whole.patient_position is PatientPosition.HFS


def test_every_joint_has_its_nerves_on_their_bones(whole: ReferenceBody) -> None:
    """Golden table: the Ln-1 branch crosses Ln; L5 is a dorsal ramus on the sacrum."""
    table = {"T12": "L1", "L1": "L2", "L2": "L3", "L3": "L4", "L4": "L5"}
    for side in Side:
        for root, bone in table.items():
            nerve = whole.anatomy.nerve(NerveKind.MEDIAL_BRANCH, Root(root), side)
            assert nerve.crosses == Vertebra(bone)
            assert nerve.name == f"{root} medial branch"
            junction = whole.anatomy.vertebra(Vertebra(bone)).landmark(LandmarkName.SAP_TP_JUNCTION, side)
            assert np.linalg.norm(nerve.centreline_mm - junction.position_mm, axis=1).min() < 2.0
        ramus = whole.anatomy.nerve(NerveKind.DORSAL_RAMUS, Root("L5"), side)
        assert (ramus.name, ramus.crosses) == ("L5 dorsal ramus", Vertebra("S1"))
        for root in ("T12", "L1", "L2", "L3", "L4", "L5", "S1"):
            spinal = whole.anatomy.nerve(NerveKind.SPINAL_NERVE, Root(root), side)
            ganglion = whole.anatomy.nerve(NerveKind.DORSAL_ROOT_GANGLION, Root(root), side)
            assert np.isin(ganglion.centreline_mm, spinal.centreline_mm).all()
            assert side.sign * spinal.centreline_mm[-1, 0] > side.sign * spinal.centreline_mm[0, 0] > 0


def test_branch_begins_on_its_spinal_nerve(whole: ReferenceBody) -> None:
    for seed in (None, 5):
        anatomy = whole.anatomy if seed is None else make_reference_body(spacing_mm=5.0, seed=seed).anatomy
        for root in ("T12", "L1", "L2", "L3", "L4"):
            branch = anatomy.nerve(NerveKind.MEDIAL_BRANCH, Root(root), Side.RIGHT).centreline_mm
            spinal = anatomy.nerve(NerveKind.SPINAL_NERVE, Root(root), Side.RIGHT).centreline_mm
            assert np.linalg.norm(spinal - branch[0], axis=1).min() < 1e-6


def test_nerves_keep_out_of_bone_voxels(body: ReferenceBody) -> None:
    for nerve in body.anatomy.nerves:
        share = bone_at(body, nerve.centreline_mm).mean()
        limit = 0.10 if nerve.kind in (NerveKind.MEDIAL_BRANCH, NerveKind.DORSAL_RAMUS) else 0.0
        assert share <= limit, nerve.name  # a branch 0.9 mm off bone may round into a bone voxel of 1 mm


@pytest.mark.parametrize("spacing_mm", [1.0, (0.9, 1.1, 3.0)])
def test_landmarks_touch_labelled_bone(body: ReferenceBody, spacing_mm: float | tuple[float, float, float]) -> None:
    made = body if spacing_mm == 1.0 else make_reference_body(spacing_mm=spacing_mm, **SMALL)
    bone = np.argwhere((made.labels.values > 0) & (made.labels.values < 5000))
    centres = made.labels.geometry.lps_mm(bone.astype(float))
    for vertebra in made.anatomy.vertebrae:
        for landmark in vertebra.landmarks:
            if made.labels.geometry.contains(landmark.position_mm[None])[0]:
                nearest = np.linalg.norm(centres - landmark.position_mm, axis=1).min()
                spacing = made.labels.geometry.spacing_mm
                is_tip = landmark.name in (LandmarkName.SAP_TIP, LandmarkName.TRANSVERSE_PROCESS_TIP)
                limit = spacing.max() if is_tip else 0.5 * np.linalg.norm(spacing)  # a tip may lie between slices
                assert nearest < limit + 0.7, landmark.name


def test_same_arguments_give_the_same_voxels(body: ReferenceBody) -> None:
    again = make_reference_body(**SMALL)
    assert again.image.same_as(body.image)
    assert again.labels.same_as(body.labels)
    assert body.image.geometry.frame_uid.startswith("2.25.")
    assert len(body.image.geometry.frame_uid) <= 64
    assert body.anatomy.frame_uid == body.image.geometry.frame_uid


def test_seeds_give_other_bodies_within_the_sourced_range(whole: ReferenceBody) -> None:
    other = make_reference_body(spacing_mm=3.0, seed=1)
    assert other.image.geometry.frame_uid != whole.image.geometry.frame_uid
    assert other.image.geometry.shape[2] != whole.image.geometry.shape[2]
    scales = np.array([draw_build(seed).scale for seed in range(200)])
    assert scales.std(axis=0).min() > 0.03
    for axis, quantity in enumerate(("body_width", "body_depth", "body_height")):
        known = fact(f"anatomy.clouthier_{quantity}_mm")
        sizes = known.number * scales[:, axis]
        assert known.low < sizes.min() < sizes.max() < known.high


def test_coarse_and_fine_grids_show_the_same_bone(body: ReferenceBody) -> None:
    coarse = make_reference_body(spacing_mm=3.0, **SMALL)
    for part in (1, 3, 10, 11):
        value = 100 * Vertebra("L4").number + part
        fine_mm3 = float((body.labels.values == value).sum())
        coarse_mm3 = 27.0 * float((coarse.labels.values == value).sum())
        assert coarse_mm3 == pytest.approx(fine_mm3, rel=0.12)  # small parts are a few dozen coarse voxels


def test_curve_of_the_spine() -> None:
    frames = frames_of()
    upper, lower = frames[Vertebra("L1")].superior, frames[Vertebra("S1")].superior
    lordosis_deg = np.degrees(np.arccos(upper @ lower))
    slope_deg = np.degrees(np.arccos(lower[2]))
    assert lordosis_deg == pytest.approx(50.0, abs=3.0)
    assert slope_deg == pytest.approx(number("anatomy.sacral_slope_deg"))


def test_depth_from_skin_to_epidural_space_is_that_of_patients(whole: ReferenceBody) -> None:
    made = make_reference_body(levels=("L4", "L5"), field_of_view_mm=(30.0, 200.0))
    geometry = made.labels.geometry
    frame = made.anatomy.vertebra(Vertebra("L4")).frame
    i, _, k = np.rint(geometry.index(frame.inferior_endplate_mm)).astype(int)
    column = made.labels.values[i, :, k]
    skin = np.flatnonzero(column == structure_value("skin")).max()
    epidural = np.flatnonzero(column == structure_value("epidural_fat")).max()
    known = fact("anatomy.skin_to_epidural_mm")
    assert skin - epidural == pytest.approx(known.number, abs=known.sd)


def test_cord_ends_between_the_first_and_second_lumbar_vertebra(whole: ReferenceBody) -> None:
    cord = np.argwhere(whole.labels.values == structure_value("spinal_cord"))
    end = whole.labels.geometry.lps_mm(cord.astype(float))[:, 2].min()
    first = whole.anatomy.vertebra(Vertebra("L1")).frame
    second = whole.anatomy.vertebra(Vertebra("L2")).frame
    assert second.origin_mm[2] < end < first.origin_mm[2]


def test_hounsfield_units_are_those_of_knowledge(body: ReferenceBody) -> None:
    for name, known in (("psoas_left", "muscle"), ("deep_fat", "fat"), ("csf", "csf"), ("aorta", "blood")):
        values = body.image.values[body.labels.values == structure_value(name)]
        assert np.median(values) == pytest.approx(number(f"anatomy.hu_{known}"), abs=4.0)
    muscle = body.image.values[body.labels.values == structure_value("psoas_left")]
    assert muscle.std() == pytest.approx(number("anatomy.ct_noise_hu"), rel=0.25)
    inside = body.labels.values == 100 * Vertebra("L4").number + 1
    spongy = np.median(body.image.values[inside])
    assert spongy == pytest.approx(number("anatomy.hu_cancellous"), rel=0.15)


def test_noise_free_body_differs_only_by_noise(body: ReferenceBody) -> None:
    quiet = make_reference_body(noise_hu=0.0, **SMALL)
    assert np.array_equal(quiet.labels.values, body.labels.values)
    difference = quiet.image.values - body.image.values
    assert abs(float(difference.mean())) < 0.5


def test_bad_arguments_are_refused() -> None:
    with pytest.raises(InputError, match="voxel size"):
        make_reference_body(spacing_mm=0.0)
    with pytest.raises(InputError, match="noise"):
        make_reference_body(noise_hu=-1.0)
    with pytest.raises(LevelError, match="reference body has"):
        make_reference_body(levels=("L6",))
