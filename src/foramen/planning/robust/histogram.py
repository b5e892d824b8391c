"""Dose-volume histograms of temperature and thermal dose, with their band over scenarios."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from foramen.geometry.segments import arc_length
from foramen.knowledge.facts import numbers
from foramen.model.robust import HeatHistogram
from foramen.model.space import FloatArray
from foramen.planning.robust.basis import CEM43
from foramen.planning.robust.outcome import Reduced, log_dose_of, peak_of
from foramen.planning.robust.scenario import Scenario
from foramen.planning.robust.scene import Course, Neighbour


def volumes_at(values: FloatArray, levels: Sequence[float], volumes_mm3: FloatArray) -> FloatArray:
    """Volume (levels,) at or above each level, of points (n,) that stand for volumes (n,)."""
    order = np.argsort(values)
    above = np.append(np.cumsum(volumes_mm3[order][::-1])[::-1], 0.0)
    found: FloatArray = above[np.searchsorted(values[order], levels, side="left")]
    return found


def histograms(
    reduced: Reduced, scenarios: Sequence[Scenario], nominal: Scenario, *, warm: frozenset[str]
) -> tuple[HeatHistogram, ...]:
    """Histograms of the needed segment and of the neighbours named `warm`."""
    quantities = {"peak_degC": numbers("robust.histogram_degC"), "cem43_min": numbers("robust.histogram_cem43_min")}
    structures = [_target(reduced), *(n for n in reduced.scene.neighbours if n.name in warm)]
    rows: dict[tuple[str, str], list[FloatArray]] = {(n.name, q): [] for n in structures for q in quantities}
    volumes = {n.name: np.full(0 if n.points_mm is None else len(n.points_mm), n.point_mm3) for n in structures}
    for scenario in (nominal, *scenarios):
        lesions = reduced.lesions(scenario)
        for structure in structures:
            points = reduced.scene.neighbour_mm(structure, scenario, reduced.spread)
            values = {"peak_degC": peak_of(lesions, points), "cem43_min": np.exp(log_dose_of(lesions, CEM43, points))}
            for quantity, levels in quantities.items():
                row = volumes_at(values[quantity], levels, volumes[structure.name])
                rows[structure.name, quantity].append(row)
    target = reduced.scene.target.name
    return tuple(
        _histogram(target, name, quantity, quantities[quantity], np.array(found), volumes[name])
        for (name, quantity), found in rows.items()
    )


def _target(reduced: Reduced) -> Neighbour:
    """The needed segment as a structure whose points stand for equal volumes."""
    scene = reduced.scene
    count, around = scene.sections_mm.shape[:2]
    course = scene.course
    volume = np.pi * scene.target.nerve_radius_mm**2 * float(arc_length(scene.sections_mm[:, 0])[-1])
    return Neighbour(
        name=scene.target.nerve,
        points_mm=scene.sections_mm.reshape(-1, 3),
        point_mm3=float(volume) / (count * around),
        course=Course(
            nerve=course.nerve,
            sd_mm=course.sd_mm,
            waves=np.repeat(course.waves, around, axis=0),
            tangents=np.repeat(course.tangents, around, axis=0),
        ),
        caution_degC=np.nan,
        reject_degC=None,
    )


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
