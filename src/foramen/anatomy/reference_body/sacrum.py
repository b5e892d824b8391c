"""The sacrum as solids in the frame of its first segment (left, posterior, superior; mm)."""

from __future__ import annotations

from foramen.anatomy.reference_body.dimensions import dimensions
from foramen.anatomy.reference_body.lumbar import superior_articular
from foramen.anatomy.reference_body.primitives import Body, Solid, Strut, Vector
from foramen.model.levels import Vertebra

_CENTRES: tuple[Vector, ...] = ((0, 0, -10), (0, 2, -31), (0, 1, -52), (0, -4, -70), (0, -13, -84))
_BODY_RADII: tuple[tuple[float, float], ...] = ((22, 13), (17, 10.5), (14, 8.5), (11, 7), (8, 5))


def solids() -> tuple[Solid, ...]:
    """Solids of the midline and the left of the sacrum, in the order in which they are united."""
    own = dimensions(Vertebra("S1"))
    body = Body(
        width_mm=own.body_width_mm,
        depth_mm=own.body_depth_mm,
        height_mm=own.body_height_mm,
        wedge_rad=own.wedge_rad,
        waist=0.06,
    )
    segments = [
        _strut(_CENTRES[i], _CENTRES[i + 1], (1, 0, 0), _BODY_RADII[i], _BODY_RADII[i + 1], "body", 6.0)
        for i in range(len(_CENTRES) - 1)
    ]
    left = [*_lateral_mass(), *superior_articular(own, (24.0, 28.0, 4.0)), *_dorsal_half()]
    return (body, *segments, *left, *_midline())


def cutters() -> tuple[Strut, ...]:
    """Sacral canal and left foramina (removed from the bone)."""
    canal = [
        _strut((0, 24.0, 40.0), (0, 25.0, -8.0), (1, 0, 0), (14.0, 8.0), (14.0, 7.0), "arch", 1.0),
        _strut((0, 25.0, -8.0), (0, 19.5, -34.0), (1, 0, 0), (14.0, 7.0), (11.0, 4.5), "arch", 1.0),
        _strut((0, 19.5, -34.0), (0, 9.0, -70.0), (1, 0, 0), (11.0, 4.5), (7.0, 3.0), "arch", 1.0),
    ]
    left = [
        _strut((17.0, 20.0, -6.0), (20.0, -22.0, -20.0), (1, 0, 0), (4.5, 4.5), (8.0, 6.5), "arch", 1.5),
        _strut((16.0, 20.0, -16.0), (19.0, 52.0, -24.0), (1, 0, 0), (4.0, 4.0), (4.0, 4.0), "arch", 1.5),
        _strut((15.0, 17.0, -33.0), (18.0, -22.0, -43.0), (1, 0, 0), (4.0, 4.0), (6.5, 5.5), "arch", 1.5),
        _strut((14.0, 15.0, -42.0), (17.0, 42.0, -48.0), (1, 0, 0), (3.2, 3.2), (3.5, 3.5), "arch", 1.5),
        _strut((11.0, 10.0, -55.0), (15.0, -24.0, -62.0), (1, 0, 0), (3.0, 3.0), (5.0, 4.5), "arch", 1.5),
        _strut((11.0, 9.0, -62.0), (14.0, 32.0, -66.0), (1, 0, 0), (2.5, 2.5), (2.8, 2.8), "arch", 1.5),
    ]
    return (*canal, *left)


def _lateral_mass() -> list[Strut]:
    part = "ala_left"
    return [
        _strut((36.0, 18.0, 3.0), (43.0, 25.0, 10.0), (1, 0, 0.5), (10.0, 8.0), (9.0, 8.5), part, 5.0),
        _strut((17.0, 8.0, 1.0), (43.0, 17.0, -5.0), (0, 0.2, 1), (11.0, 12.0), (12.5, 11.0), part, 6.0),
        _strut((43.0, 15.0, -8.0), (45.0, 17.0, -26.0), (1, 0.2, 0), (12.0, 10.5), (10.0, 10.5), part, 6.0),
        _strut((44.0, 17.0, -24.0), (27.0, 9.0, -60.0), (1, 0.2, 0), (12.0, 11.0), (9.0, 6.5), part, 6.0),
        _strut((25.0, 9.0, -58.0), (7.0, -9.0, -84.0), (1, 0.2, 0), (9.0, 6.5), (6.0, 4.5), part, 6.0),
        _strut((14.0, 5.0, -30.0), (34.0, 12.0, -32.0), (0, 0, 1), (8.0, 8.0), (9.0, 9.0), part, 6.0),
        _strut((12.0, 3.0, -52.0), (26.0, 9.0, -54.0), (0, 0, 1), (7.0, 6.0), (7.0, 6.0), part, 6.0),
    ]


def _dorsal_half() -> list[Strut]:
    part = "arch"
    return [
        _strut((22.0, 12.0, 2.0), (23.0, 25.0, 2.0), (0, 0, 1), (9.5, 8.0), (8.5, 7.0), "pedicle_left", 6.0),
        _strut((22.0, 28.0, 2.0), (20.0, 31.0, -14.0), (1, 0, 0), (7.0, 5.0), (7.0, 4.5), part, 5.0),
        _strut((20.0, 31.0, -14.0), (19.0, 18.0, -62.0), (1, 0, 0), (8.0, 4.5), (6.0, 4.0), part, 6.0),
        _strut((34.0, 22.0, -14.0), (25.0, 14.0, -60.0), (1, 0, 0), (8.0, 7.0), (7.0, 5.0), "ala_left", 6.0),
        _strut((19.0, 30.5, -1.0), (0.0, 37.0, -7.0), (0, 0, 1), (8.5, 3.4), (9.0, 3.2), part, 5.0),
        _strut((18.0, 28.0, -32.0), (0.0, 30.5, -32.0), (0, 0, 1), (12.0, 3.0), (13.0, 3.0), part, 5.0),
        _strut((16.0, 20.0, -54.0), (0.0, 21.5, -54.0), (0, 0, 1), (12.0, 2.8), (13.0, 2.8), part, 5.0),
    ]


def _midline() -> list[Strut]:
    part = "spinous"
    return [
        _strut((0.0, 37.0, -8.0), (0.0, 46.0, -13.0), (0, 0, 1), (6.5, 3.5), (6.0, 3.0), part, 5.0),
        _strut((0.0, 33.0, -28.0), (0.0, 40.0, -32.0), (0, 0, 1), (7.0, 3.5), (5.5, 2.8), part, 5.0),
        _strut((0.0, 25.0, -48.0), (0.0, 30.0, -52.0), (0, 0, 1), (6.5, 3.0), (4.5, 2.6), part, 5.0),
    ]


def _strut(
    start: Vector,
    end: Vector,
    wide: Vector,
    start_radii: tuple[float, float],
    end_radii: tuple[float, float],
    part: str,
    blend: float,
) -> Strut:
    return Strut(
        start=start,
        end=end,
        wide=wide,
        start_radii_mm=start_radii,
        end_radii_mm=end_radii,
        part=part,
        blend_mm=blend,
    )
