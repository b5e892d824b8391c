"""A made-up case and anatomy for tests of the report: blocks that stand for a spine, nothing clinical."""

from __future__ import annotations

import numpy as np

from foramen.knowledge.labels import disc_value, structure_value, vertebra_value
from foramen.model.anatomy import (
    Anatomy,
    KeepOut,
    KeepOutStatus,
    LevelCount,
    Nerve,
    NerveKind,
    Origin,
    VertebraAnatomy,
    VertebraFrame,
)
from foramen.model.case import Case
from foramen.model.levels import Root, Side, Vertebra
from foramen.model.record import ClinicalRecord
from foramen.model.space import LabelMap, Modality, PatientPosition, Volume, VolumeGeometry

FRAME = "1.2.826.0.1.3680043.10.1"
SPACING_MM = 2.0
LEVELS = ("L4", "L5", "S1")
HEIGHT_MM = {"L4": 36.0, "L5": 0.0, "S1": -36.0}


def make_case(*, patient_id: str = "TEST-1", bright_left: bool = False) -> Case:
    """A case of blocks: bodies, arches and transverse processes in soft tissue; optionally a bright left ball."""
    shape = (80, 90, 80)
    origin = np.array([-79.0, -80.0, -79.0])
    affine = np.diag([SPACING_MM, SPACING_MM, SPACING_MM, 1.0])
    affine[:3, 3] = origin
    x, y, z = np.indices(shape) * SPACING_MM + origin[:, None, None, None]
    values = np.full(shape, -1000.0, dtype=np.float32)
    values[(x / 76) ** 2 + ((y - 10) / 78) ** 2 < 1] = 40.0
    labels = np.zeros(shape, dtype=np.uint16)
    for name, height in HEIGHT_MM.items():
        dz = z - height
        body = ((x / 24) ** 2 + (y / 17) ** 2 < 1) & (np.abs(dz) < 13)
        pedicle = (np.abs(np.abs(x) - 14) < 4) & (y > 8) & (y < 30) & (np.abs(dz - 5) < 6)
        lamina = (np.abs(x) < 18) & (np.abs(y - 34 - 0.2 * np.abs(x)) < 4) & (np.abs(dz) < 12)
        superior = (np.abs(np.abs(x) - 20) < 6) & (np.abs(y - 32) < 6) & (np.abs(dz - 9) < 11)
        transverse = (np.abs(x) > 18) & (np.abs(x) < 42) & (np.abs(y - 28) < 4) & (np.abs(dz - 2) < 5)
        spinous = (np.abs(x) < 3) & (y > 34) & (y < 62) & (np.abs(dz + 4) < 8)
        bone = body | pedicle | lamina | superior | transverse | spinous
        labels[bone] = vertebra_value(Vertebra(name))
        values[bone] = 350.0
        values[body] = 200.0
    disc = ((x / 23) ** 2 + (y / 16) ** 2 < 1) & (np.abs(z - 18) < 4) & (labels == 0)
    labels[disc] = disc_value(Vertebra("L4"))
    sac = ((x / 9) ** 2 + ((y - 22) / 7) ** 2 < 1) & (labels == 0)
    labels[sac] = structure_value("thecal_content")
    values[sac] = 15.0
    if bright_left:
        values[(x - 45) ** 2 + (y - 40) ** 2 + (z - 10) ** 2 < 144] = 1500.0  # +x is the patient's left
    geometry = VolumeGeometry(shape=shape, affine_mm=affine, frame_uid=FRAME)
    return Case(
        uid="case-test",
        image=Volume(geometry=geometry, values=values, modality=Modality.CT),
        labels=LabelMap(geometry=geometry, values=labels),
        record=ClinicalRecord(patient_id=patient_id),
        patient_id=patient_id,
        patient_position=PatientPosition.HFS,
        acquired_on="2026-10-01",
        series_uid="1.2.3.4",
        image_sha256="a" * 64,
        labels_sha256="b" * 64,
    )


def course_of(side: Side, height: float) -> np.ndarray:
    s = side.sign
    points = np.array([[14, 12, 12], [22, 18, 14], [27, 22, 10], [26.5, 29, 6], [24, 38, 0], [16, 46, -8]], dtype=float)
    return points * [s, 1, 1] + [0, 0, height]


def make_anatomy() -> Anatomy:
    """Frames of three vertebrae, medial branches and spinal nerves on both sides, one unknown keep-out."""
    vertebrae = tuple(
        VertebraAnatomy(
            level=Vertebra(name),
            frame=VertebraFrame(
                origin_mm=np.array([0.0, 0.0, HEIGHT_MM[name]]),
                axes=np.eye(3),
                superior_endplate_mm=np.array([0.0, 0.0, HEIGHT_MM[name] + 13]),
                inferior_endplate_mm=np.array([0.0, 0.0, HEIGHT_MM[name] - 13]),
            ),
            landmarks=(),
            is_complete=True,
        )
        for name in LEVELS
    )
    nerves = []
    for side in Side:
        for root, bone in (("L3", "L4"), ("L4", "L5")):
            nerves.append(
                Nerve(
                    name=f"{root} medial branch",
                    kind=NerveKind.MEDIAL_BRANCH,
                    root=Root(root),
                    side=side,
                    crosses=Vertebra(bone),
                    centreline_mm=course_of(side, HEIGHT_MM[bone]),
                    radius_mm=0.5,
                    variation_sd_mm=1.0,
                    origin=Origin.REGISTERED,
                )
            )
        for root, height in (("L4", 18.0), ("L5", -18.0)):
            course = np.array([[6.0, 22, height + 8], [16, 18, height], [28, 6, height - 10], [36, -6, height - 24]])
            nerves.append(
                Nerve(
                    name=f"{root} spinal nerve",
                    kind=NerveKind.SPINAL_NERVE,
                    root=Root(root),
                    side=side,
                    crosses=None,
                    centreline_mm=course * [side.sign, 1, 1],
                    radius_mm=2.5,
                    variation_sd_mm=1.0,
                    origin=Origin.REGISTERED,
                )
            )
    return Anatomy(
        frame_uid=FRAME,
        vertebrae=vertebrae,
        nerves=tuple(nerves),
        keep_outs=(
            KeepOut(name="thecal_sac", status=KeepOutStatus.SHOWN, label_values=(5100,)),
            KeepOut(
                name="periforaminal_arteries",
                status=KeepOutStatus.UNKNOWN,
                note="not imaged: Doppler / live contrast required",
            ),
        ),
        level_count=LevelCount(method="labels of the file", is_ambiguous=False, reason="five lumbar vertebrae"),
    )
