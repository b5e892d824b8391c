"""One lesion through one trajectory in the patient's tissue."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from foramen.anatomy.tissue_map import TissueMap
from foramen.errors import ImageError, InputError
from foramen.geometry.needle_frame import needle_frame
from foramen.knowledge.facts import number
from foramen.knowledge.thermal import (
    conductivity_law,
    damage_set,
    generator_limits,
    needle_end,
    needle_material,
    perfusion_stop_set,
    tissue_properties,
)
from foramen.model.device import RfCannula, Thermocouple
from foramen.model.plan import RfSetting, Trajectory
from foramen.model.space import FloatArray
from foramen.model.thermal import CsfMixing, TissueShift
from foramen.physics.generator import TemperatureHeld
from foramen.physics.grid import NeedleShape, Resolution, RevolvedGrid, needle_grid
from foramen.physics.lesion import HeatModel
from foramen.physics.placed_lesion import PlacedLesion
from foramen.physics.rf_lesion import simulate_lesion
from foramen.physics.tissue import is_mostly, shifted_field, tissue_field
from foramen.steps.effect.patient import BOX_MM, NERVE_SETS, Patient
from foramen.units import MM_PER_M

CSF = "csf"
"""Name of the tissue that is cerebrospinal fluid."""


def _needle_shape(device: RfCannula, *, is_conducting: bool) -> NeedleShape:
    return NeedleShape(
        radius_m=device.outer_diameter_mm / 2 / MM_PER_M,
        bore_m=device.inner_diameter_mm / 2 / MM_PER_M,
        tip_m=device.active_tip_mm / MM_PER_M,
        is_conducting=is_conducting,
        end_m=needle_end(device.tip_shape, device.outer_diameter_mm).length_mm / MM_PER_M,
    )


def _heat_model(device: RfCannula, setting: RfSetting, patient: Patient) -> HeatModel:
    if setting.thermocouple is Thermocouple.NONE:
        raise InputError("A temperature-held lesion needs a thermocouple: choose pole or mid.")
    pole_mm = needle_end(device.tip_shape, device.outer_diameter_mm).sensor_mm
    sensor_mm = pole_mm if setting.thermocouple is Thermocouple.POLE else device.active_tip_mm / 2
    return HeatModel(
        baseline_degC=patient.baseline_degC,
        law=conductivity_law(),
        material=needle_material() if patient.is_conducting else None,
        stops_perfusion=perfusion_stop_set(),
        damage=tuple(damage_set(name) for name in NERVE_SETS),
        thermocouple_m=sensor_mm / MM_PER_M,
        cool_down_s=number("tissues.cool_down_s"),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PatientLesion:
    """One lesion in the patient, and what its cells outside the needle are: origin index, and the fluid's highest rise.

    `csf_rise_K` is 0 where no cell is cerebrospinal fluid.
    """

    placed: PlacedLesion
    origin: NDArray[np.uint8]
    csf_rise_K: float


def lesion_through(
    patient: Patient,
    trajectory: Trajectory,
    setting: RfSetting,
    resolution: Resolution,
    progress: Callable[[float], None] | None,
    *,
    shift: TissueShift | None = None,
) -> PatientLesion:
    """The lesion of one trajectory, with the cerebrospinal fluid as `patient.csf` says.

    With a `shift`, tissue and generator differ from the tables; the device's limit then holds for the display.
    """
    if setting.temperature_degC > trajectory.device.max_temperature_degC:
        raise InputError(
            f"{setting.temperature_degC:g} degC is above the limit of {trajectory.device.name} "
            f"({trajectory.device.max_temperature_degC:g} degC). Lower the set temperature."
        )
    shape = _needle_shape(trajectory.device, is_conducting=patient.is_conducting)
    model = _heat_model(trajectory.device, setting, patient)
    frame = needle_frame(trajectory.tip_mm, trajectory.entry_mm)
    grid = needle_grid(shape, resolution, far_m=number("tissues.far_field_mm") / MM_PER_M)
    points = _cell_points_mm(grid, frame.lps_mm)
    _require_in_view(patient.tissues, points, frame.tip_mm + frame.axis * trajectory.device.active_tip_mm / 2)
    samples, origin = _sampled(patient.tissues, points, grid)
    names, is_held = patient.tissues.names, patient.csf is CsfMixing.HELD
    table = [tissue_properties(name, frequency_hz=setting.frequency_hz) for name in names]
    table = [replace(t, is_held=True) if t.name == CSF and is_held else t for t in table]
    generator = TemperatureHeld(
        set_degC=setting.temperature_degC + (shift.set_offset_K if shift else 0.0),
        start_degC=model.baseline_degC,
        ramp_s=setting.ramp_s,
        time_s=setting.time_s,
        limits=generator_limits(),
    )
    field = tissue_field(table, samples, is_perfused=patient.is_perfused)
    if shift is not None:
        muscle = tissue_properties("muscle", frequency_hz=setting.frequency_hz)
        field = shifted_field(field, shift, reference_S_per_m=muscle.electric_S_per_m)
    lesion = simulate_lesion(grid, field, generator=generator, model=model, progress=progress)
    is_csf = is_mostly([name == CSF for name in names], samples)
    hottest = lesion.peak_degC[grid.inner :].max(where=is_csf, initial=model.baseline_degC)
    placed = PlacedLesion(lesion=lesion, frame=frame)
    return PatientLesion(placed=placed, origin=origin, csf_rise_K=float(hottest) - model.baseline_degC)


def _sampled(
    tissues: TissueMap, points_mm: FloatArray, grid: RevolvedGrid
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Tissue indices (8, nr - inner, nk, nj) around every cell outside the needle, and the origin at its centre.

    The eight points are those of Gauss in a box of one voxel: its average softens the staircase of the voxels.
    """
    shape = grid.shape
    corners = np.array(np.meshgrid((-1, 1), (-1, 1), (-1, 1), indexing="ij")).reshape(3, 8).T / np.sqrt(12)
    steps = corners * tissues.geometry.spacing_mm @ tissues.geometry.axes.T
    found = np.stack([tissues.at(points_mm + step)[0].reshape(shape)[grid.inner :] for step in steps])
    return found, tissues.at(points_mm)[1].reshape(shape)[grid.inner :]


def _cell_points_mm(
    grid: RevolvedGrid, place: Callable[[FloatArray, FloatArray, FloatArray], FloatArray]
) -> FloatArray:
    """LPS centres (n, 3) of all cells in storage order."""
    r_mm, z_mm, angle = np.broadcast_arrays(
        grid.node_r_m[:, :, None] * MM_PER_M, grid.node_z_m[:, :, None] * MM_PER_M, grid.angle_nodes_rad
    )
    return place(r_mm.ravel(), z_mm.ravel(), angle.ravel())


def _require_in_view(tissues: TissueMap, points_mm: FloatArray, centre_mm: FloatArray) -> None:
    near = points_mm[np.linalg.norm(points_mm - centre_mm, axis=1) <= BOX_MM]
    missing = 1 - float(tissues.geometry.contains(near).mean())
    if missing > 0:
        raise ImageError(
            f"{100 * missing:.2g} % of the tissue within {BOX_MM:.0f} mm of the active tip lies outside the image "
            "(limit 0 %): the heat there cannot be computed. Use a scan with a larger field of view."
        )
