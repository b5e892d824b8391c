"""A body of the neck alone: labels, image and truth agree, and the patient chain finds its landmarks again."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from anatomy.bodies import by_name, instances_only
from foramen.anatomy.build import build_anatomy
from foramen.anatomy.reference_body import ReferenceBody, make_reference_body
from foramen.anatomy.reference_body.neck import ROWS
from foramen.knowledge.facts import number, numbers
from foramen.knowledge.labels import disc_value, structure_value, vertebra_value
from foramen.model.anatomy import KeepOutStatus, LandmarkName, NerveKind
from foramen.model.levels import Root, Side, Vertebra
from foramen.model.space import FloatArray

AREA_MM2 = {"C3": 72.48, "C4": 77.35, "C5": 76.38, "C6": 69.13}
"""Mean cross-section of the cord, PAM50-normalised metrics of 203 adults."""


@cache
def neck(spacing_mm: float = 1.0, seed: int | None = None) -> ReferenceBody:
    return make_reference_body(spacing_mm=spacing_mm, seed=seed, levels=("C3", "C7"), field_of_view_mm=(150.0, 165.0))


def at(body: ReferenceBody, points_mm: FloatArray) -> np.ndarray:
    """Labels (n,) at LPS points (n, 3)."""
    affine = body.labels.geometry.affine_mm
    index = np.rint((np.atleast_2d(points_mm) - affine[:3, 3]) / np.diag(affine)[:3]).astype(int)
    inside = ((index >= 0) & (index < body.labels.values.shape)).all(axis=1)
    found = np.zeros(len(index), dtype=int)
    found[inside] = body.labels.values[tuple(index[inside].T)]
    return found


def test_image_shows_the_neck_and_nothing_of_the_belly() -> None:
    present = set(np.unique(neck().labels.values).tolist())
    for name in ("C3", "C7"):
        assert vertebra_value(Vertebra(name), "body") in present
    assert vertebra_value(Vertebra("L3"), "body") not in present
    for name in ("trachea", "oesophagus", "spinal_cord", "ligamentum_flavum", "facet_joint", "longus_colli_left"):
        assert structure_value(name) in present
    assert structure_value("kidney_left") not in present
    assert disc_value(Vertebra("C5")) in present


def test_mirrored_sides_have_equal_volume() -> None:
    labels = neck().labels.values
    for name in ("vertebral_artery", "carotid_artery", "jugular_vein", "sternocleidomastoid", "multifidus"):
        left, right = ((labels == structure_value(f"{name}_{side.value}")).sum() for side in Side)
        assert left > 0
        assert left == pytest.approx(right, rel=0.08)  # the grid is not symmetric about the midplane


def test_cord_has_the_sizes_of_people() -> None:
    body = neck()
    z = body.labels.geometry.affine_mm[2, 3] + np.arange(body.labels.values.shape[2])
    for name, area in AREA_MM2.items():
        vertebra = body.anatomy.vertebra(Vertebra(name))
        near = np.abs(z - vertebra.frame.origin_mm[2]) < 3.0
        cord = (body.labels.values[:, :, near] == structure_value("spinal_cord")).sum() / near.sum()
        assert cord == pytest.approx(area, rel=0.08)
        assert numbers("cervical.cord_width_mm")[ROWS.index(name)] > numbers("cervical.cord_depth_mm")[ROWS.index(name)]


def test_landmarks_lie_on_the_labelled_bone() -> None:
    body = neck()
    labels, affine = body.labels.values, body.labels.geometry.affine_mm
    for vertebra in body.anatomy.vertebrae:
        own = (labels < 5000) & (labels // 100 == vertebra.level.number)
        bone = np.argwhere(own) + affine[:3, 3]
        for mark in vertebra.landmarks:
            assert np.linalg.norm(bone - mark.position_mm, axis=1).min() < 1.3, (vertebra.level, mark.name)


def test_spinal_nerves_run_through_soft_tissue_and_begin_in_the_sac() -> None:
    body = neck()
    for root in ("C4", "C5", "C6", "C7"):
        for side in Side:
            nerve = body.anatomy.nerve(NerveKind.SPINAL_NERVE, Root(root), side)
            values = at(body, nerve.centreline_mm)
            assert ((values > 0) & (values < 5000)).mean() < 0.03  # a voxel of partial bone at most
            assert values[0] in {structure_value(n) for n in ("csf", "spinal_cord", "epidural_fat")}
            ganglion = body.anatomy.nerve(NerveKind.DORSAL_ROOT_GANGLION, Root(root), side)
            assert not np.isin(at(body, ganglion.centreline_mm), np.arange(1, 5000)).any()


def test_keep_outs_of_the_neck_are_shown_and_arteries_at_the_foramen_unknown() -> None:
    status = {k.name: k for k in neck().anatomy.keep_outs}
    assert status["vertebral_artery"].status is KeepOutStatus.SHOWN
    assert structure_value("vertebral_artery_left") in status["vertebral_artery"].label_values
    assert status["periforaminal_arteries"].status is KeepOutStatus.UNKNOWN
    assert "aorta" not in status


def test_image_has_the_grey_values_of_its_labels() -> None:
    body = neck()
    image, labels = body.image.values, body.labels.values
    noise = number("anatomy.ct_noise_hu")
    for name, fact in (("carotid_artery_left", "blood"), ("multifidus_left", "muscle"), ("deep_fat", "fat")):
        values = image[labels == structure_value(name)]
        assert np.median(values) == pytest.approx(number(f"anatomy.hu_{fact}"), abs=0.2 * noise)
    assert np.median(image[labels == structure_value("trachea")]) < -900


def test_patient_chain_finds_the_landmarks_of_another_neck() -> None:
    """Another size than the reference bones', labels of whole vertebrae only: the gate of the lumbar spine."""
    body = neck(1.0, 3)
    found = build_anatomy(body.image, instances_only(body.labels))
    truth, placed = by_name(body.anatomy), by_name(found)
    errors = np.array(
        [np.linalg.norm(mark.position_mm - truth[key].position_mm) for key, mark in placed.items() if key in truth]
    )
    assert {key[0].name for key in placed} >= {"C4", "C5", "C6"}
    assert np.median(errors) < 1.5
    assert np.quantile(errors, 0.95) < 4.0
    waists = [
        np.linalg.norm(mark.position_mm - truth[key].position_mm)
        for key, mark in placed.items()
        if key[1] == LandmarkName.PILLAR_WAIST.value
    ]
    assert max(waists) < 2.5
    for root in ("C4", "C5", "C6"):
        line = found.nerve(NerveKind.MEDIAL_BRANCH, Root(root), Side.LEFT).centreline_mm
        true = body.anatomy.nerve(NerveKind.MEDIAL_BRANCH, Root(root), Side.LEFT).centreline_mm
        away = np.linalg.norm(line[:, None] - true[None], axis=2).min(axis=1)
        assert np.median(away) < 2.0
