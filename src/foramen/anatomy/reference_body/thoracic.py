"""Bones T1 to T11 as solids in the vertebra's frame (left, posterior, superior; mm from the body's centre).

Sizes come from `VertebraDimensions`; the shapes and how one solid is placed against another stand in
`knowledge/reference_thoracic.yaml`. Solids are given for the left and mirrored.
"""

from __future__ import annotations

import numpy as np

from foramen.anatomy.reference_body import lumbar
from foramen.anatomy.reference_body.dimensions import VertebraDimensions, dimensions, per_level
from foramen.anatomy.reference_body.drawing_of_bone import BoneDrawing
from foramen.anatomy.reference_body.lumbar import canal_front_mm
from foramen.anatomy.reference_body.posture import mean_frames
from foramen.anatomy.reference_body.primitives import Body, Box, Solid, Strut
from foramen.anatomy.reference_body.regions import place_in_region, region_of
from foramen.anatomy.reference_body.rib_cage import rib_head
from foramen.anatomy.reference_body.shapes import placed
from foramen.knowledge.drawings import Drawing, drawing
from foramen.model.levels import Vertebra, neighbour_below
from foramen.model.space import FloatArray

_BOX: Box = ((-46.0, -24.0, -52.0), (46.0, 68.0, 30.0))
_JOINT_BOX: Box = ((-36.0, 4.0, -50.0), (36.0, 66.0, 6.0))


def thoracic_bone(level: Vertebra) -> BoneDrawing:
    """The drawing of a vertebra T1 to T11."""
    own = dimensions(level)
    cutters = (canal_cutter(own), facet_cutter(own), *costal_cutters(own))
    return BoneDrawing(solids=solids(level), cutters=cutters, box=_BOX, joint_box=_JOINT_BOX)


def solids(level: Vertebra) -> tuple[Solid, ...]:
    """Solids of the midline and the left of a vertebra T1 to T11, in the order in which they are united."""
    own = dimensions(level)
    left = [_pedicle(own), *_superior_articular(own), *_lamina_and_inferior(own), *transverse(own)]
    return (_body(own), *left, *_spinous(own))


def facet(own: VertebraDimensions) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Centre, tangent (towards lateral) and normal (backwards, upwards and outwards) of the left superior facet."""
    shape = drawing("reference_thoracic.facet")
    angle, rise = np.radians(own.facet_angle_deg), np.radians(90.0 - per_level("facet_slope_deg", own.level))
    centre = np.array(
        [
            own.facet_centre_lateral_mm,
            own.posterior_wall_mm + row(shape, "behind_wall_mm", own),
            0.5 * own.body_height_mm + row(shape, "rise_mm", own),
        ]
    )
    tangent = np.array([np.cos(angle), np.sin(angle), 0.0])
    level_normal = np.array([-np.sin(angle), np.cos(angle), 0.0])
    return centre, tangent, np.cos(rise) * level_normal + np.array([0.0, 0.0, np.sin(rise)])


def facet_below(own: VertebraDimensions) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Centre, tangent and normal of the left superior facet of the vertebra below, in this vertebra's frame."""
    below = neighbour_below(own.level) or own.level
    lower = dimensions(below)
    found = lumbar.facet(lower) if region_of(below) == "lumbar" else facet(lower)
    frames = mean_frames()
    turn = frames[own.level].axes.T @ frames[below].axes
    return frames[own.level].to_vertebra(frames[below].to_lps(found[0])), turn @ found[1], turn @ found[2]


def pedicle_middle(own: VertebraDimensions) -> FloatArray:
    """Middle (3,) of the left pedicle, at the posterior wall."""
    below_mm = drawing("reference_thoracic.pedicle").numbers["below_endplate_mm"]
    x = 0.5 * (own.canal_width_mm + own.pedicle_width_mm)
    return np.array([x, own.posterior_wall_mm, 0.5 * (own.body_height_mm - own.pedicle_height_mm) - below_mm])


def column_middle(own: VertebraDimensions) -> FloatArray:
    """Point (3,) of the left where pedicle, lamina, articular and transverse processes meet."""
    form = drawing("reference_thoracic.column").numbers
    return np.array(
        [
            0.5 * own.canal_width_mm + form["lateral_to_canal_mm"],
            own.posterior_wall_mm + form["behind_wall_mm"],
            pedicle_middle(own)[2] - form["below_pedicle_mm"],
        ]
    )


def to_next_mm(own: VertebraDimensions) -> float:
    """Distance of the bodies' centres from this vertebra to the next below."""
    frames = mean_frames()
    below = neighbour_below(own.level) or own.level
    return float(np.linalg.norm(frames[own.level].origin_mm - frames[below].origin_mm))


def transverse(own: VertebraDimensions) -> list[Strut]:
    """Root and club of the left transverse process."""
    shape, start, tip = drawing("reference_thoracic.transverse"), column_middle(own), transverse_tip(own)
    half_way = 0.5 * (start + tip)
    club = row(shape, "club_fraction", own)
    return [
        placed(shape.struts["root"], start, half_way),
        placed(shape.struts["club"], half_way, tip, radii_scale=(club, club)),
    ]


def transverse_tip(own: VertebraDimensions) -> FloatArray:
    """Middle (3,) of the club at the end of the left transverse process."""
    shape, start = drawing("reference_thoracic.transverse"), column_middle(own)
    club = shape.struts["club"]
    x = own.transverse_half_span_mm - row(shape, "club_fraction", own) * (club.cap_mm or 0.0)
    back = np.tan(np.radians(row(shape, "backward_deg", own)))
    return np.array([x, start[1] + back * (x - start[0]), start[2] + row(shape, "tip_rise_mm", own)])


def has_costal_facet(level: Vertebra) -> bool:
    """Whether a rib is jointed to the transverse process: T1 to T10."""
    return region_of(level) == "thoracic" and level.name != "T11"


def costal_facet(own: VertebraDimensions) -> FloatArray:
    """Middle (3,) of the left costal facet, near the anterior surface of the transverse process's club."""
    shape = drawing("reference_thoracic.transverse")
    reach = row(shape, "club_fraction", own) * np.array(shape.rows["costal_facet_mm"])
    found: FloatArray = transverse_tip(own) + reach
    return found


def costal_cutters(own: VertebraDimensions) -> tuple[Strut, ...]:
    """Balls that hollow the left costal facets, of the rib's head and, T1 to T10, of its tubercle (removed)."""
    shape = drawing("reference_thoracic.costal_hollow")
    radius_mm, depth_mm = shape.numbers["radius_mm"], shape.numbers["depth_mm"]
    places = [rib_head(own.level)]
    if has_costal_facet(own.level):
        facet_mm, tip = costal_facet(own), transverse_tip(own)
        outwards = (facet_mm - tip) / np.linalg.norm(facet_mm - tip)
        places.append(facet_mm + (radius_mm - depth_mm) * outwards)
    return tuple(placed(shape.struts["ball"], place, place) for place in places)


def spinous_tip(own: VertebraDimensions) -> tuple[float, float]:
    """Posterior and superior coordinate of the tip of the spinous process."""
    drop = per_level("spinous_drop_mm", own.level)
    return own.posterior_wall_mm + float(np.sqrt(own.spinous_length_mm**2 - drop**2)), -drop


def canal_cutter(own: VertebraDimensions) -> Strut:
    """Round tube that keeps the canal open (removed from the bone)."""
    shape = drawing("reference_thoracic.canal")
    middle = (0.0, canal_front_mm(own) + 0.5 * own.canal_depth_mm, 0.0)
    radii = (0.5 * own.canal_width_mm - shape.numbers["wall_mm"], 0.5 * own.canal_depth_mm)
    return placed(shape.struts["tube"], middle, middle, radii_from_mm=radii)


def facet_cutter(own: VertebraDimensions) -> Strut:
    """Flat ellipse that clears the left superior facet (removed from the bone)."""
    shape = drawing("reference_thoracic.facet_hollow")
    centre, tangent, normal = facet(own)
    upwards = np.cross(tangent, normal)
    middle = centre + shape.struts["hollow"].radii_mm[0][1] * normal + shape.numbers["upwards_mm"] * upwards
    half = shape.numbers["half_width_mm"] * tangent
    return placed(shape.struts["hollow"], middle - half, middle + half, wide=upwards)


def row(shape: Drawing, name: str, own: VertebraDimensions) -> float:
    """Value of a drawing's row for one vertebra."""
    return shape.rows[name][place_in_region(own.level)]


def _body(own: VertebraDimensions) -> Body:
    form = drawing("reference_thoracic.body").numbers
    return Body(
        width_mm=own.body_width_mm,
        depth_mm=own.body_depth_mm,
        height_mm=own.body_height_mm,
        wedge_rad=own.wedge_rad,
        waist_fraction=form["waist_fraction"],
        form=form,
    )


def _pedicle(own: VertebraDimensions) -> Strut:
    shape, middle = drawing("reference_thoracic.pedicle").struts["pedicle"], pedicle_middle(own)
    inwards = np.tan(np.radians(per_level("pedicle_angle_deg", own.level))) * shape.start_mm[1]
    return placed(
        shape,
        middle + np.array([inwards, 0.0, 0.0]),
        middle,
        radii_from_mm=(0.5 * own.pedicle_height_mm, 0.5 * own.pedicle_width_mm),
    )


def _superior_articular(own: VertebraDimensions) -> list[Strut]:
    shape = drawing("reference_thoracic.superior_articular")
    centre, tangent, normal = facet(own)
    upwards = np.cross(tangent, normal)
    middle = centre - drawing("reference_thoracic.facet").numbers["superior_process_mm"] * normal
    half = shape.numbers["half_length_mm"]
    low, high = middle - half * upwards, middle + half * upwards
    return [
        placed(shape.struts["root"], column_middle(own), low, wide=tangent),
        placed(shape.struts["blade"], low, high, wide=tangent),
    ]


def _lamina_and_inferior(own: VertebraDimensions) -> list[Strut]:
    shape = drawing("reference_thoracic.lamina")
    form, pitch = shape.numbers, to_next_mm(own)
    start = column_middle(own)
    end = lamina_middle(own)
    start_lamina = np.array([start[0], start[1], end[2]])
    half_height = form["half_height_fraction"] * pitch
    centre, tangent, normal = facet_below(own)
    upwards = np.cross(tangent, normal)
    middle = centre + drawing("reference_thoracic.facet").numbers["inferior_process_mm"] * normal
    high, low = middle + form["half_length_mm"] * upwards, middle - form["half_length_mm"] * upwards
    return [
        placed(shape.struts["lamina"], start_lamina, end, radii_from_mm=(half_height, 0.0)),
        placed(shape.struts["isthmus"], start, high),
        placed(shape.struts["inferior"], high, low, wide=tangent, radii_scale=(1.0, row(shape, "thickness", own))),
    ]


def lamina_middle(own: VertebraDimensions) -> FloatArray:
    """Middle (3,) of the laminae where they meet in the midline."""
    form = drawing("reference_thoracic.lamina").numbers
    behind = canal_front_mm(own) + own.canal_depth_mm + form["behind_canal_mm"]
    return np.array([0.0, behind, -form["middle_fraction"] * to_next_mm(own)])


def _spinous(own: VertebraDimensions) -> list[Strut]:
    shape = drawing("reference_thoracic.spinous")
    start, height = lamina_middle(own), own.spinous_height_mm
    tip_y, tip_z = spinous_tip(own)
    tip = np.array([0.0, tip_y, tip_z])
    tip -= shape.numbers["tip_before_end_mm"] * (tip - start) / np.linalg.norm(tip - start)
    middle = start + shape.numbers["root_fraction"] * (tip - start)
    return [
        placed(shape.struts["front"], start, middle, radii_scale=(height, 1.0)),
        placed(shape.struts["back"], middle, tip, radii_scale=(height, 1.0)),
    ]
