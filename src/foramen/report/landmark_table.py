"""The table of landmarks on the contact sheet: one row a vertebra, one pair of cells (R, L) a landmark."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from foramen.io.inspect_anatomy import InspectedAnatomy, InspectedLandmark
from foramen.knowledge.facts import number, numbers
from foramen.model.levels import Side, Vertebra
from foramen.report.anatomy_marks import MARK_LOOKS, MISSING_COLOUR
from foramen.report.label_overlay import vertebra_colour
from foramen.report.messages import message

NAME_WIDTH = 0.05
"""Share of the width for the names of the vertebrae."""

HEAD_ROWS_IN = 0.66
"""Height of the table's title and of the names of its columns, in inches."""


def draw_landmark_table(axes: Axes, anatomy: InspectedAnatomy, codes: dict[str, str], *, row_in: float) -> None:
    """Draw the table into axes: standard uncertainty in each cell, its colour the confidence.

    Parameters
    ----------
    codes : dict
        Code of each landmark's name, as on the cuts.
    row_in : float
        Height of a row in inches.
    """
    figure = axes.get_figure(root=True)
    tall_in = axes.get_window_extent().height / (figure.dpi if figure is not None else 72.0)
    axes.set_xlim(0, 1)
    axes.set_ylim(tall_in, 0)
    axes.axis("off")
    names = list(dict.fromkeys(mark.name for vertebra in anatomy.vertebrae for mark in vertebra.landmarks))
    low, high = numbers("display.confidence_bands_fraction")
    title = message(
        "contact.table",
        within=f"{number('registration.confidence_radius_mm'):g}",
        low=f"{100 * low:.0f}",
        high=f"{100 * high:.0f}",
    )
    axes.text(0, 0.0, title, color="white", fontsize=10.5, va="top", weight="bold")
    cell = (1 - NAME_WIDTH) / max(2 * len(names), 1)
    for column, name in enumerate(names):
        x = NAME_WIDTH + 2 * column * cell
        axes.text(x + cell, 0.36, codes[name], color="white", fontsize=9.5, ha="center", va="center", weight="bold")
        for place, letter in enumerate("RL"):
            axes.text(x + (place + 0.5) * cell, 0.56, letter, color="#CFCFCF", fontsize=8.5, ha="center", va="center")
    for row, vertebra in enumerate(anatomy.vertebrae):
        y = HEAD_ROWS_IN + row * row_in
        axes.text(
            0, y + row_in / 2, vertebra.level, color=vertebra_colour(Vertebra(vertebra.level)), fontsize=10.5,
            va="center", weight="bold",
        )  # fmt: skip
        by_key = {(mark.name, mark.side): mark for mark in vertebra.landmarks}
        for column, name in enumerate(names):
            for place, side in enumerate((Side.RIGHT, Side.LEFT)):
                mark = by_key.get((name, side.value))
                if mark is not None:
                    _cell(axes, NAME_WIDTH + (2 * column + place) * cell, y, cell, row_in, mark)
        if not by_key:
            axes.text(
                NAME_WIDTH, y + row_in / 2, message("contact.no_landmarks"), color=MISSING_COLOUR, fontsize=9,
                va="center",
            )  # fmt: skip


def _cell(axes: Axes, x: float, y: float, width: float, height: float, mark: InspectedLandmark) -> None:
    colour = MARK_LOOKS[mark.confidence].colour if mark.is_found else "black"
    axes.add_patch(
        Rectangle(
            (x + 0.04 * width, y + 0.06 * height), 0.92 * width, 0.88 * height, facecolor=colour,
            edgecolor=MISSING_COLOUR if not mark.is_found else "none", lw=1.2,
        )
    )  # fmt: skip
    words = f"{mark.sd_mm:.1f}" if mark.sd_mm is not None else "x"
    axes.text(
        x + width / 2, y + height / 2, words, color="black" if mark.is_found else MISSING_COLOUR, fontsize=9.5,
        ha="center", va="center", weight="bold",
    )  # fmt: skip
