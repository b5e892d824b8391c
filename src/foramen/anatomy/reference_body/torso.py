"""Everything around the spine: skin, fat, muscles, the canal's contents.

Shapes are simple, placed relative to the spine; they stand in `knowledge/reference_torso.yaml` and are drawn by eye,
not traced to a source.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from foramen.anatomy.reference_body.canal_state import OPEN_CANAL, CanalState
from foramen.anatomy.reference_body.canvas import Canvas
from foramen.anatomy.reference_body.cord import paint_cord_parts
from foramen.anatomy.reference_body.dimensions import dimensions
from foramen.anatomy.reference_body.regions import REGIONS
from foramen.anatomy.reference_body.spine_line import SpineLine
from foramen.anatomy.reference_body.viscera import paint_organs, paint_vessels
from foramen.knowledge.drawings import TubeShape, drawing
from foramen.knowledge.facts import number
from foramen.knowledge.labels import structure_value
from foramen.model.levels import Side, Vertebra

CANAL_STEP_MM, MUSCLE_STEP_MM = 4.0, 8.0
"""Distance of the sections between which the canal's contents and the muscles are interpolated."""


def paint_torso(canvas: Canvas, spine: SpineLine) -> None:
    """Paint skin, fat, muscles, organs and vessels, from outside inwards."""
    _paint_wall(canvas, spine)
    paint_organs(canvas, spine)
    _paint_muscles(canvas, spine)
    paint_vessels(canvas, spine)


def paint_canal(canvas: Canvas, spine: SpineLine, canal: CanalState = OPEN_CANAL) -> None:
    """Paint epidural fat, sac, cord with conus, and cauda equina."""
    shape = drawing("reference_torso.canal")
    form = shape.numbers
    heights = _heights(canvas, CANAL_STEP_MM)
    scale_x, scale_y, _ = spine.build.scale
    middle = spine.canal_y(heights)
    end_of_sac = spine.point("S1", *shape.rows["end_of_sac_mm"])[2]
    l1_height_mm = form["cord_below_l1_fraction"] * dimensions(Vertebra("L1")).body_height_mm
    end_of_cord = spine.z("L1") - l1_height_mm * spine.build.scale[2]
    in_spine = heights > spine.point("S1", *shape.rows["end_of_canal_mm"])[2]
    known = [spine.z("S1") - form["below_s1_mm"], spine.z("S1"), spine.z("L5"), spine.z("T12")]
    width, depth = (np.interp(heights, known, shape.rows[name]) for name in ("half_width_mm", "half_depth_mm"))
    path = np.stack([spine.canal_x(heights), middle, heights], axis=1)
    fat = np.stack([width * scale_x, depth * scale_y], axis=1)
    to_back = form["flavum_depth_fraction"] * fat[:, 1]
    flavum = number("anatomy.ligamentum_flavum_mm")
    tight = canal.narrowing(heights)
    behind = np.stack([(form["flavum_width_fraction"] + tight) * fat[:, 0], to_back + flavum], axis=1)
    shift = np.stack([np.zeros_like(heights), to_back, np.zeros_like(heights)], axis=1)
    canvas.paint_tube(structure_value("ligamentum_flavum"), (path + shift)[in_spine], behind[in_spine])
    fat_path, fat = canal.narrowed(path, fat, heights)
    canvas.paint_tube(structure_value("epidural_fat"), fat_path[in_spine], fat[in_spine])
    taper = np.clip((heights - end_of_sac) / form["sac_taper_mm"], 0.0, 1.0) ** form["sac_taper_exponent"]
    across, back = form["sac_width_fraction"] * width * taper, form["sac_depth_fraction"] * depth * taper
    sac = np.stack([across * scale_x, back * scale_y], axis=1)
    path, sac = canal.narrowed(path, sac, heights)
    sac = sac * (1 - canal.fat_gain(heights))[:, None]
    canvas.paint_tube(structure_value("csf"), path - np.array([0.0, form["sac_forward_mm"], 0.0]), sac)
    cone = np.clip((heights - end_of_cord) / form["cord_taper_mm"], 0.0, 1.0) ** form["cord_taper_exponent"]
    cord = np.stack([form["cord_half_width_mm"] * cone * scale_x, form["cord_half_depth_mm"] * cone * scale_y], axis=1)
    _paint_cauda(canvas, path, sac, heights, end_of_cord, end_of_sac)
    canvas.paint_tube(structure_value("spinal_cord"), path, cord, only=_sac_labels())
    paint_cord_parts(canvas, path, cord)


def _heights(canvas: Canvas, step_mm: float) -> NDArray[np.float64]:
    """Heights (n,) of sections a little beyond the image."""
    heights: NDArray[np.float64] = np.arange(canvas.axis_mm(2)[0] - 1.0, canvas.axis_mm(2)[-1] + step_mm, step_mm)
    return heights


def _sac_labels() -> tuple[int, ...]:
    return tuple(structure_value(n) for n in ("csf", "cauda_equina"))


def _paint_cauda(
    canvas: Canvas,
    path: NDArray[np.float64],
    sac: NDArray[np.float64],
    heights: NDArray[np.float64],
    end_of_cord: float,
    end_of_sac: float,
) -> None:
    """Rootlets lying on the back wall of the sac, as in a supine patient."""
    shape = drawing("reference_torso.canal")
    form = shape.numbers
    reach = heights < end_of_cord + form["cauda_into_cone_mm"]
    reach &= heights > end_of_sac + form["cauda_above_end_mm"]
    for across, back in zip(shape.rows["rootlets_across"], shape.rows["rootlets_behind"], strict=True):
        roots = path[reach] + np.stack(
            [across * sac[reach, 0], back * sac[reach, 1], np.zeros(int(reach.sum()))], axis=1
        )
        radii = np.full((int(reach.sum()), 2), form["rootlet_radius_mm"])
        canvas.paint_tube(structure_value("cauda_equina"), roots, radii, only=(structure_value("csf"),))


def _paint_wall(canvas: Canvas, spine: SpineLine) -> None:
    """Skin, subcutaneous fat, abdominal wall and, within it, deep fat."""
    form = drawing("reference_torso.wall").numbers
    x, y, z = (canvas.axis_mm(axis) for axis in range(3))
    names = ("skin", "subcutaneous_fat", "abdominal_wall", "deep_fat")
    skin, fat, wall, deep = (structure_value(name) for name in names)
    scale_x, scale_y, _ = spine.build.scale
    layer = np.array([0.0, form["skin_mm"], form["skin_mm"] + form["fat_mm"] * spine.build.fat_scale])
    layer = np.append(layer, layer[-1] + form["wall_mm"])
    back, canal = spine.spinous_y(z), spine.canal_y(z)
    window = max(int(form["back_smoothing_mm"] / canvas.geometry.spacing_mm[2]), 1)
    back = np.convolve(np.pad(back, window, mode="edge"), np.ones(2 * window + 1) / (2 * window + 1), mode="valid")
    lateral = np.abs(x)
    furrow = form["furrow_mm"] * np.exp(-((lateral / (form["furrow_half_width_mm"] * scale_x)) ** 2))
    power = form["outline_exponent"]
    for k in range(len(z)):
        hip = np.clip((spine.z("L5") - z[k]) / form["hip_height_mm"], 0.0, 1.0)
        half = (form["half_width_mm"] + form["hip_width_mm"] * hip) * scale_x
        rear = (
            back[k] + form["back_fat_mm"] * spine.build.fat_scale + form["behind_tips_mm"] + form["hip_depth_mm"] * hip
        )
        front = -form["front_mm"] * scale_y
        middle, half_depth = 0.5 * (rear + front), 0.5 * (rear - front)
        behind_wall = canal[k] + form["wall_behind_canal_mm"] + form["wall_slope"] * lateral
        for value, inset in zip((skin, fat, wall, deep), layer, strict=True):
            bulge = np.clip(1 - (lateral / (half - inset)) ** power, 0, None) ** (1 / power)
            inner = inset
            if value in (wall, deep):
                inner = form["back_wall_fraction"] * (inset - layer[2]) + form["back_fat_fraction"] * layer[2]
            low, high = middle - (half_depth - inset) * bulge, middle + (half_depth - inner - furrow) * bulge
            if value == wall:
                high = np.minimum(high, behind_wall)
            inside = (y[None, :] > low[:, None]) & (y[None, :] < high[:, None])
            canvas.labels[:, :, k][inside] = value


def _paint_muscles(canvas: Canvas, spine: SpineLine) -> None:
    """Psoas, quadratus lumborum, erector spinae, multifidus and gluteal muscles of both sides."""
    shape = drawing("reference_torso.muscles")
    heights = _heights(canvas, MUSCLE_STEP_MM)
    body, tips, shift = spine.body_y(heights), spine.spinous_y(heights), spine.body_x(heights)
    levels = [spine.z(name) for name in reversed(REGIONS["lumbar"])]  # S1 ... T12, ascending
    layers = ("deep_fat", "subcutaneous_fat", "abdominal_wall", "colon", "small_bowel", "kidney_left", "kidney_right")
    within = (*(structure_value(layer) for layer in layers), *(structure_value(f"psoas_{side}") for side in Side))

    def along(values: tuple[float, ...]) -> NDArray[np.float64]:
        found: NDArray[np.float64] = np.interp(heights, levels, values[::-1])
        return found

    def line(tube: TubeShape) -> NDArray[np.float64]:
        by_body = tube.body_weight * (body + tube.body_shift_mm)
        found: NDArray[np.float64] = by_body + tube.spinous_weight * (tips + tube.spinous_shift_mm)
        return found

    for side in Side:
        for name, tube in shape.tubes.items():
            lateral = side.sign * spine.build.scale[0] * along(tube.lateral_mm) + shift
            path = np.stack([lateral, line(tube) + along(tube.posterior_mm), heights], axis=1)
            radii = np.stack([along(tube.half_width_mm), along(tube.half_depth_mm)], axis=1)
            canvas.paint_tube(
                structure_value(f"{name}_{side.value}"),
                path,
                radii,
                only=within,
                turn_deg=side.sign * tube.turn_deg,
                power=shape.numbers["section_exponent"],
            )
