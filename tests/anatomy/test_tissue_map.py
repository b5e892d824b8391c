"""Tissue of voxels by label and by Hounsfield number."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from foramen.anatomy.tissue_map import ORIGINS, classify_tissue
from foramen.errors import FrameError, ImageError, InputError
from foramen.knowledge.labels import structure_labels
from foramen.knowledge.thermal import TISSUES, tissue_properties
from foramen.model.space import LabelMap, Modality, Volume, VolumeGeometry

SIZE = 40


def images(values: dict[tuple[int, int, int], tuple[float, int]]) -> tuple[Volume, LabelMap]:
    """A block of soft tissue (50 HU) in air, with single voxels of given HU and label."""
    geometry = VolumeGeometry(shape=(SIZE, SIZE, SIZE), affine_mm=np.diag([2.0, 2.0, 2.0, 1.0]), frame_uid="1")
    hu = np.full(geometry.shape, -1000.0, dtype=np.float32)
    hu[8:-8, 8:-8, :] = 50.0
    labels = np.zeros(geometry.shape, dtype=np.uint16)
    for voxel, (number, label) in values.items():
        hu[voxel], labels[voxel] = number, label
    return Volume(geometry=geometry, values=hu, modality=Modality.CT), LabelMap(geometry=geometry, values=labels)


@pytest.mark.parametrize(
    ("hu", "label", "tissue", "origin"),
    [
        (50, 0, "soft_tissue", "inferred_from_hu"),
        (-90, 0, "fat", "inferred_from_hu"),
        (-700, 0, "air", "inferred_from_hu"),
        (250, 0, "bone_cancellous", "inferred_from_hu"),
        (900, 0, "bone_cortical", "inferred_from_hu"),
        (3000, 0, "metal", "inferred_from_hu"),
        (50, 5200, "muscle", "label"),
        (200, 2301, "bone_cancellous", "label"),
        (900, 2301, "bone_cortical", "label"),
        (3000, 2301, "metal", "inferred_from_hu"),
        (3000, 5800, "metal", "label"),
        (50, 5024, "disc", "label"),
        (20, 5100, "csf", "label"),
        (150, 5400, "blood", "label"),
    ],
)
def test_voxel(hu: float, label: int, tissue: str, origin: str) -> None:
    """A label decides where there is one, except that metal is metal."""
    found = classify_tissue(*images({(20, 20, 20): (hu, label)}))
    assert found.names[found.tissue_index[20, 20, 20]] == tissue
    assert ORIGINS[found.origin_index[20, 20, 20]] == origin


def test_outside_the_body_is_air() -> None:
    """Around the block is air that no label or HU had to explain; a table in it too."""
    found = classify_tissue(*images({(1, 1, 5): (60.0, 0)}))
    assert ORIGINS[found.origin_index[1, 1, 5]] == "outside_body"
    assert found.names[found.tissue_index[1, 1, 5]] == "air"


def test_every_label_has_a_tissue_with_properties() -> None:
    """labels.yaml and tissues.yaml fit together."""
    for entry in structure_labels():
        names = ("bone_cortical", "bone_cancellous") if entry.tissue == "bone" else (entry.tissue,)
        for name in names:
            assert name in TISSUES
            assert tissue_properties(name, frequency_hz=480e3).heat_capacity_J_per_m3_K > 0


def test_muscle_is_the_tabulated_one() -> None:
    """0.4459 S/m at 500 kHz, 0.495 W/m/K, perfusion 0.000668 1/s x 3.797 MJ/m3/K."""
    muscle = tissue_properties("muscle", frequency_hz=500e3)
    assert muscle.electric_S_per_m == pytest.approx(0.4459, abs=5e-5)
    assert muscle.thermal_W_per_m_K == pytest.approx(0.49497, abs=1e-5)
    assert muscle.perfusion_W_per_m3_K == pytest.approx(0.0006677 * 3796945.75, rel=1e-3)
    assert tissue_properties("muscle", frequency_hz=450e3).electric_S_per_m == pytest.approx(0.43722)
    with pytest.raises(InputError, match="450 to 500 kHz"):
        tissue_properties("muscle", frequency_hz=1e6)


def test_bad_input() -> None:
    """An unknown label, another grid."""
    with pytest.raises(ImageError, match="4999"):
        classify_tissue(*images({(20, 20, 20): (50.0, 4999)}))
    image, labels = images({})
    moved = VolumeGeometry(shape=labels.geometry.shape, affine_mm=np.diag([3.0, 2, 2, 1]), frame_uid="1")
    with pytest.raises(FrameError):
        classify_tissue(image, LabelMap(geometry=moved, values=labels.values))


@pytest.mark.data
def test_real_ct_without_labels(data_folder: Path) -> None:
    """A lumbar CT: plausible parts of every tissue, and the nail in the right femur is found as metal."""
    import nibabel

    source = nibabel.load(data_folder / "ct_lumbar_3mm" / "ct.nii.gz")
    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ source.affine
    values = np.asarray(source.dataobj, dtype=np.float32)
    geometry = VolumeGeometry(shape=values.shape, affine_mm=affine, frame_uid="1")
    image = Volume(geometry=geometry, values=values, modality=Modality.CT)
    found = classify_tissue(image, LabelMap(geometry=geometry, values=np.zeros(values.shape, np.uint16)))
    inside = found.origin_index != ORIGINS.index("outside_body")
    parts = {name: float((found.is_tissue(name) & inside).sum() / inside.sum()) for name in found.names}
    assert 0.15 < inside.mean() < 0.98
    assert 0.1 < parts["fat"] < 0.7
    assert 0.2 < parts["soft_tissue"] < 0.8
    assert 0.01 < parts["bone_cancellous"] + parts["bone_cortical"] < 0.25
    metal_mm = geometry.lps_mm(np.argwhere(found.is_tissue("metal")).astype(float))
    corner_mm = geometry.lps_mm(np.array([19.5, 36.7, 4.8]))  # where one sees it in the image
    assert len(metal_mm) > 300
    assert np.percentile(np.linalg.norm(metal_mm - corner_mm, axis=1), 90) < 45
