"""What one scenario comes to at one delivery, by the reduced model or by full solutions: one rule for both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from foramen.model.space import FloatArray
from foramen.model.thermal import DamageSet
from foramen.physics.damage import GAS_CONSTANT_J_PER_MOL_K, threshold_degC
from foramen.physics.placed_lesion import PlacedLesion, composed_omega, composed_peak_degC
from foramen.planning.robust.basis import Basis
from foramen.planning.robust.scenario import Scenario
from foramen.planning.robust.scene import Scene
from foramen.planning.robust.uncertainty import Uncertainty
from foramen.units import KELVIN_AT_ZERO_DEGC

COUNT_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outcome:
    """Captured fraction by the tightest criterion, margins (K) of the wanted fractions, temperature by neighbour.

    `margins_K` says by how much the coldest point that decides a wanted fraction lies above the tightest criterion:
    a fraction is captured where it is not below 0. A neighbour that is not shown, or has no point near, has NaN.
    """

    fraction: float
    margins_K: FloatArray
    peaks_degC: FloatArray
    baseline_degC: float


def outcome(
    scene: Scene,
    section_degC: FloatArray,
    section_log_omega: Sequence[FloatArray],
    peaks_degC: FloatArray,
    *,
    fractions: Sequence[float],
    baseline_degC: float,
) -> Outcome:
    """The outcome from the fields at the points of the sections (n m,) and the neighbours' temperatures.

    Notes
    -----
    The rule is that of `physics.capture`: a section is captured if all its points are, and the smallest fraction
    among the criteria inside their window decides. Omega is turned into kelvin by its slope at the temperature at
    which it reaches 1: d ln Omega / dT = E / (R T^2).
    """
    shape = scene.sections_mm.shape[:2]
    coldest = section_degC.reshape(shape).min(axis=1)
    margins = [coldest - level for level in scene.levels_degC]
    for damage, logarithm in zip(scene.sets, section_log_omega, strict=True):
        margins.append(logarithm.reshape(shape).min(axis=1) / _log_omega_per_K(damage, scene.setting.time_s))
    ordered = -np.sort(-np.array(margins), axis=1)  # warmest section first, by criterion
    needed = [max(1, int(np.ceil(fraction * shape[0] - COUNT_TOLERANCE))) for fraction in fractions]
    return Outcome(
        fraction=float(min(np.mean(margin >= 0) for margin in margins)),
        margins_K=ordered[:, np.array(needed) - 1].min(axis=0),
        peaks_degC=peaks_degC,
        baseline_degC=baseline_degC,
    )


def _log_omega_per_K(damage: DamageSet, time_s: float) -> float:
    kelvin = threshold_degC(damage, time_s) + KELVIN_AT_ZERO_DEGC
    return float(damage.activation_J_per_mol / (GAS_CONSTANT_J_PER_MOL_K * kelvin**2))


@dataclass(frozen=True, kw_only=True, eq=False)
class Reduced:
    """The reduced model of one delivery."""

    scene: Scene
    bases: tuple[Basis, ...]
    spread: Uncertainty
    fractions: tuple[float, ...]

    def outcome(self, scenario: Scenario) -> Outcome:
        """What a scenario comes to."""
        scene = self.scene
        points = scene.sections(scenario, self.spread)
        parts = [points] + [
            scene.neighbour_mm(neighbour, scenario, self.spread)
            for neighbour in scene.neighbours
            if neighbour.points_mm is not None
        ]
        warm = self.peak_degC(np.concatenate(parts), scenario)
        pieces = np.split(warm, np.cumsum([len(part) for part in parts])[:-1])
        baseline = self.baseline_degC(scenario)
        return outcome(
            scene,
            pieces[0],
            [self.log_dose(damage.id, points, scenario) for damage in scene.sets],
            _maxima(scene, pieces[1:], baseline),
            fractions=self.fractions,
            baseline_degC=baseline,
        )

    @cached_property
    def _lesions(self) -> tuple[tuple[int, Basis], ...]:
        return tuple(enumerate(self.bases, start=self.scene.first_lesion))

    def baseline_degC(self, scenario: Scenario) -> float:
        """Body temperature."""
        return float(self.bases[0].baseline_degC + scenario.tissue(self.spread)[4])

    def _pose(self, lesion: int, basis: Basis, scenario: Scenario) -> tuple[FloatArray, FloatArray, FloatArray]:
        return (
            scenario.tissue(self.spread),
            scenario.place(lesion, self.spread),
            scenario.tilt_rad(lesion, self.spread, basis.depth_mm),
        )

    def peak_degC(self, points_mm: FloatArray, scenario: Scenario) -> FloatArray:
        """Highest temperature over all lesions at LPS points (n, 3)."""
        peaks: FloatArray = np.max(
            [b.peak_degC(points_mm, *self._pose(i, b, scenario)) for i, b in self._lesions], axis=0
        )
        return peaks

    def log_dose(self, name: str, points_mm: FloatArray, scenario: Scenario) -> FloatArray:
        """Logarithm of the sum over all lesions of a damage set's Omega, or of the minutes at 43 degC."""
        logs = [b.log_dose(name, points_mm, *self._pose(i, b, scenario)) for i, b in self._lesions]
        total: FloatArray = np.logaddexp.reduce(logs, axis=0)
        return total


def full_outcome(reduced: Reduced, placed: Sequence[PlacedLesion], scenario: Scenario) -> Outcome:
    """What the same scenario comes to by full solutions of its lesions."""
    scene = reduced.scene
    points = scene.sections(scenario, reduced.spread)
    near = [
        composed_peak_degC(placed, scene.neighbour_mm(neighbour, scenario, reduced.spread))
        for neighbour in scene.neighbours
        if neighbour.points_mm is not None
    ]
    baseline = reduced.baseline_degC(scenario)
    return outcome(
        scene,
        composed_peak_degC(placed, points),
        [np.log(composed_omega(placed, damage.id, points)) for damage in scene.sets],
        _maxima(scene, near, baseline),
        fractions=reduced.fractions,
        baseline_degC=baseline,
    )


def _maxima(scene: Scene, near: Sequence[FloatArray], baseline_degC: float) -> FloatArray:
    """Highest temperature by neighbour; NaN where it is not shown."""
    peaks = iter(float(max(values.max(initial=baseline_degC), baseline_degC)) for values in near)
    return np.array([np.nan if n.points_mm is None else next(peaks) for n in scene.neighbours])
