"""Size of one body relative to the mean, drawn from a seed within sourced ranges."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from foramen.knowledge.facts import number


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """Scale of the bones along (left, posterior, superior), of disc height, spinal curve and subcutaneous fat."""

    scale: tuple[float, float, float] = (1.0, 1.0, 1.0)
    disc_scale: float = 1.0
    curve_scale: float = 1.0
    fat_scale: float = 1.0


MEAN_BUILD = Build()


def draw_build(seed: int | None) -> Build:
    """Build drawn from a seed; None is the mean body."""
    if seed is None:
        return MEAN_BUILD
    generator = np.random.default_rng(seed)
    size_sd, limit = number("anatomy.size_sd_fraction"), number("anatomy.size_limit_fraction")
    common = generator.normal(0.0, number("anatomy.size_common_fraction") * size_sd)
    own = generator.normal(0.0, number("anatomy.size_own_fraction") * size_sd, 3)
    x, y, z = (1.0 + np.clip(common + own, -limit, limit)).tolist()
    disc_sd, curve_sd = number("anatomy.disc_height_sd_fraction"), number("anatomy.curve_sd_fraction")
    return Build(
        scale=(x, y, z),
        disc_scale=_near_one(generator, disc_sd),
        curve_scale=_near_one(generator, curve_sd),
        fat_scale=_near_one(generator, number("anatomy.fat_sd_fraction")),
    )


def _near_one(generator: np.random.Generator, sd: float) -> float:
    limit = number("anatomy.spread_limit_sd") * sd
    return float(1.0 + np.clip(generator.normal(0.0, sd), -limit, limit))
