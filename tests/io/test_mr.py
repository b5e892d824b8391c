"""MR images at the door: what is told of them, what is checked, and that what is not checked is said."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from foramen.errors import CaseError, ImageError, InputError
from foramen.io.case_folder import import_case, new_case, open_case, save_case
from foramen.io.dicom import read_dicom_series
from foramen.io.label_maps import LabelSource, read_labels, require_agreement
from foramen.io.mr_agreement import contrast_of, mr_history
from foramen.io.mr_signal import sequence_of
from foramen.io.nifti import RAS_FROM_LPS, read_image
from foramen.model.case import NOT_CHECKED
from foramen.model.record import ClinicalRecord
from foramen.model.space import LabelMap, Modality, MrSequence, PatientPosition, Volume
from small_scan import SHAPE, change_dicom, scan, write_dicom, write_nifti
from synthetic_mr import body, image, spine_labels


def signal() -> np.ndarray:
    """Values of a made-up MR on the grid of `small_scan`."""
    return np.random.default_rng(3).integers(0, 900, SHAPE).astype(np.int16)


@pytest.mark.parametrize(
    ("headers", "wanted"),
    [
        ({"RepetitionTime": 560, "EchoTime": 11}, MrSequence.T1),
        ({"RepetitionTime": 3800, "EchoTime": 102}, MrSequence.T2),
        ({"RepetitionTime": 3800, "EchoTime": 30}, MrSequence.UNKNOWN),  # proton density
        ({"RepetitionTime": 560, "EchoTime": 90}, MrSequence.UNKNOWN),
        ({"RepetitionTime": 4000, "EchoTime": 90, "InversionTime": 160}, MrSequence.UNKNOWN),  # fat suppressed
        ({"EchoTime": 102}, MrSequence.UNKNOWN),
        ({"AcquisitionContrast": "T2", "EchoTime": 5}, MrSequence.T2),
        ({"SeriesDescription": "t2_tse_sag"}, MrSequence.UNKNOWN),  # free text is not read
    ],
)
def test_the_sequence_is_told_by_the_headers_or_unknown(headers: dict[str, object], wanted: MrSequence) -> None:
    assert sequence_of(SimpleNamespace(**headers)) is wanted


def mr_series(folder: Path, **tags: object) -> Path:
    for path in write_dicom(folder, signal() - 1024):
        change_dicom(path, Modality="MR", RescaleSlope=None, RescaleIntercept=None, **tags)
    return folder


def test_a_dicom_mr_series_is_read_with_its_sequence(tmp_path: Path) -> None:
    volume, facts = read_dicom_series(mr_series(tmp_path / "mr", RepetitionTime=3500, EchoTime=100))
    assert volume.modality is Modality.MR
    assert volume.sequence is MrSequence.T2
    assert facts.patient_position is PatientPosition.HFS
    assert np.array_equal(volume.values, np.flip(signal(), (0, 1)))  # left, posterior, head; no rescale was needed


def test_statements_that_contradict_the_headers_are_refused(tmp_path: Path) -> None:
    folder = mr_series(tmp_path / "mr", RepetitionTime=3500, EchoTime=100)
    with pytest.raises(InputError, match="--modality CT contradicts"):
        import_case(folder, out=tmp_path / "a", modality=Modality.CT)
    with pytest.raises(InputError, match="--sequence T1 contradicts"):
        import_case(folder, out=tmp_path / "b", sequence=MrSequence.T1)
    unclear = mr_series(tmp_path / "unclear")
    case = import_case(unclear, out=tmp_path / "c", sequence=MrSequence.T1)
    assert case.image.sequence is MrSequence.T1
    with pytest.raises(InputError, match="--sequence T2: the scan is a CT"):
        import_case(_ct(tmp_path), out=tmp_path / "d", sequence=MrSequence.T2)


def _ct(tmp_path: Path) -> Path:
    write_dicom(tmp_path / "ct")
    return tmp_path / "ct"


def test_series_of_several_echoes_are_refused(tmp_path: Path) -> None:
    folder = mr_series(tmp_path / "mr", RepetitionTime=3500, EchoTime=100)
    change_dicom(next(folder.iterdir()), EchoTime=20)
    with pytest.raises(ImageError, match="echo times"):
        read_dicom_series(folder)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (scan()[0], "below 0"),  # a CT
        (np.full(SHAPE, 7, np.int16), "all the same"),
        (scan()[1].astype(np.int16), "label map or a mask"),
    ],
)
def test_what_is_no_mr_is_refused(tmp_path: Path, values: np.ndarray, message: str) -> None:
    with pytest.raises(ImageError, match=message):
        read_image(write_nifti(tmp_path / "mr.nii.gz", values), modality=Modality.MR)


def test_a_ct_has_no_sequence() -> None:
    ct = body().image
    with pytest.raises(ImageError, match="no MR sequence"):
        Volume(geometry=ct.geometry, values=ct.values, modality=Modality.CT, sequence=MrSequence.T2)


@pytest.mark.parametrize("sequence", [MrSequence.T1, MrSequence.T2])
def test_the_canal_stands_out_on_the_right_sequence_only(sequence: MrSequence) -> None:
    found = contrast_of(body().labels.values, image(sequence))
    assert found is not None
    assert found > 1.5
    require_agreement(body().labels, image(sequence))
    other = MrSequence.T1 if sequence is MrSequence.T2 else MrSequence.T2
    told_wrongly = Volume(
        geometry=image(sequence).geometry, values=image(sequence).values, modality=Modality.MR, sequence=other
    )
    with pytest.raises(ImageError, match=r"the labelled canal is not|canal to bone contrast"):
        require_agreement(body().labels, told_wrongly)


def test_labels_shifted_against_the_mr_are_refused() -> None:
    shifted = LabelMap(geometry=body().labels.geometry, values=np.roll(body().labels.values, 14, axis=1))
    with pytest.raises(ImageError, match=r"does not fit this image|mirrored"):
        require_agreement(shifted, image())


def test_what_cannot_be_checked_is_said_and_kept(tmp_path: Path) -> None:
    """A map without a canal, or an unknown sequence, leaves every comparison with the image open."""
    bones = np.where(body().labels.values < 5000, body().labels.values, 0).astype(np.uint16)
    for values, picture in (
        (bones, image()),
        (
            body().labels.values,
            Volume(geometry=image().geometry, values=image().values, modality=Modality.MR),
        ),
    ):
        lines = mr_history(values, picture)
        assert all(line.startswith(NOT_CHECKED) for line in lines)
        assert any("shifted or of another scan" in line for line in lines)
    case = new_case(image(), spine_labels(), record=ClinicalRecord(patient_id=""), history=mr_history(bones, image()))
    save_case(case, tmp_path / "case")
    again = open_case(tmp_path / "case")
    assert again.not_checked == case.not_checked
    assert len(again.not_checked) == 2
    assert again.image.same_as(case.image)
    assert again.image.sequence is MrSequence.T2


def test_an_mr_of_the_door_keeps_what_was_not_checked(tmp_path: Path) -> None:
    affine = RAS_FROM_LPS @ body().labels.geometry.affine_mm
    scan_file = write_nifti(tmp_path / "t2.nii.gz", image().values, affine)
    label_file = write_nifti(tmp_path / "labels.nii.gz", spine_labels().values, affine)
    case = import_case(
        scan_file,
        out=tmp_path / "case",
        labels=[LabelSource(path=label_file, scheme="foramen")],
        sequence=MrSequence.T2,
    )
    assert case.image.modality is Modality.MR
    assert any("Hounsfield" in line for line in case.not_checked)
    assert "MR, sequence T2, as stated by the user" in case.history[0]


@pytest.mark.parametrize(
    "change", [{"modality": "CT", "sequence": "UNKNOWN"}, {"sequence": "T1"}, {"is_patient_specific": False}]
)
def test_what_a_case_says_of_its_image_cannot_be_changed_by_hand(tmp_path: Path, change: dict[str, object]) -> None:
    save_case(new_case(image(), spine_labels(), record=ClinicalRecord(patient_id="")), tmp_path / "case")
    file = tmp_path / "case" / "case.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    with pytest.raises(CaseError, match="changed after the import"):
        open_case(tmp_path / "case")


@pytest.mark.data
def test_a_real_mr_with_the_labels_of_a_spine_model(data_folder: Path, tmp_path: Path) -> None:
    """The canal of the sample is brighter than its bone; which vertebrae it shows nobody says (taken as L2 to L4)."""
    folder = data_folder / "mr_lumbar_segment"
    mapping = tmp_path / "instances.yaml"
    mapping.write_text(
        'scheme: instances\ntitle: "taken as L2 to L4"\nkind: structures\n'
        "values: {5: L2, 6: L3, 7: L4, 105: disc below L2, 106: disc below L3}\n"
        "ignore: {205: endplate, 206: endplate, 207: endplate}\n"
    )
    picture = read_image(folder / "sub-mri_label-6_T2w.nii.gz", modality=Modality.MR, sequence=MrSequence.T2)
    reading = read_labels(
        [
            LabelSource(path=folder / "sub-mri_seg-vert_label-6_msk.nii.gz", scheme=str(mapping)),
            LabelSource(path=folder / "sub-mri_seg-subreg_label-6_msk.nii.gz", scheme="tptbox_subregion"),
        ],
        picture,
    )
    found = contrast_of(reading.labels.values, picture)
    assert found is not None
    assert found > 2
