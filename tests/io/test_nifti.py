"""NIfTI images: RAS becomes LPS, and what is not a usable CT is refused with its reason."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foramen.errors import FrameError, ImageError
from foramen.io.nifti import image_bytes, on_grid_of, read_image
from foramen.model.space import Modality, VolumeGeometry
from small_scan import affine_ras, scan, write_nifti


def test_a_voxel_keeps_its_place_in_the_patient(tmp_path: Path) -> None:
    values, _ = scan()
    values[10, 20, 30] = 1234
    image = read_image(write_nifti(tmp_path / "ct.nii.gz", values))
    place_ras = affine_ras() @ (10, 20, 30, 1)
    found = image.geometry.lps_mm(np.argwhere(image.values == 1234)[0].astype(float))
    np.testing.assert_allclose(found, (-place_ras[0], -place_ras[1], place_ras[2]), atol=1e-4)  # NIfTI is float32


def test_oblique_and_flipped_axes_are_kept(tmp_path: Path) -> None:
    angle = np.radians(17.0)
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    affine = turn @ affine_ras() @ np.diag([-1.0, 1.0, 1.0, 1.0])
    image = read_image(write_nifti(tmp_path / "ct.nii", scan()[0], affine))
    np.testing.assert_allclose(image.geometry.affine_mm, np.diag([-1, -1, 1, 1]) @ affine, atol=1e-4)


def test_frame_uid_follows_the_content(tmp_path: Path) -> None:
    values, _ = scan()
    first = read_image(write_nifti(tmp_path / "a.nii.gz", values)).geometry.frame_uid
    again = read_image(write_nifti(tmp_path / "b.nii", values)).geometry.frame_uid
    values[0, 0, 0] += 1
    other = read_image(write_nifti(tmp_path / "c.nii", values)).geometry.frame_uid
    assert first == again != other
    assert first.startswith("2.25.")
    assert len(first) <= 64  # DICOM's limit for a UID


def test_written_image_is_read_again(tmp_path: Path) -> None:
    image = read_image(write_nifti(tmp_path / "a.nii.gz", scan()[0]))
    (tmp_path / "b.nii.gz").write_bytes(image_bytes(image))
    assert read_image(tmp_path / "b.nii.gz").same_as(image)
    assert image_bytes(image) == image_bytes(image)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda v: np.clip(v, 0, 255).astype(np.uint8), "picture of 8 bits"),
        (lambda v: (v + 1024).astype(np.int16), "rescale"),
        (lambda v: (v / 1000).astype(np.float32), "as dense as bone"),
        (lambda v: np.where(v < 0, 10, v).astype(np.int16), "negative values"),
        (lambda v: np.where(np.arange(v.size).reshape(v.shape) == 7, np.nan, v).astype(np.float32), "NaN"),
        (lambda v: np.stack([v, v], axis=-1), "three axes"),
        (lambda v: v[:, :, 0], "three axes"),
        (lambda v: v.astype(np.complex64), "complex"),
    ],
)
def test_unsuited_images_are_refused(tmp_path: Path, change: object, message: str) -> None:
    path = write_nifti(tmp_path / "x.nii.gz", change(scan()[0]))  # type: ignore[operator]
    with pytest.raises(ImageError, match=message):
        read_image(path)


def test_damaged_files_are_refused(tmp_path: Path) -> None:
    path = write_nifti(tmp_path / "x.nii.gz", scan()[0])
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ImageError, match="readable NIfTI"):
        read_image(path)
    (tmp_path / "text.nii").write_text("hello")
    with pytest.raises(ImageError, match="readable NIfTI"):
        read_image(tmp_path / "text.nii")
    with pytest.raises(ImageError, match="no file"):
        read_image(tmp_path / "absent.nii")


def test_orientation_must_be_stated_once(tmp_path: Path) -> None:
    nib.save(nib.Nifti1Image(scan()[0], None), tmp_path / "none.nii")
    with pytest.raises(ImageError, match="no orientation"):
        read_image(tmp_path / "none.nii")
    image = nib.Nifti1Image(scan()[0], affine_ras())
    image.set_sform(affine_ras(), code=1)
    image.set_qform(np.diag([-1.0, 1.0, 1.0, 1.0]) @ affine_ras(), code=1)
    nib.save(image, tmp_path / "two.nii")
    with pytest.raises(ImageError, match="sform, qform"):
        read_image(tmp_path / "two.nii")


@settings(max_examples=30, deadline=None)
@given(order=st.permutations([0, 1, 2]), flips=st.sets(st.integers(0, 2)))
def test_the_same_grid_in_another_array_order_is_turned(order: list[int], flips: set[int]) -> None:
    values = np.arange(4 * 5 * 6).reshape(4, 5, 6)
    geometry = VolumeGeometry(shape=(4, 5, 6), affine_mm=np.diag([1.0, 2.0, 3.0, 1.0]), frame_uid="2.25.1")
    other = np.transpose(values, order)
    change = np.eye(4)
    change[:3, :3] = np.eye(3)[:, order]
    for axis in flips:
        change[:3, 3] += change[:3, axis] * (other.shape[axis] - 1)
        change[:3, axis] *= -1
    turned = on_grid_of(geometry, np.flip(other, tuple(flips)), geometry.affine_mm @ change, name="x")
    np.testing.assert_array_equal(turned, values)


@pytest.mark.parametrize("change", [np.diag([1.0, 1, 1.02, 1]), np.eye(4) + np.outer([0, 1, 0, 0], [0, 0, 0, 0.5])])
def test_another_grid_is_refused(change: np.ndarray) -> None:
    geometry = VolumeGeometry(shape=(4, 5, 6), affine_mm=np.diag([1.0, 2.0, 3.0, 1.0]), frame_uid="2.25.1")
    with pytest.raises(FrameError, match="another grid"):
        on_grid_of(geometry, np.zeros((4, 5, 6)), change @ geometry.affine_mm, name="labels.nii")


def test_an_mr_image_may_be_read_as_such(tmp_path: Path) -> None:
    path = write_nifti(tmp_path / "mr.nii.gz", np.abs(scan()[0] + np.arange(60, dtype=np.int16)))
    assert read_image(path, modality=Modality.MR).modality is Modality.MR


@pytest.mark.data
def test_real_mr_is_no_ct(data_folder: Path) -> None:
    with pytest.raises(ImageError, match="MR image"):
        read_image(data_folder / "mr_lumbar" / "t2_lumbar.nii.gz")
