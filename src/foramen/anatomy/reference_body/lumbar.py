"""Bones T12 to L5 as solids in the vertebra's frame (left, posterior, superior; mm from the body's centre).

Sizes come from `VertebraDimensions`; the shapes and how one solid is placed against another stand in
`knowledge/reference_bones.yaml`. Solids are given for the left and mirrored.
"""

from __future__ import annotations

import numpy as np

from foramen.anatomy.reference_body.dimensions import VertebraDimensions, dimensions
from foramen.anatomy.reference_body.drawing_of_bone import BoneDrawing
from foramen.anatomy.reference_body.posture import mean_frames
from foramen.anatomy.reference_body.primitives import Body, Box, Solid, Strut, Vector
from foramen.anatomy.reference_body.regions import place_in_region
from foramen.anatomy.reference_body.shapes import placed, vector
from foramen.knowledge.drawings import Drawing, drawing
from foramen.model.levels import Vertebra, neighbour_below
from foramen.model.space import FloatArray


def body(own: VertebraDimensions, *, waist_fraction: float) -> Body:
    """Solid of a vertebral body."""
    return Body(
        width_mm=own.body_width_mm,
        depth_mm=own.body_depth_mm,
        height_mm=own.body_height_mm,
        wedge_rad=own.wedge_rad,
        waist_fraction=waist_fraction,
        form=drawing("reference_bones.body").numbers,
    )


def facet(own: VertebraDimensions) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Centre, tangent (towards lateral posterior) and normal (towards medial posterior) of the left superior facet."""
    angle = np.radians(own.facet_angle_deg)
    shape = drawing("reference_bones.facet")
    rise, behind = _at(shape, "rise_mm", own), _at(shape, "behind_wall_mm", own)
    centre = np.array([own.facet_centre_lateral_mm, own.posterior_wall_mm + behind, 0.5 * own.body_height_mm + rise])
    tangent = np.array([np.cos(angle), np.sin(angle), 0.0])
    normal = np.array([-np.sin(angle), np.cos(angle), 0.0])
    return centre, tangent, normal


def superior_process(own: VertebraDimensions) -> FloatArray:
    """Middle (3,) of the left superior articular process, before its facet."""
    centre, _, normal = facet(own)
    middle: FloatArray = centre - drawing("reference_bones.facet").numbers["superior_process_mm"] * normal
    return middle


def superior_articular(own: VertebraDimensions, base: Vector) -> list[Strut]:
    """Left superior articular process with its mamillary process, rising from `base`."""
    shape = drawing("reference_bones.superior_articular")
    _, tangent, _ = facet(own)
    middle = superior_process(own)
    mamilla = middle + shape.numbers["mamillary_behind_mm"] * tangent + np.array(shape.rows["mamillary_mm"])
    return [
        placed(shape.struts["root"], base, middle, wide=tangent),
        placed(shape.struts["blade"], middle, middle, wide=tangent),
        placed(shape.struts["mamillary"], mamilla, mamilla),
    ]


def facet_cutter(own: VertebraDimensions) -> Strut:
    """Cylinder that hollows the left superior facet (removed from the bone)."""
    shape = drawing("reference_bones.facet")
    radius_mm = shape.numbers["radius_mm"]
    centre, _, normal = facet(own)
    axis = centre + radius_mm * normal
    return placed(shape.struts["hollow"], axis, axis, radii_from_mm=(radius_mm, radius_mm))


def left_solids(own: VertebraDimensions) -> list[Strut]:
    """Solids of the left half of the arch."""
    shape = drawing("reference_bones.pedicle")
    wall, pedicle_x = own.posterior_wall_mm, 0.5 * own.canal_width_mm + 0.5 * own.pedicle_width_mm
    pedicle_z = 0.5 * own.body_height_mm - 0.5 * own.pedicle_height_mm - shape.numbers["below_endplate_mm"]
    oblique = shape.numbers["oblique_shift"] * _at(shape, "oblique_mm", own)
    middle = np.array([pedicle_x, wall, pedicle_z])
    pedicle = placed(
        shape.struts["pedicle"],
        middle - np.array([oblique, 0.0, 0.0]),
        middle,
        radii_from_mm=(0.5 * own.pedicle_height_mm, 0.5 * own.pedicle_width_mm),
    )
    base = vector(middle + np.array(shape.rows["articular_base_mm"]))
    return [pedicle, *superior_articular(own, base), *_pars_and_inferior(own, base), *_transverse(own, pedicle_x)]


_BOX: Box = ((-54.0, -24.0, -44.0), (54.0, 76.0, 34.0))
_JOINT_BOX: Box = ((-36.0, 6.0, -43.0), (36.0, 70.0, 4.0))


def lumbar_bone(level: Vertebra) -> BoneDrawing:
    """The drawing of a vertebra T12 to L5."""
    own = dimensions(level)
    cutters = (*canal_cutters(own), facet_cutter(own))
    return BoneDrawing(solids=solids(level), cutters=cutters, box=_BOX, joint_box=_JOINT_BOX)


def solids(level: Vertebra) -> tuple[Solid, ...]:
    """Solids of the midline and the left of a vertebra T12 to L5, in the order in which they are united."""
    own = dimensions(level)
    waist_fraction = drawing("reference_bones.body").numbers["waist_fraction"]
    return (body(own, waist_fraction=waist_fraction), *left_solids(own), *_spinous(own))


def canal_front_mm(own: VertebraDimensions) -> float:
    """Posterior coordinate of the canal's front: a little before the body's posterior wall."""
    return own.posterior_wall_mm - drawing("reference_bones.arch").numbers["canal_before_wall_mm"]


def canal_cutters(own: VertebraDimensions) -> tuple[Strut, ...]:
    """Two elliptic tubes, wide in front and narrow behind, that keep the canal open (removed from the bone)."""
    shape = drawing("reference_bones.canal")
    front, depth, half = canal_front_mm(own), own.canal_depth_mm, 0.5 * own.canal_width_mm - shape.numbers["wall_mm"]
    return tuple(
        placed(
            shape.struts["tube"],
            (0.0, front + middle * depth, 0.0),
            (0.0, front + middle * depth, 0.0),
            radii_from_mm=(width * half, half_depth * depth),
        )
        for middle, width, half_depth in shape.points["sections"]
    )


def _pars_and_inferior(own: VertebraDimensions, base: Vector) -> list[Strut]:
    shape = drawing("reference_bones.arch")
    below = neighbour_below(own.level)
    lower_own = dimensions(below) if below is not None else own
    centre, tangent, normal = facet(lower_own)
    frames = mean_frames()
    lower, here = frames[lower_own.level], frames[own.level]
    behind_mm = drawing("reference_bones.facet").numbers["inferior_process_mm"]
    middle = here.to_vertebra(lower.to_lps(centre + behind_mm * normal))
    along = here.axes.T @ lower.axes @ tangent
    inner = canal_front_mm(own) + own.canal_depth_mm
    isthmus = np.array([0.5 * own.canal_width_mm, inner - _at(shape, "forward_mm", own), 0.0])
    isthmus += np.array(shape.rows["isthmus_mm"])
    height = shape.numbers["lamina_height_fraction"] * own.spinous_height_mm
    middle_z = np.array([0.0, 0.0, 0.5 * (shape.numbers["lamina_top_mm"] - height)])
    return [
        placed(shape.struts["pars"], base, isthmus),
        placed(shape.struts["descent"], isthmus, middle, wide=along),
        placed(shape.struts["inferior"], middle, middle, wide=along),
        placed(shape.struts["lamina"], isthmus + middle_z, np.array([0.0, inner, 0.0]) + middle_z),
    ]


def _transverse(own: VertebraDimensions, pedicle_x: float) -> list[Strut]:
    name = own.level.name
    shape = drawing(f"reference_bones.transverse{f'_{name.lower()}' if name in ('T12', 'L5') else ''}")
    wall = own.posterior_wall_mm
    root = placed(shape.struts["root"], (pedicle_x, wall, 0.0), (pedicle_x, wall, 0.0))
    tip = shape.struts.get(f"tip_{name.lower()}", shape.struts["tip"])
    notch = (pedicle_x, root.end[1], root.end[2])
    return [
        root,
        placed(tip, root.end, (own.transverse_half_span_mm, wall, 0.0)),
        placed(shape.struts["accessory"], notch, notch),
    ]


def _spinous(own: VertebraDimensions) -> list[Strut]:
    shape = drawing("reference_bones.spinous")
    inner = canal_front_mm(own) + own.canal_depth_mm
    tip_y, height = own.posterior_wall_mm + own.spinous_length_mm, own.spinous_height_mm
    root_z = -shape.numbers["root_drop_fraction"] * height
    tip = (0.0, tip_y - shape.numbers["tip_before_end_mm"], -_at(shape, "drop_fraction", own) * height)
    middle = (
        0.0,
        0.5 * (inner + shape.numbers["waist_behind_mm"] + tip_y),
        0.5 * (root_z + tip[2]) - shape.numbers["waist_drop_mm"],
    )
    return [
        placed(shape.struts["front"], (0.0, inner, root_z), middle, radii_scale=(height, 1.0)),
        placed(shape.struts["back"], middle, tip, radii_scale=(height, 1.0)),
    ]


def _at(shape: Drawing, row: str, own: VertebraDimensions) -> float:
    return shape.rows[row][place_in_region(own.level)]
