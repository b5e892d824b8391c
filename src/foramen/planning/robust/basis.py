"""A reduced model of one lesion: the full solution of the plan, and how it changes with each variable.

The rise of temperature is ``nominal * exp(sum_v slope_v x_v + bend_v x_v^2)`` in the needle's own coordinates,
which move rigidly with the needle; damage and thermal dose likewise in their logarithm. Slope and bend of a
variable come from two further full solutions, one on either side; the variables are tissue and generator, and the
place of the tip among the tissues. These solutions may be on a coarser grid than those that check the model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from foramen.kernels.needle_field import read_field
from foramen.model.plan import RfSetting, Trajectory
from foramen.model.space import FloatArray
from foramen.physics.grid import Resolution, RevolvedGrid
from foramen.physics.lesion import Lesion
from foramen.physics.placed_lesion import PlacedLesion
from foramen.planning.robust.scenario import moved_axes, moved_trajectory, tissue_shift
from foramen.planning.robust.uncertainty import Uncertainty
from foramen.steps.effect.lesions import lesion_through
from foramen.steps.effect.patient import Patient
from foramen.units import MM_PER_M

VARIABLES = ("perfusion", "conduction", "contrast", "calibration", "baseline", "across", "sideways", "along")
AWAY_SD = 1.5
"""How many standard deviations from the plan the further solutions lie."""

PEAK, CEM43 = "peak", "cem43"
_TINY = 1e-30
_SMALL_RISE = 1e-6
_SMALL_DOSE = 1e-2  # minutes: the dose of cooler tissue is nothing, whose logarithm has no slope


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Basis:
    """The reduced model of one lesion; `terms` hold slope and bend of each variable (nr, nk, nj, 2 variables)."""

    grid: RevolvedGrid
    axes: FloatArray  # rows across, sideways, axis
    tip_mm: FloatArray
    depth_mm: float
    baseline_degC: float
    base: Mapping[str, FloatArray]
    terms: Mapping[str, NDArray[np.float32]]

    def placed(self, amounts: FloatArray, place_mm: FloatArray, tilt_rad: FloatArray) -> BasisLesion:
        """The lesion with tissue and generator shifted (as of `Scenario.tissue`), the needle displaced and tilted."""
        variables = np.concatenate([amounts, place_mm])
        return BasisLesion(
            basis=self,
            weights=np.concatenate([variables, variables**2]).astype(np.float32),
            baseline_degC=self.baseline_degC + float(amounts[4]),
            tip_m=(self.tip_mm + place_mm @ self.axes) / MM_PER_M,
            axes=moved_axes(self.axes, tilt_rad),
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BasisLesion:
    """One lesion by the reduced model, where its needle is."""

    basis: Basis
    weights: NDArray[np.float32]
    baseline_degC: float
    tip_m: FloatArray
    axes: FloatArray

    def peak_degC(self, points_mm: FloatArray) -> FloatArray:
        """Highest temperature at LPS points (n, 3)."""
        rise = self.basis.base[PEAK] * np.exp(self._exponent(PEAK))
        return self.baseline_degC + self._read(rise, points_mm)

    def log_dose(self, name: str, points_mm: FloatArray) -> FloatArray:
        """Logarithm of a damage set's Omega, or of the equivalent minutes at 43 degC, at LPS points (n, 3)."""
        return self._read(self.basis.base[name] + self._exponent(name), points_mm)

    def _exponent(self, name: str) -> FloatArray:
        terms = self.basis.terms[name]
        flat = terms.reshape(-1, terms.shape[-1]) @ self.weights
        found: FloatArray = flat.reshape(terms.shape[:-1]).astype(np.float64)
        return found

    def _read(self, field: FloatArray, points_mm: FloatArray) -> FloatArray:
        grid = self.basis.grid
        points_m = np.ascontiguousarray(points_mm) / MM_PER_M
        found: FloatArray = read_field(points_m, self.tip_m, self.axes, grid.rays, field)
        return found


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Solve:
    """One full solution that is wanted: a lesion with tissue and generator shifted and the needle moved."""

    trajectory: Trajectory
    amounts: FloatArray

    def run(self, patient: Patient, setting: RfSetting, resolution: Resolution) -> PlacedLesion:
        """The lesion."""
        there = replace(patient, baseline_degC=patient.baseline_degC + float(self.amounts[4]))
        shift = tissue_shift(self.amounts)
        return lesion_through(there, self.trajectory, setting, resolution, None, shift=shift).placed


def steps_of(spread: Uncertainty) -> FloatArray:
    """Distance of the further solutions from the plan, by variable; 0 leaves a variable out."""
    sds = (spread.perfusion_log, spread.thermal_log, spread.contrast_log, spread.calibration_K, spread.baseline_K)
    return AWAY_SD * np.array([*sds, spread.across_mm, spread.across_mm, spread.along_mm])


def wanted_solves(trajectory: Trajectory, axes: FloatArray, spread: Uncertainty) -> list[Solve]:
    """The plan's own lesion, then one on either side of it for each variable that has a spread."""
    wanted = [Solve(trajectory=trajectory, amounts=np.zeros(5))]
    for variable, step in enumerate(steps_of(spread)):
        for sign in (-1, 1) if step > 0 else ():
            x = np.zeros(len(VARIABLES))
            x[variable] = sign * step
            moved = moved_trajectory(trajectory, axes, x[5:], np.zeros(2)) if variable >= 5 else trajectory
            wanted.append(Solve(trajectory=moved, amounts=x[:5]))
    return wanted


def basis_of(
    trajectory: Trajectory, placed: Sequence[PlacedLesion], axes: FloatArray, spread: Uncertainty, baseline_degC: float
) -> Basis:
    """The reduced model from the solutions of `wanted_solves`, in their order."""
    steps = steps_of(spread)
    baselines = np.full(len(placed), baseline_degC)
    at = 1
    for variable, step in enumerate(steps):
        if step > 0:
            baselines[at : at + 2] += (-step, step) if VARIABLES[variable] == "baseline" else 0.0
            at += 2
    logs = [_logarithms(entry.lesion, base) for entry, base in zip(placed, baselines, strict=True)]
    nominal = placed[0].lesion
    base = {name: np.ascontiguousarray(values) for name, values in logs[0].items()}
    base[PEAK] = nominal.peak_degC - baseline_degC
    return Basis(
        grid=nominal.grid,
        axes=axes,
        tip_mm=np.asarray(trajectory.tip_mm, dtype=np.float64),
        depth_mm=trajectory.length_mm,
        baseline_degC=baseline_degC,
        base=base,
        terms={name: _terms([log[name] for log in logs], steps) for name in base},
    )


def _logarithms(lesion: Lesion, baseline_degC: float) -> dict[str, FloatArray]:
    found = {name: np.log(np.maximum(values, _TINY)) for name, values in lesion.omega.items()}
    found[PEAK] = np.log(np.maximum(lesion.peak_degC - baseline_degC, _SMALL_RISE))
    found[CEM43] = np.log(np.maximum(lesion.cem43_min, _SMALL_DOSE))
    return found


def _terms(logs: Sequence[FloatArray], steps: FloatArray) -> NDArray[np.float32]:
    """Slopes, then bends, of a logarithm: the parabola through the plan and the solution on either side."""
    count = len(steps)
    terms = np.zeros((*logs[0].shape, 2 * count), dtype=np.float32)
    at = 1
    for variable, step in enumerate(steps):
        if step > 0:
            below, above = logs[at] - logs[0], logs[at + 1] - logs[0]
            terms[..., variable] = (above - below) / (2 * step)
            terms[..., count + variable] = (above + below) / (2 * step**2)
            at += 2
    return terms
