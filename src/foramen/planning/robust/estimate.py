"""Probabilities from scenarios by the reduced model, with intervals that hold over all looks."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foramen.model.robust import CaptureProbability, Probability
from foramen.model.space import FloatArray
from foramen.planning.robust.outcome import Outcome, Reduced
from foramen.planning.robust.scenario import Sampler
from foramen.planning.robust.sequential import look_interval
from foramen.planning.robust.surrogate_error import ErrorLaw, corrected_degC

BLOCK = 25
"""Scenarios that a thread takes at a time; no number depends on it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Laws:
    """Errors of the reduced model at one target: of the margin of capture (K) and of the rise (fraction)."""

    margin: ErrorLaw
    rise: ErrorLaw


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """How often bounds are compared with limits, and the probability of error of one interval over all looks."""

    counts: tuple[int, ...]
    error: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TargetSample:
    """Scenarios (n) at one target."""

    fraction: FloatArray  # (n,)
    margins_K: FloatArray  # (n, wanted fractions)
    peaks_degC: FloatArray  # (n, neighbours)
    baseline_degC: FloatArray  # (n,)
    error: FloatArray  # (n, 2): standard normal

    def joined(self, other: TargetSample) -> TargetSample:
        """This sample and a further one."""
        return TargetSample(
            **{name: np.concatenate([getattr(self, name), getattr(other, name)]) for name in self.__slots__}
        )

    def captured(self, laws: Laws) -> NDArray[np.bool_]:
        """Whether each wanted fraction is captured (corners, n, wanted fractions), by corner of the error's law."""
        error = laws.margin.draws(self.error[:, 0])
        return np.asarray(self.margins_K[None] + error[:, :, None] >= 0)

    def temperatures(self, laws: Laws) -> FloatArray:
        """Temperatures (corners, n, neighbours), by corner of the error's law."""
        error = laws.rise.draws(self.error[:, 1])
        return corrected_degC(self.peaks_degC[None], self.baseline_degC[None, :, None], error[:, :, None])


def sampled(
    reduced: Sequence[Reduced], sampler: Sampler, indices: range, *, threads: int | None = None
) -> list[TargetSample]:
    """Scenarios `indices` at every target; each block is computed by one thread on its own."""
    blocks = [indices[first : first + BLOCK] for first in range(0, len(indices), BLOCK)]

    def work(block: range) -> list[list[Outcome]]:
        return [[model.outcome(scenario) for model in reduced] for scenario in map(sampler.draw, block)]

    with ThreadPoolExecutor(max_workers=threads or os.cpu_count() or 1) as pool:
        rows = [row for block in pool.map(work, blocks) for row in block]
    errors = np.array([sampler.draw(index).error for index in indices])
    return [
        TargetSample(
            fraction=np.array([row[t].fraction for row in rows]),
            margins_K=np.array([row[t].margins_K for row in rows]),
            peaks_degC=np.array([row[t].peaks_degC for row in rows]),
            baseline_degC=np.array([row[t].baseline_degC for row in rows]),
            error=errors[:, t],
        )
        for t in range(len(reduced))
    ]


def probability(events: NDArray[np.bool_], looks: Looks) -> Probability:
    """Probability of events (corners, n): the best guess, and the widest interval of all corners."""
    count = events.shape[1]
    hits = sorted({int(corner.sum()) for corner in events})
    ends = [look_interval(h, count, error=looks.error, looks=len(looks.counts)) for h in (hits[0], hits[-1])]
    return Probability(estimate_fraction=float(events[0].mean()), low_fraction=ends[0][0], high_fraction=ends[1][1])


def capture_probabilities(
    sample: TargetSample, laws: Laws, fractions: Sequence[float], looks: Looks
) -> tuple[CaptureProbability, ...]:
    """Probability of capturing at least each wanted fraction."""
    captured = sample.captured(laws)
    return tuple(
        CaptureProbability(captured_fraction=fraction, probability=probability(captured[:, :, at], looks))
        for at, fraction in enumerate(fractions)
    )


def any_passes(
    samples: Sequence[TargetSample], laws: Sequence[Laws], limits_degC: Sequence[FloatArray], looks: Looks
) -> Probability:
    """Probability that any neighbour of any target reaches its limit; NaN in a limit or temperature never does."""
    events = [
        (sample.temperatures(law) >= limits).any(axis=2)
        for sample, law, limits in zip(samples, laws, limits_degC, strict=True)
    ]
    return probability(np.any(events, axis=0), looks)


def until_decided(
    draw: Callable[[range], list[TargetSample]],
    is_decided: Callable[[list[TargetSample]], bool],
    looks: Looks,
) -> list[TargetSample]:
    """Samples drawn from look to look until every question is decided, or the last look is reached."""
    samples = draw(range(looks.counts[0]))
    for before, after in zip(looks.counts, looks.counts[1:], strict=False):
        if is_decided(samples):
            break
        samples = [old.joined(new) for old, new in zip(samples, draw(range(before, after)), strict=True)]
    return samples
