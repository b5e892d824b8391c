"""What one scenario comes to at one delivery, by the reduced model or by full solutions: one rule for both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from foramen.model.space import FloatArray
from foramen.model.thermal import DamageSet
from foramen.physics.damage import GAS_CONSTANT_J_PER_MOL_K, threshold_degC
from foramen.physics.placed_lesion import PlacedLesion, composed_omega, composed_peak_degC
from foramen.planning.robust.basis import Basis, BasisLesion
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
    margins = section_margins_K(
        scene,
        section_degC.reshape(shape),
        [logarithm.reshape(shape) for logarithm in section_log_omega],
        time_s=scene.setting.time_s,
    )
    return Outcome(
        fraction=float(min(np.mean(margin >= 0) for margin in margins)),
        margins_K=np.array([deciding_K(margins, fraction) for fraction in fractions]),
        peaks_degC=peaks_degC,
        baseline_degC=baseline_degC,
    )


def section_margins_K(scene: Scene, degC: FloatArray, log_omega: Sequence[FloatArray], *, time_s: float) -> FloatArray:
    """By how much (criteria, ..., n) the coldest point of each section is above each criterion.

    Parameters
    ----------
    degC : ndarray, shape (..., n, m)
        Highest temperature at m points of n sections.
    log_omega : sequence of ndarray
        Of each damage set, likewise.
    """
    coldest = degC.min(axis=-1)
    margins = [coldest - level for level in scene.levels_degC]
    for damage, logarithm in zip(scene.sets, log_omega, strict=True):
        margins.append(logarithm.min(axis=-1) / _log_omega_per_K(damage, time_s))
    return np.array(margins)


def deciding_K(margins: FloatArray, fraction: float) -> FloatArray:
    """The margin (...) that decides whether a fraction is captured, of those (criteria, ..., n) of all sections."""
    needed = max(1, int(np.ceil(fraction * margins.shape[-1] - COUNT_TOLERANCE)))
    warmest_first = -np.sort(-margins, axis=-1)
    found: FloatArray = warmest_first[..., needed - 1].min(axis=0)
    return found


def _log_omega_per_K(damage: DamageSet, time_s: float) -> float:
    kelvin = threshold_degC(damage, time_s) + KELVIN_AT_ZERO_DEGC
    return float(damage.activation_J_per_mol / (GAS_CONSTANT_J_PER_MOL_K * kelvin**2))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
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
        lesions = self.lesions(scenario)
        warm = peak_of(lesions, np.concatenate(parts))
        pieces = np.split(warm, np.cumsum([len(part) for part in parts])[:-1])
        baseline = self.baseline_degC(scenario)
        return outcome(
            scene,
            pieces[0],
            [log_dose_of(lesions, damage.id, points) for damage in scene.sets],
            _maxima(scene, pieces[1:], baseline),
            fractions=self.fractions,
            baseline_degC=baseline,
        )

    def baseline_degC(self, scenario: Scenario) -> float:
        """Body temperature."""
        return float(self.bases[0].baseline_degC + scenario.tissue(self.spread)[4])

    def lesions(self, scenario: Scenario) -> list[BasisLesion]:
        """The lesions of a scenario."""
        tissue = scenario.tissue(self.spread)
        return [
            basis.placed(
                tissue, scenario.place(lesion, self.spread), scenario.tilt_rad(lesion, self.spread, basis.depth_mm)
            )
            for lesion, basis in enumerate(self.bases, start=self.scene.first_lesion)
        ]


def peak_of(lesions: Sequence[BasisLesion], points_mm: FloatArray) -> FloatArray:
    """Highest temperature over all lesions at LPS points (n, 3)."""
    peaks: FloatArray = np.max([lesion.peak_degC(points_mm) for lesion in lesions], axis=0)
    return peaks


def log_dose_of(lesions: Sequence[BasisLesion], name: str, points_mm: FloatArray) -> FloatArray:
    """Logarithm of the sum over all lesions of a damage set's Omega, or of the minutes at 43 degC."""
    total: FloatArray = np.logaddexp.reduce([lesion.log_dose(name, points_mm) for lesion in lesions], axis=0)
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
