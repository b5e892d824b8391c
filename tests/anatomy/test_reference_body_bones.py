"""The reference bones against sourced dimensions and anatomical definitions."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import trimesh
from scipy.spatial import cKDTree

from foramen.anatomy.reference_body import reference_vertebra
from foramen.anatomy.reference_body.dimensions import dimensions, joint_space_mm, per_level
from foramen.anatomy.reference_body.field import FIELD_SPACING_MM, part_number
from foramen.anatomy.reference_body.posture import mean_frames
from foramen.anatomy.reference_body.regions import LEVELS, REGIONS
from foramen.anatomy.reference_body.vertebra import on_side
from foramen.errors import LevelError
from foramen.knowledge.facts import fact, number
from foramen.model.anatomy import LandmarkName, NerveKind
from foramen.model.levels import Root, Side, Vertebra

LOWER = REGIONS["lumbar"]
LUMBAR = ("L1", "L2", "L3", "L4", "L5")
GRID_MM = 0.5 * FIELD_SPACING_MM
"""Surfaces come from trilinear values on a grid: half a cell is the most that a size can be off."""


@pytest.mark.parametrize("name", LUMBAR)
def test_body_has_the_sizes_of_knowledge(name: str) -> None:
    own, reference = dimensions(Vertebra(name)), reference_vertebra(Vertebra(name))
    vertices = reference.surface.vertices_mm
    body = vertices[reference.part_of(vertices) == part_number("body")]
    assert np.ptp(body[:, 0]) == pytest.approx(own.body_width_mm, abs=2 * GRID_MM + 0.4)  # rims are rounded
    middle = body[np.abs(body[:, 0]) < 1.0]
    assert -middle[:, 1].min() == pytest.approx(0.5 * own.body_depth_mm, abs=GRID_MM + 0.4)
    assert middle[:, 2].max() == pytest.approx(0.5 * own.body_height_mm, abs=GRID_MM + 0.4)


@pytest.mark.parametrize(
    "quantity", ["body_width", "body_depth", "body_height", "canal_depth", "canal_width", "spinous_length"]
)
def test_mean_over_l2_to_l5_is_that_of_patients(quantity: str) -> None:
    mean = np.mean([getattr(dimensions(Vertebra(name)), f"{quantity}_mm") for name in LUMBAR[1:]])
    assert mean == pytest.approx(number(f"anatomy.clouthier_{quantity}_mm"), rel=0.05)  # their sd is about 7 %


def test_mean_facet_angle_and_disc_are_those_of_patients() -> None:
    upper = [dimensions(Vertebra(name)) for name in LUMBAR[1:4]]
    angle = np.mean([dimensions(Vertebra(name)).facet_angle_deg for name in LUMBAR[1:]])
    assert angle == pytest.approx(number("anatomy.clouthier_facet_angle_deg"), abs=2.0)
    disc = np.mean([v.disc_height_mm for v in upper])
    assert disc == pytest.approx(number("anatomy.clouthier_disc_height_mm"), abs=0.2)
    wedge = np.mean([v.disc_wedge_deg for v in upper])
    assert wedge == pytest.approx(number("anatomy.clouthier_disc_wedge_deg"), abs=0.5)


@pytest.mark.parametrize("name", LEVELS)
def test_bones_are_the_same_on_both_sides(name: str) -> None:
    bone = reference_vertebra(Vertebra(name)).bone
    np.testing.assert_allclose(bone.distance_mm, bone.distance_mm[::-1], atol=1e-3)  # float32 coordinates


@pytest.mark.parametrize("name", LEVELS)
def test_surface_is_one_closed_bone_with_normals_outwards(name: str) -> None:
    surface = reference_vertebra(Vertebra(name)).surface
    mesh = trimesh.Trimesh(surface.vertices_mm, surface.faces, process=False)
    assert mesh.is_watertight
    assert 8e3 < mesh.volume < 260e3
    parts = trimesh.graph.connected_components(mesh.edges_unique)
    assert max(len(p) for p in parts) > 0.98 * len(surface.vertices_mm)


@pytest.mark.parametrize(("upper", "lower"), list(itertools.pairwise(LEVELS)))
def test_facet_joint_is_open_and_narrow(upper: str, lower: str) -> None:
    above, below = reference_vertebra(Vertebra(upper)), reference_vertebra(Vertebra(lower))
    frames = mean_frames()
    lps = frames[Vertebra(upper)].to_lps(above.surface.vertices_mm)
    gap = below.bone.at(frames[Vertebra(lower)].to_vertebra(lps))
    space_mm = joint_space_mm(Vertebra(upper))
    assert gap.min() > space_mm - 0.5  # smooth carving and grid
    facing = [above.part_of(above.surface.vertices_mm) == part_number(f"inferior_articular_{s.value}") for s in Side]
    for side in facing:
        near = (gap < space_mm + 0.6) & side
        assert near.sum() * FIELD_SPACING_MM**2 > 40.0  # mm2 of congruent facet; anatomical facets have 130 to 160
    assert fact("anatomy.facet_joint_space_mm").low <= joint_space_mm() <= fact("anatomy.facet_joint_space_mm").high


@pytest.mark.parametrize("name", LOWER)
def test_landmarks_lie_on_the_bone_in_anatomical_order(name: str) -> None:
    reference = reference_vertebra(Vertebra(name))
    points = np.array(list(reference.landmarks.values()))
    assert np.abs(reference.bone.at(points)).max() < 0.25
    for (landmark, side), point in reference.landmarks.items():
        assert side.sign * point[0] > 0, landmark
    tip = reference.landmarks[LandmarkName.SAP_TIP, Side.LEFT]
    border = reference.landmarks[LandmarkName.FORAMEN_POSTERIOR_BORDER, Side.LEFT]
    neck = reference.landmarks[LandmarkName.SAP_LATERAL_NECK, Side.LEFT]
    assert tip[2] > border[2] > neck[2]
    assert border[1] < neck[1]  # the nerve's bed is behind the foramen
    assert border[0] < neck[0]
    groove = LandmarkName.SACRAL_ALA_NOTCH if name == "S1" else LandmarkName.SAP_TP_JUNCTION
    assert reference.landmarks[groove, Side.LEFT][1] < neck[1]


@pytest.mark.parametrize("name", LUMBAR)
def test_junction_agrees_with_its_definition_on_voxels(name: str) -> None:
    """Second method: SAP points within 1.5 mm of the TP, their centroid carried to the posterolateral surface."""
    reference = reference_vertebra(Vertebra(name))
    inside = np.argwhere(reference.bone.distance_mm < 0)
    points = inside * FIELD_SPACING_MM + np.array(reference.bone.low_mm)
    part = reference.part_of(points)
    articular = points[part == part_number("superior_articular_left")]
    transverse = cKDTree(points[part == part_number("transverse_left")])
    centroid = articular[transverse.query(articular)[0] < 1.5].mean(0)
    outwards = np.array([0.6, 0.5, 0.6]) / np.linalg.norm([0.6, 0.5, 0.6])
    ray = centroid + np.arange(0.0, 20.0, 0.1)[:, None] * outwards
    surface = ray[np.argmax(reference.bone.at(ray) > 0)]
    junction = reference.landmarks[LandmarkName.SAP_TP_JUNCTION, Side.LEFT]
    assert np.linalg.norm(surface - junction) < 2.5


@pytest.mark.parametrize("name", LOWER)
@pytest.mark.parametrize("side", list(Side))
def test_branch_lies_on_bone_and_runs_from_groove_to_notch(name: str, side: Side) -> None:
    reference = reference_vertebra(Vertebra(name))
    above = Root(LEVELS[LEVELS.index(name) - 1])
    kind = NerveKind.DORSAL_RAMUS if name == "S1" else NerveKind.MEDIAL_BRANCH
    line = on_side(reference.course(kind, above).points_mm, side)
    away = reference.bone.at(line)
    assert away.min() > 0.7  # the nerve, 0.5 mm in radius, never enters bone
    order = [LandmarkName.SACRAL_ALA_NOTCH, LandmarkName.SAP_LATERAL_NECK]
    if name != "S1":
        order = [LandmarkName.SAP_TP_JUNCTION, LandmarkName.SAP_LATERAL_NECK, LandmarkName.MAMILLO_ACCESSORY_NOTCH]
    nearest = []
    for landmark in order:
        distance = np.linalg.norm(line - reference.landmarks[landmark, side], axis=1)
        assert distance.min() < 2.0, landmark
        nearest.append(int(distance.argmin()))
    assert nearest == sorted(nearest)
    assert away[nearest[0] : nearest[-1] + 1].max() < 2.0
    assert line[-1, 2] < line[0, 2]  # it ends caudally,
    assert side.sign * line[-1, 0] < side.sign * line[nearest[0], 0]  # nearer to the midline
    assert np.linalg.norm(np.diff(line, axis=0), axis=1).max() < 1.6


@pytest.mark.parametrize("name", LEVELS[LEVELS.index("T2") :])
def test_spinal_nerve_passes_the_foramen_clear_of_bone(name: str) -> None:
    reference, frames = reference_vertebra(Vertebra(name)), mean_frames()
    above = LEVELS[LEVELS.index(name) - 1]
    line = reference.course(NerveKind.SPINAL_NERVE, Root(above)).points_mm
    upper = frames[Vertebra(above)].to_vertebra(frames[Vertebra(name)].to_lps(line))
    radius = 0.5 * per_level("spinal_nerve_diameter_mm", Vertebra(above))
    assert reference.bone.at(line).min() > radius
    assert reference_vertebra(Vertebra(above)).bone.at(upper).min() > 0.8 * radius  # the root is thinner in the recess
    border = reference.landmarks[LandmarkName.FORAMEN_POSTERIOR_BORDER, Side.LEFT]
    at_border = line[np.argmin(np.abs(line[:, 0] - border[0]))]
    assert at_border[1] < border[1]  # in front of the superior articular process


def test_unknown_level_is_refused() -> None:
    with pytest.raises(LevelError, match="has no L6"):
        reference_vertebra(Vertebra("L6"))
