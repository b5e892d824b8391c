"""Rates of damage, integrated over a time step for all cells at once from tables over temperature."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@njit(cache=True, nogil=True)
def add_exposure(
    start: FloatArray, end: FloatArray, length: float, rates: FloatArray, first: float, step: float, totals: FloatArray
) -> None:
    """Add Simpson's integral of every rate over a step to `totals` (kinds, n), for temperatures `start`, `end` (n,).

    `rates` (m, kinds) are rates at temperatures ``first + step * row``, read linearly and constant beyond both ends.
    """
    rows, kinds = rates.shape
    for p in range(start.size):
        for part in range(3):
            temperature = start[p] if part == 0 else (end[p] if part == 2 else 0.5 * (start[p] + end[p]))
            weight = length * (4.0 if part == 1 else 1.0) / 6.0
            place = min(max((temperature - first) / step, 0.0), rows - 1.000001)
            low = int(place)
            fraction = place - low
            for kind in range(kinds):
                rate = rates[low, kind] + fraction * (rates[low + 1, kind] - rates[low, kind])
                totals[kind, p] += weight * rate
