"""What the contact sheet says beside its pictures: title, verdict on the levels, legend, notes, table of landmarks."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from functools import cached_property

from matplotlib.figure import Figure
from matplotlib.patches import Patch

from foramen.io.inspect import Inspection
from foramen.model.anatomy import Anatomy
from foramen.model.space import LabelMap, Volume
from foramen.report.anatomy_marks import codes_in_words, landmark_codes, landmarks_of, legend_handles
from foramen.report.label_overlay import TISSUE_COLOURS
from foramen.report.landmark_table import draw_landmark_table
from foramen.report.messages import message
from foramen.report.slices import direction_letters

HEAD_IN, LEGEND_IN, LINE_IN = 0.78, 0.75, 0.175
TABLE_ROW_IN, TABLE_HEAD_IN = 0.26, 0.75

LINE_LETTERS = 158
LEGEND_COLUMNS = 10
"""More entries than these are set in two rows."""

_GOOD, _DOUBT = "#2EE6A6", "#FFB000"


def print_head(figure: Figure, image: Volume, labels: LabelMap, title: str) -> None:
    """Print the title, what the image is, the convention and the disclaimer."""
    spacing = " x ".join(f"{value:.3g}" for value in image.geometry.spacing_mm)
    directions = [direction_letters(image.geometry.axes[:, axis]) for axis in range(3)]
    facts = message(
        "contact.facts",
        shape=" x ".join(str(n) for n in image.geometry.shape),
        spacing=spacing,
        axes=", ".join(directions),
        labelled=f"{100 * float((labels.values > 0).mean()):.0f}",
    )
    tall = figure.get_figheight()
    first, second = 1 - 0.12 / tall, 1 - 0.46 / tall
    figure.text(
        0.005, first, f"{message('contact.title')}  {title}", color="white", fontsize=17, va="top", weight="bold"
    )
    figure.text(0.005, second, facts, color="#CFCFCF", fontsize=11, va="top")
    figure.text(0.995, first, message("disclaimer"), color="#FFB000", fontsize=12, va="top", ha="right", weight="bold")
    figure.text(0.995, second, message("contact.convention"), color="#CFCFCF", fontsize=11, va="top", ha="right")


@dataclass(frozen=True, kw_only=True, eq=False)
class Foot:
    """Everything below the pictures, from `top_in` (inches from the sheet's top) downwards."""

    anatomy: Anatomy | None
    inspection: Inspection | None
    notes: tuple[str, ...]
    top_in: float

    @cached_property
    def codes(self) -> dict[str, str]:
        """Code of each landmark's name that the pictures or the table show."""
        names = [mark.name.value for mark in landmarks_of(self.anatomy)] if self.anatomy is not None else []
        if self.inspection is not None:
            names += [mark.name for vertebra in self.inspection.anatomy.vertebrae for mark in vertebra.landmarks]
        return landmark_codes(names)

    @cached_property
    def lines(self) -> tuple[str, ...]:
        """The notes, wrapped."""
        texts = [message("contact.check")]
        if self.codes:
            texts.append(message("contact.codes", codes=codes_in_words(self.codes)))
        if self.inspection is not None:
            texts += self.inspection.lines_in_short()
        return tuple(
            line
            for text in (*texts, *self.notes)
            for line in textwrap.wrap(text, LINE_LETTERS, subsequent_indent="    ")
        )

    @property
    def bottom_in(self) -> float:
        """Where the sheet ends."""
        rows = 0
        if self.inspection is not None and self.inspection.anatomy.is_found:
            rows = len(self.inspection.anatomy.vertebrae)
        return self.top_in + LEGEND_IN + max(LINE_IN * (len(self.lines) + 1), TABLE_HEAD_IN + TABLE_ROW_IN * rows)

    def draw(self, figure: Figure, tissues: set[str]) -> None:
        """Print the verdict on the levels and the legend, below them the notes at the left, the table at the right."""
        tall = figure.get_figheight()
        top = 1 - self.top_in / tall
        words, colour = self._verdict()
        figure.text(0.005, top, words, color=colour, fontsize=12.5, va="top", weight="bold")
        patches = [
            Patch(color=TISSUE_COLOURS[t], label=t.replace("_", " ")) for t in sorted(tissues) if t in TISSUE_COLOURS
        ]
        marks = legend_handles(self.anatomy) if self.anatomy is not None and landmarks_of(self.anatomy) else []
        if marks or patches:
            entries = len(marks) + len(patches)
            figure.legend(
                handles=[*marks, *patches], loc="upper left", frameon=False,
                ncols=entries if entries <= LEGEND_COLUMNS else -(-entries // 2),
                labelcolor="white", fontsize=10, bbox_to_anchor=(0.0, top - 0.26 / tall), borderaxespad=0.2,
                columnspacing=1.3, handletextpad=0.5,
            )  # fmt: skip
        below = self.top_in + LEGEND_IN
        figure.text(
            0.005, 1 - below / tall, "\n".join(self.lines), color="white", fontsize=9.5, va="top", linespacing=1.3
        )
        if self.inspection is not None and self.inspection.anatomy.is_found:
            axes = figure.add_axes((0.5, 0.004, 0.495, 1 - below / tall - 0.004))
            draw_landmark_table(axes, self.inspection.anatomy, self.codes, row_in=TABLE_ROW_IN)

    def _verdict(self) -> tuple[str, str]:
        """The doubt about the levels, or that there is none, and its colour."""
        if self.inspection is None:
            return "", _DOUBT
        anatomy = self.inspection.anatomy
        if not anatomy.is_found:
            return message("contact.no_anatomy", reason=anatomy.reason), _DOUBT
        if not anatomy.is_patient_specific:
            return message("contact.generic"), _DOUBT
        if anatomy.level_count is None or anatomy.level_count.is_ambiguous:
            return message("contact.ambiguous"), _DOUBT
        return message("contact.counted"), _GOOD
