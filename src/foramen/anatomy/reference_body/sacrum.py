"""The sacrum as solids in the frame of its first segment (left, posterior, superior; mm)."""

from __future__ import annotations

from foramen.anatomy.reference_body.dimensions import dimensions
from foramen.anatomy.reference_body.drawing_of_bone import BoneDrawing
from foramen.anatomy.reference_body.lumbar import body, facet_cutter, superior_articular
from foramen.anatomy.reference_body.primitives import Box, Solid, Strut
from foramen.anatomy.reference_body.shapes import placed, vector
from foramen.knowledge.drawings import drawing
from foramen.model.levels import Vertebra

_BOX: Box = ((-66.0, -28.0, -96.0), (66.0, 58.0, 36.0))


def sacral_bone(level: Vertebra) -> BoneDrawing:
    """The drawing of the sacrum, which `level` (S1) names."""
    cut = (*cutters(), facet_cutter(dimensions(level)))
    return BoneDrawing(solids=solids(), cutters=cut, box=_BOX, joint_box=None)


def solids() -> tuple[Solid, ...]:
    """Solids of the midline and the left of the sacrum, in the order in which they are united."""
    own = dimensions(Vertebra("S1"))
    first = body(own, waist_fraction=drawing("reference_bones.body").numbers["sacral_waist_fraction"])
    base = vector(drawing("reference_bones.sacral_articular").rows["base_mm"])
    left = [*_struts("sacral_lateral_mass"), *superior_articular(own, base), *_struts("sacral_dorsum")]
    return (first, *_struts("sacral_bodies"), *left, *_struts("sacral_median_crest"))


def cutters() -> tuple[Strut, ...]:
    """Sacral canal and left foramina (removed from the bone)."""
    return (*_struts("sacral_canal"), *_struts("sacral_foramina"))


def _struts(name: str) -> list[Strut]:
    return [placed(shape) for shape in drawing(f"reference_bones.{name}").struts.values()]
