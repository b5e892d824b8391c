"""The result of a plan's robustness, put together from its samples."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from foramen.knowledge.facts import number, numbers
from foramen.model.robust import (
    Probability,
    RobustDecision,
    RobustEffect,
    RobustStructure,
    RobustTarget,
)
from foramen.planning.robust.decision import worst_of
from foramen.planning.robust.estimate import TargetSample, probability
from foramen.planning.robust.histogram import histograms
from foramen.planning.robust.judge import Judge
from foramen.planning.robust.prepare import Prepared
from foramen.planning.robust.scenario import Sampler
from foramen.planning.robust.surrogate_error import error_summary
from foramen.planning.robust.uncertainty import varied_list
from foramen.planning.robust.worst import worst_cases

ASSUMPTIONS = (
    "Geometric capture probability under the stated model: a share of scenarios, not of patients, and no promise.",
    "Needle errors are what remains after the confirming views. They are drawn for each lesion; registration, nerves, "
    "tissue, generator and body temperature are common to all lesions of the plan.",
    "All departures are normal and independent; a nerve may then lie where its bone would not let it.",
    "Labelled structures (canal, sac, skin, metal) stay where the scan shows them; nerves move.",
    "Cerebrospinal fluid is still in every scenario, the hotter of both ways for what lies in it or behind it. Fluid "
    "that mixes could lower a capture: where it warms, the plan's effect states both, and the smaller is the nominal.",
    "The cannula is as the catalogue has it: its bevel, and the place of its thermocouple, are not varied.",
    "The reduced model moves each lesion with its needle; what it leaves out is measured against full solutions, taken "
    "as bias and normal noise, and added to the intervals. Histograms and worst cases are by the reduced model alone.",
    "Spreads marked unverified are stated priors: the probabilities are no better than they are.",
)

_WORDS = {
    RobustDecision.ACCEPTABLE: "accepted",
    RobustDecision.CAUTION: "caution",
    RobustDecision.UNDECIDED: "caution: undecided",
    RobustDecision.REJECTED: "refused",
}


def robust_effect(prepared: Prepared, judge: Judge, samples: Sequence[TargetSample], sampler: Sampler) -> RobustEffect:
    """Probabilities, decision, errors, histograms and worst cases."""
    error = (1 - number("robust.confidence_fraction")) / 2
    targets = tuple(_target(judge, t, sample) for t, sample in enumerate(samples))
    any_keep_out = judge.any_keep_out(samples)
    decisions = (*(target.decision for target in targets), judge.keep_out_decision(any_keep_out))
    count = len(samples[0].fraction)
    shown = [sampler.draw(index) for index in range(min(count, round(number("robust.histogram_scenarios"))))]
    models = prepared.reduced
    structures = [_structures(judge, t, sample) for t, sample in enumerate(samples)]
    first_degC = numbers("robust.histogram_degC")[0]
    warm = [frozenset(s.structure for s in found if (s.high_degC or 0.0) >= first_degC) for found in structures]
    return RobustEffect(
        decision=worst_of(decisions),
        reason=_reason(judge, targets, any_keep_out, decisions, count),
        scenarios=count,
        seed=sampler.seed,
        confidence_fraction=number("robust.confidence_fraction"),
        targets=targets,
        any_keep_out=any_keep_out,
        structures=tuple(s for found in structures for s in found),
        errors=tuple(
            error_summary(model.scene.target.name, full, checked, error=error)
            for model, full, checked in zip(models, prepared.full, prepared.checked, strict=True)
        ),
        varied=varied_list(
            models[0].spread,
            gauge=prepared.gauge,
            nerve_mm=max(model.scene.course.sd_mm for model in models),
            registration_mm=max(model.scene.registration_mm for model in models),
        ),
        histograms=tuple(
            h
            for model, names in zip(models, warm, strict=True)
            for h in histograms(model, shown, sampler.nominal(), warm=names)
        ),
        worst=tuple(w for m, sample in zip(models, samples, strict=True) for w in worst_cases(m, sample, sampler)),
        assumptions=ASSUMPTIONS,
    )


def _target(judge: Judge, target: int, sample: TargetSample) -> RobustTarget:
    captures = judge.captures(target, sample)
    scene = judge.reduced[target].scene
    return RobustTarget(
        target=scene.target.name,
        nominal_fraction=scene.nominal_fraction,
        median_fraction=float(np.median(sample.fraction)),
        captures=captures,
        decision=judge.capture_decision(target, captures),
    )


def _structures(judge: Judge, target: int, sample: TargetSample) -> list[RobustStructure]:
    """Every neighbour of one target."""
    temperatures = sample.temperatures(judge.laws[target])
    caution, reject = judge.caution_degC(target), judge.reject_degC(target)
    scene = judge.reduced[target].scene
    found = []
    for at, neighbour in enumerate(scene.neighbours):
        is_shown = neighbour.points_mm is not None
        has_reject = is_shown and neighbour.reject_degC is not None
        found.append(
            RobustStructure(
                target=scene.target.name,
                structure=neighbour.name,
                median_degC=float(np.median(temperatures[0, :, at])) if is_shown else None,
                high_degC=float(np.percentile(temperatures[0, :, at], 95)) if is_shown else None,
                caution_degC=neighbour.caution_degC,
                reject_degC=neighbour.reject_degC,
                passes_caution=probability(temperatures[:, :, at] > caution[at], judge.looks) if is_shown else None,
                passes_reject=probability(temperatures[:, :, at] >= reject[at], judge.looks) if has_reject else None,
            )
        )
    return found


def _reason(
    judge: Judge,
    targets: Sequence[RobustTarget],
    any_keep_out: Probability,
    decisions: Sequence[RobustDecision],
    count: int,
) -> str:
    """The decision in words: every bound with its limit."""
    limits = judge.limits
    lines = [
        f"{target.target}: at least {100 * target.captures[0].captured_fraction:.0f} % captured with probability "
        f"{_percent(target.captures[0].probability)}, {_WORDS[target.decision]}"
        + " (tissue boils in the model: not counted)"
        * is_boiling
        for target, is_boiling in zip(targets, judge.is_boiling, strict=True)
    ]
    lines.append(f"any neighbour reaching its limit {_percent(any_keep_out)}, {_WORDS[decisions[-1]]}")
    lines.append(
        f"limits (site parameters): capture accepted from {100 * limits.capture_accept:g} %, refused below "
        f"{100 * limits.capture_reject:g} %; neighbours accepted up to {100 * limits.keep_out_accept:g} %, refused "
        f"above {100 * limits.keep_out_reject:g} %; {count} scenarios"
    )
    if judge.unknown:
        lines.append(f"UNKNOWN, never cool: {', '.join(judge.unknown)}")
    return "; ".join(lines) + "."


def _percent(found: Probability) -> str:
    low, high = 100 * found.low_fraction, 100 * found.high_fraction
    return f"{100 * found.estimate_fraction:.1f} % ({low:.1f} to {high:.1f} %)"
