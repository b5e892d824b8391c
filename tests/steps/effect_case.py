"""A small made-up patient for tests of the heat effect: a block of muscle with a bone and a nerve."""

from __future__ import annotations

import numpy as np

from foramen.model.anatomy import Anatomy, LevelCount, Nerve, NerveKind, Origin
from foramen.model.device import RfCannula, Thermocouple, TipShape
from foramen.model.levels import Root, Segment, Side, Vertebra
from foramen.model.plan import Posture, RfSetting, Target, Trajectory, View
from foramen.model.space import FloatArray, LabelMap, Modality, Volume, VolumeGeometry

FRAME = "1.2.3"
MUSCLE_LEFT, AORTA, THECAL = 5200, 5400, 5100
SPACING_MM = 2.0
HALF_MM = 70.0


def make_geometry() -> VolumeGeometry:
    """A cube of 140 mm about the origin."""
    count = int(2 * HALF_MM / SPACING_MM) + 1
    affine = np.diag([SPACING_MM, SPACING_MM, SPACING_MM, 1.0])
    affine[:3, 3] = -HALF_MM
    return VolumeGeometry(shape=(count, count, count), affine_mm=affine, frame_uid=FRAME)


def make_images(*, label: int = MUSCLE_LEFT) -> tuple[Volume, LabelMap]:
    """Muscle everywhere (50 HU, labelled), with air behind y = 60 mm."""
    geometry = make_geometry()
    hu = np.full(geometry.shape, 50.0, dtype=np.float32)
    values = np.full(geometry.shape, label, dtype=np.uint16)
    behind = np.arange(geometry.shape[1]) * SPACING_MM - HALF_MM > 60
    hu[:, behind] = -1000.0
    values[:, behind] = 0
    return Volume(geometry=geometry, values=hu, modality=Modality.CT), LabelMap(geometry=geometry, values=values)


def make_nerve(kind: NerveKind, name: str, line_mm: FloatArray, radius_mm: float = 1.0) -> Nerve:
    """A nerve along a line."""
    return Nerve(
        name=name,
        kind=kind,
        root=Root("L4"),
        side=Side.LEFT,
        crosses=None,
        centreline_mm=line_mm,
        radius_mm=radius_mm,
        variation_sd_mm=0.5,
        origin=Origin.TRUTH,
    )


def make_anatomy(*nerves: Nerve) -> Anatomy:
    """An anatomy of nerves alone."""
    count = LevelCount(method="test", is_ambiguous=False, reason="")
    return Anatomy(frame_uid=FRAME, vertebrae=(), nerves=nerves, keep_outs=(), level_count=count)


def make_target(segment_mm: FloatArray, *, radius_mm: float = 0.5) -> Target:
    """A target whose needed segment is a given line."""
    return Target(
        name="L3 medial branch, on the L4 transverse process",
        nerve="L3 medial branch",
        crosses_bone=Vertebra("L4"),
        joint_served="L4-L5",
        level=Segment("L4-L5"),
        side=Side.LEFT,
        position_mm=segment_mm.mean(axis=0),
        needed_segment_mm=segment_mm,
        nerve_radius_mm=radius_mm,
        position_sd_mm=1.0,
        confidence_fraction=0.9,
        segment_definition="test",
    )


def make_device() -> RfCannula:
    """An 18 G cannula with a 10 mm bare tip."""
    return RfCannula(
        id="rf18",
        version="1",
        name="18 G",
        gauge=18,
        outer_diameter_mm=1.27,
        inner_diameter_mm=0.84,
        lengths_mm=(100.0,),
        active_tip_mm=10.0,
        tip_shape=TipShape.HEMISPHERICAL,
        thermocouple=Thermocouple.POLE,
        material="stainless steel",
        max_temperature_degC=95.0,
    )


def make_trajectory(
    *, tip_mm: tuple[float, float, float] = (0, 0, 0), entry_mm: tuple[float, float, float] = (0, 60, 0)
) -> Trajectory:
    """A straight path from the back to a tip."""
    tip, entry = np.array(tip_mm, dtype=float), np.array(entry_mm, dtype=float)
    view = View(
        name="needle view",
        purpose="down the needle",
        beam=np.array([0.0, -1.0, 0.0]),
        up=np.array([0.0, 0.0, 1.0]),
        centre_mm=tip,
        words="",
        primary_angle_deg=0.0,
        secondary_angle_deg=0.0,
        console_dial="",
        posture=Posture.PRONE,
        must_show=(),
    )
    return Trajectory(
        id="t1",
        target="L3 medial branch",
        device=make_device(),
        entry_mm=entry,
        tip_mm=tip,
        length_mm=float(np.linalg.norm(entry - tip)),
        cannula_length_mm=100.0,
        view=view,
        clearances=(),
        costs={},
        reasons=(),
        rank=1,
        angle_to_nerve_deg=0.0,
        oblique_deg=0.0,
        declined_deg=0.0,
        depth_to_bone_mm=0.0,
    )


def make_setting(*, temperature_degC: float = 80.0, time_s: float = 90.0, lesions: int = 1) -> RfSetting:
    """80 degC for 90 s with the thermocouple at the pole."""
    return RfSetting(
        temperature_degC=temperature_degC,
        time_s=time_s,
        ramp_s=10.0,
        thermocouple=Thermocouple.POLE,
        frequency_hz=500e3,
        lesions=lesions,
    )
