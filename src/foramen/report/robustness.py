"""Dose-volume histograms of a plan, with their band over scenarios."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes

from foramen.knowledge.facts import number, numbers
from foramen.model.robust import HeatHistogram, RobustEffect
from foramen.report.annotation import new_figure, png_bytes
from foramen.report.messages import message

_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#444444")
_LINES = ("solid", "dashed", "dotted", "dashdot", "solid", "dashed")
_PANELS = (0.055, 0.395, 0.745)
"""Left edges of the panels: temperature and dose of the target, temperature of what is to be spared."""

COOL_BELOW = numbers("robust.histogram_degC")[0]
"""Structures below it in 95 % of the scenarios are named together (degC)."""


def cool_structures(robust: RobustEffect | None) -> tuple[str, ...]:
    """Names of the structures below `COOL_BELOW` in 95 % of the scenarios at every target."""
    listed = () if robust is None else robust.structures
    warm = {s.structure for s in listed if s.high_degC is None or s.high_degC >= COOL_BELOW}
    return tuple(sorted({s.structure for s in listed} - warm))


def draw_histograms(robust: RobustEffect) -> bytes:
    """PNG with one row for each target: its temperature and thermal dose, and the temperature of its neighbours."""
    height_in = 1.75
    count = len(robust.targets)
    figure = new_figure(8.6, height_in * count)
    for row, target in enumerate(robust.targets):
        name = target.target.partition(",")[0]
        own = [h for h in robust.histograms if h.target == target.target]
        nerve = next(h.structure for h in own)  # the target comes first
        groups = (
            ("peak_degC", [h for h in own if h.structure == nerve and h.quantity == "peak_degC"], True),
            ("cem43_min", [h for h in own if h.structure == nerve and h.quantity == "cem43_min"], True),
            ("neighbours", [h for h in own if h.structure != nerve and h.quantity == "peak_degC"], False),
        )
        for left, (key, shown, is_share) in zip(_PANELS, groups, strict=True):
            bottom = (count - 1 - row + 0.25) / count
            axes = figure.add_axes((left, bottom, 0.245, 0.60 / count))
            _panel(axes, shown, is_share=is_share)
            axes.set_title(message(f"robust.{key}", target=name), fontsize=8.5, loc="left", pad=3)
            axes.set_ylabel(message("robust.share" if is_share else "robust.volume"), fontsize=7.5, labelpad=1)
            quantity = "cem43_min" if key == "cem43_min" else "peak_degC"
            axes.set_xlabel(message(f"robust.{quantity}_axis"), fontsize=8, labelpad=1)
            if key == "cem43_min":
                axes.set_xscale("log")
                axes.axvline(number("damage.cem43_nerve_min"), color="#888888", lw=0.8)
    return png_bytes(figure, dots_per_inch=130)


def _panel(axes: Axes, shown: Sequence[HeatHistogram], *, is_share: bool) -> None:
    """Median, band and plan of each structure, as a share of its volume or in cubic millimetres."""
    for histogram, colour, line in zip(shown, _COLOURS, _LINES, strict=False):
        scale = 100 / histogram.total_mm3 if is_share else 1.0
        low, median, high, nominal = (
            [scale * v for v in row]
            for row in (histogram.low_mm3, histogram.median_mm3, histogram.high_mm3, histogram.nominal_mm3)
        )
        axes.fill_between(histogram.levels, low, high, color=colour, alpha=0.2, lw=0)
        axes.plot(histogram.levels, median, color=colour, lw=1.8, ls=line, label=histogram.structure)
        axes.plot(histogram.levels, nominal, color=colour, lw=0.9, ls=(0, (1, 2)))
    axes.set_ylim(0, 102 if is_share else None)
    axes.tick_params(labelsize=7.5)
    axes.grid(color="#DDDDDD", lw=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    if not shown:
        text = message("robust.cool_panel", level=f"{COOL_BELOW:g}")
        axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", fontsize=8)
    elif not is_share:
        axes.set_xlim(COOL_BELOW, max(number("robust.neighbour_axis_degC"), COOL_BELOW))
        axes.legend(fontsize=6.5, frameon=False, loc="upper right")
