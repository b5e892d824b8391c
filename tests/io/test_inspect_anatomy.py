"""An inspection lists every landmark and nerve with its doubt, and says why one is missing."""

from __future__ import annotations

import json

import numpy as np
import pytest

from foramen.io.inspect import NOT_LOOKED_FOR, inspect_case
from foramen.io.inspect_anatomy import confidence_word, tube_radius_mm
from foramen.knowledge.facts import number, numbers
from foramen.model.anatomy import LandmarkName
from foramen.model.levels import Side
from report.case_factory import make_case
from report.marked_anatomy import PLACES_MM, marked_anatomy

LOST = ("L5", LandmarkName.SAP_TP_JUNCTION, Side.RIGHT)

TOP_KEYS = {
    "schema", "levels", "cut_off", "absent_between", "shape", "spacing_mm", "axes", "patient_position", "acquired_on",
    "unlabelled_body_fraction", "keep_outs_shown", "keep_outs_unknown", "keep_outs", "anatomy", "techniques", "history",
}  # fmt: skip
ANATOMY_KEYS = {"is_found", "reason", "is_patient_specific", "level_count", "vertebrae", "nerves", "notes"}
LANDMARK_KEYS = {
    "name", "side", "is_found", "position_mm", "sd_mm", "half_axes_mm", "covariance_mm2", "confidence_fraction",
    "confidence", "origin", "note",
}  # fmt: skip
NERVE_KEYS = {
    "name", "kind", "root", "side", "crosses", "radius_mm", "variation_sd_mm", "landmark_sd_mm", "total_sd_mm",
    "tube_radius_mm", "length_mm", "middle_mm", "origin",
}  # fmt: skip
SIDE_KEYS = {
    "side", "missing_landmarks", "missing_nerves", "problem", "confidence_fraction", "position_sd_mm",
}  # fmt: skip


def test_the_keys_that_scripts_rely_on() -> None:
    data = json.loads(json.dumps(inspect_case(make_case(), marked_anatomy()).as_json()))
    assert set(data) == TOP_KEYS
    assert data["schema"] == {"name": "foramen-inspection", "version": "1.0"}
    anatomy = data["anatomy"]
    assert set(anatomy) == ANATOMY_KEYS
    assert set(anatomy["level_count"]) == {"method", "is_ambiguous", "reason"}
    for vertebra in anatomy["vertebrae"]:
        assert set(vertebra) == {"level", "has_frame", "is_complete", "centre_mm", "note", "landmarks"}
        assert all(set(mark) == LANDMARK_KEYS for mark in vertebra["landmarks"])
    assert all(set(nerve) == NERVE_KEYS for nerve in anatomy["nerves"])
    sides = [side for level in data["techniques"][0]["levels"] for side in level["sides"]]
    assert sides
    assert all(set(side) == SIDE_KEYS for side in sides)
    assert {keep_out["status"] for keep_out in data["keep_outs"]} == {"shown", "unknown"}


def test_landmarks_stand_where_they_were_put_left_is_left() -> None:
    found = inspect_case(make_case(), marked_anatomy()).anatomy
    l4 = next(vertebra for vertebra in found.vertebrae if vertebra.level == "L4")
    for mark in l4.landmarks:
        if mark.position_mm is not None and mark.name == LandmarkName.SAP_TP_JUNCTION.value:
            x, y, z = PLACES_MM[LandmarkName.SAP_TP_JUNCTION]
            assert mark.position_mm == (x if mark.side == "left" else -x, y, z + 36.0)
            assert mark.confidence == ("high" if mark.side == "left" else "low")
            # half axes of a normal law: sqrt(chi2_3(0.9) = 6.251) times the standard deviations, ascending
            assert mark.half_axes_mm == pytest.approx(np.sqrt(6.2514 * np.array([0.32, 1.0, 3.0])), abs=2e-3)


def test_a_missing_landmark_says_why_and_which_side_it_stops() -> None:
    inspection = inspect_case(make_case(), marked_anatomy(without=(LOST,)))
    l5 = next(vertebra for vertebra in inspection.anatomy.vertebrae if vertebra.level == "L5")
    lost = [mark for mark in l5.landmarks if not mark.is_found and mark.name == LOST[1].value]
    assert [(mark.side, mark.note, mark.position_mm, mark.confidence) for mark in lost] == [
        ("right", "outside the scan", None, "none")
    ]
    technique = next(t for t in inspection.techniques if t.technique == "lumbar_medial_branch_rf")
    right = next(s for level in technique.levels if level.level == "L4-L5" for s in level.sides if s.side == "right")
    assert "L5 sap_tp_junction" in right.missing_landmarks
    assert not right.is_plannable
    assert "sap tp junction" in right.problem
    assert "right: no target" in technique.in_words()


def test_a_bone_without_landmarks_lists_those_that_a_technique_needs() -> None:
    found = inspect_case(make_case(), marked_anatomy()).anatomy
    sacrum = next(vertebra for vertebra in found.vertebrae if vertebra.level == "S1")
    assert {mark.name for mark in sacrum.landmarks} >= {"sacral_ala_notch", "foramen_posterior_border"}
    assert not any(mark.is_found for mark in sacrum.landmarks)


def test_nerves_have_length_middle_and_tube() -> None:
    anatomy = marked_anatomy()
    inspection = inspect_case(make_case(), anatomy)
    for nerve, line in zip(anatomy.nerves, inspection.anatomy.nerves, strict=True):
        steps = np.linalg.norm(np.diff(nerve.centreline_mm, axis=0), axis=1)
        assert line.length_mm == pytest.approx(steps.sum(), abs=0.01)
        assert line.tube_radius_mm == pytest.approx(nerve.radius_mm + number("display.tube_sd") * nerve.total_sd_mm)
        assert line.tube_radius_mm == pytest.approx(tube_radius_mm(nerve), abs=1e-3)
        assert np.sign(line.middle_mm[0]) == nerve.side.sign
        assert line.total_sd_mm >= max(line.variation_sd_mm, line.landmark_sd_mm)


def test_without_anatomy_the_reason_is_given_and_no_side_is_called_plannable() -> None:
    quick = inspect_case(make_case())
    assert quick.anatomy.reason == NOT_LOOKED_FOR
    assert not any("landmark" in line.lower() for line in quick.lines())
    failed = inspect_case(make_case(), reason="The label map is mirrored.")
    assert any("The label map is mirrored." in line for line in failed.lines())
    assert all(level.sides == () for technique in failed.techniques for level in technique.levels)


def test_confidence_words_follow_the_bands() -> None:
    low, high = numbers("display.confidence_bands_fraction")
    assert [confidence_word(value) for value in (0.0, low - 1e-9, low, high - 1e-9, high, 1.0)] == [
        "low", "low", "medium", "medium", "high", "high",
    ]  # fmt: skip
