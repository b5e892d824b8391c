"""Heat of one cannula in the tissue about one nerve, solved once and used for every place nearby.

Full solutions at the cannula's best path say how the field changes with set temperature, time, perfusion and
conduction. The search moves these fields rigidly with the needle. What is shown is solved anew where it lies.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from foramen.kernels.needle_field import read_combined
from foramen.knowledge.facts import number
from foramen.model.device import RfCannula
from foramen.model.plan import RfSetting, Trajectory
from foramen.model.space import FloatArray
from foramen.physics.placed_lesion import PlacedLesion
from foramen.planning.inverse.space import Ranges
from foramen.planning.robust.basis import AWAY_SD, PEAK, VARIABLES, Basis, Solve, basis_of, wanted_solves
from foramen.planning.robust.prepare import needle_axes
from foramen.planning.robust.uncertainty import Uncertainty
from foramen.steps.effect import hottest_tissue_degC
from foramen.units import MM_PER_M

PERFUSION, CONDUCTION, CALIBRATION, BASELINE = (
    VARIABLES.index(name) for name in ("perfusion", "conduction", "calibration", "baseline")
)
_COUNT = len(VARIABLES)
_KEPT = [at for v in (PERFUSION, CONDUCTION, CALIBRATION) for at in (v, _COUNT + v)]
_SMALL_RISE = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Order:
    """The full solutions that a library is made of, at the middle of the temperatures."""

    path: Trajectory
    hot_per_K: float
    first: RfSetting  # shortest time
    last: RfSetting  # longest time
    spread: Uncertainty  # of what is varied: perfusion, conduction, and the set temperature as a calibration

    @property
    def axes(self) -> FloatArray:
        """Rows across, sideways and axis of the needle."""
        return needle_axes(self.path.tip_mm, self.path.entry_mm)

    @property
    def solves(self) -> list[tuple[Solve, RfSetting]]:
        """Solutions with the settings at which they are wanted; the longest time comes last."""
        own = [(solve, self.first) for solve in wanted_solves(self.path, self.axes, self.spread)]
        return [*own, (own[0][0], self.last)]

    def library(self, placed: Sequence[PlacedLesion], baseline_degC: float) -> Library:
        """The library made of these solutions, in the order of `solves`."""
        basis = basis_of(self.path, placed[:-1], self.axes, self.spread, baseline_degC)
        late = basis_of(self.path, placed[-1:], self.axes, _still(self.spread), baseline_degC)
        return Library(
            device=self.path.device,
            hot_per_K=self.hot_per_K,
            first=self.first,
            last=self.last,
            basis=basis,
            later={name: _log(name, late) - _log(name, basis) for name in basis.base},
        )


def _still(spread: Uncertainty) -> Uncertainty:
    return replace(spread, perfusion_log=0.0, thermal_log=0.0, calibration_K=0.0)


def _log(name: str, basis: Basis) -> FloatArray:
    base = basis.base[name]
    return np.log(np.maximum(base, _SMALL_RISE)) if name == PEAK else base


def probe(path: Trajectory, ranges: Ranges) -> tuple[Solve, RfSetting]:
    """The solution that says how hot tissue becomes: at the least temperature, for the longest time."""
    setting = ranges.setting(path.device, ranges.temperature_degC[0], ranges.time_s[1])
    return Solve(trajectory=path, amounts=np.zeros(5)), setting


def order(
    path: Trajectory, ranges: Ranges, spread: Uncertainty, *, probed: PlacedLesion, baseline_degC: float
) -> Order:
    """What must be solved for the cannula of a path: from the least temperature to where tissue begins to boil.

    Until then the hottest rise is in proportion to the set rise; where water boils nothing is, and no setting is kept.
    """
    low = ranges.temperature_degC[0]
    hot_per_K = (hottest_tissue_degC(probed.lesion) - baseline_degC) / (low - baseline_degC)
    boils_at = baseline_degC + (number("tissues.boiling_from_degC") - baseline_degC) / hot_per_K
    high = max(low, min(ranges.temperature_degC[1], path.device.max_temperature_degC, boils_at))
    settings = [ranges.setting(path.device, (low + high) / 2, time_s) for time_s in ranges.time_s]
    reach_K = max((high - low) / 2, AWAY_SD * spread.calibration_K)
    return Order(
        path=path,
        hot_per_K=hot_per_K,
        first=settings[0],
        last=settings[1],
        spread=replace(
            spread, across_mm=0.0, along_mm=0.0, contrast_log=0.0, baseline_K=0.0, calibration_K=reach_K / AWAY_SD
        ),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class Library:
    """Fields of one cannula about one nerve.

    Parameters
    ----------
    basis : Basis
        At the middle of the temperatures and the shortest time.
    later : dict
        Change of each logarithm from the shortest to the longest time.
    hot_per_K : float
        Rise of the hottest tissue over that of the display, where nothing boils.
    """

    device: RfCannula
    hot_per_K: float
    first: RfSetting
    last: RfSetting
    basis: Basis
    later: dict[str, FloatArray]

    def lateness(self, time_s: float) -> float:
        """Place of a time between the shortest (0) and the longest (1)."""
        span_s = self.last.time_s - self.first.time_s
        return (time_s - self.first.time_s) / span_s if span_s > 0 else 0.0

    def warmer_K(self, temperature_degC: float) -> float:
        """Set temperature above that of the fields."""
        return temperature_degC - self.first.temperature_degC

    def hottest_at(self, temperature_degC: float) -> float:
        """Hottest tissue at the library's own place, if its water did not boil."""
        baseline = self.basis.baseline_degC
        return baseline + self.hot_per_K * (temperature_degC - baseline)

    @cached_property
    def stacked(self) -> dict[str, NDArray[np.float32]]:
        """Fields (nr, nk, nj, 8) of each logarithm, as `weights` weighs them."""
        found: dict[str, NDArray[np.float32]] = {}
        for name in self.basis.base:
            layers: list[FloatArray] = [
                _log(name, self.basis)[..., None],
                self.basis.terms[name][..., _KEPT].astype(np.float64),
                self.later[name][..., None],
            ]
            found[name] = np.ascontiguousarray(np.concatenate(layers, axis=-1), dtype=np.float32)
        return found

    def weights(self, temperature_degC: float, time_s: float, tissue: FloatArray) -> FloatArray:
        """Weights (s, 8) of the stacked fields for tissue and generator (s, 5), in the order of `Scenario.tissue`.

        A warmer body lowers the rise as a lower set temperature does; contrast is left out.
        """
        perfusion, conduction = tissue[:, PERFUSION], tissue[:, CONDUCTION]
        warmer = self.warmer_K(temperature_degC) + tissue[:, CALIBRATION] - tissue[:, BASELINE]
        late = np.full(len(tissue), self.lateness(time_s))
        parts = (np.ones(len(tissue)), perfusion, perfusion**2, conduction, conduction**2, warmer, warmer**2, late)
        found: FloatArray = np.stack(parts, axis=1)
        return found

    def read(
        self, name: str, weights: FloatArray, points_mm: FloatArray, tips_mm: FloatArray, axes: FloatArray
    ) -> FloatArray:
        """A logarithm (s, n) at points (s, n, 3) of scenarios with tips (s, 3) and needle axes (s, 3, 3)."""
        grid = self.basis.grid
        found: FloatArray = read_combined(
            points_mm / MM_PER_M, tips_mm / MM_PER_M, axes, grid.rays, self.stacked[name], weights
        )
        return found
