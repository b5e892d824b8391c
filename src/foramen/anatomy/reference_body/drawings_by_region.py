"""Which module draws the bones, landmarks and nerves of which region."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from foramen.anatomy.reference_body import cervical_nerves, lumbar, lumbar_nerves, thoracic, thoracic_nerves
from foramen.anatomy.reference_body.atlas_axis import atlas, axis, cervical_facet
from foramen.anatomy.reference_body.atlas_axis_passing import atlas_passing, axis_passing
from foramen.anatomy.reference_body.cervical import cervical_bone
from foramen.anatomy.reference_body.cervical_landmarks import cervical_landmarks
from foramen.anatomy.reference_body.course import Course
from foramen.anatomy.reference_body.dimensions import VertebraDimensions, dimensions
from foramen.anatomy.reference_body.drawing_of_bone import BoneDrawing
from foramen.anatomy.reference_body.field import BoneField
from foramen.anatomy.reference_body.lumbar_landmarks import left_landmarks
from foramen.anatomy.reference_body.regions import region_of
from foramen.anatomy.reference_body.sacrum import sacral_bone
from foramen.anatomy.reference_body.thoracic_landmarks import left_landmarks as thoracic_landmarks
from foramen.knowledge.drawings import EllipsoidShape, drawing
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


def facet_of(level: Vertebra) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Centre, tangent and normal of the left superior facet of a vertebra in its frame."""
    return _FACETS[region_of(level)](dimensions(level))


def foramen_of(level: Vertebra) -> tuple[tuple[float, float, float], EllipsoidShape]:
    """Left roof of the foramen below a vertebra's pedicle in its frame, and the fat that fills it."""
    corner, name = _FORAMINA[region_of(level)]
    return corner(dimensions(level)), drawing(name).ellipsoids["fat"]


def body_form_of(level: Vertebra) -> Mapping[str, float]:
    """Form of the sections of a vertebral body and of the disc below it."""
    return drawing(_BODY_FORMS[region_of(level)]).numbers


def _lumbar_passing(level: Vertebra, bone: BoneField, vertices_mm: FloatArray) -> Passing:
    landmarks = left_landmarks(level, bone, vertices_mm)
    courses, landmarks[LandmarkName.SAP_LATERAL_NECK] = lumbar_nerves.lumbar_courses(level, bone, landmarks)
    return landmarks, courses


def _thoracic_passing(level: Vertebra, bone: BoneField, vertices_mm: FloatArray) -> Passing:
    landmarks = thoracic_landmarks(level, bone, vertices_mm)
    return landmarks, thoracic_nerves.thoracic_courses(level, bone, landmarks)


def _cervical_passing(level: Vertebra, bone: BoneField, vertices_mm: FloatArray) -> Passing:
    landmarks = cervical_landmarks(level, bone, vertices_mm)
    return landmarks, cervical_nerves.cervical_courses(level, bone, landmarks)


_BONES_OF_THEIR_OWN: Mapping[str, Callable[[Vertebra], BoneDrawing]] = MappingProxyType(
    {"C1": atlas, "C2": axis, "S1": sacral_bone}
)
_PASSING_OF_THEIR_OWN: Mapping[str, Callable[[Vertebra, BoneField, FloatArray], Passing]] = MappingProxyType(
    {"C1": atlas_passing, "C2": axis_passing}
)
_BONES: Mapping[str, Callable[[Vertebra], BoneDrawing]] = MappingProxyType(
    {"cervical": cervical_bone, "lumbar": lumbar.lumbar_bone, "thoracic": thoracic.thoracic_bone}
)
_PASSING: Mapping[str, Callable[[Vertebra, BoneField, FloatArray], Passing]] = MappingProxyType(
    {"cervical": _cervical_passing, "lumbar": _lumbar_passing, "thoracic": _thoracic_passing}
)
_FACETS: Mapping[str, Callable[[VertebraDimensions], tuple[FloatArray, FloatArray, FloatArray]]] = MappingProxyType(
    {"cervical": cervical_facet, "lumbar": lumbar.facet, "thoracic": thoracic.facet}
)
_FORAMINA: Mapping[str, tuple[Callable[[VertebraDimensions], tuple[float, float, float]], str]] = MappingProxyType(
    {
        "cervical": (cervical_nerves.foramen_corner, "reference_cervical.foramen"),
        "lumbar": (lumbar_nerves.foramen_corner, "reference_bones.foramen"),
        "thoracic": (thoracic_nerves.foramen_corner, "reference_thoracic.foramen"),
    }
)
_BODY_FORMS: Mapping[str, str] = MappingProxyType(
    {
        "cervical": "reference_cervical.body",
        "lumbar": "reference_bones.body",
        "thoracic": "reference_thoracic.body",
    }
)
