"""Basivertebral canal and nerve, and the sympathetic chain before the lumbar bodies."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from anatomy.bodies import body, instances_only
from foramen.anatomy.build import build_anatomy
from foramen.anatomy.reference_body import make_reference_body, reference_vertebra
from foramen.anatomy.reference_body.dimensions import dimensions
from foramen.errors import LandmarkError
from foramen.knowledge.facts import fact, number
from foramen.knowledge.labels import structure_value
from foramen.model.anatomy import Anatomy, Landmark, LandmarkName, NerveKind, Origin
from foramen.model.levels import Root, Side, Vertebra

LUMBAR = ("T12", "L1", "L2", "L3", "L4", "L5")


def test_the_canal_on_ct_has_the_depth_that_ct_of_people_shows() -> None:
    """Second method: in the image, how far in front of the posterior wall beside it spongy bone begins."""
    made = make_reference_body(levels=("L2", "L3", "L4"), spacing_mm=0.5, noise_hu=0.0, field_of_view_mm=(40.0, 130.0))
    geometry, known = made.image.geometry, fact("anatomy.basivertebral_canal_fraction")
    for name in ("L2", "L3", "L4"):
        vertebra, own = made.anatomy.vertebra(Vertebra(name)), dimensions(Vertebra(name))
        foramen = vertebra.frame.to_vertebra(
            vertebra.landmark(LandmarkName.BASIVERTEBRAL_FORAMEN, None).position_mm
        ) + np.array([0.0, 4.0, 0.0])
        forwards = np.arange(0.0, 20.0, 0.1)[:, None] * np.array([0.0, -1.0, 0.0])

        def begins_mm(lateral_mm: float, foramen=foramen, frame=vertebra.frame, forwards=forwards) -> float:
            points = frame.to_lps(foramen + np.array([lateral_mm, 0.0, 0.0]) + forwards)
            values = ndimage.map_coordinates(made.image.values, geometry.index(points).T, order=1)
            return float(-forwards[np.argmax(values > 130.0), 1])

        share = (begins_mm(0.0) - begins_mm(7.0)) / own.body_depth_mm
        assert known.low - 0.02 < share < known.high + 0.02, name  # voxels of 0.5 mm are 0.015 of the depth
        assert foramen[2] > 0  # nearer to the upper rim


@pytest.mark.parametrize("name", LUMBAR)
def test_the_terminus_lies_in_the_middle_of_the_body(name: str) -> None:
    level = Vertebra(name)
    reference, own = reference_vertebra(level), dimensions(level)
    nerve = reference.course(NerveKind.BASIVERTEBRAL_NERVE, Root(name)).points_mm
    terminus = reference.landmarks[LandmarkName.BVN_TERMINUS, None]
    np.testing.assert_allclose(nerve[-1], terminus)
    assert np.abs(nerve[:, 0]).max() == 0.0
    share = (nerve[0, 1] - terminus[1]) / own.body_depth_mm
    known = fact("anatomy.basivertebral_terminus_fraction")
    assert known.low <= share <= known.high
    assert reference.bone.at(terminus) < -5.0


def test_one_nerve_and_landmark_of_the_midline_in_a_patient() -> None:
    made = body(3.0)
    found = build_anatomy(made.image, instances_only(made.labels))
    truth = made.anatomy
    for name in ("L2", "L3", "L4", "L5"):
        nerves = [n for n in found.nerves if n.kind is NerveKind.BASIVERTEBRAL_NERVE and n.root == Root(name)]
        assert len(nerves) == 1
        assert nerves[0].side is None
        assert nerves[0].words == f"{name} basivertebral nerve"
        terminus = found.vertebra(Vertebra(name)).landmark(LandmarkName.BVN_TERMINUS, None)
        true = truth.vertebra(Vertebra(name)).landmark(LandmarkName.BVN_TERMINUS, None)
        assert np.linalg.norm(terminus.position_mm - true.position_mm) < 2.0
        np.testing.assert_allclose(
            nerves[0].centreline_mm[-1], terminus.position_mm, atol=1e-6
        )  # carried alike, neither is moved to the surface


def test_the_chain_lies_before_the_body_medial_to_the_psoas() -> None:
    made = body(1.0)
    psoas = {side: made.labels.values == structure_value(f"psoas_{side.value}") for side in Side}
    for name in ("L2", "L3", "L4"):
        frame = made.anatomy.vertebra(Vertebra(name)).frame
        for side in Side:
            nerve = made.anatomy.nerve(NerveKind.SYMPATHETIC_CHAIN, Root(name), side)
            line = frame.to_vertebra(nerve.centreline_mm)
            assert (line[:, 1] < -5.0).all()
            assert (side.sign * line[:, 0] > 8.0).all()
            middle = np.rint(made.labels.geometry.index(nerve.centreline_mm[len(line) // 2])).astype(int).ravel()
            row = np.flatnonzero(psoas[side][:, middle[1], middle[2]])
            if len(row):
                nearest = row.min() if side is Side.LEFT else row.max()
                assert side.sign * (nearest - middle[0]) >= 1
            assert not psoas[side][tuple(middle)]
            assert nerve.variation_sd_mm == number("anatomy.sympathetic_chain_variation_sd_mm")


def test_a_landmark_of_the_midline_has_no_side_and_others_have_one() -> None:
    common = {
        "vertebra": Vertebra("L4"),
        "position_mm": np.zeros(3),
        "sd_mm": 1.0,
        "confidence_fraction": 1.0,
        "origin": Origin.TRUTH,
    }
    Landmark(name=LandmarkName.BVN_TERMINUS, side=None, **common)
    with pytest.raises(LandmarkError, match="midline"):
        Landmark(name=LandmarkName.BVN_TERMINUS, side=Side.LEFT, **common)
    with pytest.raises(LandmarkError, match="midline"):
        Landmark(name=LandmarkName.SAP_TIP, side=None, **common)


def test_asking_for_what_is_not_there_says_so_without_a_side() -> None:
    anatomy: Anatomy = body(3.0).anatomy
    with pytest.raises(LandmarkError, match="The S1 basivertebral nerve could not"):
        anatomy.nerve(NerveKind.BASIVERTEBRAL_NERVE, Root("S1"), None)
