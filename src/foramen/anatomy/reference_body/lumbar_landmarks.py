"""Landmarks of a reference bone T12 to S1, read off its surface (left side, the vertebra's frame).

SAP_TP_JUNCTION
    Deepest point of the groove between the lateral surface of the base of the superior articular process (SAP)
    and the upper border of the root of the transverse process (TP), on the posterolateral surface, where the
    medial branch lies.
SAP_LATERAL_NECK
    Mid-point of the nerve's stretch on the lateral surface of the SAP's neck, between the junction and the
    mamillo-accessory notch.
MAMILLO_ACCESSORY_NOTCH
    Floor of the notch between the mamillary process (posterior border of the SAP) and the accessory process
    (dorsum of the TP's root).
SACRAL_ALA_NOTCH
    Deepest point of the groove between the SAP of S1 and the sacral ala.
FORAMEN_POSTERIOR_BORDER
    Anterior margin of the SAP a little above the superior endplate, at the height of the nerve: what a true
    lateral view shows as the posterior border of the foramen above this vertebra.
TRANSVERSE_PROCESS_TIP
    Most lateral point of the transverse process.
SAP_TIP
    Highest point of the SAP.
"""

from __future__ import annotations

import numpy as np

from foramen.anatomy.reference_body import lumbar, sacrum
from foramen.anatomy.reference_body.dimensions import dimensions
from foramen.anatomy.reference_body.field import BoneField
from foramen.anatomy.reference_body.primitives import Strut
from foramen.errors import LandmarkError
from foramen.knowledge.drawings import drawing
from foramen.model.anatomy import LandmarkName
from foramen.model.levels import Vertebra
from foramen.model.space import FloatArray

OFF_MIDLINE_MM = 2.0
"""Vertices nearer to the midline than this are not looked at."""

NEAR_SOLID_MM = 0.8
"""A vertex belongs to a solid that is nearer than this: one step of the field's grid."""

BAND_MM = 1.0
"""Half height of the band in which the anterior margin is read, and how evenly a groove's floor lies to both sides."""

FLOOR_DEPTH_MM, DEEPEST_FLOOR_MM = 1.5, 3.0
"""A groove's floor reaches this far from its deepest point, and at least to the second distance of both solids."""

LEAST_FACING, FACING_SPREAD = 0.6, 0.04
"""Cosines: how far the groove's floor may turn from its view, and the spread of those averaged."""


def left_landmarks(level: Vertebra, bone: BoneField, vertices_mm: FloatArray) -> dict[LandmarkName, FloatArray]:
    """Left landmarks (3,) of a bone from its field and surface vertices (n, 3); the neck follows from the nerve."""
    shape = drawing("reference_bones.landmarks")
    left = vertices_mm[vertices_mm[:, 0] > OFF_MIDLINE_MM]
    articular = _of_part(level, "superior_articular_left")
    lateral = _of_part(level, "ala_left" if level.name == "S1" else "transverse_left")
    on_articular = left[_distance(articular, left) < NEAR_SOLID_MM]
    found = {
        LandmarkName.SAP_TIP: on_articular[np.argmax(on_articular[:, 2])],
        LandmarkName.FORAMEN_POSTERIOR_BORDER: _anterior_margin(level, on_articular),
    }
    groove = _groove(level, bone, left, articular, lateral)
    if level.name == "S1":
        found[LandmarkName.SACRAL_ALA_NOTCH] = groove
        return found
    found[LandmarkName.SAP_TP_JUNCTION] = groove
    found[LandmarkName.TRANSVERSE_PROCESS_TIP] = left[np.argmax(left[:, 0])]
    mamillary, accessory = np.array(articular[-1].end), np.array(lateral[-1].end)
    notch = 0.5 * (mamillary + accessory) + np.array(shape.rows["notch_mm"])
    found[LandmarkName.MAMILLO_ACCESSORY_NOTCH] = bone.onto_surface(notch)[0]
    return found


def sacral_exit(bone: BoneField) -> FloatArray:
    """Point (3,) lateral to the base of the S1 process, where the left L5 dorsal ramus turns medially."""
    offset = np.array(drawing("reference_bones.landmarks").rows["sacral_exit_mm"])
    found: FloatArray = bone.onto_surface(lumbar.superior_process(dimensions(Vertebra("S1"))) + offset)[0]
    return found


def _of_part(level: Vertebra, part: str) -> list[Strut]:
    solids = sacrum.solids() if level.name == "S1" else lumbar.solids(level)
    return [s for s in solids if isinstance(s, Strut) and s.part == part]


def _distance(struts: list[Strut], points_mm: FloatArray) -> FloatArray:
    x, y, z = (points_mm[:, i].astype(np.float32) for i in range(3))
    found: FloatArray = np.min([s.distance(x, y, z) for s in struts], axis=0).astype(np.float64)
    return found


def _anterior_margin(level: Vertebra, on_articular: FloatArray) -> FloatArray:
    height = 0.5 * dimensions(level).body_height_mm
    height += drawing("reference_bones.landmarks").numbers["foramen_above_endplate_mm"]
    band = on_articular[np.abs(on_articular[:, 2] - height) < BAND_MM]
    if not len(band):
        raise LandmarkError(f"{level}: the superior articular process does not reach the height of the foramen.")
    found: FloatArray = band[np.argmin(band[:, 1])]
    return found


def _groove(
    level: Vertebra, bone: BoneField, left: FloatArray, articular: list[Strut], lateral: list[Strut]
) -> FloatArray:
    to_articular, to_lateral = (
        _distance(articular[:2], left),
        _distance(lateral[: 1 if level.name == "S1" else 2], left),
    )
    depth = np.maximum(to_articular, to_lateral)  # small where both solids are near: the groove's floor
    shape = drawing("reference_bones.landmarks")
    least_lateral_mm = dimensions(level).facet_centre_lateral_mm + shape.numbers["lateral_to_facet_mm"]
    depth[left[:, 0] < least_lateral_mm] = np.inf
    view = np.array(shape.rows["sacral_groove_view" if level.name == "S1" else "groove_view"])
    facing = bone.normal(left) @ (view / np.linalg.norm(view))
    depth[facing < LEAST_FACING] = np.inf
    if not np.isfinite(depth).any():
        raise LandmarkError(f"{level}: no groove between the superior articular process and its neighbour.")
    is_floor = np.abs(to_articular - to_lateral) < BAND_MM
    is_floor &= depth < max(depth.min() + FLOOR_DEPTH_MM, DEEPEST_FLOOR_MM)
    is_floor[np.argmin(depth)] = True
    points, facing = left[is_floor], facing[is_floor]
    best = points[facing > facing.max() - FACING_SPREAD]
    found: FloatArray = bone.onto_surface(best.mean(0))[0]
    return found
