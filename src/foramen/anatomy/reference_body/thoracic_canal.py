"""Contents of the thoracic canal: ligamentum flavum, epidural fat, dural sac with its fluid, and the cord."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from foramen.anatomy.reference_body.canvas import Canvas
from foramen.anatomy.reference_body.dimensions import dimensions
from foramen.anatomy.reference_body.rib_cage import CARRIERS
from foramen.anatomy.reference_body.spine_line import SpineLine
from foramen.knowledge.drawings import drawing
from foramen.knowledge.facts import numbers
from foramen.knowledge.labels import structure_value

STEP_MM = 4.0
"""Distance of the sections between which the canal's contents are interpolated."""


def paint_thoracic_canal(canvas: Canvas, spine: SpineLine) -> None:
    """Paint ligamentum flavum, epidural fat, fluid and cord from below T11 upwards."""
    form = drawing("reference_thorax.canal_contents").numbers
    z = canvas.axis_mm(2)
    heights = np.arange(z[0] - 1.0, z[-1] + STEP_MM, STEP_MM)
    scale = np.array(spine.build.scale[:2])
    sizes = [dimensions(level) for level in CARRIERS]
    bony = 0.5 * np.array([[own.canal_width_mm, own.canal_depth_mm] for own in sizes]) - form["from_bone_mm"]
    dura, cord = (
        0.5 * np.array([numbers(f"thoracic.{n}_{d}_mm") for d in ("width", "depth")]).T for n in ("sac", "cord")
    )
    path = np.stack([np.zeros_like(heights), spine.canal_y(heights), heights], axis=1)

    def along(half_axes: NDArray[np.float64]) -> NDArray[np.float64]:
        levels = np.array([spine.z(level.name) for level in CARRIERS])[::-1]
        found: NDArray[np.float64] = scale * np.stack(
            [np.interp(heights, levels, half_axes[::-1, axis]) for axis in range(2)], axis=1
        )
        return found

    fat, sac = along(bony), along(dura)
    forward = np.zeros_like(path)
    forward[:, 1] = -(fat[:, 1] - sac[:, 1] - form["ventral_fat_mm"])
    cord_forward = forward.copy()
    cord_forward[:, 1] -= form["cord_forward_mm"]
    flavum = np.stack([form["flavum_width_fraction"] * fat[:, 0], fat[:, 1] + form["flavum_mm"]], axis=1)
    canvas.paint_tube(structure_value("ligamentum_flavum"), path, flavum)
    canvas.paint_tube(structure_value("epidural_fat"), path, fat)
    canvas.paint_tube(structure_value("csf"), path + forward, sac)
    canvas.paint_tube(structure_value("spinal_cord"), path + cord_forward, along(cord))
