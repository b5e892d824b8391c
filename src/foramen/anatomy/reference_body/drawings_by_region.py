"""Which module draws the bones, landmarks and nerves of which region."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from foramen.anatomy.reference_body.atlas_axis import atlas, axis
from foramen.anatomy.reference_body.atlas_axis_passing import atlas_passing, axis_passing
from foramen.anatomy.reference_body.cervical import cervical_bone
from foramen.anatomy.reference_body.cervical_landmarks import cervical_landmarks
from foramen.anatomy.reference_body.cervical_nerves import cervical_courses
from foramen.anatomy.reference_body.course import Course
from foramen.anatomy.reference_body.drawing_of_bone import BoneDrawing
from foramen.anatomy.reference_body.field import BoneField
from foramen.anatomy.reference_body.lumbar import lumbar_bone
from foramen.anatomy.reference_body.lumbar_landmarks import left_landmarks
from foramen.anatomy.reference_body.lumbar_nerves import lumbar_courses
from foramen.anatomy.reference_body.regions import region_of
from foramen.anatomy.reference_body.sacrum import sacral_bone
from foramen.model.anatomy import LandmarkName
from foramen.model.levels import Vertebra
from foramen.model.space import FloatArray

Landmarks = dict[LandmarkName, FloatArray]
Passing = tuple[Landmarks, tuple[Course, ...]]


def drawing_of(level: Vertebra) -> BoneDrawing:
    """Solids of a bone, as its region draws it."""
    if level.name in _BONES_OF_THEIR_OWN:
        return _BONES_OF_THEIR_OWN[level.name](level)
    return _BONES[region_of(level)](level)


def passing_of(level: Vertebra, bone: BoneField, vertices_mm: FloatArray) -> Passing:
    """Left landmarks (3,) of a bone and the nerves that pass it, from its field and surface vertices (n, 3)."""
    of_its_own = _PASSING_OF_THEIR_OWN.get(level.name, _PASSING[region_of(level)])
    return of_its_own(level, bone, vertices_mm)


def _lumbar_passing(level: Vertebra, bone: BoneField, vertices_mm: FloatArray) -> Passing:
    landmarks = left_landmarks(level, bone, vertices_mm)
    courses, landmarks[LandmarkName.SAP_LATERAL_NECK] = lumbar_courses(level, bone, landmarks)
    return landmarks, courses


def _cervical_passing(level: Vertebra, bone: BoneField, vertices_mm: FloatArray) -> Passing:
    landmarks = cervical_landmarks(level, bone, vertices_mm)
    return landmarks, cervical_courses(level, bone, landmarks)


_BONES_OF_THEIR_OWN: Mapping[str, Callable[[Vertebra], BoneDrawing]] = MappingProxyType(
    {"C1": atlas, "C2": axis, "S1": sacral_bone}
)
_PASSING_OF_THEIR_OWN: Mapping[str, Callable[[Vertebra, BoneField, FloatArray], Passing]] = MappingProxyType(
    {"C1": atlas_passing, "C2": axis_passing}
)
_BONES: Mapping[str, Callable[[Vertebra], BoneDrawing]] = MappingProxyType(
    {"cervical": cervical_bone, "lumbar": lumbar_bone}
)
_PASSING: Mapping[str, Callable[[Vertebra, BoneField, FloatArray], Passing]] = MappingProxyType(
    {"cervical": _cervical_passing, "lumbar": _lumbar_passing}
)
