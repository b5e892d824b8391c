"""The thoracic bones, ribs and nerves against stated dimensions, definitions and second methods."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from foramen.anatomy.reference_body import reference_vertebra
from foramen.anatomy.reference_body.dimensions import dimensions, joint_space_mm, per_level
from foramen.anatomy.reference_body.field import FIELD_SPACING_MM, part_number
from foramen.anatomy.reference_body.lumbar import canal_front_mm
from foramen.anatomy.reference_body.posture import mean_frames
from foramen.anatomy.reference_body.regions import REGIONS
from foramen.anatomy.reference_body.rib_cage import CARRIERS, cage_at
from foramen.anatomy.reference_body.ribs import rib_distance, rib_line, rib_struts
from foramen.anatomy.reference_body.thoracic import has_costal_facet
from foramen.knowledge.facts import fact, numbers
from foramen.model.anatomy import LandmarkName, NerveKind
from foramen.model.evidence import Trace
from foramen.model.levels import Root, Side, Vertebra, neighbour_below
from foramen.model.space import FloatArray

THORACIC = tuple(map(Vertebra, REGIONS["thoracic"]))
HANGING = tuple(Vertebra(f"T{i}") for i in range(6, 10))
"""Bones above whose transverse process the branch (T5 to T8) hangs free."""


def part(level: Vertebra, name: str) -> FloatArray:
    """Surface vertices (n, 3) of a part of the left half of a bone."""
    reference = reference_vertebra(level)
    vertices = reference.surface.vertices_mm[reference.surface.vertices_mm[:, 0] > 0]
    return vertices[reference.part_of(vertices) == part_number(name)]


def spinous_tip(level: Vertebra) -> FloatArray:
    """Vertex (3,) of the spinous process furthest from the middle of the posterior wall."""
    spinous, wall = part(level, "spinous"), np.array([0.0, dimensions(level).posterior_wall_mm, 0.0])
    found: FloatArray = spinous[np.argmax(np.linalg.norm(spinous - wall, axis=1))]
    return found


def branch_root(level: Vertebra) -> Root:
    """The nerve whose medial branch crosses a bone."""
    return Root("C8") if level.name == "T1" else Root(f"T{int(level.name[1:]) - 1}")


@pytest.mark.parametrize("level", THORACIC, ids=str)
def test_sizes_are_those_of_knowledge(level: Vertebra) -> None:
    own, vertices = dimensions(level), reference_vertebra(level).surface.vertices_mm
    body = part(level, "body")
    body = body[body[:, 1] < -1.0]  # before the pedicles spring from it
    assert body[:, 0].max() == pytest.approx(0.5 * own.body_width_mm, abs=0.8)  # rims are rounded, grid of 0.8 mm
    assert -body[:, 1].min() == pytest.approx(0.5 * own.body_depth_mm, abs=0.8)
    assert vertices[:, 0].max() == pytest.approx(own.transverse_half_span_mm, abs=1.0)
    wall = np.array([0.0, own.posterior_wall_mm, 0.0])
    tip = spinous_tip(level)
    assert np.linalg.norm(tip - wall) == pytest.approx(own.spinous_length_mm, abs=3.0)  # the tip is a rounded club
    assert -tip[2] == pytest.approx(per_level("spinous_drop_mm", level), abs=3.0)


@pytest.mark.parametrize("level", THORACIC, ids=str)
def test_canal_is_open_round_and_as_wide_as_stated(level: Vertebra) -> None:
    """Free chords of the canal through its middle, off the distance field: between the pedicles, before the lamina."""
    own, bone = dimensions(level), reference_vertebra(level).bone
    between, lamina = 0.5 * (own.body_height_mm - own.pedicle_height_mm), -0.4 * own.body_height_mm
    steps = np.arange(-20.0, 20.0, 0.05)
    for axis, size, height in ((0, own.canal_width_mm, between), (1, own.canal_depth_mm, lamina)):
        middle = np.array([0.0, canal_front_mm(own) + 0.5 * own.canal_depth_mm, height])
        line = middle + steps[:, None] * np.eye(3)[axis]
        free = bone.at(line) > 0
        blocked = np.abs(steps[~free])
        across = steps[~free & (steps > 0)].min() - steps[~free & (steps < 0)].max()
        assert blocked.min() > 0.35 * size
        assert across == pytest.approx(size, abs=1.0)
    ratio = own.canal_width_mm / own.canal_depth_mm
    assert 1.0 < ratio < (1.5 if level.name in {"T1", "T2"} else 1.3)  # a lumbar canal is a triangle 1.5 times as wide


def test_pedicles_of_t1_t4_and_t11_are_those_measured() -> None:
    """Kaur 2016 (CT, mean and sd) and Christodoulou 2005 (cadavers, range) as read in their abstracts."""
    assert dimensions(Vertebra("T1")).pedicle_width_mm == pytest.approx(9.27, abs=1.01)
    assert dimensions(Vertebra("T4")).pedicle_width_mm == pytest.approx(4.5, abs=0.93)
    assert 7.18 < dimensions(Vertebra("T1")).pedicle_height_mm < 11.37
    assert 14.84 < dimensions(Vertebra("T11")).pedicle_height_mm < 19.57
    assert fact("thoracic.cord_width_mm").trace is Trace.SEEN


@pytest.mark.parametrize("level", THORACIC[:-1], ids=str)
def test_facets_are_coronal_and_slope_as_stated(level: Vertebra) -> None:
    """Second method: a plane fitted to the vertices of the superior facet's surface."""
    reference = reference_vertebra(level)
    centre = reference.landmarks[LandmarkName.SUPERIOR_FACET_CENTRE, Side.LEFT]
    surface = reference.surface.vertices_mm
    near = surface[np.linalg.norm(surface - centre, axis=1) < 3.0]
    near = near[reference.bone.normal(near)[:, 1] > 0.6]
    normal = np.linalg.svd(near - near.mean(0))[2][2]
    normal *= np.sign(normal[1])
    slope_deg = np.degrees(np.arccos(normal[2]))
    assert slope_deg == pytest.approx(per_level("facet_slope_deg", level), abs=8.0)
    assert np.degrees(np.arctan2(-normal[0], normal[1])) == pytest.approx(dimensions(level).facet_angle_deg, abs=10.0)
    assert normal[0] > 0 < normal[2]  # backwards, outwards and upwards


@pytest.mark.parametrize(("upper", "lower"), list(pairwise(THORACIC)), ids=str)
def test_laminae_overlap_like_tiles(upper: Vertebra, lower: Vertebra) -> None:
    frames = mean_frames()
    above, below = part(upper, "arch"), part(lower, "arch")
    lowest = frames[upper].to_lps(above)[:, 2].min()
    top = frames[lower].to_lps(below)[:, 2].max()
    assert lowest < top


def test_spinous_processes_are_steepest_in_mid_thorax() -> None:
    slopes = {}
    for level in THORACIC:
        tip = spinous_tip(level)
        slopes[level.name] = np.degrees(np.arctan2(-tip[2], tip[1] - dimensions(level).posterior_wall_mm))
    assert min(slopes[f"T{i}"] for i in range(5, 9)) > max(slopes[n] for n in ("T1", "T2", "T3", "T4", "T10", "T11"))
    assert 40.0 < slopes["T6"] < 60.0


@pytest.mark.parametrize("level", THORACIC, ids=str)
def test_landmarks_lie_where_their_definitions_say(level: Vertebra) -> None:
    reference, own = reference_vertebra(level), dimensions(level)
    place = {name: point for (name, side), point in reference.landmarks.items() if side is Side.LEFT}
    for name, point in place.items():
        assert abs(reference.bone.at(point)[0]) < 0.25, name
        np.testing.assert_allclose(reference.landmarks[name, Side.RIGHT], point * [-1, 1, 1])
    corner, tip = place[LandmarkName.TRANSVERSE_PROCESS_SUPEROLATERAL], place[LandmarkName.TRANSVERSE_PROCESS_TIP]
    process = part(level, "transverse_left")
    lateral = process[process[:, 0] > tip[0] - 6.0]
    assert corner[2] >= np.quantile(lateral[:, 2], 0.85)  # second method: high and far out among the tip's vertices
    assert tip[0] - corner[0] < 5.0
    assert place[LandmarkName.SAP_TIP][2] > place[LandmarkName.SUPERIOR_FACET_CENTRE][2] > 0.5 * own.body_height_mm
    assert place[LandmarkName.INFERIOR_FACET_CENTRE][2] < -0.5 * own.body_height_mm
    border = place[LandmarkName.FORAMEN_POSTERIOR_BORDER]
    assert own.posterior_wall_mm < border[1] < place[LandmarkName.SUPERIOR_FACET_CENTRE][1]
    assert reference.bone.normal(place[LandmarkName.LAMINA_BASE])[0, 1] > 0.5  # on the dorsal surface
    assert (LandmarkName.COSTOTRANSVERSE_JOINT in place) is has_costal_facet(level)
    if has_costal_facet(level):
        joint = place[LandmarkName.COSTOTRANSVERSE_JOINT]
        assert reference.bone.normal(joint)[0, 1] < -0.5  # faces forwards, to the rib
        assert -1.0 < rib_distance(level, joint)[0] < joint_space_mm() + 1.5  # ribs are carved back to the joint space


@pytest.mark.parametrize(("upper", "lower"), list(pairwise(THORACIC)), ids=str)
def test_facet_centres_face_each_other_across_the_joint(upper: Vertebra, lower: Vertebra) -> None:
    frames = mean_frames()
    above = reference_vertebra(upper).landmarks[LandmarkName.INFERIOR_FACET_CENTRE, Side.LEFT]
    below = reference_vertebra(lower).landmarks[LandmarkName.SUPERIOR_FACET_CENTRE, Side.LEFT]
    apart = np.linalg.norm(frames[upper].to_lps(above) - frames[lower].to_lps(below))
    assert apart == pytest.approx(joint_space_mm(), abs=0.6)


@pytest.mark.parametrize("level", THORACIC, ids=str)
@pytest.mark.parametrize("side", list(Side))
def test_branch_crosses_the_corner_or_hangs_above_it(level: Vertebra, side: Side) -> None:
    reference = reference_vertebra(level)
    line = reference.course(NerveKind.MEDIAL_BRANCH, branch_root(level)).points_mm * [side.sign, 1, 1]
    corner = reference.landmarks[LandmarkName.TRANSVERSE_PROCESS_SUPEROLATERAL, side]
    away = reference.bone.at(line)
    assert away.min() > 0.7
    nearest = np.linalg.norm(line - corner, axis=1)
    at_corner = int(np.argmin(nearest))
    if level in HANGING:
        assert 2.0 < nearest.min() < 6.0
    else:
        assert nearest.min() < 1.6
    behind = line[at_corner:]
    assert reference.bone.at(behind).min() < 1.3  # it lies on the back of the process,
    assert behind[-1, 2] < corner[2] - 4.0  # runs down
    assert side.sign * behind[-1, 0] < side.sign * corner[0] - 8.0  # and inwards
    assert np.linalg.norm(np.diff(line, axis=0), axis=1).max() < 1.6


@pytest.mark.parametrize("level", THORACIC, ids=str)
def test_spinal_nerve_leaves_below_its_pedicle_and_runs_below_its_rib(level: Vertebra) -> None:
    below = neighbour_below(level)
    assert below is not None
    frames, own = mean_frames(), reference_vertebra(level)
    course = own.course(NerveKind.SPINAL_NERVE, Root(level.name))
    lower = frames[below].to_vertebra(frames[level].to_lps(course.points_mm))
    assert own.bone.at(course.points_mm).min() > 0.8 * course.radius_mm
    assert reference_vertebra(below).bone.at(lower).min() > course.radius_mm
    for carrier, points in ((level, course.points_mm), (below, lower)):
        assert rib_distance(carrier, points).min() > course.radius_mm
    beyond = course.points_mm[-1]
    line = rib_line(level)
    assert beyond[2] < line[np.argmin(np.linalg.norm(line[:, :2] - beyond[:2], axis=1)), 2]


@pytest.mark.parametrize("level", THORACIC, ids=str)
def test_sympathetic_trunk_is_unbroken_and_clear_of_ribs_and_bodies(level: Vertebra) -> None:
    course = reference_vertebra(level).course(NerveKind.SYMPATHETIC_CHAIN, Root(level.name))
    assert rib_distance(level, course.points_mm).min() > course.radius_mm
    assert reference_vertebra(level).bone.at(course.points_mm).min() > course.radius_mm
    below = neighbour_below(level)
    if below in THORACIC:
        frames = mean_frames()
        start = reference_vertebra(below).course(NerveKind.SYMPATHETIC_CHAIN, Root(below.name)).points_mm[0]
        end = frames[below].to_vertebra(frames[level].to_lps(course.points_mm[-1]))
        np.testing.assert_allclose(start, end, atol=1e-6)


@pytest.mark.parametrize("level", CARRIERS, ids=str)
def test_ribs_reach_their_joints_and_run_on_the_cage(level: Vertebra) -> None:
    own, line = reference_vertebra(level), rib_line(level)
    head_gap = own.bone.at(line[:1])[0] - rib_struts(level)[0].start_radii_mm[0]
    assert head_gap < joint_space_mm()
    points = mean_frames()[level].to_lps(line[3:])
    cage = cage_at(mean_frames(), points[:, 2])
    middle, half = 0.5 * (cage.front_mm + cage.back_mm), 0.5 * (cage.back_mm - cage.front_mm)
    radial = np.hypot(points[:, 0] / cage.half_width_mm, (points[:, 1] - middle) / half)
    assert 0.9 < radial.min() <= radial.max() < 1.2  # a superellipse lies a little outside the ellipse
    assert points[-1, 2] < points[0, 2] - 15.0  # ribs fall towards the front
    assert np.all(points[:, 0] > 20.0)


def test_ribs_keep_apart_from_each_other() -> None:
    frames = mean_frames()
    for upper, lower in pairwise(CARRIERS):
        points = frames[lower].to_vertebra(frames[upper].to_lps(rib_line(upper)))
        half_height = max(*rib_struts(upper)[4].start_radii_mm)
        assert rib_distance(lower, points).min() > half_height


def test_cord_fits_into_the_sac_and_the_sac_into_the_canal() -> None:
    for direction in ("width", "depth"):
        cord, sac = (np.array(numbers(f"thoracic.{what}_{direction}_mm")) for what in ("cord", "sac"))
        canal = np.array([getattr(dimensions(level), f"canal_{direction}_mm") for level in CARRIERS])
        assert np.all(cord + 2.0 < sac)
        assert np.all(sac < canal)


def test_field_is_fine_enough_for_the_thinnest_pedicle() -> None:
    assert min(dimensions(level).pedicle_width_mm for level in THORACIC) > 4 * FIELD_SPACING_MM
