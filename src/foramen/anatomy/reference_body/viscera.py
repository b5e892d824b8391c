"""Vessels and organs before the spine.

Their shapes stand in `knowledge/reference_torso.yaml`, drawn by eye; how segments and loops repeat is decided here.
"""

from __future__ import annotations

import numpy as np

from foramen.anatomy.reference_body.canvas import Canvas, paint_ellipsoid
from foramen.anatomy.reference_body.spine_line import SpineLine
from foramen.anatomy.reference_body.tissue_hu import GAS_VALUE
from foramen.knowledge.drawings import EllipsoidShape, drawing
from foramen.knowledge.labels import structure_value
from foramen.model.levels import Side

VESSEL_STEP_MM = 8.0
"""Distance of the sections between which a vessel is interpolated."""

ILIAC_SECTIONS, COLON_SECTIONS = 12, 30
"""Sections along an iliac vessel and along the ascending or descending colon."""

COLON_SEGMENTS, LOWER_LOOPS, UPPER_LOOPS = 14, 44, 22
"""How many shapes make up the transverse colon and the two parts of the small bowel."""

GOLDEN_ANGLE_RAD = 2.39996
"""Loops on a spiral of this angle lie evenly, without a random draw."""

COLON_PHASE, LOWER_PHASE, UPPER_ACROSS_PHASE, UPPER_FORWARD_PHASE = 1.7, 2.1, 2.2, 1.3
"""Radians from one segment or loop to the next in the waves that make them uneven."""


def paint_vessels(canvas: Canvas, spine: SpineLine) -> None:
    """Aorta before the left, vena cava before the right of the bodies; iliac vessels below L4."""
    form = drawing("reference_torso.vessels").numbers
    z4 = spine.z("L4") - form["below_l4_mm"]
    heights = np.arange(z4, canvas.axis_mm(2)[-1] + VESSEL_STEP_MM + 1.0, VESSEL_STEP_MM)
    front = spine.body_y(heights) - form["before_body_mm"] * spine.build.scale[1]
    aorta_left, forward = form["aorta_left_mm"], form["aorta_forward_mm"]
    shift = spine.body_x(heights)
    tall = np.stack([aorta_left + shift, front - forward, heights], axis=1)
    canvas.paint_tube(structure_value("aorta"), tall, np.full((len(heights), 2), form["aorta_radius_mm"]))
    cava = np.stack([form["cava_left_mm"] + shift, front - form["cava_forward_mm"], heights], axis=1)
    cava_radii = (form["cava_half_width_mm"], form["cava_half_depth_mm"])
    canvas.paint_tube(structure_value("inferior_vena_cava"), cava, np.full((len(heights), 2), cava_radii))
    y4 = float(front[0])
    down = np.linspace(0.0, 1.0, ILIAC_SECTIONS)
    fall = form["iliac_fall_mm"]
    vein_from, vein_radii = form["vein_from_mm"], (form["vein_half_width_mm"], form["vein_half_depth_mm"])
    for side in Side:
        lateral = aorta_left + (side.sign * form["artery_lateral_mm"] - aorta_left) * down + shift[0] * (1 - down)
        artery = np.stack([lateral, y4 - forward + form["artery_back_mm"] * down, z4 - fall * down], axis=1)
        radii = np.full((ILIAC_SECTIONS, 2), form["artery_radius_mm"])
        canvas.paint_tube(structure_value(f"iliac_artery_{side.value}"), artery, radii)
        lateral = vein_from + (side.sign * form["vein_lateral_mm"] - vein_from) * down + shift[0] * (1 - down)
        posterior = y4 - form["vein_forward_mm"] + form["vein_back_mm"] * down
        vein = np.stack([lateral, posterior, z4 - form["vein_below_mm"] - fall * down], axis=1)
        canvas.paint_tube(structure_value(f"iliac_vein_{side.value}"), vein, np.full((ILIAC_SECTIONS, 2), vein_radii))


def paint_organs(canvas: Canvas, spine: SpineLine) -> None:
    """Liver, spleen, stomach, kidneys, colon and small bowel."""
    deep = structure_value("deep_fat")
    for name, shape in drawing("reference_torso.organs").ellipsoids.items():
        paint_ellipsoid(canvas, structure_value(name), _centre(spine, shape), shape.radii_mm, only=(deep,))
    for side in Side:
        _paint_kidney(canvas, spine, side)
    _paint_colon(canvas, spine)
    _paint_small_bowel(canvas, spine)


def _centre(spine: SpineLine, shape: EllipsoidShape, *, x_mm: float | None = None) -> tuple[float, float, float]:
    left, posterior, superior = shape.centre_mm
    return (left if x_mm is None else x_mm, posterior, spine.z(shape.level) + superior)


def _paint_kidney(canvas: Canvas, spine: SpineLine, side: Side) -> None:
    """A kidney in its fat, with its hilum."""
    shape = drawing("reference_torso.kidney")
    fat, kidney, hilum = (shape.ellipsoids[name] for name in ("fat", "kidney", "hilum"))
    deep, value = structure_value("deep_fat"), structure_value(f"kidney_{side.value}")
    outer = (deep, structure_value("liver"), structure_value("spleen"))
    x, y, z = _centre(spine, kidney)
    z -= shape.numbers["right_lower_mm"] if side is Side.RIGHT else 0.0
    for part, label, place, only in (
        (fat, deep, (side.sign * x, y, z), outer),
        (kidney, value, (side.sign * x, y, z), (deep,)),
        (hilum, deep, (side.sign * hilum.centre_mm[0], hilum.centre_mm[1], z + hilum.centre_mm[2]), (value,)),
    ):
        paint_ellipsoid(canvas, label, place, part.radii_mm, only=only, turn_deg=side.sign * part.turn_deg)


def _paint_colon(canvas: Canvas, spine: SpineLine) -> None:
    """Ascending, descending and transverse colon with gas."""
    shape = drawing("reference_torso.colon")
    form, deep, colon = shape.numbers, (structure_value("deep_fat"),), structure_value("colon")
    heights = np.linspace(spine.z("L4") - form["below_l4_mm"], spine.z("L2") + form["above_l2_mm"], COLON_SECTIONS)
    for side in Side:
        wave = np.sin(heights / form["haustra_length_mm"] + side.sign)
        bulge = form["radius_mm"] + form["haustra_mm"] * wave
        lateral, forward = (np.full(COLON_SECTIONS, v) for v in (side.sign * form["lateral_mm"], -form["forward_mm"]))
        path = np.stack([lateral, forward, heights], axis=1)
        canvas.paint_tube(colon, path, np.stack([bulge, bulge], axis=1), only=deep)
    segment, gas = shape.ellipsoids["segment"], shape.ellipsoids["gas"]
    for i, across in enumerate(np.linspace(-form["across_mm"], form["across_mm"], COLON_SEGMENTS)):
        x, y, z = _centre(spine, segment, x_mm=float(across))
        z += form["wave_mm"] * np.sin(COLON_PHASE * i)
        paint_ellipsoid(canvas, colon, (x, y, z), segment.radii_mm, only=deep)
        paint_ellipsoid(canvas, GAS_VALUE, _centre(spine, gas, x_mm=float(across)), gas.radii_mm, only=(colon,))


def _paint_small_bowel(canvas: Canvas, spine: SpineLine) -> None:
    """Loops below L4 on a spiral, and before L3 in waves."""
    shape = drawing("reference_torso.small_bowel")
    form, deep, value = shape.numbers, (structure_value("deep_fat"),), structure_value("small_bowel")
    lower, upper = shape.ellipsoids["lower"], shape.ellipsoids["upper"]
    _, y, z = _centre(spine, lower)
    for i in range(LOWER_LOOPS):
        angle, radius = GOLDEN_ANGLE_RAD * i, form["reach_mm"] * np.sqrt((i + 0.5) / LOWER_LOOPS)
        place = (
            float(radius * np.cos(angle)),
            y + form["wave_mm"] * np.sin(LOWER_PHASE * i),
            z + float(form["height_fraction"] * radius * np.sin(angle)),
        )
        paint_ellipsoid(canvas, value, place, lower.radii_mm, only=deep, turn_deg=lower.turn_deg * i)
    _, y, low = upper.centre_mm
    for i in range(UPPER_LOOPS):
        across = float(form["upper_across_mm"] * np.sin(UPPER_ACROSS_PHASE * i))
        up = form["upper_height_mm"] * (i / (UPPER_LOOPS - 1)) + low
        forward = y - form["upper_wave_mm"] * np.cos(UPPER_FORWARD_PHASE * i)
        place = (across, forward - form["upper_lateral_forward"] * abs(across), spine.z(upper.level) + up)
        paint_ellipsoid(canvas, value, place, upper.radii_mm, only=deep, turn_deg=upper.turn_deg * i)
