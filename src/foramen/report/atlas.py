"""The page of the lesion atlas: pictures, tables by colour, and every case; self-contained HTML."""

from __future__ import annotations

import base64
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from numpy.typing import NDArray

from foramen.planning.lesion_atlas import LesionAtlas
from foramen.report.atlas_figures import Slice, draw_against, draw_tissues, levels_of, reference_place
from foramen.report.messages import message
from foramen.report.palette import rgb

_TINT = "#0072B2"
"""Colour of the largest size in a table by colour."""

_STRONGEST = 0.55
"""How much of it the largest size has, so that black type stays legible."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _HeatCell:
    text: str
    tint: str
    is_limited: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _HeatTable:
    """One time: a row for each gauge and tip, a cell for each temperature, tinted by the width of the isotherm."""

    title: str
    rows: list[tuple[str, list[_HeatCell]]]
    is_open: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chapter:
    """One tissue and spacing: for each isotherm its pictures (title, base64) and its tables by colour."""

    title: str
    figures: dict[str, list[tuple[str, str]]]
    heat: dict[str, list[_HeatTable]]


def render_atlas(atlas: LesionAtlas) -> str:
    """Self-contained HTML of an atlas: nothing is loaded from elsewhere, no script is run."""
    environment = Environment(
        loader=PackageLoader("foramen.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    levels = levels_of(atlas)
    place = reference_place(atlas)
    return environment.get_template("atlas.html.j2").render(
        t=message,
        atlas=atlas,
        levels=levels,
        chapters=[_chapter(here, levels) for here in _chapters(place)] if levels else [],
        tissues=_png(draw_tissues(place)) if levels and len(atlas.axes["tissue"]) > 1 else "",
        at=_where(place, "gauge", "tip_mm", "temperature_degC", "time_s"),
    )


def _chapters(place: Slice) -> list[Slice]:
    counts = [range(len(place.atlas.axes[axis])) for axis in ("tissue", "spacing_mm")]
    return [place.at(tissue=tissue, spacing_mm=spacing) for tissue, spacing in itertools.product(*counts)]


def _chapter(place: Slice, levels: Sequence[str]) -> _Chapter:
    figures: dict[str, list[tuple[str, str]]] = {}
    for level in levels:
        figures[level] = [
            (
                message(f"atlas.against_{axis}", level=level, at=_where(place, held)),
                _png(draw_against(place, axis, level)),
            )
            for axis, held in (("time_s", "temperature_degC"), ("temperature_degC", "time_s"))
            if len(place.atlas.axes[axis]) > 1
        ]
    return _Chapter(
        title=_where(place, "tissue", "spacing_mm"),
        figures=figures,
        heat={level: _heat_tables(place, level) for level in levels},
    )


def _heat_tables(place: Slice, level: str) -> list[_HeatTable]:
    widest_mm = float(np.nanmax(np.append(place.atlas.grid(f"isotherm_{level}degC_width_mm"), 0.0)))
    return [
        _HeatTable(
            title=message("atlas.heat", level=level, at=_where(place.at(time_s=number), "time_s")),
            rows=_heat_rows(place.at(time_s=number), level, widest_mm=widest_mm),
            is_open=number == place.index["time_s"],
        )
        for number in range(len(place.atlas.axes["time_s"]))
    ]


def _heat_rows(place: Slice, level: str, *, widest_mm: float) -> list[tuple[str, list[_HeatCell]]]:
    rows = []
    for gauge, tip in itertools.product(*(range(len(place.atlas.axes[axis])) for axis in ("gauge", "tip_mm"))):
        here = place.at(gauge=gauge, tip_mm=tip)
        sizes = (here.along("temperature_degC", f"isotherm_{level}degC_{m}_mm") for m in ("width", "length"))
        limited = here.along("temperature_degC", "is_limited")
        joined = _joined(here, level)
        cells = [_heat_cell(*numbers, widest_mm=widest_mm) for numbers in zip(*sizes, limited, joined, strict=True)]
        rows.append((_where(here, "gauge", "tip_mm"), cells))
    return rows


def _joined(place: Slice, level: str) -> NDArray[np.float64]:
    """Along the temperatures, 0 where the region about two electrodes falls into parts."""
    column = f"isotherm_{level}degC_is_one_body"
    if column not in place.atlas.columns:
        return np.ones(len(place.atlas.axes["temperature_degC"]))
    return place.along("temperature_degC", column)


def _heat_cell(width_mm: float, length_mm: float, limited: float, joined: float, *, widest_mm: float) -> _HeatCell:
    if np.isnan(width_mm):
        return _HeatCell(text=message("atlas.failed"), tint="#FFFFFF", is_limited=False)
    weight = _STRONGEST * width_mm / widest_mm if widest_mm else 0.0
    red, green, blue = (round(255 * (1 - weight * (1 - part))) for part in rgb(_TINT))
    size = "atlas.size_apart" if joined == 0 else "atlas.size"
    text = message(size, width=f"{width_mm:.1f}", length=f"{length_mm:.1f}") if width_mm else "0"
    return _HeatCell(text=text, tint=f"#{red:02X}{green:02X}{blue:02X}", is_limited=limited == 1)


def _where(place: Slice, *axes: str) -> str:
    """A place on some axes, in words."""
    words = []
    for axis in axes:
        value = place.value(axis)
        shown = value.replace("_", " ") if isinstance(value, str) else f"{value:g}"
        key = "atlas.at_single" if axis == "spacing_mm" and not value else f"atlas.at_{axis}"
        words.append(message(key, value=shown))
    return ", ".join(words)


def _png(content: bytes) -> str:
    return base64.b64encode(content).decode()
