"""Heat conduction in tissue with embedded rods: the metal's conduction along its course, insulation and coolant.

A rod's cells conduct along it like the rod itself: their links are scaled so that, at every length along the path,
those that bridge it carry k A of the real cross-section. Their links to tissue are those of `embedded_electrode`, on
the covered part in series with the insulation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foramen.model.thermal import Coolant, NeedleMaterial
from foramen.physics.box_conduction import tissue_links
from foramen.physics.box_grid import axis_pair, far_conductance, link_sums, two_point_links
from foramen.physics.embedded_electrode import Embedding, Rod
from foramen.physics.linear_system import Links
from foramen.physics.tissue import TissueField

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BoxHeat:
    """Matrices of the heat equation (W/K and J/K), each of the grid's shape; `coolant` couples rods to their fluid."""

    links: Links
    far: FloatArray
    coolant: FloatArray
    diagonal: FloatArray
    capacity_J_per_K: FloatArray
    tissue_m3: FloatArray


def box_heat(
    embedding: Embedding, tissue: TissueField, material: NeedleMaterial | None, coolant: Coolant | None
) -> BoxHeat:
    """Heat equation of tissue (properties of the grid's shape) and rods; None as material leaves rods adiabatic."""
    grid, contacts, rod = embedding.grid, embedding.contacts, embedding.is_rod
    links = tissue_links(embedding, tissue.thermal_W_per_m_K)
    near = tissue.thermal_W_per_m_K.ravel()[contacts.tissue_cell] / contacts.depth_m
    contact = near * contacts.bare_m2
    if material is not None:
        contact = contact + contacts.covered_m2 / (1 / near + material.insulation_m / material.insulation_W_per_m_K)
    for axis in range(3):
        chosen = contacts.axis == axis
        links[axis].ravel()[contacts.low[chosen]] = contact[chosen]
    capacity = tissue.heat_capacity_J_per_m3_K * (1 - embedding.metal)
    cooling = np.zeros(grid.shape)
    if material is not None:
        for own, extra in zip(links, _rod_links(embedding, material, is_filled=coolant is None), strict=True):
            own += extra
        # one mean for all rods: tines and cannula differ little, and cells do not say whose metal they hold
        metal_J = [_mean_capacity(one, material, is_filled=coolant is None) for one in embedding.rods]
        capacity = capacity + embedding.metal * np.mean(metal_J)
    if coolant is not None:
        inward = np.array([one.bore_m / one.radius_m for one in embedding.rods])[contacts.owner]
        wall = (contacts.bare_m2 + contacts.covered_m2) * inward * coolant.transfer_W_per_m2_K
        np.add.at(cooling.ravel(), contacts.rod_cell, wall)
    far = np.where(rod, 0.0, far_conductance(grid, tissue.thermal_W_per_m_K))
    diagonal = link_sums(links) + far + cooling
    diagonal[diagonal == 0] = np.finfo(np.float64).tiny  # inner cells of adiabatic rods, which touch nothing
    return BoxHeat(
        links=links,
        far=far,
        coolant=cooling,
        diagonal=diagonal,
        capacity_J_per_K=capacity * grid.volume_m3,
        tissue_m3=(1 - embedding.metal) * grid.volume_m3,
    )


def _mean_capacity(rod: Rod, material: NeedleMaterial, *, is_filled: bool) -> float:
    lumen = (rod.bore_m / rod.radius_m) ** 2
    return material.wall_J_per_m3_K * (1 - lumen) + (material.core_J_per_m3_K * lumen if is_filled else 0.0)


def _conductance_m(rod: Rod, material: NeedleMaterial, *, is_filled: bool) -> float:
    """Thermal conductivity times cross-section (W m/K)."""
    wall = material.wall_W_per_m_K * (rod.radius_m**2 - rod.bore_m**2)
    return float(np.pi * (wall + (material.core_W_per_m_K * rod.bore_m**2 if is_filled else 0.0)))


def _rod_links(embedding: Embedding, material: NeedleMaterial, *, is_filled: bool) -> Sequence[FloatArray]:
    """Links (W/K) between cells of rods of one electrode."""
    plain = two_point_links(embedding.grid, np.ones(embedding.grid.shape))
    electrode = np.append(embedding.electrode_of_rod, -1)[embedding.owner]
    links = [np.zeros(embedding.grid.shape) for _ in range(3)]
    for axis in range(3):
        (first, second), target = axis_pair(electrode, axis), axis_pair(links[axis], axis)[0]
        joined = (first >= 0) & (first == second)
        target[joined] = axis_pair(plain[axis], axis)[0][joined] * material.wall_W_per_m_K
    for number, rod in enumerate(embedding.rods):
        within = [_links_within(embedding, number, axis) for axis in range(3)]
        start, stop = (np.concatenate([ends[side] for _, ends in within]) for side in (0, 1))
        conductance = np.concatenate([plain[axis].ravel()[low] for axis, (low, _) in enumerate(within)])
        scale = _conductance_m(rod, material, is_filled=is_filled) / _bridging(start, stop, conductance)
        cuts = np.cumsum([len(low) for low, _ in within])[:-1]
        for axis, values in enumerate(np.split(conductance * scale, cuts)):
            links[axis].ravel()[within[axis][0]] = values
    return links


def _links_within(embedding: Embedding, number: int, axis: int) -> tuple[NDArray[np.intp], FloatArray]:
    """Lower cells of the links along an axis between cells of one rod, and both ends' length from its pole (2, n)."""
    shape = embedding.grid.shape
    first, second = axis_pair(embedding.owner == number, axis)
    inside = np.zeros(shape, bool)
    axis_pair(inside, axis)[0][:] = first & second
    low = np.flatnonzero(inside)
    arc, stride = embedding.arc_m.ravel(), int(np.prod(shape[axis + 1 :]))
    return low, np.sort(np.stack([arc[low], arc[low + stride]]), axis=0)


def _bridging(start: FloatArray, stop: FloatArray, conductance: FloatArray) -> FloatArray:
    """Sum of conductance times length (m2) of the links that bridge the middle of each link."""
    weight, middle = conductance * (stop - start), (start + stop) / 2
    by_start, by_stop = np.argsort(start, kind="stable"), np.argsort(stop, kind="stable")
    begun = np.concatenate([[0.0], np.cumsum(weight[by_start])])
    ended = np.concatenate([[0.0], np.cumsum(weight[by_stop])])
    total: FloatArray = (
        begun[np.searchsorted(start[by_start], middle, side="right")]
        - ended[np.searchsorted(stop[by_stop], middle, side="left")]
    )
    bridging: FloatArray = np.maximum(total, weight.max() * 1e-3)
    return bridging
