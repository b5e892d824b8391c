"""A made-up result of robustness for tests of what is done with it."""

from __future__ import annotations

from collections.abc import Sequence

from foramen.model.evidence import Trace
from foramen.model.robust import (
    CaptureProbability,
    HeatHistogram,
    Probability,
    ReducedModelError,
    RobustDecision,
    RobustEffect,
    RobustStructure,
    RobustTarget,
    Varied,
    WorstCase,
)


def make_probability(estimate: float) -> Probability:
    """An estimate with 3 % on either side."""
    return Probability(
        estimate_fraction=estimate, low_fraction=max(estimate - 0.03, 0.0), high_fraction=min(estimate + 0.03, 1.0)
    )


def make_robust(
    targets: Sequence[str] = ("L3 medial branch, on the L4 transverse process",),
    *,
    decision: RobustDecision = RobustDecision.CAUTION,
) -> RobustEffect:
    """Robustness of those targets; the thecal sac is not shown."""
    levels = (38.0, 45.0, 60.0)
    return RobustEffect(
        decision=decision,
        reason=f"made up: {decision.value}.",
        scenarios=500,
        seed=7,
        confidence_fraction=0.95,
        targets=tuple(
            RobustTarget(
                target=name,
                nominal_fraction=1.0,
                median_fraction=0.75,
                captures=tuple(
                    CaptureProbability(captured_fraction=part, probability=make_probability(p))
                    for part, p in ((0.8, 0.456), (0.9, 0.345), (1.0, 0.234))
                ),
                decision=decision,
            )
            for name in targets
        ),
        any_keep_out=make_probability(0.012),
        structures=tuple(
            RobustStructure(
                target=name,
                structure=structure,
                median_degC=warm,
                high_degC=None if warm is None else warm + 0.5,
                caution_degC=42.0,
                reject_degC=45.0,
                passes_caution=None if warm is None else make_probability(0.05),
                passes_reject=None if warm is None else make_probability(0.01),
            )
            for name in targets
            for structure, warm in (("left L4 spinal nerve", 41.25), ("thecal sac", None), ("skin", 37.0))
        ),
        errors=tuple(
            ReducedModelError(
                target=name,
                solves=32,
                bias_K=-0.1,
                sd_K=1.4,
                largest_K=3.9,
                disagreements=2,
                disagreement_high_fraction=0.21,
                structure_bias_fraction=-0.005,
                structure_sd_fraction=0.024,
            )
            for name in targets
        ),
        varied=(
            Varied(
                name="tip along the shaft",
                spread="1.2 mm",
                is_common=False,
                trace=Trace.UNVERIFIED,
                sources=("MEM",),
                note="stated prior",
            ),
        ),
        histograms=tuple(
            HeatHistogram(
                target=name,
                structure=structure,
                quantity=quantity,
                levels=levels,
                nominal_mm3=(20.0, 20.0, 15.0),
                low_mm3=(20.0, 15.0, 5.0),
                median_mm3=(20.0, 19.0, 12.0),
                high_mm3=(20.0, 20.0, 19.0),
                total_mm3=20.0,
            )
            for name in targets
            for structure in (name.partition(",")[0], "left L4 spinal nerve")
            for quantity in ("peak_degC", "cem43_min")
        ),
        worst=tuple(
            WorstCase(target=name, scenario=41, what="captures 0 %", came_together=("nerve 4 mm off",))
            for name in targets
        ),
        assumptions=("made up",),
    )
