"""Landmarks of the sacrum below its first articular processes (left side and midline, the frame of S1).

POSTERIOR_FORAMEN_S1_CENTRE, ..._S2_CENTRE, ..._S3_CENTRE
    Middle of the mouth of a posterior sacral foramen: the point of the foramen's axis that lies as far back as the
    dorsal surface just lateral to it. It lies in the opening, not on bone.
POSTERIOR_FORAMEN_S1_LATERAL, ..._S2_LATERAL, ..._S3_LATERAL
    Lateral border of the mouth: seen along the foramen's axis from behind, the first bone straight lateral to the
    opening. Lateral branches pass here on their way from the foramen to the lateral crest.
SACRAL_HIATUS_APEX
    Lowest point, in the midline, of the bony roof of the sacral canal: the upper end of the hiatus.
SACRAL_CORNU
    Lowest point of the cornu, the process beside the hiatus that points to the cornu of the coccyx.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from foramen.anatomy.reference_body.field import BoneField
from foramen.anatomy.reference_body.primitives import Strut
from foramen.anatomy.reference_body.sacrum import sacral_struts
from foramen.errors import LandmarkError
from foramen.knowledge.drawings import drawing
from foramen.model.anatomy import LandmarkName
from foramen.model.space import FloatArray

FORAMINA = ("s1", "s2", "s3", "s4")
"""Posterior foramina of the drawing `reference_sacrum.foramina`, from above downwards."""

CENTRES = (
    LandmarkName.POSTERIOR_FORAMEN_S1_CENTRE,
    LandmarkName.POSTERIOR_FORAMEN_S2_CENTRE,
    LandmarkName.POSTERIOR_FORAMEN_S3_CENTRE,
)
LATERAL_BORDERS = (
    LandmarkName.POSTERIOR_FORAMEN_S1_LATERAL,
    LandmarkName.POSTERIOR_FORAMEN_S2_LATERAL,
    LandmarkName.POSTERIOR_FORAMEN_S3_LATERAL,
)
"""Landmarks of the foramina S1 to S3."""

RIM_MM = 3.0
"""How far beyond the foramen's wall the surface that surrounds its mouth is read."""

BELOW_RIM_MM = 2.0
"""Bone met deeper than this before the mouth is the foramen's wall, not its border."""

RAY_STEP_MM = 0.1
"""Step along the rays that look for bone."""

MIDLINE_MM = 0.9
"""Half width of the strip of vertices that counts as the midline: a little more than the field's grid."""


def sacral_landmarks(bone: BoneField, vertices_mm: FloatArray) -> dict[LandmarkName, FloatArray]:
    """Left landmarks (3,) and those of the midline, from the sacrum's field and its surface vertices (n, 3)."""
    found: dict[LandmarkName, FloatArray] = {}
    for number, (centre, lateral) in enumerate(zip(CENTRES, LATERAL_BORDERS, strict=True)):
        found[centre] = mouth(bone, number)
        found[lateral] = _lateral_border(bone, number, found[centre])
    found[LandmarkName.SACRAL_HIATUS_APEX] = _hiatus_apex(bone, vertices_mm)
    found[LandmarkName.SACRAL_CORNU] = _cornu(vertices_mm)
    return found


def axis_of(number: int) -> Strut:
    """Cutter along the axis of the left posterior foramen (0 for S1), from within outwards."""
    by_name = dict(zip(drawing("reference_sacrum.foramina").struts, sacral_struts("foramina"), strict=True))
    return by_name[f"{FORAMINA[number]}_dorsal"]


def mouth(bone: BoneField, number: int) -> FloatArray:
    """Middle (3,) of the mouth of the left posterior foramen (0 for S1)."""
    view = _View.of(number)
    depths = view.depths(bone, view.radius_mm + RIM_MM, np.radians(np.arange(-60.0, 61.0, 15.0)))
    if not np.isfinite(depths).any():
        raise LandmarkError(f"The posterior foramen {FORAMINA[number].upper()} has no lateral border.")
    found: FloatArray = view.start + float(np.nanmedian(depths)) * view.along
    return found


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _View:
    """A posterior foramen seen along its axis from behind: its axis, and the directions to the side and upwards."""

    start: FloatArray
    along: FloatArray
    lateral: FloatArray
    length_mm: float
    radius_mm: float

    @classmethod
    def of(cls, number: int) -> _View:
        axis = axis_of(number)
        start, end = np.array(axis.start), np.array(axis.end)
        length = float(np.linalg.norm(end - start))
        along = (end - start) / length
        lateral = np.array([1.0, 0.0, 0.0]) - along[0] * along
        return cls(
            start=start,
            along=along,
            lateral=lateral / np.linalg.norm(lateral),
            length_mm=length,
            radius_mm=axis.end_radii_mm[0],
        )

    def depths(self, bone: BoneField, away_mm: float, angles_rad: FloatArray) -> FloatArray:
        """How far along the axis (n,) bone is met first from behind, off it at angles (n,) from lateral; or NaN."""
        up = np.cross(self.along, self.lateral)
        reach = np.arange(0.0, self.length_mm, RAY_STEP_MM)
        found = np.full(len(angles_rad), np.nan)
        for i, angle in enumerate(angles_rad):
            ray = (
                self.start + away_mm * (np.cos(angle) * self.lateral + np.sin(angle) * up) + reach[:, None] * self.along
            )
            inside = np.flatnonzero(bone.at(ray) < 0)
            found[i] = reach[inside[-1]] if len(inside) else np.nan
        return found


def _lateral_border(bone: BoneField, number: int, centre_mm: FloatArray) -> FloatArray:
    view = _View.of(number)
    deep = float(np.dot(centre_mm - view.start, view.along)) - BELOW_RIM_MM
    for away in np.arange(0.0, 3 * view.radius_mm, RAY_STEP_MM):
        depth = view.depths(bone, float(away), np.zeros(1))[0]
        if depth > deep:
            found: FloatArray = bone.onto_surface(view.start + away * view.lateral + depth * view.along)[0]
            return found
    raise LandmarkError(f"The posterior foramen {FORAMINA[number].upper()} has no lateral border.")


def _hiatus_apex(bone: BoneField, vertices_mm: FloatArray) -> FloatArray:
    inner, _ = drawing("reference_bones.canal_line").rows["hiatus_mm"]
    strip = vertices_mm[(np.abs(vertices_mm[:, 0]) < MIDLINE_MM) & (vertices_mm[:, 1] > inner)]
    if not len(strip):
        raise LandmarkError("The sacral canal has no roof.")
    lowest = strip[np.argmin(strip[:, 2])] * [0.0, 1.0, 1.0]
    found: FloatArray = bone.onto_surface(lowest)[0] * [0.0, 1.0, 1.0]
    return found


def _cornu(vertices_mm: FloatArray) -> FloatArray:
    tip = dict(zip(drawing("reference_sacrum.dorsum").struts, sacral_struts("dorsum"), strict=True))["cornu_tip"]
    reach = np.linalg.norm(vertices_mm - np.array(tip.end), axis=1)
    near = vertices_mm[reach < 2 * max(tip.end_radii_mm)]
    if not len(near):
        raise LandmarkError("The sacral cornu does not stand out of the bone.")
    found: FloatArray = near[np.argmin(near[:, 2])]
    return found
