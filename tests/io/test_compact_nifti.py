"""A page's copy of a scan shows what the scan shows, where the scan shows it."""

from __future__ import annotations

import gzip
import io

import nibabel as nib
import numpy as np
import pytest

from foramen.io.compact_nifti import MOST_VOXELS, block_means, compact_image, compact_labels, labels_nifti
from foramen.model.space import LabelMap, Modality, Volume, VolumeGeometry


def geometry(shape: tuple[int, int, int]) -> VolumeGeometry:
    """Oblique axes, the first towards the patient's right, anisotropic voxels."""
    angle = np.radians(20)
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.diag([-0.8, 0.8, 2.0])
    affine[:3, 3] = (30, -20, 100)
    return VolumeGeometry(shape=shape, affine_mm=affine, frame_uid="1.2.3")


def opened(content: bytes) -> nib.Nifti1Image:
    return nib.Nifti1Image.from_stream(io.BytesIO(gzip.decompress(content)))


def lps(image: nib.Nifti1Image, index: np.ndarray) -> np.ndarray:
    ras = index @ image.affine[:3, :3].T + image.affine[:3, 3]
    return ras * (-1, -1, 1)


def ramp(grid: VolumeGeometry) -> Volume:
    """Values that grow linearly with position, so that a mean of a block is the value at its middle."""
    points = grid.lps_mm(np.stack(np.indices(grid.shape), axis=-1).reshape(-1, 3).astype(float))
    values = (3.0 * points[:, 0] - 2.0 * points[:, 1] + points[:, 2]).reshape(grid.shape)
    return Volume(geometry=grid, values=values.astype(np.float32), modality=Modality.CT)


@pytest.mark.parametrize("share", [1.0, 0.6, 0.3])
def test_a_linear_field_is_kept_in_place_at_every_coarseness(share: float) -> None:
    volume = ramp(geometry((40, 36, 20)))
    limit_bytes = int(share * len(compact_image(volume, limit_bytes=10**7).content))
    copy = compact_image(volume, limit_bytes=limit_bytes)
    assert len(copy.content) <= limit_bytes
    image = opened(copy.content)
    found = image.get_fdata()
    inside = np.stack(np.indices([n // f for n, f in zip((40, 36, 20), copy.factors, strict=True)]), axis=-1)
    index = inside.reshape(-1, 3)  # whole blocks only: the last may hang over the edge
    points = lps(image, index.astype(float))
    expected = 3.0 * points[:, 0] - 2.0 * points[:, 1] + points[:, 2]
    # half a grey level of (1500 + 400) / 255 HU, and float32 in the header
    assert np.abs(found[tuple(index.T)] - expected).max() < 0.5 * 1900 / 255 + 0.01
    assert (copy.factors == (1, 1, 1)) == (share == 1.0)


def test_the_smallest_voxels_are_joined_first() -> None:
    noise = np.random.default_rng(1).normal(0, 200, (40, 40, 20)).astype(np.float32)
    volume = Volume(geometry=geometry((40, 40, 20)), values=noise, modality=Modality.CT)
    whole = len(compact_image(volume, limit_bytes=10**7).content)
    copy = compact_image(volume, limit_bytes=whole // 3)
    assert copy.factors == (2, 2, 1)
    assert copy.spacing_mm == pytest.approx((1.6, 1.6, 2.0))


def test_values_beyond_the_range_become_its_ends() -> None:
    values = np.zeros((4, 4, 4), dtype=np.float32)
    values[0], values[1] = -3000, 3000
    copy = compact_image(Volume(geometry=geometry((4, 4, 4)), values=values, modality=Modality.CT), limit_bytes=10**6)
    found = opened(copy.content).get_fdata()
    assert found[0].max() == pytest.approx(copy.low)
    assert found[1].min() == pytest.approx(copy.high, abs=1e-3)


def test_an_mr_spans_its_own_values() -> None:
    values = np.linspace(0, 900, 4**3, dtype=np.float32).reshape(4, 4, 4)
    copy = compact_image(Volume(geometry=geometry((4, 4, 4)), values=values, modality=Modality.MR), limit_bytes=10**6)
    assert copy.low == 0
    assert 850 < copy.high <= 900


@pytest.mark.parametrize("factors", [(1, 1, 1), (2, 3, 1), (5, 5, 2)])
def test_each_small_label_is_the_one_of_the_voxel_at_its_place(factors: tuple[int, int, int]) -> None:
    grid = geometry((23, 22, 9))
    values = np.random.default_rng(2).integers(0, 4, grid.shape).astype(np.uint16)
    labels = LabelMap(geometry=grid, values=values)
    table = np.array([0, 7, 8, 9], dtype=np.uint8)
    image = opened(labels_nifti(*compact_labels(labels, table, factors)))
    small = np.asanyarray(image.dataobj)
    index = np.stack(np.indices(small.shape), axis=-1).reshape(-1, 3)
    there = np.rint(grid.index(lps(image, index.astype(float)))).astype(int)
    assert np.array_equal(small[tuple(index.T)], table[values[tuple(there.T)]])


def test_block_means_continue_an_axis_by_its_last_voxel() -> None:
    values = np.arange(5, dtype=np.float32)[:, None, None] * np.ones((5, 2, 2), dtype=np.float32)
    means = block_means(values, (2, 1, 1))
    assert means[:, 0, 0].tolist() == [0.5, 2.5, 4.0]


def test_a_large_image_is_made_smaller_whatever_its_file_weighs() -> None:
    shape = (300, 300, 200)
    volume = Volume(geometry=geometry(shape), values=np.zeros(shape, dtype=np.float32), modality=Modality.CT)
    copy = compact_image(volume, limit_bytes=10**8)
    assert np.prod(copy.shape) <= MOST_VOXELS < np.prod(shape)
