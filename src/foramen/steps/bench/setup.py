"""The needle, its grid and the tissue about it, with every number checked at the door."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from foramen.errors import InputError
from foramen.knowledge.facts import number, numbers
from foramen.knowledge.thermal import (
    conductivity_law,
    damage_set,
    needle_end,
    needle_material,
    perfusion_law,
    perfusion_stop_set,
    tissue_properties,
)
from foramen.model.device import Thermocouple, TipShape
from foramen.model.thermal import TissueProperties
from foramen.physics.contours import Extent
from foramen.physics.grid import NeedleShape, Resolution, RevolvedGrid, needle_grid
from foramen.physics.lesion import HeatModel, TimeSteps
from foramen.physics.tissue import TissueField, tissue_field
from foramen.units import MM3_PER_ML, MM_PER_M

GRID_STEP = 0.2
"""Growth of cells per cell: sizes are within 0.5 % of those of a grid four times as fine."""

FLUID = "csf"
"""Tissue whose properties stand for saline or local anaesthetic injected before the lesion."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LesionSize:
    """Extent of a region about the electrode: width and length include the needle, the volume does not."""

    width_mm: float
    length_mm: float
    volume_mm3: float


def lesion_size(extent: Extent) -> LesionSize:
    """An extent in millimetres."""
    return LesionSize(
        width_mm=extent.width_m * MM_PER_M,
        length_mm=extent.length_m * MM_PER_M,
        volume_mm3=extent.volume_m3 * MM_PER_M**3,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchSetup:
    """A straight electrode in uniform tissue.

    Parameters
    ----------
    outer_diameter_mm, inner_diameter_mm, tip_mm : float
        Cannula and its bare end.
    tissue : str
        Name of a tissue in the knowledge.
    perfusion : bool
        Whether blood carries heat away until the tissue has coagulated.
    cannula_conduction : bool
        Whether the metal conducts heat; otherwise the needle's surface is adiabatic.
    baseline_temperature_degC : float
        Temperature of tissue and blood at the start and of the far field (50 mm) throughout.
    thermocouple : Thermocouple
        Where the temperature is measured.
    frequency_hz : float
        Of the current; conductivity is tabulated from 450 to 500 kHz.
    flow_with_temperature : bool
        Whether perfusion rises with warmth before the tissue coagulates, by a law for hyperthermia.
    sigma_with_temperature : bool
        Whether conductivity changes with temperature, and tissue boils.
    fluid_ml : float
        Saline or local anaesthetic injected before: a ball of it about the middle of the bare tip, in place of tissue.
    tip_shape : TipShape
        A hemisphere, or sharp: the cone that acts as a bevel does.
    step : float
        Growth of cells per cell of the grid.
    """

    outer_diameter_mm: float
    inner_diameter_mm: float
    tip_mm: float
    tissue: str = "muscle"
    perfusion: bool = True
    cannula_conduction: bool = True
    baseline_temperature_degC: float = 37.0
    thermocouple: Thermocouple = Thermocouple.POLE
    frequency_hz: float = 500e3
    flow_with_temperature: bool = False
    sigma_with_temperature: bool = True
    fluid_ml: float = 0.0
    tip_shape: TipShape = TipShape.HEMISPHERICAL
    step: float = GRID_STEP

    def __post_init__(self) -> None:
        if not 0.2 <= self.outer_diameter_mm <= 5:
            raise InputError(f"An outer diameter of {self.outer_diameter_mm:g} mm is not a needle's (0.2 to 5 mm).")
        if not 0 < self.tip_mm <= 40:
            raise InputError(f"An active tip of {self.tip_mm:g} mm is outside what is modelled (up to 40 mm).")
        coolest = min(numbers("damage.isotherms_degC"))
        if not 0 <= self.baseline_temperature_degC < coolest:
            raise InputError(
                f"A baseline of {self.baseline_temperature_degC:g} degC is not usable: give 0 to below {coolest:g} "
                "degC, the coolest isotherm that is reported."
            )
        if not 0 <= self.fluid_ml <= 5:
            raise InputError(f"A pool of {self.fluid_ml:g} mL is outside what is modelled (0 to 5 mL).")
        if self.thermocouple is Thermocouple.NONE:
            raise InputError("A temperature is wanted, so a thermocouple is needed: choose pole or mid.")

    @property
    def shape(self) -> NeedleShape:
        """The needle."""
        return NeedleShape(
            radius_m=self.outer_diameter_mm / (2 * MM_PER_M),
            bore_m=self.inner_diameter_mm / (2 * MM_PER_M),
            tip_m=self.tip_mm / MM_PER_M,
            is_conducting=self.cannula_conduction,
            end_m=needle_end(self.tip_shape, self.outer_diameter_mm).length_mm / MM_PER_M,
        )

    @property
    def properties(self) -> TissueProperties:
        """Properties of the tissue; raises `InputError` if it is unknown or carries no current."""
        found = tissue_properties(self.tissue, frequency_hz=self.frequency_hz)
        if not found.electric_S_per_m > 0:
            raise InputError(f"No lesion can be made in {self.tissue}: it carries no current. Choose another tissue.")
        return found

    def grid(self) -> RevolvedGrid:
        """Axisymmetric grid about the needle."""
        return needle_grid(self.shape, Resolution(step=self.step), far_m=number("tissues.far_field_mm") / MM_PER_M)

    def tissue_about(self, grid: RevolvedGrid) -> TissueField:
        """Properties of every cell outside the needle.

        Raises
        ------
        InputError
            If the tissue is unknown or carries no current.
        """
        table = [self.properties, tissue_properties(FLUID, frequency_hz=self.frequency_hz)]
        radius_m = (3 * self.fluid_ml * MM3_PER_ML / (4 * np.pi)) ** (1 / 3) / MM_PER_M
        middle_m = self.tip_mm / 2 / MM_PER_M
        is_pool = np.hypot(grid.node_r_m, grid.node_z_m - middle_m)[grid.inner :, :, None] < radius_m
        return tissue_field(table, is_pool[None].astype(np.intp), is_perfused=self.perfusion)

    def model(self, *, cool_down_s: float, steps: TimeSteps | None = None) -> HeatModel:
        """Everything else about the heat."""
        pole_mm = needle_end(self.tip_shape, self.outer_diameter_mm).sensor_mm
        sensor_mm = pole_mm if self.thermocouple is Thermocouple.POLE else self.tip_mm / 2
        return HeatModel(
            baseline_degC=self.baseline_temperature_degC,
            law=conductivity_law() if self.sigma_with_temperature else None,
            material=needle_material() if self.cannula_conduction else None,
            stops_perfusion=perfusion_stop_set(),
            damage=(damage_set("coagulation"),),
            flow=perfusion_law() if self.flow_with_temperature else None,
            thermocouple_m=sensor_mm / MM_PER_M,
            cool_down_s=cool_down_s,
            steps=steps or TimeSteps(),
        )


def require_time(time_s: float, *, limit_s: float = 1800.0) -> None:
    """Raise `InputError` unless a time can be simulated."""
    if not 0 < time_s <= limit_s:
        raise InputError(f"A lesion of {time_s:g} s is outside what is modelled (up to {limit_s:g} s).")


def require_temperature(set_degC: float) -> None:
    """Raise `InputError` unless tissue can be held at a temperature."""
    limit_degC = number("tissues.boiling_from_degC")
    if not set_degC < limit_degC:
        raise InputError(f"A set temperature of {set_degC:g} degC would boil tissue; stay below {limit_degC:g} degC.")
