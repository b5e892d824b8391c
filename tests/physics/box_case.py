"""Embedded electrodes in plain muscle for tests, on coarse grids."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from foramen.knowledge.thermal import (
    conductivity_law,
    damage_set,
    generator_limits,
    needle_material,
    perfusion_stop_set,
    tissue_properties,
)
from foramen.model.thermal import Coolant, GeneratorLimits
from foramen.physics.box_conduction import Drive
from foramen.physics.box_grid import BoxGrid
from foramen.physics.embedded_electrode import Embedding, Rod, embed, rod_grid
from foramen.physics.generator import TemperatureHeld
from foramen.physics.strip_lesion import (
    Control,
    Sensor,
    Stage,
    StripLesion,
    StripModel,
    metal_sensor,
    simulate_strip,
)
from foramen.physics.tissue import TissueField, tissue_field

FloatArray = NDArray[np.float64]

MUSCLE, BONE = (tissue_properties(name, frequency_hz=500e3) for name in ("muscle", "bone_cortical"))
RADIUS_M, BORE_M, TIP_M = 0.635e-3, 0.419e-3, 10e-3  # 18 G x 10 mm
PAD = Drive(potential_V=(1.0,), is_far_ground=True)


def make_rod(
    *,
    towards_hub: Sequence[float] = (0, 0, 1),
    middle_m: Sequence[float] = (0, 0, 0),
    electrode: int = 0,
    tip_m: float = TIP_M,
) -> Rod:
    """A straight 18 G electrode whose bare part has its middle at a point."""
    direction = np.array(towards_hub, dtype=np.float64) / np.linalg.norm(towards_hub)
    pole = np.array(middle_m, dtype=np.float64) - direction * tip_m / 2
    return Rod(
        path_m=np.stack([pole, pole + 0.15 * direction]),
        radius_m=RADIUS_M,
        bore_m=BORE_M,
        tip_m=tip_m,
        electrode=electrode,
    )


def make_pair(spacing_m: float, electrodes: int = 2) -> list[Rod]:
    """Parallel electrodes in a row along x."""
    places = (np.arange(electrodes) - (electrodes - 1) / 2) * spacing_m
    return [make_rod(middle_m=(x, 0, 0), electrode=number) for number, x in enumerate(places)]


def make_embedding(rods: Sequence[Rod], *, cells_per_radius: float = 1.0, growth: float = 0.2) -> Embedding:
    """Rods in the usual box of 50 mm about them."""
    grid = rod_grid(rods, cells_per_radius=cells_per_radius, growth=growth, far_m=50e-3)
    return embed(grid, rods)


def make_field(grid: BoxGrid, *, bone_below_m: float = -math.inf) -> TissueField:
    """Muscle, and cortical bone below a height."""
    part = (bone_below_m - grid.edges_m[2][:-1]) / grid.widths_m[2]
    samples = np.broadcast_to(part > np.linspace(0.05, 0.95, 10)[:, None, None, None], (10, *grid.shape))
    return tissue_field([MUSCLE, BONE], samples.astype(np.intp), is_perfused=True)


def run_strip(
    embedding: Embedding,
    drives: Sequence[Drive] = (PAD,),
    *,
    sensors: Sequence[Sensor] | None = None,
    time_s: float = 60.0,
    set_degC: float = 80.0,
    control: Control = Control.HOTTEST,
    coolant: Coolant | None = None,
    limits: GeneratorLimits | None = None,
    cool_down_s: float = 0.0,
    bone_below_m: float = -math.inf,
) -> StripLesion:
    """A lesion in muscle; thermocouples at the poles unless given."""
    generator = TemperatureHeld(
        set_degC=set_degC, start_degC=37.0, ramp_s=10.0, time_s=time_s, limits=limits or generator_limits()
    )
    model = StripModel(
        baseline_degC=37.0,
        law=conductivity_law(),
        material=needle_material(),
        stops_perfusion=perfusion_stop_set(),
        damage=(damage_set("coagulation"),),
        control=control,
        coolant=coolant,
        cool_down_s=cool_down_s,
    )
    return simulate_strip(
        embedding,
        make_field(embedding.grid, bone_below_m=bone_below_m),
        sensors=sensors or [metal_sensor(embedding, number, 0.0) for number in range(len(embedding.rods))],
        stages=[Stage(drive=drive, generator=generator) for drive in drives],
        model=model,
    )
