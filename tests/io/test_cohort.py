"""A cohort on disk: whole folders, the same bytes again, records that import and fit the spine."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from fhir.resources.R4B.bundle import Bundle

import foramen.api as api
from foramen.anatomy.reference_body.virtual_person import cohort_member, virtual_people
from foramen.api.cohort import make_patient
from foramen.errors import CaseError, InputError
from foramen.io.cohort_folder import MANIFEST_FILE, PATIENT_FILES, TABLE_FILE, hashes_of
from foramen.io.fhir_bundle import bundle_of
from foramen.io.virtual_story import story_of
from foramen.model.levels import ROOTS, Segment, Side
from foramen.model.record import BlockKind

COARSE_MM = 3.0


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cohort")
    made = api.generate_cohort(1, seed=3, out=folder, spacing_mm=COARSE_MM, jobs=1)
    assert not made.failures
    return folder


def item(place: int, seed: int) -> dict[str, object]:
    return {"place": place, "seed": seed, "kinds": [], "spacing_mm": [COARSE_MM] * 3, "deformation": True}


def test_a_patient_is_whole_and_hashed(cohort: Path) -> None:
    folder = cohort / "VIRTUAL-0001"
    assert sorted(path.name for path in folder.iterdir()) == sorted(PATIENT_FILES)
    manifest = json.loads((cohort / MANIFEST_FILE).read_text())
    assert manifest["patients"]["VIRTUAL-0001"] == hashes_of(folder)
    assert (cohort / TABLE_FILE).read_text().startswith("patient,seed,")
    truth = json.loads((folder / "truth.json").read_text())
    assert truth["pathologies"]
    assert truth["degradation"]["severity"] == "mild"
    assert len(truth["anatomy"]["nerves"]) > 20


def test_the_same_seed_gives_the_same_bytes_and_a_later_run_goes_on(cohort: Path, tmp_path: Path) -> None:
    person = virtual_people(1, 3)[0]
    make_patient(item(1, person.seed), folder=str(tmp_path))  # without worker processes
    assert hashes_of(tmp_path / "VIRTUAL-0001") == hashes_of(cohort / "VIRTUAL-0001")
    before = hashes_of(cohort / "VIRTUAL-0001")
    counts: list[int] = []
    api.generate_cohort(
        1, seed=3, out=cohort, spacing_mm=COARSE_MM, jobs=1, progress=lambda done, _all, _left: counts.append(done)
    )
    assert counts == [1]  # nothing was made again
    assert hashes_of(cohort / "VIRTUAL-0001") == before
    with pytest.raises(CaseError, match="other work"):
        api.generate_cohort(1, seed=4, out=cohort, spacing_mm=COARSE_MM, jobs=1)


def test_a_missing_file_is_told(cohort: Path, tmp_path: Path) -> None:
    copied = tmp_path / "VIRTUAL-0001"
    shutil.copytree(cohort / "VIRTUAL-0001", copied)
    (copied / "labels.nii.gz").unlink()
    with pytest.raises(CaseError, match="no whole patient"):
        hashes_of(copied)
    with pytest.raises(InputError, match="region"):
        api.generate_cohort(1, seed=1, out=tmp_path / "new", region="knee")


@pytest.mark.parametrize(("labels", "record"), [("labels", "record.json"), ("labels_degraded", "record.yaml")])
def test_a_patient_imports_and_is_assessed(cohort: Path, tmp_path: Path, labels: str, record: str) -> None:
    folder = cohort / "VIRTUAL-0001"
    case = api.import_case(
        folder / "image.nii.gz",
        out=tmp_path / "case",
        labels=[str(folder / f"{labels}.nii.gz")],
        record=folder / record,
    )
    assert case.patient_id == "VIRTUAL-0001"
    verdict = api.assess(case, technique="lumbar_medial_branch_rf", level="L4-L5", side="left")
    assert verdict.criteria


@pytest.mark.parametrize("place", range(1, 25))
def test_stories_fit_the_spine_and_their_bundles_are_valid(place: int) -> None:
    person = cohort_member(place, 1000 + place)
    story = story_of(person, place)
    bundle = bundle_of(story, person)
    Bundle.model_validate(bundle)
    assert story == story_of(person, place)
    assert "Virtual" in story.name
    assert 0 <= story.nrs <= 10
    words = " ".join(condition.words for condition in story.conditions)
    assert ("osteoporosis" in words) == person.pathologies.has_osteoporosis
    patterns = [complaint.pattern for complaint in story.complaints]
    assert ("claudication" in patterns) == bool(person.pathologies.stenoses)
    if "facet" in patterns:
        assert any(joint.grade >= 2 for joint in person.pathologies.facets)
    for block in story.blocks:
        assert block.kind is BlockKind.MEDIAL_BRANCH
        assert any(joint.side.value == block.side for joint in person.pathologies.facets)
    procedures = [e["resource"] for e in bundle["entry"] if e["resource"]["resourceType"] == "Procedure"]
    assert len(procedures) == len(story.blocks)


def test_blocks_name_the_nerves_of_one_joint() -> None:
    found = 0
    for place in range(1, 60):
        for block in story_of(cohort_member(place, place), place).blocks:
            assert isinstance(block.nerves, frozenset)
            assert (
                Segment("-".join(sorted(block.nerves, key=ROOTS.index))) is not None
            )  # the joint's two branches are neighbours
            assert block.side in {side.value for side in Side}
            found += 1
    assert found > 10
