"""Vertebrae that a label file only numbers: named by counting or by a person, never wrongly; the import says which."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from foramen.anatomy.build import build_anatomy
from foramen.anatomy.levels import count_levels, labelled_levels
from foramen.anatomy.reference_body import make_reference_body
from foramen.errors import ImageError, LevelError
from foramen.io.case_folder import import_case
from foramen.io.label_maps import LabelSource, read_labels, vertebrae_found
from foramen.io.label_naming import parse_levels_of
from foramen.io.label_schemes import shipped_schemes
from foramen.io.nifti import image_bytes, read_image
from foramen.knowledge.labels import disc_value, structure_value, vertebra_value
from foramen.model.levels import Vertebra
from foramen.model.space import LabelMap, Volume, VolumeGeometry

LEVELS = ("T12", "L1", "L2", "L3", "L4", "L5", "S1")
SPINEPS = dict(zip(LEVELS, (2, 3, 4, 5, 6, 7, 26), strict=True))
"""As SPINEPS numbers a loin by itself: from above, beginning at 2, the sacrum 26."""

RIBS = ("ribs_left", "ribs_right")


@cache
def _body() -> tuple[Volume, LabelMap]:
    body = make_reference_body(spacing_mm=2.5)
    values = body.labels.values.copy()
    values[values < 5000] = values[values < 5000] // 100 * 100  # whole vertebrae
    return body.image, LabelMap(geometry=body.labels.geometry, values=values)


class Files:
    """The body's image and label files in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.given, self.truth = _body()
        self.scan = folder / "ct.nii.gz"
        self.scan.write_bytes(image_bytes(self.given))
        self.image = read_image(self.scan)

    def write(self, name: str, values: np.ndarray, scheme: str = "") -> LabelSource:
        geometry = VolumeGeometry(
            shape=self.truth.geometry.shape, affine_mm=self.truth.geometry.affine_mm, frame_uid="1.2"
        )
        path = self.folder / f"{name}.nii.gz"
        path.write_bytes(image_bytes(LabelMap(geometry=geometry, values=values.astype(np.uint16))))
        return LabelSource(path=path, scheme=scheme)

    def numbered(self, table: dict[str, int], *, discs: int = 0) -> np.ndarray:
        values = np.zeros_like(self.truth.values)
        for name, number in table.items():
            values[self.at(name)] = number
            if discs and name != "S1":
                values[self.truth.values == disc_value(Vertebra(name))] = discs + number
        return values

    def at(self, name: str) -> np.ndarray:
        return self.truth.values == vertebra_value(Vertebra(name))

    def ribs(self) -> LabelSource:
        values = self.truth.values
        return self.write(
            "ribs", np.where(np.isin(values, [structure_value(side) for side in RIBS]), values, 0), "foramen"
        )


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def test_sacrum_and_ribs_name_the_lumbar_vertebrae_and_leave_the_thoracic_one(files: Files) -> None:
    source = files.write("spineps", files.numbered(SPINEPS, discs=100))
    reading = read_labels([source, files.ribs()], files.image)
    assert "read as spineps_instances" in reading.history[0]
    assert [v.name for v in vertebrae_found(reading.labels)] == ["L1", "L2", "L3", "L4", "L5", "S1"]
    for name in LEVELS[1:]:
        found = reading.labels.values == vertebra_value(Vertebra(name))
        np.testing.assert_array_equal(found, files.at(name))
    unnamed = reading.labels.values == structure_value("unnamed_vertebra")
    np.testing.assert_array_equal(unnamed, files.at("T12"))
    assert "2 (T10 to T13)" in reading.history[2] or "2 (T11 or T12 or T13)" in reading.history[2]
    for upper in ("L1", "L4", "L5"):  # discs take the name of the vertebra above once it has one
        wanted = files.truth.values == disc_value(Vertebra(upper))
        found = reading.labels.values == disc_value(Vertebra(upper))
        assert (found & wanted).sum() > 0.98 * wanted.sum()
        assert not (found & ~wanted).any()
    assert not (reading.labels.values == disc_value(Vertebra("T12"))).any()


def test_the_count_of_a_named_map_says_what_is_unnamed(files: Files) -> None:
    source = files.write("spineps", files.numbered(SPINEPS))
    labels = read_labels([source, files.ribs()], files.image).labels
    count = count_levels(labels, labelled_levels(labels))
    assert count.is_ambiguous
    assert "1 vertebra is labelled without a name" in count.reason


def test_a_sacrum_alone_is_refused_with_the_candidates_and_leaves_nothing(files: Files, tmp_path: Path) -> None:
    source = files.write("spineps", files.numbered(SPINEPS))
    with pytest.raises(LevelError, match=r"counting is ambiguous.*7 \(\d+ mL.*L4 or L5 or L6.*--level-of"):
        import_case(files.scan, labels=[source], out=tmp_path / "case")
    assert not (tmp_path / "case").exists()
    case = import_case(files.scan, labels=[source], levels_of={6: "L4"}, out=tmp_path / "case")
    assert [v.name for v in vertebrae_found(case.labels)] == ["L1", "L2", "L3", "L4", "L5", "S1"]
    assert any("a person named 6 = L4" in line for line in case.history)
    anatomy = build_anatomy(case.image, case.labels)
    assert anatomy.level_count.is_ambiguous


def test_a_person_cannot_name_what_is_not_there_or_contradict_the_sacrum(files: Files) -> None:
    source = files.write("spineps", files.numbered(SPINEPS))
    with pytest.raises(LevelError, match=r"names 9, which .* does not have. Its vertebrae are 2, 3, 4, 5, 6, 7"):
        read_labels([source], files.image, levels_of={9: "L4"})
    with pytest.raises(LevelError, match="3 as L4"):  # three vertebrae too high above the sacrum
        read_labels([source], files.image, levels_of={3: "L4"})
    named = files.write("named", np.where(files.truth.values < 5000, files.truth.values, 0), "foramen")
    with pytest.raises(LevelError, match="every vertebra of these label files has one"):
        read_labels([named], files.image, levels_of={24: "L5"})
    with pytest.raises(ImageError, match="Two label files number"):
        read_labels([source, files.write("again", files.numbered(SPINEPS))], files.image)


def test_own_instances_are_never_guessed_and_may_have_any_order(files: Files) -> None:
    table = dict(zip(LEVELS, (5, 3, 7, 1, 2, 6, 4), strict=True))  # in no order at all
    values = files.numbered(table)
    with pytest.raises(ImageError, match=r"fits no scheme.*instances"):
        read_labels([files.write("own", values)], files.image)
    labels = read_labels([files.write("own", values, "instances"), files.ribs()], files.image, levels_of={6: "L5"})
    assert [v.name for v in vertebrae_found(labels.labels)][:5] == ["L1", "L2", "L3", "L4", "L5"]


def test_another_maps_sacrum_anchors_the_count(files: Files) -> None:
    table = {name: number for name, number in SPINEPS.items() if name != "S1"}
    source = files.write("spineps", files.numbered(table), "spineps_instances")
    sacrum = files.write("mr", np.where(files.at("S1"), 18, 0), "totalsegmentator_total_mr")
    labels = read_labels([source, sacrum, files.ribs()], files.image).labels
    assert [v.name for v in vertebrae_found(labels)] == ["L1", "L2", "L3", "L4", "L5", "S1"]


def test_a_lost_vertebra_is_not_counted_across(files: Files) -> None:
    table = {name: number for name, number in SPINEPS.items() if name != "L5"}
    with pytest.raises(LevelError, match="between 6 and S1 seems not to be labelled"):
        read_labels([files.write("s", files.numbered(table), "spineps_instances"), files.ribs()], files.image)


def test_arguments_are_spelt_as_id_and_level() -> None:
    assert parse_levels_of(["3=L4", " 26 = S1 "]) == {3: "L4", 26: "S1"}
    for text in ("L4", "L4=3", "3=L7", "3"):
        with pytest.raises(LevelError, match="ID=LEVEL"):
            parse_levels_of([text])
    with pytest.raises(LevelError, match="two levels"):
        parse_levels_of(["3=L4", "3=L5"])


def test_a_neck_of_instances_is_asked_for_because_names_would_fit_too() -> None:
    scheme = shipped_schemes()["spineps_instances"]
    assert {2, 3, 4} <= scheme.vertebrae
    assert {2, 3, 4} <= set(shipped_schemes()["tptbox_vertebra"].values)
    assert not shipped_schemes()["instances"].is_detected
