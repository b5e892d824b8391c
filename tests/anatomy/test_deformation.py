"""The random deformation of a bone: its size, its correlation, its inverse."""

from __future__ import annotations

import numpy as np
import pytest

from foramen.anatomy.reference_body.deformation import Deformation, draw_deformation, with_change

RMS_MM, CORRELATION_MM = 2.0, 15.0


@pytest.fixture(scope="module")
def drawn() -> Deformation:
    return draw_deformation(np.random.default_rng(4), rms_mm=RMS_MM, correlation_mm=CORRELATION_MM)


def points() -> np.ndarray:
    return np.random.default_rng(5).uniform(-60.0, 60.0, (4000, 3))


def test_root_mean_square_length(drawn: Deformation) -> None:
    """Linear values between the nodes of 5 mm lose 2 % or so; a cube of 120 mm holds some 60 independent places."""
    lengths = np.linalg.norm(drawn.at(points()), axis=1)
    assert np.sqrt((lengths**2).mean()) == pytest.approx(RMS_MM, rel=0.12)


@pytest.mark.parametrize("distance_mm", [7.5, 15.0, 30.0])
def test_correlation_falls_as_a_gaussian(drawn: Deformation, distance_mm: float) -> None:
    first = points()
    found = []
    for axis in np.eye(3):
        a, b = drawn.at(first), drawn.at(first + distance_mm * axis)
        found.append((a * b).mean() / np.sqrt((a**2).mean() * (b**2).mean()))
    expected = np.exp(-(distance_mm**2) / (2 * CORRELATION_MM**2))
    assert np.mean(found) == pytest.approx(expected, abs=0.08)


def test_apply_and_undo_are_inverse(drawn: Deformation) -> None:
    start = points()
    assert np.abs(drawn.undo(drawn.apply(start)) - start).max() < 0.01
    assert np.linalg.norm(drawn.apply(start) - start, axis=1).max() > 2.0


def test_the_same_seed_gives_the_same_field(drawn: Deformation) -> None:
    again = draw_deformation(np.random.default_rng(4), rms_mm=RMS_MM, correlation_mm=CORRELATION_MM)
    other = draw_deformation(np.random.default_rng(6), rms_mm=RMS_MM, correlation_mm=CORRELATION_MM)
    assert np.array_equal(drawn.displacement_mm, again.displacement_mm)
    assert not np.array_equal(drawn.displacement_mm, other.displacement_mm)


def test_a_known_change_comes_before_the_random_one(drawn: Deformation) -> None:
    """A shift of 4 mm: what comes out is the random field of the shifted point."""
    shift = np.array([0.0, 0.0, 4.0])
    both = with_change(drawn, lambda after: after - shift)
    start = points()
    assert np.abs(both.apply(start) - drawn.apply(start + shift)).max() < 0.01
    alone = with_change(None, lambda after: after - shift)
    assert np.abs(alone.apply(start) - start - shift).max() < 1e-4
