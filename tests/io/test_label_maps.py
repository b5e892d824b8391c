"""Label maps: other programs' numbers are told by values and geometry; what does not fit the scan is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from foramen.errors import FrameError, ImageError, KnowledgeError, LevelError
from foramen.io.label_maps import LabelSource, parse_label_source, read_labels, vertebrae_found
from foramen.io.label_schemes import FORAMEN, label_number, read_scheme, shipped_schemes
from foramen.io.nifti import image_bytes, read_image
from foramen.knowledge.labels import disc_value, label, structure_value, vertebra_value
from foramen.model.levels import Vertebra
from foramen.model.space import Modality, Volume
from small_scan import KIDNEY_LEFT, KIDNEY_RIGHT, LEVELS, affine_ras, scan, write_nifti

VERSE = {"L3": 22, "L4": 23, "L5": 24, "S1": 26}


@pytest.fixture
def image(tmp_path: Path) -> Volume:
    return read_image(write_nifti(tmp_path / "ct.nii.gz", scan()[0]))


def source(path: Path, values: np.ndarray, scheme: str = "", affine: np.ndarray | None = None) -> LabelSource:
    return LabelSource(path=write_nifti(path, values, affine), scheme=scheme)


def renumbered(table: dict[str, int]) -> np.ndarray:
    """The vertebrae alone, in another numbering."""
    labels = scan()[1]
    values = np.zeros_like(labels)
    for name, number in LEVELS.items():
        values[labels == number] = table[name]
    return values


def test_shipped_schemes_are_whole() -> None:
    schemes = shipped_schemes()
    assert schemes["totalsegmentator_v2"].known == frozenset(range(1, 118))
    assert schemes["verse"].values[20] == vertebra_value(Vertebra("L1"))
    assert schemes["verse"].values[28] == vertebra_value(Vertebra("T13"))
    for scheme in schemes.values():
        assert all(label(value) is not None for value in scheme.values.values())


def test_numbers_of_the_mr_programs_are_those_of_their_sources() -> None:
    schemes = shipped_schemes()
    spine = schemes["totalspineseg"].values
    assert {spine[n] for n in (11, 17, 21, 32, 41, 45, 46, 50)} == {
        vertebra_value(Vertebra(name)) for name in ("C1", "C7", "T1", "T12", "L1", "L5", "L6", "S1")
    }
    assert [spine[n] for n in (63, 71, 82, 91, 95)] == [
        disc_value(Vertebra(name)) for name in ("C2", "C7", "T11", "T12", "L4")
    ]
    assert schemes["totalspineseg"].discs == {100}  # below L5, or below L6 where there is one
    by_name = schemes["totalsegmentator_vertebrae_mr"].values
    assert by_name[1] == vertebra_value(Vertebra("S1"))
    assert by_name[2] == vertebra_value(Vertebra("L5"))
    assert by_name[25] == vertebra_value(Vertebra("C1"))
    assert schemes["totalsegmentator_total_mr"].known == frozenset(range(1, 51))
    assert schemes["totalsegmentator_total_mr"].values[23] == structure_value("aorta")
    assert 19 in schemes["totalsegmentator_total_mr"].ignored
    instances = schemes["spineps_instances"]
    assert instances.vertebrae == frozenset(range(1, 26))
    assert instances.values == {26: vertebra_value(Vertebra("S1"))}
    assert {107, 126} <= instances.discs


def test_totalspineseg_is_told_and_its_lumbosacral_disc_named_by_place(tmp_path: Path, image: Volume) -> None:
    values = renumbered({"L3": 43, "L4": 44, "L5": 45, "S1": 50})
    values[26:34, 16:22, 18:20] = 100  # between L5 (20 to 30) and S1 (8 to 18)
    reading = read_labels([source(tmp_path / "t.nii.gz", values)], image)
    assert "totalspineseg" in reading.history[0]
    assert [v.name for v in vertebrae_found(reading.labels)] == ["L3", "L4", "L5", "S1"]
    np.testing.assert_array_equal(reading.labels.values == disc_value(Vertebra("L5")), values == 100)


def test_numbers_of_large_vertebrae_are_not_taken_for_a_neck(tmp_path: Path, image: Volume) -> None:
    values = renumbered({"L3": 2, "L4": 3, "L5": 4, "S1": 26})  # instances from above, or C2, C3, C4 and the sacrum
    values[20:24, 8:24, :] = np.where(values[24:28, 8:24, :] > 0, values[24:28, 8:24, :], 0)
    image.values[20:24, 8:24, :] = 350  # larger than any vertebra of a neck
    with pytest.raises(LevelError, match="nothing in view fixes the names of 2, 3, 4"):
        read_labels([source(tmp_path / "i.nii.gz", values)], image)


def test_numbers_of_small_vertebrae_are_asked_for(tmp_path: Path, image: Volume) -> None:
    values = np.zeros_like(scan()[1])
    for place in range(4):
        values[26:34, 10:20, 50 - 7 * place : 56 - 7 * place] = 2 + place  # 17.5 mm apart: C2 to C5, or any four
    image.values[...] = np.where(values > 0, 350, 45)
    with pytest.raises(ImageError, match=r"several ways.*spineps_instances.*: fits.*tptbox_vertebra.*: fits"):
        read_labels([source(tmp_path / "i.nii.gz", values)], image)
    stated = read_labels([source(tmp_path / "i.nii.gz", values, "tptbox_vertebra")], image)
    assert [v.name for v in vertebrae_found(stated.labels)] == ["C2", "C3", "C4", "C5"]


@pytest.mark.data
def test_a_real_instance_map_of_a_loin_is_not_read_as_a_neck(data_folder: Path) -> None:
    folder = data_folder / "mr_lumbar_segment"
    image = read_image(folder / "sub-mri_label-6_T2w.nii.gz", modality=Modality.MR)
    vertebrae = folder / "sub-mri_seg-vert_label-6_msk.nii.gz"  # a crop: 5, 6, 7 of a loin with discs and endplates
    with pytest.raises(ImageError, match=r"C6 would be 53 mL large"):
        read_labels([LabelSource(path=vertebrae)], image)
    stated = [LabelSource(path=vertebrae, scheme="spineps_instances")]
    with pytest.raises(LevelError, match="ambiguous"):
        read_labels(stated, image)
    labels = read_labels(stated, image, levels_of={5: "L2", 6: "L3", 7: "L4"}).labels
    assert [v.name for v in vertebrae_found(labels)] == ["L2", "L3", "L4"]
    assert (labels.values == disc_value(Vertebra("L3"))).any()


def test_totalsegmentator_is_told_and_converted(tmp_path: Path, image: Volume) -> None:
    labels = scan()[1]
    reading = read_labels([source(tmp_path / "l.nii.gz", labels)], image)
    for name, number in LEVELS.items():
        np.testing.assert_array_equal(reading.labels.values == vertebra_value(Vertebra(name)), labels == number)
    np.testing.assert_array_equal(reading.labels.values == structure_value("kidney_left"), labels == KIDNEY_LEFT)
    assert [v.name for v in vertebrae_found(reading.labels)] == ["L3", "L4", "L5", "S1"]
    assert "totalsegmentator_v2" in reading.history[0]
    assert reading.labels.geometry.same_as(image.geometry)


def test_verse_and_foramen_numbers_are_told(tmp_path: Path, image: Volume) -> None:
    wanted = read_labels([source(tmp_path / "t.nii.gz", scan()[1] * (scan()[1] > 3))], image).labels
    verse = read_labels([source(tmp_path / "v.nii.gz", renumbered(VERSE))], image).labels
    assert verse.same_as(wanted)
    (tmp_path / "own.nii.gz").write_bytes(image_bytes(wanted))
    own = read_labels([LabelSource(path=tmp_path / "own.nii.gz")], image)
    assert own.labels.same_as(wanted)
    assert f"read as {FORAMEN}" in own.history[0]


def test_the_first_map_wins_and_others_fill_in(tmp_path: Path, image: Volume) -> None:
    labels = scan()[1]
    grown = labels.copy()
    grown[36, 8:24, 44:54] = LEVELS["L3"]  # a second program draws L3 wider
    first = source(tmp_path / "a.nii.gz", labels)
    second = source(tmp_path / "b.nii.gz", np.where(grown == LEVELS["L4"], LEVELS["L4"], grown))
    values = read_labels([first, second], image).labels.values
    np.testing.assert_array_equal(values == vertebra_value(Vertebra("L3")), grown == LEVELS["L3"])
    spine_only = source(tmp_path / "c.nii.gz", labels * (labels > 3))
    other_kidney = np.where(labels <= 3, labels, 0).astype(np.uint8)
    other_kidney[labels == LEVELS["L4"]] = 1  # claims L4 as spleen: must lose against the spine map
    values = read_labels(
        [spine_only, source(tmp_path / "d.nii.gz", other_kidney, "totalsegmentator_v2")], image
    ).labels.values
    assert (values == vertebra_value(Vertebra("L4"))).sum() == (labels == LEVELS["L4"]).sum()
    assert (values == structure_value("kidney_right")).sum() == (labels == KIDNEY_RIGHT).sum()


def test_bodies_and_discs_take_the_vertebras_name_in_any_order(tmp_path: Path, image: Volume) -> None:
    labels = scan()[1]
    is_bone = np.isin(labels, list(LEVELS.values()))
    body = is_bone & (np.arange(labels.shape[1])[None, :, None] >= 16)  # front half: RAS
    parts = body.astype(np.uint8)
    gap = np.zeros_like(is_bone)
    gap[24:36, 16:24, 42:44] = True  # between L3 (44 to 54) and L4 (32 to 42)
    parts[gap] = 2
    spine = source(tmp_path / "s.nii.gz", labels)
    refinement = source(tmp_path / "r.nii.gz", parts)
    values = read_labels([refinement, spine], image).labels.values
    again = read_labels([spine, refinement], image).labels.values
    np.testing.assert_array_equal(values, again)
    np.testing.assert_array_equal(values == vertebra_value(Vertebra("L4"), "body"), body & (labels == LEVELS["L4"]))
    np.testing.assert_array_equal(values == vertebra_value(Vertebra("L4")), ~body & (labels == LEVELS["L4"]))
    np.testing.assert_array_equal(values == disc_value(Vertebra("L3")), gap)
    with pytest.raises(ImageError, match="give that map too"):
        read_labels([refinement], image)


def test_a_mapping_file_of_ones_own(tmp_path: Path, image: Volume) -> None:
    table = {"L3": 7, "L4": 8, "L5": 9, "S1": 10}
    values = renumbered(table)
    values[6:8, 6:8, 0:2] = 99
    (tmp_path / "mine.yaml").write_text(
        "scheme: mine\ntitle: my numbers\nkind: structures\n"
        "values: {7: L3, 8: L4 body, 9: L5, 10: S1}\nignore: {99: marker}\n"
    )
    reading = read_labels([source(tmp_path / "m.nii.gz", values, str(tmp_path / "mine.yaml"))], image)
    assert (reading.labels.values == vertebra_value(Vertebra("L4"), "body")).sum() == (values == 8).sum()
    assert reading.labels.values[6, 6, 0] == 0
    (tmp_path / "bad.yaml").write_text(
        "scheme: bad\ntitle: t\nkind: structures\nvalues:\n  7: L3\n  8: fourth lumbar\n"
    )
    with pytest.raises(KnowledgeError, match=r"bad\.yaml, line 6.*is no label"):
        read_labels([source(tmp_path / "m.nii.gz", values, str(tmp_path / "bad.yaml"))], image)


def test_unknown_values_are_listed(tmp_path: Path, image: Volume) -> None:
    values = scan()[1].astype(np.int16)
    values[0:2, 0, 0] = (731, 994)
    with pytest.raises(ImageError, match="731, 994"):
        read_labels([source(tmp_path / "u.nii.gz", values)], image)
    with pytest.raises(ImageError, match="does not know: 731, 994"):
        read_labels([source(tmp_path / "u.nii.gz", values, "totalsegmentator_v2")], image)
    with pytest.raises(ImageError, match="neither a label scheme"):
        read_labels([source(tmp_path / "u.nii.gz", values, "totalsegmentor")], image)


def test_a_map_that_fits_several_schemes_must_be_stated(tmp_path: Path, image: Volume) -> None:
    values = np.zeros_like(scan()[1])
    values[24:36, 8:24, 44:54] = 20  # one vertebra alone: L1 (VerSe); as a colon it would not be so dense
    assert "verse" in read_labels([source(tmp_path / "one.nii.gz", values)], image).history[0].replace(
        "tptbox_vertebra", "verse"
    )
    values[values > 0] = 27  # L5 (TotalSegmentator) or T7 (TotalSpineSeg), and in VerSe the coccyx, which it leaves out
    with pytest.raises(ImageError, match=r"several ways.*totalsegmentator_v2.*: fits.*totalspineseg.*: fits"):
        read_labels([source(tmp_path / "two.nii.gz", values)], image)
    values[values > 0] = 28  # L4 (TotalSegmentator) or T13 (VerSe): geometry cannot tell
    with pytest.raises(ImageError, match=r"several ways.*totalsegmentator_v2.*verse"):
        read_labels([source(tmp_path / "three.nii.gz", values)], image)
    stated = read_labels([source(tmp_path / "three.nii.gz", values, "verse")], image)
    assert [v.name for v in vertebrae_found(stated.labels)] == ["T13"]


@pytest.mark.parametrize("stated", ["", "totalsegmentator_v2"])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_mirrored_labels_are_refused(tmp_path: Path, image: Volume, stated: str, axis: int) -> None:
    mirrored = np.ascontiguousarray(np.flip(scan()[1], axis))
    with pytest.raises(ImageError, match=r"mirrored|order"):
        read_labels([source(tmp_path / "m.nii.gz", mirrored, stated)], image)


def test_a_mirrored_spine_without_sided_organs_is_refused(tmp_path: Path, image: Volume) -> None:
    mirrored = np.ascontiguousarray(np.flip(renumbered(VERSE), 0))
    with pytest.raises(ImageError, match="mirrored left-right"):
        read_labels([source(tmp_path / "m.nii.gz", mirrored, "verse")], image)


def test_swapped_kidneys_are_refused(tmp_path: Path, image: Volume) -> None:
    labels = scan()[1]
    swapped = np.select(
        [labels == KIDNEY_LEFT, labels == KIDNEY_RIGHT], [np.uint8(KIDNEY_RIGHT), np.uint8(KIDNEY_LEFT)], labels
    )
    with pytest.raises(ImageError, match="kidney: the left one lies"):
        read_labels([source(tmp_path / "s.nii.gz", swapped.astype(np.uint8), "totalsegmentator_v2")], image)


def test_labels_of_another_scan_are_refused(tmp_path: Path, image: Volume) -> None:
    moved = np.roll(renumbered(VERSE), 14, axis=1)  # the vertebrae now lie in muscle in front of the spine
    with pytest.raises(ImageError, match=r"exceed 100 HU|mirrored"):
        read_labels([source(tmp_path / "m.nii.gz", moved, "verse")], image)


@pytest.mark.parametrize("change", ["shift", "spacing", "crop", "turn"])
def test_labels_on_another_grid_are_refused(tmp_path: Path, image: Volume, change: str) -> None:
    labels, affine = scan()[1], affine_ras()
    if change == "shift":
        affine[0, 3] += 1.0
    elif change == "spacing":
        affine[2, 2] *= 1.01
    elif change == "crop":
        labels = labels[:, :, :-1]
    else:
        affine[:3, :3] = affine[:3, :3] @ np.array([[0.9998, -0.02, 0], [0.02, 0.9998, 0], [0, 0, 1]])
    with pytest.raises(FrameError, match="another grid"):
        read_labels([source(tmp_path / "g.nii.gz", labels, affine=affine)], image)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda v: v * 0, "labels nothing"),
        (lambda v: v + 0.5, "whole numbers"),
        (lambda v: v.astype(np.int16) - 1, "negative"),
    ],
)
def test_files_that_are_no_label_maps(tmp_path: Path, image: Volume, change: object, message: str) -> None:
    with pytest.raises(ImageError, match=message):
        read_labels([source(tmp_path / "n.nii.gz", change(scan()[1]))], image)  # type: ignore[operator]


def test_argument_spelling(tmp_path: Path) -> None:
    assert parse_label_source("a/b.nii.gz:verse") == LabelSource(path=Path("a/b.nii.gz"), scheme="verse")
    assert parse_label_source("b.nii.gz") == LabelSource(path=Path("b.nii.gz"))
    odd = tmp_path / "x:y.nii.gz"
    odd.touch()
    assert parse_label_source(str(odd)) == LabelSource(path=odd)


def test_labels_in_words() -> None:
    assert label_number("disc below L4") == disc_value(Vertebra("L4"))
    assert label_number("L4 pedicle_left") == vertebra_value(Vertebra("L4"), "pedicle_left")
    with pytest.raises(KnowledgeError, match="is no label"):
        label_number("L4 wing tip")


@pytest.mark.data
@pytest.mark.parametrize("name", ["totalseg", "organs"])
def test_real_totalsegmentator_maps(data_folder: Path, name: str) -> None:
    folder = data_folder / "ct_lumbar_3mm"
    image = read_image(folder / "ct.nii.gz")
    reading = read_labels([LabelSource(path=folder / f"{name}.nii.gz")], image)
    assert [v.name for v in vertebrae_found(reading.labels)] == ["T11", "T12", "L1", "L2", "L3", "L4", "L5", "S1"]
    if name == "organs":
        left = image.geometry.lps_mm(np.argwhere(reading.labels.values == structure_value("hip_left")).mean(axis=0))
        right = image.geometry.lps_mm(np.argwhere(reading.labels.values == structure_value("hip_right")).mean(axis=0))
        assert left[0] > right[0] + 100  # hip bones lie more than 10 cm apart; LPS x grows to the left


@pytest.mark.data
def test_real_subregions_become_parts(data_folder: Path) -> None:
    folder = data_folder / "ct_lumbar_segment"
    image = read_image(folder / "sub-ct_label-22_ct.nii.gz")
    sources = [LabelSource(path=folder / f"sub-ct_seg-{name}_label-22_msk.nii.gz") for name in ("subreg", "vert")]
    values = read_labels(sources, image).labels.values
    l3 = Vertebra("L3")
    left, right = (
        image.geometry.lps_mm(np.argwhere(values == vertebra_value(l3, f"superior_articular_{side}")).mean(axis=0))
        for side in ("left", "right")
    )
    assert 20 < left[0] - right[0] < 60  # superior articular processes of one lumbar vertebra
    spine = image.geometry.lps_mm(np.argwhere(values == vertebra_value(l3, "spinous")).mean(axis=0))
    body = image.geometry.lps_mm(np.argwhere(values == vertebra_value(l3, "body")).mean(axis=0))
    assert spine[1] > body[1] + 30  # the spinous process lies behind the body


@pytest.mark.data
def test_real_maps_mirrored_on_each_axis_are_refused(data_folder: Path, tmp_path: Path) -> None:
    import nibabel as nib

    folder = data_folder / "ct_lumbar_3mm"
    image = read_image(folder / "ct.nii.gz")
    given = nib.load(folder / "totalseg.nii.gz")
    for axis in range(3):
        mirrored = np.ascontiguousarray(np.flip(np.asarray(given.dataobj), axis))
        with pytest.raises(ImageError, match=r"mirrored|order|exceed"):
            read_labels([source(tmp_path / f"{axis}.nii.gz", mirrored, "totalsegmentator_v2", given.affine)], image)


def test_the_mapping_file_of_the_documentation_is_valid(tmp_path: Path) -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "labels.md").read_text(encoding="utf-8")
    (tmp_path / "doc.yaml").write_text(text.partition("```yaml\n")[2].partition("```")[0])
    scheme = read_scheme(tmp_path / "doc.yaml")
    assert scheme.values[2] == vertebra_value(Vertebra("L4"), "body")
    assert scheme.ignored == {9}
    for name in shipped_schemes():
        assert f"`{name}`" in text, f"docs/labels.md does not explain the scheme {name}"
