"""Anatomy from CT and instance labels on real scans."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from anatomy.bodies import lumbar_anatomy, lumbar_scan, segment_anatomy
from anatomy.segment_truth import junction_truth, load_segment
from foramen.anatomy.bones import level_mask
from foramen.anatomy.build import build_anatomy
from foramen.errors import FrameError, ImageError
from foramen.model.anatomy import KeepOutStatus, LandmarkName, NerveKind
from foramen.model.levels import Side, Vertebra
from foramen.model.space import LabelMap, VolumeGeometry

LARGEST_ERROR_MM, MEAN_ERROR_MM = 4.0, 3.0
"""Accepted errors of the junction on `ct_lumbar_segment` (the project's acceptance)."""

FROM_BONE_MM, FROM_MIRROR_MM = 3.0, 4.0
"""Accepted distances on `ct_lumbar_3mm`: from labelled bone, and from the mirrored other side."""

pytestmark = pytest.mark.data


def test_junctions_agree_with_the_sub_region_map(data_folder: Path) -> None:
    truth = junction_truth(load_segment(data_folder))
    assert len(truth) == 4  # L3 and L4, both sides
    anatomy = segment_anatomy(data_folder)
    errors = {
        key: float(
            np.linalg.norm(anatomy.vertebra(key[0]).landmark(LandmarkName.SAP_TP_JUNCTION, key[1]).position_mm - point)
        )
        for key, point in truth.items()
    }
    words = ", ".join(f"{level} {side.value} {error:.1f} mm" for (level, side), error in errors.items())
    assert max(errors.values()) <= LARGEST_ERROR_MM, words
    assert np.mean(list(errors.values())) <= MEAN_ERROR_MM, words


def test_a_cut_patch_is_said_to_be_one(data_folder: Path) -> None:
    anatomy = segment_anatomy(data_folder)
    assert anatomy.level_count.is_ambiguous
    assert not anatomy.vertebra(Vertebra("L4")).is_complete
    assert anatomy.vertebra(Vertebra("L3")).is_complete
    assert any("L2" in note and "endplate" in note for note in anatomy.notes)


@pytest.mark.parametrize("level", ["L4", "L5", "S1"])
def test_targets_lie_on_their_bone_and_mirror_each_other(data_folder: Path, level: str) -> None:
    _, labels = lumbar_scan(data_folder)
    vertebra = lumbar_anatomy(data_folder).vertebra(Vertebra(level))
    name = LandmarkName.SACRAL_ALA_NOTCH if level == "S1" else LandmarkName.SAP_LATERAL_NECK
    geometry = labels.geometry
    voxels = np.argwhere(level_mask(labels, Vertebra(level))).astype(np.float64)
    local = {}
    for side in Side:
        point = vertebra.landmark(name, side).position_mm
        # to the nearest labelled voxel's box, not its centre: a voxel is 3 mm wide
        beyond = np.maximum(np.abs(geometry.index(point) - voxels) - 0.5, 0.0) * geometry.spacing_mm
        assert np.linalg.norm(beyond, axis=1).min() <= FROM_BONE_MM
        local[side] = vertebra.frame.to_vertebra(point)
        assert side.sign * local[side][0] > 15.0  # on its own side of the midline
    mirrored = local[Side.RIGHT] * [-1.0, 1.0, 1.0]
    assert np.linalg.norm(local[Side.LEFT] - mirrored) <= FROM_MIRROR_MM


def test_what_the_labels_do_not_show_is_unknown(data_folder: Path) -> None:
    anatomy = lumbar_anatomy(data_folder)
    status = {k.name: k.status for k in anatomy.keep_outs}
    for name in ("aorta", "thecal_sac", "kidneys", "bowel", "radicular_arteries", "segmental_lumbar_arteries"):
        assert status[name] is KeepOutStatus.UNKNOWN
    assert status[NerveKind.SPINAL_NERVE.value] is KeepOutStatus.SHOWN
    assert "rib" in anatomy.level_count.reason
    assert any("alae" in note for note in anatomy.notes)


def test_images_that_do_not_fit_are_refused(data_folder: Path) -> None:
    image, labels = lumbar_scan(data_folder)
    other = VolumeGeometry(shape=labels.geometry.shape, affine_mm=labels.geometry.affine_mm, frame_uid="9.9")
    with pytest.raises(FrameError):
        build_anatomy(image, LabelMap(geometry=other, values=labels.values))
    shifted = LabelMap(geometry=labels.geometry, values=np.roll(labels.values, 35, axis=0))
    with pytest.raises(ImageError, match="do not lie on bone"):
        build_anatomy(image, shifted)
