"""One reference bone in its own frame: surface, landmarks and the nerves that pass it.

Definitions of the landmarks: the ``*_landmarks`` modules of the regions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from foramen.anatomy.reference_body.bone import bone_field
from foramen.anatomy.reference_body.course import Course
from foramen.anatomy.reference_body.drawings_by_region import passing_of
from foramen.anatomy.reference_body.field import FIELD_SPACING_MM, BoneField
from foramen.errors import LandmarkError
from foramen.geometry.meshes import surface_of_level
from foramen.model.anatomy import LandmarkName, NerveKind
from foramen.model.levels import Root, Side, Vertebra
from foramen.model.space import FloatArray, Surface, VolumeGeometry


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReferenceVertebra:
    """A bone of the mean body in its own frame (left, posterior, superior; mm from the body's centre).

    Parameters
    ----------
    level : Vertebra
        C1 to L5, or S1 for the sacrum.
    surface : Surface
        Closed surface; its frame is ``reference-vertebra-<level>``.
    landmarks : mapping
        Position (3,) by (landmark, side).
    courses : tuple of Course
        Nerves that pass this bone, of the left side.
    bone : BoneField
        Signed distance and nearest part.
    """

    level: Vertebra
    surface: Surface
    landmarks: Mapping[tuple[LandmarkName, Side], FloatArray]
    courses: tuple[Course, ...]
    bone: BoneField

    def course(self, kind: NerveKind, root: Root) -> Course:
        """The course of a nerve on this bone; raises `LandmarkError` if it does not pass it."""
        for course in self.courses:
            if course.kind is kind and course.root == root:
                return course
        raise LandmarkError(f"No {root} {kind.value.replace('_', ' ')} passes {self.level} in the reference body.")

    def part_of(self, points_mm: FloatArray) -> NDArray[np.uint8]:
        """Number (n,) of the vertebral part (labels.yaml) nearest to points (n, 3) in this frame."""
        return self.bone.part_at(points_mm)


@cache
def reference_vertebra(level: Vertebra) -> ReferenceVertebra:
    """The reference bone of a level (mean size), with its landmarks and nerves.

    Raises
    ------
    LevelError
        If the bone of that level is not drawn.
    """
    bone = bone_field(level)
    surface = _surface(level, bone)
    left, courses = passing_of(level, bone, surface.vertices_mm)
    return ReferenceVertebra(
        level=level,
        surface=surface,
        landmarks={(name, side): on_side(point, side) for name, point in left.items() for side in Side},
        courses=courses,
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
