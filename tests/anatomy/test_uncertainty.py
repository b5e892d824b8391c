"""The spread that a patient's bone leaves open: limits that are known in closed form, and the ellipsoid made of it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2

from foramen.anatomy.bones import Bone
from foramen.anatomy.landmarks import probability_within
from foramen.anatomy.uncertainty import Spread, spread_of_field
from foramen.errors import LandmarkError
from foramen.knowledge.facts import number
from foramen.model.anatomy import Landmark, LandmarkName, Origin
from foramen.model.levels import Side, Vertebra
from foramen.model.space import FloatArray

KERNEL_MM = 14.0
PRIOR_MM2 = number("registration.shape_variation_rms_mm") ** 2 / 3.0


def _spread(
    points: FloatArray, *, off_mm: float = 0.1, voxel_mm: float = 0.1, axes: FloatArray | None = None
) -> Spread:
    """A plane z = 0, seen at some points, with the field's control points on it."""
    x, y = np.meshgrid(np.arange(-27.0, 28.0, 9.0), np.arange(-27.0, 28.0, 9.0))
    control = np.stack([x.ravel(), y.ravel(), np.zeros(x.size)], axis=1)
    return spread_of_field(
        cast("Bone", SimpleNamespace(spacing_mm=voxel_mm)),
        control_mm=control,
        points_mm=points,
        normals=np.tile([0.0, 0.0, 1.0], (len(points), 1)),
        off_mm=np.full(len(points), off_mm),
        spacing_mm=np.full(len(points), 3.0),
        axes=np.eye(3) if axes is None else axes,
        kernel_mm=KERNEL_MM,
    )


def _plane(low: float, high: float) -> FloatArray:
    x, y = np.meshgrid(np.arange(low, high, 3.0), np.arange(low, high, 3.0))
    return np.stack([x.ravel(), y.ravel(), np.zeros(x.size)], axis=1)


def test_without_bone_in_the_scan_the_spread_between_people_is_left() -> None:
    spread = _spread(np.zeros((0, 3)))
    for point in ([0.0, 0.0, 0.0], [4.0, -3.0, 1.0], [200.0, 0.0, 0.0]):
        np.testing.assert_allclose(spread.at(np.array([point]))[0], PRIOR_MM2 * np.eye(3), atol=0.01 * PRIOR_MM2)


def test_a_surface_fixes_what_lies_across_it_and_nothing_along_it() -> None:
    covariance = _spread(_plane(-27.0, 28.0)).at(np.zeros((1, 3)))[0]
    assert covariance[2, 2] < 0.03**2 * 10
    assert covariance[0, 0] == pytest.approx(PRIOR_MM2, rel=0.02)
    assert covariance[1, 1] == pytest.approx(PRIOR_MM2, rel=0.02)


def test_one_sight_of_the_surface_gives_the_variance_of_two_independent_sources() -> None:
    """Closed form of a normal law: 1 / (1 / prior + 1 / noise) across, where one point is seen at the place itself."""
    noise = 0.4**2 + 0.5**2 / 12.0
    share = (3.0 / number("registration.misfit_correlation_mm")) ** 2
    covariance = _spread(np.zeros((1, 3)), off_mm=0.4, voxel_mm=0.5).at(np.zeros((1, 3)))[0]
    assert covariance[2, 2] == pytest.approx(1.0 / (1.0 / PRIOR_MM2 + share / noise), rel=0.01)


def test_coarser_voxels_worse_fits_and_less_bone_leave_more_open() -> None:
    fine = _spread(_plane(-27.0, 28.0)).at(np.zeros((1, 3)))[0]
    coarse = _spread(_plane(-27.0, 28.0), voxel_mm=3.0).at(np.zeros((1, 3)))[0]
    misfit = _spread(_plane(-27.0, 28.0), off_mm=1.5).at(np.zeros((1, 3)))[0]
    beside = _spread(_plane(12.0, 28.0)).at(np.zeros((1, 3)))[0]
    for worse in (coarse, misfit, beside):
        assert np.linalg.eigvalsh(worse - fine).min() > -1e-9


def test_the_spread_turns_with_the_vertebra() -> None:
    axes = np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    points = _plane(-27.0, 28.0)
    here, turned = (_spread(points, axes=a).at(np.zeros((1, 3)))[0] for a in (np.eye(3), axes))
    np.testing.assert_allclose(turned, axes @ here @ axes.T, atol=1e-12)


@given(st.floats(0.1, 4.0), st.floats(0.5, 6.0))
def test_confidence_in_a_round_spread_is_that_of_the_chi_squared_law(sd: float, radius: float) -> None:
    assert probability_within(sd**2 * np.eye(3), radius) == pytest.approx(chi2.cdf((radius / sd) ** 2, 3), abs=1e-9)


@settings(max_examples=20)
@given(st.tuples(st.floats(0.2, 3.0), st.floats(0.2, 3.0), st.floats(0.2, 3.0)), st.integers(0, 1000))
def test_confidence_and_ellipsoid_agree_with_draws(sds: tuple[float, float, float], seed: int) -> None:
    generator = np.random.default_rng(seed)
    turn, _ = np.linalg.qr(generator.standard_normal((3, 3)))
    covariance = turn @ np.diag(np.square(sds)) @ turn.T
    covariance = 0.5 * (covariance + covariance.T)
    drawn = generator.multivariate_normal(np.zeros(3), covariance, size=20000)
    assert probability_within(covariance, 3.0) == pytest.approx((np.linalg.norm(drawn, axis=1) < 3.0).mean(), abs=0.03)
    half, axes = _landmark(covariance).ellipsoid(0.9)
    inside = ((drawn @ axes / half) ** 2).sum(axis=1) < 1
    assert inside.mean() == pytest.approx(0.9, abs=0.012)


def test_a_covariance_that_disagrees_with_the_standard_uncertainty_is_refused() -> None:
    with pytest.raises(LandmarkError, match="disagrees"):
        _landmark(np.eye(3), sd_mm=2.0)
    with pytest.raises(LandmarkError, match="symmetric"):
        _landmark(np.array([[1.0, 0.5, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]), sd_mm=1.0)


def _landmark(covariance: FloatArray, *, sd_mm: float | None = None) -> Landmark:
    return Landmark(
        name=LandmarkName.SAP_TIP,
        vertebra=Vertebra("L4"),
        side=Side.LEFT,
        position_mm=np.zeros(3),
        sd_mm=float(np.sqrt(np.trace(covariance) / 3.0)) if sd_mm is None else sd_mm,
        confidence_fraction=0.5,
        origin=Origin.REGISTERED,
        covariance_mm2=covariance,
    )
