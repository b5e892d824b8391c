"""Tissue and generator that differ from the tables, through a whole lesion in a small patient."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from foramen.anatomy.tissue_map import classify_tissue
from foramen.knowledge.thermal import tissue_properties
from foramen.model.thermal import TissueShift
from foramen.physics.grid import Resolution
from foramen.physics.tissue import TissueField, shifted_field, tissue_field
from foramen.steps.effect.lesions import lesion_through
from foramen.steps.effect.patient import Patient
from steps.effect_case import make_anatomy, make_images, make_setting, make_trajectory

MUSCLE, BONE, AIR = (tissue_properties(n, frequency_hz=500e3) for n in ("muscle", "bone_cortical", "air"))
SMALL = Resolution(step=0.35, angles=4)


def field(*, is_perfused: bool = True) -> TissueField:
    """One cell of muscle, one of bone, one of air."""
    samples = np.arange(3).reshape(1, 3, 1, 1)
    return tissue_field([MUSCLE, BONE, AIR], samples, is_perfused=is_perfused)


def test_factors_act_on_their_property_alone() -> None:
    shift = TissueShift(perfusion_factor=2.0, thermal_factor=1.1, contrast_exponent=0.5)
    plain, found = field(), shifted_field(field(), shift, reference_S_per_m=MUSCLE.electric_S_per_m)
    assert found.perfusion_W_per_m3_K == pytest.approx(2 * plain.perfusion_W_per_m3_K)
    assert found.thermal_W_per_m_K == pytest.approx(1.1 * plain.thermal_W_per_m_K)
    assert np.array_equal(found.heat_capacity_J_per_m3_K, plain.heat_capacity_J_per_m3_K)
    muscle, bone, air = found.electric_S_per_m.ravel()
    assert muscle == pytest.approx(MUSCLE.electric_S_per_m)
    assert muscle / bone == pytest.approx(np.sqrt(MUSCLE.electric_S_per_m / BONE.electric_S_per_m))
    assert air == 0.0


@pytest.fixture(scope="module")
def patient() -> Patient:
    image, labels = make_images()
    return Patient(
        technique="lumbar_medial_branch_rf",
        anatomy=make_anatomy(),
        labels=labels,
        tissues=classify_tissue(image, labels),
        baseline_degC=37.0,
        is_perfused=True,
        is_conducting=True,
    )


def peak(patient: Patient, temperature_degC: float, shift: TissueShift | None) -> np.ndarray:
    setting = make_setting(temperature_degC=temperature_degC, time_s=30.0)
    return lesion_through(patient, make_trajectory(), setting, SMALL, None, shift=shift).placed.lesion.peak_degC


def test_no_difference_is_the_plan(patient: Patient) -> None:
    np.testing.assert_allclose(peak(patient, 80.0, TissueShift()), peak(patient, 80.0, None), rtol=0, atol=1e-6)


def test_a_display_that_reads_low_heats_like_a_higher_setting(patient: Patient) -> None:
    """5 K above the display at 75 degC is the lesion of 80 degC, bit by bit."""
    low = peak(patient, 75.0, TissueShift(set_offset_K=5.0))
    assert np.array_equal(low, peak(patient, 80.0, TissueShift()))


def test_no_perfusion_is_the_factor_zero(patient: Patient) -> None:
    without = peak(dataclasses.replace(patient, is_perfused=False), 80.0, TissueShift())
    assert np.array_equal(peak(patient, 80.0, TissueShift(perfusion_factor=0.0)), without)
    assert without.sum() > peak(patient, 80.0, None).sum()
