"""The closed forms of docs/validation/rf_accuracy.md that no other test has, within 1 %."""

from __future__ import annotations

import math

import numpy as np
import pytest
from benchmarks import closed_forms as forms
from benchmarks.converged import converged, limit
from numpy.testing import assert_allclose


@pytest.mark.parametrize(("gauge", "tip_mm"), forms.SPHEROIDS)
def test_prolate_spheroids(gauge: float, tip_mm: float) -> None:
    """Resistance, field beside the middle to 5 mm and at the pole; the staircase leaves up to 0.6 %."""
    assert forms.spheroid_errors(gauge, tip_mm).largest < 0.01


def test_closed_form_of_the_spheroid_has_the_limits_of_a_sphere() -> None:
    """R = 1 / (4 pi sigma a) and E = a / r^2 where it is nearly round."""
    ball = forms.Spheroid(long_m=1e-3, thick_m=(1 - 1e-7) * 1e-3)
    assert_allclose(ball.resistance_ohm * 4 * math.pi * forms.SIGMA * 1e-3, 1, rtol=1e-6)
    assert_allclose(
        [ball.pole_V_per_m, ball.beside_V_per_m(0.0), ball.beside_V_per_m(1e-3)], [1e3, 1e3, 250], rtol=1e-5
    )


def test_potential_of_a_sphere() -> None:
    """V0 a / r, also that of a point source: exact on shells."""
    assert max(forms.sphere_errors()) < 1e-4


def test_joule_heat_of_a_sphere() -> None:
    """sigma V0^2 / k (a/r - a^2 / 2 r^2)."""
    assert forms.sphere_joule_error() < 1e-3


def test_heat_of_one_pulse() -> None:
    """sigma E^2 t / (rho c)."""
    assert forms.pulse_error() < 0.01


def test_perfused_sphere_staircased() -> None:
    """Pennes with 80 cells across the radius: 0.5 %."""
    assert forms.pennes_staircase_error() < 0.01


def test_transient_sphere_is_second_order_in_time_and_space() -> None:
    in_time = [forms.transient_error(steps, 240) for steps in (20, 40)]
    in_space = [forms.transient_error(160, cells) for cells in (30, 60)]
    for coarse, fine in (in_time, in_space):
        assert coarse < 0.01
        assert math.log2(coarse / fine) > 1.7


def test_staircase_and_fitted_needle_agree() -> None:
    """Resistance and steady rise, two methods: 1 %."""
    assert max(map(abs, forms.staircase_agreement())) < 0.01


def test_extrapolation_finds_the_limit_of_a_known_law() -> None:
    """v + a h^2 and v + b h: both limits are exact, and together they give what is left without either."""
    sizes = (0.4, 0.2, 0.1)
    square: list[np.ndarray[tuple[int, ...], np.dtype[np.float64]]] = [np.array([5 + 3 * h**2]) for h in sizes]
    line = [np.array([5 + 2 * h]) for h in sizes]
    assert_allclose(limit(sizes, square), 5)
    assert_allclose(limit(sizes, line), 5)
    shared = np.array([5 + 3 * 0.4**2 + 2 * 0.4])
    alone = [shared - 3 * 0.4**2, shared - 2 * 0.4]
    assert_allclose(converged(shared, alone), 5)
