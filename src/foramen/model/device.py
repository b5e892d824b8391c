"""Instruments, discriminated by `kind`; dimensions are resolved here and stored in the plan."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from foramen.errors import InputError


class TipShape(StrEnum):
    """Shape of an instrument's end."""

    HEMISPHERICAL = "hemispherical"
    SHARP = "sharp"
    QUINCKE = "quincke"
    TUOHY = "tuohy"
    CURVED = "curved"
    TINED = "tined"
    DIAMOND = "diamond"


class Thermocouple(StrEnum):
    """Where a device measures temperature."""

    POLE = "pole"  # distal end of the tip
    MID = "mid"  # middle of the active segment
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Needle:
    """A plain needle for injection."""

    kind: Literal["needle"] = "needle"
    id: str
    version: str
    name: str
    gauge: float
    outer_diameter_mm: float
    inner_diameter_mm: float
    lengths_mm: tuple[float, ...]
    tip_shape: TipShape
    material: str
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RfCannula:
    """An insulated cannula with a bare active segment, and the electrode inside it."""

    kind: Literal["rf_cannula"] = "rf_cannula"
    id: str
    version: str
    name: str
    gauge: float
    outer_diameter_mm: float
    inner_diameter_mm: float
    lengths_mm: tuple[float, ...]
    active_tip_mm: float
    tip_shape: TipShape
    thermocouple: Thermocouple
    material: str
    max_temperature_degC: float
    sources: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 0 < self.inner_diameter_mm < self.outer_diameter_mm:
            raise InputError(f"Device {self.id}: inner diameter must lie between 0 and the outer diameter.")
        if not 0 < self.active_tip_mm < min(self.lengths_mm):
            raise InputError(f"Device {self.id}: the active tip is longer than the cannula.")

    @property
    def radius_mm(self) -> float:
        """Outer radius of the cannula."""
        return self.outer_diameter_mm / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """A percutaneous stimulation lead."""

    kind: Literal["lead"] = "lead"
    id: str
    version: str
    name: str
    diameter_mm: float
    contacts: int
    contact_length_mm: float
    contact_spacing_mm: float
    lengths_mm: tuple[float, ...]
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Introducer:
    """A trocar or introducer through which another device passes."""

    kind: Literal["introducer"] = "introducer"
    id: str
    version: str
    name: str
    gauge: float
    outer_diameter_mm: float
    inner_diameter_mm: float
    lengths_mm: tuple[float, ...]
    tip_shape: TipShape
    material: str
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CurvedElectrode:
    """A bipolar electrode that leaves its introducer on a curve."""

    kind: Literal["curved_electrode"] = "curved_electrode"
    id: str
    version: str
    name: str
    outer_diameter_mm: float
    active_tip_mm: float
    curve_radius_mm: float
    max_temperature_degC: float
    thermocouple: Thermocouple
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Balloon:
    """An inflatable bone tamp."""

    kind: Literal["balloon"] = "balloon"
    id: str
    version: str
    name: str
    length_mm: float
    max_volume_ml: float
    max_pressure_psi: float
    sources: tuple[str, ...] = ()


Device = Needle | RfCannula | Lead | Introducer | CurvedElectrode | Balloon
"""Any instrument of the catalogue."""
