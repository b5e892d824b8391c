"""One picture on which a person sees labels, levels, landmarks and nerves on the scan before trusting them."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from foramen.io.inspect import Inspection
from foramen.model.anatomy import Anatomy
from foramen.model.levels import VERTEBRA_NUMBERS, Side, Vertebra
from foramen.model.space import FloatArray, LabelMap, Modality, Volume, VolumeGeometry
from foramen.report.anatomy_marks import draw_landmarks, draw_nerves, landmarks_of, points_per_mm, spread
from foramen.report.annotation import HALO, draw_letters, new_figure, png_bytes, prepare_axes
from foramen.report.contact_texts import HEAD_IN, Foot, print_head
from foramen.report.label_overlay import label_overlay, nearest_labels, vertebra_colour
from foramen.report.messages import message
from foramen.report.palette import BONE_WINDOW, SOFT_WINDOW, SignalWindow, Window, window_of, window_text
from foramen.report.slices import sample_grid
from foramen.report.spine_cuts import (
    BentPlane,
    Spine,
    axial_cut,
    coronal_through_bodies,
    coronal_through_landmarks,
    find_spine,
    has_landmarks,
    sagittal_through_bodies,
    sagittal_through_landmarks,
)

DOTS_PER_INCH = 100
LEAST_PIXELS = 120

AXIAL_HALF_MM = 66.0
MOST_AXIAL_CUTS = 24
FEWEST_AXIAL_COLUMNS, MOST_AXIAL_COLUMNS = 5, 8

MARKED_OVERLAY = 0.45
"""Factor on the labels' opacity where landmarks and nerves are drawn."""

SCALE_MM = 30.0
NAME_POINTS = 13.0

SHEET_WIDTH_IN, LONGEST_IN, GAP_IN = 26.0, 9.6, 0.28

REACH_SAGITTAL_MM, REACH_CORONAL_MM, REACH_AXIAL_MM = 7.0, 18.0, 6.0
"""Landmarks and nerves are drawn on a cut if they lie this close to it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _View:
    """One of the tall cuts: how wide it is shown, what is named and drawn on it."""

    cut: BentPlane
    words: str
    half_width_mm: float
    window: Window
    names_at: float | None = None
    is_marked: bool = False
    reach_mm: float = 0.0


def contact_sheet(
    image: Volume,
    labels: LabelMap,
    *,
    title: str = "",
    notes: tuple[str, ...] = (),
    anatomy: Anatomy | None = None,
    inspection: Inspection | None = None,
) -> bytes:
    """PNG of a scan with labels, levels, landmarks and nerves: sagittal, coronal, and an axial cut of each vertebra.

    Parameters
    ----------
    image, labels : Volume, LabelMap
        On one grid; oblique or flipped axes are resampled to the standard views.
    title : str
        Printed on top; no patient's name.
    notes : tuple of str
        Lines printed at the bottom.
    anatomy : Anatomy, optional
        Its landmarks (coloured by confidence) and nerves (with uncertainty tubes) are drawn where a cut meets them,
        and cuts are led along the landmarks.
    inspection : Inspection, optional
        Of the same case and anatomy: table of landmarks, level count, missing structures.

    Notes
    -----
    Radiological convention: the patient's right on the left of axial and coronal cuts. Tall cuts bend with the
    spine, so that every vertebra is met in its middle, or in its joints.
    """
    spine = find_spine(labels)
    box_mm = _box_mm(image.geometry)
    views = _tall_views(spine, anatomy)
    places = _axial_places(spine, anatomy)
    columns = min(max(len(places), FEWEST_AXIAL_COLUMNS), MOST_AXIAL_COLUMNS)
    axial_in = SHEET_WIDTH_IN / columns
    rows_in = [_tall_in(views, box_mm), *[axial_in] * -(-len(places) // columns)]
    tops_in = HEAD_IN + np.concatenate([[0.0], np.cumsum(np.array(rows_in) + GAP_IN)])
    foot = Foot(anatomy=anatomy, inspection=inspection, notes=notes, top_in=float(tops_in[-1]))
    figure = new_figure(SHEET_WIDTH_IN, foot.bottom_in, colour="black")
    figure.set_dpi(DOTS_PER_INCH)
    tissues = _draw_tall(figure, image, labels, views, spine, anatomy, foot.codes, box_mm)
    for number, place in enumerate(places):
        row, column = divmod(number, columns)
        axes = _axes_at(figure, column / columns, 1 / columns, float(tops_in[1 + row]), axial_in)
        cut = axial_cut(spine, anatomy, place, AXIAL_HALF_MM)
        _frame(axes, cut, box_mm, half_width_mm=AXIAL_HALF_MM)
        strength = MARKED_OVERLAY if has_landmarks(anatomy) else 1.0
        tissues |= _draw(axes, image, labels, cut, BONE_WINDOW, strength=strength)
        if anatomy is not None:
            own = [mark for mark in landmarks_of(anatomy) if mark.vertebra.name == spine.names[place]]
            draw_nerves(axes, cut, anatomy.nerves, reach_mm=REACH_AXIAL_MM)
            draw_landmarks(axes, cut, own, reach_mm=REACH_AXIAL_MM, codes=foot.codes, by_height=False)
        _finish(axes, cut, spine.names[place], window_of(image, BONE_WINDOW))
    print_head(figure, image, labels, title)
    foot.draw(figure, tissues)
    return png_bytes(figure, dots_per_inch=DOTS_PER_INCH, software=message("contact.software"))


def _tall_views(spine: Spine, anatomy: Anatomy | None) -> list[_View]:
    half = spine.half_mm
    views = [
        _View(
            cut=sagittal_through_bodies(spine), words=message("contact.sagittal"), half_width_mm=0.62 * half,
            window=SOFT_WINDOW, names_at=-32.0,
        ),
        _View(
            cut=coronal_through_bodies(spine), words=message("contact.coronal"), half_width_mm=0.8 * half,
            window=SOFT_WINDOW, names_at=-38.0,
        ),
    ]  # fmt: skip
    if anatomy is None or not has_landmarks(anatomy):
        return views
    for side in (Side.RIGHT, None, Side.LEFT):
        if not has_landmarks(anatomy, side):
            continue
        is_coronal = side is None
        cut = (
            coronal_through_landmarks(spine, anatomy)
            if side is None
            else sagittal_through_landmarks(spine, anatomy, side)
        )
        key = "contact.coronal_landmarks" if side is None else f"contact.sagittal_{side.value}"
        views.append(
            _View(
                cut=cut, words=message(key), half_width_mm=72.0 if is_coronal else 60.0, window=BONE_WINDOW,
                names_at=0.0 if is_coronal else -30.0, is_marked=True,
                reach_mm=REACH_CORONAL_MM if is_coronal else REACH_SAGITTAL_MM,
            )
        )  # fmt: skip
    return views


def _draw_tall(
    figure: Figure,
    image: Volume,
    labels: LabelMap,
    views: list[_View],
    spine: Spine,
    anatomy: Anatomy | None,
    codes: dict[str, str],
    box_mm: FloatArray,
) -> set[str]:
    """Draw the tall cuts side by side, as wide as what they show; returns the tissues that they show."""
    shares = np.array([_shown_width_mm(view, box_mm) for view in views])
    shares /= shares.sum()
    height_in = _tall_in(views, box_mm)
    begins = np.concatenate([[0.0], np.cumsum(shares)])
    tissues: set[str] = set()
    for view, begin, share in zip(views, begins, shares, strict=False):
        axes = _axes_at(figure, float(begin), float(share), HEAD_IN, height_in)
        _frame(axes, view.cut, box_mm, half_width_mm=view.half_width_mm)
        strength = MARKED_OVERLAY if view.is_marked else 1.0
        tissues |= _draw(axes, image, labels, view.cut, view.window, strength=strength)
        if view.is_marked and anatomy is not None:
            is_coronal = view.cut.axis == 1
            draw_nerves(axes, view.cut, anatomy.nerves, reach_mm=view.reach_mm)
            draw_landmarks(
                axes, view.cut, landmarks_of(anatomy), reach_mm=view.reach_mm, codes=codes, by_height=not is_coronal
            )
        _finish(axes, view.cut, view.words, window_of(image, view.window))
        if view.names_at is not None:
            _name_levels(axes, view, spine, only=_marked(anatomy) if view.is_marked else None)
    return tissues


def _tall_in(views: list[_View], box_mm: FloatArray) -> float:
    """Height (inches) of the tall cuts: as much as they need when they fill the sheet's width, within a limit."""
    inches_per_mm = SHEET_WIDTH_IN / sum(_shown_width_mm(view, box_mm) for view in views)
    tallest_mm = max(_shown_height_mm(view.cut, box_mm) for view in views)
    return min(LONGEST_IN, inches_per_mm * tallest_mm)


def _shown_height_mm(cut: BentPlane, box_mm: FloatArray) -> float:
    place, _ = cut.plane.project(np.array(list(itertools.product(*box_mm.T))))
    half_mm = cut.plane.half_mm
    return float(min(half_mm, place[:, 1].max()) - max(-half_mm, place[:, 1].min()))


def _shown_width_mm(view: _View, box_mm: FloatArray) -> float:
    low, high = _limits_mm(view.cut, box_mm, view.half_width_mm)
    return max(high - low, 20.0)


def _limits_mm(cut: BentPlane, box_mm: FloatArray, half_width_mm: float) -> tuple[float, float]:
    """Where a cut begins and ends across: within the image, and no wider than wanted."""
    place, _ = cut.plane.project(np.array(list(itertools.product(*box_mm.T))))
    return max(-half_width_mm, float(place[:, 0].min())), min(half_width_mm, float(place[:, 0].max()))


def _axes_at(figure: Figure, left: float, width: float, top_in: float, height_in: float) -> Axes:
    """Axes of a share of the sheet's width, at a distance from its top."""
    gap = 0.003
    tall = figure.get_figheight()
    return figure.add_axes((left + gap, 1 - (top_in + height_in) / tall, width - 2 * gap, height_in / tall))


def _axial_places(spine: Spine, anatomy: Anatomy | None) -> list[int]:
    """Places in the spine of the vertebrae that get an axial cut: lumbar ones and those with landmarks, else all."""
    marked = _marked(anatomy)
    lumbar = [i for i, name in enumerate(spine.names) if name.startswith(("L", "S")) or name in marked]
    return (lumbar or list(range(len(spine.names))))[-MOST_AXIAL_CUTS:]


def _marked(anatomy: Anatomy | None) -> set[str]:
    """Names of the vertebrae that have landmarks."""
    return {str(mark.vertebra) for mark in landmarks_of(anatomy)} if anatomy is not None else set()


def _box_mm(geometry: VolumeGeometry) -> FloatArray:
    """Corners (low, high) of the LPS box around the image."""
    ends = [(-0.5, n - 0.5) for n in geometry.shape]
    corners = geometry.lps_mm(np.array(list(itertools.product(*ends))))
    return np.stack([corners.min(axis=0), corners.max(axis=0)])


def _frame(axes: Axes, cut: BentPlane, box_mm: FloatArray, *, half_width_mm: float) -> None:
    """Set the axes to the part of a cut that lies in the image."""
    plane = cut.plane
    place, _ = plane.project(np.array(list(itertools.product(*box_mm.T))))
    low, high = place.min(axis=0), place.max(axis=0)
    prepare_axes(axes, plane)
    axes.set_xlim(*_limits_mm(cut, box_mm, half_width_mm))
    axes.set_ylim(min(plane.half_mm, high[1]), max(-plane.half_mm, low[1]))
    axes.set_facecolor("black")
    for edge in axes.spines.values():
        edge.set_visible(False)


def _pixels(axes: Axes, cut: BentPlane) -> int:
    """Pixels along a whole cut so that one of them is one dot of the picture."""
    axes.apply_aspect()
    width_mm = abs(float(np.diff(axes.get_xlim())[0]))
    return max(LEAST_PIXELS, round(2 * cut.plane.half_mm * axes.get_window_extent().width / width_mm))


def _shown(limits_mm: tuple[float, float], half_mm: float, pixels: int) -> tuple[int, int]:
    """First pixel of a cut that lies within limits along one axis of the picture, and the one after the last."""
    low, high = sorted(limits_mm)
    ends = np.array([low + half_mm, high + half_mm]) * pixels / (2 * half_mm)
    return max(int(np.floor(ends[0])), 0), min(int(np.ceil(ends[1])), pixels)


def _draw(axes: Axes, image: Volume, labels: LabelMap, cut: BentPlane, window: Window, *, strength: float) -> set[str]:
    """Draw one cut with its labels; returns the tissues other than vertebrae that it shows."""
    limits = axes.get_xlim(), axes.get_ylim()
    half_mm, pixels = cut.plane.half_mm, _pixels(axes, cut)
    (first_column, last_column), (first_row, last_row) = (_shown(limit, half_mm, pixels) for limit in limits)
    points_mm = cut.points_mm(pixels)[first_row:last_row, first_column:last_column]
    outside = -1024.0 if image.modality is Modality.CT else float(image.values.min())
    picture = sample_grid(image.values, image.geometry.affine_mm, points_mm, order=1, outside=outside)
    begin_x, end_x, begin_y, end_y = (
        2 * half_mm * place / pixels - half_mm for place in (first_column, last_column, first_row, last_row)
    )
    extent = (begin_x, end_x, end_y, begin_y)
    low, high = window_of(image, window).limits
    axes.imshow(picture, cmap="gray", vmin=low, vmax=high, extent=extent, interpolation="nearest")
    overlay, tissues = label_overlay(nearest_labels(labels, points_mm), strength=strength)
    axes.imshow(overlay, extent=extent, interpolation="nearest")
    axes.set_xlim(limits[0])
    axes.set_ylim(limits[1])
    return tissues


def _finish(axes: Axes, cut: BentPlane, words: str, window: Window | SignalWindow) -> None:
    draw_letters(axes, cut.plane.letters, size=15)
    _draw_scale(axes)
    setting = window_text(window)
    is_level = words in VERTEBRA_NUMBERS
    colour = vertebra_colour(Vertebra(words)) if is_level else "white"
    axes.text(
        0.02, 0.985, words if is_level else "", transform=axes.transAxes, va="top", color=colour, fontsize=16,
        fontweight="bold", path_effects=HALO, zorder=31,
    )  # fmt: skip
    caption = setting if is_level else f"{words}, {setting}"
    axes.text(0.0, -0.012, caption, transform=axes.transAxes, va="top", color="#CFCFCF", fontsize=9, zorder=31)


def _draw_scale(axes: Axes) -> None:
    """A bar of 30 mm in the lower left corner."""
    left, right = axes.get_xlim()
    low, high = axes.get_ylim()
    x, y = left + 0.04 * (right - left), low + 0.035 * (high - low)
    axes.plot([x, x + SCALE_MM], [y, y], color="white", lw=3, path_effects=HALO, zorder=30, solid_capstyle="butt")
    axes.text(
        x + SCALE_MM / 2, y, f"{SCALE_MM:g} mm\n", color="white", fontsize=8, ha="center", va="center",
        path_effects=HALO, zorder=30,
    )  # fmt: skip
    axes.set_xlim(left, right)
    axes.set_ylim(low, high)


def _name_levels(axes: Axes, view: _View, spine: Spine, *, only: set[str] | None) -> None:
    """Print the levels' names (all, or `only` some) at the height of their bodies, apart from each other."""
    left, right = axes.get_xlim()
    low, high = sorted(axes.get_ylim())
    x = max(view.names_at or 0.0, left + 0.12 * (right - left))
    heights = [view.cut.plane.centre_mm[2] - centre_mm[2] for centre_mm in spine.fronts_mm]
    shown = [(y, name) for y, name in zip(heights, spine.names, strict=True) if low < y < high and name != "-"]
    shown = [(y, name) for y, name in shown if only is None or name in only]
    if not shown:
        return
    step = 1.2 * NAME_POINTS / points_per_mm(axes)
    places = spread([y for y, _ in shown], step=step, low=low + 0.6 * step, high=high - 0.6 * step)
    for (_, name), y in zip(shown, places, strict=True):
        axes.text(
            x, y, name, color=vertebra_colour(Vertebra(name)), fontsize=NAME_POINTS, fontweight="bold", ha="center",
            va="center", path_effects=HALO, zorder=32,
        )  # fmt: skip
