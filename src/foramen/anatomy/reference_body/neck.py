"""Everything around the cervical spine: skin, fat, muscles, vessels, airway, the canal's contents.

Shapes are simple, placed relative to the bodies; they stand in `knowledge/reference_neck.yaml` and are drawn by eye,
not traced to a source; sizes of cord and sac are measured ones. Jaw, skull base and shoulders are left out.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from foramen.anatomy.reference_body.canvas import Canvas, paint_ellipsoid
from foramen.anatomy.reference_body.cervical import foramen_middle
from foramen.anatomy.reference_body.course import STEP_MM as COURSE_STEP_MM
from foramen.anatomy.reference_body.course import smooth_course
from foramen.anatomy.reference_body.dimensions import dimensions
from foramen.anatomy.reference_body.regions import REGIONS
from foramen.anatomy.reference_body.shapes import vector
from foramen.anatomy.reference_body.spine_line import SpineLine
from foramen.anatomy.reference_body.vertebra import on_side
from foramen.knowledge.drawings import TubeShape, drawing
from foramen.knowledge.facts import numbers
from foramen.knowledge.labels import structure_value
from foramen.model.anatomy import VertebraFrame
from foramen.model.levels import Side, Vertebra
from foramen.model.space import FloatArray

ROWS = (*REGIONS["cervical"], "T1")
"""Vertebrae over which the rows of the neck's drawings run."""

STEP_MM = 4.0
"""Distance of the sections between which muscles, vessels and the canal's contents are interpolated."""

PASSED = ("C6", "C5", "C4", "C3")
"""Vertebrae whose foramina the vertebral artery passes straight."""

Rows = NDArray[np.float64]


def paint_neck(canvas: Canvas, spine: SpineLine) -> None:
    """Paint skin, fat, muscles, airway and vessels, from outside inwards."""
    _paint_wall(canvas, spine)
    shape = drawing("reference_neck.muscles")
    _paint_pairs(canvas, spine, shape.tubes, power=shape.numbers["section_exponent"])
    _paint_front(canvas, spine)
    _paint_vertebral_arteries(canvas, spine)


def paint_neck_canal(canvas: Canvas, spine: SpineLine) -> None:
    """Paint ligamentum flavum, epidural fat, fluid and cord of the cervical canal."""
    form = drawing("reference_neck.canal").numbers
    heights = _heights(canvas)
    sizes = [dimensions(Vertebra(name)) for name in ROWS]
    bony = [(0.5 * own.canal_width_mm, 0.5 * own.canal_depth_mm) for own in sizes]
    fat = np.stack([_along(spine, heights, [b[i] - form["from_bone_mm"] for b in bony]) for i in range(2)], axis=1)
    sac, cord = (
        np.stack([_along(spine, heights, _halves(f"cervical.{name}_{d}_mm")) for d in ("width", "depth")], axis=1)
        for name in ("sac", "cord")
    )
    scale = np.array(spine.build.scale[:2])
    fat, sac, cord = fat * scale, np.minimum(sac, fat / scale) * scale, cord * scale
    path = np.stack([np.zeros_like(heights), spine.canal_y(heights), heights], axis=1)
    to_front = np.zeros_like(path)
    to_front[:, 1] = np.minimum(sac[:, 1] + form["ventral_fat_mm"] - fat[:, 1], 0.0)
    flavum = np.stack([form["flavum_width_fraction"] * fat[:, 0], fat[:, 1] + form["flavum_mm"]], axis=1)
    behind = path + np.array([0.0, 0.5 * form["flavum_mm"], 0.0])
    canvas.paint_tube(structure_value("ligamentum_flavum"), behind, flavum)
    canvas.paint_tube(structure_value("epidural_fat"), path, fat)
    canvas.paint_tube(structure_value("csf"), path + to_front, sac)
    cord_path = path + to_front - np.array([0.0, form["cord_forward_mm"], 0.0])
    canvas.paint_tube(structure_value("spinal_cord"), cord_path, cord)


def vertebral_artery(frames: Mapping[Vertebra, VertebraFrame], side: Side, scale: FloatArray) -> FloatArray:
    """Centreline (n, 3) in LPS of a vertebral artery from before C7 to the dura above C1."""
    shape = drawing("reference_neck.vertebral_artery")
    parts = [("C7", np.array(shape.points["c7"]))]
    parts += [(name, foramen_middle(Vertebra(name))[None]) for name in PASSED]
    parts += [(name.upper(), np.array(shape.points[name])) for name in ("c2", "c1")]
    points = [frames[Vertebra(name)].to_lps(on_side(own, side) * scale) for name, own in parts]
    return smooth_course(np.concatenate(points))


def _paint_wall(canvas: Canvas, spine: SpineLine) -> None:
    shape = drawing("reference_neck.wall")
    form = shape.numbers
    x, y, z = (canvas.axis_mm(axis) for axis in range(3))
    front, rear, half = (_along(spine, z, shape.rows[f"{name}_mm"]) for name in ("front", "rear", "half_width"))
    body, scale = spine.body_y(z), spine.build.scale
    fat, back = form["fat_mm"] * spine.build.fat_scale, form["back_fat_mm"] * spine.build.fat_scale
    power, skin = form["outline_exponent"], form["skin_mm"]
    layers = (("skin", 0.0, 0.0), ("subcutaneous_fat", skin, skin), ("deep_fat", skin + fat, skin + back))
    for k in range(len(z)):
        for name, inset, behind in layers:
            low, high = body[k] - front[k] * scale[1] + inset, body[k] + rear[k] * scale[1] - behind
            middle, half_depth = 0.5 * (low + high), 0.5 * (high - low)
            across = np.abs(x / (half[k] * scale[0] - inset)) ** power
            inside = across[:, None] + (np.abs((y - middle) / half_depth) ** power)[None] < 1
            canvas.labels[:, :, k][inside] = structure_value(name)


def _paint_pairs(
    canvas: Canvas, spine: SpineLine, tubes: Mapping[str, TubeShape], *, power: float, is_one_label: bool = False
) -> None:
    heights = _heights(canvas)
    body, within = spine.body_y(heights), structure_value("subcutaneous_fat")
    keep = tuple(v for v in np.unique(canvas.labels).tolist() if v not in (0, structure_value("skin"), within))
    for name, tube in tubes.items():
        lateral, posterior, width, depth = (
            _along(spine, heights, row)
            for row in (tube.lateral_mm, tube.posterior_mm, tube.half_width_mm, tube.half_depth_mm)
        )
        for side in Side:
            value = structure_value(name if is_one_label else f"{name}_{side.value}")
            keep = (*keep, value)
            path = np.stack([side.sign * lateral * spine.build.scale[0], body + posterior, heights], axis=1)
            radii = np.stack([width, depth], axis=1)
            turn_deg = side.sign * tube.turn_deg
            canvas.paint_tube(value, path, radii, only=keep, turn_deg=turn_deg, power=power)


def _paint_front(canvas: Canvas, spine: SpineLine) -> None:
    shape = drawing("reference_neck.front")
    lobes = {"thyroid": shape.tubes["thyroid"]}
    for value, name in (("pharynx_and_larynx", "larynx"), ("oesophagus", "oesophagus")):
        _paint_middle(canvas, spine, structure_value(value), name)
    _paint_pairs(canvas, spine, lobes, power=2.0, is_one_label=True)
    _paint_middle(canvas, spine, structure_value("trachea"), "airway")
    vessels = {name: tube for name, tube in shape.tubes.items() if name != "thyroid"}
    _paint_pairs(canvas, spine, vessels, power=2.0)


def _paint_middle(canvas: Canvas, spine: SpineLine, value: int, name: str) -> None:
    rows, heights = drawing("reference_neck.front").rows, _heights(canvas)
    behind, width, depth = (
        _along(spine, heights, rows[f"{name}_{of}_mm"]) for of in ("behind", "half_width", "half_depth")
    )
    left = _along(spine, heights, rows.get(f"{name}_left_mm", (0.0,) * len(ROWS)))
    path = np.stack([left, spine.body_y(heights) + behind, heights], axis=1)
    canvas.paint_tube(value, path, np.stack([width, depth], axis=1))


def _paint_vertebral_arteries(canvas: Canvas, spine: SpineLine) -> None:
    form = drawing("reference_neck.vertebral_artery").numbers
    radius = form["radius_mm"]
    for side in Side:
        value = structure_value(f"vertebral_artery_{side.value}")
        line = vertebral_artery(spine.frames, side, np.array(spine.build.scale))
        for point in line[:: max(round(form["step_mm"] / COURSE_STEP_MM), 1)]:
            paint_ellipsoid(canvas, value, vector(point), (radius, radius, radius))


def _heights(canvas: Canvas) -> Rows:
    z = canvas.axis_mm(2)
    heights: Rows = np.arange(z[0] - 1.0, z[-1] + STEP_MM, STEP_MM)
    return heights


def _along(spine: SpineLine, heights: Rows, row: tuple[float, ...] | list[float]) -> Rows:
    """Values (n,) at heights (n,) of a row over C1 to T1."""
    levels = [spine.z(name) for name in reversed(ROWS)]
    found: Rows = np.interp(heights, levels, row[::-1])
    return found


def _halves(fact_id: str) -> list[float]:
    return [0.5 * value for value in numbers(fact_id)]
