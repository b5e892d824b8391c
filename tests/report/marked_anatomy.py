"""The made-up anatomy of the report's tests with landmarks on it, sure and unsure ones, and gaps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from foramen.model.anatomy import Anatomy, Landmark, LandmarkName, Origin
from foramen.model.levels import Side, Vertebra
from report.case_factory import HEIGHT_MM, make_anatomy

PLACES_MM = {
    LandmarkName.SAP_TP_JUNCTION: (24.0, 28.0, 5.0),
    LandmarkName.MAMILLO_ACCESSORY_NOTCH: (20.0, 36.0, -3.0),
    LandmarkName.FORAMEN_POSTERIOR_BORDER: (14.0, 24.0, 14.0),
    LandmarkName.SAP_LATERAL_NECK: (22.0, 31.0, 7.0),
}
"""On the left of each vertebra, from the middle of its body."""


def marked_anatomy(*, without: tuple[tuple[str, LandmarkName, Side], ...] = ()) -> Anatomy:
    """Landmarks on L4 and L5, the right ones unsure; `without` leaves some out. The sacrum has none."""
    plain = make_anatomy()
    vertebrae = []
    for vertebra in plain.vertebrae:
        marks = tuple(
            Landmark(
                name=name,
                vertebra=vertebra.level,
                side=side,
                position_mm=np.array([side.sign * place[0], place[1], place[2] + HEIGHT_MM[vertebra.level.name]]),
                sd_mm=1.2,
                confidence_fraction=0.95 if side is Side.LEFT else 0.3,
                origin=Origin.REGISTERED,
                covariance_mm2=np.diag([1.0, 0.32, 3.0]),
            )
            for name, place in PLACES_MM.items()
            for side in Side
            if vertebra.level != Vertebra("S1") and (vertebra.level.name, name, side) not in without
        )
        lost = [
            f"{side.value} {name.value.replace('_', ' ')} (outside the scan)"
            for v, name, side in without
            if v == vertebra.level.name
        ]
        note = f"Not found: {'; '.join(lost)}. Use a scan that shows the whole bone." if lost else ""
        vertebrae.append(replace(vertebra, landmarks=marks, note=note))
    return replace(plain, vertebrae=tuple(vertebrae))
