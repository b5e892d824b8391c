"""Page of inverse planning: table, Pareto plot, advice and assumptions; returns text and bytes, opens no file."""

from __future__ import annotations

import base64
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke

from foramen.model.inverse import InversePoint, InverseResult, InverseTarget
from foramen.report.annotation import new_figure, png_bytes, stamped
from foramen.report.messages import message

_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")
_MARKS = ("o", "s", "D", "p")
_GREY = "#777777"
_FAR = 0.7
"""Part of the axis beyond which the textbook's name stands to the left of its mark."""


def render_inverse(result: InverseResult) -> str:
    """Self-contained HTML of a result."""
    environment = Environment(
        loader=PackageLoader("foramen.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["degrees"] = lambda text: str(text).replace("degC", "°C").replace("mm3", "mm³")
    pictures = [base64.b64encode(draw_front(target, result)).decode("ascii") for target in result.targets]
    return environment.get_template("inverse.html.j2").render(r=result, pictures=pictures, t=message)


def draw_front(target: InverseTarget, result: InverseResult) -> bytes:
    """PNG of one nerve's settings: probability of capture over burnt tissue, by number of passes."""
    figure = new_figure(7.6, 4.6)
    axes = figure.add_axes((0.09, 0.12, 0.63, 0.78))
    for passes in sorted({point.passes for point in target.points}):
        own = sorted((p for p in target.front if p.passes == passes), key=lambda p: p.burnt_mm3)
        xs, ys = [p.burnt_mm3 for p in own], [100 * p.capture.estimate_fraction for p in own]
        axes.plot(xs, ys, color=_colour(passes), lw=1.1, ls="--", zorder=2)
    far_mm3 = 1.08 * max(point.burnt_mm3 for point in target.points)
    for point in target.points:
        _point(axes, point, is_far=point.burnt_mm3 > _FAR * far_mm3)
    accept = 100 * result.accept_fraction
    axes.axhline(accept, color=_GREY, lw=0.8, ls=":")
    across = axes.get_yaxis_transform()
    axes.text(0.01, accept + 1, message("inverse.accepted"), fontsize=7.5, color=_GREY, transform=across)
    axes.set_ylim(0, 102)
    axes.set_xlim(0, far_mm3)
    axes.set_xlabel(message("inverse.burnt_axis", level=f"{result.burnt_degC:g}"), fontsize=9)
    axes.set_ylabel(message("inverse.capture_axis", percent=f"{100 * result.captured_fraction:g}"), fontsize=9)
    axes.set_title(target.target, fontsize=10, loc="left")
    axes.grid(color="#E2E2E2", lw=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(handles=_legend(target), fontsize=8, frameon=False, loc="upper left", bbox_to_anchor=(1.01, 1.0))
    png = png_bytes(figure, dots_per_inch=150)
    return stamped(png, ", ".join(line.partition(":")[0] for line in result.basis)) if result.basis else png


def _passes(count: int) -> str:
    return message("inverse.one_pass") if count == 1 else message("inverse.passes", count=count)


def _colour(passes: int) -> str:
    return _COLOURS[(passes - 1) % len(_COLOURS)]


def _point(axes: Axes, point: InversePoint, *, is_far: bool) -> None:
    """One setting with its number and interval; hollow if it breaks a hard limit, ringed if it is recommended."""
    x, y = point.burnt_mm3, 100 * point.capture.estimate_fraction
    low, high = y - 100 * point.capture.low_fraction, 100 * point.capture.high_fraction - y
    colour = _colour(point.passes)
    axes.errorbar([x], [y], yerr=[[low], [high]], fmt="none", color=colour, elinewidth=0.8, capsize=2, zorder=3)
    mark = "*" if point.is_textbook else _MARKS[(point.passes - 1) % len(_MARKS)]
    size, fill = (17 if point.is_textbook else 13), "white" if point.broken else colour
    axes.plot([x], [y], mark, ms=size, mfc=fill, mec=colour if point.broken else "white", mew=1.0, zorder=4)
    if point.is_recommended:
        axes.plot([x], [y], "o", ms=21, mfc="none", mec="black", mew=1.6, zorder=5)
    style: dict[str, Any] = {"fontsize": 8.5, "fontweight": "bold", "va": "center", "zorder": 6}
    if point.is_textbook:
        halo, side = [withStroke(linewidth=2.5, foreground="white")], -1 if is_far else 1
        axes.annotate(
            message("inverse.textbook"),
            (x, y),
            textcoords="offset points",
            xytext=(11 * side, 0),
            ha="right" if is_far else "left",
            color=colour,
            path_effects=halo,
            **style,
        )
    else:
        axes.text(x, y - 0.3, str(point.number), ha="center", color=colour if point.broken else "white", **style)


def _legend(target: InverseTarget) -> list[Line2D]:
    """What marks mean."""
    found = []
    for passes in sorted({point.passes for point in target.points}):
        mark, colour = _MARKS[(passes - 1) % len(_MARKS)], _colour(passes)
        found.append(Line2D([], [], ls="--", marker=mark, color=colour, label=_passes(passes)))
    style: dict[str, Any] = {"ls": "", "color": "black"}
    found.append(Line2D([], [], marker="*", ms=11, label=message("inverse.textbook"), **style))
    found.append(Line2D([], [], marker="o", mfc="white", label=message("inverse.broken_mark"), **style))
    found.append(Line2D([], [], marker="o", ms=13, mfc="none", label=message("inverse.recommended"), **style))
    return found
