"""Pictures of the lesion atlas: size against time and set temperature, and tissue by tissue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from foramen.planning.lesion_atlas import LesionAtlas
from foramen.report.annotation import new_figure, png_bytes
from foramen.report.messages import message
from foramen.report.palette import ISOTHERMS

_LINES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#444444")
_MARKS = "osD^vPX"
_MEASURES = ("width", "length")


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """One place in the atlas: the index of the value of each axis; a picture varies some of them."""

    atlas: LesionAtlas
    index: Mapping[str, int]

    def value(self, axis: str) -> float | str:
        """Value of an axis at this place."""
        return self.atlas.axes[axis][self.index[axis]]

    def at(self, **index: int) -> Slice:
        """The place with other indices on some axes."""
        return Slice(atlas=self.atlas, index={**self.index, **index})

    def along(self, axis: str, column: str) -> NDArray[np.float64]:
        """Numbers of a column along one axis, the other axes held."""
        where = tuple(slice(None) if name == axis else self.index[name] for name in self.atlas.axes)
        return self.atlas.grid(column)[where]


def reference_place(atlas: LesionAtlas) -> Slice:
    """The middle of every axis (of two values the larger); the first tissue and spacing."""
    middle = {axis: len(values) // 2 for axis, values in atlas.axes.items()}
    return Slice(atlas=atlas, index={**middle, "tissue": 0, "spacing_mm": 0})


def draw_against(place: Slice, axis: str, level: str) -> bytes:
    """PNG of width (above) and length (below) against an axis: a panel for each tip, a line for each gauge.

    Parameters
    ----------
    axis : str
        ``time_s`` or ``temperature_degC``.
    level : str
        Isotherm in degC, as it stands in the names of the columns.
    """
    tips = place.atlas.axes["tip_mm"]
    figure = new_figure(1.75 + 2.55 * len(tips), 5.0)
    grid = figure.subplots(2, len(tips), sharex=True, sharey="row", squeeze=False)
    for row, measure in enumerate(_MEASURES):
        for number, tip_mm in enumerate(tips):
            axes = grid[row, number]
            _draw_gauges(axes, place.at(tip_mm=number), axis, f"isotherm_{level}degC_{measure}_mm")
            _dress(axes)
            axes.set_xticks(np.array(place.atlas.axes[axis], dtype=np.float64))
            if row == 0:
                axes.set_title(message("atlas.tip", tip=f"{tip_mm:g}"), fontsize=10)
            else:
                axes.set_xlabel(message(f"atlas.{axis}"), fontsize=9.5)
        grid[row, 0].set_ylabel(message(f"atlas.{measure}"), fontsize=9.5)
        grid[row, 0].set_ylim(bottom=0)
    _legend(figure, grid[0, 0], title=message("atlas.gauge"))
    return _finished(figure)


def _draw_gauges(axes: Axes, place: Slice, axis: str, column: str) -> None:
    for number, gauge in enumerate(place.atlas.axes["gauge"]):
        here = place.at(gauge=number)
        colour = _LINES[number % len(_LINES)]
        x = np.array(place.atlas.axes[axis], dtype=np.float64)
        y = here.along(axis, column)
        axes.plot(x, y, color=colour, lw=1.6, marker=_MARKS[number % len(_MARKS)], ms=4.5, label=f"{gauge:g} G")
        is_limited = here.along(axis, "is_limited") == 1
        (marks,) = axes.plot(x[is_limited], y[is_limited], "o", ms=10, mfc="none", mec=colour, mew=1.2, clip_on=False)
        marks.set_in_layout(False)  # an empty line that is not clipped has an endless extent


def draw_tissues(place: Slice) -> bytes:
    """PNG of width and length by tissue at one place of the other axes, with every isotherm."""
    tissues = place.atlas.axes["tissue"]
    figure = new_figure(8.6, 1.3 + 0.32 * len(tissues))
    grid = figure.subplots(1, 2, sharey=True, squeeze=False)
    y = np.arange(len(tissues))
    for number, measure in enumerate(_MEASURES):
        axes = grid[0, number]
        for look, mark in zip(ISOTHERMS, _MARKS, strict=False):
            x = place.along("tissue", f"isotherm_{look.temperature_degC:.0f}degC_{measure}_mm")
            label = f"{look.temperature_degC:.0f} °C"
            axes.plot(x, y, mark, color=look.colour, ms=7, mec="#333333", mew=0.5, label=label)
        _dress(axes)
        axes.set_xlabel(message(f"atlas.{measure}"), fontsize=9.5)
        axes.set_xlim(left=0)
    grid[0, 0].set_yticks(y, [str(tissue).replace("_", " ") for tissue in tissues])
    grid[0, 0].set_ylim(len(tissues) - 0.5, -0.5)
    _legend(figure, grid[0, 0], title=message("atlas.isotherm"))
    return _finished(figure)


def _dress(axes: Axes) -> None:
    axes.grid(color="#DDDDDD", lw=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=9)
    axes.yaxis.set_major_locator(MaxNLocator(6))
    axes.set_axisbelow(True)


def _legend(figure: Figure, axes: Axes, *, title: str) -> None:
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, title=title, loc="center right", frameon=False, fontsize=9.5, title_fontsize=9.5)


def _finished(figure: Figure) -> bytes:
    """The picture, with room for the legend on the right."""
    figure.tight_layout(rect=(0, 0, 1 - 1.05 / figure.get_figwidth(), 1), h_pad=1.2, w_pad=1.2)
    return png_bytes(figure, dots_per_inch=150)


def levels_of(atlas: LesionAtlas) -> Sequence[str]:
    """The isotherms of an atlas, in degC, as its columns name them; none if every case failed."""
    ends = "degC_width_mm"
    names = [name for name in atlas.columns if name.startswith("isotherm_") and name.endswith(ends)]
    return [name.removeprefix("isotherm_").removesuffix(ends) for name in names]
