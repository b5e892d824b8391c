"""A label map being drawn: shapes of the transverse plane, painted slice by slice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foramen.model.space import FloatArray, VolumeGeometry

Labels = NDArray[np.uint16]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Canvas:
    """Labels on a grid whose axes run along left, posterior and superior.

    Parameters
    ----------
    geometry : VolumeGeometry
        Grid with a diagonal affine.
    labels : ndarray of uint16
        Painted in place.
    """

    geometry: VolumeGeometry
    labels: Labels

    def axis_mm(self, axis: int) -> FloatArray:
        """LPS coordinates of the voxel centres along one axis."""
        affine = self.geometry.affine_mm
        found: FloatArray = affine[axis, 3] + affine[axis, axis] * np.arange(self.geometry.shape[axis])
        return found

    def span(self, axis: int, low_mm: float, high_mm: float) -> slice:
        """Voxels along one axis whose centres lie between two coordinates."""
        affine = self.geometry.affine_mm
        first = int(np.ceil((low_mm - affine[axis, 3]) / affine[axis, axis]))
        last = int(np.floor((high_mm - affine[axis, 3]) / affine[axis, axis]))
        return slice(max(first, 0), max(min(last + 1, self.geometry.shape[axis]), 0))

    def between(self, low_mm: float, high_mm: float) -> Canvas | None:
        """The slices from `low_mm` up to, not including, `high_mm` as a canvas; None if there are none."""
        affine, z = self.geometry.affine_mm.copy(), self.axis_mm(2)
        first, end = (int(np.searchsorted(z, height)) for height in (low_mm, high_mm))
        if end <= first:
            return None
        affine[2, 3] = affine[2, 3] + affine[2, 2] * first
        shape = (self.geometry.shape[0], self.geometry.shape[1], end - first)
        geometry = VolumeGeometry(shape=shape, affine_mm=affine, frame_uid=self.geometry.frame_uid)
        return Canvas(geometry=geometry, labels=self.labels[:, :, first:end])

    def paint_tube(
        self,
        value: int,
        path_mm: Sequence[tuple[float, float, float]] | FloatArray,
        radii_mm: Sequence[tuple[float, float]] | FloatArray,
        *,
        only: tuple[int, ...] = (),
        turn_deg: float = 0.0,
        power: float = 2.0,
    ) -> None:
        """Paint a tube of elliptic section whose centre (x, y) and radii are interpolated over z.

        Parameters
        ----------
        value : int
            Label.
        path_mm : array-like, shape (n, 3)
            Centres (x, y, z), LPS, any order of z.
        radii_mm : array-like, shape (n, 2)
            Radii of the section along x and y at the centres.
        only : tuple of int
            Labels that may be painted over; empty for all.
        turn_deg : float
            Turn of the section about z, from x towards y.
        power : float
            Exponent of the superellipse; 2 is an ellipse.
        """
        path, radii = np.asarray(path_mm, dtype=np.float64), np.asarray(radii_mm, dtype=np.float64)
        order = np.argsort(path[:, 2])
        path, radii = path[order], radii[order]
        x, y, z = (self.axis_mm(axis) for axis in range(3))
        allowed = np.zeros(2**16, dtype=np.bool_)
        allowed[list(only)] = True
        cosine, sine = np.cos(np.radians(turn_deg)), np.sin(np.radians(turn_deg))
        for k in range(*self.span(2, path[0, 2], path[-1, 2]).indices(self.geometry.shape[2])):
            cx, cy = (np.interp(z[k], path[:, 2], path[:, c]) for c in range(2))
            rx, ry = (np.interp(z[k], path[:, 2], radii[:, c]) for c in range(2))
            if min(rx, ry) <= 0.3:
                continue
            reach = max(rx, ry) if turn_deg else 0.0
            i, j = (
                self.span(0, cx - max(rx, reach), cx + max(rx, reach)),
                self.span(1, cy - max(ry, reach), cy + max(ry, reach)),
            )
            dx, dy = x[i, None] - cx, y[None, j] - cy
            u, v = (cosine * dx + sine * dy) / rx, (cosine * dy - sine * dx) / ry
            inside = np.abs(u) ** power + np.abs(v) ** power < 1
            block = self.labels[i, j, k]
            if only:
                inside &= allowed[block]
            block[inside] = value


def paint_ellipsoid(
    canvas: Canvas,
    value: int,
    centre_mm: tuple[float, float, float],
    radii_mm: tuple[float, float, float],
    *,
    only: tuple[int, ...] = (),
    turn_deg: float = 0.0,
) -> None:
    """Paint an ellipsoid, turned about z, as a tube of shrinking sections."""
    heights = np.linspace(-0.999, 0.999, 41)
    width = np.sqrt(1 - heights**2)
    path = np.stack(
        [np.full(41, centre_mm[0]), np.full(41, centre_mm[1]), centre_mm[2] + heights * radii_mm[2]], axis=1
    )
    canvas.paint_tube(value, path, np.outer(width, radii_mm[:2]), only=only, turn_deg=turn_deg)
