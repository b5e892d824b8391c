"""One possible course of the day: where needles and nerves truly are, and what tissue and generator truly do.

Item i of a seed is drawn from its own stream, so it is the same in whatever order, block or thread it is made.
Every variable is a standard normal number times its standard deviation: another spread moves the same scenarios.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from foramen.model.plan import Trajectory
from foramen.model.space import FloatArray
from foramen.model.thermal import TissueShift
from foramen.planning.robust.uncertainty import Uncertainty

COMMON = (
    "registration left",
    "registration back",
    "registration up",
    "perfusion",
    "conduction",
    "contrast",
    "calibration",
    "baseline",
)
NEEDLE = ("across", "sideways", "along", "angle across", "angle sideways", "bend across", "bend sideways")
MODES = 4
"""Waves by which a nerve departs from its course: each a sine and a cosine in three directions."""

_REGISTRATION, _TISSUE = slice(0, 3), slice(3, 8)
_NERVE = MODES * 2 * 3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scenario:
    """Standard normal numbers: `common` (8,), `needles` (lesions, 7), `nerves` (nerves, modes, 2, 3)."""

    index: int
    common: FloatArray
    needles: FloatArray
    nerves: FloatArray
    error: FloatArray  # (targets, 2): of the reduced model's margin of capture, and of its rise at structures

    def registration_mm(self, spread: Uncertainty, sd_mm: float) -> FloatArray:
        """Displacement (3,) of landmarks and nerves against the bone, LPS."""
        moved: FloatArray = self.common[_REGISTRATION] * (spread.registration_factor * sd_mm)
        return moved

    def shift(self, spread: Uncertainty) -> TissueShift:
        """How tissue and generator differ."""
        return tissue_shift(self.tissue(spread))

    def tissue(self, spread: Uncertainty) -> FloatArray:
        """Log perfusion, log conduction, log contrast, calibration (K), baseline (K)."""
        sds = (spread.perfusion_log, spread.thermal_log, spread.contrast_log, spread.calibration_K, spread.baseline_K)
        amounts: FloatArray = self.common[_TISSUE] * np.array(sds)
        return amounts

    def place(self, lesion: int, spread: Uncertainty) -> FloatArray:
        """Displacement (3,) of a tip in its own frame: across, sideways, along; mm."""
        moved: FloatArray = self.needles[lesion, :3] * np.array([spread.across_mm, spread.across_mm, spread.along_mm])
        return moved

    def tilt_rad(self, lesion: int, spread: Uncertainty, depth_mm: float) -> FloatArray:
        """Angle (2,) of the bare tip against the plan, in the planes of across and sideways."""
        bend = spread.curvature_per_mm * depth_mm / 2
        aim: FloatArray = self.needles[lesion, 3:5] * np.radians(spread.angle_deg) + self.needles[lesion, 5:7] * bend
        return aim

    def nerve_mm(self, nerve: int, waves: FloatArray, spread: Uncertainty, sd_mm: float) -> FloatArray:
        """Displacement (n, 3), LPS, of a nerve at points with these `nerve_waves`: a smooth normal process."""
        moved: FloatArray = waves @ self.nerves[nerve].reshape(-1, 3) * (spread.nerve_factor * sd_mm)
        return moved


def nerve_waves(along_mm: FloatArray, correlation_mm: float) -> FloatArray:
    """Waves (n, 2 modes) at lengths (n,) along a nerve, by which a scenario bends its course.

    Notes
    -----
    u(s) = sd / sqrt(M) sum_m a_m cos(k_m s) + b_m sin(k_m s), with the k_m at the quantiles of a normal density of
    width 1 / length of correlation: the variance is sd^2 everywhere.
    """
    quantile = stats.norm.ppf(0.5 + (np.arange(MODES) + 0.5) / MODES / 2)
    phase = along_mm[:, None] * quantile / correlation_mm
    waves: FloatArray = np.stack([np.cos(phase), np.sin(phase)], axis=-1).reshape(len(along_mm), -1) / np.sqrt(MODES)
    return waves


def tissue_shift(amounts: FloatArray) -> TissueShift:
    """Factors of amounts in the order of `Scenario.tissue`."""
    perfusion, conduction, contrast = np.exp(amounts[:3])
    return TissueShift(
        perfusion_factor=float(perfusion),
        thermal_factor=float(conduction),
        contrast_exponent=float(contrast),
        set_offset_K=float(amounts[3]),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampler:
    """Draws the scenarios of a plan with so many lesions, nerves and targets."""

    seed: int
    lesions: int
    nerves: int
    targets: int

    @property
    def size(self) -> int:
        """Numbers in one scenario."""
        return len(COMMON) + self.lesions * len(NEEDLE) + self.targets * 2 + self.nerves * _NERVE

    def draw(self, index: int) -> Scenario:
        """Scenario `index` of the seed."""
        stream = np.random.SeedSequence(self.seed, spawn_key=(index,))
        return self.arranged(np.random.default_rng(stream).standard_normal(self.size), index)

    def spread_out(self, count: int) -> tuple[Scenario, ...]:
        """`count` scenarios that cover every variable evenly (Latin hypercube); the same for every seed."""
        cube = stats.qmc.LatinHypercube(d=self.size, rng=np.random.default_rng(count)).random(count)
        return tuple(self.arranged(row, index) for index, row in enumerate(stats.norm.ppf(cube)))

    def nominal(self) -> Scenario:
        """The plan itself."""
        return self.arranged(np.zeros(self.size), -1)

    def arranged(self, numbers: FloatArray, index: int) -> Scenario:
        """A scenario made of standard normal numbers."""
        ends = np.cumsum([len(COMMON), self.lesions * len(NEEDLE), self.targets * 2])
        common, needles, error, nerves = np.split(numbers, ends)
        return Scenario(
            index=index,
            common=common,
            needles=needles.reshape(self.lesions, len(NEEDLE)),
            error=error.reshape(self.targets, 2),
            nerves=nerves.reshape(self.nerves, MODES, 2, 3),
        )


def moved_axes(axes: FloatArray, tilt_rad: FloatArray) -> FloatArray:
    """Rows across, sideways and axis (3, 3) of a needle tilted in both planes, without turning about its axis."""
    axis = axes[2] + np.tan(tilt_rad[0]) * axes[0] + np.tan(tilt_rad[1]) * axes[1]
    axis /= np.linalg.norm(axis)
    across = axes[0] - (axes[0] @ axis) * axis
    across /= np.linalg.norm(across)
    return np.stack([across, np.cross(axis, across), axis])


def moved_trajectory(
    trajectory: Trajectory, axes: FloatArray, place_mm: FloatArray, tilt_rad: FloatArray
) -> Trajectory:
    """A trajectory whose tip is displaced in its own frame and whose shaft is tilted about it."""
    tip = trajectory.tip_mm + place_mm @ axes
    entry = tip + moved_axes(axes, tilt_rad)[2] * np.linalg.norm(trajectory.entry_mm - trajectory.tip_mm)
    return replace(trajectory, tip_mm=tip, entry_mm=entry)
