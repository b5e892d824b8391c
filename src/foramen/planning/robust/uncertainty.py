"""What is not known exactly, as standard deviations, read from the knowledge."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial

from foramen.knowledge.facts import fact, number
from foramen.model.evidence import Trace
from foramen.model.robust import Varied


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncertainty:
    """Standard deviations of everything that a scenario varies.

    Parameters
    ----------
    across_mm, along_mm : float
        Residual place of the tip after the confirming views, for each direction across the shaft and along it.
    angle_deg : float
        Direction of the bare tip, for each of two planes.
    curvature_per_mm : float
        Bending of the shaft, for each of two planes; the bare tip then leaves the chord by curvature x depth / 2.
    nerve_correlation_mm : float
        Length over which a nerve's departure from its mean course persists.
    nerve_factor, registration_factor : float
        On the standard deviations that the plan's own nerves and targets carry; 0 leaves them where they are.
    perfusion_log, thermal_log, contrast_log : float
        Of the logarithms of the factors of `TissueShift`.
    calibration_K, baseline_K : float
        True minus displayed temperature; body temperature.
    """

    across_mm: float
    along_mm: float
    angle_deg: float
    curvature_per_mm: float
    nerve_correlation_mm: float
    perfusion_log: float
    thermal_log: float
    contrast_log: float
    calibration_K: float
    baseline_K: float
    nerve_factor: float = 1.0
    registration_factor: float = 1.0


def known_uncertainty(gauge: float) -> Uncertainty:
    """What the knowledge says for a needle of that gauge."""
    kind = _kind(gauge)
    return Uncertainty(
        across_mm=number(f"robust.needle_across_sd_{kind}_mm"),
        along_mm=number(f"robust.needle_along_sd_{kind}_mm"),
        angle_deg=number("robust.needle_angle_sd_deg"),
        curvature_per_mm=number(f"robust.curvature_sd_{kind}_per_mm"),
        nerve_correlation_mm=number("robust.nerve_correlation_mm"),
        perfusion_log=number("robust.perfusion_log_sd"),
        thermal_log=number("robust.thermal_log_sd"),
        contrast_log=number("robust.contrast_log_sd"),
        calibration_K=number("robust.calibration_sd_K"),
        baseline_K=number("robust.baseline_sd_K"),
    )


def _kind(gauge: float) -> str:
    return "thick" if gauge <= number("robust.thick_gauge_max_g") else "thin"


def _factor(log_sd: float) -> str:
    return f"a factor of {math.exp(log_sd):.2f} either way"


def _varied(name: str, spread: str, fact_id: str, *, is_common: bool) -> Varied:
    source = fact(fact_id)
    return Varied(
        name=name, spread=spread, is_common=is_common, trace=source.trace, sources=source.sources, note=source.note
    )


def varied_list(spread: Uncertainty, *, gauge: float, nerve_mm: float, registration_mm: float) -> tuple[Varied, ...]:
    """What is varied, in words, with its provenance; `nerve_mm` and `registration_mm` are the plan's largest."""
    kind = _kind(gauge)
    needle, common = partial(_varied, is_common=False), partial(_varied, is_common=True)
    own = "as the plan states it for this patient; see the target and the nerve"
    return (
        needle("tip across the shaft", f"{spread.across_mm:g} mm each way", f"robust.needle_across_sd_{kind}_mm"),
        needle("tip along the shaft", f"{spread.along_mm:g} mm", f"robust.needle_along_sd_{kind}_mm"),
        needle("direction of the bare tip", f"{spread.angle_deg:g} deg each way", "robust.needle_angle_sd_deg"),
        needle("bending", f"{1e3 * spread.curvature_per_mm:g} per m each way", f"robust.curvature_sd_{kind}_per_mm"),
        Varied(
            name="registration of landmarks and nerves",
            spread=f"{spread.registration_factor * registration_mm:.1f} mm each way",
            is_common=True,
            trace=Trace.DERIVED,
            note=own,
        ),
        Varied(
            name="course of each nerve",
            spread=f"up to {spread.nerve_factor * nerve_mm:.1f} mm across it, over {spread.nerve_correlation_mm:g} mm",
            is_common=True,
            trace=fact("robust.nerve_correlation_mm").trace,
            sources=fact("robust.nerve_correlation_mm").sources,
            note=own,
        ),
        common("perfusion of every tissue", _factor(spread.perfusion_log), "robust.perfusion_log_sd"),
        common("thermal conductivity", _factor(spread.thermal_log), "robust.thermal_log_sd"),
        common("exponent of electric contrast", _factor(spread.contrast_log), "robust.contrast_log_sd"),
        common("generator's temperature", f"{spread.calibration_K:g} K", "robust.calibration_sd_K"),
        common("body temperature", f"{spread.baseline_K:g} K", "robust.baseline_sd_K"),
    )
