"""Spinal nerves and ganglia drawn into an image; they are no labels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from foramen.anatomy.reference_body.canvas import Canvas
from foramen.knowledge.labels import structure_labels
from foramen.model.anatomy import Anatomy, NerveKind

DRAWN = (NerveKind.SPINAL_NERVE, NerveKind.DORSAL_ROOT_GANGLION)
"""Nerves that are thick enough to be seen."""


def draw_nerves(image: NDArray[np.float32], canvas: Canvas, anatomy: Anatomy, value: float) -> None:
    """Write a value into the image, in place, where spinal nerves and ganglia run outside the thecal sac."""
    sac = [entry.value for entry in structure_labels() if entry.keep_out == "thecal_sac"]
    x, y, z = (canvas.axis_mm(axis) for axis in range(3))
    for nerve in anatomy.nerves:
        if nerve.kind not in DRAWN:
            continue
        reach = nerve.radius_mm
        for point in nerve.centreline_mm:
            i, j, k = (canvas.span(axis, point[axis] - reach, point[axis] + reach) for axis in range(3))
            away = (x[i, None, None] - point[0]) ** 2 + (y[None, j, None] - point[1]) ** 2
            inside = away + (z[None, None, k] - point[2]) ** 2 < reach**2
            inside &= ~np.isin(canvas.labels[i, j, k], sac)
            image[i, j, k][inside] = value
