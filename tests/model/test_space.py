"""Grids, frames and their refusals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foramen.errors import FrameError, ImageError
from foramen.model.space import LabelMap, Modality, Volume, VolumeGeometry, require_same_frame


def geometry(frame_uid: str = "1.2.3", affine: np.ndarray | None = None) -> VolumeGeometry:
    return VolumeGeometry(shape=(4, 5, 6), affine_mm=np.eye(4) if affine is None else affine, frame_uid=frame_uid)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(-200, 200), min_size=6, max_size=6))
def test_index_and_position_are_inverse(numbers: list[float]) -> None:
    affine = np.diag([0.7, 0.8, 3.0, 1.0])
    affine[:3, 3] = numbers[:3]
    grid = geometry(affine=affine)
    point = np.array(numbers[3:])
    assert np.allclose(grid.lps_mm(grid.index(point)), point, atol=1e-9)


def test_grids_of_different_frames_are_never_the_same() -> None:
    assert geometry("1.2.3").same_as(geometry("1.2.3"))
    assert not geometry("1.2.3").same_as(geometry("1.2.4"))
    with pytest.raises(FrameError, match="Register"):
        require_same_frame("1.2.3", "1.2.4", "Label map")


def test_sheared_axes_are_refused() -> None:
    affine = np.eye(4)
    affine[1, 2] = 0.2
    with pytest.raises(ImageError, match="gantry tilt"):
        geometry(affine=affine)


def test_voxels_without_a_number_are_refused() -> None:
    values = np.zeros((4, 5, 6), dtype=np.float32)
    values[1, 2, 3] = np.nan
    with pytest.raises(ImageError, match="1 voxels"):
        Volume(geometry=geometry(), values=values, modality=Modality.CT)


def test_label_maps_are_uint16() -> None:
    with pytest.raises(ImageError, match="uint16"):
        LabelMap(geometry=geometry(), values=np.zeros((4, 5, 6), dtype=np.int32))  # type: ignore[arg-type]


def test_contains_reaches_to_the_outer_voxel_faces() -> None:
    inside = geometry().contains(np.array([[-0.4, 0.0, 0.0], [-0.6, 0.0, 0.0], [3.4, 4.4, 5.4]]))
    assert inside.tolist() == [True, False, True]
