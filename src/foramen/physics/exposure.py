"""What tissue has been through: highest temperatures, damage of every set, thermal dose, coagulation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from foramen.kernels.exposure import add_exposure
from foramen.model.thermal import DamageSet
from foramen.physics.damage import cem43_rate_min_per_s, rate_per_s

FloatArray = NDArray[np.float64]

_TABLE_STEP_K = 0.02
_TABLE_TO_DEGC = 200.0
"""Step and end of the tables of rates, which begin at 0 degC."""


class Exposure:
    """Maxima and integrals over time of tissue cells, shape (nr - inner, nk, nj).

    Rates are read from tables of 0.02 K, whose error is below 4e-5 for an activation energy of 660 kJ/mol.
    """

    def __init__(
        self, shape: tuple[int, int, int], damage: tuple[DamageSet, ...], stops_perfusion: DamageSet | None
    ) -> None:
        self.names = tuple(damage_set.id for damage_set in damage)
        self._shape = shape
        temperatures = np.arange(0.0, _TABLE_TO_DEGC, _TABLE_STEP_K)
        rates = [rate_per_s(damage_set, temperatures) for damage_set in damage]
        rates.append(cem43_rate_min_per_s(temperatures))
        if stops_perfusion is not None:
            counts = temperatures >= stops_perfusion.temperature_low_degC
            rates.append(np.where(counts, rate_per_s(stops_perfusion, temperatures), 0.0))
        self._rates = np.stack(rates, axis=1)
        self._totals = np.zeros((len(rates), int(np.prod(shape))))
        self.peak_degC = np.full(shape, -np.inf)

    def add(self, start_degC: FloatArray, end_degC: FloatArray, length_s: float) -> None:
        """A step from one field of temperatures to the next."""
        np.maximum(self.peak_degC, end_degC, out=self.peak_degC)
        add_exposure(start_degC.ravel(), end_degC.ravel(), length_s, self._rates, 0.0, _TABLE_STEP_K, self._totals)

    def omega(self) -> dict[str, FloatArray]:
        """Damage by set."""
        return {name: self._totals[kind].reshape(self._shape) for kind, name in enumerate(self.names)}

    def cem43_min(self) -> FloatArray:
        """Cumulative equivalent minutes at 43 degC."""
        dose: FloatArray = self._totals[len(self.names)].reshape(self._shape)
        return dose

    def coagulated(self) -> FloatArray:
        """Damage that stops perfusion; 0 without such a set."""
        if len(self._totals) == len(self.names) + 1:
            return np.zeros(self._shape)
        coagulated: FloatArray = self._totals[-1].reshape(self._shape)
        return coagulated
