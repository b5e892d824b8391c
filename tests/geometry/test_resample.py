"""Cropping and resampling keep positions in space."""

from __future__ import annotations

import numpy as np
import pytest

from foramen.errors import FrameError, ImageError
from foramen.geometry.resample import box_geometry, crop, crop_labels, resample_labels, resample_volume
from foramen.model.space import LabelMap, Modality, Volume, VolumeGeometry

AFFINE = np.array([[0.0, 0.0, -2.0, 30.0], [1.5, 0.0, 0.0, -9.0], [0.0, -1.0, 0.0, 12.0], [0.0, 0.0, 0.0, 1.0]])


def _ramp() -> Volume:
    """Values are a linear function of LPS position, which trilinear interpolation must reproduce."""
    geometry = VolumeGeometry(shape=(12, 14, 10), affine_mm=AFFINE, frame_uid="1.2")
    index = np.indices(geometry.shape).reshape(3, -1).T.astype(np.float64)
    values = geometry.lps_mm(index) @ [1.0, 10.0, 100.0]
    return Volume(geometry=geometry, values=values.reshape(geometry.shape).astype(np.float32), modality=Modality.CT)


def test_a_linear_ramp_survives_resampling() -> None:
    volume = _ramp()
    wanted = box_geometry(np.array([14.0, -6.0, 1.0]), np.array([24.0, 3.0, 9.0]), spacing_mm=0.7, frame_uid="1.2")
    found = resample_volume(volume, wanted, outside=-1000.0)
    index = np.indices(wanted.shape).reshape(3, -1).T.astype(np.float64)
    points = wanted.lps_mm(index)
    inside = volume.geometry.contains(points) & (found.values.ravel() > -900)
    assert inside.mean() > 0.8
    expected = points @ [1.0, 10.0, 100.0]
    assert np.abs(found.values.ravel() - expected)[inside].max() < 1e-2  # float32 of numbers up to 1500


def test_a_crop_keeps_every_position() -> None:
    volume = _ramp()
    part = crop(volume, np.array([15.0, -5.0, 2.0]), np.array([20.0, 0.0, 6.0]))
    index = np.indices(part.geometry.shape).reshape(3, -1).T.astype(np.float64)
    expected = part.geometry.lps_mm(index) @ [1.0, 10.0, 100.0]
    assert part.values.size < volume.values.size
    assert np.abs(part.values.ravel() - expected).max() < 1e-2


def test_labels_are_never_mixed() -> None:
    geometry = VolumeGeometry(shape=(12, 14, 10), affine_mm=AFFINE, frame_uid="1.2")
    values = np.where(np.indices(geometry.shape)[0] < 6, 2300, 2400).astype(np.uint16)
    labels = LabelMap(geometry=geometry, values=values)
    wanted = box_geometry(np.array([14.0, -6.0, 1.0]), np.array([24.0, 3.0, 9.0]), spacing_mm=0.7, frame_uid="1.2")
    assert set(np.unique(resample_labels(labels, wanted).values)) <= {0, 2300, 2400}
    assert crop_labels(labels, np.array([15.0, -5.0, 2.0]), np.array([20.0, 0.0, 6.0])).values.size < values.size


def test_another_frame_and_a_box_outside_are_refused() -> None:
    volume = _ramp()
    other = box_geometry(np.zeros(3), np.ones(3), spacing_mm=1.0, frame_uid="9.9")
    with pytest.raises(FrameError):
        resample_volume(volume, other, outside=0.0)
    with pytest.raises(ImageError, match="outside"):
        crop(volume, np.array([500.0, 500.0, 500.0]), np.array([510.0, 510.0, 510.0]))
