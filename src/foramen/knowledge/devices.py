"""The catalogue of instruments (`devices.yaml`)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from foramen.errors import InputError, KnowledgeError
from foramen.knowledge.documents import STRICT, Document, SourceKeys, Traced, read_document
from foramen.model import device as model
from foramen.model.device import Device, Thermocouple, TipShape

Positive = Annotated[float, Field(gt=0)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bore:
    __pydantic_config__ = STRICT

    gauge: Positive
    outer_mm: Positive
    inner_mm: Positive


@dataclass(frozen=True, slots=True, kw_only=True)
class _Gauges:
    __pydantic_config__ = STRICT

    table: tuple[_Bore, ...]
    sources: SourceKeys
    trace: Traced
    locator: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    id: str
    version: str
    name: str
    sources: SourceKeys
    trace: Traced
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _RfCannula(_Entry):
    __pydantic_config__ = STRICT

    kind: Literal["rf_cannula"]
    gauges: tuple[Positive, ...]
    active_tips_mm: tuple[Positive, ...]
    lengths_mm: tuple[Positive, ...]
    tip_shape: TipShape
    thermocouple: Thermocouple
    material: str
    max_temperature_degC: Positive


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tube(_Entry):
    __pydantic_config__ = STRICT

    kind: Literal["needle", "introducer"]
    gauges: tuple[Positive, ...]
    lengths_mm: tuple[Positive, ...]
    tip_shape: TipShape
    material: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _CurvedElectrode(_Entry):
    __pydantic_config__ = STRICT

    kind: Literal["curved_electrode"]
    outer_diameter_mm: Positive
    active_tip_mm: Positive
    curve_radius_mm: Positive
    max_temperature_degC: Positive
    thermocouple: Thermocouple


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lead(_Entry):
    __pydantic_config__ = STRICT

    kind: Literal["lead"]
    diameter_mm: Positive
    contacts: Annotated[int, Field(gt=0)]
    contact_length_mm: Positive
    contact_spacing_mm: Positive
    lengths_mm: tuple[Positive, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Balloon(_Entry):
    __pydantic_config__ = STRICT

    kind: Literal["balloon"]
    length_mm: Positive
    max_volume_ml: Positive
    max_pressure_psi: Positive


_AnyEntry = Annotated[_RfCannula | _Tube | _CurvedElectrode | _Lead | _Balloon, Field(discriminator="kind")]
_CATALOGUE: TypeAdapter[list[_RfCannula | _Tube | _CurvedElectrode | _Lead | _Balloon]] = TypeAdapter(list[_AnyEntry])


def devices_of_document(document: Document) -> tuple[Device, ...]:
    """The devices of a catalogue file, families written out, in file order.

    Raises
    ------
    KnowledgeError
        With line and column, if an entry is wrong, a gauge is missing or an id is used twice.
    """
    gauges = document.parse(TypeAdapter(_Gauges), ("gauges",))
    bores = {bore.gauge: bore for bore in gauges.table}
    found: dict[str, Device] = {}
    entries = document.parse(_CATALOGUE, ("devices",))
    for index, entry in enumerate(entries):
        for missing in set(getattr(entry, "gauges", ())) - set(bores):
            raise document.error(("devices", index, "gauges"), f"{missing:g} G is not in the gauge table.")
        for device in _written_out(entry, bores=bores):
            if device.id in found:
                raise document.error(("devices", index, "id"), f"The device id {device.id!r} is used twice.")
            found[device.id] = device
    return tuple(found.values())


def _written_out(
    entry: _RfCannula | _Tube | _CurvedElectrode | _Lead | _Balloon, *, bores: dict[float, _Bore]
) -> Iterator[Device]:
    match entry:
        case _RfCannula():
            for gauge in entry.gauges:
                for tip_mm in entry.active_tips_mm:
                    yield _rf_cannula(entry, bore=bores[gauge], tip_mm=tip_mm)
        case _Tube():
            yield from (_tube(entry, bore=bores[gauge]) for gauge in entry.gauges)
        case _CurvedElectrode():
            yield model.CurvedElectrode(
                id=entry.id,
                version=entry.version,
                name=entry.name,
                outer_diameter_mm=entry.outer_diameter_mm,
                active_tip_mm=entry.active_tip_mm,
                curve_radius_mm=entry.curve_radius_mm,
                max_temperature_degC=entry.max_temperature_degC,
                thermocouple=entry.thermocouple,
                sources=entry.sources,
            )
        case _Lead():
            yield model.Lead(
                id=entry.id,
                version=entry.version,
                name=entry.name,
                diameter_mm=entry.diameter_mm,
                contacts=entry.contacts,
                contact_length_mm=entry.contact_length_mm,
                contact_spacing_mm=entry.contact_spacing_mm,
                lengths_mm=entry.lengths_mm,
                sources=entry.sources,
            )
        case _Balloon():
            yield model.Balloon(
                id=entry.id,
                version=entry.version,
                name=entry.name,
                length_mm=entry.length_mm,
                max_volume_ml=entry.max_volume_ml,
                max_pressure_psi=entry.max_pressure_psi,
                sources=entry.sources,
            )


def _rf_cannula(entry: _RfCannula, *, bore: _Bore, tip_mm: float) -> model.RfCannula:
    return model.RfCannula(
        id=entry.id.format(gauge=f"{bore.gauge:g}", tip=f"{tip_mm:g}"),
        version=entry.version,
        name=entry.name.format(gauge=f"{bore.gauge:g}", tip=f"{tip_mm:g}"),
        gauge=bore.gauge,
        outer_diameter_mm=bore.outer_mm,
        inner_diameter_mm=bore.inner_mm,
        lengths_mm=entry.lengths_mm,
        active_tip_mm=tip_mm,
        tip_shape=entry.tip_shape,
        thermocouple=entry.thermocouple,
        material=entry.material,
        max_temperature_degC=entry.max_temperature_degC,
        sources=entry.sources,
    )


def _tube(entry: _Tube, *, bore: _Bore) -> model.Needle | model.Introducer:
    kind = model.Needle if entry.kind == "needle" else model.Introducer
    return kind(
        id=entry.id.format(gauge=f"{bore.gauge:g}"),
        version=entry.version,
        name=entry.name.format(gauge=f"{bore.gauge:g}"),
        gauge=bore.gauge,
        outer_diameter_mm=bore.outer_mm,
        inner_diameter_mm=bore.inner_mm,
        lengths_mm=entry.lengths_mm,
        tip_shape=entry.tip_shape,
        material=entry.material,
        sources=entry.sources,
    )


@cache
def devices() -> tuple[Device, ...]:
    """Every device of the catalogue."""
    return devices_of_document(read_document("devices.yaml"))


def devices_of_kind(kind: str) -> tuple[Device, ...]:
    """The devices of one kind (needle, rf_cannula, lead, introducer, curved_electrode, balloon)."""
    found = tuple(device for device in devices() if device.kind == kind)
    if not found:
        kinds = ", ".join(sorted({device.kind for device in devices()}))
        raise KnowledgeError(f"There is no device of kind {kind!r}. Kinds in the catalogue: {kinds}.")
    return found


def rf_cannulae() -> tuple[model.RfCannula, ...]:
    """The radiofrequency cannulae of the catalogue."""
    return tuple(device for device in devices() if isinstance(device, model.RfCannula))


def cannulae_of_gauge(gauge: float) -> tuple[model.RfCannula, ...]:
    """The radiofrequency cannulae of one gauge, all of one bore; raises `InputError` if there is none."""
    found = tuple(cannula for cannula in rf_cannulae() if cannula.gauge == gauge)
    if not found:
        known = ", ".join(f"{number:g}" for number in sorted({cannula.gauge for cannula in rf_cannulae()}))
        raise InputError(f"No RF cannula of {gauge:g} G is in the catalogue. Choose one of {known} G.")
    return found


def device(device_id: str) -> Device:
    """The device of that id; raises `KnowledgeError` with similar ids if there is none."""
    for entry in devices():
        if entry.id == device_id:
            return entry
    known = ", ".join(entry.id for entry in devices())
    raise KnowledgeError(f"There is no device {device_id!r} in devices.yaml. Known: {known}.")
