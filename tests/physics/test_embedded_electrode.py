"""Embedded electrodes: closed forms, the conformal needle as second method, symmetry, and the metal's conduction."""

from __future__ import annotations

import math

import numpy as np
import pytest

from foramen.errors import InputError
from foramen.knowledge.thermal import needle_material
from foramen.physics.box_conduction import Drive, bipolar, solve_box_potential
from foramen.physics.box_grid import BoxGrid, FineSpan, graded_edges
from foramen.physics.box_heat import box_heat
from foramen.physics.conduction import solve_potential
from foramen.physics.electrode_courses import curved_path_m, straight_path_m, tined_rods
from foramen.physics.embedded_electrode import Embedding, Rod, embed
from foramen.physics.grid import NeedleShape, Resolution, needle_grid
from foramen.physics.linear_system import linear_system
from foramen.physics.tissue import TissueField
from physics.box_case import (
    BORE_M,
    MUSCLE,
    PAD,
    RADIUS_M,
    TIP_M,
    make_embedding,
    make_field,
    make_pair,
    make_rod,
)

SIGMA = MUSCLE.electric_S_per_m


def resistance_ohm(embedding: Embedding, drive: Drive = PAD) -> float:
    """Resistance in muscle."""
    return 1 / solve_box_potential(embedding, np.full(embedding.grid.shape, SIGMA), drive).conductance_S


@pytest.fixture(scope="module")
def conformal_ohm() -> float:
    """Resistance of the 18 G x 10 mm needle on its conformal grid."""
    shape = NeedleShape(radius_m=RADIUS_M, bore_m=BORE_M, tip_m=TIP_M, is_conducting=False)
    grid = needle_grid(shape, Resolution(step=0.05), far_m=50e-3)
    return solve_potential(grid, np.full(grid.shape, SIGMA)).resistance_ohm


@pytest.mark.parametrize("cells_per_radius", [0.4, 1.0, 2.0])
def test_two_parallel_cylinders(cells_per_radius: float) -> None:
    """R per length = acosh(D / 2a) / (pi sigma), for cells wider and narrower than the cylinder: within 2 %."""
    radius, spacing, length = 0.5e-3, 8e-3, 30e-3
    rods = [
        Rod(path_m=np.array([[x, 0.0, -0.1], [x, 0.0, 0.1]]), radius_m=radius, bore_m=0.0, tip_m=0.2, electrode=number)
        for number, x in enumerate((-spacing / 2, spacing / 2))
    ]
    cell = radius / cells_per_radius
    places = [FineSpan(low_m=float(r.path_m[0, 0]), high_m=float(r.path_m[0, 0]), cell_m=cell) for r in rods]
    x = graded_edges(places, growth=0.15, low_m=-0.3, high_m=0.3)
    y = graded_edges([FineSpan(low_m=0, high_m=0, cell_m=cell)], growth=0.15, low_m=-0.3, high_m=0.3)
    grid = BoxGrid(edges_m=(x, y, np.linspace(0, length, 4)))
    exact = math.acosh(spacing / (2 * radius)) / (math.pi * SIGMA * length)
    assert resistance_ohm(embed(grid, rods), bipolar(0, 1, 2)) == pytest.approx(exact, rel=0.02)


@pytest.mark.parametrize("towards_hub", [(0, 0, 1), (1, 0, 0), (1, 0, 1), (1, 2, 3)])
def test_resistance_agrees_with_the_conformal_needle(
    towards_hub: tuple[float, float, float], conformal_ohm: float
) -> None:
    """In any direction within 4 % at one cell per radius."""
    found = resistance_ohm(make_embedding([make_rod(towards_hub=towards_hub)]))
    assert found == pytest.approx(conformal_ohm, rel=0.04)


def test_resistance_converges_to_the_conformal_needle(conformal_ohm: float) -> None:
    """Finer cells come closer; what is left (0.6 % or so) is the corner of the box beyond the sphere of 50 mm."""
    errors = [
        resistance_ohm(make_embedding([make_rod()], cells_per_radius=n, growth=0.15)) / conformal_ohm - 1
        for n in (0.5, 1.0, 2.5)
    ]
    assert abs(errors[2]) < abs(errors[1]) < abs(errors[0])
    assert abs(errors[2]) < 0.015


@pytest.mark.parametrize("towards_hub", [(0, 0, 1), (1, 2, 3)])
def test_faces_see_the_whole_surface(towards_hub: tuple[float, float, float]) -> None:
    """The parts of the bare surface add up to 2 pi a times its length (ball included), and the metal to its volume."""
    embedding = make_embedding([make_rod(towards_hub=towards_hub)], cells_per_radius=1.5)
    assert embedding.contacts.bare_m2.sum() == pytest.approx(2 * math.pi * RADIUS_M * TIP_M, rel=0.01)
    near = np.linalg.norm(embedding.grid.points_m, axis=1).reshape(embedding.grid.shape) < 4e-3
    metal = float((embedding.metal * embedding.grid.volume_m3)[near].sum())
    assert metal == pytest.approx(math.pi * RADIUS_M**2 * 8e-3, rel=0.12)  # the sphere cuts cells


def test_heat_is_voltage_times_current() -> None:
    """Half of a contact's heat counts as the rod's, and nothing is lost."""
    embedding = make_embedding(make_pair(8e-3))
    field = solve_box_potential(embedding, np.full(embedding.grid.shape, SIGMA), bipolar(0, 1, 2))
    assert field.heat_w.sum() == pytest.approx(field.conductance_S, rel=1e-5)
    assert field.current_A.sum() == pytest.approx(0, abs=1e-5 * field.conductance_S)


def test_joule_law_holds_on_coarse_cells() -> None:
    """Rise = sigma (2 V phi - phi^2) / 2k to 1 % in every cell, in the adiabatic rod too, on cells as wide as it."""
    embedding = make_embedding([make_rod(towards_hub=(1, 0, 2))], cells_per_radius=0.5)
    field = solve_box_potential(embedding, np.full(embedding.grid.shape, SIGMA), PAD)
    heat = box_heat(embedding, make_field(embedding.grid), None, None)
    rise = np.zeros(embedding.grid.shape)
    rise, _ = linear_system(heat.diagonal, heat.links).solve(field.heat_w, rise, tolerance=1e-8, what="test")
    exact = SIGMA / (2 * MUSCLE.thermal_W_per_m_K) * (2 * field.potential - field.potential**2)
    touched = np.ones(rise.size, bool)
    touched[np.setdiff1d(np.flatnonzero(embedding.is_rod), embedding.contacts.rod_cell)] = False
    covered = np.zeros(rise.size, bool)
    covered[embedding.contacts.rod_cell[embedding.contacts.bare_m2 == 0]] = True
    error = np.abs(rise - exact).ravel()[touched & ~covered]
    assert error.max() < 0.01 * exact.max()


def test_pole_swap_mirrors_the_field_and_its_middle_is_at_zero() -> None:
    """Two equal electrodes: phi(-x) = -phi(x), and 0 V between them."""
    embedding = make_embedding(make_pair(8e-3))
    phi = solve_box_potential(embedding, np.full(embedding.grid.shape, SIGMA), bipolar(0, 1, 2)).potential
    swapped = solve_box_potential(embedding, np.full(embedding.grid.shape, SIGMA), bipolar(1, 0, 2)).potential
    assert np.abs(phi + phi[::-1]).max() < 1e-4
    assert np.abs(swapped + phi).max() < 1e-4


def test_far_electrodes_superpose(conformal_ohm: float) -> None:
    """Two at 1 V, 60 mm apart: each sees its own resistance and 1 / (4 pi sigma D) of the other, in a large box."""
    rods = make_pair(60e-3)
    embedding = make_embedding(rods)
    pair = solve_box_potential(
        embedding, np.full(embedding.grid.shape, SIGMA), Drive(potential_V=(1.0, 1.0), is_far_ground=True)
    )
    alone = solve_box_potential(
        embedding, np.full(embedding.grid.shape, SIGMA), Drive(potential_V=(1.0, None), is_far_ground=True)
    )
    mutual_ohm = float(alone.electrode_V[1] / alone.current_A[0])
    own_ohm = float(1 / alone.current_A[0])
    assert 1 / pair.current_A[0] == pytest.approx(own_ohm + mutual_ohm, rel=1e-3)
    assert 0 < mutual_ohm < 1 / (4 * math.pi * SIGMA * 60e-3)  # the ground at 50 mm takes some of it
    assert own_ohm == pytest.approx(conformal_ohm, rel=0.04)


def test_a_floating_electrode_takes_no_current_and_one_potential() -> None:
    """Between the two poles, off the middle: no net current, a potential between theirs."""
    embedding = make_embedding(make_pair(7e-3, electrodes=3))
    field = solve_box_potential(embedding, np.full(embedding.grid.shape, SIGMA), bipolar(0, 2, 3))
    assert abs(field.current_A[1]) < 1e-5 * field.conductance_S
    assert abs(field.electrode_V[1]) < 1e-4  # the middle, by symmetry
    aside = solve_box_potential(embedding, np.full(embedding.grid.shape, SIGMA), bipolar(0, 1, 3))
    assert -0.5 < aside.electrode_V[2] < 0


@pytest.mark.parametrize(("towards_hub", "within"), [((0, 0, 1), 0.03), ((1, 0, 1), 0.12), ((1, 2, 3), 0.12)])
@pytest.mark.parametrize("cells_per_radius", [0.4, 1.5])
def test_metal_conducts_along_its_course(
    towards_hub: tuple[float, float, float], within: float, cells_per_radius: float
) -> None:
    """1 W from one end of the bare part to the other in vacuum falls by 1 / (k A) per metre."""
    embedding = make_embedding([make_rod(towards_hub=towards_hub)], cells_per_radius=cells_per_radius)
    material, shape = needle_material(), embedding.grid.shape
    vacuum = np.full(shape, 1e-9)
    tissue = TissueField(
        electric_S_per_m=vacuum,
        thermal_W_per_m_K=vacuum,
        heat_capacity_J_per_m3_K=vacuum,
        perfusion_W_per_m3_K=np.zeros(shape),
        latent_J_per_m3=np.zeros(shape),
        flow_gain_fraction=np.zeros(shape),
        lasting_fraction=np.zeros(shape),
        is_held=np.zeros(shape, dtype=np.bool_),
    )
    heat = box_heat(embedding, tissue, material, None)
    arc, rod = embedding.arc_m, embedding.is_rod
    source, sink = (rod & (np.abs(arc - place) < 1.2e-3) for place in (1.2e-3, 9e-3))
    system = linear_system(heat.diagonal + sink * 1e3, heat.links)
    rise, _ = system.solve(source / source.sum(), np.zeros(shape), tolerance=1e-8, what="test")
    between = rod & (np.abs(arc - 5e-3) < 2.4e-3)
    slope_K_per_m = np.polyfit(arc[between], rise[between], 1)[0]
    section = math.pi * (material.wall_W_per_m_K * (RADIUS_M**2 - BORE_M**2) + material.core_W_per_m_K * BORE_M**2)
    assert slope_K_per_m == pytest.approx(-1 / section, rel=within)


def test_a_gently_curved_course_is_nearly_straight_and_a_bent_one_resists_a_little_less_or_more() -> None:
    """A curve of 10 m radius is the straight electrode; one of 15 mm differs from it by a few per cent at most."""
    straight = resistance_ohm(make_embedding([make_rod()]))
    found = []
    for radius in (10.0, 15e-3):
        path = curved_path_m(
            np.zeros(3), np.array([0, 0, 1.0]), np.array([1.0, 0, 0]), curve_radius_m=radius, curve_length_m=TIP_M,
            shaft_m=0.1,
        )  # fmt: skip
        assert np.linalg.norm(np.diff(path[:-1], axis=0), axis=1).sum() == pytest.approx(TIP_M, rel=2e-3)
        found.append(resistance_ohm(make_embedding([Rod(path_m=path, radius_m=RADIUS_M, bore_m=BORE_M, tip_m=TIP_M)])))
    assert found[0] == pytest.approx(straight, rel=0.02)
    assert found[1] == pytest.approx(straight, rel=0.04)


def test_tines_share_the_potential_and_lower_the_resistance() -> None:
    """Three tines enlarge the electrode; they are one electrode with the cannula."""
    cannula = Rod(
        path_m=straight_path_m(np.zeros(3), np.array([0, 0, 1.0]), 0.1), radius_m=RADIUS_M, bore_m=BORE_M, tip_m=5e-3
    )
    rods = tined_rods(
        cannula, tines=3, tine_radius_m=0.25e-3, tine_length_m=3e-3, leave_m=1.5e-3, splay_rad=math.radians(45)
    )
    assert {rod.electrode for rod in rods} == {0}
    tined = make_embedding(rods, cells_per_radius=0.5)
    assert tined.electrode_count == 1
    assert resistance_ohm(tined) < 0.85 * resistance_ohm(make_embedding([cannula]))


def test_impossible_electrodes_are_refused() -> None:
    """Electrodes that touch; a tip longer than the needle; a lumen wider than it; no pole to drive."""
    with pytest.raises(InputError, match="touch"):
        make_embedding(make_pair(1.2e-3))
    with pytest.raises(InputError, match="length"):
        make_rod(tip_m=0.2)
    with pytest.raises(InputError, match="lumen"):
        Rod(path_m=np.array([[0, 0, 0], [0, 0, 0.1]]), radius_m=1e-3, bore_m=2e-3, tip_m=5e-3)
    with pytest.raises(InputError, match="two poles"):
        Drive(potential_V=(0.5, 0.5), is_far_ground=False)
    with pytest.raises(InputError, match="names 1 electrodes"):
        resistance_ohm(make_embedding(make_pair(8e-3)))
