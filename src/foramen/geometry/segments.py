"""Distances between points, straight segments and polylines, and cuts of a polyline."""

from __future__ import annotations

import numpy as np

from foramen.errors import InputError
from foramen.kernels.distance import segments_to_polyline
from foramen.model.space import FloatArray


def unit(vector: FloatArray) -> FloatArray:
    """Unit vector (or vectors along the last axis) of a direction; raises `InputError` for a zero vector."""
    length = np.linalg.norm(vector, axis=-1, keepdims=True)
    if np.any(length < 1e-12):
        raise InputError("A vector of length 0 has no direction.")
    direction: FloatArray = np.asarray(vector, dtype=np.float64) / length
    return direction


def point_segment_distance(points_mm: FloatArray, start_mm: FloatArray, end_mm: FloatArray) -> FloatArray:
    """Distances (mm) of points to straight segments.

    Parameters
    ----------
    points_mm, start_mm, end_mm : ndarray, shape (..., 3)
        Points and ends of the segments in one frame; the leading axes broadcast.
    """
    along = end_mm - start_mm
    length_squared = np.maximum((along * along).sum(axis=-1), 1e-18)
    fraction = np.clip(((points_mm - start_mm) * along).sum(axis=-1) / length_squared, 0.0, 1.0)
    nearest = start_mm + fraction[..., None] * along
    distance: FloatArray = np.linalg.norm(points_mm - nearest, axis=-1)
    return distance


def segment_polyline_distance(start_mm: FloatArray, end_mm: FloatArray, polyline_mm: FloatArray) -> FloatArray:
    """Shortest distances (n,) mm between n straight segments (n, 3) and one polyline (m, 3)."""
    starts, ends = np.broadcast_arrays(np.atleast_2d(start_mm), np.atleast_2d(end_mm))
    nearest: FloatArray = segments_to_polyline(
        np.ascontiguousarray(starts, dtype=np.float64),
        np.ascontiguousarray(ends, dtype=np.float64),
        np.ascontiguousarray(polyline_mm, dtype=np.float64),
    )
    return nearest


def point_polyline_distance(points_mm: FloatArray, polyline_mm: FloatArray) -> FloatArray:
    """Shortest distances (n,) mm between points (n, 3) and a polyline (m, 3)."""
    points = np.atleast_2d(points_mm)[:, None, :]
    nearest: FloatArray = point_segment_distance(points, polyline_mm[None, :-1], polyline_mm[None, 1:]).min(axis=1)
    return nearest


def arc_length(polyline_mm: FloatArray) -> FloatArray:
    """Length (n,) mm along a polyline (n, 3) from its first point to each of its points."""
    steps = np.linalg.norm(np.diff(polyline_mm, axis=0), axis=1)
    length: FloatArray = np.concatenate([[0.0], np.cumsum(steps)])
    return length


def project_on_polyline(point_mm: FloatArray, polyline_mm: FloatArray) -> float:
    """Length (mm) along a polyline at which it comes nearest to a point."""
    start, along = polyline_mm[:-1], np.diff(polyline_mm, axis=0)
    length_squared = np.maximum((along * along).sum(axis=1), 1e-18)
    fraction = np.clip(((point_mm - start) * along).sum(axis=1) / length_squared, 0.0, 1.0)
    distance = np.linalg.norm(start + fraction[:, None] * along - point_mm, axis=1)
    nearest = int(distance.argmin())
    steps = np.sqrt((along * along).sum(axis=1))
    return float(steps[:nearest].sum() + fraction[nearest] * steps[nearest])


def cut_polyline(polyline_mm: FloatArray, start_mm: float, end_mm: float, *, step_mm: float) -> FloatArray:
    """Part of a polyline between two lengths along it, resampled at equal steps of at most `step_mm`.

    Raises
    ------
    InputError
        If the part has no length or the polyline is shorter than it.
    """
    length = arc_length(polyline_mm)
    if not -1e-9 <= start_mm < end_mm <= length[-1] + 1e-9:
        raise InputError(
            f"Cannot cut {start_mm:.2f} to {end_mm:.2f} mm out of a line that is {length[-1]:.2f} mm long."
        )
    count = max(1, int(np.ceil((end_mm - start_mm) / step_mm - 1e-9)))
    wanted = np.linspace(start_mm, end_mm, count + 1)
    part: FloatArray = np.stack([np.interp(wanted, length, polyline_mm[:, axis]) for axis in range(3)], axis=1)
    return part
