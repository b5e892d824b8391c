"""Intervals that hold however often one looks, and when to stop sampling.

There is a fixed number of looks. Each look uses the exact interval of Clopper and Pearson at an equal share of the
error (Bonferroni), so with at least the stated confidence all looks hold together, whatever the rule of stopping.
"""

from __future__ import annotations

from scipy import stats


def exact_interval(hits: int, count: int, *, error: float) -> tuple[float, float]:
    """Clopper-Pearson interval of a share that misses the truth with probability at most `error`."""
    found = stats.binomtest(hits, count).proportion_ci(confidence_level=1 - error, method="exact")
    return float(found.low), float(found.high)


def look_interval(hits: int, count: int, *, error: float, looks: int) -> tuple[float, float]:
    """The interval of one of several looks that hold together with probability at least 1 - `error`."""
    return exact_interval(hits, count, error=error / looks)
