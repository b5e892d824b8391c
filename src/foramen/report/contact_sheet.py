"""One picture on which a person sees the labels on the scan before trusting them."""

from __future__ import annotations

import itertools
import textwrap
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from foramen.knowledge.labels import FIRST_STRUCTURE, label
from foramen.model.anatomy import Anatomy
from foramen.model.levels import USUAL_ORDER, VERTEBRA_NUMBERS, Vertebra
from foramen.model.space import FloatArray, LabelMap, Volume, VolumeGeometry
from foramen.report.annotation import HALO, draw_letters, new_figure, png_bytes, prepare_axes
from foramen.report.messages import message
from foramen.report.palette import BONE_WINDOW, SOFT_WINDOW, TARGET_NERVE, Window, rgb
from foramen.report.slices import Plane, axial_plane, coronal_plane, direction_letters, sagittal_plane, sample_grid

DOTS_PER_INCH = 100
LEAST_PIXELS = 120

AXIAL_HALF_MM = 82.0
MOST_AXIAL_CUTS = 8

FILL_OPACITY = 0.14
OUTLINE_OPACITY = 0.95

SCALE_MM = 30.0
LETTERS_PER_INCH = 12.5

NEAR_PLANE_MM = 3.0
"""Landmarks and nerves are drawn on a cut if they lie this close to it."""

_VERTEBRA_COLOURS = ("#E69F00", "#56B4E9", "#00D98B", "#F0E442", "#FF8AD0", "#FF6F3C", "#7FA8FF", "#8BE04E")

_TISSUE_COLOURS = {
    "blood": "#FF4D4D",
    "organ": "#B08CFF",
    "muscle": "#C98C8C",
    "bone": "#E8E8E8",
    "csf": "#FFFFFF",
    "spinal_cord": "#9FE8FF",
    "nerve": "#FFF2A8",
    "disc": "#4FE3FF",
    "fat": "#8C7B2E",
    "skin": "#A0A0A0",
    "lung": "#7A93AC",
    "air": "#7A93AC",
    "ligament": "#D7B98E",
    "cartilage": "#D7B98E",
    "metal": "#FFFF00",
    "cement": "#FFFF00",
}
"""Colour of what is no vertebra, by tissue."""

_NAMES = {number: name for name, number in VERTEBRA_NUMBERS.items()}
_ORDER = (*USUAL_ORDER[:19], "T13", *USUAL_ORDER[19:24], "L6", "S1")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Spine:
    """Labelled vertebrae from above downwards, the centres of their labels and of the front parts of these (n, 3)."""

    names: tuple[str, ...]
    centres_mm: FloatArray
    fronts_mm: FloatArray

    @property
    def centre_mm(self) -> FloatArray:
        """Middle of the front parts' box (LPS, mm)."""
        middle: FloatArray = (self.fronts_mm.min(axis=0) + self.fronts_mm.max(axis=0)) / 2
        return middle

    @property
    def half_mm(self) -> float:
        """Half the height shown around the spine."""
        return float(np.clip(np.ptp(self.centres_mm[:, 2]) / 2 + 60.0, 90.0, 260.0))

    def follow(self, points_mm: FloatArray, axis: int) -> FloatArray:
        """The points moved along `axis` so that a flat cut bends with the spine."""
        order = np.argsort(self.fronts_mm[:, 2])
        heights, places = self.fronts_mm[order, 2], self.fronts_mm[order, axis]
        moved = points_mm.copy()
        moved[..., axis] += np.interp(points_mm[..., 2], heights, places) - self.centre_mm[axis]
        return moved


def contact_sheet(
    image: Volume,
    labels: LabelMap,
    *,
    title: str = "",
    notes: tuple[str, ...] = (),
    anatomy: Anatomy | None = None,
) -> bytes:
    """PNG of a scan with its labels drawn: sagittal, coronal, and an axial cut through each vertebra of interest.

    Parameters
    ----------
    image, labels : Volume, LabelMap
        On one grid; oblique or flipped axes are resampled to the standard views.
    title : str
        Printed on top; no patient's name.
    notes : tuple of str
        Lines printed at the bottom, such as those of an inspection.
    anatomy : Anatomy, optional
        Its landmarks and nerves are drawn where a cut meets them.

    Notes
    -----
    Radiological convention: the patient's right on the left of axial and coronal cuts. Sagittal and coronal
    cuts bend with the spine, so that every vertebra is met in its middle.
    """
    spine = _find_spine(image, labels)
    shown = _axial_levels(spine)
    columns = max(2, (len(shown) + 1) // 2)
    figure = new_figure(10.2 + 4.1 * columns, 9.6, colour="black")
    figure.set_dpi(DOTS_PER_INCH)
    grid = figure.add_gridspec(
        2, 2 + columns, width_ratios=[1.05, 1.35, *[1.0] * columns], left=0.005, right=0.995, top=0.925, bottom=0.115,
        wspace=0.02, hspace=0.05,
    )  # fmt: skip
    box_mm = _box_mm(image.geometry)
    half_mm = spine.half_mm
    tissues: set[str] = set()
    long_cuts = (
        (sagittal_plane(spine.centre_mm, half_mm), 0, 0.62, message("contact.sagittal")),
        (coronal_plane(spine.centre_mm, half_mm), 1, 0.8, message("contact.coronal")),
    )
    for place, (plane, axis, share, words) in enumerate(long_cuts):
        axes = figure.add_subplot(grid[:, place])
        _frame(axes, plane, box_mm, widest_mm=share * half_mm)
        tissues |= _draw(axes, image, labels, plane, SOFT_WINDOW, spine=spine, bends_along=axis)
        _finish(axes, plane, words, SOFT_WINDOW)
        _name_levels(axes, plane, spine, across_mm=-32.0 if axis == 0 else -38.0)
    for place, number in enumerate(shown):
        axes = figure.add_subplot(grid[place // columns, 2 + place % columns])
        plane = axial_plane(spine.centres_mm[number], AXIAL_HALF_MM)
        _frame(axes, plane, box_mm, widest_mm=AXIAL_HALF_MM)
        tissues |= _draw(axes, image, labels, plane, BONE_WINDOW)
        _draw_anatomy(axes, plane, anatomy)
        _finish(axes, plane, spine.names[number], BONE_WINDOW)
    _print_texts(figure, image, labels, title, notes, tissues)
    return png_bytes(figure, dots_per_inch=DOTS_PER_INCH)


def _find_spine(image: Volume, labels: LabelMap) -> _Spine:
    values = labels.values
    index = np.argwhere((values > 0) & (values < FIRST_STRUCTURE))
    if not len(index):
        middle = image.geometry.lps_mm((np.array(image.geometry.shape) - 1) / 2)
        return _Spine(names=("-",), centres_mm=middle[None], fronts_mm=middle[None])
    numbers = values[tuple(index.T)].astype(np.int64) // 100
    points_mm = image.geometry.lps_mm(index.astype(np.float64))
    present = sorted((n for n in np.unique(numbers) if int(n) in _NAMES), key=lambda n: _ORDER.index(_NAMES[int(n)]))
    centres, fronts = [], []
    for number in present:
        points = points_mm[numbers == number]
        centres.append(points.mean(axis=0))
        fronts.append(points[points[:, 1] <= centres[-1][1]].mean(axis=0))  # the body lies in front of the centre
    names = tuple(_NAMES[int(n)] for n in present)
    return _Spine(names=names, centres_mm=np.array(centres), fronts_mm=np.array(fronts))


def _axial_levels(spine: _Spine) -> list[int]:
    """Places in the spine of the vertebrae that get an axial cut: the lumbar ones and the sacrum, else all."""
    lumbar = [i for i, name in enumerate(spine.names) if name.startswith(("L", "S"))]
    return (lumbar or list(range(len(spine.names))))[-MOST_AXIAL_CUTS:]


def _box_mm(geometry: VolumeGeometry) -> FloatArray:
    """Corners (low, high) of the LPS box around the image."""
    ends = [(-0.5, n - 0.5) for n in geometry.shape]
    corners = geometry.lps_mm(np.array(list(itertools.product(*ends))))
    return np.stack([corners.min(axis=0), corners.max(axis=0)])


def _frame(axes: Axes, plane: Plane, box_mm: FloatArray, *, widest_mm: float) -> None:
    """Set the axes to the part of a cut that lies in the image."""
    place, _ = plane.project(np.array(list(itertools.product(*box_mm.T))))
    low, high = place.min(axis=0), place.max(axis=0)
    prepare_axes(axes, plane)
    axes.set_xlim(max(-widest_mm, low[0]), min(widest_mm, high[0]))
    axes.set_ylim(min(plane.half_mm, high[1]), max(-plane.half_mm, low[1]))
    axes.set_facecolor("black")
    for edge in axes.spines.values():
        edge.set_visible(False)


def _pixels(axes: Axes, plane: Plane) -> int:
    """Pixels along a whole cut so that one of them is one dot of the picture."""
    axes.apply_aspect()
    width_mm = abs(float(np.diff(axes.get_xlim())[0]))
    return max(LEAST_PIXELS, round(2 * plane.half_mm * axes.get_window_extent().width / width_mm))


def _draw(
    axes: Axes,
    image: Volume,
    labels: LabelMap,
    plane: Plane,
    window: Window,
    *,
    spine: _Spine | None = None,
    bends_along: int = 0,
) -> set[str]:
    """Draw one cut with its labels; returns the tissues other than vertebrae that it shows."""
    points_mm = plane.points_mm(_pixels(axes, plane))
    if spine is not None:
        points_mm = spine.follow(points_mm, bends_along)
    picture = sample_grid(image.values, image.geometry.affine_mm, points_mm, order=1, outside=-1024.0)
    limits = axes.get_xlim(), axes.get_ylim()
    extent = (-plane.half_mm, plane.half_mm, plane.half_mm, -plane.half_mm)
    low, high = window.limits
    axes.imshow(picture, cmap="gray", vmin=low, vmax=high, extent=extent, interpolation="nearest")
    overlay, tissues = _overlay(_nearest(labels, points_mm))
    axes.imshow(overlay, extent=extent, interpolation="nearest")
    axes.set_xlim(limits[0])
    axes.set_ylim(limits[1])
    return tissues


def _nearest(labels: LabelMap, points_mm: FloatArray) -> NDArray[np.int64]:
    """Label numbers (rows, columns) of the voxels nearest to LPS points; 0 outside the image."""
    index = np.rint(labels.geometry.index(points_mm.reshape(-1, 3))).astype(np.int64)
    is_inside = np.all((index >= 0) & (index < labels.geometry.shape), axis=1)
    numbers = np.zeros(len(index), dtype=np.int64)
    numbers[is_inside] = labels.values[tuple(index[is_inside].T)]
    return numbers.reshape(points_mm.shape[:-1])


def _overlay(numbers: NDArray[np.int64]) -> tuple[NDArray[np.float64], set[str]]:
    """Colours (rows, columns, RGBA) of a cut through the labels: outlines, and a light fill."""
    overlay = np.zeros((*numbers.shape, 4))
    tissues: set[str] = set()
    is_edge = np.zeros(numbers.shape, dtype=bool)
    for axis in (0, 1):
        differs = np.diff(numbers, axis=axis) != 0
        first = [slice(None), slice(None)]
        second = [slice(None), slice(None)]
        first[axis], second[axis] = slice(None, -1), slice(1, None)
        is_edge[tuple(first)] |= differs
        is_edge[tuple(second)] |= differs
    present = np.unique(numbers)
    colours = np.zeros((int(present[-1]) + 1, 3))
    is_known = np.zeros(len(colours), dtype=bool)
    for number in present:
        meaning = label(int(number))
        if meaning is None:
            continue
        is_known[number] = True
        colours[number] = rgb(_TISSUE_COLOURS.get(meaning.tissue, "#FFFFFF"))
        if meaning.vertebra is not None:
            colours[number] = rgb(vertebra_colour(meaning.vertebra))
        else:
            tissues.add(meaning.tissue)
    overlay[..., :3] = colours[numbers]
    overlay[..., 3] = np.where(is_known[numbers], np.where(is_edge, OUTLINE_OPACITY, FILL_OPACITY), 0.0)
    return overlay, tissues


def vertebra_colour(vertebra: Vertebra) -> str:
    """Colour of a vertebra's outline; neighbours differ."""
    return _VERTEBRA_COLOURS[_ORDER.index(vertebra.name) % len(_VERTEBRA_COLOURS)]


def _finish(axes: Axes, plane: Plane, words: str, window: Window) -> None:
    draw_letters(axes, plane.letters, size=15)
    _draw_scale(axes)
    setting = message("cut.window", width=f"{window.width_hu:g}", level=f"{window.level_hu:g}")
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


def _name_levels(axes: Axes, plane: Plane, spine: _Spine, *, across_mm: float) -> None:
    left, right = axes.get_xlim()
    x = max(across_mm, left + 0.12 * (right - left))
    for name, centre_mm in zip(spine.names, spine.fronts_mm, strict=True):
        if name in VERTEBRA_NUMBERS:
            axes.text(
                x, plane.centre_mm[2] - centre_mm[2], name, color=vertebra_colour(Vertebra(name)), fontsize=13,
                fontweight="bold", ha="center", va="center", path_effects=HALO, zorder=32, clip_on=True,
            )  # fmt: skip


def _draw_anatomy(axes: Axes, plane: Plane, anatomy: Anatomy | None) -> None:
    if anatomy is None:
        return
    landmarks = [mark.position_mm for vertebra in anatomy.vertebrae for mark in vertebra.landmarks]
    courses = [nerve.centreline_mm for nerve in anatomy.nerves]
    for points, marker, size in ((landmarks, "+", 60.0), ([p for course in courses for p in course], ".", 12.0)):
        if not points:
            continue
        place, distance_mm = plane.project(np.array(points))
        near = (np.abs(distance_mm) <= NEAR_PLANE_MM) & (np.abs(place).max(axis=1) < plane.half_mm)
        axes.scatter(place[near, 0], place[near, 1], marker=marker, s=size, c=TARGET_NERVE, linewidths=1.2, zorder=20)


def _print_texts(
    figure: Figure, image: Volume, labels: LabelMap, title: str, notes: tuple[str, ...], tissues: set[str]
) -> None:
    spacing = " x ".join(f"{value:.3g}" for value in image.geometry.spacing_mm)
    directions = [direction_letters(image.geometry.axes[:, axis]) for axis in range(3)]
    share = float((labels.values > 0).mean())
    facts = message(
        "contact.facts",
        shape=" x ".join(str(n) for n in image.geometry.shape),
        spacing=spacing,
        axes=", ".join(directions),
        labelled=f"{100 * share:.0f}",
    )
    figure.text(
        0.005, 0.985, f"{message('contact.title')}  {title}", color="white", fontsize=17, va="top", weight="bold"
    )
    figure.text(0.005, 0.948, facts, color="#CFCFCF", fontsize=11, va="top")
    figure.text(0.995, 0.985, message("disclaimer"), color="#FFB000", fontsize=12, va="top", ha="right", weight="bold")
    figure.text(0.995, 0.948, message("contact.convention"), color="#CFCFCF", fontsize=11, va="top", ha="right")
    patches = [
        Patch(color=_TISSUE_COLOURS[t], label=t.replace("_", " ")) for t in sorted(tissues) if t in _TISSUE_COLOURS
    ]
    if patches:
        figure.legend(
            handles=patches, loc="lower right", ncols=8, frameon=False, labelcolor="white", fontsize=10,
            bbox_to_anchor=(0.998, 0.002),
        )  # fmt: skip
    letters = int(LETTERS_PER_INCH * figure.get_figwidth())
    lines = [line for text in (*notes, message("contact.check")) for line in textwrap.wrap(text, letters)]
    figure.text(0.005, 0.085, "\n".join(lines[:5]), color="white", fontsize=10, va="top", linespacing=1.3)
