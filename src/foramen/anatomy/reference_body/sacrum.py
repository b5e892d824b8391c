"""The sacrum as solids in the frame of its first segment (left, posterior, superior; mm)."""

from __future__ import annotations

from foramen.anatomy.reference_body.dimensions import dimensions
from foramen.anatomy.reference_body.drawing_of_bone import BoneDrawing
from foramen.anatomy.reference_body.lumbar import body, facet_cutter, superior_articular
from foramen.anatomy.reference_body.primitives import Box, Solid, Strut
from foramen.anatomy.reference_body.shapes import placed, vector
from foramen.knowledge.drawings import drawing
from foramen.model.levels import Vertebra

_BOX: Box = ((-68.0, -28.0, -100.0), (68.0, 58.0, 36.0))


def sacral_bone(level: Vertebra) -> BoneDrawing:
    """The drawing of the sacrum, which `level` (S1) names."""
    cut = (*cutters(), facet_cutter(dimensions(level)))
    return BoneDrawing(solids=solids(), cutters=cut, box=_BOX, joint_box=None)


def solids() -> tuple[Solid, ...]:
    """Solids of the midline and the left of the sacrum, in the order in which they are united."""
    own = dimensions(Vertebra("S1"))
    first = body(own, waist_fraction=drawing("reference_bones.body").numbers["sacral_waist_fraction"])
    base = vector(drawing("reference_bones.sacral_articular").rows["base_mm"])
    left = [*sacral_struts("lateral_mass"), *superior_articular(own, base), *sacral_struts("dorsum")]
    return (first, *sacral_struts("bodies"), *left, *sacral_struts("median_crest"))


def cutters() -> tuple[Strut, ...]:
    """Canal with its hiatus, left foramina and what lies beyond the auricular surface (removed from the bone)."""
    return (*sacral_struts("auricular"), *sacral_struts("canal"), *sacral_struts("foramina"))


def sacral_struts(name: str) -> list[Strut]:
    """Struts of a drawing of `knowledge/reference_sacrum.yaml`, in their order."""
    return [placed(shape) for shape in drawing(f"reference_sacrum.{name}").struts.values()]
