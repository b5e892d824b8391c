"""A case folder is whole or absent, opens as it was saved, and has one writer."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from foramen.errors import CaseError, FrameError, ImageError, InputError, RecordError
from foramen.io import atomic_file, case_folder
from foramen.io.case_folder import case_lock, import_case, open_case, read_anatomy, save_case, write_anatomy
from foramen.io.label_maps import LabelSource
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
from foramen.model.case import Case
from foramen.model.levels import Root, Side, Vertebra
from foramen.model.record import ClinicalRecord
from foramen.model.space import PatientPosition
from small_scan import scan, write_dicom, write_nifti


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, list[LabelSource]]:
    values, labels = scan()
    image = write_nifti(tmp_path / "ct.nii.gz", values)
    return image, [LabelSource(path=write_nifti(tmp_path / "labels.nii.gz", labels))]


def same(first: Case, second: Case) -> bool:
    names = (
        "uid",
        "patient_id",
        "patient_position",
        "acquired_on",
        "series_uid",
        "image_sha256",
        "labels_sha256",
        "history",
    )
    return (
        first.image.same_as(second.image)
        and first.labels.same_as(second.labels)
        and first.record == second.record
        and all(getattr(first, name) == getattr(second, name) for name in names)
    )


def test_what_is_saved_is_opened_again(tmp_path: Path, files: tuple[Path, list[LabelSource]]) -> None:
    (tmp_path / "r.yaml").write_text("patient_id: A-1\nfacts: {age_years: 58}\n")
    case = import_case(
        files[0],
        labels=files[1],
        record=tmp_path / "r.yaml",
        out=tmp_path / "new" / "case",
        patient_position=PatientPosition.HFP,
    )
    again = open_case(tmp_path / "new" / "case")
    assert same(case, again)
    assert again.patient_id == "A-1"
    assert again.patient_position is PatientPosition.HFP
    assert again.acquired_on == ""  # NIfTI carries no date
    names = {path.name for path in (tmp_path / "new" / "case").iterdir()}
    assert names == {"case.json", "image.nii.gz", "labels.nii.gz", "record.json"}


def test_dicom_and_nifti_of_one_scan_give_one_label_map(tmp_path: Path, files: tuple[Path, list[LabelSource]]) -> None:
    write_dicom(tmp_path / "series")
    case = import_case(tmp_path / "series", labels=files[1], out=tmp_path / "case")
    other = import_case(files[0], labels=files[1], out=tmp_path / "other")
    np.testing.assert_array_equal(case.labels.values, np.flip(other.labels.values, (0, 1)))
    assert (case.acquired_on, case.patient_position, case.patient_id) == ("2026-03-10", PatientPosition.HFS, "P-17")
    assert case.image.geometry.frame_uid == case.labels.geometry.frame_uid == "1.2.3.9"
    assert "P-17" not in " ".join(case.history)


def test_the_record_of_another_patient(tmp_path: Path) -> None:
    write_dicom(tmp_path / "series")
    (tmp_path / "r.yaml").write_text("patient_id: P-18\n")
    with pytest.raises(RecordError, match="different patients"):
        import_case(tmp_path / "series", record=tmp_path / "r.yaml", out=tmp_path / "case")
    assert not (tmp_path / "case").exists()


def test_a_stated_position_must_not_contradict_the_scan(tmp_path: Path) -> None:
    write_dicom(tmp_path / "series")
    with pytest.raises(InputError, match="contradicts the scan"):
        import_case(tmp_path / "series", out=tmp_path / "case", patient_position=PatientPosition.HFP)


def test_labels_are_optional_and_an_old_case_is_never_overwritten(
    tmp_path: Path, files: tuple[Path, list[LabelSource]]
) -> None:
    case = import_case(files[0], out=tmp_path / "case")
    assert not case.labels.values.any()
    with pytest.raises(CaseError, match="exists already"):
        import_case(files[0], out=tmp_path / "case")
    with pytest.raises(CaseError, match="exists already"):
        save_case(case, files[0])


def _leftovers(folder: Path) -> list[str]:
    return [str(path) for path in folder.rglob("*") if atomic_file.TEMPORARY_PREFIX in path.name]


@pytest.mark.parametrize("written", [0, 1, 3])
@pytest.mark.parametrize(
    ("failure", "raised", "message"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), CaseError, "disk is full"),
        (OSError(errno.EROFS, "Read-only file system"), CaseError, "read-only"),
        (KeyboardInterrupt(), KeyboardInterrupt, None),
    ],
)
def test_nothing_is_left_when_writing_fails(
    tmp_path: Path,
    files: tuple[Path, list[LabelSource]],
    monkeypatch: pytest.MonkeyPatch,
    written: int,
    failure: BaseException,
    raised: type[BaseException],
    message: str | None,
) -> None:
    flush, calls = os.fsync, []

    def failing(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) > 2 * written:  # each file flushes itself and its folder
            raise failure
        flush(descriptor)

    monkeypatch.setattr(atomic_file.os, "fsync", failing)
    with pytest.raises(raised, match=message):
        import_case(files[0], labels=files[1], out=tmp_path / "deep" / "case")
    assert calls
    assert not (tmp_path / "deep").exists(), "folders made on the way are removed too"
    assert _leftovers(tmp_path) == []


def test_a_read_only_folder(tmp_path: Path, files: tuple[Path, list[LabelSource]]) -> None:
    locked = tmp_path / "locked"
    locked.mkdir()
    locked.chmod(0o500)
    if os.access(locked, os.W_OK):
        pytest.skip("this user may write to read-only folders")
    with pytest.raises(CaseError, match="not permitted"):
        import_case(files[0], out=locked / "case")


def test_output_below_a_file(tmp_path: Path, files: tuple[Path, list[LabelSource]]) -> None:
    with pytest.raises(CaseError, match="is a file, not a folder"):
        import_case(files[0], out=files[0] / "case")


def test_bad_labels_leave_nothing(tmp_path: Path, files: tuple[Path, list[LabelSource]]) -> None:
    broken = LabelSource(path=write_nifti(tmp_path / "b.nii.gz", scan()[1][:, :, 1:]))
    with pytest.raises(FrameError, match="another grid"):
        import_case(files[0], labels=[broken], out=tmp_path / "case")
    assert not (tmp_path / "case").exists()
    with pytest.raises(ImageError, match="no file"):
        import_case(tmp_path / "absent.nii", out=tmp_path / "case")


@pytest.mark.parametrize("name", ["image.nii.gz", "labels.nii.gz"])
def test_a_changed_image_is_noticed(tmp_path: Path, files: tuple[Path, list[LabelSource]], name: str) -> None:
    import_case(files[0], labels=files[1], out=tmp_path / "case")
    values, labels = scan()
    changed = values if name.startswith("image") else labels.astype(np.uint16)
    changed[0, 0, 0] = 5
    write_nifti(tmp_path / "case" / name, changed)
    with pytest.raises(CaseError, match="was changed after the import"):
        open_case(tmp_path / "case")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d["schema"].update(version="2.0"), "foramen-case 2.0, this Foramen reads"),
        (lambda d: d.update(patient_position="UPSIDE"), "patient_position"),
        (lambda d: d.update(extra=1), "extra"),
        (lambda d: d.pop("uid"), "uid"),
        (lambda d: d.pop("schema"), "damaged"),
        (lambda d: d["grid"].update(shape=[1, 2, 3]), "another grid"),
    ],
)
def test_a_damaged_description_is_refused(
    tmp_path: Path, files: tuple[Path, list[LabelSource]], change: object, message: str
) -> None:
    import_case(files[0], out=tmp_path / "case")
    file = tmp_path / "case" / "case.json"
    data = json.loads(file.read_text())
    change(data)  # type: ignore[operator]
    file.write_text(json.dumps(data))
    with pytest.raises(CaseError, match=message):
        open_case(tmp_path / "case")


def test_what_is_no_case(tmp_path: Path, files: tuple[Path, list[LabelSource]]) -> None:
    with pytest.raises(CaseError, match="not a case folder"):
        open_case(tmp_path)
    import_case(files[0], out=tmp_path / "case")
    (tmp_path / "case" / "record.json").unlink()
    with pytest.raises(CaseError, match="is damaged"):
        open_case(tmp_path / "case")
    (tmp_path / "case" / "case.json").write_text("{")
    with pytest.raises(CaseError, match="is damaged"):
        open_case(tmp_path / "case")


def test_one_writer_at_a_time_and_a_dead_one_does_not_block(
    tmp_path: Path, files: tuple[Path, list[LabelSource]]
) -> None:
    import_case(files[0], out=tmp_path / "case")
    with (
        case_lock(tmp_path / "case"),
        pytest.raises(CaseError, match=f"process {os.getpid()}"),
        case_lock(tmp_path / "case"),
    ):
        pass
    script = (
        "import os, sys; from pathlib import Path; from foramen.io.case_folder import case_lock\n"
        "with case_lock(Path(sys.argv[1])): os._exit(9)"
    )
    died = subprocess.run([sys.executable, "-c", script, str(tmp_path / "case")], check=False)
    assert died.returncode == 9
    with case_lock(tmp_path / "case"):
        assert (tmp_path / "case" / ".lock").read_text() == f"{os.getpid()}\n"
    with pytest.raises(CaseError, match="not a case folder"), case_lock(tmp_path):
        pass


def test_anatomy_is_stored_with_its_frame(tmp_path: Path, files: tuple[Path, list[LabelSource]]) -> None:
    case = import_case(files[0], out=tmp_path / "case")
    uid = case.image.geometry.frame_uid
    assert read_anatomy(tmp_path / "case", frame_uid=uid) is None
    frame = VertebraFrame(
        origin_mm=np.array([0.1, 0.2, 1 / 3]),
        axes=np.eye(3),
        superior_endplate_mm=np.zeros(3),
        inferior_endplate_mm=np.ones(3),
    )
    mark = Landmark(
        name=LandmarkName.SAP_TP_JUNCTION,
        vertebra=Vertebra("L4"),
        side=Side.LEFT,
        position_mm=np.array([1.0, 2.0, 3.0]),
        sd_mm=1.5,
        confidence_fraction=0.9,
        origin=Origin.REGISTERED,
    )
    nerve = Nerve(
        name="L3 medial branch",
        kind=NerveKind.MEDIAL_BRANCH,
        root=Root("L3"),
        side=Side.LEFT,
        crosses=Vertebra("L4"),
        centreline_mm=np.random.default_rng(3).normal(size=(5, 3)),
        radius_mm=0.5,
        variation_sd_mm=1.0,
        origin=Origin.REGISTERED,
    )
    anatomy = Anatomy(
        frame_uid=uid,
        vertebrae=(VertebraAnatomy(level=Vertebra("L4"), frame=frame, landmarks=(mark,), is_complete=True),),
        nerves=(nerve,),
        keep_outs=(KeepOut(name="aorta", status=KeepOutStatus.UNKNOWN),),
        level_count=LevelCount(method="labels", is_ambiguous=False, reason=""),
    )
    write_anatomy(tmp_path / "case", anatomy)
    again = read_anatomy(tmp_path / "case", frame_uid=uid)
    assert again is not None
    np.testing.assert_array_equal(again.nerves[0].centreline_mm, nerve.centreline_mm)
    np.testing.assert_array_equal(again.vertebrae[0].frame.origin_mm, frame.origin_mm)
    assert again.nerves[0].root == Root("L3")
    assert again.keep_outs == anatomy.keep_outs
    with pytest.raises(FrameError, match="frames of reference differ"):
        read_anatomy(tmp_path / "case", frame_uid="2.25.99")
    (tmp_path / "case" / "anatomy.json").write_text("{}")
    with pytest.raises(CaseError, match="damaged"):
        read_anatomy(tmp_path / "case", frame_uid=uid)


def test_a_case_of_the_package_itself_can_be_saved(tmp_path: Path, files: tuple[Path, list[LabelSource]]) -> None:
    first = import_case(files[0], labels=files[1], out=tmp_path / "a")
    made = case_folder.new_case(
        first.image, first.labels, record=ClinicalRecord(patient_id=""), history=("made by code",)
    )
    save_case(made, tmp_path / "b")
    assert same(open_case(tmp_path / "b"), made)
    assert made.uid == first.uid, "the same content has the same UID"


@pytest.mark.data
def test_real_dicom_series_with_its_labels(data_folder: Path, tmp_path: Path) -> None:
    labels = [LabelSource(path=data_folder / "ct_dicom_labels.nii.gz")]
    case = import_case(data_folder / "ct_dicom_series", labels=labels, out=tmp_path / "case")
    assert same(open_case(tmp_path / "case"), case)
    liver = case.labels.values == 5506
    assert 30 < float(np.median(case.image.values[liver])) < 200  # liver with contrast, in HU


def test_minus_zero_in_an_image_is_zero(tmp_path: Path, files: tuple[Path, list[LabelSource]]) -> None:
    from dataclasses import replace

    from foramen.io.case_folder import new_case

    case = import_case(files[0], labels=files[1], out=tmp_path / "first", patient_position=PatientPosition.HFS)
    values = np.where(case.image.values == 0, np.float32(-0.0), case.image.values)
    values[0, 0, 0] = np.float32(-0.0)
    signed = new_case(replace(case.image, values=values), case.labels, record=case.record)
    save_case(signed, tmp_path / "second")
    assert open_case(tmp_path / "second").image_sha256 == signed.image_sha256


def test_the_day_of_a_nifti_scan_is_stated_and_checked(tmp_path: Path, files: tuple[Path, list[LabelSource]]) -> None:
    import_case(files[0], labels=files[1], out=tmp_path / "case", acquired_on="2026-03-10")
    assert open_case(tmp_path / "case").acquired_on == "2026-03-10"
    for number, text in enumerate(["10.3.2026", "2999-01-01"]):
        with pytest.raises(InputError, match="acquired-on"):
            import_case(files[0], labels=files[1], out=tmp_path / str(number), acquired_on=text)
    write_dicom(tmp_path / "series")
    with pytest.raises(InputError, match="the scan was acquired on 2026-03-10"):
        import_case(tmp_path / "series", out=tmp_path / "series-case", acquired_on="2026-03-11")
