"""Labels drawn over a cut: outlines and a light fill, vertebrae in alternating colours, the rest by tissue."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from foramen.knowledge.labels import label
from foramen.model.levels import USUAL_ORDER, Vertebra
from foramen.model.space import FloatArray, LabelMap
from foramen.report.palette import rgb

FILL_OPACITY = 0.14
OUTLINE_OPACITY = 0.95

_VERTEBRA_COLOURS = ("#E69F00", "#56B4E9", "#00D98B", "#F0E442", "#FF8AD0", "#FF6F3C", "#7FA8FF", "#8BE04E")

TISSUE_COLOURS = {
    "blood": "#FF4D4D",
    "organ": "#B08CFF",
    "muscle": "#C98C8C",
    "bone": "#E8E8E8",
    "csf": "#FFFFFF",
    "spinal_cord": "#9FE8FF",
    "nerve": "#FFF2A8",
    "disc": "#4FE3FF",
    "fat": "#8C7B2E",
    "skin": "#A0A0A0",
    "lung": "#7A93AC",
    "air": "#7A93AC",
    "ligament": "#D7B98E",
    "cartilage": "#D7B98E",
    "metal": "#FFFF00",
    "cement": "#FFFF00",
}
"""Colour of what is no vertebra, by tissue."""

UNNAMED_COLOUR = "#FFFFFF"
"""Colour of a tissue that the table does not list."""

SPINE_ORDER = (*USUAL_ORDER[:19], "T13", *USUAL_ORDER[19:24], "L6", "S1")
"""All vertebrae from above downwards, supernumerary ones included."""


def vertebra_colour(vertebra: Vertebra) -> str:
    """Colour of a vertebra's outline; neighbours differ."""
    return _VERTEBRA_COLOURS[SPINE_ORDER.index(vertebra.name) % len(_VERTEBRA_COLOURS)]


def label_colour(value: int) -> str | None:
    """Colour of a label's value, or None if the table of labels does not know it."""
    meaning = label(value)
    if meaning is None:
        return None
    if meaning.vertebra is not None:
        return vertebra_colour(meaning.vertebra)
    return TISSUE_COLOURS.get(meaning.tissue, UNNAMED_COLOUR)


def nearest_labels(labels: LabelMap, points_mm: FloatArray) -> NDArray[np.int64]:
    """Label numbers (rows, columns) of the voxels nearest to LPS points (rows, columns, 3); 0 outside the image."""
    index = np.rint(labels.geometry.index(points_mm.reshape(-1, 3))).astype(np.int64)
    is_inside = np.all((index >= 0) & (index < labels.geometry.shape), axis=1)
    numbers = np.zeros(len(index), dtype=np.int64)
    numbers[is_inside] = labels.values[tuple(index[is_inside].T)]
    return numbers.reshape(points_mm.shape[:-1])


def label_overlay(numbers: NDArray[np.int64], *, strength: float = 1.0) -> tuple[NDArray[np.float64], set[str]]:
    """Colours (rows, columns, RGBA) of a cut through the labels, and the tissues other than vertebrae that it shows.

    Parameters
    ----------
    numbers : ndarray of int, shape (rows, columns)
        Label values.
    strength : float
        Factor on the opacity, so that marks drawn on top stand out.
    """
    is_edge = np.zeros(numbers.shape, dtype=bool)
    for axis in (0, 1):
        differs = np.diff(numbers, axis=axis) != 0
        first = [slice(None), slice(None)]
        second = [slice(None), slice(None)]
        first[axis], second[axis] = slice(None, -1), slice(1, None)
        is_edge[tuple(first)] |= differs
        is_edge[tuple(second)] |= differs
    present = np.unique(numbers)
    colours = np.zeros((int(present[-1]) + 1, 3))
    is_known = np.zeros(len(colours), dtype=bool)
    tissues: set[str] = set()
    for number in present:
        colour, meaning = label_colour(int(number)), label(int(number))
        if colour is None or meaning is None:
            continue
        is_known[number] = True
        colours[number] = rgb(colour)
        if meaning.vertebra is None:
            tissues.add(meaning.tissue)
    overlay = np.zeros((*numbers.shape, 4))
    overlay[..., :3] = colours[numbers]
    opacity = np.where(is_edge, OUTLINE_OPACITY, FILL_OPACITY)
    overlay[..., 3] = np.where(is_known[numbers], strength * opacity, 0.0)
    return overlay, tissues
