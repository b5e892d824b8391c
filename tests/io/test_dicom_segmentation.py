"""DICOM segmentations, written by highdicom: placed in their own frame of reference only, and named by code or name."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.sr.codedict import codes

from foramen.errors import FrameError, ImageError, RecordError
from foramen.io.case_folder import import_case
from foramen.io.dicom import read_dicom_series
from foramen.io.label_maps import LabelSource, read_labels
from foramen.knowledge.labels import structure_value, vertebra_value
from foramen.model.levels import Vertebra
from foramen.model.space import Volume
from small_scan import KIDNEY_LEFT, KIDNEY_RIGHT, LEVELS, scan, write_dicom, write_nifti

hd = pytest.importorskip("highdicom", reason="highdicom writes the segmentations of these tests: pip install highdicom")

SNOMED = {"L3": "36470004", "L4": "11994002", "L5": "49668003", "S1": "54735007"}
LEFT, RIGHT = ("7771000", "Left"), ("24028007", "Right")
FRAME = "1.2.3.9"
"""Frame of reference of the small scan."""

Described = tuple[int, str, str, tuple[str, str] | None]
"""Number in the small scan, name, SNOMED code, side."""

USUAL: tuple[Described, ...] = (
    *((number, f"vertebrae_{name}", SNOMED[name], None) for name, number in LEVELS.items()),
    (KIDNEY_LEFT, "Kidney", "64033007", LEFT),
    (KIDNEY_RIGHT, "Kidney", "64033007", RIGHT),
)


@pytest.fixture
def series(tmp_path: Path) -> Path:
    """The small scan as a DICOM series with the tags that highdicom copies."""
    folder = tmp_path / "ct"
    for path in write_dicom(folder):
        dataset = pydicom.dcmread(path)
        dataset.PatientName, dataset.PatientBirthDate, dataset.PatientSex = "A^B", "", ""
        dataset.StudyID, dataset.AccessionNumber, dataset.ReferringPhysicianName = "", "", ""
        dataset.StudyDate, dataset.StudyTime, dataset.SeriesNumber, dataset.InstanceNumber = "20260310", "", 1, 1
        dataset.save_as(path)
    return folder


@pytest.fixture
def image(series: Path) -> Volume:
    return read_dicom_series(series)[0]


def lps_labels() -> np.ndarray:
    """The small scan's labels in the axes of its DICOM series: left, posterior, head."""
    return np.flip(scan()[1], (0, 1))


def description(number: int, name: str, code: str, side: tuple[str, str] | None) -> Any:
    described = hd.seg.SegmentDescription(
        segment_number=number,
        segment_label=name,
        segmented_property_category=codes.SCT.AnatomicalStructure,
        segmented_property_type=hd.sr.CodedConcept(code or "1", "SCT" if code else "99LOCAL", name or "x"),
        algorithm_type=hd.seg.SegmentAlgorithmTypeValues.MANUAL,
    )
    if side is not None:
        modifier = hd.sr.CodedConcept(side[0], "SCT", side[1])
        described.SegmentedPropertyTypeCodeSequence[0].SegmentedPropertyTypeModifierCodeSequence = [modifier]
    return described


def write_seg(
    series: Path,
    path: Path,
    *,
    described: Sequence[Described] = USUAL,
    labels: np.ndarray | None = None,
    axes: tuple[int, int, int] = (2, 1, 0),
    flipped: tuple[int, ...] = (),
    grown: int = 0,
    kind: str = "BINARY",
    frame: str = FRAME,
    shift_mm: float = 0.0,
    patient: str = "",
) -> Path:
    """A segmentation of the small scan; frames, rows and columns run along `axes` of (left, posterior, head)."""
    sources = sorted((pydicom.dcmread(p) for p in series.iterdir()), key=lambda d: float(d.ImagePositionPatient[2]))
    volume = read_dicom_series(series)[0]
    values = lps_labels() if labels is None else labels
    masks = np.stack([values == number for number, *_ in described], axis=-1)
    if grown:
        masks[..., grown] |= np.roll(masks[..., grown], 4, axis=2)  # overlaps the vertebra above
    array = np.flip(np.transpose(masks, (*axes, 3)), flipped)
    step = np.zeros((4, 4))
    step[3, 3] = 1.0
    for new, axis in enumerate(axes):
        step[axis, new] = -1.0 if new in flipped else 1.0
        step[axis, 3] = volume.geometry.shape[axis] - 1 if new in flipped else 0.0
    affine = volume.geometry.affine_mm @ step
    affine[:3, 3] += shift_mm
    for source in sources:
        source.FrameOfReferenceUID = frame
        if patient:
            source.PatientID = patient
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        seg = hd.seg.Segmentation(
            source_images=sources,
            pixel_array=hd.Volume(
                array=np.ascontiguousarray(array).astype(np.uint8),
                affine=affine,
                coordinate_system="PATIENT",
                frame_of_reference_uid=frame,
                channels={hd.ChannelDescriptor("SegmentNumber"): range(1, len(described) + 1)},
            ),
            segmentation_type=kind,
            segment_descriptions=[description(n, *rest) for n, (_, *rest) in enumerate(described, 1)],
            series_instance_uid=hd.UID(),
            series_number=2,
            sop_instance_uid=hd.UID(),
            instance_number=1,
            manufacturer="tests",
            manufacturer_model_name="tests",
            software_versions="1",
            device_serial_number="1",
            omit_empty_frames=True,
        )
        seg.save_as(path)
    return path


def wanted(image: Volume) -> np.ndarray:
    values = np.zeros(image.geometry.shape, dtype=np.uint16)
    for name, number in LEVELS.items():
        values[lps_labels() == number] = vertebra_value(Vertebra(name))
    values[lps_labels() == KIDNEY_LEFT] = structure_value("kidney_left")
    values[lps_labels() == KIDNEY_RIGHT] = structure_value("kidney_right")
    return values


@pytest.mark.parametrize(
    ("axes", "flipped"),
    [
        ((2, 1, 0), ()),  # axial, as the series
        ((2, 1, 0), (0, 2)),  # from the head down, rows from the right
        ((0, 2, 1), (1,)),  # sagittal, from the head down
        ((1, 2, 0), (0, 1)),  # coronal
    ],
)
def test_segments_land_right_in_any_direction(
    series: Path, image: Volume, tmp_path: Path, axes: tuple[int, int, int], flipped: tuple[int, ...]
) -> None:
    path = write_seg(series, tmp_path / "seg.dcm", axes=axes, flipped=flipped)
    reading = read_labels([LabelSource(path=path)], image)
    np.testing.assert_array_equal(reading.labels.values, wanted(image))
    assert "read as dicom_seg" in reading.history[0]


@pytest.mark.parametrize("kind", ["FRACTIONAL", "LABELMAP"])
def test_other_kinds_of_segmentation(series: Path, image: Volume, tmp_path: Path, kind: str) -> None:
    reading = read_labels([LabelSource(path=write_seg(series, tmp_path / "seg.dcm", kind=kind))], image)
    np.testing.assert_array_equal(reading.labels.values, wanted(image))
    assert ("taken from 0.5 upwards" in reading.history[0]) == (kind == "FRACTIONAL")


def test_an_oblique_series_and_its_segmentation(series: Path, tmp_path: Path) -> None:
    turn = np.radians(12.0)
    rows = np.array([[np.cos(turn), np.sin(turn), 0], [-np.sin(turn), np.cos(turn), 0]])
    for path in series.iterdir():
        dataset = pydicom.dcmread(path)
        dataset.ImageOrientationPatient = [round(float(v), 9) for v in rows.ravel()]
        dataset.save_as(path)
    image = read_dicom_series(series)[0]
    path = write_seg(series, tmp_path / "seg.dcm", axes=(0, 2, 1), flipped=(0,))
    np.testing.assert_array_equal(read_labels([LabelSource(path=path)], image).labels.values, wanted(image))


def test_names_in_words_do_where_no_code_is_known(series: Path, image: Volume, tmp_path: Path) -> None:
    described = (
        (LEVELS["L3"], "L3", "", None),
        (LEVELS["L4"], "L4 vertebra", "", None),
        (LEVELS["L5"], "vertebrae_L5", "", None),
        (LEVELS["S1"], "Sacrum", "", None),
        (KIDNEY_LEFT, "left kidney", "", None),
        (KIDNEY_RIGHT, "Kidney", "64033007", RIGHT),
    )
    path = write_seg(series, tmp_path / "seg.dcm", described=described)
    np.testing.assert_array_equal(read_labels([LabelSource(path=path)], image).labels.values, wanted(image))


def test_unknown_segments_are_listed_and_may_be_mapped(series: Path, image: Volume, tmp_path: Path) -> None:
    described = (*USUAL[:4], (KIDNEY_LEFT, "blob", "", None), (KIDNEY_RIGHT, "Kidney", "64033007", None))
    path = write_seg(series, tmp_path / "seg.dcm", described=described)
    with pytest.raises(ImageError, match=r"not known by code or name: 5 'blob', 6 'Kidney' \(code 64033007\)"):
        read_labels([LabelSource(path=path)], image)
    (tmp_path / "mine.yaml").write_text(
        "scheme: mine\ntitle: t\nkind: structures\nvalues: {1: L3, 2: L4, 3: L5, 4: S1}\nignore: {5: blob, 6: x}\n"
    )
    values = read_labels([LabelSource(path=path, scheme=str(tmp_path / "mine.yaml"))], image).labels.values
    assert (values == vertebra_value(Vertebra("L4"))).sum() == (lps_labels() == LEVELS["L4"]).sum()


def test_a_code_against_its_name_and_a_vertebra_twice_are_refused(series: Path, image: Volume, tmp_path: Path) -> None:
    against = ((LEVELS["L3"], "vertebrae_L4", SNOMED["L3"], None), *USUAL[1:])
    with pytest.raises(ImageError, match="is L3 by its code and L4 by its name"):
        read_labels([LabelSource(path=write_seg(series, tmp_path / "a.dcm", described=against))], image)
    twice = (*USUAL[:1], (LEVELS["L4"], "L3", SNOMED["L3"], None), *USUAL[2:])
    with pytest.raises(ImageError, match="segments 1 and 2 are both L3"):
        read_labels([LabelSource(path=write_seg(series, tmp_path / "b.dcm", described=twice))], image)


def test_overlaps_are_resolved_and_said(series: Path, image: Volume, tmp_path: Path) -> None:
    path = write_seg(series, tmp_path / "seg.dcm", grown=1)  # L4 reaches two slices into L3
    reading = read_labels([LabelSource(path=path)], image)
    assert "segment 1 kept where it overlaps the larger segment 2" in reading.history[0]
    assert (reading.labels.values == vertebra_value(Vertebra("L3"))).sum() == (lps_labels() == LEVELS["L3"]).sum()


def test_another_frame_grid_or_patient_is_refused(series: Path, image: Volume, tmp_path: Path) -> None:
    with pytest.raises(FrameError, match=r"frame of reference 1\.2\.3\.10"):
        read_labels([LabelSource(path=write_seg(series, tmp_path / "f.dcm", frame="1.2.3.10"))], image)
    with pytest.raises(FrameError, match=r"off the image's grid points"):
        read_labels([LabelSource(path=write_seg(series, tmp_path / "g.dcm", shift_mm=0.6))], image)
    with pytest.raises(FrameError, match="outside the image"):
        read_labels([LabelSource(path=write_seg(series, tmp_path / "o.dcm", shift_mm=50.0))], image)
    other = write_seg(series, tmp_path / "p.dcm", patient="P-18")
    with pytest.raises(RecordError, match="different patients") as caught:
        import_case(series, labels=[LabelSource(path=other)], out=tmp_path / "case")
    assert "P-18" not in str(caught.value)
    assert not (tmp_path / "case").exists()


def test_a_nifti_scan_has_no_frame_to_place_it_in(series: Path, tmp_path: Path) -> None:
    scan_path = write_nifti(tmp_path / "ct.nii.gz", scan()[0])
    with pytest.raises(FrameError, match="a NIfTI scan carries no frame"):
        import_case(scan_path, labels=[LabelSource(path=write_seg(series, tmp_path / "s.dcm"))], out=tmp_path / "case")


def test_a_flipped_segmentation_is_refused(series: Path, image: Volume, tmp_path: Path) -> None:
    path = write_seg(series, tmp_path / "m.dcm", labels=np.flip(lps_labels(), 0))
    with pytest.raises(ImageError, match="mirrored"):
        read_labels([LabelSource(path=path)], image)


def test_damaged_and_foreign_files(series: Path, image: Volume, tmp_path: Path) -> None:
    path = write_seg(series, tmp_path / "seg.dcm")
    whole = path.read_bytes()
    for share in (0.3, 0.7, 0.97):
        path.write_bytes(whole[: int(share * len(whole))])
        with pytest.raises(ImageError, match="truncated"):
            read_labels([LabelSource(path=path)], image)
    with pytest.raises(ImageError, match="modality CT, not a segmentation"):
        read_labels([LabelSource(path=next(series.iterdir()))], image)


def test_a_case_from_a_series_and_its_segmentation(series: Path, tmp_path: Path) -> None:
    case = import_case(series, labels=[LabelSource(path=write_seg(series, tmp_path / "s.dcm"))], out=tmp_path / "case")
    np.testing.assert_array_equal(case.labels.values, wanted(case.image))
