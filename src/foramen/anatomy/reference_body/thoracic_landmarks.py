"""Landmarks of a reference bone T1 to T11, read off its surface (left side, the vertebra's frame).

TRANSVERSE_PROCESS_SUPEROLATERAL
    Superolateral corner of the transverse process: the point of its surface furthest upwards and outwards, on the
    back half of its tip. The medial branch of the nerve above crosses here (C8 over T1, T1 to T10 over T2 to T11).
TRANSVERSE_PROCESS_TIP
    Most lateral point of the transverse process.
SAP_TIP
    Highest point of the superior articular process (SAP).
SUPERIOR_FACET_CENTRE
    Centre of the superior facet, on the posterior surface of the SAP.
INFERIOR_FACET_CENTRE
    Point of the inferior facet (anterior surface of the lamina's lower lateral part) that faces the superior facet's
    centre of the vertebra below.
FORAMEN_POSTERIOR_BORDER
    Anterior margin of the SAP a little above the superior endplate, at the height of the nerve: what a true
    lateral view shows as the posterior border of the foramen above this vertebra.
COSTOTRANSVERSE_JOINT
    Centre of the costal facet, on the anterior surface of the transverse process near its tip (T1 to T10).
LAMINA_BASE
    Where the lamina meets the root of the spinous process, on the dorsal surface at the height of the lamina's middle.
"""

from __future__ import annotations

import numpy as np

from foramen.anatomy.reference_body import thoracic
from foramen.anatomy.reference_body.dimensions import VertebraDimensions, dimensions
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
"""Half height of the band in which the anterior margin is read."""

RAY_STEP_MM, RAY_LENGTH_MM = 0.1, 24.0
"""Steps along a ray that is followed to the bone's surface, and its length."""


def left_landmarks(level: Vertebra, bone: BoneField, vertices_mm: FloatArray) -> dict[LandmarkName, FloatArray]:
    """Left landmarks (3,) of a bone T1 to T11 from its field and surface vertices (n, 3)."""
    own, shape = dimensions(level), drawing("reference_thoracic.landmarks")
    left = vertices_mm[vertices_mm[:, 0] > OFF_MIDLINE_MM]
    on_articular = left[_distance(level, "superior_articular_left", left) < NEAR_SOLID_MM]
    on_transverse = left[_distance(level, "transverse_left", left) < NEAR_SOLID_MM]
    behind = on_transverse[on_transverse[:, 1] > thoracic.transverse_tip(own)[1]]
    superior, _, _ = thoracic.facet(own)
    lower, _, backwards = thoracic.facet_below(own)
    base = thoracic.lamina_middle(own) + np.array(shape.rows["lamina_base_from_mm"])
    found = {
        LandmarkName.TRANSVERSE_PROCESS_SUPEROLATERAL: behind[
            np.argmax(behind @ np.array(shape.rows["superolateral_view"]))
        ],
        LandmarkName.TRANSVERSE_PROCESS_TIP: on_transverse[np.argmax(on_transverse[:, 0])],
        LandmarkName.SAP_TIP: on_articular[np.argmax(on_articular[:, 2])],
        LandmarkName.SUPERIOR_FACET_CENTRE: bone.onto_surface(superior)[0],
        LandmarkName.INFERIOR_FACET_CENTRE: _first_bone(level, bone, lower, backwards),
        LandmarkName.FORAMEN_POSTERIOR_BORDER: _anterior_margin(own, on_articular),
        LandmarkName.LAMINA_BASE: _first_bone(level, bone, base, np.array([0.0, -1.0, 0.0])),
    }
    if thoracic.has_costal_facet(level):
        found[LandmarkName.COSTOTRANSVERSE_JOINT] = bone.onto_surface(thoracic.costal_facet(own))[0]
    return found


def _distance(level: Vertebra, part: str, points_mm: FloatArray) -> FloatArray:
    struts = [s for s in thoracic.solids(level) if isinstance(s, Strut) and s.part == part]
    x, y, z = (points_mm[:, i].astype(np.float32) for i in range(3))
    found: FloatArray = np.min([s.distance(x, y, z) for s in struts], axis=0).astype(np.float64)
    return found


def _anterior_margin(own: VertebraDimensions, on_articular: FloatArray) -> FloatArray:
    height = 0.5 * own.body_height_mm + drawing("reference_thoracic.landmarks").numbers["foramen_above_endplate_mm"]
    band = on_articular[np.abs(on_articular[:, 2] - height) < BAND_MM]
    if not len(band):
        raise LandmarkError(f"{own.level}: the superior articular process does not reach the height of the foramen.")
    found: FloatArray = band[np.argmin(band[:, 1])]
    return found


def _first_bone(level: Vertebra, bone: BoneField, start_mm: FloatArray, direction: FloatArray) -> FloatArray:
    """Where a ray from `start_mm`, outside the bone, first meets it (3,)."""
    ray = start_mm + np.arange(0.0, RAY_LENGTH_MM, RAY_STEP_MM)[:, None] * direction
    is_inside = bone.at(ray) < 0
    if not is_inside.any() or is_inside[0]:
        raise LandmarkError(f"{level}: no bone where a landmark of the reference vertebra should lie.")
    found: FloatArray = bone.onto_surface(ray[np.argmax(is_inside)])[0]
    return found
