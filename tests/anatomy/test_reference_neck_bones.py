"""The reference bones C1 to C7 and the nerves that pass them, against dimensions, definitions and each other."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh

from foramen.anatomy.reference_body import reference_vertebra
from foramen.anatomy.reference_body.bone import bone_field
from foramen.anatomy.reference_body.cervical import canal_front_mm, facet, foramen_middle, lower_facet, pillar_middle
from foramen.anatomy.reference_body.dimensions import dimensions, joint_space_mm, per_level
from foramen.anatomy.reference_body.field import part_number
from foramen.anatomy.reference_body.neck import vertebral_artery
from foramen.anatomy.reference_body.posture import mean_frames
from foramen.anatomy.reference_body.vertebra import ReferenceVertebra
from foramen.knowledge.drawings import drawing
from foramen.model.anatomy import LandmarkName, NerveKind
from foramen.model.levels import Root, Side, Vertebra
from foramen.model.space import FloatArray

ALL = tuple(f"C{i}" for i in range(1, 8))
PILLARS = ALL[2:]
GRID_MM = 0.4
"""Half a cell of the distance fields: the most that a size read off them can be off."""


def bone_of(name: str) -> ReferenceVertebra:
    return reference_vertebra(Vertebra(name))


def landmark(name: str, which: LandmarkName) -> FloatArray:
    return bone_of(name).landmarks[which, Side.LEFT]


def lps_of(name: str, points_mm: FloatArray) -> FloatArray:
    return mean_frames()[Vertebra(name)].to_lps(points_mm)


def away_from(name: str, lps_mm: FloatArray) -> FloatArray:
    """Distance (n,) of LPS points (n, 3) to a bone of the mean body."""
    return bone_field(Vertebra(name)).at(mean_frames()[Vertebra(name)].to_vertebra(lps_mm))


def first_bone(name: str, start: tuple[float, float, float], direction: tuple[float, float, float]) -> float:
    """Length of a ray from outside the bone to its surface."""
    ray = np.array(start) + np.arange(0.0, 30.0, 0.05)[:, None] * np.array(direction)
    away = bone_of(name).bone.at(ray)
    assert away[0] > 0
    return 0.05 * float(np.argmax(away < 0))


@pytest.mark.parametrize("name", ALL)
def test_canal_is_open_and_as_wide_and_deep_as_knowledge_says(name: str) -> None:
    own = dimensions(Vertebra(name))
    front = canal_front_mm(own)
    middle = front + 0.34 * own.canal_depth_mm
    rise = {"C1": 0.0, "C2": -5.0}.get(
        name, drawing("reference_cervical.lamina").rows["middle_rise_mm"][int(name[1]) - 1]
    )
    backwards = first_bone(name, (0.0, middle, rise), (0.0, 1.0, 0.0))
    assert middle + backwards - front == pytest.approx(own.canal_depth_mm, abs=2 * GRID_MM + 0.4)
    sideways = first_bone(name, (0.0, middle, 0.0), (1.0, 0.0, 0.0))
    assert sideways >= 0.5 * own.canal_width_mm - 2 * GRID_MM
    assert sideways <= 0.5 * own.canal_width_mm + (1.2 if name in PILLARS else 6.0)  # C1, C2: no pedicle there
    axis = np.stack([np.zeros(61), np.full(61, middle + 1.0), np.linspace(-18, 12, 61)], axis=1)
    assert bone_of(name).bone.at(axis).min() > 3.0


@pytest.mark.parametrize("name", PILLARS)
def test_superior_facets_slope_as_knowledge_says(name: str) -> None:
    """Second method: the plane of least squares through the surface around the facet's centre."""
    vertices = bone_of(name).surface.vertices_mm
    centre = landmark(name, LandmarkName.SUPERIOR_FACET_CENTRE)
    near = vertices[np.linalg.norm(vertices - centre, axis=1) < 3.5]
    normal = np.linalg.svd(near - near.mean(axis=0))[2][2]
    slope_deg = np.degrees(np.arccos(abs(normal[2])))
    assert slope_deg == pytest.approx(per_level("facet_slope_deg", Vertebra(name)), abs=5.0)
    assert abs(normal[0]) < 0.25  # close to facing straight back and up


@pytest.mark.parametrize("name", PILLARS)
def test_waist_is_where_the_pillar_is_narrowest_from_in_front(name: str) -> None:
    """Second method: the outline of the pillar's posterior half on an anteroposterior view."""
    bone, middle = bone_of(name).bone, pillar_middle(Vertebra(name))
    heights = np.arange(middle[2] - 4.0, middle[2] + 4.0, 0.25)
    x = np.arange(middle[0], middle[0] + 14.0, 0.1)
    outline = []
    for z in heights:
        y = np.arange(middle[1], middle[1] + 3.0, 0.5)
        points = np.stack(np.meshgrid(x, y, [z], indexing="ij"), axis=-1).reshape(-1, 3)
        inside = (bone.at(points) < 0).reshape(len(x), len(y)).any(axis=1)
        outline.append(x[np.argmax(~inside)])
    waist = landmark(name, LandmarkName.PILLAR_WAIST)
    assert waist[0] < min(outline) + 0.7
    if name != "C7":  # the pillar of C7 grows narrower downwards
        assert abs(heights[int(np.argmin(outline))] - waist[2]) < 3.0
        upper = landmark(name, LandmarkName.JOINT_LATERAL_MIDPOINT)
        assert waist[0] < upper[0] - 0.8


@pytest.mark.parametrize("name", PILLARS)
def test_centroid_lies_in_the_middle_of_the_rhomboid(name: str) -> None:
    """Second method: the middle of the four corners that facets and walls form on a lateral view."""
    level = Vertebra(name)
    half = 0.5 * per_level("pillar_depth_mm", level)
    corners = []
    for centre, normal in (facet(level), lower_facet(level)):
        fall = normal[1] / normal[2]
        corners += [centre[1:] + sign * half * np.array([1.0, -fall]) for sign in (-1, 1)]
    found = landmark(name, LandmarkName.PILLAR_CENTROID)
    assert np.linalg.norm(found[1:] - np.mean(corners, axis=0)) < 1.5


@pytest.mark.parametrize("name", ALL)
def test_landmarks_lie_on_the_bone(name: str) -> None:
    reference = bone_of(name)
    for (which, side), point in reference.landmarks.items():
        if which is not LandmarkName.LATERAL_MASS_CENTRE:
            assert abs(reference.bone.at(point)[0]) < 0.25, which
        assert side.sign * point[0] > 0, which


@pytest.mark.parametrize("name", PILLARS)
def test_landmarks_are_in_anatomical_order(name: str) -> None:
    waist, border = landmark(name, LandmarkName.PILLAR_WAIST), landmark(name, LandmarkName.FORAMEN_POSTERIOR_BORDER)
    corner, tip = (
        landmark(name, which) for which in (LandmarkName.PILLAR_POSTERIOR_INFERIOR_EDGE, LandmarkName.SAP_TIP)
    )
    assert border[1] < waist[1] < corner[1]
    assert tip[2] > waist[2] > corner[2]
    front, back = landmark(name, LandmarkName.ANTERIOR_TUBERCLE), landmark(name, LandmarkName.POSTERIOR_TUBERCLE)
    middle = foramen_middle(Vertebra(name))
    assert front[1] < middle[1] < back[1]
    assert back[0] > middle[0]
    uncinate = landmark(name, LandmarkName.UNCINATE_TIP)
    assert 2.5 < uncinate[2] - 0.5 * dimensions(Vertebra(name)).body_height_mm < 6.0


def test_sixth_has_the_carotid_tubercle_and_seventh_the_long_spine() -> None:
    front = {
        n: landmark(n, LandmarkName.ANTERIOR_TUBERCLE)[1] + 0.5 * dimensions(Vertebra(n)).body_depth_mm for n in PILLARS
    }
    assert min(front, key=lambda n: front[n]) == "C6"
    back = {n: bone_of(n).surface.vertices_mm[:, 1].max() for n in ALL}
    assert max(back, key=lambda n: back[n]) == "C7"


@pytest.mark.parametrize("name", ALL[1:])
def test_spinous_processes_are_bifid_from_c2_to_c6(name: str) -> None:
    vertices = bone_of(name).surface.vertices_mm
    last = vertices[vertices[:, 1] > vertices[:, 1].max() - 1.5]
    assert (np.abs(last[:, 0]).min() > 1.0) == (name != "C7")


def test_dens_stands_behind_the_anterior_arch() -> None:
    axis, atlas = bone_of("C2"), bone_of("C1")
    dens = axis.surface.vertices_mm[
        axis.surface.vertices_mm[:, 2] > 0.5 * dimensions(Vertebra("C2")).body_height_mm + 2
    ]
    assert np.ptp(dens[:, 2]) > 10.0
    gap = away_from("C1", lps_of("C2", dens))
    assert 1.0 < gap.min() < 3.0  # cartilage included
    top = lps_of("C2", dens)[:, 2].max()
    arch = atlas.surface.vertices_mm[np.abs(atlas.surface.vertices_mm[:, 0]) < 3.0]
    assert top > lps_of("C1", arch[arch[:, 1] < 0])[:, 2].max() - 2.0


@pytest.mark.parametrize("name", ALL[1:6])
def test_uncovertebral_joints_have_a_gap(name: str) -> None:
    lower = f"C{int(name[1]) + 1}"
    upper = bone_of(name)
    vertices = upper.surface.vertices_mm
    body = vertices[upper.part_of(vertices) == part_number("body")]
    gap = away_from(lower, lps_of(name, body))
    beside = np.abs(body[:, 0]) > 5.0
    assert gap[beside].min() > joint_space_mm(Vertebra(name)) - 0.3
    assert gap[beside].min() < joint_space_mm(Vertebra(name)) + 0.5  # the uncinate process reaches the body above


@pytest.mark.parametrize("side", list(Side))
def test_vertebral_artery_passes_the_transverse_foramina(side: Side) -> None:
    line = vertebral_artery(mean_frames(), side, np.ones(3))
    radius = drawing("reference_neck.vertebral_artery").numbers["radius_mm"]
    for name in ALL:
        assert away_from(name, line).min() > radius - 0.05, name
    mirror = np.array([side.sign, 1.0, 1.0])
    for name in ALL[:6]:  # through a hole: bone before, behind, medial and lateral of it, the last a little lower
        own = mean_frames()[Vertebra(name)].to_vertebra(line)
        passing = own[np.argmin(np.linalg.norm(own - mirror * foramen_middle(Vertebra(name)), axis=1))]
        heights = passing + np.array([[0.0, 0.0, z] for z in (0.0, -2.0, -4.0)])
        for across in ([1.0, 0, 0], [-1.0, 0, 0], [0, 1.0, 0], [0, -1.0, 0]):
            if name == "C2" and across[0] * side.sign > 0:
                continue  # it leaves the axis laterally
            rays = heights[:, None] + np.arange(0.0, 12.0, 0.2)[None, :, None] * np.array(across)
            assert bone_of(name).bone.at(rays.reshape(-1, 3)).min() < 0, (name, across)


@pytest.mark.parametrize("root", [f"C{i}" for i in range(1, 9)])
def test_spinal_nerves_and_ganglia_are_clear_of_all_bones(root: str) -> None:
    owner = "C7" if root == "C8" else root
    course = bone_of(owner).course(NerveKind.SPINAL_NERVE, Root(root))
    line = lps_of(owner, course.points_mm)
    assert course.ganglion is not None
    ganglion = line[course.ganglion[0] : course.ganglion[1] + 1]
    for name in ALL:
        assert away_from(name, line).min() > course.radius_mm - 0.15, name
        assert away_from(name, ganglion).min() > course.ganglion_radius_mm - 0.35, name


@pytest.mark.parametrize("root", ["C3", "C4", "C5", "C6"])
def test_ganglion_lies_behind_the_vertebral_artery_against_it(root: str) -> None:
    course = bone_of(root).course(NerveKind.SPINAL_NERVE, Root(root))
    assert course.ganglion is not None
    ganglion = lps_of(root, course.points_mm[course.ganglion[0] : course.ganglion[1] + 1])
    artery = vertebral_artery(mean_frames(), Side.LEFT, np.ones(3))
    apart = np.linalg.norm(ganglion[:, None] - artery[None], axis=2)
    near = np.unravel_index(int(apart.argmin()), apart.shape)
    assert ganglion[near[0], 1] > artery[near[1], 1]
    gap = apart.min() - course.ganglion_radius_mm - drawing("reference_neck.vertebral_artery").numbers["radius_mm"]
    assert -0.5 < gap < 1.5  # 73 % of them touch it in Alleyne 1998


@pytest.mark.parametrize("name", PILLARS)
def test_nerve_leaves_between_body_and_pillar_obliquely_forwards(name: str) -> None:
    line = bone_of(name).course(NerveKind.SPINAL_NERVE, Root(name)).points_mm
    border = landmark(name, LandmarkName.FORAMEN_POSTERIOR_BORDER)
    within = line[np.abs(line[:, 0] - border[0]) < 3.0]
    assert within[:, 1].max() < border[1]
    step = within[-1] - within[0]
    assert 25.0 < np.degrees(np.arctan2(-step[1], step[0])) < 65.0  # foramina point about 45 deg forwards


@pytest.mark.parametrize("name", PILLARS)
def test_medial_branch_lies_on_its_own_pillar(name: str) -> None:
    reference = bone_of(name)
    line = reference.course(NerveKind.MEDIAL_BRANCH, Root(name)).points_mm
    away = reference.bone.at(line)
    assert away[1:].min() > 0.7
    middle, height = pillar_middle(Vertebra(name)), facet(Vertebra(name))[0][2] - lower_facet(Vertebra(name))[0][2]
    across = line[(line[:, 0] > middle[0] + 2) & (np.abs(line[:, 1] - middle[1]) < 2.0)]
    assert len(across) >= 4
    assert reference.bone.at(across).max() < 2.0
    share = (across[:, 2].mean() - middle[2]) / height
    if name != "C7":
        assert abs(share) < 0.125 + 0.03  # the middle quarter
        waist = landmark(name, LandmarkName.PILLAR_WAIST)
        assert np.linalg.norm(line - waist, axis=1).min() < 3.0
    else:
        junction, tip = landmark(name, LandmarkName.SAP_TP_JUNCTION), landmark(name, LandmarkName.SAP_TIP)
        assert junction[2] < across[:, 2].mean() < tip[2]
    assert line[-1, 0] < line[len(line) // 2, 0]  # it ends medially


def test_branches_lie_higher_the_further_they_are_from_c5() -> None:
    shares = {}
    for name in PILLARS:
        middle = pillar_middle(Vertebra(name))
        line = bone_of(name).course(NerveKind.MEDIAL_BRANCH, Root(name)).points_mm
        across = line[(line[:, 0] > middle[0] + 2) & (np.abs(line[:, 1] - middle[1]) < 2.0)]
        shares[name] = (across[:, 2].mean() - middle[2]) / (
            facet(Vertebra(name))[0][2] - lower_facet(Vertebra(name))[0][2]
        )
    assert abs(shares["C5"]) < 0.04
    assert shares["C3"] > shares["C4"] > shares["C5"] < shares["C6"] < shares["C7"]


def test_third_occipital_nerve_crosses_the_joint_of_c2_and_c3() -> None:
    course = bone_of("C3").course(NerveKind.THIRD_OCCIPITAL_NERVE, Root("C3"))
    line = lps_of("C3", course.points_mm)
    joint = lps_of("C3", landmark("C3", LandmarkName.JOINT_LATERAL_MIDPOINT))
    crossing = int(np.argmin(np.linalg.norm(line - joint, axis=1)))
    assert np.linalg.norm(line[crossing] - joint) < 2.5
    for name in ("C2", "C3"):
        assert 0.7 < away_from(name, line)[crossing - 3 : crossing + 4].min() < 2.5
        assert away_from(name, line)[1:].min() > course.radius_mm - 0.05


def test_each_bone_is_crossed_by_the_branch_of_its_own_number() -> None:
    """C4-C5 is served by C4 and C5, each at its own pillar."""
    for name in PILLARS:
        branches = [c.root.name for c in bone_of(name).courses if c.kind is NerveKind.MEDIAL_BRANCH]
        assert branches == [name]
    for name in ("C1", "C2"):
        assert not [c for c in bone_of(name).courses if c.kind is NerveKind.MEDIAL_BRANCH]


def test_stellate_ganglion_lies_before_the_seventh_transverse_process() -> None:
    ganglion = bone_of("C7").course(NerveKind.STELLATE_GANGLION, Root("C8")).points_mm
    assert ganglion[0, 1] < -0.5 * dimensions(Vertebra("C7")).body_depth_mm + 1.0
    artery = mean_frames()[Vertebra("C7")].to_vertebra(vertebral_artery(mean_frames(), Side.LEFT, np.ones(3)))
    low = artery[np.argmin(artery[:, 2])]
    assert ganglion[:, 0].max() < low[0]  # medial of the vertebral artery's beginning


@pytest.mark.parametrize("name", ALL)
def test_surface_is_one_piece(name: str) -> None:
    surface = bone_of(name).surface
    mesh = trimesh.Trimesh(surface.vertices_mm, surface.faces, process=False)
    assert len(trimesh.graph.connected_components(mesh.edges_unique)) == 1
