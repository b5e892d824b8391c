"""Dose-volume histograms of temperature and thermal dose, with their band over scenarios."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from foramen.geometry.segments import arc_length
from foramen.knowledge.facts import numbers
from foramen.model.robust import HeatHistogram
from foramen.model.space import FloatArray
from foramen.planning.robust.basis import CEM43
from foramen.planning.robust.outcome import Reduced
from foramen.planning.robust.scenario import Scenario


def volumes_at(values: FloatArray, levels: Sequence[float], volumes_mm3: FloatArray) -> FloatArray:
    """Volume (levels,) at or above each level, of points (n,) that stand for volumes (n,)."""
    order = np.argsort(values)
    above = np.append(np.cumsum(volumes_mm3[order][::-1])[::-1], 0.0)
    found: FloatArray = above[np.searchsorted(values[order], levels, side="left")]
    return found


def histograms(reduced: Reduced, scenarios: Sequence[Scenario], nominal: Scenario) -> tuple[HeatHistogram, ...]:
    """Histograms of the needed segment and of every neighbour that warms up to the first level in any scenario."""
    quantities = {"peak_degC": numbers("robust.histogram_degC"), "cem43_min": numbers("robust.histogram_cem43_min")}
    found = []
    for name, volumes, places in _structures(reduced, [nominal, *scenarios]):
        rows: dict[str, list[FloatArray]] = {quantity: [] for quantity in quantities}
        for scenario, points in zip([nominal, *scenarios], places, strict=True):
            values = {
                "peak_degC": reduced.peak_degC(points, scenario),
                "cem43_min": np.exp(reduced.log_dose(CEM43, points, scenario)),
            }
            for quantity, levels in quantities.items():
                rows[quantity].append(volumes_at(values[quantity], levels, volumes))
        if not any(row[0] > 0 for row in rows["peak_degC"]):
            continue
        found += [
            _histogram(reduced.scene.target.name, name, quantity, levels, np.array(rows[quantity]), volumes)
            for quantity, levels in quantities.items()
        ]
    return tuple(found)


def _structures(
    reduced: Reduced, scenarios: Sequence[Scenario]
) -> Iterator[tuple[str, FloatArray, Iterator[FloatArray]]]:
    """Name, volumes (n,) of its points, and the points in each scenario, of the target and its neighbours."""
    scene, spread = reduced.scene, reduced.spread
    sections = scene.sections_mm
    radius = scene.target.nerve_radius_mm
    length = float(arc_length(sections[:, 0])[-1])
    each = np.pi * radius**2 * length / (sections.shape[0] * sections.shape[1])
    whole = np.full(sections.shape[0] * sections.shape[1], each)
    yield scene.target.nerve, whole, (scene.sections(scenario, spread) for scenario in scenarios)
    for neighbour in scene.neighbours:
        if neighbour.points_mm is not None and len(neighbour.points_mm):
            volumes = np.full(len(neighbour.points_mm), neighbour.point_mm3)
            yield neighbour.name, volumes, (scene.neighbour_mm(neighbour, scenario, spread) for scenario in scenarios)


def _histogram(
    target: str, structure: str, quantity: str, levels: Sequence[float], rows: FloatArray, volumes: FloatArray
) -> HeatHistogram:
    low, median, high = (tuple(map(float, row)) for row in np.percentile(rows[1:], (5, 50, 95), axis=0))
    return HeatHistogram(
        target=target,
        structure=structure,
        quantity=quantity,
        levels=tuple(levels),
        nominal_mm3=tuple(map(float, rows[0])),
        low_mm3=low,
        median_mm3=median,
        high_mm3=high,
        total_mm3=float(volumes.sum()),
    )
