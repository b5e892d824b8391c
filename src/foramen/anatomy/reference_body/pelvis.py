"""Hip bones and last ribs as solids in the frame of the bone that carries them (left side; mm)."""

from __future__ import annotations

from functools import cache

from foramen.anatomy.reference_body.field import BoneField, union_of
from foramen.anatomy.reference_body.primitives import Strut, Vector


@cache
def hip_field() -> BoneField:
    """Left iliac wing in the sacrum's frame, standing off the ala by the sacroiliac joint."""
    return union_of(_HIP, ((44.0, -96.0, -84.0), (156.0, 66.0, 66.0)), is_paired=False)


@cache
def rib_field() -> BoneField:
    """Left twelfth rib in the frame of T12."""
    return union_of(_RIB, ((20.0, -10.0, -76.0), (134.0, 70.0, 20.0)), is_paired=False)


def _blade(start: Vector, end: Vector, wide: Vector, first: tuple[float, float], last: tuple[float, float]) -> Strut:
    return Strut(start=start, end=end, wide=wide, start_radii_mm=first, end_radii_mm=last, part="whole", blend_mm=8.0)


_HIP = (
    _blade((62.0, 34.0, 0.0), (60.0, 24.0, -48.0), (0.1, 1, 0), (20.0, 6.0), (18.0, 8.0)),
    _blade((62.0, 40.0, 10.0), (96.0, -2.0, 40.0), (0, 0.3, 1), (10.0, 6.0), (9.0, 6.5)),
    _blade((96.0, -2.0, 40.0), (124.0, -50.0, 30.0), (0, 0.3, 1), (9.0, 6.5), (9.0, 6.0)),
    _blade((64.0, 20.0, 2.0), (98.0, -24.0, 6.0), (0, 0, 1), (26.0, 4.0), (34.0, 3.5)),
    _blade((98.0, -24.0, 6.0), (120.0, -56.0, 4.0), (0, 0, 1), (34.0, 3.5), (26.0, 3.5)),
    _blade((64.0, 14.0, -34.0), (96.0, -26.0, -44.0), (0, 0, 1), (20.0, 7.0), (22.0, 8.0)),
)

_RIB = (
    _blade((27.0, 24.0, 6.0), (48.0, 40.0, -6.0), (0, 0, 1), (4.5, 4.0), (5.5, 3.4)),
    _blade((48.0, 40.0, -6.0), (86.0, 42.0, -34.0), (0, 0.2, 1), (5.5, 3.4), (5.5, 3.2)),
    _blade((86.0, 42.0, -34.0), (116.0, 22.0, -62.0), (0, 0.2, 1), (5.5, 3.2), (3.5, 2.4)),
)
