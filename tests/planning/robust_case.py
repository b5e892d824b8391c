"""A reduced model whose lesion is a formula: the rise falls exponentially with distance from the bare tip."""

from __future__ import annotations

import numpy as np

from foramen.anatomy.heat_sensitive import nerve_surface
from foramen.geometry.segments import arc_length
from foramen.knowledge.thermal import damage_set
from foramen.model.space import FloatArray
from foramen.physics.grid import NeedleShape, Resolution, RevolvedGrid, needle_grid
from foramen.planning.robust.basis import CEM43, PEAK, VARIABLES, Basis
from foramen.planning.robust.estimate import Laws
from foramen.planning.robust.outcome import Reduced
from foramen.planning.robust.prepare import needle_axes
from foramen.planning.robust.scenario import Sampler, nerve_waves
from foramen.planning.robust.scene import Course, Neighbour, Scene
from foramen.planning.robust.surrogate_error import ErrorLaw
from foramen.planning.robust.uncertainty import Uncertainty
from steps.effect_case import make_setting, make_target, make_trajectory

SMALL = Resolution(step=0.3, angles=8)
RISE_K, FALL_MM, BASELINE_DEGC = 48.0, 8.0, 37.0
EXACT = Laws(margin=ErrorLaw(corners=((0.0, 0.0),)), rise=ErrorLaw(corners=((0.0, 0.0),)))
NONE = Uncertainty(
    across_mm=0.0,
    along_mm=0.0,
    angle_deg=0.0,
    curvature_per_mm=0.0,
    nerve_correlation_mm=10.0,
    perfusion_log=0.0,
    thermal_log=0.0,
    contrast_log=0.0,
    calibration_K=0.0,
    baseline_K=0.0,
    nerve_factor=0.0,
    registration_factor=0.0,
)


def make_grid() -> RevolvedGrid:
    """A small grid about an 18 G needle with a 10 mm tip."""
    shape = NeedleShape(radius_m=0.635e-3, bore_m=0.4e-3, tip_m=10e-3, is_conducting=True)
    return needle_grid(shape, SMALL, far_m=0.05)


def make_basis(*, tip_mm: tuple[float, float, float] = (0, 0, 0), slope: float = 0.0) -> Basis:
    """A lesion by formula; `slope` is that of the log of the rise and of every dose with each log of perfusion."""
    grid = make_grid()
    r_mm, z_mm = grid.node_r_m * 1e3, grid.node_z_m * 1e3
    beyond = np.maximum(np.maximum(-z_mm, z_mm - 10.0), 0.0)
    rise = RISE_K * np.exp(-np.hypot(r_mm, beyond) / FALL_MM)
    base = {
        name: np.ascontiguousarray(np.broadcast_to(values[:, :, None], grid.shape))
        for name, values in {PEAK: rise, "coagulation": (rise - 19) * 0.28, CEM43: (rise - 6) * np.log(2)}.items()
    }
    terms = np.zeros((*grid.shape, 2 * len(VARIABLES)), dtype=np.float32)
    terms[..., 0] = slope
    path = make_trajectory(tip_mm=tip_mm, entry_mm=(tip_mm[0], 60.0, tip_mm[2]))
    return Basis(
        grid=grid,
        axes=needle_axes(path.tip_mm, path.entry_mm),
        tip_mm=path.tip_mm,
        depth_mm=path.length_mm,
        baseline_degC=BASELINE_DEGC,
        base=base,
        terms=dict.fromkeys(base, terms),
    )


def make_line(*, aside_mm: float = 1.5) -> FloatArray:
    """A nerve beside the bare tip, parallel to it."""
    return np.stack([np.full(36, aside_mm), np.linspace(1.0, 8.0, 36), np.zeros(36)], axis=1)


def make_scene(*, aside_mm: float = 1.5, neighbour_mm: float = 8.0, sd_mm: float = 1.0) -> Scene:
    """One lesion along a nerve, and a second nerve to be spared at some distance."""
    line = make_line(aside_mm=aside_mm)
    sections = nerve_surface(line, 1.0)
    other = np.stack([np.full(41, neighbour_mm), np.linspace(-5.0, 15.0, 41), np.zeros(41)], axis=1)
    return Scene(
        target=make_target(line, radius_mm=1.0),
        trajectories=(make_trajectory(),),
        first_lesion=0,
        setting=make_setting(),
        nominal_fraction=1.0,
        sections_mm=sections,
        course=_straight(0, sd_mm, sections[:, 0]),
        registration_mm=sd_mm,
        neighbours=(
            Neighbour(
                name="left L4 spinal nerve",
                points_mm=other,
                point_mm3=1.0,
                course=_straight(1, sd_mm, other),
                caution_degC=42.0,
                reject_degC=45.0,
            ),
        ),
        sets=(damage_set("coagulation"),),
        levels_degC=(50.0, 60.0),
    )


def _straight(nerve: int, sd_mm: float, points_mm: FloatArray) -> Course:
    tangents = np.tile([0.0, 1.0, 0.0], (len(points_mm), 1))
    return Course(nerve=nerve, sd_mm=sd_mm, waves=nerve_waves(arc_length(points_mm), 10.0), tangents=tangents)


def make_reduced(spread: Uncertainty, *, slope: float = 0.0, **scene: float) -> Reduced:
    """The reduced model of that scene."""
    return Reduced(
        scene=make_scene(**scene), bases=(make_basis(slope=slope),), spread=spread, fractions=(0.8, 0.9, 1.0)
    )


def make_sampler(*, seed: int = 3) -> Sampler:
    """Scenarios for one lesion, two nerves, one target."""
    return Sampler(seed=seed, lesions=1, nerves=2, targets=1)
