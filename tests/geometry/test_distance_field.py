"""Distance fields of masks against shapes with a known surface."""

from __future__ import annotations

import numpy as np
import pytest

from foramen.errors import ImageError
from foramen.geometry.distance_field import DistanceField
from foramen.kernels.distance import sample_trilinear
from foramen.model.space import VolumeGeometry

TURN = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])


def grid(spacing_mm, shape, turn=np.eye(3)):
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.diag(spacing_mm)
    affine[:3, 3] = -turn @ (np.array(spacing_mm) * (np.array(shape) - 1) / 2)
    return VolumeGeometry(shape=shape, affine_mm=affine, frame_uid="1")


@pytest.mark.parametrize("spacing_mm", [(1.0, 1.0, 1.0), (3.0, 3.0, 3.0), (0.7, 0.7, 3.0)])
@pytest.mark.parametrize("turn", [np.eye(3), TURN], ids=["straight", "turned"])
def test_ball_is_measured_within_half_a_voxel_diagonal(spacing_mm, turn):
    shape = tuple(int(90 / s) for s in spacing_mm)
    geometry = grid(spacing_mm, shape, turn)
    centres = geometry.lps_mm(np.moveaxis(np.indices(shape), 0, -1).astype(float))
    field = DistanceField.from_mask(np.linalg.norm(centres, axis=-1) < 20, geometry)
    rng = np.random.default_rng(7)
    directions = rng.normal(size=(400, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    radius = rng.uniform(5, 38, 400)
    error = field.signed(directions * radius[:, None]) - (radius - 20)
    assert np.abs(error).max() <= field.tolerance_mm  # what the docstring promises
    assert abs(error.mean()) < min(spacing_mm) / 4  # and no shift: the surface lies between the voxels


def test_a_flat_face_lies_between_its_voxels():
    geometry = grid((2.0, 2.0, 2.0), (20, 20, 20))
    mask = np.zeros(geometry.shape, dtype=bool)
    mask[:10] = True  # outer voxel centres at -1 and +1 mm: the face is x = 0
    field = DistanceField.from_mask(mask, geometry)
    assert field.signed(np.array([[0.0, 0, 0], [5.0, 0, 0], [-5.0, 0, 0]])) == pytest.approx([0, 5, -5], abs=1e-5)
    assert field.at(np.array([-5.0, 0, 0])) == 0


def test_empty_mask_is_refused():
    geometry = grid((1.0, 1.0, 1.0), (5, 5, 5))
    with pytest.raises(ImageError, match="empty"):
        DistanceField.from_mask(np.zeros((5, 5, 5), dtype=bool), geometry)


def test_kernel_reproduces_any_trilinear_function():
    rng = np.random.default_rng(3)
    i, j, k = np.indices((6, 7, 8))
    field = (1 + 2 * i - 3 * j + 0.5 * k + i * j * k).astype(np.float32)
    index = rng.uniform(0, 5, (200, 3))
    x, y, z = index.T
    # float32 holds the node values exactly here, so only rounding of the sum remains.
    assert sample_trilinear(field, np.eye(3, 4), index) == pytest.approx(
        1 + 2 * x - 3 * y + 0.5 * z + x * y * z, abs=1e-9
    )
