"""How far the reduced model is from full solutions, and what that does to a probability.

A full solution of a scenario moves the needle, looks up the tissue about it anew and solves with the scenario's
properties. Full minus reduced is taken as bias plus normal noise; both are drawn into every scenario, and the
uncertainty of both (Student's t, chi squared) widens the interval of every probability.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from foramen.model.robust import ReducedModelError
from foramen.model.space import FloatArray
from foramen.planning.robust.outcome import Outcome
from foramen.planning.robust.sequential import exact_interval


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorLaw:
    """Normal law of an error: best guess, then the corners of its confidence region, as (bias, sd)."""

    corners: tuple[tuple[float, float], ...]

    def draws(self, normal: FloatArray) -> FloatArray:
        """The error (corners, n) of scenarios with these standard normal numbers (n,); the best guess first."""
        found: FloatArray = np.array([bias + sd * normal for bias, sd in self.corners])
        return found


def error_law(errors: FloatArray, *, error: float) -> ErrorLaw:
    """The law of a sample (n,) of errors; all corners hold together with probability 1 - `error`."""
    count = len(errors)
    bias, sd = float(errors.mean()), float(errors.std(ddof=1))
    half = float(stats.t.ppf(1 - error / 4, count - 1)) * sd / np.sqrt(count)
    most, least = (sd * float(np.sqrt((count - 1) / stats.chi2.ppf(p, count - 1))) for p in (error / 4, 1 - error / 4))
    return ErrorLaw(corners=((bias, sd), *((bias + sign * half, s) for sign in (-1, 1) for s in (least, most))))


def margin_errors(full: Sequence[Outcome], reduced: Sequence[Outcome]) -> FloatArray:
    """Full minus reduced margin of capture (n,), the mean over the wanted fractions."""
    return np.array([float(np.mean(f.margins_K - r.margins_K)) for f, r in zip(full, reduced, strict=True)])


def rise_errors(full: Sequence[Outcome], reduced: Sequence[Outcome]) -> FloatArray:
    """Full minus reduced rise at the hottest neighbour of each scenario, as a fraction (n,); 0 where there is none."""
    found = []
    for there, here in zip(full, reduced, strict=True):
        rise = here.peaks_degC - here.baseline_degC
        if not np.isfinite(rise).any():
            found.append(0.0)
            continue
        hottest = int(np.nanargmax(rise))
        found.append((there.peaks_degC[hottest] - here.peaks_degC[hottest]) / _scale(rise[hottest]))
    return np.array(found, dtype=np.float64)


def corrected_degC(peaks_degC: FloatArray, baseline_degC: FloatArray, error: FloatArray) -> FloatArray:
    """Temperatures with an error (a fraction of the rise, of 1 K where it is less) added."""
    found: FloatArray = peaks_degC + error * _scale(peaks_degC - baseline_degC)
    return found


def _scale(rise_K: FloatArray) -> FloatArray:
    return np.maximum(rise_K, 1.0)


def error_summary(
    target: str, full: Sequence[Outcome], reduced: Sequence[Outcome], *, error: float
) -> ReducedModelError:
    """What is printed of the reduced model's error at one target."""
    margin, rise = margin_errors(full, reduced), rise_errors(full, reduced)
    differ = sum(
        bool(np.any((there.margins_K >= 0) != (here.margins_K >= 0))) for there, here in zip(full, reduced, strict=True)
    )
    return ReducedModelError(
        target=target,
        solves=len(full),
        bias_K=float(margin.mean()),
        sd_K=float(margin.std(ddof=1)),
        largest_K=float(np.abs(margin).max()),
        disagreements=differ,
        disagreement_high_fraction=exact_interval(differ, len(full), error=2 * error)[1],
        structure_bias_fraction=float(rise.mean()),
        structure_sd_fraction=float(rise.std(ddof=1)),
    )
