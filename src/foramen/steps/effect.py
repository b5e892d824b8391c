"""What will the heat do? Lesions in this patient's tissue: capture of the nerve, temperatures at its neighbours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foramen.anatomy.heat_sensitive import nerve_surface, sensitive_structures
from foramen.anatomy.tissue_map import ORIGINS, TissueMap, classify_tissue
from foramen.errors import FrameError, ImageError, InputError
from foramen.geometry.needle_frame import needle_frame
from foramen.knowledge.facts import number
from foramen.knowledge.thermal import (
    conductivity_law,
    damage_set,
    generator_limits,
    needle_material,
    perfusion_stop_set,
    tissue_properties,
)
from foramen.model.anatomy import Anatomy
from foramen.model.device import Thermocouple
from foramen.model.plan import Isotherm, PeakTemperature, RfHeatEffect, RfSetting, Target, Trajectory
from foramen.model.space import FloatArray, LabelMap, Volume
from foramen.physics.capture import captures
from foramen.physics.contours import measure
from foramen.physics.generator import Generator
from foramen.physics.grid import NeedleShape, Resolution, RevolvedGrid, needle_grid
from foramen.physics.placed_lesion import PlacedLesion, composed_omega, composed_peak_degC
from foramen.physics.rf_lesion import HeatModel, simulate_lesion
from foramen.physics.tissue import tissue_field
from foramen.units import MM_PER_M

ISOTHERMS_DEGC = (45.0, 50.0, 60.0)
"""Isotherms that are reported."""

BOX_MM = 25.0
"""Half width of the reported temperature grid, and the distance within which the image must reach."""

NERVE_SETS = ("coagulation", "nerve_function")
"""Damage sets that say something about a nerve."""

REACH_MM = 40.0
"""Structures farther from every active tip than this stay at baseline."""

ALARM_ABOVE_SET_K = 10.0
"""Tissue hotter than the set temperature by more than this raises an alarm."""

SPACING_MM = 0.5
"""Spacing of the reported temperature grid."""

RESOLUTION = Resolution(step=0.15, angles=16)
"""Grid about each needle: widths are within 0.3 % of a grid of half the cells."""


def simulate_rf_heat(
    anatomy: Anatomy,
    image: Volume,
    labels: LabelMap,
    target: Target,
    trajectories: Sequence[Trajectory],
    setting: RfSetting,
    *,
    tissue_map: TissueMap | None = None,
    baseline_temperature_degC: float | None = None,
    perfusion: bool = True,
    cannula_conduction: bool = True,
    resolution: Resolution = RESOLUTION,
    progress: Callable[[float], None] | None = None,
) -> RfHeatEffect:
    """Predicted effect of one temperature-held lesion through each trajectory on one target.

    Parameters
    ----------
    anatomy, image, labels : Anatomy, Volume, LabelMap
        The patient, all in one frame of reference.
    target : Target
        What must be captured.
    trajectories : sequence of Trajectory
        One lesion is made through each; temperatures are composed by their maximum, Omega by its sum.
    setting : RfSetting
        Set temperature, total time with its ramp, thermocouple, frequency.
    tissue_map : TissueMap, optional
        Result of `classify_tissue` for this image and these labels, if it is at hand.
    baseline_temperature_degC : float, optional
        Body temperature from knowledge if not given.
    perfusion, cannula_conduction : bool
        Whether blood and the metal carry heat.
    progress : callable, optional
        Called with the fraction done.

    Raises
    ------
    FrameError
        If the inputs are not in one frame of reference.
    ImageError
        If the image does not reach 25 mm around an active tip.
    InputError
        For impossible settings.
    SolverError
        If a field is not solved to its tolerance.
    """
    _require_one_frame(anatomy, image, labels)
    if not trajectories:
        raise InputError(f"No trajectory to {target.name}: there is nothing to simulate.")
    if setting.lesions not in (1, len(trajectories)):
        raise InputError(
            f"The setting asks for {setting.lesions} lesions but {len(trajectories)} trajectories are given. "
            "Give one trajectory for each lesion."
        )
    default = number("tissues.body_temperature_degC")
    patient = _Patient(
        anatomy=anatomy,
        labels=labels,
        tissues=tissue_map or classify_tissue(image, labels),
        baseline_degC=default if baseline_temperature_degC is None else baseline_temperature_degC,
        is_perfused=perfusion,
        is_conducting=cannula_conduction,
    )
    placed, origins = [], []
    for count, trajectory in enumerate(trajectories):
        share = _share(progress, count, len(trajectories))
        lesion, origin = _one_lesion(patient, trajectory, setting, resolution, share)
        placed.append(lesion)
        origins.append(origin)
    return _effect(patient, target, trajectories, setting, placed, origins)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Patient:
    """What stays the same over all lesions of a target."""

    anatomy: Anatomy
    labels: LabelMap
    tissues: TissueMap
    baseline_degC: float
    is_perfused: bool
    is_conducting: bool


def _share(progress: Callable[[float], None] | None, done: int, total: int) -> Callable[[float], None] | None:
    """A callback for one of several parts of equal length."""
    if progress is None:
        return None
    return lambda fraction: progress((done + fraction) / total)


def _require_one_frame(anatomy: Anatomy, image: Volume, labels: LabelMap) -> None:
    if not image.geometry.same_as(labels.geometry) or anatomy.frame_uid != image.geometry.frame_uid:
        raise FrameError("Anatomy, image and labels must share grid and frame of reference. Open them from one case.")


def _needle_shape(trajectory: Trajectory, *, is_conducting: bool) -> NeedleShape:
    device = trajectory.device
    return NeedleShape(
        radius_m=device.outer_diameter_mm / 2 / MM_PER_M,
        bore_m=device.inner_diameter_mm / 2 / MM_PER_M,
        tip_m=device.active_tip_mm / MM_PER_M,
        is_conducting=is_conducting,
    )


def _heat_model(trajectory: Trajectory, setting: RfSetting, patient: _Patient) -> HeatModel:
    if setting.thermocouple is Thermocouple.NONE:
        raise InputError("A temperature-held lesion needs a thermocouple: choose pole or mid.")
    middle_m = trajectory.device.active_tip_mm / 2 / MM_PER_M
    return HeatModel(
        baseline_degC=patient.baseline_degC,
        law=conductivity_law(),
        material=needle_material() if patient.is_conducting else None,
        stops_perfusion=perfusion_stop_set(),
        damage=tuple(damage_set(name) for name in NERVE_SETS),
        thermocouple_m=0.0 if setting.thermocouple is Thermocouple.POLE else middle_m,
        cool_down_s=number("tissues.cool_down_s"),
    )


def _one_lesion(
    patient: _Patient,
    trajectory: Trajectory,
    setting: RfSetting,
    resolution: Resolution,
    progress: Callable[[float], None] | None,
) -> tuple[PlacedLesion, NDArray[np.uint8]]:
    """The lesion of one trajectory, and the origin index of the tissue of every cell outside the needle."""
    if setting.temperature_degC > trajectory.device.max_temperature_degC:
        raise InputError(
            f"{setting.temperature_degC:g} degC is above the limit of {trajectory.device.name} "
            f"({trajectory.device.max_temperature_degC:g} degC). Lower the set temperature."
        )
    model = _heat_model(trajectory, setting, patient)
    frame = needle_frame(trajectory.tip_mm, trajectory.entry_mm)
    shape = _needle_shape(trajectory, is_conducting=model.material is not None)
    grid = needle_grid(shape, resolution, far_m=number("tissues.far_field_mm") / MM_PER_M)
    points = _cell_points_mm(grid, frame.lps_mm)
    _require_in_view(patient.tissues, points, frame.tip_mm + frame.axis * trajectory.device.active_tip_mm / 2)
    index, origin = (found.reshape(grid.shape)[grid.inner :] for found in patient.tissues.at(points))
    table = [tissue_properties(name, frequency_hz=setting.frequency_hz) for name in patient.tissues.names]
    generator = Generator(
        set_degC=setting.temperature_degC,
        start_degC=model.baseline_degC,
        ramp_s=setting.ramp_s,
        time_s=setting.time_s,
        limits=generator_limits(),
    )
    field = tissue_field(table, index, is_perfused=patient.is_perfused)
    lesion = simulate_lesion(grid, field, generator=generator, model=model, progress=progress)
    return PlacedLesion(lesion=lesion, frame=frame), origin


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
            f"{100 * missing:.0f} % of the tissue within {BOX_MM:.0f} mm of the active tip lies outside the image. "
            "Use a scan with a larger field of view."
        )


def _effect(
    patient: _Patient,
    target: Target,
    trajectories: Sequence[Trajectory],
    setting: RfSetting,
    placed: Sequence[PlacedLesion],
    origins: Sequence[NDArray[np.uint8]],
) -> RfHeatEffect:
    lesions = [entry.lesion for entry in placed]
    first = lesions[0]
    centres = np.array([_tip_centre_mm(p, t) for p, t in zip(placed, trajectories, strict=True)])
    affine, points, shape = _report_grid(centres.mean(axis=0))
    sets = tuple(damage_set(name) for name in NERVE_SETS)
    peak = composed_peak_degC(placed, points)
    sections = nerve_surface(target.needed_segment_mm, target.nerve_radius_mm)
    return RfHeatEffect(
        isotherms=_isotherms(placed, peak),
        captures=captures(placed, sections, sets, time_s=setting.time_s),
        peaks=_peaks(patient, trajectories, placed, centres),
        hottest_tissue_degC=max(lesion.hottest_tissue_degC for lesion in lesions),
        tip_temperature_degC=max(lesion.tip_degC for lesion in lesions),
        impedance_initial_ohm=first.impedance_initial_ohm,
        impedance_final_ohm=first.impedance_final_ohm,
        power_mean_w=float(np.mean([lesion.power_mean_W for lesion in lesions])),
        power_peak_w=max(lesion.power_peak_W for lesion in lesions),
        voltage_final_v=first.voltage_final_V,
        history=_histories(placed, trajectories),
        grid_affine_mm=affine,
        peak_temperature_degC=peak.astype(np.float32).reshape(shape),
        omega={s.id: composed_omega(placed, s.id, points).astype(np.float32).reshape(shape) for s in sets},
        tissue_origin=_tissue_origin(placed, origins),
        assumptions=_assumptions(patient, setting, placed),
    )


def _tip_centre_mm(placed: PlacedLesion, trajectory: Trajectory) -> FloatArray:
    """Middle of the active tip, LPS."""
    centre: FloatArray = placed.frame.tip_mm + placed.frame.axis * (trajectory.device.active_tip_mm / 2)
    return centre


def _report_grid(centre_mm: FloatArray) -> tuple[FloatArray, FloatArray, tuple[int, int, int]]:
    """Affine, points (n, 3) and shape of the LPS grid on which temperature and Omega are reported."""
    count = round(2 * BOX_MM / SPACING_MM) + 1
    affine = np.diag([SPACING_MM, SPACING_MM, SPACING_MM, 1.0])
    affine[:3, 3] = centre_mm - BOX_MM
    steps = np.arange(count) * SPACING_MM
    offset = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 3)
    return affine, affine[:3, 3] + offset, (count, count, count)


def _isotherms(placed: Sequence[PlacedLesion], peak_degC: FloatArray) -> tuple[Isotherm, ...]:
    """Extents on the needle's own grid; of several lesions the largest, with the volume of their union."""
    found = []
    for level in ISOTHERMS_DEGC:
        extents = [measure(p.lesion.grid, p.lesion.peak_degC, p.lesion.surface_peak_degC, level) for p in placed]
        volume = extents[0].volume_m3 * MM_PER_M**3
        if len(placed) > 1:
            volume = float(np.count_nonzero(peak_degC >= level)) * SPACING_MM**3
        found.append(
            Isotherm(
                temperature_degC=level,
                width_mm=max(extent.width_m for extent in extents) * MM_PER_M,
                length_mm=max(extent.length_m for extent in extents) * MM_PER_M,
                volume_mm3=volume,
            )
        )
    return tuple(found)


def _peaks(
    patient: _Patient, trajectories: Sequence[Trajectory], placed: Sequence[PlacedLesion], centres_mm: FloatArray
) -> tuple[PeakTemperature, ...]:
    """Highest temperature at every structure that heat must not reach."""
    structures = sensitive_structures(
        patient.anatomy,
        patient.labels,
        patient.tissues,
        centres_mm=centres_mm,
        entries_mm=np.array([trajectory.entry_mm for trajectory in trajectories]),
        reach_mm=REACH_MM,
    )
    found = []
    for structure in structures:
        peak = None
        if structure.points_mm is not None:
            temperatures = composed_peak_degC(placed, structure.points_mm)
            peak = float(max(temperatures.max(initial=patient.baseline_degC), patient.baseline_degC))
        found.append(
            PeakTemperature(
                structure=structure.name,
                peak_degC=peak,
                caution_degC=number(f"tissues.{structure.sensitivity.value}_caution_degC"),
                reject_degC=number(f"tissues.{structure.sensitivity.value}_reject_degC"),
                note=structure.note,
            )
        )
    return tuple(found)


def _histories(placed: Sequence[PlacedLesion], trajectories: Sequence[Trajectory]) -> dict[str, tuple[float, ...]]:
    """Log of the first lesion; those of further ones carry the trajectory's id before the name."""
    found: dict[str, tuple[float, ...]] = {}
    for count, (entry, trajectory) in enumerate(zip(placed, trajectories, strict=True)):
        prefix = "" if count == 0 else f"{trajectory.id}."
        history = entry.lesion.history
        found[f"{prefix}time_s"] = history.time_s
        found[f"{prefix}tip_degC"] = history.tip_degC
        found[f"{prefix}power_w"] = history.power_W
        found[f"{prefix}impedance_ohm"] = history.impedance_ohm
        found[f"{prefix}voltage_v"] = history.voltage_V
    return found


def _tissue_origin(placed: Sequence[PlacedLesion], origins: Sequence[NDArray[np.uint8]]) -> dict[str, float]:
    """Fraction of the volume heated to 45 degC by how its tissue came to be known."""
    volumes = np.zeros(len(ORIGINS))
    for entry, origin in zip(placed, origins, strict=True):
        grid = entry.lesion.grid
        heated = entry.lesion.peak_degC[grid.inner :] >= ISOTHERMS_DEGC[0]
        cells = np.broadcast_to(grid.volume_m3[grid.inner :, :, None], heated.shape)
        volumes += np.bincount(origin[heated], weights=cells[heated], minlength=len(ORIGINS))
    return {name: float(volume) for name, volume in zip(ORIGINS, volumes / max(volumes.sum(), 1e-30), strict=True)}


def _assumptions(patient: _Patient, setting: RfSetting, placed: Sequence[PlacedLesion]) -> tuple[str, ...]:
    """What the model takes for granted, in words."""
    lesions = [entry.lesion for entry in placed]
    worst = max(abs(lesion.energy.error_fraction) for lesion in lesions)
    hottest = max(lesion.hottest_tissue_degC for lesion in lesions)
    blood = "stops as tissue coagulates" if patient.is_perfused else "is left out"
    metal = "conducts heat along the shaft" if patient.is_conducting else "conducts no heat"
    lines = [
        f"Start, arterial blood and far field (50 mm) at {patient.baseline_degC:.1f} degC; perfusion {blood}.",
        f"Straight cannula with a hemispherical end; its metal {metal}; core and coating are generic.",
        f"The generator follows a {setting.ramp_s:g} s ramp and holds {setting.temperature_degC:g} degC at the "
        f"{'pole' if setting.thermocouple is Thermocouple.POLE else 'middle'} of the bare tip; "
        f"total {setting.time_s:g} s.",
        "Conductivity rises 1.5 % per degC (not traced) and collapses at boiling; latent heat is left out.",
        "Tissue properties are tabulated means, isotropic, of the voxel nearest to each cell; unlabelled tissue is "
        "classed by Hounsfield number.",
        "Vessels without a label are not seen; skin has no surface cooling; beyond the image its edge is continued.",
        f"Structures farther than {REACH_MM:.0f} mm from every active tip stay at baseline and are not listed.",
        f"Delivered and accounted energy agree within {100 * worst:.1f} %.",
    ]
    if len(placed) > 1:
        lines.append(
            "Each lesion starts from baseline; temperatures are composed by their maximum, Omega by its sum. Width and "
            "length are those of the largest lesion, the volume that of the union (needles included)."
        )
    if hottest > setting.temperature_degC + ALARM_ABOVE_SET_K:
        lines.insert(
            0,
            f"ALARM: tissue reaches {hottest:.0f} degC while the display shows {setting.temperature_degC:g} degC.",
        )
    if any(lesion.is_limited for lesion in lesions):
        lines.insert(0, "ALARM: the generator reaches a limit and does not follow the set temperature.")
    return tuple(lines)
