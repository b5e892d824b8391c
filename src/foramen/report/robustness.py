"""Dose-volume histograms of a plan, with their band over scenarios."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.axes import Axes

from foramen.knowledge.facts import number, numbers
from foramen.model.robust import HeatHistogram, RobustEffect
from foramen.report.annotation import new_figure, png_bytes
from foramen.report.messages import message

_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#444444")
_LINES = ("solid", "dashed", "dotted", "dashdot", "solid", "dashed")
_COLUMNS = 2


COOL_BELOW = numbers("robust.histogram_degC")[0]
"""Structures below it in 95 % of the scenarios are named together (degC)."""


def cool_structures(robust: RobustEffect | None) -> tuple[str, ...]:
    """Names of the structures below `COOL_BELOW` in 95 % of the scenarios at every target."""
    listed = () if robust is None else robust.structures
    warm = {s.structure for s in listed if s.high_degC is None or s.high_degC >= COOL_BELOW}
    return tuple(sorted({s.structure for s in listed} - warm))


def draw_histograms(robust: RobustEffect) -> bytes:
    """PNG of the temperature and thermal-dose histograms, one row for each target; bands hold 90 % of scenarios."""
    targets = [target.target for target in robust.targets]
    figure = new_figure(8.6, 2.35 * len(targets))
    for row, target in enumerate(targets):
        for column, quantity in enumerate(("peak_degC", "cem43_min")):
            axes = figure.add_subplot(len(targets), _COLUMNS, 1 + row * _COLUMNS + column)
            shown = [h for h in robust.histograms if h.target == target and h.quantity == quantity]
            _panel(axes, shown, quantity)
            axes.set_title(message(f"robust.{quantity}", target=target.partition(",")[0]), fontsize=8.5, loc="left")
    figure.subplots_adjust(
        left=0.07, right=0.985, top=1 - 0.28 / (2.35 * len(targets)), bottom=0.42 / (2.35 * len(targets))
    )
    figure.subplots_adjust(hspace=0.55, wspace=0.16)
    return png_bytes(figure, dots_per_inch=130)


def _panel(axes: Axes, shown: Sequence[HeatHistogram], quantity: str) -> None:
    for histogram, colour, line in zip(shown, _COLOURS, _LINES, strict=False):
        percent = 100 / histogram.total_mm3
        low, median, high, nominal = (
            [percent * v for v in row]
            for row in (histogram.low_mm3, histogram.median_mm3, histogram.high_mm3, histogram.nominal_mm3)
        )
        axes.fill_between(histogram.levels, low, high, color=colour, alpha=0.2, lw=0)
        axes.plot(histogram.levels, median, color=colour, lw=1.8, ls=line, label=histogram.structure)
        axes.plot(histogram.levels, nominal, color=colour, lw=0.9, ls=(0, (1, 2)))
    if quantity == "cem43_min":
        axes.set_xscale("log")
        axes.axvline(number("damage.cem43_nerve_min"), color="#888888", lw=0.8)
    axes.set_ylim(0, 102)
    axes.set_ylabel(message("robust.share"), fontsize=8, labelpad=1)
    axes.set_xlabel(message(f"robust.{quantity}_axis"), fontsize=8, labelpad=1)
    axes.tick_params(labelsize=8)
    axes.grid(color="#DDDDDD", lw=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    if shown:
        axes.legend(fontsize=7, frameon=False, loc="lower left", ncols=math.ceil(len(shown) / 4))
