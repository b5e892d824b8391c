"""Hip bones and coccyx as solids in the frame of the bone that carries them (left side; mm)."""

from __future__ import annotations

from functools import cache

from foramen.anatomy.reference_body.field import BoneField, union_of
from foramen.anatomy.reference_body.primitives import Box
from foramen.anatomy.reference_body.sacrum import sacral_struts

_HIP_BOX: Box = ((36.0, -98.0, -62.0), (146.0, 58.0, 68.0))
_COCCYX_BOX: Box = ((-20.0, -32.0, -124.0), (20.0, 20.0, -80.0))
"""Grids on which the solids are evaluated: a little larger than they are."""


@cache
def hip_field() -> BoneField:
    """Left ilium in the sacrum's frame; it is kept off the sacrum by a joint space where both are placed."""
    return union_of(tuple(sacral_struts("hip")), _HIP_BOX, is_paired=False)


@cache
def coccyx_field() -> BoneField:
    """Coccyx in the sacrum's frame, both sides; kept off the sacrum by a joint space where both are placed."""
    return union_of(tuple(sacral_struts("coccyx")), _COCCYX_BOX)
