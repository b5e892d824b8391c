"""Heat of one cannula in the tissue about one nerve, solved once and used for every place nearby.

Full solutions at the cannula's best path say how the field changes with set temperature, time, perfusion and
conduction. The search moves these fields rigidly with the needle; settings that are shown get their own solution and
borrow from here only how it changes with tissue and generator.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from foramen.model.device import RfCannula
from foramen.model.plan import RfSetting, Trajectory
from foramen.model.space import FloatArray
from foramen.physics.damage import log_omega_per_K
from foramen.physics.placed_lesion import PlacedLesion
from foramen.planning.inverse.space import Ranges
from foramen.planning.robust.basis import AWAY_SD, PEAK, VARIABLES, Basis, Solve, basis_of, steps_of, wanted_solves
from foramen.planning.robust.prepare import needle_axes
from foramen.planning.robust.uncertainty import Uncertainty

PERFUSION, CONDUCTION, CALIBRATION, BASELINE = (
    VARIABLES.index(name) for name in ("perfusion", "conduction", "calibration", "baseline")
)
_COUNT = len(VARIABLES)
_KEPT = tuple(at for v in (PERFUSION, CONDUCTION, CALIBRATION) for at in (v, _COUNT + v))
_SMALL_RISE = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Order:
    """The full solutions that a library is made of."""

    path: Trajectory
    first: RfSetting  # middle of the temperatures, shortest time
    last: RfSetting  # the same for the longest time
    spread: Uncertainty

    @property
    def axes(self) -> FloatArray:
        """Rows across, sideways and axis of the needle."""
        return needle_axes(self.path.tip_mm, self.path.entry_mm)

    @property
    def solves(self) -> list[tuple[Solve, RfSetting]]:
        """Solutions with the settings at which they are wanted; the longest time comes last."""
        own = [(solve, self.first) for solve in wanted_solves(self.path, self.axes, self.spread)]
        return [*own, (own[0][0], self.last)]


def order(path: Trajectory, ranges: Ranges, spread: Uncertainty) -> Order:
    """What must be solved for the cannula of a path."""
    device = path.device
    low, high = ranges.temperature_degC[0], min(ranges.temperature_degC[1], device.max_temperature_degC)
    first = RfSetting(
        temperature_degC=(low + high) / 2,
        time_s=ranges.time_s[0],
        ramp_s=ranges.ramp_s,
        thermocouple=device.thermocouple,
        frequency_hz=ranges.frequency_hz,
    )
    reach_K = max((high - low) / 2, AWAY_SD * spread.calibration_K)
    return Order(
        path=path,
        first=first,
        last=replace(first, time_s=ranges.time_s[1]),
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
    hottest_degC : ndarray, shape (4,)
        Hottest tissue, its slope and bend with the set temperature, its change to the longest time.
    """

    device: RfCannula
    first: RfSetting
    last: RfSetting
    basis: Basis
    later: dict[str, FloatArray]
    hottest_degC: FloatArray

    def lateness(self, time_s: float) -> float:
        """Place of a time between the shortest (0) and the longest (1)."""
        span_s = self.last.time_s - self.first.time_s
        return (time_s - self.first.time_s) / span_s if span_s > 0 else 0.0

    def warmer_K(self, temperature_degC: float) -> float:
        """Set temperature above that of the fields."""
        return temperature_degC - self.first.temperature_degC

    def hottest_at(self, temperature_degC: float, time_s: float) -> float:
        """Hottest tissue at the library's own place."""
        warmer = self.warmer_K(temperature_degC)
        return float(self.hottest_degC @ np.array([1.0, warmer, warmer**2, self.lateness(time_s)]))

    @cached_property
    def stacked(self) -> dict[str, NDArray[np.float32]]:
        """Fields (nr, nk, nj, 8) of each logarithm, as `terms_of` weighs them."""
        found = {}
        for name, base in self.basis.base.items():
            first = np.log(np.maximum(base, _SMALL_RISE)) if name == PEAK else base
            kept = self.basis.terms[name][..., list(_KEPT)]
            layers = [first[..., None], kept, self.later[name][..., None]]
            found[name] = np.ascontiguousarray(np.concatenate(layers, axis=-1), dtype=np.float32)
        return found

    def weights(self, temperature_degC: float, time_s: float, tissue: FloatArray) -> FloatArray:
        """Weights (s, 8) of the stacked fields for tissue and generator (s, 5), in the order of `Scenario.tissue`.

        A warmer body lowers the rise as a lower set temperature does.
        """
        perfusion, conduction = tissue[:, PERFUSION], tissue[:, CONDUCTION]
        warmer = self.warmer_K(temperature_degC) + tissue[:, CALIBRATION] - tissue[:, BASELINE]
        late = np.full(len(tissue), self.lateness(time_s))
        parts = (np.ones(len(tissue)), perfusion, perfusion**2, conduction, conduction**2, warmer, warmer**2, late)
        found: FloatArray = np.stack(parts, axis=1)
        return found

    def lent(self, path: Trajectory, placed: PlacedLesion, setting: RfSetting, baseline_degC: float) -> Basis:
        """The reduced model of a lesion that was solved, which changes with tissue and generator as these fields do."""
        axes = needle_axes(path.tip_mm, path.entry_mm)
        nothing = replace(
            _STILL, nerve_correlation_mm=1.0
        )
        own = basis_of(path, [placed], axes, nothing, baseline_degC)
        cells = round(_turn_rad(self.basis.axes, axes) / own.grid.angle_step_rad)
        warmer = self.warmer_K(setting.temperature_degC)
        terms = {}
        for name, stored in self.basis.terms.items():
            lent = np.roll(stored, -cells, axis=2)
            bend = lent[..., _COUNT + CALIBRATION]
            lent[..., CALIBRATION] += 2 * warmer * bend
            lent[..., BASELINE] = self._per_K_of_all(name, setting.time_s) - lent[..., CALIBRATION]
            terms[name] = lent
        return replace(own, terms=terms)
