"""A block vertebra with the parts that matter to a needle: a known truth without the reference body.

L4 stands with its axes along LPS. Beside the superior articular process (SAP) lies a groove that runs to the
back, outwards by 20 deg and downwards by 40 deg: the L3 medial branch lies in it, so the right needle is known.
"""

from __future__ import annotations

import numpy as np

from foramen.knowledge.labels import structure_value, vertebra_value
from foramen.model.anatomy import (
    Anatomy,
    KeepOut,
    KeepOutStatus,
    Landmark,
    LandmarkName,
    LevelCount,
    Nerve,
    NerveKind,
    Origin,
    VertebraAnatomy,
    VertebraFrame,
)
from foramen.model.device import RfCannula, Thermocouple, TipShape
from foramen.model.levels import Root, Side, Vertebra
from foramen.model.space import LabelMap, Modality, Volume, VolumeGeometry

L4 = Vertebra("L4")
OBLIQUE_DEG, DECLINED_DEG = 20.0, 40.0
GROOVE_START_MM = np.array([23.0, 24.0, 10.0])  # left side; where the groove meets the foramen
BACK_SKIN_MM = 95.0

CANNULA = RfCannula(
    id="test_18g_10mm",
    version="1",
    name="18 G, 10 mm",
    gauge=18,
    outer_diameter_mm=1.27,
    inner_diameter_mm=0.8,
    lengths_mm=(60.0, 100.0, 150.0),
    active_tip_mm=10.0,
    tip_shape=TipShape.HEMISPHERICAL,
    thermocouple=Thermocouple.POLE,
    material="steel",
    max_temperature_degC=90.0,
)


def groove_direction(side: Side) -> np.ndarray:
    """Unit vector of the groove from the foramen backwards."""
    oblique, declined = np.radians((OBLIQUE_DEG, DECLINED_DEG))
    return np.array(
        [side.sign * np.cos(declined) * np.sin(oblique), np.cos(declined) * np.cos(oblique), -np.sin(declined)]
    )


def block_spine(*, spacing_mm: float = 1.5, motion: np.ndarray | None = None, is_cropped: bool = False):
    """Image, labels and anatomy of the block vertebra, all moved by the 4 x 4 matrix `motion`."""
    low, high = np.array([-75.0, -45.0, -90.0]), np.array([75.0, 105.0, 45.0])
    if is_cropped:
        high[1] = 60.0
    shape = tuple(int(n) for n in np.ceil((high - low) / spacing_mm))
    affine = np.diag([spacing_mm, spacing_mm, spacing_mm, 1.0])
    affine[:3, 3] = -(np.array(shape) - 1) / 2 * spacing_mm + (low + high) / 2
    affine[0, 3] = -(shape[0] - 1) / 2 * spacing_mm  # the grid mirrors onto itself
    motion = np.eye(4) if motion is None else motion
    x, y, z = np.moveaxis(np.indices(shape), 0, -1).reshape(-1, 3).T * spacing_mm + affine[:3, 3][:, None]
    values = np.full(x.shape, -1000.0, dtype=np.float32)
    values[(np.abs(x) < 68) & (y > -40) & (y < BACK_SKIN_MM)] = 40
    labels = np.zeros(x.shape, dtype=np.uint16)
    for name, mask in _parts(np.abs(x), x, y, z).items():
        labels[mask] = structure_value("canal") if name == "canal" else vertebra_value(L4, name)
        values[mask] = 10 if name == "canal" else 600
    geometry = VolumeGeometry(shape=shape, affine_mm=motion @ affine, frame_uid="1.2.3")
    image = Volume(geometry=geometry, values=values.reshape(shape), modality=Modality.CT)
    return image, LabelMap(geometry=geometry, values=labels.reshape(shape)), _anatomy(motion)


def _parts(width, x, y, z):
    run = y - GROOVE_START_MM[1]
    wall = GROOVE_START_MM[0] - 1 + np.tan(np.radians(OBLIQUE_DEG)) * run
    floor = GROOVE_START_MM[2] - 1 - np.tan(np.radians(DECLINED_DEG)) / np.cos(np.radians(OBLIQUE_DEG)) * run
    is_groove = (run > 0) & (run < 12)
    sides = {"left": x > 0, "right": x < 0}
    parts = {
        "body": (width < 23) & (np.abs(y) < 17) & (np.abs(z) < 14),
        "arch": (width < 18) & (y > 33) & (y < 38) & (z > -12) & (z < 4),
        "spinous": (width < 4) & (y > 38) & (y < 62) & (z > -14) & (z < 2),
        "canal": (width < 11) & (y > 18) & (y < 33),
    }
    for side, half in sides.items():
        parts[f"pedicle_{side}"] = half & (width > 12) & (width < 20) & (y > 16) & (y < 26) & (z > 0) & (z < 10)
        parts[f"superior_articular_{side}"] = half & is_groove & (width > 14) & (width < wall) & (z > -8) & (z < 24)
        parts[f"transverse_{side}"] = half & is_groove & (width >= wall) & (width < 45) & (z < floor) & (z > floor - 9)
    return parts


def _anatomy(motion: np.ndarray) -> Anatomy:
    def moved(points) -> np.ndarray:
        return np.asarray(points, dtype=np.float64) @ motion[:3, :3].T + motion[:3, 3]

    frame = VertebraFrame(
        origin_mm=moved(np.zeros(3)),
        axes=motion[:3, :3].copy(),
        superior_endplate_mm=moved([0, 0, 14]),
        inferior_endplate_mm=moved([0, 0, -14]),
    )
    landmarks, nerves = [], []
    for side in Side:
        mirror = np.array([side.sign, 1, 1])
        along = groove_direction(side)
        start = GROOVE_START_MM * mirror
        course = start + np.linspace(-4, 14, 37)[:, None] * along
        places = {
            LandmarkName.SAP_TP_JUNCTION: start + 1.0 * along,
            LandmarkName.MAMILLO_ACCESSORY_NOTCH: start + 9.0 * along,
            LandmarkName.FORAMEN_POSTERIOR_BORDER: np.array([18.0, 24.0, 16.0]) * mirror,
        }
        landmarks += [
            Landmark(
                name=name,
                vertebra=L4,
                side=side,
                position_mm=moved(place),
                sd_mm=1.0,
                confidence_fraction=0.9,
                origin=Origin.TRUTH,
            )
            for name, place in places.items()
        ]
        tubes = {
            ("L3", NerveKind.MEDIAL_BRANCH, 0.8): course,
            ("L3", NerveKind.SPINAL_NERVE, 2.0): np.array([[11, 20, 26], [22, 12, 20], [40, 2, 8]]) * mirror,
            ("L3", NerveKind.DORSAL_ROOT_GANGLION, 2.5): np.array([[12, 18, 26], [18, 14, 22]]) * mirror,
        }
        nerves += [
            Nerve(
                name=f"{root} {kind.value.replace('_', ' ')}",
                kind=kind,
                root=Root(root),
                side=side,
                crosses=L4 if kind is NerveKind.MEDIAL_BRANCH else None,
                centreline_mm=moved(points),
                radius_mm=radius,
                variation_sd_mm=1.1,
                origin=Origin.TRUTH,
            )
            for (root, kind, radius), points in tubes.items()
        ]
    return Anatomy(
        frame_uid="1.2.3",
        vertebrae=(VertebraAnatomy(level=L4, frame=frame, landmarks=tuple(landmarks), is_complete=True),),
        nerves=tuple(nerves),
        keep_outs=(
            KeepOut(name="canal", status=KeepOutStatus.SHOWN, label_values=(structure_value("canal"),)),
            KeepOut(
                name="periforaminal_arteries",
                status=KeepOutStatus.UNKNOWN,
                note="not imaged: Doppler / live contrast required",
            ),
        ),
        level_count=LevelCount(method="block", is_ambiguous=False, reason=""),
    )
