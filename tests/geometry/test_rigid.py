"""Rigid transforms: apply, inverse, compose, frames."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from foramen.errors import FrameError
from foramen.geometry.rigid import Rigid


def _rigid(seed: int, start: str, end: str) -> Rigid:
    rng = np.random.default_rng(seed)
    rotation = Rotation.from_rotvec(rng.normal(size=3)).as_matrix()
    return Rigid(rotation=rotation, translation_mm=rng.normal(size=3) * 50, from_frame=start, to_frame=end)


def test_the_inverse_brings_points_back() -> None:
    points = np.random.default_rng(1).normal(size=(7, 3)) * 100
    there = _rigid(2, "a", "b")
    back = there.inverse().apply(there.apply(points, frame_uid="a"), frame_uid="b")
    assert np.abs(back - points).max() < 1e-9  # rounding of 1e2 mm numbers


def test_composition_is_one_after_the_other() -> None:
    point = np.array([1.0, 2.0, 3.0])
    first, second = _rigid(3, "a", "b"), _rigid(4, "b", "c")
    joined = second.compose(first)
    expected = second.apply(first.apply(point, frame_uid="a"), frame_uid="b")
    assert np.allclose(joined.apply(point, frame_uid="a"), expected, atol=1e-9)
    assert (joined.from_frame, joined.to_frame) == ("a", "c")


def test_wrong_frames_and_mirrors_are_refused() -> None:
    transform = _rigid(5, "a", "b")
    with pytest.raises(FrameError, match="frames of reference differ"):
        transform.apply(np.zeros(3), frame_uid="b")
    with pytest.raises(FrameError):
        transform.compose(_rigid(6, "a", "b"))
    with pytest.raises(FrameError, match="mirrors"):
        Rigid(rotation=np.diag([-1.0, 1.0, 1.0]), translation_mm=np.zeros(3), from_frame="a", to_frame="b")
    with pytest.raises(FrameError, match="not a rotation"):
        Rigid(rotation=np.diag([2.0, 1.0, 1.0]), translation_mm=np.zeros(3), from_frame="a", to_frame="b")
