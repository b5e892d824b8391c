"""Bones T12 to L5 as solids in the vertebra's frame (left, posterior, superior; mm from the body's centre).

Sizes come from `VertebraDimensions`; the remaining numbers place one solid against another and were set by
comparing sections and surfaces with published meshes. Solids are given for the left and mirrored.
"""

from __future__ import annotations

import numpy as np

from foramen.anatomy.reference_body.dimensions import VertebraDimensions, dimensions
from foramen.anatomy.reference_body.posture import mean_frames
from foramen.anatomy.reference_body.primitives import Body, Solid, Strut, Vector
from foramen.model.levels import Vertebra, neighbour_below
from foramen.model.space import FloatArray

FACET_RADIUS_MM = 14.0
"""Radius of the curve of a facet joint in the transverse plane."""


def facet(own: VertebraDimensions) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Centre, tangent (towards lateral posterior) and normal (towards medial posterior) of the left superior facet."""
    angle = np.radians(own.facet_angle_deg)
    rise = {"L5": 0.0, "S1": -1.0}.get(own.level.name, -3.2)
    behind = {"S1": 16.0, "L5": 16.5, "T12": 17.0}.get(own.level.name, 18.5)
    centre = np.array([own.facet_centre_lateral_mm, own.posterior_wall_mm + behind, 0.5 * own.body_height_mm + rise])
    tangent = np.array([np.cos(angle), np.sin(angle), 0.0])
    normal = np.array([-np.sin(angle), np.cos(angle), 0.0])
    return centre, tangent, normal


def superior_articular(own: VertebraDimensions, base: Vector) -> list[Strut]:
    """Left superior articular process with its mamillary process, rising from `base`."""
    centre, tangent, normal = facet(own)
    middle = centre - 4.4 * normal
    part = "superior_articular_left"
    blade = Strut(
        start=_vector(middle + np.array([0.0, -1.5, -8.0])),
        end=_vector(middle + np.array([0.0, 0.5, 4.0])),
        wide=_vector(tangent),
        start_radii_mm=(7.5, 5.2),
        end_radii_mm=(7.0, 4.4),
        part=part,
        cap_mm=5.0,
    )
    root = Strut(
        start=base,
        end=_vector(middle + np.array([0.0, -1.0, -7.0])),
        wide=_vector(tangent),
        start_radii_mm=(6.5, 5.5),
        end_radii_mm=(6.5, 5.0),
        part=part,
        blend_mm=5.0,
    )
    mamilla = middle + 6.0 * tangent + np.array([0.6, 0.8, -2.5])
    knob = Strut(
        start=_vector(mamilla + np.array([-0.8, -2.0, 2.0])),
        end=_vector(mamilla),
        wide=(0.0, 0.0, 1.0),
        start_radii_mm=(4.0, 3.5),
        end_radii_mm=(3.6, 3.0),
        part=part,
        blend_mm=3.0,
    )
    return [root, blade, knob]


def facet_cutter(own: VertebraDimensions) -> Strut:
    """Cylinder that hollows the left superior facet (removed from the bone)."""
    centre, _, normal = facet(own)
    axis = centre + FACET_RADIUS_MM * normal
    return Strut(
        start=_vector(axis + np.array([0.0, 0.0, -6.5])),
        end=_vector(axis + np.array([0.0, 0.0, 30.0])),
        wide=(1.0, 0.0, 0.0),
        start_radii_mm=(FACET_RADIUS_MM, FACET_RADIUS_MM),
        end_radii_mm=(FACET_RADIUS_MM, FACET_RADIUS_MM),
        part="arch",
        blend_mm=1.0,
        cap_mm=3.0,
    )


def left_solids(own: VertebraDimensions) -> list[Strut]:
    """Solids of the left half of the arch."""
    wall, half_canal = own.posterior_wall_mm, 0.5 * own.canal_width_mm
    pedicle_x = half_canal + 0.5 * own.pedicle_width_mm
    pedicle_z = 0.5 * own.body_height_mm - 0.5 * own.pedicle_height_mm - 1.5
    oblique = {"L4": 1.0, "L5": 2.5}.get(own.level.name, 0.0)
    pedicle = Strut(
        start=(pedicle_x - 1.5 - 1.5 * oblique, wall - 7.0, pedicle_z),
        end=(pedicle_x, wall + 8.5, pedicle_z - 0.5),
        wide=(0.0, 0.0, 1.0),
        start_radii_mm=(0.5 * own.pedicle_height_mm + 0.5, 0.5 * own.pedicle_width_mm + 0.5),
        end_radii_mm=(0.5 * own.pedicle_height_mm, 0.5 * own.pedicle_width_mm),
        part="pedicle_left",
        blend_mm=6.0,
        cap_mm=3.0,
    )
    base = (pedicle_x, wall + 10.0, pedicle_z)
    return [pedicle, *superior_articular(own, base), *_pars_and_inferior(own, base), *_transverse(own, pedicle_x)]


def solids(level: Vertebra) -> tuple[Solid, ...]:
    """Solids of the midline and the left of a vertebra T12 to L5, in the order in which they are united."""
    own = dimensions(level)
    body = Body(
        width_mm=own.body_width_mm, depth_mm=own.body_depth_mm, height_mm=own.body_height_mm, wedge_rad=own.wedge_rad
    )
    return (body, *left_solids(own), *_spinous(own))


def canal_cutters(own: VertebraDimensions) -> tuple[Strut, ...]:
    """Two elliptic tubes, wide in front and narrow behind, that keep the canal open (removed from the bone)."""
    wall, depth, half = own.posterior_wall_mm - 2.0, own.canal_depth_mm, 0.5 * own.canal_width_mm - 0.5
    shapes = ((wall + 0.36 * depth, half, 0.36 * depth), (wall + 0.5 * depth, 0.68 * half, 0.5 * depth))
    return tuple(
        Strut(
            start=(0.0, middle, -40.0),
            end=(0.0, middle, 40.0),
            wide=(1.0, 0.0, 0.0),
            start_radii_mm=(width, half_depth),
            end_radii_mm=(width, half_depth),
            part="arch",
            blend_mm=1.5,
        )
        for middle, width, half_depth in shapes
    )


def _pars_and_inferior(own: VertebraDimensions, base: Vector) -> list[Strut]:
    below = neighbour_below(own.level)
    assert_below = dimensions(below) if below is not None else own
    centre, tangent, normal = facet(assert_below)
    frames = mean_frames()
    lower, here = frames[assert_below.level], frames[own.level]
    middle = here.to_vertebra(lower.to_lps(centre + 4.6 * normal))
    along = here.axes.T @ lower.axes @ tangent
    tip, shoulder = middle + np.array([0.0, 0.0, -5.0]), middle + np.array([0.0, 0.0, 3.0])
    inner = own.posterior_wall_mm - 2.0 + own.canal_depth_mm
    forward = {"L4": 3.0, "L5": 4.5}.get(own.level.name, 1.5)  # laminae meet at a sharper angle lower down
    isthmus = np.array([0.5 * own.canal_width_mm + 2.0, inner - forward, -3.0])
    pars = Strut(
        start=_vector(np.array(base) + np.array([-1.0, 1.5, -1.0])),
        end=_vector(isthmus),
        wide=(1.0, 0.0, 0.3),
        start_radii_mm=(6.0, 4.5),
        end_radii_mm=(5.5, 4.0),
        part="arch",
        blend_mm=5.0,
    )
    descent = Strut(
        start=_vector(isthmus),
        end=_vector(shoulder),
        wide=_vector(along),
        start_radii_mm=(5.5, 4.2),
        end_radii_mm=(6.5, 4.8),
        part="arch",
        blend_mm=5.0,
    )
    process = Strut(
        start=_vector(shoulder),
        end=_vector(tip),
        wide=_vector(along),
        start_radii_mm=(7.0, 5.2),
        end_radii_mm=(6.0, 4.6),
        part="inferior_articular_left",
        cap_mm=4.5,
    )
    middle_z = 0.5 * (2.0 - 0.55 * own.spinous_height_mm)
    lamina = Strut(
        start=_vector(isthmus + np.array([-2.0, 1.5, middle_z + 2.0])),
        end=(0.0, inner + 3.6, middle_z - 1.5),
        wide=(0.0, 0.15, 1.0),
        start_radii_mm=(8.5, 3.2),
        end_radii_mm=(8.5, 3.4),
        part="arch",
        blend_mm=5.0,
    )
    return [pars, descent, process, lamina]


def _transverse(own: VertebraDimensions, pedicle_x: float) -> list[Strut]:
    wall, tip_x = own.posterior_wall_mm, own.transverse_half_span_mm
    part = "transverse_left"
    if own.level.name == "L5":
        root, middle = (pedicle_x + 1.0, wall + 4.0, 3.0), (pedicle_x + 13.0, wall + 9.5, 4.5)
        radii = ((8.5, 8.0), (5.5, 4.5), (4.2, 3.4))
        tip_y, tip_z = wall + 13.0, 8.0
    else:
        root, middle = (pedicle_x + 0.5, wall + 8.5, 0.5), (pedicle_x + 10.0, wall + 12.0, 1.0)
        radii = ((6.0, 4.4), (4.6, 3.0), (3.8 if own.level.name == "L3" else 3.0, 2.1))
        tip_y, tip_z = wall + 14.5, 4.0
        if own.level.name == "T12":
            radii, tip_y, tip_z = ((6.0, 4.6), (5.0, 4.0), (4.6, 4.0)), wall + 15.0, 3.0
            middle = (pedicle_x + 4.0, wall + 12.0, 2.0)
    accessory = (pedicle_x + 5.5, middle[1] + 3.2, middle[2] - 4.0)
    tip_radius = radii[2][1]
    return [
        _arm(root, middle, radii[0], radii[1], part, 5.0),
        _arm(middle, (tip_x - tip_radius, tip_y, tip_z), radii[1], radii[2], part, 2.0),
        Strut(
            start=(pedicle_x + 4.0, middle[1] - 0.5, middle[2] - 2.0),
            end=accessory,
            wide=(0.0, 0.0, 1.0),
            start_radii_mm=(3.4, 3.2),
            end_radii_mm=(2.2, 2.0),
            part=part,
            blend_mm=3.0,
        ),
    ]


def _arm(
    start: Vector,
    end: Vector,
    start_radii: tuple[float, float],
    end_radii: tuple[float, float],
    part: str,
    blend: float,
) -> Strut:
    return Strut(
        start=start,
        end=end,
        wide=(0.0, 0.0, 1.0),
        start_radii_mm=start_radii,
        end_radii_mm=end_radii,
        part=part,
        blend_mm=blend,
    )


def _spinous(own: VertebraDimensions) -> list[Strut]:
    inner = own.posterior_wall_mm - 2.0 + own.canal_depth_mm
    tip_y, height = own.posterior_wall_mm + own.spinous_length_mm, own.spinous_height_mm
    drop = {"T12": 0.75, "L5": 0.45}.get(own.level.name, 0.62)
    root_z = -0.18 * height
    tip = (0.0, tip_y - 7.0, -drop * height)
    middle = (0.0, 0.5 * (inner + 5 + tip_y), 0.5 * (root_z + tip[2]) - 0.5)
    return [
        Strut(
            start=(0.0, inner + 3.5, root_z),
            end=middle,
            wide=(0.0, 0.0, 1.0),
            start_radii_mm=(0.38 * height, 3.6),
            end_radii_mm=(0.41 * height, 2.6),
            part="spinous",
            blend_mm=6.0,
        ),
        Strut(
            start=middle,
            end=tip,
            wide=(0.0, 0.0, 1.0),
            start_radii_mm=(0.41 * height, 2.6),
            end_radii_mm=(0.40 * height, 3.8),
            part="spinous",
            blend_mm=4.0,
            cap_mm=7.0,
        ),
    ]


def _vector(values: FloatArray) -> Vector:
    return float(values[0]), float(values[1]), float(values[2])
