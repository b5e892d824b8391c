"""The problem on which the heat engine is compared with a finite-element peer, and that comparison in the plane."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
from benchmarks.peers.rf_case import (
    AXISYMMETRIC,
    FAR_M,
    LAYERS,
    LEVEL_DEGC,
    PATIENT_3D,
    SHAPE,
    difference_percent,
    run_foramen,
    sampled_tissue,
    tissue_at,
)
from benchmarks.rf_speed import REFERENCE, extrapolated

from foramen.physics.grid import Resolution, needle_grid

MUSCLE, CORTICAL, CANCELLOUS, FAT, BLOOD = range(5)


@pytest.mark.parametrize(
    ("point_mm", "tissue"),
    [
        ((0.7, 0.0, 5.0), MUSCLE),
        ((1.6, 0.0, 0.0), MUSCLE),  # the surface stands at 1.6 mm / cos 5 deg = 1.606 mm
        ((1.61, 0.0, 0.0), CORTICAL),
        ((2.0, 7.0, 5.0), MUSCLE),  # 5 mm higher it is 5 mm * tan 5 deg = 0.437 mm farther: 2.044 mm
        ((2.1, -7.0, 5.0), CORTICAL),
        ((4.1, 0.0, 0.0), CORTICAL),  # cancellous from 4.1 mm / cos 5 deg = 4.116 mm
        ((4.2, 0.0, 0.0), CANCELLOUS),
        ((-2.0, 3.0, 5.0), BLOOD),
        ((-2.0, 3.9, 5.0), BLOOD),
        ((-2.0, 4.1, 5.0), MUSCLE),
        ((0.0, 0.7, 22.0), MUSCLE),  # fat from 22 mm * sqrt(1 + 0.1^2 + 0.15^2) = 22.35 mm on the axis
        ((0.0, 0.0, 22.5), FAT),
        ((20.0, 0.0, 40.0), CANCELLOUS),  # bone counts before fat
    ],
)
def test_tissue_at_known_points(point_mm: tuple[float, float, float], tissue: int) -> None:
    assert tissue_at(LAYERS, np.array(point_mm) / 1e3) == tissue


def test_vessel_clears_needle_and_bone() -> None:
    along = np.linspace(-40e-3, 40e-3, 8001)[:, None]
    line = np.array(LAYERS.vessel_point_m) + along * np.array(LAYERS.vessel_axis)
    in_shaft = line[line[:, 2] > 0]
    gap_m = np.hypot(in_shaft[:, 0], in_shaft[:, 1]).min() - LAYERS.vessel_radius_m - SHAPE.radius_m
    to_bone_m = LAYERS.bone_m - line @ np.array(LAYERS.bone_normal) - LAYERS.vessel_radius_m
    assert gap_m > 1e-3
    assert to_bone_m.min() > 1e-3
    assert np.ptp(to_bone_m) < 1e-9  # it runs along the bone's surface


def test_sampled_cells_hold_the_volumes_of_the_layers() -> None:
    """Mean of a property times volume, against a slab between planes: exact by integrating circles."""
    grid = needle_grid(SHAPE, Resolution(step=0.15, angles=24), far_m=FAR_M)
    field = sampled_tissue(PATIENT_3D, grid)
    volume = np.broadcast_to(grid.volume_m3[grid.inner :, :, None], field.electric_S_per_m.shape)
    sigma = np.array([tissue.electric_S_per_m for tissue in PATIENT_3D.table])
    rng = np.random.default_rng(7)
    box = np.array([FAR_M, FAR_M, (2 * FAR_M + SHAPE.tip_m) / 2])
    points = (rng.random((400_000, 3)) * 2 - 1) * box + np.array([0, 0, (SHAPE.tip_m + SHAPE.radius_m) / 2])
    height = points[:, 2] - SHAPE.radius_m
    radius = np.hypot(points[:, 0], points[:, 1])
    distance = np.where(height < 0, np.hypot(radius, height), radius)
    inside = (distance < FAR_M) & (points[:, 2] < SHAPE.tip_m + FAR_M) & (distance > SHAPE.radius_m)
    expected = sigma[tissue_at(LAYERS, points[inside])].mean()
    assert float(np.sum(field.electric_S_per_m * volume) / volume.sum()) == pytest.approx(expected, rel=0.01)


def test_uniform_case_has_one_tissue() -> None:
    grid = needle_grid(SHAPE, Resolution(step=0.3), far_m=FAR_M)
    field = sampled_tissue(AXISYMMETRIC, grid)
    assert np.ptp(field.electric_S_per_m) == 0
    assert field.electric_S_per_m.flat[0] == AXISYMMETRIC.table[0].electric_S_per_m


def test_extrapolation_is_exact_for_second_order() -> None:
    runs = {
        size: dict.fromkeys(
            (
                "width_mm",
                "length_mm",
                "volume_mm3",
                "impedance_initial_ohm",
                "impedance_final_ohm",
                "power_final_W",
                "power_mean_W",
            ),
            10 + size**2,
        )
        for size in (0.4, 0.3, 0.2)
    }
    values = extrapolated(runs)["values"]
    assert isinstance(values, dict)
    assert values["width_mm"] == pytest.approx(10, rel=1e-12)


@contextmanager
def peer() -> Iterator[None]:
    """Skips, saying why, where NGSolve is missing."""
    pytest.importorskip("ngsolve", reason="NGSolve is not installed (pip install 'foramen[bench]'): no peer to compare")
    yield


@pytest.mark.parametrize("end_m", [None, 2.5e-3], ids=["round", "pointed"])
def test_peer_in_the_plane_agrees(end_m: float | None) -> None:
    """Uniform muscle by finite elements: size, impedance and power within 2 % on coarse grids of both."""
    with peer():
        from benchmarks.peers.ngsolve_rf import Setting, run_ngsolve
    case = replace(AXISYMMETRIC, shape=replace(SHAPE, end_m=end_m), thermocouple_m=0.8 * (end_m or 0.0))
    found = run_ngsolve(case, Setting(size=0.5, is_direct=True))
    ours = run_foramen(case, Resolution(step=0.2))
    differences = difference_percent(
        ours, {name: getattr(found, name) for name in found.__slots__ if name != "parts_s"}
    )
    assert max(abs(x) for x in differences.values()) < 2, differences
    assert ours.hottest_degC > LEVEL_DEGC


def test_stored_reference_is_what_its_runs_say_and_what_foramen_finds() -> None:
    stored = json.loads(REFERENCE.read_text(encoding="utf-8"))
    for case in (PATIENT_3D, AXISYMMETRIC):
        runs = {float(size): run for size, run in stored[case.name]["runs"].items()}
        assert extrapolated(runs)["values"] == pytest.approx(stored[case.name]["values"], rel=1e-9)
    for case, angles in ((AXISYMMETRIC, 1), (PATIENT_3D, 16)):
        found = run_foramen(case, Resolution(step=0.2, angles=angles))
        differences = difference_percent(found, stored[case.name]["values"])
        assert max(abs(x) for x in differences.values()) < 2, differences
