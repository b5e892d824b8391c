"""Grey matter and dorsal columns within the spinal cord."""

from __future__ import annotations

import numpy as np

from foramen.anatomy.reference_body.canvas import Canvas
from foramen.knowledge.drawings import drawing
from foramen.knowledge.labels import structure_value
from foramen.model.space import FloatArray


def paint_cord_parts(canvas: Canvas, path_mm: FloatArray, half_axes_mm: FloatArray) -> None:
    """Paint grey and dorsal columns over the label of the cord.

    Parameters
    ----------
    path_mm : ndarray, shape (n, 3)
        Middle of the cord, LPS.
    half_axes_mm : ndarray, shape (n, 2)
        Half width and half depth of the cord there.
    """
    rows = drawing("reference_torso.cord").rows
    cord, grey = structure_value("spinal_cord"), structure_value("cord_grey_matter")
    across, back = rows["grey_centre"]
    parts = [
        (structure_value("dorsal_columns"), rows["dorsal_centre"], rows["dorsal_half"]),
        (grey, (0.0, back), rows["bridge_half"]),
        (grey, (across, back), rows["grey_half"]),
        (grey, (-across, back), rows["grey_half"]),
    ]
    for value, centre, half in parts:
        shift = np.column_stack([half_axes_mm * np.array(centre), np.zeros(len(path_mm))])
        canvas.paint_tube(value, path_mm + shift, half_axes_mm * np.array(half), only=(cord,))
