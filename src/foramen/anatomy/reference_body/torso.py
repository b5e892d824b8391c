"""Everything around the spine: skin, fat, muscles, vessels, organs, the canal's contents.

Shapes are simple, placed relative to the spine; their positions are expert knowledge, not traced to a source.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from foramen.anatomy.reference_body.canvas import Canvas, paint_ellipsoid
from foramen.anatomy.reference_body.dimensions import LEVELS, dimensions
from foramen.anatomy.reference_body.spine_line import SpineLine
from foramen.anatomy.reference_body.tissue_hu import GAS_VALUE
from foramen.knowledge.facts import number
from foramen.knowledge.labels import structure_value
from foramen.model.levels import Side, Vertebra

HALF_WIDTH_MM = 158.0
"""Half the width of the torso at the skin."""

FRONT_MM = 126.0
"""Distance of the belly's skin from the centre of L3."""

_FURROW_MM = 14.0
_SKIN_MM = 2.0


def paint_torso(canvas: Canvas, spine: SpineLine) -> None:
    """Paint skin, fat, muscles, organs and vessels, from outside inwards."""
    _paint_wall(canvas, spine)
    _paint_organs(canvas, spine)
    _paint_muscles(canvas, spine)
    _paint_vessels(canvas, spine)


def paint_canal(canvas: Canvas, spine: SpineLine) -> None:
    """Paint epidural fat, sac, cord with conus, and cauda equina."""
    heights = np.arange(canvas.axis_mm(2)[0] - 1.0, canvas.axis_mm(2)[-1] + 2.0, 4.0)
    scale_x, scale_y, _ = spine.build.scale
    middle = spine.canal_y(heights)
    end_of_sac = spine.point("S1", 0.0, 24.0, -22.0)[2]
    end_of_cord = spine.z("L1") - 0.5 * dimensions(Vertebra("L1")).body_height_mm * spine.build.scale[2]
    in_spine = heights > spine.point("S1", 0.0, 20.0, -62.0)[2]
    width = np.interp(heights, [spine.z("S1") - 50, spine.z("S1"), spine.z("L5"), spine.z("T12")], [5, 12, 12.5, 10.5])
    depth = np.interp(heights, [spine.z("S1") - 50, spine.z("S1"), spine.z("L5"), spine.z("T12")], [3, 6.5, 7.6, 7.8])
    path = np.stack([np.zeros_like(heights), middle, heights], axis=1)
    fat = np.stack([width * scale_x, depth * scale_y], axis=1)
    flavum = number("anatomy.ligamentum_flavum_mm")
    behind = np.stack([0.86 * fat[:, 0], 0.5 * fat[:, 1] + flavum], axis=1)
    shift = np.stack([np.zeros_like(heights), 0.5 * fat[:, 1], np.zeros_like(heights)], axis=1)
    canvas.paint_tube(structure_value("ligamentum_flavum"), (path + shift)[in_spine], behind[in_spine])
    canvas.paint_tube(structure_value("epidural_fat"), path[in_spine], fat[in_spine])
    taper = np.clip((heights - end_of_sac) / 28.0, 0.0, 1.0) ** 0.6
    sac = np.stack([0.79 * width * taper * scale_x, 0.86 * depth * taper * scale_y], axis=1)
    canvas.paint_tube(structure_value("csf"), path - np.array([0.0, 0.7, 0.0]), sac)
    cone = np.clip((heights - end_of_cord) / 26.0, 0.0, 1.0) ** 0.7
    cord = np.stack([4.6 * cone * scale_x, 3.7 * cone * scale_y], axis=1)
    _paint_cauda(canvas, path, sac, heights, end_of_cord, end_of_sac)
    canvas.paint_tube(structure_value("spinal_cord"), path, cord, only=_sac_labels())


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
    reach = (heights < end_of_cord + 30.0) & (heights > end_of_sac + 6.0)
    for across, back in ((-0.62, 0.3), (-0.38, 0.52), (-0.13, 0.6), (0.13, 0.6), (0.38, 0.52), (0.62, 0.3)):
        roots = path[reach] + np.stack(
            [across * sac[reach, 0], back * sac[reach, 1], np.zeros(int(reach.sum()))], axis=1
        )
        radii = np.full((int(reach.sum()), 2), 1.25)
        canvas.paint_tube(structure_value("cauda_equina"), roots, radii, only=(structure_value("csf"),))


def _paint_wall(canvas: Canvas, spine: SpineLine) -> None:
    """Skin, subcutaneous fat, abdominal wall and, within it, deep fat."""
    x, y, z = (canvas.axis_mm(axis) for axis in range(3))
    names = ("skin", "subcutaneous_fat", "abdominal_wall", "deep_fat")
    skin, fat, wall, deep = (structure_value(name) for name in names)
    scale_x, scale_y, _ = spine.build.scale
    layer = np.array([0.0, _SKIN_MM, _SKIN_MM + 17.0 * spine.build.fat_scale])
    layer = np.append(layer, layer[-1] + 11.0)
    back, canal = spine.spinous_y(z), spine.canal_y(z)
    window = max(int(40.0 / canvas.geometry.spacing_mm[2]), 1)
    back = np.convolve(np.pad(back, window, mode="edge"), np.ones(2 * window + 1) / (2 * window + 1), mode="valid")
    lateral = np.abs(x)
    furrow = 7.0 * np.exp(-((lateral / (16.0 * scale_x)) ** 2))
    for k in range(len(z)):
        hip = np.clip((spine.z("L5") - z[k]) / 60.0, 0.0, 1.0)
        half = (HALF_WIDTH_MM + 6.0 * hip) * scale_x
        rear = back[k] + _FURROW_MM * spine.build.fat_scale + 7.0 + 8.0 * hip
        front = -FRONT_MM * scale_y
        middle, half_depth = 0.5 * (rear + front), 0.5 * (rear - front)
        behind_wall = canal[k] + 2.0 + 0.12 * lateral
        for value, inset in zip((skin, fat, wall, deep), layer, strict=True):
            bulge = np.clip(1 - (lateral / (half - inset)) ** 2.5, 0, None) ** (1 / 2.5)
            inner = 0.55 * (inset - layer[2]) + 0.75 * layer[2] if value in (wall, deep) else inset
            low, high = middle - (half_depth - inset) * bulge, middle + (half_depth - inner - furrow) * bulge
            if value == wall:
                high = np.minimum(high, behind_wall)
            inside = (y[None, :] > low[:, None]) & (y[None, :] < high[:, None])
            canvas.labels[:, :, k][inside] = value


def _paint_muscles(canvas: Canvas, spine: SpineLine) -> None:
    """Psoas, quadratus lumborum, erector spinae and multifidus of both sides."""
    heights = np.arange(canvas.axis_mm(2)[0] - 1.0, canvas.axis_mm(2)[-1] + 2.0, 8.0)
    body = spine.body_y(heights)
    tips = spine.spinous_y(heights)
    levels = np.array([spine.z(name) for name in reversed(LEVELS)])  # S1 ... T12, ascending

    layers = ("deep_fat", "subcutaneous_fat", "abdominal_wall", "colon", "small_bowel", "kidney_left", "kidney_right")
    within = (*(structure_value(layer) for layer in layers), *(structure_value(f"psoas_{side}") for side in Side))

    def along(*values: float) -> NDArray[np.float64]:
        return np.interp(heights, levels, values)

    for side in Side:
        s, scale = side.sign, spine.build.scale[0]
        name = side.value

        def tube(
            label: str,
            x: NDArray[np.float64],
            y: NDArray[np.float64],
            radii: tuple[NDArray[np.float64], NDArray[np.float64]],
            turn: float,
        ) -> None:
            path = np.stack([s * scale * x, y, heights], axis=1)  # noqa: B023 (called at once)
            value = structure_value(f"{label}_{name}")  # noqa: B023
            canvas.paint_tube(value, path, np.stack(radii, axis=1), only=within, turn_deg=s * turn, power=2.3)  # noqa: B023

        tube(
            "multifidus",
            along(15, 15, 13.5, 12.5, 12, 11.5, 11),
            tips - along(14, 17.5, 19, 20, 20, 19, 18),
            (along(15, 13.5, 11.5, 10.5, 9.5, 8.5, 8), along(13, 15.5, 17, 17, 16, 15, 14)),
            0.0,
        )
        tube(
            "psoas",
            along(58, 46, 39.5, 36, 32.5, 29, 26),
            body + along(-34, -12, -2, 1, 3, 5, 6),
            (along(17, 18.5, 17.5, 14.5, 11, 7, 0), along(20, 23, 24, 20, 15, 9, 0)),
            0.0,
        )
        tube(
            "quadratus_lumborum",
            along(80, 76, 70, 64, 57, 48, 42),
            body + along(6, 14, 19, 21, 22, 24, 26),
            (along(0, 14, 18, 18, 15, 11, 8), along(0, 6, 9, 9, 8, 6, 4)),
            -22.0,
        )
        tube(
            "erector_spinae",
            along(30, 37, 40.5, 41, 40, 38.5, 37),
            0.45 * (body + 41) + 0.55 * (tips - 20) + along(9, 4, 0, 0, 0, 0, 0),
            (along(19, 26, 29, 30, 29, 28, 27), along(9, 17, 20.5, 21.5, 21.5, 20.5, 19)),
            -8.0,
        )
        tube(
            "gluteus_medius",
            along(112, 122, 128, 0, 0, 0, 0),
            body + along(-6, -14, -26, 0, 0, 0, 0),
            (along(15, 14, 0, 0, 0, 0, 0), along(40, 27, 0, 0, 0, 0, 0)),
            -52.0,
        )
        tube(
            "gluteus_maximus",
            along(66, 80, 86, 0, 0, 0, 0),
            tips + along(1, -8, -16, 0, 0, 0, 0),
            (along(34, 10, 0, 0, 0, 0, 0), along(13, 7, 0, 0, 0, 0, 0)),
            -20.0,
        )
        tube(
            "iliopsoas",
            along(86, 96, 100, 0, 0, 0, 0),
            body + along(-26, -30, -38, 0, 0, 0, 0),
            (along(11, 8, 0, 0, 0, 0, 0), along(30, 22, 0, 0, 0, 0, 0)),
            -52.0,
        )


def _paint_vessels(canvas: Canvas, spine: SpineLine) -> None:
    """Aorta before the left, vena cava before the right of the bodies; iliac vessels below L4."""
    z4 = spine.z("L4") - 8.0
    heights = np.arange(z4, canvas.axis_mm(2)[-1] + 9.0, 8.0)
    front = spine.body_y(heights) - 17.5 * spine.build.scale[1]
    tall = np.stack([np.full_like(heights, 7.0), front - 11.5, heights], axis=1)
    canvas.paint_tube(structure_value("aorta"), tall, np.full((len(heights), 2), 8.8))
    cava = np.stack([np.full_like(heights, -14.5), front - 9.5, heights], axis=1)
    canvas.paint_tube(structure_value("inferior_vena_cava"), cava, np.full((len(heights), 2), (11.5, 8.5)))
    y4 = float(front[0])
    down = np.linspace(0.0, 1.0, 12)
    for side in Side:
        s = side.sign
        fall = np.stack([7.0 + (s * 44.0 - 7.0) * down, y4 - 11.5 + 12.0 * down, z4 - 70.0 * down], axis=1)
        canvas.paint_tube(structure_value(f"iliac_artery_{side.value}"), fall, np.full((12, 2), 5.2))
        vein = np.stack([-14.0 + (s * 41.0 + 14.0) * down, y4 - 7.5 + 24.0 * down, z4 - 4 - 70.0 * down], axis=1)
        canvas.paint_tube(structure_value(f"iliac_vein_{side.value}"), vein, np.full((12, 2), (6.5, 5.5)))


def _paint_organs(canvas: Canvas, spine: SpineLine) -> None:
    """Kidneys, liver, spleen, colon and small bowel."""
    deep = (structure_value("deep_fat"),)
    z1, z2, z3, z4 = (spine.z(name) for name in ("L1", "L2", "L3", "L4"))
    right_liver, spleen = (-74.0, -36.0, z1 + 42.0), (92.0, 8.0, z1 + 48.0)
    paint_ellipsoid(canvas, structure_value("liver"), right_liver, (64.0, 70.0, 62.0), only=deep)
    paint_ellipsoid(canvas, structure_value("spleen"), spleen, (30.0, 40.0, 42.0), only=deep)
    paint_ellipsoid(canvas, structure_value("stomach"), (48.0, -66.0, z1 + 34.0), (52.0, 32.0, 40.0), only=deep)
    for side, drop in ((Side.LEFT, 0.0), (Side.RIGHT, 10.0)):
        kidney = (side.sign * 66.0, 10.0, z2 + 16.0 - drop)
        outer = (*deep, structure_value("liver"), structure_value("spleen"))
        paint_ellipsoid(canvas, deep[0], kidney, (36.0, 38.0, 62.0), only=outer, turn_deg=side.sign * 35.0)
        value = structure_value(f"kidney_{side.value}")
        paint_ellipsoid(canvas, value, kidney, (24.0, 30.0, 54.0), only=deep, turn_deg=side.sign * 35.0)
        paint_ellipsoid(
            canvas,
            deep[0],
            (side.sign * 50.0, 0.0, kidney[2]),
            (11.0, 9.0, 20.0),
            only=(value,),
            turn_deg=side.sign * 35.0,
        )
    colon = structure_value("colon")
    heights = np.linspace(z4 - 60.0, z2 + 10.0, 30)
    for side in Side:
        bulge = 21.0 + 2.5 * np.sin(heights / 6.0 + side.sign)
        path = np.stack([np.full(30, side.sign * 103.0), np.full(30, -22.0), heights], axis=1)
        canvas.paint_tube(colon, path, np.stack([bulge, bulge], axis=1), only=deep)
    across = np.linspace(-78.0, 78.0, 14)
    for i, x in enumerate(across):
        paint_ellipsoid(
            canvas, colon, (float(x), -88.0, z3 + 22.0 + 4.0 * np.sin(1.7 * i)), (11.0, 17.0, 19.0), only=deep
        )
        paint_ellipsoid(canvas, GAS_VALUE, (float(x), -93.0, z3 + 22.0), (9.0, 9.0, 13.0), only=(colon,))
    small = structure_value("small_bowel")
    for i in range(44):  # loops on a golden-angle spiral: even, without a random draw
        angle, radius = 2.39996 * i, 84.0 * np.sqrt((i + 0.5) / 44)
        place = (
            float(radius * np.cos(angle)),
            -62.0 + 6.0 * np.sin(2.1 * i),
            z4 - 14.0 + float(0.85 * radius * np.sin(angle)),
        )
        paint_ellipsoid(canvas, small, place, (15.0, 12.5, 13.0), only=deep, turn_deg=40.0 * i)
    for i in range(22):
        across, up = 78.0 * np.sin(2.2 * i), 95.0 * (i / 21) - 62.0
        place = (float(across), -38.0 - 9.0 * np.cos(1.3 * i) - 0.1 * abs(float(across)), z3 + float(up))
        paint_ellipsoid(canvas, small, place, (17.0, 12.0, 12.0), only=deep, turn_deg=25.0 * i)
