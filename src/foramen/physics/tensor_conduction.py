"""Conduction in a medium whose conductivity is a tensor (cord, nerve, muscle along and across its fibres), in a box.

The diagonal elements are two-point conductances between neighbours, the off-diagonal ones shears of plaquettes: with
the two diagonal differences A and B of four cells, ``2 s_xy (d phi/dx) (d phi/dy) = s_xy (A^2 - B^2) / (2 h_x h_y)``.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from foramen.errors import InputError
from foramen.physics.linear_system import Links

FloatArray = NDArray[np.float64]


def tensor_conductances(edges_m: tuple[FloatArray, FloatArray, FloatArray], tensor: FloatArray) -> tuple[Links, Links]:
    """Links and shears of a box of cells.

    Parameters
    ----------
    edges_m : tuple of ndarray
        Edges of the cells along each axis (n + 1,).
    tensor : ndarray, shape (n0, n1, n2, 3, 3)
        Symmetric positive conductivity (S/m, or W/m/K) of every cell.

    Raises
    ------
    InputError
        If a tensor is not symmetric and positive.
    """
    if not np.allclose(tensor, np.swapaxes(tensor, -1, -2)) or not np.linalg.eigvalsh(tensor).min() > 0:
        raise InputError("A conductivity tensor must be symmetric with positive principal values.")
    sizes = [np.diff(edges) for edges in edges_m]
    links = []
    for axis in range(3):
        wide, high = (_along(sizes[other], other) for other in range(3) if other != axis)
        half = _along(sizes[axis], axis) / 2 / tensor[..., axis, axis]
        ahead = np.roll(half, -1, axis=axis)
        links.append(_without_last(wide * high / (half + ahead), axis))
    shears = []
    for first, second in combinations(range(3), 2):
        (third,) = {0, 1, 2} - {first, second}
        mean = tensor[..., first, second]
        for axis in (first, second):
            mean = (mean + np.roll(mean, -1, axis=axis)) / 2
        shear = mean * _along(sizes[third], third) / 2
        shears.append(_without_last(_without_last(shear, first), second))
    return (links[0], links[1], links[2]), (shears[0], shears[1], shears[2])


def _along(values: FloatArray, axis: int) -> FloatArray:
    shape = [1, 1, 1]
    shape[axis] = len(values)
    return values.reshape(shape)


def _without_last(values: FloatArray, axis: int) -> FloatArray:
    """A copy in which the last cells along an axis have nothing."""
    found = np.array(values, order="C")
    np.moveaxis(found, axis, 0)[-1] = 0.0
    return found
