"""What a needle may meet: distances from voxel faces, names in words, and contradictions refused."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from block_spine import L4, block_spine
from foramen.anatomy.obstacles import bone_words, find_obstacles
from foramen.errors import FrameError, ImageError
from foramen.knowledge.labels import structure_value, vertebra_value
from foramen.model.anatomy import KeepOut, KeepOutStatus
from foramen.model.levels import Vertebra
from foramen.model.space import LabelMap, VolumeGeometry

AROUND = np.array([[0.0, 20.0, 0.0], [60.0, 60.0, -40.0]])


def obstacles(scene, keep_outs=None):
    image, labels, anatomy = scene
    if keep_outs is not None:
        anatomy = dataclasses.replace(anatomy, keep_outs=keep_outs)
    return find_obstacles(anatomy, image, labels, around_mm=AROUND, bone_hu=250.0)


def test_distances_count_from_the_faces_of_the_voxels():
    found = obstacles(block_spine(spacing_mm=1.0))
    (canal,) = found.keep_outs  # |x| < 11, 18 < y < 33
    points = np.array([[31.0, 25.0, 0.0], [0.0, 25.0, 0.0]])
    # Voxel centres at half millimetres: the outermost is at 10.5, its face at 11; two faces blur to half a voxel.
    assert canal.distance_mm(points) == pytest.approx([20.0, 0.0], abs=0.5)
    assert np.isinf(canal.distance_mm(points[:1], within_mm=5.0)[0])
    # Behind the lamina (y = 38) at z = -6 and 10 mm from the spinous process (x = 4).
    assert found.bone.signed(np.array([14.0, 48.0, -6.0])) == pytest.approx(10.0, abs=found.tolerance_mm)


def test_bones_have_names():
    assert bone_words(vertebra_value(L4, "transverse_left")) == "left L4 transverse process"
    assert bone_words(vertebra_value(L4, "arch")) == "L4 lamina"
    assert bone_words(vertebra_value(Vertebra("S1"))) == "sacrum"
    assert bone_words(structure_value("hip_right")) == "right hip"
    assert bone_words(0) == "unlabelled bone (by its density)"


def test_a_keep_out_that_is_shown_nowhere_is_refused():
    kidney = KeepOut(name="kidneys", status=KeepOutStatus.SHOWN, label_values=(structure_value("kidney_left"),))
    with pytest.raises(ImageError, match="kidneys is said to be shown"):
        obstacles(block_spine(), (kidney,))


def test_unknown_keep_outs_stay_unknown():
    assert [keep_out.name for keep_out in obstacles(block_spine()).unknown] == ["periforaminal_arteries"]


def test_other_grids_and_frames_are_refused():
    image, labels, anatomy = block_spine()
    moved = labels.geometry.affine_mm + np.outer([1, 0, 0, 0], [0, 0, 0, 1])
    for affine, frame in ((moved, "1.2.3"), (labels.geometry.affine_mm, "9.9")):
        geometry = VolumeGeometry(shape=labels.geometry.shape, affine_mm=affine, frame_uid=frame)
        with pytest.raises(FrameError):
            obstacles((image, LabelMap(geometry=geometry, values=labels.values), anatomy))
