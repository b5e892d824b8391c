"""Latent heat: the enthalpy law, and lesions in which water boils."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foramen.errors import SolverError
from foramen.physics import rf_lesion
from foramen.physics.boiling import TissueWater
from foramen.physics.generator import VoltageHeld
from foramen.physics.lesion import Lesion
from physics.lesion_case import generator_limits, make_grid, make_model, make_muscle, run_lesion

WATER = TissueWater(from_K=62.0, to_K=67.0, latent_K=np.full((3, 1, 1), 450.0))


@given(rise=st.floats(0, 400))
def test_rise_is_the_inverse_of_enthalpy(rise: float) -> None:
    field = np.full((3, 1, 1), rise)
    assert WATER.rise_K(WATER.enthalpy_K(field)) == pytest.approx(field, abs=1e-9)


def test_all_water_boils_between_the_two_temperatures() -> None:
    """Enthalpy gains the whole latent heat over the range, nothing below it, and only sensible heat above."""
    at = [float(WATER.enthalpy_K(np.full((3, 1, 1), rise))[0, 0, 0]) for rise in (61.9, 67.0, 77.0)]
    assert at == pytest.approx([61.9, 67.0 + 450, 77.0 + 450])


@pytest.fixture(scope="module")
def boiling() -> Lesion:
    """18 G at 19 V: the tissue at the electrode boils within seconds."""
    grid = make_grid(step=0.3)
    return run_lesion(grid, generator=VoltageHeld(voltage_V=19.0, time_s=60.0, limits=generator_limits()))


def test_energy_is_accounted_for_while_water_boils(boiling: Lesion) -> None:
    """2 %: voltage is held, so the power changes within the steps as the tissue dries; halved steps halve it."""
    assert boiling.hottest_tissue_degC > 99
    assert abs(boiling.energy.error_fraction) < 0.02


def test_boiling_raises_the_impedance(boiling: Lesion) -> None:
    """The impedance first falls with heat, then rises as water is lost."""
    ohm = boiling.history.impedance_ohm
    assert min(ohm) < 0.8 * ohm[0]
    assert ohm[-1] > 1.1 * min(ohm)


def test_latent_heat_keeps_tissue_cooler(boiling: Lesion) -> None:
    """Without the heat that water takes to boil the same voltage makes the tissue hotter."""
    grid = make_grid(step=0.3)
    muscle = make_muscle(grid)
    dry = dataclasses.replace(muscle, latent_J_per_m3=np.zeros_like(muscle.latent_J_per_m3))
    without = run_lesion(
        grid, tissue=dry, generator=VoltageHeld(voltage_V=19.0, time_s=60.0, limits=generator_limits())
    )
    assert without.hottest_tissue_degC > boiling.hottest_tissue_degC + 2


def test_below_boiling_latent_heat_changes_nothing() -> None:
    """Bit for bit."""
    grid = make_grid(step=0.35)
    muscle = make_muscle(grid)
    dry = dataclasses.replace(muscle, latent_J_per_m3=np.zeros_like(muscle.latent_J_per_m3))
    assert np.array_equal(run_lesion(grid).peak_degC, run_lesion(grid, tissue=dry).peak_degC)


def test_a_failing_solve_names_time_and_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says when and where."""
    monkeypatch.setattr("foramen.physics.linear_system.ITERATION_LIMIT", 20)
    monkeypatch.setattr(rf_lesion, "HEAT_TOLERANCE", 1e-14)
    grid = make_grid(step=0.35)
    with pytest.raises(SolverError, match=r"At \d+\.\d+ s: The bioheat equation was not solved.* in cell \("):
        run_lesion(grid, model=make_model(grid))
