"""The two lesions on which Foramen's heat engine and a finite-element peer are compared; needs no peer.

`PATIENT_3D` is patient-like, but all its tissue interfaces are analytic, so that no voxel stands between the two:
an 18 G x 10 mm cannula in muscle, beside a slab of cortical bone with cancellous bone behind it, subcutaneous fat
higher up the shaft, and a blood vessel on the other side. `AXISYMMETRIC` is the same cannula in uniform muscle.
The needle's frame: pole of the tip at the origin, hub at positive z; lengths in metres.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from foramen.knowledge.facts import number
from foramen.knowledge.thermal import (
    conductivity_law,
    generator_limits,
    needle_material,
    perfusion_stop_set,
    tissue_properties,
)
from foramen.model.thermal import NeedleMaterial, TissueProperties
from foramen.physics.contours import measure
from foramen.physics.generator import TemperatureHeld
from foramen.physics.grid import NeedleShape, Resolution, RevolvedGrid, needle_grid
from foramen.physics.lesion import HeatModel, Lesion, TimeSteps
from foramen.physics.rf_lesion import simulate_lesion
from foramen.physics.tissue import TissueField, tissue_field

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.intp]

FREQUENCY_HZ = 500e3
BASELINE_DEGC = 37.0
LEVEL_DEGC = 50.0
FAR_M = number("tissues.far_field_mm") / 1e3
SHAPE = NeedleShape(radius_m=0.635e-3, bore_m=0.419e-3, tip_m=10e-3, is_conducting=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layers:
    """Half-spaces and a cylinder: bone beyond a plane (cortical for `cortex_m`), fat beyond another, and a vessel.

    A half-space is ``normal . p >= offset``; where they overlap, bone counts first, then the vessel, then fat.
    """

    bone_normal: tuple[float, float, float]
    bone_m: float
    cortex_m: float
    fat_normal: tuple[float, float, float]
    fat_m: float
    vessel_point_m: tuple[float, float, float]
    vessel_axis: tuple[float, float, float]
    vessel_radius_m: float


def _unit(x: float, y: float, z: float) -> tuple[float, float, float]:
    length = float(np.sqrt(x * x + y * y + z * z))
    return x / length, y / length, z / length


TILT = np.radians(5.0)
"""The bone's surface comes nearer to the needle's axis from hub to tip, by this angle."""

LAYERS = Layers(
    bone_normal=(float(np.cos(TILT)), 0.0, -float(np.sin(TILT))),
    bone_m=1.6e-3,
    cortex_m=2.5e-3,
    fat_normal=_unit(-0.1, 0.15, 1.0),
    fat_m=22e-3,
    vessel_point_m=(-2.0e-3, 3.0e-3, 5e-3),
    vessel_axis=_unit(float(np.sin(TILT)), 0.25, float(np.cos(TILT))),
    vessel_radius_m=1.0e-3,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One lesion: tissues by index, the layers that tell them apart (None: index 0 everywhere), and its setting."""

    name: str
    tissues: tuple[str, ...]
    layers: Layers | None
    set_degC: float
    steps: TimeSteps
    shape: NeedleShape = SHAPE
    thermocouple_m: float = 0.0
    time_s: float = 120.0
    ramp_s: float = 10.0

    @property
    def table(self) -> tuple[TissueProperties, ...]:
        """Properties of the tissues, in order of their index."""
        return tuple(tissue_properties(name, frequency_hz=FREQUENCY_HZ) for name in self.tissues)

    @property
    def generator(self) -> TemperatureHeld:
        """The generator's setting."""
        return TemperatureHeld(
            set_degC=self.set_degC,
            start_degC=BASELINE_DEGC,
            ramp_s=self.ramp_s,
            time_s=self.time_s,
            limits=generator_limits(),
        )

    @property
    def model(self) -> HeatModel:
        """Everything that is neither grid nor tissue; the needle's insulation has no resistance to heat."""
        return HeatModel(
            baseline_degC=BASELINE_DEGC,
            law=conductivity_law(),
            material=bare_material(),
            stops_perfusion=perfusion_stop_set(),
            damage=(),
            thermocouple_m=self.thermocouple_m,
            steps=self.steps,
        )


STEPS = TimeSteps()
"""The schedule of plans and of `foramen lesion`; both programs take these steps."""

PATIENT_3D = Case(
    name="patient_3d",
    tissues=("muscle", "bone_cortical", "bone_cancellous", "fat", "blood"),
    layers=LAYERS,
    set_degC=80.0,
    steps=STEPS,
)
AXISYMMETRIC = Case(name="axisymmetric", tissues=("muscle",), layers=None, set_degC=80.0, steps=STEPS)


def bare_material() -> NeedleMaterial:
    """The generic cannula's materials, with insulation too thin to resist heat."""
    usual = needle_material()
    return NeedleMaterial(
        wall_W_per_m_K=usual.wall_W_per_m_K,
        wall_J_per_m3_K=usual.wall_J_per_m3_K,
        core_W_per_m_K=usual.core_W_per_m_K,
        core_J_per_m3_K=usual.core_J_per_m3_K,
        insulation_m=0.0,
        insulation_W_per_m_K=usual.insulation_W_per_m_K,
    )


def tissue_at(layers: Layers | None, points_m: FloatArray) -> IndexArray:
    """Index of the tissue at points (..., 3): 0 muscle, 1 cortical and 2 cancellous bone, 3 fat, 4 blood."""
    found = np.zeros(points_m.shape[:-1], dtype=np.intp)
    if layers is None:
        return found
    found[points_m @ np.array(layers.fat_normal) >= layers.fat_m] = 3
    offset = points_m - np.array(layers.vessel_point_m)
    along = offset @ np.array(layers.vessel_axis)
    found[np.sum(offset**2, axis=-1) - along**2 <= layers.vessel_radius_m**2] = 4
    depth = points_m @ np.array(layers.bone_normal) - layers.bone_m
    found[depth >= 0] = 1
    found[depth >= layers.cortex_m] = 2
    return found


def sampled_tissue(case: Case, grid: RevolvedGrid, per_side: int = 4) -> TissueField:
    """Properties of the grid's cells: mean over `per_side`^3 points in each, or one where tissue is uniform."""
    count = 1 if case.layers is None else per_side
    share = (np.arange(count) + 0.5) / count
    samples = []
    for across in share:
        for along in share:
            away, height = (part[grid.inner :, :, None] for part in grid.place(across, along))
            for turn in share:
                angle = (np.arange(grid.angles) + turn) * grid.angle_step_rad
                point = np.stack(np.broadcast_arrays(away * np.cos(angle), away * np.sin(angle), height), axis=-1)
                samples.append(tissue_at(case.layers, point))
    return tissue_field(case.table, np.stack(samples), is_perfused=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What is compared: the region that reached 50 degC, what the generator would show, and what it took."""

    width_mm: float
    length_mm: float
    volume_mm3: float
    hottest_degC: float
    impedance_initial_ohm: float
    impedance_final_ohm: float
    power_final_W: float
    power_mean_W: float
    unknowns: int
    steps: int
    seconds: float
    parts_s: dict[str, float] = field(default_factory=dict)


COMPARED = ("width_mm", "length_mm", "impedance_initial_ohm", "impedance_final_ohm", "power_final_W", "power_mean_W")
"""What must agree within 2 %."""


def difference_percent(found: Outcome, reference: dict[str, float]) -> dict[str, float]:
    """Signed differences from the reference in percent, for everything that is compared."""
    return {name: 100 * (float(getattr(found, name)) / reference[name] - 1) for name in COMPARED}


def run_foramen(case: Case, resolution: Resolution, *, per_side: int = 4) -> Outcome:
    """The case on Foramen's own grid; seconds include the grid and its tissue."""
    started = time.perf_counter()
    grid = needle_grid(case.shape, resolution, far_m=FAR_M)
    lesion = simulate_lesion(grid, sampled_tissue(case, grid, per_side), generator=case.generator, model=case.model)
    return _outcome(lesion, started)


def _outcome(lesion: Lesion, started: float) -> Outcome:
    size = measure(lesion.grid, lesion.peak_degC, lesion.surface_peak_degC, LEVEL_DEGC)
    return Outcome(
        width_mm=1e3 * size.width_m,
        length_mm=1e3 * size.length_m,
        volume_mm3=1e9 * size.volume_m3,
        hottest_degC=lesion.hottest_tissue_degC,
        impedance_initial_ohm=lesion.impedance_initial_ohm,
        impedance_final_ohm=lesion.impedance_final_ohm,
        power_final_W=lesion.power_final_W,
        power_mean_W=lesion.power_mean_W,
        unknowns=int(np.prod(lesion.grid.shape)),
        steps=len(lesion.history.time_s),
        seconds=time.perf_counter() - started,
    )
