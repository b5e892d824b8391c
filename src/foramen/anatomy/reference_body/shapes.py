"""Struts of the drawings in `knowledge/reference_bones.yaml`, put where they belong on a bone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from foramen.anatomy.reference_body.primitives import Strut, Vector
from foramen.knowledge.drawings import StrutShape
from foramen.model.space import FloatArray

ORIGIN: Vector = (0.0, 0.0, 0.0)


def placed(
    shape: StrutShape,
    start_mm: Sequence[float] | FloatArray = ORIGIN,
    end_mm: Sequence[float] | FloatArray = ORIGIN,
    *,
    wide: FloatArray | None = None,
    radii_scale: tuple[float, float] = (1.0, 1.0),
    radii_from_mm: tuple[float, float] = (0.0, 0.0),
) -> Strut:
    """The strut of a shape whose ends are given from `start_mm` and `end_mm` (3,), in the vertebra's frame.

    Parameters
    ----------
    wide : ndarray, shape (3,), optional
        Direction of the first radius, for shapes that leave it open.
    radii_scale, radii_from_mm : tuple of float
        The shape's radii are multiplied by the first and added to the second.
    """
    direction = vector(wide) if wide is not None else shape.wide
    (start_a, start_b), (end_a, end_b) = np.array(shape.radii_mm) * radii_scale + radii_from_mm
    return Strut(
        start=vector(np.asarray(start_mm) + np.array(shape.start_mm)),
        end=vector(np.asarray(end_mm) + np.array(shape.end_mm)),
        wide=direction if direction is not None else (1.0, 0.0, 0.0),
        start_radii_mm=(float(start_a), float(start_b)),
        end_radii_mm=(float(end_a), float(end_b)),
        part=shape.part,
        blend_mm=shape.blend_mm,
        cap_mm=shape.cap_mm,
    )


def vector(values: Sequence[float] | FloatArray) -> Vector:
    """Three numbers as a tuple."""
    return float(values[0]), float(values[1]), float(values[2])
