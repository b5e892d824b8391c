"""The body's surface in a made CT: with a table, with gas, and cut off by the image."""

from __future__ import annotations

import numpy as np
import pytest

from foramen.errors import ImageError
from foramen.geometry.skin import find_body
from foramen.model.space import Modality, Volume, VolumeGeometry


def scan(*, table=True, shape=(80, 80, 30), spacing_mm=2.0):
    affine = np.diag([spacing_mm] * 3 + [1.0])
    affine[:3, 3] = -spacing_mm * (np.array(shape) - 1) / 2
    geometry = VolumeGeometry(shape=shape, affine_mm=affine, frame_uid="1")
    x, y, _ = np.moveaxis(geometry.lps_mm(np.moveaxis(np.indices(shape), 0, -1).astype(float)), -1, 0)
    values = np.full(shape, -1000, dtype=np.float32)
    values[np.hypot(x, y) < 60] = 40
    values[np.hypot(x, y + 30) < 10] = -900  # bowel gas, open at both ends of the image
    if table:
        values[(y > 60) & (y < 63)] = -100  # touches the back along a line
    return Volume(geometry=geometry, values=values, modality=Modality.CT)


@pytest.mark.parametrize("table", [False, True])
def test_a_ray_through_gas_ends_at_the_skin(table):
    body = find_body(scan(table=table), threshold_hu=-300)
    directions = np.array([[1.0, 0, 0], [0.0, -1, 0], [0.6, 0.8, 0]])
    distance, is_in_image = body.exit_distance_mm(np.zeros((3, 3)), directions, longest_mm=100)
    assert is_in_image.all()
    assert distance == pytest.approx([60, 60, 60], abs=body.surface_tolerance_mm)


def test_normals_point_out():
    body = find_body(scan(), threshold_hu=-300)
    where = np.array([[60.0, 0, 0], [0.0, -60, 0]])
    # The box of 8 mm samples 125 points on voxels of 2 mm: 10 deg.
    assert (body.outward_normals(where) * where / 60).sum(axis=1) == pytest.approx(1, abs=1 - np.cos(np.radians(10)))


def test_a_ray_that_leaves_the_image_says_so():
    body = find_body(scan(), threshold_hu=-300)
    distance, is_in_image = body.exit_distance_mm(np.zeros((1, 3)), np.array([[0.0, 0, 1]]), longest_mm=100)
    assert not is_in_image[0]
    assert np.isinf(distance[0])


def test_air_is_no_body():
    image = scan()
    empty = Volume(geometry=image.geometry, values=np.full_like(image.values, -1000), modality=Modality.CT)
    with pytest.raises(ImageError, match="no CT of a body"):
        find_body(empty, threshold_hu=-300)
