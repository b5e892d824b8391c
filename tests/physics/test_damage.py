"""Thermal damage against published exposures, and the windows of its coefficient sets."""

from __future__ import annotations

import math

import pytest

from foramen.knowledge.facts import number
from foramen.knowledge.thermal import DAMAGE_SETS, damage_set
from foramen.physics.damage import cem43_min, objection, omega, resting_omega, threshold_degC


@pytest.mark.parametrize(
    ("temperature_degC", "time_s", "minutes"),
    [(55, 1, 68.27), (60, 1, 2184.5), (45, 900, 60.0), (43, 14400, 240.0), (42, 600, 2.5), (38.9, 1e6, 0.0)],
)
def test_equivalent_minutes(temperature_degC: float, time_s: float, minutes: float) -> None:
    """R = 0.5 above and 0.25 below 43 degC; the table gives four digits."""
    assert cem43_min(temperature_degC, time_s) == pytest.approx(minutes, rel=1e-4)


@pytest.mark.parametrize("degC", [43, 44, 45])
def test_nerve_set_meets_its_experiment(degC: int) -> None:
    """Omega = 1 at the time of half loss; the three points scatter by about 15 % about any Arrhenius line."""
    assert omega(damage_set("nerve_function"), degC, number(f"damage.wondergem_{degC}_s")) == pytest.approx(1, rel=0.2)


def test_coagulation_follows_rabbit_histology() -> None:
    """45 s: no damage at 50 degC, part at 55, nearly all at 60 (published Omega 0.737, 3.18, 13.1)."""
    none, part, full = (omega(damage_set("coagulation"), t, 45) for t in (50, 55, 60))
    assert none < 1 < part < full
    assert (none, part, full) == pytest.approx((0.737, 3.18, 13.1), rel=0.01)


def test_coagulation_claims_damage_at_rest() -> None:
    """Omega = 1 after 57 min at 37 degC and 0.34 after 4 min at 42: useless for long exposures, so refused."""
    found = damage_set("coagulation")
    assert 1 / omega(found, 37, 60) == pytest.approx(57, rel=0.02)
    assert omega(found, 42, 240) == pytest.approx(0.34, rel=0.02)
    assert resting_omega(found) > found.resting_limit_fraction
    assert "refused for exposures over 300 s" in objection(found, 900)


@pytest.mark.parametrize("name", DAMAGE_SETS)
def test_long_exposures_need_rest_without_damage(name: str) -> None:
    """No set may claim 1 % of its damage for a day at 37 degC and still be used for 15 min."""
    found = damage_set(name)
    assert resting_omega(found) < 0.01 or objection(found, 900)


def test_usual_lesion_is_in_the_window_of_coagulation_alone() -> None:
    """90 s: the coagulation boundary lies at 49 degC; the nerve fit holds for 12 to 58 min only."""
    assert objection(damage_set("coagulation"), 90) == ""
    assert "validated for 720 to 3480 s, not 90 s" in objection(damage_set("nerve_function"), 90)


@pytest.mark.parametrize("name", DAMAGE_SETS)
@pytest.mark.parametrize("time_s", [10.0, 90.0, 1000.0])
def test_threshold_is_where_omega_is_one(name: str, time_s: float) -> None:
    """The threshold temperature inverts Omega; published for coagulation at 60 s: 50.1 degC."""
    found = damage_set(name)
    assert omega(found, threshold_degC(found, time_s), time_s) == pytest.approx(1, rel=1e-9)
    assert math.isclose(threshold_degC(damage_set("coagulation"), 60), 50.1, abs_tol=0.05)
