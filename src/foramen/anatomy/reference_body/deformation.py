"""A smooth random deformation of one bone, outside everything that the generator's own parameters can make."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates

from foramen.model.space import FloatArray

GRID_MM = 5.0
"""Spacing of the displacements; linear values between are right to 0.03 mm for a correlation length of 15 mm."""

REACH_MM = 165.0
"""Half size of the cube about the bone's origin in which displacements are known: larger than any bone."""

ROUNDS, SETTLED_MM = 60, 1e-4
"""Most fixed-point rounds, each shrinking the error by the field's slope (0.13, 0.6 in a broken body), and the end."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Deformation:
    """Displacements on a grid in a bone's frame: the bone at ``q`` is what was at ``q - u(q)``.

    Parameters
    ----------
    displacement_mm : ndarray of float32, shape (3, n, n, n)
        Components along left, posterior, superior on a cube of `GRID_MM` about the origin.
    """

    displacement_mm: np.ndarray

    @property
    def largest_mm(self) -> float:
        """Largest displacement along one axis."""
        return float(np.abs(self.displacement_mm).max())

    def at(self, points_mm: FloatArray) -> FloatArray:
        """Displacement (n, 3) at points (n, 3) of the deformed bone."""
        index = (np.atleast_2d(points_mm).T + REACH_MM) / GRID_MM
        found: FloatArray = np.stack(
            [map_coordinates(c, index, order=1, mode="nearest", output=np.float64) for c in self.displacement_mm],
            axis=1,
        )
        return found

    def undo(self, points_mm: FloatArray) -> FloatArray:
        """Where points (n, 3) of the deformed bone were before."""
        before: FloatArray = np.atleast_2d(points_mm) - self.at(points_mm)
        return before

    def apply(self, points_mm: FloatArray) -> FloatArray:
        """Where points (n, 3) of the undeformed bone go: ``q = p + u(q)`` by fixed point."""
        points = np.atleast_2d(points_mm)
        moved: FloatArray = points
        for _ in range(ROUNDS):
            last, moved = moved, points + self.at(moved)
            if np.abs(moved - last).max(initial=0.0) < SETTLED_MM:
                break
        return moved


def draw_deformation(generator: np.random.Generator, *, rms_mm: float, correlation_mm: float) -> Deformation:
    """A Gaussian random field of displacements.

    Parameters
    ----------
    generator : Generator
        Source of randomness.
    rms_mm : float
        Root mean square length of the displacement.
    correlation_mm : float
        Correlation length ``l`` of each component: its correlation at distance ``r`` is ``exp(-r^2 / (2 l^2))``.

    Notes
    -----
    White noise filtered by a Gaussian of standard deviation ``l / sqrt(2)`` has that correlation.
    """
    count = int(2 * REACH_MM / GRID_MM) + 1
    noise = generator.standard_normal((3, count, count, count), dtype=np.float32)
    sigma = correlation_mm / np.sqrt(2.0) / GRID_MM
    smooth = np.stack([gaussian_filter(c, sigma, mode="wrap") for c in noise])
    length = float(np.sqrt((smooth**2).sum(axis=0).mean()))
    return Deformation(displacement_mm=(smooth * np.float32(rms_mm / length)).astype(np.float32))


def with_change(first: Deformation | None, undo_change: Callable[[FloatArray], FloatArray]) -> Deformation:
    """One deformation of a bone that has changed in a known way and is then deformed at random.

    Parameters
    ----------
    first : Deformation or None
        What came after the change, and is undone first.
    undo_change : callable
        Points (n, 3) before the change of points after it.
    """
    axis = np.arange(-REACH_MM, REACH_MM + 0.5 * GRID_MM, GRID_MM)
    points = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)
    before = undo_change(points if first is None else points - first.displacement_mm.reshape(3, -1).T)
    count = len(axis)
    return Deformation(displacement_mm=(points - before).T.reshape(3, count, count, count).astype(np.float32))
