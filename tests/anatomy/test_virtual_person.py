"""Virtual persons: drawn alike from a seed, with the changes that were asked for, where they should be."""

from __future__ import annotations

import numpy as np
import pytest

from foramen.anatomy.reference_body import make_reference_body
from foramen.anatomy.reference_body.bending import bent_frames
from foramen.anatomy.reference_body.column import column_of
from foramen.anatomy.reference_body.fracture import before_fracture, wedge_deg
from foramen.anatomy.reference_body.hardware import screw
from foramen.anatomy.reference_body.pathology import (
    Fusion,
    Listhesis,
    Pathologies,
    PathologyKind,
    Scoliosis,
    Transitional,
    TransitionalKind,
    WedgeFracture,
)
from foramen.anatomy.reference_body.person import MEAN_PERSON, Person
from foramen.anatomy.reference_body.person_bones import bones_of
from foramen.anatomy.reference_body.placement import Placement
from foramen.anatomy.reference_body.posture import frames_of
from foramen.anatomy.reference_body.truth import true_anatomy
from foramen.anatomy.reference_body.virtual_person import virtual_people, virtual_person
from foramen.errors import InputError
from foramen.knowledge.labels import structure_value
from foramen.model.anatomy import Anatomy, LandmarkName, NerveKind
from foramen.model.levels import Root, Side, Vertebra

SLIPPED = Pathologies(listhesis=Listhesis(above=Vertebra("L4"), slip_mm=6.0))
LEANING = Pathologies(scoliosis=Scoliosis(cobb_deg=24.0, convex=Side.LEFT, rotation_deg=10.0))
BROKEN = Pathologies(fracture=WedgeFracture(level=Vertebra("L1"), loss_fraction=0.35))
SMALL = {"spacing_mm": 3.0, "field_of_view_mm": (120.0, 130.0)}


def truth(person: Person) -> tuple[dict[Vertebra, Placement], Anatomy]:
    placements = bones_of(person)
    return placements, true_anatomy(placements, "1.2.3", tuple(placements), person)


def test_the_same_seed_gives_the_same_person() -> None:
    assert virtual_person(7) == virtual_person(7)
    assert virtual_person(7) != virtual_person(8)
    with pytest.raises(InputError, match="negative"):
        virtual_person(-1)
    with pytest.raises(InputError, match="Known are"):
        virtual_person(1, pathologies=["gout"])


@pytest.mark.parametrize("kind", list(PathologyKind))
def test_a_person_has_the_change_that_was_asked_for(kind: PathologyKind) -> None:
    person = virtual_person(3, pathologies=[kind])
    assert kind in person.pathologies.kinds
    assert set(person.pathologies.kinds) - {kind} <= {PathologyKind.DISC_DEGENERATION}  # a sacralised L5 has a low disc
    assert virtual_person(3, pathologies=[]).pathologies == Pathologies()


def test_a_cohort_holds_every_change_and_grows_at_its_end() -> None:
    people = virtual_people(12, 1)
    assert {kind for person in people for kind in person.pathologies.kinds} == set(PathologyKind)
    assert virtual_people(3, 1) == people[:3]
    unusual = [p.pathologies.transitional for p in virtual_people(36, 1)[5::12]]
    assert [t.kind for t in unusual if t is not None] == list(TransitionalKind)
    ages = [person.age_years for person in virtual_people(200, 2)]
    assert (min(ages), max(ages)) >= (25.0, 60.0)
    old = [p for p in virtual_people(200, 2) if p.age_years > 70]
    young = [p for p in virtual_people(200, 2) if p.age_years < 40]
    arthrotic = [np.mean([bool(p.pathologies.facets) for p in group]) for group in (young, old)]
    assert arthrotic[1] > arthrotic[0] + 0.3


def test_a_person_without_changes_is_the_mean_body() -> None:
    mean, person = make_reference_body(**SMALL), make_reference_body(person=MEAN_PERSON, **SMALL)
    grid, shown = person.labels.geometry.shape, mean.labels.geometry.shape
    assert 0 <= grid[2] - shown[2] <= 4  # a person's image reaches up to the arch of a leaning vertebra
    assert np.array_equal(mean.labels.values[:, :, :-3], person.labels.values[:, :, : shown[2] - 3])
    assert all(
        np.array_equal(a.centreline_mm, b.centreline_mm)
        for a, b in zip(mean.anatomy.nerves, person.anatomy.nerves, strict=True)
    )
    with pytest.raises(InputError, match="not both"):
        make_reference_body(seed=1, person=MEAN_PERSON)


def test_a_slip_moves_the_upper_vertebra_forwards_on_the_lower() -> None:
    column = column_of()
    before, after = frames_of(), bent_frames(MEAN_PERSON.build, column, SLIPPED)
    lower = after[Vertebra("L5")]
    for level in ("L4", "L2"):
        was = before[Vertebra("L5")].to_vertebra(before[Vertebra(level)].origin_mm)
        now = lower.to_vertebra(after[Vertebra(level)].origin_mm)
        assert now - was == pytest.approx([0.0, -6.0, 0.0], abs=1e-9)


def test_the_cobb_angle_is_the_one_stated() -> None:
    frames = bent_frames(MEAN_PERSON.build, column_of(), LEANING)

    def tilt_deg(level: str) -> float:
        left = frames[Vertebra(level)].left
        return float(np.degrees(np.arctan2(left[2], left[0])))

    assert abs(tilt_deg("T12") - tilt_deg("L4")) == pytest.approx(24.0, abs=0.6)  # axial rotation tips it a little
    apex = 0.5 * (frames[Vertebra("L2")].origin_mm + frames[Vertebra("L3")].origin_mm)
    assert apex[0] > frames[Vertebra("S1")].origin_mm[0] + 4.0  # the convexity points to the left
    front = -frames[Vertebra("L3")].posterior
    assert front[0] > np.sin(np.radians(8.0))  # and so do the fronts of its bodies


def test_a_broken_body_loses_height_in_front_only() -> None:
    broken = Person(pathologies=BROKEN)
    placement, sound = bones_of(broken)[Vertebra("L1")], bones_of(MEAN_PERSON)[Vertebra("L1")]
    fracture = BROKEN.fracture
    assert fracture is not None

    def top_mm(bone: Placement, y: float) -> float:
        z = np.linspace(-20.0, 25.0, 451)
        own = np.stack([np.zeros_like(z), np.full_like(z, y), z], axis=1)
        inside = bone.at(bone.frame.to_lps(own)) < 0
        return float(z[inside].max())

    height_mm = 27.0
    assert top_mm(sound, -13.0) - top_mm(placement, -13.0) == pytest.approx(0.35 * height_mm * 29 / 32, abs=1.2)
    assert top_mm(sound, 9.0) - top_mm(placement, 9.0) == pytest.approx(0.35 * height_mm * 7 / 32, abs=1.5)
    arch = np.array([[36.0, 28.0, 3.0], [0.0, 60.0, -15.0], [12.0, 34.0, 12.0]])
    assert np.abs(placement.frame.to_vertebra(placement.to_lps(arch)) - arch).max() < 1e-3  # behind nothing moved
    points = np.random.default_rng(1).uniform(-15, 15, (200, 3))
    assert (before_fracture(points, fracture, broken.build)[:, 2] >= points[:, 2] - 1e-9).all()
    above = {name: bones_of(person)[Vertebra("T12")].frame for name, person in (("b", broken), ("s", MEAN_PERSON))}
    leaned = np.degrees(np.arccos(above["b"].superior @ above["s"].superior))
    assert leaned == pytest.approx(0.6 * wedge_deg(fracture, broken.build), abs=0.01)


def test_six_lumbar_vertebrae_are_named_and_their_roots_counted() -> None:
    person = Person(pathologies=Pathologies(transitional=Transitional(kind=TransitionalKind.L6)))
    placements, anatomy = truth(person)
    assert [level.name for level in placements] == ["T12", "L1", "L2", "L3", "L4", "L5", "L6", "S1"]
    heights = [placement.frame.origin_mm[2] for placement in placements.values()]
    assert heights == sorted(heights, reverse=True)
    assert anatomy.nerve(NerveKind.MEDIAL_BRANCH, Root("L5"), Side.LEFT).crosses == Vertebra("L6")
    assert anatomy.nerve(NerveKind.DORSAL_RAMUS, Root("S1"), Side.LEFT).crosses == Vertebra("S1")
    assert "six lumbar" in anatomy.level_count.reason
    body = make_reference_body(spacing_mm=4.0, person=person)
    assert 2501 in body.labels.values
    assert structure_value("hardware") not in body.labels.values


def test_thirteen_thoracic_vertebrae_have_ribs_on_the_last_two() -> None:
    person = Person(pathologies=Pathologies(transitional=Transitional(kind=TransitionalKind.T13)))
    placements, anatomy = truth(person)
    assert [level.name for level in placements][:3] == ["T12", "T13", "L1"]
    assert placements[Vertebra("T13")].drawn_as == Vertebra("T12")
    assert len({(n.name, n.side) for n in anatomy.nerves}) == len(anatomy.nerves)


@pytest.mark.parametrize("seed", [14, 21])
def test_nerves_of_a_diseased_body_keep_out_of_bone_and_landmarks_lie_on_it(seed: int) -> None:
    kinds = ["facet_arthrosis", "listhesis", "disc_degeneration", "scoliosis"]
    placements, anatomy = truth(virtual_person(seed, pathologies=kinds))
    for nerve in anatomy.nerves:
        if nerve.kind is NerveKind.BASIVERTEBRAL_NERVE:  # runs in the body
            continue
        free = [p for level, p in placements.items() if level.name != "S1"]  # S1's nerve runs within the sacrum
        assert min(float(p.at(nerve.centreline_mm).min()) for p in free) > -0.3, nerve.name
    for vertebra in anatomy.vertebrae:
        for landmark in vertebra.landmarks:
            if landmark.name is LandmarkName.BVN_TERMINUS:  # within the body, where disease has not moved it
                assert placements[vertebra.level].at(landmark.position_mm)[0] < -5.0
            elif "foramen_s" in landmark.name or "hiatus" in landmark.name:  # in the middle of a hole
                assert placements[vertebra.level].at(landmark.position_mm)[0] > -0.01  # or on its rim
            else:
                assert abs(placements[vertebra.level].at(landmark.position_mm)[0]) < 0.15, landmark.name


def test_screws_run_through_their_pedicles_into_the_body() -> None:
    person = virtual_person(2, pathologies=["fusion"])
    placements = bones_of(person)
    for level, placement in placements.items():
        for side in Side:
            tip, entry, _ = screw(placement, side)
            along = tip + np.linspace(0.0, 0.9, 60)[:, None] * (entry - tip)
            depth = placement.at(along)
            assert (depth < 0).all(), level  # the axis stays in bone until near the entry
            local = placement.frame.to_vertebra(tip)
            assert side.sign * local[0] > 2.0  # and does not cross the midline


def test_hardware_is_labelled_and_bright() -> None:
    fused = Person(pathologies=Pathologies(fusion=Fusion(upper=Vertebra("L4"), lower=Vertebra("L5"))))
    body = make_reference_body(person=fused, **SMALL, levels=("L4", "L5"))
    metal = body.labels.values == structure_value("hardware")
    assert 5.0 < metal.sum() * 27e-3 < 40.0  # cubic centimetres
    assert np.median(body.image.values[metal]) > 1500
