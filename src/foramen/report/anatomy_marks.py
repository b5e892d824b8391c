"""Landmarks and nerves drawn on a cut: marks coloured by confidence, courses with their uncertainty tubes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from scipy.optimize import isotonic_regression

from foramen.io.inspect_anatomy import confidence_word, tube_radius_mm
from foramen.model.anatomy import Anatomy, Landmark, LandmarkName, Nerve, NerveKind
from foramen.model.levels import Side
from foramen.model.space import FloatArray
from foramen.report.annotation import HALO, densify, runs_of
from foramen.report.messages import message
from foramen.report.spine_cuts import BentPlane

STEP_MM = 0.5
"""Step at which a course is drawn."""

TUBE_OPACITY = 0.30

CODE_POINTS = 7.5
"""Size of the codes of landmarks, in points."""


LETTER_POINTS = 25.0
"""Room at the edges of a cut for the letters R, L, A, P, in points."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkLook:
    """How landmarks of one confidence are drawn: told apart by form as well as by colour."""

    colour: str
    marker: str
    size_points: float


MARK_LOOKS = {
    "high": MarkLook(colour="#2EE6A6", marker="o", size_points=5.0),
    "medium": MarkLook(colour="#FFB000", marker="D", size_points=5.0),
    "low": MarkLook(colour="#FF4B4B", marker="X", size_points=6.5),
}
"""By the words of `confidence_word`."""

MISSING_COLOUR = "#FF4B4B"

COURSE_COLOURS: dict[NerveKind, str] = {
    NerveKind.MEDIAL_BRANCH: "#F0E442",
    NerveKind.DORSAL_RAMUS: "#F0E442",
    NerveKind.SPINAL_NERVE: "#FF7AC6",
    NerveKind.DORSAL_ROOT_GANGLION: "#FF7AC6",
}
"""Kinds that are not listed are drawn in `OTHER_COURSE`."""

OTHER_COURSE = "#7FE7FF"


def course_colour(kind: NerveKind) -> str:
    """Colour of a nerve's course and tube."""
    return COURSE_COLOURS.get(kind, OTHER_COURSE)


def landmark_words(name: str) -> str:
    """A landmark's name in words, with its abbreviations in capitals."""
    capitals = {"sap": "SAP", "tp": "TP", "iap": "IAP"}
    return " ".join(capitals.get(word, word) for word in name.replace("_", " ").split())


def landmark_codes(names: Iterable[str]) -> dict[str, str]:
    """A short code for each landmark, its initials; a number tells apart those that share them."""
    codes: dict[str, str] = {}
    for name in sorted(set(names)):
        initials = "".join(word[0] for word in name.split("_")).upper()
        same = sum(code.rstrip("0123456789") == initials for code in codes.values())
        codes[name] = initials if not same else f"{initials}{same + 1}"
    return codes


def landmarks_of(anatomy: Anatomy) -> tuple[Landmark, ...]:
    """All landmarks, from above downwards."""
    return tuple(mark for vertebra in anatomy.vertebrae for mark in vertebra.landmarks)


def draw_nerves(axes: Axes, cut: BentPlane, nerves: Iterable[Nerve], *, reach_mm: float) -> None:
    """Draw the courses that come within `reach_mm` of a cut, each with its uncertainty tube as a light band."""
    scale = points_per_mm(axes)
    for nerve in nerves:
        flat, distance = cut.project(densify(nerve.centreline_mm, STEP_MM))
        colour = course_colour(nerve.kind)
        is_ganglion = nerve.kind is NerveKind.DORSAL_ROOT_GANGLION
        for run in runs_of(np.abs(distance) <= reach_mm):
            x, y = flat[run].T
            tube = 2 * tube_radius_mm(nerve) * scale
            if not is_ganglion:  # it lies on its spinal nerve, whose tube is drawn
                axes.plot(
                    x, y, color=colour, lw=tube, alpha=TUBE_OPACITY, solid_capstyle="round", solid_joinstyle="round",
                    zorder=15, clip_on=True,
                )  # fmt: skip
            width = max(2 * nerve.radius_mm * scale, 1.2) if is_ganglion else 1.3
            axes.plot(x, y, color=colour, lw=width, alpha=0.75 if is_ganglion else 1.0, zorder=17, clip_on=True)


def draw_landmarks(
    axes: Axes, cut: BentPlane, marks: Iterable[Landmark], *, reach_mm: float, codes: dict[str, str], by_height: bool
) -> None:
    """Draw the landmarks within `reach_mm` of a cut, their codes in the margins and a thin line to each.

    Parameters
    ----------
    codes : dict
        Code of each landmark's name.
    by_height : bool
        Both margins are used by nearness instead of by side: on a sagittal cut, where sides have no place.
    """
    margins: dict[bool, list[tuple[FloatArray, str, str]]] = {False: [], True: []}
    left, right = sorted(axes.get_xlim())
    bottom, top = sorted(axes.get_ylim())
    for mark in marks:
        flat, distance = cut.project(mark.position_mm)
        x, y = flat[0]
        if abs(distance[0]) > reach_mm or not (left < x < right and bottom < y < top):
            continue
        look = MARK_LOOKS[confidence_word(mark.confidence_fraction)]
        axes.plot(
            [x], [y], look.marker, ms=look.size_points, mfc=look.colour, mec="black", mew=0.8, zorder=22, clip_on=True
        )
        is_right = (x > (left + right) / 2) if by_height else mark.side is Side.LEFT
        margins[is_right].append((flat[0], codes[mark.name.value], look.colour))
    for is_right, items in margins.items():
        _draw_codes(axes, items, is_right=is_right)


def _draw_codes(axes: Axes, items: list[tuple[FloatArray, str, str]], *, is_right: bool) -> None:
    """Codes in a column at one edge, none on another, each with a line to its mark."""
    if not items:
        return
    items = sorted(items, key=lambda item: float(item[0][1]))
    left, right = sorted(axes.get_xlim())
    bottom, top = sorted(axes.get_ylim())
    step = 1.15 * CODE_POINTS / points_per_mm(axes)
    places = spread([float(item[0][1]) for item in items], step=step, low=bottom + step, high=top - 2.5 * step)
    inset = LETTER_POINTS / points_per_mm(axes)
    x = right - inset if is_right else left + inset
    for (point, code, colour), y in zip(items, places, strict=True):
        reach = 0.75 * CODE_POINTS * len(code) / points_per_mm(axes)
        axes.plot(
            [x - reach if is_right else x + reach, point[0]], [y, point[1]], color=colour, lw=0.5, alpha=0.65, zorder=20
        )
        axes.text(
            x, y, code, color=colour, fontsize=CODE_POINTS, ha="right" if is_right else "left", va="center",
            path_effects=HALO, zorder=24,
        )  # fmt: skip


def spread(wanted: Sequence[float], *, step: float, low: float, high: float) -> list[float]:
    """Places at least `step` apart, within `low` and `high`, as near to the ascending wanted ones as can be.

    Near means by least squares. If they have no room they are set closer.
    """
    count = len(wanted)
    offsets = min(step, (high - low) / max(count - 1, 1)) * np.arange(count)
    begins = isotonic_regression(np.asarray(wanted) - offsets).x
    return [float(place) for place in np.clip(begins, low, high - offsets[-1]) + offsets]


def points_per_mm(axes: Axes) -> float:
    """Typographic points per millimetre of the cut, for axes with an equal aspect."""
    axes.apply_aspect()
    figure = axes.get_figure(root=True)
    width = axes.get_window_extent().width
    dots_per_inch = figure.dpi if figure is not None else 72.0
    return float(72 * width / dots_per_inch / abs(float(np.diff(axes.get_xlim())[0])))


def legend_handles(anatomy: Anatomy) -> list[Line2D | Patch]:
    """What marks and bands mean."""
    handles: list[Line2D | Patch] = [
        Line2D(
            [], [], ls="", marker=look.marker, ms=look.size_points + 2, mfc=look.colour, mec="black",
            label=message(f"contact.confidence_{word}"),
        )
        for word, look in MARK_LOOKS.items()
    ]  # fmt: skip
    seen: set[str] = set()
    for nerve in anatomy.nerves:
        colour = course_colour(nerve.kind)
        if colour not in seen:
            seen.add(colour)
            key = f"contact.nerve_{nerve.kind.value}"
            handles.append(Patch(facecolor=colour, alpha=0.6, label=message(key)))
    return handles


def codes_in_words(codes: dict[str, str]) -> str:
    """All codes with the landmarks that they stand for, in one line."""
    order = {name.value: place for place, name in enumerate(LandmarkName)}
    names = sorted(codes, key=lambda name: order.get(name, len(order)))
    return ", ".join(f"{codes[name]} {landmark_words(name)}" for name in names)
