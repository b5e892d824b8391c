"""The questions that are asked of a plan's scenarios, and their answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from foramen.model.robust import CaptureProbability, Probability, RobustDecision
from foramen.model.space import FloatArray
from foramen.planning.robust.decision import RobustLimits, at_best_caution, judge_feared, judge_wanted
from foramen.planning.robust.estimate import Laws, Looks, TargetSample, any_passes, capture_probabilities
from foramen.planning.robust.outcome import Reduced


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Judge:
    """Compares the bounds of every probability with its limits."""

    reduced: tuple[Reduced, ...]
    laws: tuple[Laws, ...]
    is_boiling: tuple[bool, ...]
    looks: Looks
    limits: RobustLimits

    @property
    def unknown(self) -> tuple[str, ...]:
        """Neighbours that have a limit but are not shown."""
        every = (n for model in self.reduced for n in model.scene.neighbours)
        return tuple(sorted({n.name for n in every if n.points_mm is None and n.reject_degC is not None}))

    def captures(self, target: int, sample: TargetSample) -> tuple[CaptureProbability, ...]:
        """Capture probabilities at one target."""
        return capture_probabilities(sample, self.laws[target], self.reduced[target].fractions, self.looks)

    def capture_decision(self, target: int, found: Sequence[CaptureProbability]) -> RobustDecision:
        """Decision on one target, by its first wanted fraction."""
        limits = self.limits
        decision = judge_wanted(found[0].probability, accept=limits.capture_accept, reject=limits.capture_reject)
        return at_best_caution(decision) if self.is_boiling[target] else decision

    def any_keep_out(self, samples: Sequence[TargetSample]) -> Probability:
        """Probability that any neighbour reaches the temperature from which a plan is rejected."""
        return any_passes(samples, self.laws, [self.reject_degC(t) for t in range(len(self.reduced))], self.looks)

    def keep_out_decision(self, found: Probability) -> RobustDecision:
        """Decision on the neighbours; one that is not shown leaves at best a caution."""
        limits = self.limits
        decision = judge_feared(found, accept=limits.keep_out_accept, reject=limits.keep_out_reject)
        return at_best_caution(decision) if self.unknown else decision

    def decisions(self, samples: Sequence[TargetSample]) -> tuple[RobustDecision, ...]:
        """Decisions on every target, then on the neighbours."""
        captures = (self.capture_decision(t, self.captures(t, sample)) for t, sample in enumerate(samples))
        return (*captures, self.keep_out_decision(self.any_keep_out(samples)))

    def reject_degC(self, target: int) -> FloatArray:
        """Rejecting temperature of each neighbour of a target; NaN where there is none."""
        limits = [n.reject_degC for n in self.reduced[target].scene.neighbours]
        return np.array([np.nan if limit is None else limit for limit in limits])

    def caution_degC(self, target: int) -> FloatArray:
        """Cautioning temperature of each neighbour of a target."""
        return np.array([n.caution_degC for n in self.reduced[target].scene.neighbours])
