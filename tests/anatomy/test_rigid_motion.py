"""Moving, turning or re-storing the scan moves every landmark with the patient and changes nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from anatomy.bodies import body, instances_only, moved, rearranged
from foramen.anatomy.build import build_anatomy
from foramen.anatomy.turned import turn_of
from foramen.model.anatomy import Anatomy
from foramen.model.space import FloatArray, VolumeGeometry

SPACING_MM = (1.5, 1.5, 3.0)

MOTION_TOLERANCE_MM = 0.2
"""The limit asked for; what differs is rounding only, except where arrays are stored in another order."""


@pytest.fixture(scope="module")
def still() -> Anatomy:
    made = body(SPACING_MM)
    return build_anatomy(made.image, instances_only(made.labels))


def _affine(rotation: FloatArray, shift_mm: tuple[float, float, float]) -> FloatArray:
    affine = np.eye(4)
    affine[:3, :3] = rotation
    affine[:3, 3] = shift_mm
    return affine


@pytest.mark.parametrize("angles_deg", [(0, 0, 0), (17, 0, 0), (0, -25, 0), (8, 12, -20)])
def test_landmarks_nerves_and_ellipsoids_move_with_the_patient(
    still: Anatomy, angles_deg: tuple[float, float, float]
) -> None:
    rotation = Rotation.from_euler("xyz", angles_deg, degrees=True).as_matrix()
    affine = _affine(rotation, (31.3, -17.7, 250.1))
    made = body(SPACING_MM)
    found = build_anatomy(*moved((made.image, instances_only(made.labels)), affine))
    worst = _largest_difference_mm(still, found, affine)
    assert worst < MOTION_TOLERANCE_MM
    for before, after in zip(still.vertebrae, found.vertebrae, strict=True):
        for mark, other in zip(before.landmarks, after.landmarks, strict=True):
            assert mark.covariance_mm2 is not None
            assert other.covariance_mm2 is not None
            expected = rotation @ mark.covariance_mm2 @ rotation.T
            np.testing.assert_allclose(other.covariance_mm2, expected, atol=0.05)


@pytest.mark.parametrize(("order", "flipped"), [((2, 0, 1), (0,)), ((1, 0, 2), (0, 1, 2)), ((0, 1, 2), (2,))])
def test_storing_the_scan_otherwise_changes_nothing(
    still: Anatomy, order: tuple[int, int, int], flipped: tuple[int, ...]
) -> None:
    made = body(SPACING_MM)
    found = build_anatomy(*rearranged((made.image, instances_only(made.labels)), order, flipped))
    assert _largest_difference_mm(still, found, np.eye(4)) < MOTION_TOLERANCE_MM


def test_the_turn_of_a_scan_is_the_smallest_one() -> None:
    axes = Rotation.from_euler("x", 30, degrees=True).as_matrix()
    stored = axes[:, [2, 0, 1]] * np.array([-1.0, 1.0, -1.0])
    affine = np.eye(4)
    affine[:3, :3] = stored * np.array([2.0, 1.0, 0.5])
    geometry = VolumeGeometry(shape=(4, 5, 6), affine_mm=affine, frame_uid="1.2.3")
    np.testing.assert_allclose(turn_of(geometry), axes, atol=1e-12)


def _largest_difference_mm(before: Anatomy, after: Anatomy, affine: FloatArray) -> float:
    def expected(points: FloatArray) -> FloatArray:
        carried: FloatArray = points @ affine[:3, :3].T + affine[:3, 3]
        return carried

    pairs = [
        (a.position_mm, b.position_mm)
        for u, v in zip(before.vertebrae, after.vertebrae, strict=True)
        for a, b in zip(u.landmarks, v.landmarks, strict=True)
    ]
    assert len(pairs) > 40
    pairs += [(a.centreline_mm, b.centreline_mm) for a, b in zip(before.nerves, after.nerves, strict=True)]
    return max(float(np.linalg.norm(expected(np.atleast_2d(a)) - b, axis=-1).max()) for a, b in pairs)
