"""Triangle surfaces about points and courses: balls, and tubes with round ends."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from foramen.errors import ImageError
from foramen.model.space import FloatArray, Surface

CAP_RINGS = 3
"""Rings of each round end between the tube's last ring and its pole."""


def ball_surface(centre_mm: FloatArray, radius_mm: float, *, frame_uid: str, sides: int = 12) -> Surface:
    """Closed surface (LPS mm, outward triangles) of a ball; its vertices lie on it."""
    tiny = 1e-6 * radius_mm * np.array([0.0, 0.0, 1.0])
    course = np.stack([centre_mm - tiny, centre_mm + tiny])
    return tube_surface(course, radius_mm, frame_uid=frame_uid, sides=sides)


def tube_surface(course_mm: FloatArray, radius_mm: float, *, frame_uid: str, sides: int = 12) -> Surface:
    """Closed surface (LPS mm, outward triangles) of a tube about a course, with half balls as ends.

    Parameters
    ----------
    course_mm : ndarray, shape (n, 3)
        At least two different points.
    radius_mm : float
        Of the tube; its vertices lie at this distance from the course where the course is straight.
    sides : int
        Corners of its cross-section.

    Raises
    ------
    ImageError
        If two neighbouring points coincide or the radius is not above 0.
    """
    steps = np.diff(course_mm, axis=0)
    lengths = np.linalg.norm(steps, axis=1)
    if len(course_mm) < 2 or radius_mm <= 0 or not (lengths > 0).all():
        raise ImageError(f"A tube needs two different points and a radius above 0, not {radius_mm:g} mm.")
    along = steps / lengths[:, None]
    inner = along[:-1] + along[1:]
    tangents = np.concatenate([along[:1], inner / np.linalg.norm(inner, axis=1, keepdims=True), along[-1:]])
    first, second = _frames(tangents)
    rise = np.pi / 2 * np.arange(1, CAP_RINGS + 1) / (CAP_RINGS + 1)
    lead = np.concatenate([-np.sin(rise[::-1]), np.zeros(len(course_mm)), np.sin(rise)])  # shift along the tangent
    wide = np.concatenate([np.cos(rise[::-1]), np.ones(len(course_mm)), np.cos(rise)])
    which = np.concatenate(
        [np.zeros(CAP_RINGS, int), np.arange(len(course_mm)), np.full(CAP_RINGS, len(course_mm) - 1)]
    )
    angle = 2 * np.pi * np.arange(sides) / sides
    round_mm = (
        radius_mm
        * wide[:, None, None]
        * (
            np.cos(angle)[None, :, None] * first[which][:, None, :]
            + np.sin(angle)[None, :, None] * second[which][:, None, :]
        )
    )
    centres = course_mm[which] + radius_mm * lead[:, None] * tangents[which]
    rings = (centres[:, None, :] + round_mm).reshape(-1, 3)
    poles = np.stack([course_mm[0] - radius_mm * tangents[0], course_mm[-1] + radius_mm * tangents[-1]])
    return Surface(vertices_mm=np.concatenate([rings, poles]), faces=_faces(len(which), sides), frame_uid=frame_uid)


def _frames(tangents: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Two unit vectors (n, 3) across each tangent, right-handed with it, turned little from one to the next."""
    start = np.eye(3)[int(np.argmin(np.abs(tangents[0])))]
    first = np.empty_like(tangents)
    for number, tangent in enumerate(tangents):
        across = start - (start @ tangent) * tangent
        start = first[number] = across / np.linalg.norm(across)
    return first, np.cross(tangents, first)


def _faces(rings: int, sides: int) -> NDArray[np.int64]:
    here = np.arange(sides)
    there = (here + 1) % sides
    bands = [
        np.concatenate(
            [
                np.stack([r * sides + here, r * sides + there, (r + 1) * sides + there], axis=1),
                np.stack([r * sides + here, (r + 1) * sides + there, (r + 1) * sides + here], axis=1),
            ]
        )
        for r in range(rings - 1)
    ]
    last = (rings - 1) * sides
    begin = np.stack([np.full(sides, rings * sides), there, here], axis=1)
    end = np.stack([np.full(sides, rings * sides + 1), last + here, last + there], axis=1)
    faces: NDArray[np.int64] = np.concatenate([*bands, begin, end]).astype(np.int64)
    return faces
