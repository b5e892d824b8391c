"""Hip bones as solids in the frame of the bone that carries them (left side; mm)."""

from __future__ import annotations

from functools import cache

from foramen.anatomy.reference_body.field import BoneField, union_of
from foramen.anatomy.reference_body.primitives import Box
from foramen.anatomy.reference_body.shapes import placed
from foramen.knowledge.drawings import drawing

_HIP_BOX: Box = ((44.0, -96.0, -84.0), (156.0, 66.0, 66.0))
"""Grid on which the solids are evaluated: a little larger than they are."""


@cache
def hip_field() -> BoneField:
    """Left iliac wing in the sacrum's frame, standing off the ala by the sacroiliac joint."""
    return _field("hip", _HIP_BOX)


def _field(name: str, box: Box) -> BoneField:
    struts = drawing(f"reference_bones.{name}").struts.values()
    return union_of(tuple(placed(shape) for shape in struts), box, is_paired=False)
