"""Size of the region above 50 degC in a finite-element field, as `foramen.physics.contours.measure` defines it.

Width: largest diameter perpendicular to the axis. Length: from straight ahead of the pole to the highest tissue.
Both by bisection along lines within the elements' own polynomials, so they do not depend on the mesh's vertices.
"""

from __future__ import annotations

from collections.abc import Callable

import ngsolve as ng
import numpy as np
from numpy.typing import NDArray

from benchmarks.peers.rf_case import BASELINE_DEGC, LEVEL_DEGC, Case

FloatArray = NDArray[np.float64]
RISE_K = LEVEL_DEGC - BASELINE_DEGC
REACH_MM = 20.0
HALVINGS = 16
HEIGHTS, ANGLES = 25, 48


def _crossing(hot: Callable[[FloatArray], NDArray[np.bool_]], low: FloatArray, high: FloatArray) -> FloatArray:
    """Where a field that is hot at `low` and not at `high` falls to the level, on many lines at once."""
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        is_hot = hot(middle)
        low, high = np.where(is_hot, middle, low), np.where(is_hot, high, middle)
    middle = (low + high) / 2
    return middle


def top(values: FloatArray) -> float:
    """Largest value of a smooth row, by the parabola through the largest and its neighbours."""
    k = int(np.clip(values.argmax(), 1, len(values) - 2))
    left, middle, right = values[k - 1 : k + 2]
    bend = left - 2 * middle + right
    return float(middle if bend >= 0 else middle - (right - left) ** 2 / (8 * bend))


def plane_extent(case: Case, mesh: ng.Mesh, peak: ng.GridFunction, tissue: ng.Region) -> tuple[float, float, float]:
    """Width and length (mm) and volume (mm^3) in the half-plane."""

    def value(r: FloatArray, z: FloatArray) -> FloatArray:
        found: FloatArray = peak(mesh(*(x.ravel() for x in np.broadcast_arrays(r, z)))).reshape(
            np.broadcast(r, z).shape
        )
        return found

    edge, tip = 1e3 * case.shape.radius_m + 1e-3, 1e3 * case.shape.tip_m
    z = np.linspace(0.1 * tip, 0.9 * tip, 2 * HEIGHTS)
    reach = _crossing(lambda r: value(r, z) >= RISE_K, np.full(z.shape, edge), np.full(z.shape, REACH_MM))
    r = np.linspace(edge, 4, HEIGHTS)
    up = _crossing(lambda h: value(r, h) >= RISE_K, np.full(r.shape, tip / 2), np.full(r.shape, tip + REACH_MM))
    ahead = _crossing(lambda d: value(1e-6 * d, -d) >= RISE_K, np.full(1, 1e-3), np.full(1, REACH_MM))
    volume = ng.Integrate(2 * np.pi * ng.x * ng.IfPos(peak - RISE_K, 1, 0), mesh, order=12, definedon=tissue)
    return 2 * top(reach), float(up.max() + ahead[0]), float(volume)


def solid_extent(case: Case, mesh: ng.Mesh, peak: ng.GridFunction, tissue: ng.Region) -> tuple[float, float, float]:
    """Width and length (mm) and volume (mm^3)."""

    def value(r: FloatArray, angle: FloatArray, z: FloatArray) -> FloatArray:
        points = np.broadcast_arrays(r * np.cos(angle), r * np.sin(angle), z)
        found: FloatArray = peak(mesh(*(x.ravel() for x in points))).reshape(points[0].shape)
        return found

    edge, tip = 1e3 * case.shape.radius_m + 1e-2, 1e3 * case.shape.tip_m
    z, angle = np.linspace(0.1 * tip, 0.9 * tip, HEIGHTS)[:, None], np.arange(ANGLES) * 2 * np.pi / ANGLES
    size = (HEIGHTS, ANGLES)
    reach = _crossing(lambda r: value(r, angle, z) >= RISE_K, np.full(size, edge), np.full(size, REACH_MM))
    across = reach + np.roll(reach, ANGLES // 2, axis=1)
    width = top(np.roll(np.array([top(column) for column in across.T]), ANGLES // 4 - int(across.max(0).argmax())))
    r = np.linspace(edge, 4, HEIGHTS)[:, None]
    up = _crossing(lambda h: value(r, angle, h) >= RISE_K, np.full(size, tip / 2), np.full(size, tip + REACH_MM))
    ahead = _crossing(lambda d: value(0 * d, 0 * d, -d) >= RISE_K, np.full(1, 1e-2), np.full(1, REACH_MM))
    volume = ng.Integrate(ng.IfPos(peak - RISE_K, 1, 0), mesh, order=8, definedon=tissue)
    return width, float(up.max() + ahead[0]), float(volume)
