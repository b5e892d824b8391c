"""Electric field of embedded electrodes at several potentials, one of which may float."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foramen.errors import InputError
from foramen.physics.box_grid import axis_pair, far_conductance, link_sums, two_point_links
from foramen.physics.embedded_electrode import Embedding
from foramen.physics.linear_system import Links, linear_system

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drive:
    """What the generator does to the electrodes at 1 V across its poles.

    Parameters
    ----------
    potential_V : tuple
        Of each electrode; None leaves an electrode floating (no current). Two poles are +1/2 and -1/2; a return pad
        is the far field at 0 V, with the electrodes at 1 V.
    is_far_ground : bool
        Whether the far field is the return pad; otherwise it is insulated, and the currents add up to 0.
    """

    potential_V: tuple[float | None, ...]
    is_far_ground: bool

    def __post_init__(self) -> None:
        driven = [value for value in self.potential_V if value is not None]
        if not driven or (not self.is_far_ground and max(driven) - min(driven) <= 0):
            raise InputError("Current needs two poles: electrodes at different potentials, or a return pad.")


def bipolar(first: int, second: int, electrodes: int) -> Drive:
    """Current from one electrode to another, the rest floating."""
    potential: list[float | None] = [None] * electrodes
    potential[first], potential[second] = 0.5, -0.5
    return Drive(potential_V=tuple(potential), is_far_ground=False)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BoxField:
    """Field at 1 V across the poles: potential (V) and heat (W) of each cell, current (A) out of each electrode.

    `bases` holds the solved fields (one for the driven electrodes, one for each floating one) to start the next from.
    """

    potential: FloatArray
    heat_w: FloatArray
    current_A: FloatArray
    electrode_V: FloatArray
    conductance_S: float
    bases: tuple[FloatArray, ...]


def solve_box_potential(
    embedding: Embedding,
    conductivity_S_per_m: FloatArray,
    drive: Drive,
    *,
    start: tuple[FloatArray, ...] | None = None,
    tolerance: float = 1e-6,
) -> BoxField:
    """Field of embedded electrodes in tissue of a conductivity (shape of the grid; ignored in rods).

    Raises
    ------
    InputError
        If the drive names another number of electrodes.
    SolverError
        If a linear system is not solved to `tolerance`.

    Notes
    -----
    Floating electrodes: one field with them at 0 V and one with each at 1 V; the sum whose currents out of them are 0.
    The heat of a contact is shared evenly by rod and tissue, that of other links by resistance: voltage times current
    in total. Even halves, with equal factors for heat and current, keep the law that the steady rise about an
    adiabatic electrode is sigma (2 V phi - phi^2) / 2k (1 % on cells as wide as the electrode), whatever its shape.
    """
    count = embedding.electrode_count
    if len(drive.potential_V) != count:
        raise InputError(f"The drive names {len(drive.potential_V)} electrodes, but there are {count}.")
    system = _System(embedding, conductivity_S_per_m, drive.is_far_ground)
    driven = np.array([0.0 if value is None else value for value in drive.potential_V])
    floating = [number for number, value in enumerate(drive.potential_V) if value is None]
    patterns = [driven] + [np.eye(count)[number] for number in floating]
    bases = [
        system.solve(pattern, None if start is None else start[number], tolerance)
        for number, pattern in enumerate(patterns)
    ]
    weights = np.ones(1)
    if floating:
        currents = np.stack([system.currents(b, p) for b, p in zip(bases, patterns, strict=True)])[:, floating]
        weights = np.concatenate([[1.0], np.linalg.solve(currents[1:].T, -currents[0])])
    potential = np.zeros_like(bases[0])
    for weight, base in zip(weights, bases, strict=True):
        potential += weight * base
    electrode = weights @ np.stack(patterns)
    current = system.currents(potential, electrode)
    return BoxField(
        potential=potential,
        heat_w=system.heat(potential, electrode),
        current_A=current,
        electrode_V=electrode,
        conductance_S=float(current @ electrode),
        bases=tuple(bases),
    )


class _System:
    """The conductances of one conductivity field."""

    def __init__(self, embedding: Embedding, conductivity: FloatArray, is_far_ground: bool) -> None:
        self.embedding, self.conductivity = embedding, conductivity
        contacts, rod = embedding.contacts, embedding.is_rod
        self.links = tissue_links(embedding, conductivity)
        self.contact = conductivity.ravel()[contacts.tissue_cell] * contacts.bare_m2 / contacts.depth_m
        self.electrode = embedding.electrode_of_rod[contacts.owner]
        self.far = np.where(rod, 0.0, far_conductance(embedding.grid, conductivity)) if is_far_ground else None
        diagonal = link_sums(self.links)
        np.add.at(diagonal.ravel(), contacts.tissue_cell, self.contact)
        if self.far is not None:
            diagonal += self.far
        diagonal[diagonal == 0] = 1.0  # rods, and cells that touch nothing but insulators
        self.system = linear_system(diagonal, self.links)

    def solve(self, electrode_V: FloatArray, start: FloatArray | None, tolerance: float) -> FloatArray:
        """Potential of every cell (of a rod: that of its electrode)."""
        contacts, rod = self.embedding.contacts, self.embedding.is_rod
        right = np.zeros(rod.shape)
        np.add.at(right.ravel(), contacts.tissue_cell, self.contact * electrode_V[self.electrode])
        begin = np.zeros_like(right) if start is None else np.where(rod, 0.0, start)
        potential, _ = self.system.solve(right, begin, tolerance=tolerance, what="electric potential")
        held = electrode_V[self.embedding.electrode_of_rod]
        potential[rod] = held[self.embedding.owner[rod]]
        return potential

    def _drop(self, potential: FloatArray, electrode_V: FloatArray) -> FloatArray:
        drop: FloatArray = electrode_V[self.electrode] - potential.ravel()[self.embedding.contacts.tissue_cell]
        return drop

    def currents(self, potential: FloatArray, electrode_V: FloatArray) -> FloatArray:
        """Current out of each electrode."""
        flow = self.contact * self._drop(potential, electrode_V)
        total: FloatArray = np.bincount(self.electrode, weights=flow, minlength=len(electrode_V)).astype(np.float64)
        return total

    def heat(self, potential: FloatArray, electrode_V: FloatArray) -> FloatArray:
        """Heat in each cell."""
        grid, contacts = self.embedding.grid, self.embedding.contacts
        heat = np.zeros(grid.shape)
        for axis, link in enumerate(self.links):
            low, high = axis_pair(potential, axis)
            half_low, half_high = axis_pair(grid.half_resistance(axis), axis)
            sigma_low, sigma_high = axis_pair(self.conductivity, axis)
            power = axis_pair(link, axis)[0] * (low - high) ** 2
            with np.errstate(divide="ignore", invalid="ignore"):
                share = np.nan_to_num(half_low * sigma_high / (half_low * sigma_high + half_high * sigma_low))
            below, above = axis_pair(heat, axis)
            below += power * share
            above += power * (1 - share)
        near = self.contact * self._drop(potential, electrode_V) ** 2 / 2
        np.add.at(heat.ravel(), contacts.rod_cell, near)
        np.add.at(heat.ravel(), contacts.tissue_cell, near)
        return heat if self.far is None else heat + self.far * potential**2


def tissue_links(embedding: Embedding, value: FloatArray) -> Links:
    """Conductances between cells of tissue; those that touch a rod are 0."""
    rod = embedding.is_rod
    links = two_point_links(embedding.grid, value)
    for axis, link in enumerate(links):
        low, high = axis_pair(rod, axis)
        axis_pair(link, axis)[0][low | high] = 0.0
    return links
