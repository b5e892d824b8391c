"""Sacrum, coccyx and pelvis of the reference body, and what of them is placed on a patient."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import trimesh
from scipy import ndimage

from foramen.anatomy.build import build_anatomy
from foramen.anatomy.reference_body import ReferenceBody, make_reference_body, reference_vertebra
from foramen.anatomy.reference_body.bone import bone_field
from foramen.anatomy.reference_body.pelvis import coccyx_field, hip_field
from foramen.anatomy.reference_body.sacral_landmarks import CENTRES, LATERAL_BORDERS, axis_of
from foramen.errors import InputError, LandmarkError
from foramen.knowledge.facts import fact, number, numbers
from foramen.knowledge.labels import structure_value
from foramen.model.anatomy import Anatomy, LandmarkName, NerveKind
from foramen.model.levels import Root, Side, Vertebra

S1 = Vertebra("S1")
WIDE = {"levels": ("L4", "L5", "S1"), "has_whole_sacrum": True, "field_of_view_mm": (250.0, 170.0)}


@cache
def body() -> ReferenceBody:
    return make_reference_body(spacing_mm=1.2, **WIDE)


@cache
def patient() -> Anatomy:
    made = make_reference_body(spacing_mm=1.5, seed=3, **WIDE)
    return build_anatomy(made.image, made.labels)


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("number_", [0, 1, 2])
def test_a_straight_needle_from_behind_enters_each_posterior_foramen(number_: int, side: Side) -> None:
    """Along the foramen's axis from 40 mm behind its mouth to the nerve, 1.2 mm clear of bone all the way."""
    reference = reference_vertebra(S1)
    axis = axis_of(number_)
    mirror = np.array([side.sign, 1.0, 1.0])
    start, end = np.array(axis.start) * mirror, np.array(axis.end) * mirror
    path = start + np.linspace(0.0, 1.0, 200)[:, None] * (end - start)
    assert reference.bone.at(path).min() > 1.2
    nerve = reference.course(NerveKind.SPINAL_NERVE, Root(f"S{number_ + 1}")).points_mm * mirror
    assert np.linalg.norm(nerve - start, axis=1).min() < 5.0  # it meets the nerve in the bone


def test_the_canal_is_open_from_the_sac_through_the_hiatus() -> None:
    bone = bone_field(S1)
    apex = reference_vertebra(S1).landmarks[LandmarkName.SACRAL_HIATUS_APEX, None]
    canal = np.array(
        [[0.0, 24.0, 10.0], [0.0, 25.0, -20.0], [0.0, 25.0, -46.0], [0.0, 22.8, -64.0], [0.0, 18.0, -80.0]]
    )
    assert bone.at(canal).min() > 2.5
    entry = canal[-2] + np.linspace(0.0, 60.0, 120)[:, None] * np.array([0.0, 0.42, -0.91])  # caudal needle, from below
    assert bone.at(entry).min() > 1.0
    roof = np.array([0.0, apex[1], apex[2] + 3.0])
    assert bone.at(roof) < 0.5  # bone above the apex,
    assert bone.at(np.array([0.0, apex[1] - 1.0, apex[2] - 5.0])) > 1.0  # none below it


def test_landmarks_of_the_sacrum_lie_as_anatomy_says() -> None:
    reference = reference_vertebra(S1)
    for side in Side:
        centres = np.array([reference.landmarks[name, side] for name in CENTRES])
        borders = np.array([reference.landmarks[name, side] for name in LATERAL_BORDERS])
        assert (np.diff(centres[:, 2]) < -15).all()  # one below the other,
        assert (np.diff(np.abs(centres[:, 0])) < 0).all()  # the rows converge,
        assert (side.sign * (borders - centres)[:, 0] > 2.0).all()
        assert np.abs(reference.bone.at(borders)).max() < 0.25
        assert reference.bone.at(centres).min() > 2.0
        cornu = reference.landmarks[LandmarkName.SACRAL_CORNU, side]
        apex = reference.landmarks[LandmarkName.SACRAL_HIATUS_APEX, None]
        assert cornu[2] < apex[2] < centres[-1, 2]
        assert 6.0 < abs(cornu[0]) < 12.0


@pytest.mark.parametrize("root", ["S1", "S2", "S3"])
def test_a_lateral_branch_leaves_the_foramen_over_its_lateral_border(root: str) -> None:
    reference = reference_vertebra(S1)
    course = reference.course(NerveKind.LATERAL_BRANCH, Root(root))
    line = course.points_mm
    border = reference.landmarks[LATERAL_BORDERS[int(root[1]) - 1], Side.LEFT]
    assert reference.bone.at(line).min() > course.radius_mm
    assert np.linalg.norm(line - border, axis=1).min() < 2.5
    spinal = reference.course(NerveKind.SPINAL_NERVE, Root(root)).points_mm
    assert course.begins_at is not None
    np.testing.assert_allclose(line[0], spinal[course.begins_at], atol=1e-9)
    assert line[-1, 0] > border[0] + 8.0  # it ends laterally,
    assert line[-1, 1] > line[0, 1]  # behind the bone
    outer = line[np.argmin(np.linalg.norm(line - border, axis=1)) :]
    assert reference.bone.at(outer).max() < 3.0
    assert np.linalg.norm(np.diff(line, axis=0), axis=1).max() < 2.0


@pytest.mark.parametrize("root", ["S1", "S2", "S3", "S4"])
def test_a_sacral_nerve_runs_through_its_ventral_foramen(root: str) -> None:
    reference = reference_vertebra(S1)
    course = reference.course(NerveKind.SPINAL_NERVE, Root(root))
    away = reference.bone.at(course.points_mm)
    assert away.min() > 0.6 * course.radius_mm  # it touches the canal's corner, no more
    assert course.points_mm[0, 1] > 20.0 > 0.0 > course.points_mm[-1, 1]
    first, last = course.ganglion or (0, 0)
    assert away[first : last + 1].min() > 0.6 * course.ganglion_radius_mm
    assert away[first : last + 1].max() < 8.0  # within the bone


def test_the_second_sacral_ganglion_has_its_volume() -> None:
    width, length = numbers("anatomy.sacral_drg_width_mm")[1], numbers("anatomy.sacral_drg_length_mm")[1]
    known = fact("anatomy.s2_drg_volume_mm3").number
    assert 0.42 < np.pi / 6 * width**2 * length / known < 0.63  # what the source says of ellipsoids


def test_coccyx_and_hip_are_closed_and_stand_off_the_sacrum() -> None:
    made = body()
    sacrum = (made.labels.values >= 2600) & (made.labels.values < 2700)
    for name in ("coccyx", "hip_left", "hip_right"):
        mask = made.labels.values == structure_value(name)
        pieces, count = ndimage.label(mask, np.ones((3, 3, 3)))
        assert count == 1 or np.bincount(pieces.ravel())[1:].max() > 0.99 * mask.sum()
        assert not (ndimage.binary_dilation(mask) & sacrum).any(), name
    joint = made.labels.values == structure_value("sacroiliac_joint")
    points = made.labels.geometry.lps_mm(np.argwhere(joint).astype(float))
    for side in Side:
        own = points[side.sign * points[:, 0] > 0]
        area_mm2 = len(own) * 1.2**3 / number("anatomy.facet_joint_space_mm")
        assert 900 < area_mm2 < 2500  # auricular surfaces of adults are about 1500 mm2
    for field in (coccyx_field(), hip_field()):
        edge = np.concatenate([field.distance_mm.take(i, axis=a).ravel() for a in range(3) for i in (0, -1)])
        assert edge.min() > 0  # the grid holds the whole bone


def test_the_whole_sacrum_needs_s1() -> None:
    with pytest.raises(InputError, match="needs S1"):
        make_reference_body(levels=("L4",), has_whole_sacrum=True)


def test_the_sac_ends_in_the_second_sacral_segment() -> None:
    made = body()
    frame = made.anatomy.vertebra(S1).frame
    sac = np.isin(made.labels.values, [structure_value(n) for n in ("csf", "cauda_equina")])
    lowest = frame.to_vertebra(made.labels.geometry.lps_mm(np.argwhere(sac).astype(float)))[:, 2].min()
    s1, s2 = (reference_vertebra(S1).landmarks[name, Side.LEFT][2] for name in CENTRES[:2])
    assert s2 < lowest < s1  # between the first and the second posterior foramen: beside the second body


def test_a_patient_whose_label_shows_the_sacrum_gets_its_landmarks_and_branches() -> None:
    truth = make_reference_body(spacing_mm=6.0, seed=3, **WIDE).anatomy.vertebra(S1)
    found = patient().vertebra(S1)
    for name in (*CENTRES[:2], *LATERAL_BORDERS[:2], LandmarkName.SACRAL_ALA_NOTCH):
        for side in Side:
            landmark = found.landmark(name, side)
            error = np.linalg.norm(landmark.position_mm - truth.landmark(name, side).position_mm)
            assert error < 3 * landmark.sd_mm, name
    for root in ("S1", "S2"):
        nerve = patient().nerve(NerveKind.LATERAL_BRANCH, Root(root), Side.LEFT)
        assert nerve.variation_sd_mm >= number("anatomy.lateral_branch_variation_sd_mm")
    assert patient().nerve(NerveKind.SPINAL_NERVE, Root("S2"), Side.RIGHT).side is Side.RIGHT


def test_what_the_label_does_not_show_is_missing_with_the_reason() -> None:
    made = make_reference_body(spacing_mm=1.5, seed=3, **WIDE)
    frame = made.anatomy.vertebra(S1).frame
    values = made.labels.values.copy()
    index = np.argwhere((values >= 2600) & (values < 2700))
    low = frame.to_vertebra(made.labels.geometry.lps_mm(index.astype(float)))[:, 2] < -24.0
    values[tuple(index[low].T)] = 0  # as programs do that label the first segment only
    anatomy = build_anatomy(made.image, replace(made.labels, values=values))
    sacrum = anatomy.vertebra(S1)
    sacrum.landmark(LandmarkName.SACRAL_ALA_NOTCH, Side.LEFT)
    for name in (*CENTRES[1:], *LATERAL_BORDERS[1:], LandmarkName.SACRAL_CORNU):
        with pytest.raises(LandmarkError, match="does not show this part"):
            sacrum.landmark(name, Side.LEFT)
    for kind, root in (
        (NerveKind.LATERAL_BRANCH, "S2"),
        (NerveKind.LATERAL_BRANCH, "S3"),
        (NerveKind.SPINAL_NERVE, "S3"),
    ):
        with pytest.raises(LandmarkError):
            anatomy.nerve(kind, Root(root), Side.LEFT)
    anatomy.nerve(NerveKind.SPINAL_NERVE, Root("S1"), Side.LEFT)


def test_the_surface_of_the_sacrum_is_closed() -> None:
    surface = reference_vertebra(S1).surface
    mesh = trimesh.Trimesh(surface.vertices_mm, surface.faces, process=False)
    assert mesh.is_watertight
    genus_loops = 1 - mesh.euler_number / 2
    assert genus_loops >= 8  # four foramina on each side go through the bone
