"""One reference bone in its own frame: surface, landmarks and the nerves that pass it.

Definitions of the landmarks: `foramen.anatomy.reference_body.landmarks`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from foramen.anatomy.reference_body.bone import bone_field
from foramen.anatomy.reference_body.dimensions import dimensions
from foramen.anatomy.reference_body.field import FIELD_SPACING_MM, BoneField
from foramen.anatomy.reference_body.landmarks import left_landmarks, sacral_exit
from foramen.anatomy.reference_body.nerves import medial_branch, ramus_origin, spinal_nerve
from foramen.anatomy.reference_body.posture import mean_frames
from foramen.geometry.meshes import surface_of_level
from foramen.knowledge.drawings import drawing
from foramen.model.anatomy import LandmarkName
from foramen.model.levels import Side, Vertebra, neighbour_above
from foramen.model.space import FloatArray, Surface, VolumeGeometry


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReferenceVertebra:
    """A bone of the mean body in its own frame (left, posterior, superior; mm from the body's centre).

    Parameters
    ----------
    level : Vertebra
        T12 to L5, or S1 for the sacrum.
    surface : Surface
        Closed surface; its frame is ``reference-vertebra-<level>``.
    landmarks : mapping
        Position (3,) by (landmark, side).
    medial_branch : mapping
        Course (n, 3) by side, proximal to distal, of the branch that crosses this bone: the medial branch of the
        root above (for S1 the dorsal ramus of L5).
    spinal_nerve : mapping
        Course (n, 3) by side of the spinal nerve in the foramen above this bone.
    bone : BoneField
        Signed distance and nearest part.
    """

    level: Vertebra
    surface: Surface
    landmarks: Mapping[tuple[LandmarkName, Side], FloatArray]
    medial_branch: Mapping[Side, FloatArray]
    spinal_nerve: Mapping[Side, FloatArray]
    bone: BoneField

    def part_of(self, points_mm: FloatArray) -> NDArray[np.uint8]:
        """Number (n,) of the vertebral part (labels.yaml) nearest to points (n, 3) in this frame."""
        return self.bone.part_at(points_mm)


@cache
def reference_vertebra(level: Vertebra) -> ReferenceVertebra:
    """The reference bone of a level (mean size), with its landmarks and nerves.

    Raises
    ------
    LevelError
        If the level is not T12 to S1.

    Notes
    -----
    Made by code from `knowledge/anatomy.yaml`. The foramen above T12 borrows its nerve from T12 itself.
    """
    bone = bone_field(level)
    surface = _surface(level, bone)
    left = left_landmarks(level, bone, surface.vertices_mm)
    nerve, origin = _nerve_above(level)
    if level.name == "S1":
        groove = left[LandmarkName.SACRAL_ALA_NOTCH]
        branch, neck = medial_branch(bone, origin, groove, sacral_exit(bone))
    else:
        notch = left[LandmarkName.MAMILLO_ACCESSORY_NOTCH]
        branch, neck = medial_branch(bone, origin, left[LandmarkName.SAP_TP_JUNCTION], notch)
    left[LandmarkName.SAP_LATERAL_NECK] = neck
    return ReferenceVertebra(
        level=level,
        surface=surface,
        landmarks={(name, side): on_side(point, side) for name, point in left.items() for side in Side},
        medial_branch={side: on_side(branch, side) for side in Side},
        spinal_nerve={side: on_side(nerve, side) for side in Side},
        bone=bone,
    )


def on_side(points_mm: FloatArray, side: Side) -> FloatArray:
    """Points given for the left, on the left or mirrored to the right."""
    mirrored: FloatArray = points_mm * np.array([side.sign, 1.0, 1.0])
    return mirrored


def _surface(level: Vertebra, bone: BoneField) -> Surface:
    affine = np.diag([FIELD_SPACING_MM] * 3 + [1.0])
    affine[:3, 3] = bone.low_mm
    shape = bone.distance_mm.shape
    geometry = VolumeGeometry(
        shape=(shape[0], shape[1], shape[2]), affine_mm=affine, frame_uid=f"reference-vertebra-{level}"
    )
    return surface_of_level(bone.distance_mm, 0.0, np.zeros(3, dtype=np.int64), geometry, is_inside_above=False)


def _nerve_above(level: Vertebra) -> tuple[FloatArray, FloatArray]:
    """Left spinal nerve above a bone and the origin of its dorsal ramus, in this bone's frame."""
    frames = mean_frames()
    above = neighbour_above(level)
    if above is None or above not in frames:
        lift = np.array([0.0, 0.0, dimensions(level).body_height_mm])
        lift += np.array(drawing("reference_bones.spinal_nerve").rows["above_t12_mm"])
        return spinal_nerve(dimensions(level)) + lift, ramus_origin(dimensions(level)) + lift
    upper, here, own = frames[above], frames[level], dimensions(above)
    return (
        here.to_vertebra(upper.to_lps(spinal_nerve(own))),
        here.to_vertebra(upper.to_lps(ramus_origin(own))),
    )
