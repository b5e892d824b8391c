"""Atlas (C1) and axis (C2) as solids in the vertebra's frame (left, posterior, superior; mm).

The frame of C1 lies between its lateral masses, that of C2 in its body, below the dens. The lateral masses of the
atlas stand off the upper facets of the axis, and its anterior arch off the dens, by the joint space: `bone.py` carves
them.
"""

from __future__ import annotations

import numpy as np

from foramen.anatomy.reference_body.cervical import (
    BOX,
    body,
    canal_cutters,
    facet,
    foramen_cutter,
    halves,
    lamina,
    lower_facet,
    spinous,
)
from foramen.anatomy.reference_body.dimensions import VertebraDimensions, dimensions, per_level
from foramen.anatomy.reference_body.drawing_of_bone import BoneDrawing
from foramen.anatomy.reference_body.primitives import Box, Solid
from foramen.anatomy.reference_body.shapes import placed
from foramen.knowledge.drawings import drawing
from foramen.model.levels import Vertebra
from foramen.model.space import FloatArray

_AXIS_BOX: Box = (BOX[0], (BOX[1][0], BOX[1][1], 32.0))
_ATLAS_JOINT_BOX: Box = ((-30.0, -16.0, -20.0), (30.0, 30.0, 12.0))
_AXIS_JOINT_BOX: Box = ((-32.0, -14.0, -31.0), (32.0, 40.0, 0.0))

_OF_AXIS = ("dens_neck", "dens_head", "shoulder", "pars")
_OF_ATLAS_CUT = ("condyle", "groove_side", "groove_back")


def atlas(level: Vertebra) -> BoneDrawing:
    """The drawing of the atlas, which `level` (C1) names."""
    struts = drawing("reference_cervical.atlas").struts
    solids = tuple(placed(shape) for name, shape in struts.items() if name not in _OF_ATLAS_CUT)
    cut = (*canal_cutters(dimensions(level)), foramen_cutter(level), *(placed(struts[n]) for n in _OF_ATLAS_CUT))
    return BoneDrawing(solids=solids, cutters=cut, box=BOX, joint_box=_ATLAS_JOINT_BOX)


def axis(level: Vertebra) -> BoneDrawing:
    """The drawing of the axis, which `level` (C2) names."""
    struts = drawing("reference_cervical.axis").struts
    cut = (*canal_cutters(dimensions(level)), placed(struts["artery_up"]), placed(struts["artery_out"]))
    return BoneDrawing(solids=axis_solids(level), cutters=cut, box=_AXIS_BOX, joint_box=_AXIS_JOINT_BOX)


def axis_solids(level: Vertebra) -> tuple[Solid, ...]:
    """Solids of the midline and the left of the axis, in the order in which they are united."""
    own, shape = dimensions(level), drawing("reference_cervical.axis")
    centre, _ = upper_facet(level)
    mass = placed(shape.struts["upper_mass"], centre, centre)
    transverse = [placed(shape.struts[name]) for name in ("front_root", "back_root", "tip")]
    middle = axis_pillar_middle(level)
    back = (lamina(own, middle), *spinous(own))
    inner = [placed(shape.struts[name]) for name in _OF_AXIS]
    return (*body(own), *inner, mass, *halves(level, *_pillar_top(level)), *transverse, *back)


def upper_facet(level: Vertebra) -> tuple[FloatArray, FloatArray]:
    """Centre (3,) of the left upper facet of the axis and its unit normal (3,), which points up and outwards."""
    fall = np.radians(per_level("facet_slope_deg", level))
    centre = np.array(drawing("reference_cervical.axis").rows["upper_facet_mm"])
    return centre, np.array([np.sin(fall), 0.0, np.cos(fall)])


def axis_pillar_middle(level: Vertebra) -> FloatArray:
    """Middle (3,) of the left lower pillar of the axis."""
    middle: FloatArray = 0.5 * (_pillar_top(level)[0] + lower_facet(level)[0])
    return middle


def _pillar_top(level: Vertebra) -> tuple[FloatArray, FloatArray]:
    shape = drawing("reference_cervical.axis")
    bottom, _ = lower_facet(level)
    normal = np.array(shape.rows["pillar_top_normal"])
    return bottom + np.array([0.0, 0.0, shape.numbers["pillar_top_mm"]]), normal / np.linalg.norm(normal)


def cervical_facet(own: VertebraDimensions) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Centre, tangent (outwards) and normal (out of the bone) of the left upper facet of C1 to C7."""
    if own.level.name == "C1":
        centre = np.array(drawing("reference_cervical.atlas").rows["upper_facet_mm"])
        rise = np.radians(per_level("facet_slope_deg", own.level))
        normal = np.array([-np.sin(rise), 0.0, np.cos(rise)])
    elif own.level.name == "C2":
        centre, normal = upper_facet(own.level)
    else:
        centre, normal = facet(own.level)
    outwards = np.array([1.0, 0.0, 0.0]) - normal[0] * normal
    return centre, outwards / np.linalg.norm(outwards), normal
