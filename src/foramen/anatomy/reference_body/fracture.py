"""A wedge fracture: the upper endplate has sunk, most in front; the posterior wall, arch and lower endplate stand."""

from __future__ import annotations

import numpy as np

from foramen.anatomy.reference_body.build import Build
from foramen.anatomy.reference_body.dimensions import VertebraDimensions, dimensions
from foramen.anatomy.reference_body.pathology import WedgeFracture
from foramen.knowledge.facts import number
from foramen.model.space import FloatArray


def wedge_deg(fracture: WedgeFracture, build: Build) -> float:
    """Angle by which the upper endplate has turned forwards (the bone is drawn as its level)."""
    own = dimensions(fracture.level)
    height_mm, depth_mm = own.body_height_mm * build.scale[2], own.body_depth_mm * build.scale[1]
    return float(np.degrees(np.arctan(fracture.loss_fraction * height_mm / depth_mm)))


def central_loss_mm(fracture: WedgeFracture, build: Build) -> float:
    """Loss of height in the middle of the body."""
    height_mm = dimensions(fracture.level).body_height_mm * build.scale[2]
    return height_mm * (0.5 * fracture.loss_fraction + number("cohort.fracture_central_fraction"))


def before_fracture(points_mm: FloatArray, fracture: WedgeFracture, build: Build) -> FloatArray:
    """Where points (n, 3) of the broken bone (scaled, its own frame) were before it broke."""
    own = dimensions(fracture.level)
    height_mm = own.body_height_mm * build.scale[2]
    loss_mm = _loss_mm(points_mm, own, fracture, build)
    low, top = -0.5 * height_mm, 0.5 * height_mm - loss_mm
    z = points_mm[:, 2]
    within = low + (z - low) * height_mm / (height_mm - loss_mm)
    before = points_mm.copy()
    before[:, 2] = np.where(z >= top, z + loss_mm, np.where(z > low, within, z))
    return before


def _loss_mm(points_mm: FloatArray, own: VertebraDimensions, fracture: WedgeFracture, build: Build) -> FloatArray:
    height_mm, depth_mm = own.body_height_mm * build.scale[2], own.body_depth_mm * build.scale[1]
    width_mm = own.body_width_mm * build.scale[0]
    x, y = points_mm[:, 0], points_mm[:, 1]
    forwards = np.clip((0.5 * depth_mm - y) / depth_mm, 0.0, 1.0)
    wide = number("cohort.fracture_dent_fraction")
    away = (x / (wide * width_mm)) ** 2 + (y / (wide * depth_mm)) ** 2
    dent = number("cohort.fracture_central_fraction") * np.exp(-0.5 * away) * (forwards > 0)
    loss: FloatArray = height_mm * (fracture.loss_fraction * forwards + dent)
    return loss
