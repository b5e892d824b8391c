"""Settings of a plan: the technique's own, departures, and numbers that cannot be."""

from __future__ import annotations

import math

import pytest

from foramen.errors import InputError
from foramen.knowledge.technique_facts import technique_knowledge
from foramen.planning.settings import choose_cannula, choose_setting

KNOWLEDGE = technique_knowledge("lumbar_medial_branch_rf")
DEVICE = choose_cannula(KNOWLEDGE, device_id=None)


def test_departures_are_taken_and_the_rest_is_the_technique_s() -> None:
    setting = choose_setting(KNOWLEDGE, DEVICE, temperature_degC=85.0, time_s=None, lesions=1)
    assert (setting.temperature_degC, setting.lesions) == (85.0, 1)
    assert (setting.time_s, setting.ramp_s) == (KNOWLEDGE.number("time_s"), KNOWLEDGE.number("ramp_s"))


@pytest.mark.parametrize(
    ("temperature_degC", "time_s"),
    [
        (math.nan, 90.0),
        (math.inf, 90.0),
        (80.0, math.nan),
        (80.0, math.inf),
        (80.0, -5.0),
        (80.0, 0.0),
        (200.0, 90.0),
        (80.0, 1e9),
    ],
)
def test_impossible_numbers_are_bad_input_not_a_fault_of_the_solver(temperature_degC: float, time_s: float) -> None:
    with pytest.raises(InputError):
        choose_setting(KNOWLEDGE, DEVICE, temperature_degC=temperature_degC, time_s=time_s, lesions=None)
