"""Anatomy, tissue and skin of an MR: from labels and signal alone, less certain than of a CT, never silently a CT's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anatomy.bodies import by_name
from foramen.anatomy.build import build_anatomy
from foramen.anatomy.label_tissue import is_shell
from foramen.anatomy.obstacles import find_obstacles
from foramen.anatomy.reference_body.mr import mr_of_labels
from foramen.anatomy.tissue_map import ORIGINS, classify_tissue
from foramen.anatomy.widening import mr_sd_mm
from foramen.errors import ImageError, InputError
from foramen.geometry.skin import find_body
from foramen.io.nifti import read_image
from foramen.knowledge.facts import number
from foramen.model.anatomy import Anatomy
from foramen.model.levels import Vertebra
from foramen.model.space import Modality, MrSequence, Volume, VolumeGeometry
from synthetic_mr import SAGITTAL_MM, body, image, spine_labels

LANDMARK_MM = 3.0
"""Slices of 3.5 mm: the issue's limit for the median at 3 mm; here it holds for each landmark."""


@pytest.fixture(scope="module")
def anatomy() -> Anatomy:
    return build_anatomy(image(), spine_labels())


def test_landmarks_of_thick_slices_lie_where_they_are(anatomy: Anatomy) -> None:
    truth, found = by_name(body().anatomy), by_name(anatomy)
    inner = [key for key in truth if key in found and key[0] != Vertebra("S1") and "tip" not in key[1]]
    assert len(inner) >= 24
    apart = [float(np.linalg.norm(found[key].position_mm - truth[key].position_mm)) for key in inner]
    assert max(apart) <= LANDMARK_MM


def test_an_mr_is_less_certain_than_a_ct_of_the_same_labels(anatomy: Anatomy) -> None:
    """By exactly what its knowledge says: the same places, a larger standard uncertainty, and a note."""
    on_ct = build_anatomy(body().image, spine_labels())
    extra = mr_sd_mm(image().geometry)
    assert extra == pytest.approx(np.hypot(number("registration.mr_boundary_sd_mm"), 0.29 * SAGITTAL_MM[0]))
    ct, mr = by_name(on_ct), by_name(anatomy)
    assert ct.keys() == mr.keys()
    for key, landmark in mr.items():
        assert np.array_equal(landmark.position_mm, ct[key].position_mm)
        assert landmark.sd_mm == pytest.approx(np.hypot(ct[key].sd_mm, extra))
    for on_one, on_other in zip(anatomy.nerves, on_ct.nerves, strict=True):
        assert on_one.variation_sd_mm == pytest.approx(np.hypot(on_other.variation_sd_mm, extra))
    assert any("Planned on MR" in note for note in anatomy.notes)


def test_no_bone_is_read_from_the_signal_of_an_mr(anatomy: Anatomy) -> None:
    """Bright fat beside the target must not count as the dense bone that a CT would show."""
    around = anatomy.vertebra(Vertebra("L4")).landmarks[0].position_mm[None]
    given_hu = 200.0  # far below the signal of fat
    shown = find_obstacles(anatomy, image(), spine_labels(), around_mm=around, bone_hu=given_hu)
    flat = replace(image(), values=np.zeros_like(image().values))
    dark = find_obstacles(anatomy, flat, spine_labels(), around_mm=around, bone_hu=given_hu)
    assert np.array_equal(shown.bone.values_mm, dark.bone.values_mm)


def test_tissue_of_an_mr_is_by_label_or_assumed() -> None:
    found = classify_tissue(image(), spine_labels())
    assert not found.is_density_known
    names = np.array(found.names)[found.tissue_index]
    origin = np.array(ORIGINS)[found.origin_index]
    labels = spine_labels().values
    assert set(names[origin == "assumed_without_label"]) == {"soft_tissue"}
    assert (origin[labels > 0] == "label").all()
    assert "inferred_from_hu" not in origin
    assert set(names[(labels > 0) & (labels < 5000)]) == {"bone_cortical", "bone_cancellous"}


@given(half=st.integers(3, 9))
def test_the_shell_of_a_cube_of_bone_is_one_millimetre_thick(half: int) -> None:
    geometry = VolumeGeometry(shape=(24, 24, 24), affine_mm=np.eye(4), frame_uid="1")
    bone = np.zeros(geometry.shape, dtype=bool)
    bone[12 - half : 12 + half, 12 - half : 12 + half, 12 - half : 12 + half] = True
    inner = bone & ~is_shell(bone, geometry)
    assert inner.sum() == (2 * half - 2) ** 3


def test_the_skin_of_the_body_is_found_on_its_mr() -> None:
    """Rays from the canal backwards: on the MR within the tolerance of the CT's own surface and a voxel."""
    on_mr = find_body(image(), threshold_hu=-400)
    on_ct = find_body(body().image, threshold_hu=-400)
    starts = np.array([v.frame.origin_mm for v in body().anatomy.vertebrae if v.level.name in ("L3", "L4")])
    back = np.tile([0.0, 1.0, 0.0], (len(starts), 1))
    mr, is_mr = on_mr.exit_distance_mm(starts, back, longest_mm=200)
    ct, is_ct = on_ct.exit_distance_mm(starts, back, longest_mm=200)
    assert is_mr.all()
    assert is_ct.all()
    assert np.abs(mr - ct).max() <= on_ct.surface_tolerance_mm + max(SAGITTAL_MM[1:])


def test_where_the_mr_ends_in_tissue_no_skin_is_found() -> None:
    cut = image().geometry.shape[1] - 75  # 110 mm nearer than the back's edge
    geometry = image().geometry
    small = VolumeGeometry(
        shape=(geometry.shape[0], cut, geometry.shape[2]), affine_mm=geometry.affine_mm, frame_uid="1"
    )
    part = Volume(geometry=small, values=np.ascontiguousarray(image().values[:, :cut]), modality=Modality.MR)
    found = find_body(part, threshold_hu=-400)
    middle = geometry.lps_mm(np.array([geometry.shape[0] / 2, cut / 2, geometry.shape[2] / 2]))[None]
    _, is_in_image = found.exit_distance_mm(middle, np.array([[0.0, 1.0, 0.0]]), longest_mm=300)
    assert not is_in_image.any()


def test_an_empty_mr_is_no_body() -> None:
    empty = replace(image(), values=np.zeros_like(image().values))
    with pytest.raises(ImageError, match="Nothing in this MR has a signal"):
        find_body(empty, threshold_hu=-400)


def test_a_made_mr_needs_a_sequence_and_is_the_same_again() -> None:
    again = mr_of_labels(body().labels, MrSequence.T2, generator=np.random.default_rng(7))
    assert again.same_as(image())
    with pytest.raises(InputError, match="T1 or T2"):
        mr_of_labels(body().labels, MrSequence.UNKNOWN, generator=np.random.default_rng(7))


@pytest.mark.data
def test_the_skin_of_a_real_mr_is_seen_where_it_is_in_view(data_folder: Path) -> None:
    """`mr_lumbar` shows the back's skin with air behind; the patch of `mr_lumbar_segment` ends in dark muscle."""
    whole = read_image(data_folder / "mr_lumbar" / "t2_lumbar.nii.gz", modality=Modality.MR)
    geometry = whole.geometry
    middle = geometry.lps_mm((np.array(geometry.shape) - 1) / 2)[None]
    back = np.array([[0.0, 1.0, 0.0]])
    distance, is_in_image = find_body(whole, threshold_hu=-400).exit_distance_mm(middle, back, longest_mm=300)
    assert is_in_image.all()
    column = whole.values[geometry.shape[0] // 2, :, geometry.shape[2] // 2]  # towards the front in this file
    bright = geometry.lps_mm(np.array([geometry.shape[0] // 2, 0, geometry.shape[2] // 2]) + 0.0)
    first = np.flatnonzero(column > 0.15 * column.max())[0] if geometry.axes[1, 1] < 0 else 0
    skin_mm = bright[1] - first  # voxels of 1 mm
    assert middle[0, 1] + distance[0] == pytest.approx(skin_mm, abs=4.0)
    patch = read_image(data_folder / "mr_lumbar_segment" / "sub-mri_label-6_T2w.nii.gz", modality=Modality.MR)
    assert (find_body(patch, threshold_hu=-400).inside == 1).all()
