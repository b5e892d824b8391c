"""Cameras: where the rays of a picture start and which way they go."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from foramen.errors import InputError
from foramen.model.space import FloatArray
from foramen.report.slices import direction_letters


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Camera:
    """A viewer who looks along `look` at a square of half-edge `half_mm` about `centre_mm` (LPS).

    With `source_mm` of 0 all rays are parallel to `look`; otherwise they leave a point at that distance
    from the centre, on the far side (an X-ray source that the viewer's detector faces).
    """

    centre_mm: FloatArray
    look: FloatArray
    up: FloatArray
    half_mm: float
    pixels: int
    source_mm: float = 0.0

    def __post_init__(self) -> None:
        frame = np.stack([self.look, self.up])
        if np.abs(frame @ frame.T - np.eye(2)).max() > 1e-6:
            raise InputError("A camera's look and up directions must be perpendicular unit vectors.")

    @property
    def right(self) -> FloatArray:
        """Unit vector to the right of the picture."""
        right: FloatArray = np.cross(self.look, self.up)
        return right

    @property
    def letters(self) -> dict[str, str]:
        """What each edge of the picture faces."""
        return {
            "left": direction_letters(-self.right),
            "right": direction_letters(self.right),
            "top": direction_letters(self.up),
            "bottom": direction_letters(-self.up),
        }

    def pixel_points_mm(self) -> FloatArray:
        """LPS positions of the pixels in the plane through the centre, shape (rows * columns, 3)."""
        steps = ((np.arange(self.pixels) + 0.5) / self.pixels * 2 - 1) * self.half_mm
        grid = self.centre_mm + steps[None, :, None] * self.right - steps[:, None, None] * self.up
        points: FloatArray = grid.reshape(-1, 3)
        return points

    def rays(self, reach_mm: float) -> tuple[FloatArray, FloatArray]:
        """Starts and unit directions (n, 3) of rays that cover `reach_mm` before and behind the centre."""
        points = self.pixel_points_mm()
        if self.source_mm == 0.0:
            starts = points - reach_mm * self.look
            return starts, np.broadcast_to(self.look, starts.shape).copy()
        source = self.centre_mm + self.source_mm * self.look
        directions = points - source
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        return np.broadcast_to(source, points.shape).copy(), directions

    def project(self, points_mm: FloatArray) -> FloatArray:
        """Positions (n, 2) in the picture, mm right and up of its centre, for parallel rays."""
        offset = np.atleast_2d(points_mm) - self.centre_mm
        flat: FloatArray = offset @ np.stack([self.right, self.up]).T
        return flat


def camera_facing(
    look: FloatArray, *, centre_mm: FloatArray, half_mm: float, pixels: int, up_hint: FloatArray | None = None
) -> Camera:
    """Parallel camera that looks along a direction with the head (or the hint) towards the top."""
    look = np.asarray(look, dtype=np.float64) / np.linalg.norm(look)
    hint = np.array([0.0, 0.0, 1.0]) if up_hint is None else up_hint
    up = hint - (hint @ look) * look
    if np.linalg.norm(up) < 1e-3:
        up = np.array([0.0, -1.0, 0.0]) + look[1] * look
    return Camera(centre_mm=centre_mm, look=look, up=up / np.linalg.norm(up), half_mm=half_mm, pixels=pixels)
