"""What a lesion is simulated with, and what comes out of it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from foramen.model.thermal import ConductivityLaw, DamageSet, NeedleMaterial, PerfusionLaw
from foramen.physics.grid import RevolvedGrid

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeSteps:
    """Step sizes: `first_s` after a kink of the set curve, growing by `growth` up to `largest_s`."""

    first_s: float = 0.15
    growth: float = 1.45
    largest_s: float = 6.0


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatModel:
    """Everything about a lesion that is neither grid nor tissue.

    Parameters
    ----------
    law : ConductivityLaw or None
        None keeps the conductivity constant.
    material : NeedleMaterial or None
        None leaves the needle's inside out (adiabatic surface).
    stops_perfusion : DamageSet or None
        Perfusion is w0 exp(-Omega) with this set, integrated only within its window of temperatures.
    damage : tuple of DamageSet
        Sets whose Omega is wanted.
    thermocouple_m : float
        z of the thermocouple on the needle's surface (0 = pole).
    flow : PerfusionLaw or None
        None keeps perfusion constant until the tissue coagulates.
    cool_down_s : float
        Time simulated after the generator has stopped.
    """

    baseline_degC: float
    law: ConductivityLaw | None
    material: NeedleMaterial | None
    stops_perfusion: DamageSet | None
    damage: tuple[DamageSet, ...]
    thermocouple_m: float
    flow: PerfusionLaw | None = None
    cool_down_s: float = 0.0
    steps: TimeSteps = field(default_factory=TimeSteps)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class History:
    """What the generator would log, one entry per time step."""

    time_s: tuple[float, ...]
    tip_degC: tuple[float, ...]
    power_W: tuple[float, ...]
    impedance_ohm: tuple[float, ...]
    voltage_V: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergyBalance:
    """Energies of a run (J): delivered, stored at the end, carried off by blood or held fluid, and to the far field."""

    delivered_J: float
    stored_J: float
    perfusion_J: float
    far_field_J: float

    @property
    def error_fraction(self) -> float:
        """What is missing, as a fraction of the delivered energy."""
        spent = self.stored_J + self.perfusion_J + self.far_field_J
        return (self.delivered_J - spent) / self.delivered_J


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LesionEnd:
    """State at the end: rise above baseline (nr, nk, nj), and the part left of the perfusion that can stop."""

    rise_K: FloatArray
    flow_left: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lesion:
    """Outcome on the grid: maxima over time and damage, shape (nr, nk, nj), needle cells included.

    Needle cells that are left out repeat the first tissue layer. `surface_degC` (nk, nj) is the needle's surface.
    """

    grid: RevolvedGrid
    peak_degC: FloatArray
    surface_peak_degC: FloatArray
    omega: dict[str, FloatArray]
    cem43_min: FloatArray
    history: History
    energy: EnergyBalance
    tip_degC: float
    hottest_tissue_degC: float
    impedance_initial_ohm: float
    impedance_final_ohm: float
    voltage_final_V: float
    power_final_W: float
    power_mean_W: float
    power_peak_W: float
    is_limited: bool
    end: LesionEnd

    def near_maximum_degC(self, volume_m3: float) -> float:
        """Temperature that this volume of tissue reaches or exceeds: the hottest tissue, but for what is smaller.

        The very maximum lies at a point or at the insulation's edge, where it depends on how fine the grid is;
        radiotherapy leaves the hottest small volume out for the same reason (near-maximum dose).
        """
        peak = self.peak_degC[self.grid.inner :]
        order = np.argsort(peak, axis=None)[::-1]
        cells = np.broadcast_to(self.grid.volume_m3[self.grid.inner :, :, None], peak.shape)
        filled = np.cumsum(cells.ravel()[order]) - cells.ravel()[order] / 2
        return float(np.interp(volume_m3, filled, peak.ravel()[order]))
