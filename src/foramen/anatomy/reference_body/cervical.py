"""Bones C3 to C7 as solids in the vertebra's frame (left, posterior, superior; mm from the body's centre).

Sizes come from `VertebraDimensions` and `cervical.yaml`; the shapes and how one solid is placed against another stand
in `knowledge/reference_cervical.yaml`. Solids are given for the left and mirrored.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from foramen.anatomy.reference_body import thoracic
from foramen.anatomy.reference_body.articular_pillar import APART_MM, Pillar
from foramen.anatomy.reference_body.dimensions import VertebraDimensions, dimensions, joint_space_mm, per_level
from foramen.anatomy.reference_body.drawing_of_bone import BoneDrawing
from foramen.anatomy.reference_body.posture import mean_frames
from foramen.anatomy.reference_body.primitives import Body, Box, Solid, Strut
from foramen.anatomy.reference_body.regions import place_in_region
from foramen.anatomy.reference_body.shapes import placed, vector
from foramen.knowledge.drawings import Drawing, drawing
from foramen.model.levels import Vertebra
from foramen.model.space import FloatArray

BOX: Box = ((-48.0, -20.0, -32.0), (48.0, 72.0, 22.0))
"""Around any of these bones; symmetric about the midplane."""

_JOINT_BOX: Box = ((-32.0, -14.0, -31.0), (32.0, 40.0, 4.0))


def cervical_bone(level: Vertebra) -> BoneDrawing:
    """The drawing of a vertebra C3 to C7."""
    return BoneDrawing(solids=solids(level), cutters=cutters(level), box=BOX, joint_box=_JOINT_BOX)


def solids(level: Vertebra) -> tuple[Solid, ...]:
    """Solids of the midline and the left of a vertebra C3 to C7, in the order in which they are united."""
    own = dimensions(level)
    ridge = _uncinate(own)
    back = (lamina(own, pillar_middle(level)), *spinous(own))
    return (*body(own), *ridge, _pedicle(own), *pillars(level), *_transverse(own), *back)


def cutters(level: Vertebra) -> tuple[Strut, ...]:
    """What is removed: the canal and the left transverse foramen."""
    return (*canal_cutters(dimensions(level)), foramen_cutter(level))


def row(shape: Drawing, name: str, level: Vertebra) -> float:
    """Value for one vertebra of a row over C1 to C7."""
    return shape.rows[name][place_in_region(level)]


def facet(level: Vertebra) -> tuple[FloatArray, FloatArray]:
    """Centre (3,) of the left superior facet of C3 to C7 and its unit normal (3,), which points back and up."""
    own, shape = dimensions(level), drawing("reference_cervical.pillar")
    slope = np.radians(per_level("facet_slope_deg", level))
    behind = own.posterior_wall_mm + row(shape, "behind_wall_mm", level)
    centre = np.array([own.facet_centre_lateral_mm, behind, 0.5 * own.body_height_mm + row(shape, "rise_mm", level)])
    normal = np.array([row(shape, "outward", level), np.sin(slope), np.cos(slope)])
    return centre, normal / np.linalg.norm(normal)


def lower_facet(level: Vertebra) -> tuple[FloatArray, FloatArray]:
    """Centre (3,) of the left inferior facet of C2 to C7 and its unit normal (3,), which points forward and down."""
    below = Vertebra("T1") if level.name == "C7" else Vertebra(f"C{place_in_region(level) + 2}")
    centre, normal = facet(below) if below.name != "T1" else thoracic.facet(dimensions(below))[::2]
    frames = mean_frames()
    turn = frames[level].axes.T @ frames[below].axes
    here = frames[level].to_vertebra(frames[below].to_lps(centre + joint_space_mm(level) * normal))
    return here, -(turn @ normal)


def pillars(level: Vertebra) -> tuple[Pillar, Pillar]:
    """Left articular pillar of C3 to C7, and its lower half again for the name of its part."""
    return halves(level, *facet(level))


def halves(level: Vertebra, top: FloatArray, up: FloatArray) -> tuple[Pillar, Pillar]:
    """Left pillar from a plane at `top` (3,) with the normal `up` (3,) to the lower facet, whole and its lower half."""
    form = drawing("reference_cervical.pillar").numbers
    bottom, down = lower_facet(level)
    half_width, half_depth = (0.5 * per_level(f"pillar_{name}_mm", level) for name in ("width", "depth"))
    whole = Pillar(
        top=vector(top),
        top_normal=vector(up),
        bottom=vector(bottom + form["overlap_mm"] * down),  # carved back to the joint space by the bone below
        bottom_normal=vector(down),
        medial_mm=(float(top[0] - half_width), float(bottom[0] - half_width)),
        lateral_mm=(float(top[0] + half_width), float(bottom[0] + half_width)),
        front_mm=(float(top[1] - half_depth), float(bottom[1] - half_depth)),
        back_mm=(float(top[1] + half_depth), float(bottom[1] + half_depth)),
        form=form,
        part="superior_articular_left",
        blend_mm=form["blend_mm"],
    )
    return whole, replace(whole, part="inferior_articular_left", blend_mm=APART_MM, is_lower_half=True)


def pillar_middle(level: Vertebra) -> FloatArray:
    """Middle (3,) of a left pillar, between its facets."""
    middle: FloatArray = 0.5 * (facet(level)[0] + lower_facet(level)[0])
    return middle


def canal_front_mm(own: VertebraDimensions) -> float:
    """Posterior coordinate of the canal's front: a little before the body's posterior wall."""
    return own.posterior_wall_mm - drawing("reference_cervical.canal").numbers["before_wall_mm"]


def canal_cutters(own: VertebraDimensions) -> tuple[Strut, ...]:
    """Two elliptic tubes, wide in front and narrow behind, that keep the canal open (removed from the bone)."""
    shape = drawing("reference_cervical.canal")
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


def foramen_middle(level: Vertebra) -> FloatArray:
    """Middle (3,) of the left transverse foramen of C1 to C7."""
    shape = drawing("reference_cervical.transverse")
    return np.array([row(shape, "foramen_lateral_mm", level), row(shape, "foramen_behind_mm", level), 0.0])


def foramen_cutter(level: Vertebra) -> Strut:
    """Left transverse foramen of C3 to C7 (removed from the bone)."""
    middle, radius = foramen_middle(level), 0.5 * per_level("transverse_foramen_mm", level)
    shape = drawing("reference_cervical.transverse").struts["foramen"]
    return placed(shape, middle, middle, radii_from_mm=(radius, radius))


def lamina(own: VertebraDimensions, outer: FloatArray) -> Strut:
    """Left lamina of C2 to C7 from `outer` (3,), within the pillar."""
    shape = drawing("reference_cervical.lamina")
    half, rise = row(shape, "half_height_mm", own.level), row(shape, "middle_rise_mm", own.level)
    inner = canal_front_mm(own) + own.canal_depth_mm
    start = (outer[0], outer[1], 0.5 * (outer[2] + rise))
    return placed(shape.struts["outer"], start, (0.0, inner, rise), radii_from_mm=(half, 0.0))


def spinous(own: VertebraDimensions) -> list[Strut]:
    """Spinous process of C2 to C7: two tubercles, or one knob at C7."""
    shape = drawing("reference_cervical.spinous")
    inner, height = canal_front_mm(own) + own.canal_depth_mm, own.spinous_height_mm
    rise, fork = row(shape, "root_rise_mm", own.level), row(shape, "fork_mm", own.level)
    tip_y = own.posterior_wall_mm + own.spinous_length_mm
    drop = row(shape, "drop_fraction", own.level) * (tip_y - inner)
    middle = (0.0, tip_y - shape.numbers["fork_before_tip_mm"], rise - drop)
    shaft = placed(shape.struts["shaft"], (0.0, inner, rise), middle, radii_scale=(height, 1.0))
    if fork == 0:
        knob = placed(shape.struts["knob"], middle, (0.0, tip_y, rise - 1.15 * drop), radii_scale=(height, 1.0))
        return [shaft, knob]
    stout = height / shape.numbers["fork_height_mm"]
    return [shaft, placed(shape.struts["fork"], middle, (fork, tip_y, middle[2]), radii_scale=(stout, stout))]


def body(own: VertebraDimensions) -> list[Solid]:
    """Body of C2 to C7 with the lip of its anterior lower edge."""
    shape = drawing("reference_cervical.body")
    whole = Body(
        width_mm=own.body_width_mm,
        depth_mm=own.body_depth_mm,
        height_mm=own.body_height_mm,
        wedge_rad=own.wedge_rad,
        waist_fraction=shape.numbers["waist_fraction"],
        form=shape.numbers,
        blend_mm=shape.numbers["blend_mm"],
    )
    edge = (0.0, -0.5 * own.body_depth_mm, -0.5 * own.body_height_mm)
    return [whole, placed(shape.struts["lip"], edge, edge)]


def _uncinate(own: VertebraDimensions) -> list[Strut]:
    shape = drawing("reference_cervical.uncinate")
    margin = (0.5 * own.body_width_mm, 0.0, 0.5 * own.body_height_mm)
    scale = row(shape, "scale", own.level)
    return [placed(shape.struts[name], margin, margin, radii_scale=(scale, scale)) for name in ("front", "back")]


def _pedicle(own: VertebraDimensions) -> Strut:
    shape = drawing("reference_cervical.pedicle")
    place = (0.5 * own.canal_width_mm, own.posterior_wall_mm, row(shape, "rise_mm", own.level))
    radii = (0.5 * own.pedicle_height_mm, 0.5 * own.pedicle_width_mm)
    return placed(shape.struts["pedicle"], place, place, radii_from_mm=radii)


def _transverse(own: VertebraDimensions) -> list[Strut]:
    shape, level = drawing("reference_cervical.transverse"), own.level
    tip, waist = posterior_tip(own), pillar_middle(level)
    front = np.array([row(shape, f"anterior_{name}_mm", level) for name in ("lateral", "behind", "rise")])
    radius = row(shape, "anterior_radius_mm", level)
    margin = (0.5 * own.body_width_mm + shape.numbers["costal_from_margin_mm"], front[1] * 0.5, 0.0)
    pillar_front = waist[1] - 0.5 * per_level("pillar_depth_mm", level)
    root = np.array([waist[0] - 0.5, pillar_front + 1.5, 0.5 * waist[2]])
    return [
        placed(shape.struts["costal"], margin, front),
        placed(shape.struts["anterior_tubercle"], front, front, radii_scale=(radius, radius)),
        placed(shape.struts["posterior_bar"], root, tip),
        placed(shape.struts["posterior_tubercle"], tip, tip),
        placed(shape.struts["lamella"], front, tip),
    ]


def posterior_tip(own: VertebraDimensions) -> FloatArray:
    """Tip (3,) of the left posterior tubercle of C3 to C7."""
    shape = drawing("reference_cervical.transverse")
    behind, rise = row(shape, "posterior_behind_mm", own.level), row(shape, "posterior_rise_mm", own.level)
    return np.array([own.transverse_half_span_mm, behind, rise])
