"""The heat effect of one or several lesions on one target."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from foramen.anatomy.tissue_map import TissueMap, classify_tissue
from foramen.errors import FrameError, InputError
from foramen.knowledge.facts import number
from foramen.model.anatomy import Anatomy
from foramen.model.plan import RfHeatEffect, RfSetting, Target, Trajectory
from foramen.model.space import LabelMap, Volume
from foramen.physics.grid import Resolution
from foramen.steps.effect.both_ways import effect_of
from foramen.steps.effect.patient import Patient

RESOLUTION = Resolution(step=0.2, angles=16)
"""Grid about each needle: widths and lengths are within 1 % of those of a grid with six times as many cells."""


def simulate_rf_heat(
    anatomy: Anatomy,
    image: Volume,
    labels: LabelMap,
    target: Target,
    trajectories: Sequence[Trajectory],
    setting: RfSetting,
    *,
    technique: str = "lumbar_medial_branch_rf",
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
        One lesion is made through each; temperatures are composed by their maximum, Omega by its sum. Cerebrospinal
        fluid that warms is solved still and held at body temperature, and the worse counts (see `both_ways`).
    setting : RfSetting
        Set temperature, total time with its ramp, thermocouple, frequency.
    technique : str
        Technique whose limits apply (facts ``<technique>.spinal_nerve_caution_degC`` and so on).
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
    patient = Patient(
        technique=technique,
        anatomy=anatomy,
        labels=labels,
        tissues=tissue_map or classify_tissue(image, labels),
        baseline_degC=default if baseline_temperature_degC is None else baseline_temperature_degC,
        is_perfused=perfusion,
        is_conducting=cannula_conduction,
    )
    return effect_of(patient, target, trajectories, setting, resolution, progress)


def _require_one_frame(anatomy: Anatomy, image: Volume, labels: LabelMap) -> None:
    if not image.geometry.same_as(labels.geometry) or anatomy.frame_uid != image.geometry.frame_uid:
        raise FrameError("Anatomy, image and labels must share grid and frame of reference. Open them from one case.")
