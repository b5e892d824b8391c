"""The course of one heat lesion over time: temperature, power and impedance."""

from __future__ import annotations

from foramen.model.plan import RfHeatEffect
from foramen.report.annotation import new_figure, png_bytes
from foramen.report.messages import message


def draw_course(effect: RfHeatEffect) -> bytes:
    """PNG of temperature at the thermocouple, power and impedance against time, one panel each."""
    rows = (
        ("tip_degC", "course.temperature", "#D55E00"),
        ("power_w", "course.power", "#0072B2"),
        ("impedance_ohm", "course.impedance", "#444444"),
    )
    shown = [row for row in rows if effect.history.get(row[0])]
    figure = new_figure(8.6, 1.75)
    for number, (name, key, colour) in enumerate(shown):
        axes = figure.add_axes((0.055 + number * 0.325, 0.25, 0.265, 0.60))
        axes.plot(effect.history["time_s"], effect.history[name], color=colour, lw=1.8)
        axes.set_title(message(key), fontsize=8.5, loc="left", pad=3)
        axes.set_xlabel(message("course.time"), fontsize=8, labelpad=1)
        axes.tick_params(labelsize=8)
        axes.grid(color="#DDDDDD", lw=0.6)
        axes.spines[["top", "right"]].set_visible(False)
        if name != "tip_degC":
            axes.set_ylim(bottom=0)
    return png_bytes(figure, dots_per_inch=130)
