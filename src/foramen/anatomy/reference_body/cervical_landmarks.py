"""Landmarks of a reference bone C3 to C7, read off its surface (left side, the vertebra's frame).

PILLAR_WAIST
    Point of the pillar's lateral surface straight lateral to the middle between its facets' centres: where the
    outline of the pillar is most hollow on an anteroposterior view. Target for the medial branches C3 to C6.
PILLAR_CENTROID
    Point of the pillar's lateral surface straight lateral to the centroid of the pillar as a true lateral view shows
    it (a rhomboid).
SUPERIOR_FACET_CENTRE, INFERIOR_FACET_CENTRE
    Middle of the joint surface.
JOINT_LATERAL_MIDPOINT
    Middle of the lateral margin of the superior facet: the lower lip of the joint above this vertebra. At C3, where
    the third occipital nerve crosses the C2-C3 joint.
FORAMEN_POSTERIOR_BORDER
    Anterior margin of the superior articular process just above the pedicle, at the height of the nerve: what a true
    lateral view shows as the anterior border of the pillar and the posterior border of the foramen above.
PILLAR_POSTERIOR_INFERIOR_EDGE
    Corner of the rhomboid that lies furthest back and down, at the middle of the pillar's width.
SAP_TIP
    Highest point of the superior articular process.
SAP_TP_JUNCTION
    C7 only: deepest point of the groove between the lateral surface of the superior articular process and the upper
    border of the transverse process.
ANTERIOR_TUBERCLE
    Most anterior point of the transverse process (C6: Chassaignac's tubercle).
POSTERIOR_TUBERCLE
    Most lateral point of the transverse process behind its foramen.
TRANSVERSE_PROCESS_TIP
    Most lateral point of the transverse process.
UNCINATE_TIP
    Highest point of the uncinate process.
"""

from __future__ import annotations

import numpy as np

from foramen.anatomy.reference_body.cervical import (
    facet,
    foramen_middle,
    lower_facet,
    pillar_middle,
    pillars,
    row,
    solids,
)
from foramen.anatomy.reference_body.dimensions import dimensions, per_level
from foramen.anatomy.reference_body.field import BoneField, part_number
from foramen.anatomy.reference_body.primitives import Strut
from foramen.errors import LandmarkError
from foramen.knowledge.drawings import drawing
from foramen.model.anatomy import LandmarkName
from foramen.model.levels import Vertebra
from foramen.model.space import FloatArray

RAY_STEP_MM, RAY_LENGTH_MM = 0.1, 40.0
"""Step and length of the rays on which a surface is looked for."""

LATERAL_FACING = 0.3
"""Least cosine to up and to lateral of a surface that forms the groove at C7."""

Landmarks = dict[LandmarkName, FloatArray]


def cervical_landmarks(level: Vertebra, bone: BoneField, vertices_mm: FloatArray) -> Landmarks:
    """Left landmarks (3,) of a bone C3 to C7 from its field and surface vertices (n, 3)."""
    left = vertices_mm[vertices_mm[:, 0] > 0]
    part = bone.part_at(left)
    process, upper, lower, body = (
        left[part == part_number(name)]
        for name in ("transverse_left", "superior_articular_left", "inferior_articular_left", "body")
    )
    behind = process[process[:, 1] > foramen_middle(level)[1]]
    across = lower[np.abs(lower[:, 0] - pillar_middle(level)[0]) < 0.25 * per_level("pillar_width_mm", level)]
    found = {
        LandmarkName.PILLAR_WAIST: exit_of(bone, pillar_middle(level), np.array([1.0, 0.0, 0.0])),
        LandmarkName.PILLAR_CENTROID: exit_of(bone, _silhouette_centre(level, bone), np.array([1.0, 0.0, 0.0])),
        LandmarkName.SUPERIOR_FACET_CENTRE: bone.onto_surface(facet(level)[0])[0],
        LandmarkName.INFERIOR_FACET_CENTRE: bone.onto_surface(lower_facet(level)[0])[0],
        LandmarkName.JOINT_LATERAL_MIDPOINT: bone.onto_surface(joint_margin(level))[0],
        LandmarkName.FORAMEN_POSTERIOR_BORDER: _border(level, bone),
        LandmarkName.PILLAR_POSTERIOR_INFERIOR_EDGE: across[np.argmax(across[:, 1] - across[:, 2])],
        LandmarkName.SAP_TIP: upper[np.argmax(upper[:, 2])],
        LandmarkName.ANTERIOR_TUBERCLE: process[np.argmin(process[:, 1])],
        LandmarkName.POSTERIOR_TUBERCLE: behind[np.argmax(behind[:, 0])],
        LandmarkName.TRANSVERSE_PROCESS_TIP: process[np.argmax(process[:, 0])],
        LandmarkName.UNCINATE_TIP: body[np.argmax(body[:, 2])],
    }
    if level.name == "C7":
        found[LandmarkName.SAP_TP_JUNCTION] = _groove(level, bone, left)
    return found


def joint_margin(level: Vertebra) -> FloatArray:
    """Middle (3,) of the left lateral margin of the superior facet of C3 to C7, before its rim is rounded."""
    centre, normal = facet(level)
    half_width = 0.5 * per_level("pillar_width_mm", level)
    found: FloatArray = centre + half_width * np.array([1.0, 0.0, -normal[0] / normal[2]])
    return found


def exit_of(bone: BoneField, start_mm: FloatArray, direction: FloatArray) -> FloatArray:
    """Point (3,) where a ray from within the bone first leaves it."""
    ray = start_mm + np.arange(0.0, RAY_LENGTH_MM, RAY_STEP_MM)[:, None] * direction
    away = bone.at(ray)
    if away[0] > 0 or not (away > 0).any():
        raise LandmarkError("A landmark of the reference bone is looked for from a point outside the bone.")
    found: FloatArray = bone.onto_surface(ray[np.argmax(away > 0)])[0]
    return found


def _silhouette_centre(level: Vertebra, bone: BoneField) -> FloatArray:
    """Centroid (3,) of the pillar's outline in the plane of a lateral view, at the middle of its width."""
    whole, _ = pillars(level)
    low, high = (np.array(corner) for corner in whole.box)
    y, z = np.meshgrid(*(np.arange(low[i] - 1, high[i] + 1, RAY_STEP_MM * 4) for i in (1, 2)), indexing="ij")
    middle = pillar_middle(level)[0]
    points = np.stack([np.full(y.size, middle), y.ravel(), z.ravel()], axis=1)
    names = [part_number(f"{name}_articular_left") for name in ("superior", "inferior")]
    found: FloatArray = points[(bone.at(points) < 0) & np.isin(bone.part_at(points), names)].mean(axis=0)
    return found


def _border(level: Vertebra, bone: BoneField) -> FloatArray:
    shape, whole = drawing("reference_cervical.landmarks").numbers, pillars(level)[0]
    pedicle_top = row(drawing("reference_cervical.pedicle"), "rise_mm", level)
    pedicle_top += 0.5 * dimensions(level).pedicle_height_mm
    start = np.array(
        [
            whole.medial_mm[0] + shape["border_from_medial_mm"],
            facet(level)[0][1] - 0.25 * per_level("pillar_depth_mm", level),
            pedicle_top + shape["border_above_pedicle_mm"],
        ]
    )
    return exit_of(bone, start, np.array([0.0, -1.0, 0.0]))


def _groove(level: Vertebra, bone: BoneField, left: FloatArray) -> FloatArray:
    bar = [s for s in solids(level) if isinstance(s, Strut) and s.part == "transverse_left"][2]
    x, y, z = (left[:, i].astype(np.float32) for i in range(3))
    depth = np.maximum(pillars(level)[0].distance(x, y, z), bar.distance(x, y, z)).astype(np.float64)
    normal = bone.normal(left)
    depth[(normal[:, 0] < LATERAL_FACING) | (normal[:, 2] < LATERAL_FACING)] = np.inf
    if not np.isfinite(depth).any():
        raise LandmarkError(f"{level}: no groove between the superior articular process and the transverse process.")
    best = left[depth < depth.min() + 0.5]
    found: FloatArray = bone.onto_surface(best.mean(axis=0))[0]
    return found
