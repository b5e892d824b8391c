"""The effect where nothing says how well the cerebrospinal fluid mixes: bounded both ways, and the worse counts.

Still fluid only conducts; fluid that mixes perfectly stays at body temperature. What lies in or behind the fluid is
hotter in the first, the nerve beside it mostly colder in the second; but a generator that holds a temperature makes up
for what the fluid takes, so that tissue elsewhere may become hotter. Each judgement therefore takes the worse of both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from foramen.knowledge.facts import number
from foramen.model.plan import Capture, PeakTemperature, RfHeatEffect, RfSetting, Target, Trajectory
from foramen.model.thermal import CsfMixing
from foramen.physics.grid import Resolution
from foramen.steps.effect.lesions import PatientLesion, lesion_through
from foramen.steps.effect.patient import Patient
from foramen.steps.effect.summary import summarise

_ALARM = "ALARM"
"""Start of an assumption that warns."""


def effect_of(
    patient: Patient,
    target: Target,
    trajectories: Sequence[Trajectory],
    setting: RfSetting,
    resolution: Resolution,
    progress: Callable[[float], None] | None = None,
) -> RfHeatEffect:
    """Effect of one lesion through each trajectory; where still fluid warms, the worse of still and held fluid."""
    lesions = [
        lesion_through(patient, path, setting, resolution, _share(progress, count, len(trajectories)))
        for count, path in enumerate(trajectories)
    ]

    def summary(lesions: Sequence[PatientLesion]) -> RfHeatEffect:
        placed, origins = [lesion.placed for lesion in lesions], [lesion.origin for lesion in lesions]
        return summarise(patient, target, trajectories, setting, placed, origins)

    effect = summary(lesions)
    warm_K, limit_K = max(lesion.csf_rise_K for lesion in lesions), number("tissues.csf_warm_K")
    if patient.csf is CsfMixing.HELD or warm_K <= limit_K:
        return effect
    mixed = replace(patient, csf=CsfMixing.HELD)
    held = [
        lesion_through(mixed, path, setting, resolution, None) if lesion.csf_rise_K > limit_K else lesion
        for path, lesion in zip(trajectories, lesions, strict=True)
    ]
    return worse_of(effect, summary(held), warm_K=warm_K)


def worse_of(still: RfHeatEffect, held: RfHeatEffect, *, warm_K: float) -> RfHeatEffect:
    """The effect with still fluid, but each judgement by the worse of both; `warm_K` is the rise of still fluid."""
    alarms = [line for line in held.assumptions if line.startswith(_ALARM) and line not in still.assumptions]
    return replace(
        still,
        captures=tuple(_smaller(s, h) for s, h in zip(still.captures, held.captures, strict=True)),
        peaks=tuple(_higher(s, h) for s, h in zip(still.peaks, held.peaks, strict=True)),
        hottest_tissue_degC=max(still.hottest_tissue_degC, held.hottest_tissue_degC),
        assumptions=(
            *(f"{line.rstrip('.')} (with held cerebrospinal fluid)." for line in alarms),
            *still.assumptions,
            f"Cerebrospinal fluid warms by {warm_K:.1f} K if it is still, and not at all if it mixes perfectly; no "
            "source says how it mixes. Both are solved: the smaller capture and the higher temperatures count; sizes, "
            "course and maps are those of still fluid.",
        ),
    )


def _smaller(still: Capture, held: Capture) -> Capture:
    return replace(
        still,
        fraction=min(still.fraction, held.fraction),
        still_csf_fraction=still.fraction,
        held_csf_fraction=held.fraction,
    )


def _higher(still: PeakTemperature, held: PeakTemperature) -> PeakTemperature:
    """The higher of both; a structure that is not shown stays without a number."""
    if still.peak_degC is None or held.peak_degC is None:
        return still
    return replace(
        still,
        peak_degC=max(still.peak_degC, held.peak_degC),
        still_csf_degC=still.peak_degC,
        held_csf_degC=held.peak_degC,
    )


def _share(progress: Callable[[float], None] | None, done: int, total: int) -> Callable[[float], None] | None:
    """A callback for one of several parts of equal length."""
    if progress is None:
        return None
    return lambda fraction: progress((done + fraction) / total)
