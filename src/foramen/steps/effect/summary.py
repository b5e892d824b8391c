"""What lesions do to nerve and neighbours, as the plan stores it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from foramen.anatomy.heat_sensitive import SensitiveStructure, Sensitivity, nerve_surface, sensitive_structures
from foramen.anatomy.tissue_map import ORIGINS
from foramen.knowledge.facts import fact, number, numbers
from foramen.knowledge.thermal import damage_set, needle_end
from foramen.model.device import Thermocouple, TipShape
from foramen.model.plan import Isotherm, PeakTemperature, RfHeatEffect, RfSetting, Target, Trajectory
from foramen.model.space import FloatArray
from foramen.physics.capture import captures
from foramen.physics.contours import measure
from foramen.physics.lesion import Lesion
from foramen.physics.placed_lesion import PlacedLesion, composed_omega, composed_peak_degC
from foramen.steps.effect.patient import BOX_MM, NERVE_SETS, Patient
from foramen.units import MM_PER_M

SPACING_MM = 0.5
"""Spacing of the reported temperature grid."""


def summarise(
    patient: Patient,
    target: Target,
    trajectories: Sequence[Trajectory],
    setting: RfSetting,
    placed: Sequence[PlacedLesion],
    origins: Sequence[NDArray[np.uint8]],
) -> RfHeatEffect:
    """The effect of lesions that were placed, as the plan stores it."""
    lesions = [entry.lesion for entry in placed]
    first = lesions[0]
    centres = np.array([_tip_centre_mm(p, t) for p, t in zip(placed, trajectories, strict=True)])
    affine, points, shape = _report_grid(centres.mean(axis=0))
    sets = tuple(damage_set(name) for name in NERVE_SETS)
    peak = composed_peak_degC(placed, points)
    sections = nerve_surface(target.needed_segment_mm, target.nerve_radius_mm)
    return RfHeatEffect(
        isotherms=_isotherms(placed, peak),
        captures=captures(placed, sections, sets, levels_degC=numbers("damage.capture_degC"), time_s=setting.time_s),
        peaks=_peaks(patient, target, trajectories, placed, centres),
        hottest_tissue_degC=max(hottest_tissue_degC(lesion) for lesion in lesions),
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
        assumptions=_assumptions(patient, trajectories, setting, placed),
    )


def hottest_tissue_degC(lesion: Lesion) -> float:
    """Near-maximum of tissue: what the hottest volume that counts reaches or exceeds."""
    return lesion.near_maximum_degC(number("tissues.hottest_volume_mm3") / MM_PER_M**3)


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
    for level in numbers("damage.isotherms_degC"):
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
    patient: Patient,
    target: Target,
    trajectories: Sequence[Trajectory],
    placed: Sequence[PlacedLesion],
    centres_mm: FloatArray,
) -> tuple[PeakTemperature, ...]:
    """Highest temperature at every structure that heat must not reach."""
    structures = sensitive_structures(
        patient.anatomy,
        patient.labels,
        patient.tissues,
        beside=(target.crosses_bone, target.side),
        centres_mm=centres_mm,
        entries_mm=np.array([trajectory.entry_mm for trajectory in trajectories]),
        reach_mm=number("tissues.effect_reach_mm"),
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
                caution_degC=number(f"{patient.technique}.{structure.sensitivity.value}_caution_degC"),
                reject_degC=None if structure.sensitivity is Sensitivity.HARDWARE else _reject(patient, structure),
                note=structure.note,
            )
        )
    return tuple(found)


def _reject(patient: Patient, structure: SensitiveStructure) -> float:
    return number(f"{patient.technique}.{structure.sensitivity.value}_reject_degC")


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
        heated = entry.lesion.peak_degC[grid.inner :] >= numbers("damage.isotherms_degC")[0]
        cells = np.broadcast_to(grid.volume_m3[grid.inner :, :, None], heated.shape)
        volumes += np.bincount(origin[heated], weights=cells[heated], minlength=len(ORIGINS))
    return {name: float(volume) for name, volume in zip(ORIGINS, volumes / max(volumes.sum(), 1e-30), strict=True)}


def _end_in_words(trajectories: Sequence[Trajectory]) -> str:
    """How the ends of the cannulas are modelled."""
    if all(path.device.tip_shape is TipShape.HEMISPHERICAL for path in trajectories):
        return "hemispherical end"
    angle = fact("devices.sharp_bevel_angle_deg")
    bevel = f"a bevel of {angle.number:g} deg does ({angle.trace.value}: measure the device)"
    return f"its sharp end a cone that acts as {bevel}"


def _sensor_in_words(trajectories: Sequence[Trajectory], setting: RfSetting) -> str:
    """Where the temperature is held."""
    if setting.thermocouple is not Thermocouple.POLE:
        return "middle of the bare tip"
    device = trajectories[0].device
    behind_mm = needle_end(device.tip_shape, device.outer_diameter_mm).sensor_mm
    return f"thermocouple, {behind_mm:.1f} mm behind the point" if behind_mm else "pole of the bare tip"


def _assumptions(
    patient: Patient, trajectories: Sequence[Trajectory], setting: RfSetting, placed: Sequence[PlacedLesion]
) -> tuple[str, ...]:
    """What the model takes for granted, in words."""
    lesions = [entry.lesion for entry in placed]
    worst = max(abs(lesion.energy.error_fraction) for lesion in lesions)
    hottest = max(hottest_tissue_degC(lesion) for lesion in lesions)
    blood = "stops as tissue coagulates, vessels flow on" if patient.is_perfused else "is left out"
    metal = "conducts heat along the shaft" if patient.is_conducting else "conducts no heat"
    reach_mm = number("tissues.effect_reach_mm")
    lines = [
        f"Start, arterial blood and far field (50 mm) at {patient.baseline_degC:.1f} degC; perfusion {blood}.",
        f"Straight cannula, {_end_in_words(trajectories)}; its metal {metal}; core and coating are generic.",
        f"The generator follows a {setting.ramp_s:g} s ramp and holds {setting.temperature_degC:g} degC at the "
        f"{_sensor_in_words(trajectories, setting)}; "
        f"total {setting.time_s:g} s.",
        "Conductivity rises 1.5 % per degC (not traced) and collapses as water boils; vapour stays where it is.",
        "Tissue properties are tabulated means, isotropic, averaged over a voxel about each cell; unlabelled tissue "
        + (
            "is classed by Hounsfield number."
            if patient.tissues.is_density_known
            else "is taken as soft tissue, since no density is known: fat, air and metal beside the electrode are "
            f"missed. In a reference body zones came out up to {100 * number('mr_reading.width_error_fraction'):.0f} % "
            "too narrow for the fat that was missed: real ones may be larger. Labelled bone has a cortical surface."
        ),
        "Vessels without a label are not seen; skin has no surface cooling; beyond the image its edge is continued.",
        f"Structures farther than {reach_mm:.0f} mm from every active tip stay at baseline and are not listed.",
        f"Delivered and accounted energy agree within {max(100 * worst, 0.1):.1f} %.",
    ]
    if len(placed) > 1:
        lines.append(
            "Each lesion starts from baseline; temperatures are composed by their maximum, Omega by its sum. Width and "
            "length are those of the largest lesion, the volume that of the union (needles included)."
        )
    if hottest > setting.temperature_degC + number("tissues.alarm_above_set_K"):
        lines.insert(
            0,
            f"ALARM: {number('tissues.hottest_volume_mm3'):g} mm3 of tissue reaches {hottest:.0f} degC while the "
            f"display shows {setting.temperature_degC:g} degC.",
        )
    if any(lesion.is_limited for lesion in lesions):
        lines.insert(0, "ALARM: the generator reaches a limit and does not follow the set temperature.")
    return tuple(lines)
