"""Everything around the thoracic spine: skin, fat, muscles, lungs with pleura, mediastinum.

Shapes are simple, placed relative to the spine and the rib cage; they stand in `knowledge/reference_thorax.yaml` and
are drawn by eye, not traced to a source. The shoulder blades and the muscles to them are left out.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from foramen.anatomy.reference_body.canvas import Canvas, paint_ellipsoid
from foramen.anatomy.reference_body.dimensions import dimensions
from foramen.anatomy.reference_body.rib_cage import CARRIERS, CageSection, cage_at
from foramen.anatomy.reference_body.spine_line import SpineLine
from foramen.anatomy.reference_body.viscera import paint_organs
from foramen.knowledge.drawings import TubeShape, drawing
from foramen.knowledge.labels import structure_value
from foramen.model.levels import Side

SECTION_STEP_MM = 8.0
"""Distance of the sections between which muscles and vessels are interpolated."""

Mask = NDArray[np.bool_]


def paint_thorax(canvas: Canvas, spine: SpineLine) -> None:
    """Paint skin, fat, chest wall, organs below the diaphragm, lungs, mediastinum and muscles of the back."""
    _paint_wall(canvas, spine)
    paint_organs(canvas, spine)
    _paint_lungs(canvas, spine)
    _paint_mediastinum(canvas, spine)
    _paint_muscles(canvas, spine)


def _paint_wall(canvas: Canvas, spine: SpineLine) -> None:
    """Skin, subcutaneous fat, chest wall and, within the rib cage, fat."""
    form = drawing("reference_thorax.wall").numbers
    torso = drawing("reference_torso.wall").numbers
    skin, fat, wall, deep = (structure_value(name) for name in ("skin", "subcutaneous_fat", "chest_wall", "deep_fat"))
    x, y, z = (canvas.axis_mm(axis) for axis in range(3))
    scale_x = spine.build.scale[0]
    thickness = torso["fat_mm"] * spine.build.fat_scale
    cage, half, front = _cage(spine, z), _skin_half_width(spine, z), _skin_front(spine, z)
    rear = _smooth(spine.spinous_y(z), torso["back_smoothing_mm"] / canvas.geometry.spacing_mm[2])
    rear = rear + torso["back_fat_mm"] * spine.build.fat_scale + torso["behind_tips_mm"]
    furrow = torso["furrow_mm"] * np.exp(-((x / (torso["furrow_half_width_mm"] * scale_x)) ** 2))
    power, behind = torso["outline_exponent"], _behind_bodies(x) + form["behind_lungs_mm"]
    lungs_end = spine.body_y(z) + _half_size(spine, z, "body_depth_mm")
    for k in range(len(z)):
        for value, inset in ((skin, 0.0), (fat, torso["skin_mm"]), (wall, torso["skin_mm"] + thickness)):
            rear_inset = inset if value != wall else torso["skin_mm"] + torso["back_fat_fraction"] * thickness
            middle, depth = 0.5 * (rear[k] + front[k]), 0.5 * (rear[k] - front[k])
            bulge = np.clip(1 - np.abs(x / (half[k] - inset)) ** power, 0, None) ** (1 / power)
            low, high = middle - (depth - inset) * bulge, middle + (depth - rear_inset - furrow) * bulge
            canvas.labels[:, :, k][(y[None] > low[:, None]) & (y[None] < high[:, None])] = value
        inside = _within(cage, k, x, y, form["behind_ribs_mm"]) & (y[None] < (lungs_end[k] + behind)[:, None])
        canvas.labels[:, :, k][inside & (canvas.labels[:, :, k] == wall)] = deep


def _paint_lungs(canvas: Canvas, spine: SpineLine) -> None:
    """Lungs, up to the pleura, between chest wall, diaphragm and mediastinum."""
    form = drawing("reference_thorax.lungs").numbers
    x, y, z = (canvas.axis_mm(axis) for axis in range(3))
    cage, body, lateral = _cage(spine, z), spine.body_y(z), np.abs(x)
    half_body = _half_size(spine, z, "body_width_mm")
    half_depth, behind = _half_size(spine, z, "body_depth_mm"), _behind_bodies(x)
    lowest, apex = spine.z("T11") + form["above_t11_mm"], spine.z("T1") + form["apex_above_t1_mm"]
    for k in np.flatnonzero((z > lowest) & (z < apex)).tolist():
        inset = form["behind_ribs_mm"] + form["apex_taper"] * max(z[k] - apex + form["apex_taper_mm"], 0.0)
        inside = _within(cage, k, x, y, inset)
        inside &= y[None] < (body[k] + half_depth[k] + behind)[:, None]
        front, wall = body[k] - half_depth[k], body[k] + half_depth[k]
        from_body = np.interp(
            y,
            [front - form["round_mm"], front, wall - form["heads_forward_mm"], wall],
            [form["mediastinum_mm"], *(half_body[k] + form[f"beside_{n}_mm"] for n in ("front", "body", "heads"))],
        )
        inside &= lateral[:, None] > from_body[None]
        for side in Side:
            own = inside & (side.sign * x[:, None] > 0) & (z[k] > _diaphragm(spine, side, x, y))
            canvas.labels[:, :, k][own] = structure_value(f"lung_{side.value}")


def _behind_bodies(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far the lungs reach behind the bodies' posterior wall at distances (n,) from the midline."""
    rows = drawing("reference_thorax.lungs").rows
    found: NDArray[np.float64] = np.interp(np.abs(x), rows["back_lateral_mm"], rows["back_behind_mm"])
    return found


def _half_size(spine: SpineLine, z: NDArray[np.float64], name: str) -> NDArray[np.float64]:
    """Half a dimension of the bodies at heights (n,)."""
    levels = [spine.z(level.name) for level in reversed(CARRIERS)]
    found: NDArray[np.float64] = np.interp(z, levels, [0.5 * getattr(dimensions(v), name) for v in reversed(CARRIERS)])
    return found


def _diaphragm(spine: SpineLine, side: Side, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Height of the dome over a slice (n, m)."""
    form = drawing("reference_thorax.diaphragm").numbers
    top = spine.z("T10") + form["above_t10_mm"] - (form["left_lower_mm"] if side is Side.LEFT else 0.0)
    across = (np.abs(x) - form["middle_lateral_mm"]) / form["half_width_mm"]
    along = (y + form["middle_forward_mm"]) / form["half_depth_mm"]
    found: NDArray[np.float64] = top - form["height_mm"] * (across[:, None] ** 2 + along[None] ** 2)
    return found


def _paint_mediastinum(canvas: Canvas, spine: SpineLine) -> None:
    """Heart, great vessels, oesophagus, trachea and azygos vein."""
    shape, fat = drawing("reference_thorax.mediastinum"), structure_value("deep_fat")
    lungs = tuple(structure_value(f"lung_{side.value}") for side in Side)
    for rim_mm, only in ((shape.numbers["fat_mm"], lungs), (0.0, ())):  # first the fat around all of them
        for name, part in shape.ellipsoids.items():
            left, posterior, superior = part.centre_mm
            place = (left, posterior, spine.z(part.level) + superior)
            radii = (part.radii_mm[0] + rim_mm, part.radii_mm[1] + rim_mm, part.radii_mm[2] + rim_mm)
            value = fat if rim_mm else structure_value(name)
            paint_ellipsoid(canvas, value, place, radii, only=only, turn_deg=part.turn_deg)
        _paint_tubes(canvas, spine, shape.tubes, 2.0, only, sides=(None,), rim_mm=rim_mm)


def _paint_muscles(canvas: Canvas, spine: SpineLine) -> None:
    """Muscles of the back on both sides."""
    shape = drawing("reference_thorax.muscles")
    within = tuple(structure_value(n) for n in ("chest_wall", "deep_fat", "subcutaneous_fat"))
    _paint_tubes(canvas, spine, shape.tubes, shape.numbers["section_exponent"], within, sides=tuple(Side))


def _paint_tubes(
    canvas: Canvas,
    spine: SpineLine,
    tubes: Mapping[str, TubeShape],
    power: float,
    within: tuple[int, ...],
    *,
    sides: tuple[Side | None, ...],
    rim_mm: float = 0.0,
) -> None:
    """Tubes along the spine whose rows run T1 to T12, of both sides or, without a side, single.

    With `rim_mm` fat is painted instead of them, as far beyond them as that.
    """
    z = canvas.axis_mm(2)
    heights = np.arange(z[0] - 1.0, z[-1] + SECTION_STEP_MM, SECTION_STEP_MM)
    body, tips = spine.body_y(heights), spine.spinous_y(heights)
    levels = [spine.z(level.name) for level in reversed(CARRIERS)]

    def along(values: tuple[float, ...]) -> NDArray[np.float64]:
        found: NDArray[np.float64] = np.interp(heights, levels, values[::-1])
        return found

    for side in sides:
        sign = 1.0 if side is None else side.sign
        for name, tube in tubes.items():
            line = tube.body_weight * (body + tube.body_shift_mm) + tube.spinous_weight * (tips + tube.spinous_shift_mm)
            lateral = sign * spine.build.scale[0] * along(tube.lateral_mm)
            radii = np.stack([along(tube.half_width_mm), along(tube.half_depth_mm)], axis=1)
            stem = name if side is None else f"{name}_{side.value}"
            canvas.paint_tube(
                structure_value("deep_fat" if rim_mm else stem),
                np.stack([lateral, line + along(tube.posterior_mm), heights], axis=1),
                np.where(radii > 0, radii + rim_mm, 0.0),
                only=within,
                turn_deg=sign * tube.turn_deg,
                power=power,
            )


def _cage(spine: SpineLine, z: NDArray[np.float64]) -> CageSection:
    return cage_at(spine.frames, z)


def _within(cage: CageSection, k: int, x: NDArray[np.float64], y: NDArray[np.float64], inset_mm: float) -> Mask:
    """Points (n, m) of one slice further inside the rib cage's section than `inset_mm`."""
    power = drawing("reference_thoracic.cage").numbers["exponent"]
    front, back = cage.front_mm[k] + inset_mm, cage.back_mm[k] - inset_mm
    half = max(cage.half_width_mm[k] - inset_mm, 1.0)
    across = np.abs(x / half) ** power
    along = np.abs((y - 0.5 * (front + back)) / max(0.5 * (back - front), 1.0)) ** power
    found: Mask = across[:, None] + along[None] < 1
    return found


def _skin_half_width(spine: SpineLine, z: NDArray[np.float64]) -> NDArray[np.float64]:
    return _row(spine, z, "half_width_mm") * spine.build.scale[0]


def _skin_front(spine: SpineLine, z: NDArray[np.float64]) -> NDArray[np.float64]:
    cage = _cage(spine, z)
    found: NDArray[np.float64] = cage.front_mm - _row(spine, z, "before_cage_mm") * spine.build.scale[1]
    return found


def _row(spine: SpineLine, z: NDArray[np.float64], name: str) -> NDArray[np.float64]:
    levels = [spine.z(level.name) for level in reversed(CARRIERS)]
    found: NDArray[np.float64] = np.interp(z, levels, drawing("reference_thorax.wall").rows[name][::-1])
    return found


def _smooth(values: NDArray[np.float64], window: float) -> NDArray[np.float64]:
    reach = max(int(window), 1)
    padded = np.pad(values, reach, mode="edge")
    found: NDArray[np.float64] = np.convolve(padded, np.ones(2 * reach + 1) / (2 * reach + 1), mode="valid")
    return found
