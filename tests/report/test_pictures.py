"""Left is left and the needle is where the plan says, in every kind of picture."""

from __future__ import annotations

import io

import numpy as np
import pytest
from matplotlib.image import imread
from scipy.ndimage import binary_dilation

from foramen.model.levels import Side
from foramen.report.camera import camera_facing
from foramen.report.carm import attenuation_of, simulated_xray, view_camera
from foramen.report.scene import bone_field
from foramen.report.slices import (
    Plane,
    axial_plane,
    bone_mask,
    coronal_plane,
    cut_volume,
    direction_letters,
    plane_across,
    plane_along,
    sagittal_plane,
)
from report.plan_factory import make_case, make_plan, make_view

BALL_MM = np.array([45.0, 40.0, 10.0])
"""Bright ball of `make_case(bright_left=True)`: left, behind the middle and a little above it."""


@pytest.mark.parametrize(
    ("direction", "letters"),
    [
        ((1, 0, 0), "L"),
        ((-1, 0, 0), "R"),
        ((0, 1, 0), "P"),
        ((0, -1, 0), "A"),
        ((0, 0, 1), "H"),
        ((0, 0, -1), "F"),
        ((0.8, 0.6, 0), "LP"),
        ((0, -0.5, -0.87), "FA"),
        ((0.1, 0.99, 0), "P"),
    ],
)
def test_letters(direction: tuple[float, float, float], letters: str) -> None:
    assert direction_letters(np.array(direction)) == letters


def _letter_of_edge(plane: Plane, row: float, column: float) -> set[str]:
    vertical = plane.letters["bottom"] if row > 0 else plane.letters["top"]
    horizontal = plane.letters["right"] if column > 0 else plane.letters["left"]
    return {vertical, horizontal}


@pytest.mark.parametrize(
    ("plane", "expected"),
    [
        (axial_plane(np.array([0.0, 10, 10]), 75.0), {"L", "P"}),
        (coronal_plane(np.array([0.0, 40, -10]), 75.0), {"L", "H"}),
        (sagittal_plane(np.array([45.0, 10, -10]), 75.0), {"P", "H"}),
    ],
)
def test_a_ball_on_the_left_lies_at_the_edge_marked_left(plane: Plane, expected: set[str]) -> None:
    case = make_case(bright_left=True)
    image = cut_volume(case.image, plane, 150)
    rows, columns = np.nonzero(image > 1000)
    assert len(rows) > 50
    assert _letter_of_edge(plane, rows.mean() - 74.5, columns.mean() - 74.5) == expected


def test_axial_cuts_are_radiological() -> None:
    assert axial_plane(np.zeros(3), 10.0).letters == {"left": "R", "right": "L", "top": "A", "bottom": "P"}
    assert coronal_plane(np.zeros(3), 10.0).letters == {"left": "R", "right": "L", "top": "H", "bottom": "F"}


def test_the_simulated_xray_shows_left_at_the_edge_marked_left() -> None:
    case = make_case(bright_left=True)
    view = make_view(name="AP", beam=(0, 1, 0), centre_mm=np.array([0.0, 10.0, 10.0]), words="")
    camera = view_camera(view)
    assert camera.letters["left"] == "L"  # prone, seen from the detector above the back
    attenuation = attenuation_of(case.image, view.centre_mm)
    ball = simulated_xray(attenuation, camera, ())
    plain = simulated_xray(attenuation_of(make_case().image, view.centre_mm), camera, ())
    darker = plain - ball
    _rows, columns = np.nonzero(darker > 0.6 * darker.max())
    assert columns.mean() < camera.pixels / 2
    # The ball is 30 mm nearer to the detector than the centre: magnified by 600 / 630 about the middle.
    expected = camera.pixels / 2 * (1 - BALL_MM[0] * 600 / 630 / camera.half_mm)
    assert columns.mean() == pytest.approx(expected, abs=8)


def test_a_needle_down_the_beam_is_a_point_and_across_it_a_line() -> None:
    case = make_case()
    plan = make_plan(case)
    path = plan.trajectories[0]
    attenuation = attenuation_of(case.image, path.tip_mm)

    def metal_pixels(beam: tuple[float, ...]) -> int:
        camera = view_camera(make_view(name="v", beam=beam, centre_mm=path.tip_mm, words=""))
        with_needle = simulated_xray(attenuation, camera, (path,))
        return int(np.sum(simulated_xray(attenuation, camera, ()) - with_needle > 0.1))

    across = np.cross(path.direction, [0.0, 0.0, 1.0])
    end_on = metal_pixels(tuple(-path.direction))
    side_on = metal_pixels(tuple(across / np.linalg.norm(across)))
    assert 0 < end_on < 40
    assert side_on > 10 * end_on


@pytest.mark.parametrize("side", list(Side))
def test_the_cut_along_the_needle_holds_its_axis_and_nearly_the_nerve(side: Side) -> None:
    plan = make_plan(make_case(), side=side)
    path, nerve = plan.trajectories[0], plan.targets[0].needed_segment_mm
    plane = plane_along(path.tip_mm, path.direction, nerve, centre_mm=path.tip_mm, half_mm=30.0)
    flat, distance = plane.project(np.stack([path.entry_mm, path.tip_mm]))
    assert np.abs(distance).max() < 1e-9
    assert np.linalg.norm(flat[1] - flat[0]) == pytest.approx(path.length_mm)

    def spread(angle: float) -> float:
        first = np.cross(path.direction, [1.0, 0, 0])
        first /= np.linalg.norm(first)
        normal = np.cos(angle) * first + np.sin(angle) * np.cross(path.direction, first)
        return float(np.mean(((nerve - path.tip_mm) @ normal) ** 2))

    best = min(spread(angle) for angle in np.linspace(0, np.pi, 721))
    _, off = plane.project(nerve)
    assert float(np.mean(off**2)) == pytest.approx(best, abs=1e-3)  # against a search over half-degree turns


def test_the_cut_across_looks_along_the_needle() -> None:
    path = make_plan(make_case()).trajectories[0]
    plane = plane_across(path.tip_mm, path.direction, 20.0)
    assert plane.normal == pytest.approx(path.direction, abs=1e-12)
    assert plane.letters["top"].startswith("H")
    assert "R" in plane.letters["right"]  # from behind, as at the table


def test_cameras_see_the_patient_the_right_way_round() -> None:
    behind = camera_facing(np.array([0.0, -1.0, 0.0]), centre_mm=np.zeros(3), half_mm=50.0, pixels=10)
    assert behind.letters == {"left": "L", "right": "R", "top": "H", "bottom": "F"}
    from_left = camera_facing(np.array([-1.0, 0, 0]), centre_mm=np.zeros(3), half_mm=50.0, pixels=10)
    assert from_left.letters == {"left": "A", "right": "P", "top": "H", "bottom": "F"}


def test_the_drawn_bone_lies_on_the_labels() -> None:
    case = make_case()
    mask = bone_mask(case.labels)
    centre = np.array([20.0, 30.0, 40.0])
    field = bone_field(mask, case.labels.geometry, centre, 40.0)
    drawn = np.argwhere(field.values >= field.level)
    points = drawn @ field.affine_mm[:3, :3].T + field.affine_mm[:3, 3]
    index = np.rint(case.labels.geometry.index(points)).astype(int)
    assert binary_dilation(mask)[tuple(index.T)].mean() > 0.999  # the surface stays within a voxel of the labels
    volume = len(drawn) * abs(np.linalg.det(field.affine_mm[:3, :3]))
    near = np.abs(case.labels.geometry.lps_mm(np.argwhere(mask).astype(float)) - centre).max(axis=1) <= 40.0
    assert volume == pytest.approx(near.sum() * 8.0, rel=0.12)  # thin blocks lose their corners


def test_three_dimensional_pictures_are_large_and_show_the_target_nerve(pictures: dict[str, bytes]) -> None:
    image = imread(io.BytesIO(pictures["1-3d-oblique"]), format="png")
    assert min(image.shape[:2]) >= 600  # 54 mm wide on paper: 280 dots per inch; 390 pixels wide on a screen
    body = image[125:465, 210:]  # without the legend
    yellow = (body[..., 0] > 0.6) & (body[..., 1] > 0.55) & (body[..., 2] < 0.35)
    assert yellow.sum() > 200
