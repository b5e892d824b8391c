"""A DICOM series: sorted by geometry, the same volume as NIfTI, and every doubtful series refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from foramen.errors import ImageError
from foramen.io.dicom import read_dicom_series
from foramen.io.nifti import on_grid_of, read_image
from foramen.model.space import PatientPosition
from small_scan import SPACING_MM, change_dicom, scan, write_dicom, write_nifti


@pytest.fixture
def series(tmp_path: Path) -> list[Path]:
    return write_dicom(tmp_path / "ct")


def test_series_is_the_same_volume_as_nifti(tmp_path: Path, series: list[Path]) -> None:
    volume, facts = read_dicom_series(series[0].parent)
    other = read_image(write_nifti(tmp_path / "ct.nii.gz", scan()[0]))
    turned = on_grid_of(volume.geometry, other.values, other.geometry.affine_mm, name="x")
    np.testing.assert_array_equal(volume.values, turned)
    assert facts.patient_position is PatientPosition.HFS
    assert (facts.acquired_on, facts.series_uid, facts.frame_uid, facts.slices) == (
        "2026-03-10",
        "1.2.3.4",
        "1.2.3.9",
        60,
    )
    assert facts.patient_id == "P-17"
    assert "P-17" not in repr(facts), "an identifier must not reach a log"


def test_file_names_do_not_matter_and_hidden_files_are_passed_over(tmp_path: Path, series: list[Path]) -> None:
    first, _ = read_dicom_series(series[0].parent)
    for number, path in enumerate(series):
        path.rename(path.with_name(f"{(number * 13) % 60:02d}"))
    (series[0].parent / ".DS_Store").write_bytes(b"x")
    again, _ = read_dicom_series(series[0].parent)
    assert again.same_as(first)


def test_slices_from_foot_to_head_or_back_give_the_same(tmp_path: Path) -> None:
    write_dicom(tmp_path / "a")
    volume, _ = read_dicom_series(tmp_path / "a")
    assert volume.geometry.axes[2, 2] > 0.99  # always along the slice normal, here towards the head


def test_missing_slice(series: list[Path]) -> None:
    series[20].unlink()
    with pytest.raises(ImageError, match=r"gap is 5\.00 mm, elsewhere 2\.50 mm.*missing"):
        read_dicom_series(series[0].parent)


def test_duplicate_slice(series: list[Path]) -> None:
    (series[0].parent / "copy.dcm").write_bytes(series[5].read_bytes())
    with pytest.raises(ImageError, match="there twice"):
        read_dicom_series(series[0].parent)


@pytest.mark.parametrize("kept", [0.3, 0.9])
def test_truncated_file(series: list[Path], kept: float) -> None:
    content = series[7].read_bytes()
    series[7].write_bytes(content[: int(len(content) * kept)])
    with pytest.raises(ImageError, match="truncated"):
        read_dicom_series(series[0].parent)


def test_foreign_file(series: list[Path]) -> None:
    (series[0].parent / "notes.txt").write_text("hello")
    with pytest.raises(ImageError, match=r"notes\.txt is not a DICOM file"):
        read_dicom_series(series[0].parent)


def test_two_series_must_be_chosen_from(tmp_path: Path) -> None:
    write_dicom(tmp_path / "ct")
    for path in write_dicom(tmp_path / "other", series_uid="1.2.3.5"):
        path.rename(tmp_path / "ct" / f"b{path.name}")
    with pytest.raises(ImageError, match=r"2 series.*1\.2\.3\.4: 60 images, CT"):
        read_dicom_series(tmp_path / "ct")
    _, facts = read_dicom_series(tmp_path / "ct", series_uid="1.2.3.5")
    assert facts.series_uid == "1.2.3.5"
    with pytest.raises(ImageError, match=r"no series 9\.9"):
        read_dicom_series(tmp_path / "ct", series_uid="9.9")


def test_gantry_tilt(series: list[Path]) -> None:
    tilt = np.tan(np.radians(12.0))
    for number, path in enumerate(series):
        change_dicom(path, ImagePositionPatient=[0.0, number * SPACING_MM * tilt, number * SPACING_MM])
    with pytest.raises(ImageError, match=r"tilted gantry \(12\.0 degrees\)"):
        read_dicom_series(series[0].parent)


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        ({"PatientPosition": None}, r"Patient Position \(0018,5100"),
        ({"PatientPosition": ""}, r"Patient Position \(0018,5100"),
        ({"Modality": "PT"}, "modality PT, not CT or MR"),
        ({"RescaleIntercept": None}, "no RescaleIntercept"),
        ({"RescaleSlope": None}, "no RescaleSlope"),
        ({"RescaleType": "OD"}, "not Hounsfield units"),
        ({"PixelSpacing": None}, "no PixelSpacing"),
        ({"ImageOrientationPatient": None}, "no ImageOrientationPatient"),
        ({"RescaleIntercept": 0}, "rescale"),
        ({"AcquisitionDate": "20261399"}, "impossible AcquisitionDate"),
        ({"NumberOfFrames": 5}, "multi-frame"),
    ],
)
def test_headers_that_cannot_be_trusted(series: list[Path], tags: dict[str, object], message: str) -> None:
    for path in series:
        change_dicom(path, **tags)
    with pytest.raises(ImageError, match=message):
        read_dicom_series(series[0].parent)


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        ({"ImageOrientationPatient": [0, 1, 0, 0, 0, -1]}, "mixes image orientations"),
        ({"PatientID": "P-18"}, "2 patients"),
        ({"FrameOfReferenceUID": "1.2.3.10"}, "frames of reference"),
        ({"PatientPosition": "FFS"}, "patient positions"),
        ({"PixelSpacing": [1.0, 1.0]}, "pixel spacings"),
    ],
)
def test_one_slice_that_differs(series: list[Path], tags: dict[str, object], message: str) -> None:
    change_dicom(series[30], **tags)
    with pytest.raises(ImageError, match=message) as caught:
        read_dicom_series(series[0].parent)
    assert "P-1" not in str(caught.value), "identifiers of patients must not be printed"


def test_empty_folder_and_file(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="holds no files"):
        read_dicom_series(tmp_path)
    with pytest.raises(ImageError, match="not a folder"):
        read_dicom_series(tmp_path / "absent")


@pytest.mark.data
def test_real_jpeg_2000_series(data_folder: Path) -> None:
    volume, facts = read_dicom_series(data_folder / "ct_dicom_series")
    assert volume.geometry.shape == (512, 512, 20)
    np.testing.assert_allclose(volume.geometry.spacing_mm, (0.9765625, 0.9765625, 2.0), rtol=1e-9)
    assert facts.acquired_on == "2022-12-08"
    assert volume.values.min() == -1024  # 12 bits stored from 0, intercept -1024: exact in float32


@pytest.mark.data
def test_real_truncated_jpeg_2000(data_folder: Path, tmp_path: Path) -> None:
    for path in sorted((data_folder / "ct_dicom_series").iterdir())[:4]:
        (tmp_path / path.name).write_bytes(path.read_bytes())
    victim = sorted(tmp_path.iterdir())[2]
    content = victim.read_bytes()
    victim.write_bytes(content[:-4000])
    with pytest.raises(ImageError, match="truncated"):
        read_dicom_series(tmp_path)
