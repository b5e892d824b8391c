"""Cerebrospinal fluid near the needle: solved still and held, and the worse of both counts."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from foramen.model.anatomy import NerveKind
from foramen.model.plan import RfHeatEffect, Trajectory
from foramen.model.thermal import CsfMixing
from foramen.steps.effect import both_ways, simulate_rf_heat
from foramen.steps.effect.both_ways import worse_of
from foramen.steps.effect.lesions import PatientLesion, lesion_through
from foramen.steps.effect.patient import Patient
from steps.effect_case import (
    THECAL,
    make_anatomy,
    make_images,
    make_nerve,
    make_setting,
    make_target,
    make_trajectory,
)
from steps.test_effect import ACROSS, COARSE, with_labels

BEHIND = make_nerve(NerveKind.SPINAL_NERVE, "L4 spinal nerve", np.array([[9.0, -5, 0], [9, 5, 0]]))
NEAR, FAR = slice(38, 46), slice(50, 58)
"""Voxels of the sac from left to right: from 5 mm and from 29 mm beside the needle on."""


def solved(
    monkeypatch: pytest.MonkeyPatch, where: slice, *, lesions: int = 1
) -> tuple[RfHeatEffect, list[tuple[str, CsfMixing]]]:
    """The effect of lesions beside a sac, and what was solved: path and fluid."""
    runs: list[tuple[str, CsfMixing]] = []

    def counted(patient: Patient, trajectory: Trajectory, *rest: Any) -> PatientLesion:
        runs.append((trajectory.id, patient.csf))
        return lesion_through(patient, trajectory, *rest)

    monkeypatch.setattr(both_ways, "lesion_through", counted)
    image, labels = make_images()
    labels = with_labels(labels, (where, slice(20, 50), slice(25, 45)), THECAL)
    away = dataclasses.replace(make_trajectory(tip_mm=(-30, 0, 0), entry_mm=(-30, 60, 0)), id="t2")
    effect = simulate_rf_heat(
        make_anatomy(BEHIND),
        image,
        labels,
        make_target(ACROSS),
        [make_trajectory(), away][:lesions],
        make_setting(lesions=lesions),
        resolution=COARSE,
    )
    return effect, runs


def test_fluid_near_the_tip_is_solved_both_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both numbers stand beside each judgement, they differ, and the smaller capture and the higher heat count."""
    effect, runs = solved(monkeypatch, NEAR)
    assert runs == [("t1", CsfMixing.STILL), ("t1", CsfMixing.HELD)]
    for capture in effect.captures:
        assert capture.still_csf_fraction is not None
        assert capture.held_csf_fraction is not None
        assert capture.fraction == min(capture.still_csf_fraction, capture.held_csf_fraction)
    fifty = {capture.criterion: capture for capture in effect.captures}["50_degC"]
    assert fifty.still_csf_fraction is not None
    assert fifty.held_csf_fraction is not None
    assert fifty.fraction == fifty.held_csf_fraction < fifty.still_csf_fraction - 0.01
    peaks = {peak.structure: peak for peak in effect.peaks}
    for name in ("left L4 spinal nerve", "thecal sac"):
        peak = peaks[name]
        assert peak.still_csf_degC is not None
        assert peak.held_csf_degC is not None
        assert peak.peak_degC == peak.still_csf_degC > peak.held_csf_degC + 1
    unknown = peaks["left L3 spinal nerve"]
    assert (unknown.peak_degC, unknown.still_csf_degC, unknown.held_csf_degC) == (None, None, None)
    assert any("no source says how it mixes" in line for line in effect.assumptions)


def test_fluid_far_away_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """It does not warm: one solution, no second number, no sentence."""
    effect, runs = solved(monkeypatch, FAR)
    assert runs == [("t1", CsfMixing.STILL)]
    assert all(c.still_csf_fraction is None and c.held_csf_fraction is None for c in effect.captures)
    assert all(p.still_csf_degC is None and p.held_csf_degC is None for p in effect.peaks)
    assert not any("erebrospinal fluid" in line for line in effect.assumptions)


def test_only_the_lesion_that_warms_fluid_is_solved_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    effect, runs = solved(monkeypatch, NEAR, lesions=2)
    assert runs == [("t1", CsfMixing.STILL), ("t2", CsfMixing.STILL), ("t1", CsfMixing.HELD)]
    assert effect.captures[0].held_csf_fraction is not None


def test_the_worse_counts_whichever_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """A generator that makes up for held fluid may heat more elsewhere: then held fluid counts there, alarms too."""
    still, _ = solved(monkeypatch, FAR)
    warmer = dataclasses.replace(
        still,
        captures=tuple(dataclasses.replace(c, fraction=1.0) for c in still.captures),
        peaks=tuple(dataclasses.replace(p, peak_degC=p.peak_degC and p.peak_degC + 3) for p in still.peaks),
        hottest_tissue_degC=still.hottest_tissue_degC + 20,
        assumptions=("ALARM: too hot.", *still.assumptions),
    )
    found = worse_of(still, warmer, warm_K=2.0)
    assert [c.fraction for c in found.captures] == [c.fraction for c in still.captures]
    assert [p.peak_degC for p in found.peaks] == [p.peak_degC for p in warmer.peaks]
    assert found.hottest_tissue_degC == warmer.hottest_tissue_degC
    assert found.assumptions[0] == "ALARM: too hot (with held cerebrospinal fluid)."
    assert np.array_equal(found.peak_temperature_degC, still.peak_temperature_degC)
