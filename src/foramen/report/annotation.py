"""Marks on pictures: orientation letters, scale bars, tubes and needles drawn to scale."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from matplotlib import get_data_path
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Rectangle
from matplotlib.patheffects import withStroke
from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

from foramen.errors import InputError
from foramen.model.space import FloatArray
from foramen.report.slices import Plane

HALO = [withStroke(linewidth=2.4, foreground="black")]
"""Dark rim that keeps a bright mark readable on any grey."""


STAMP = "#A3161C"
"""Colour of the strip that says what a picture is not."""


def new_figure(width_in: float, height_in: float, *, colour: str = "white") -> Figure:
    """An empty figure with its own Agg canvas, free of any global state."""
    figure = Figure(figsize=(width_in, height_in), facecolor=colour)
    FigureCanvasAgg(figure)
    return figure


def png_bytes(figure: Figure, *, dots_per_inch: int, software: str = "") -> bytes:
    """PNG of a figure, without a time stamp, so that equal pictures are equal bytes.

    `software` is written into the file, so that it can be told from other people's pictures.
    """
    figure.set_dpi(dots_per_inch)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    stream = io.BytesIO()
    opaque = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert(
        "RGB"
    )  # an alpha channel doubles a PDF's picture
    facts = PngInfo()
    if software:
        facts.add_text("Software", software)
    opaque.save(stream, format="png", compress_level=4, pnginfo=facts)
    return stream.getvalue()


def stamped(png: bytes, text: str) -> bytes:
    """A picture with a red strip below it that carries a text, as large as the strip allows."""
    opened = Image.open(io.BytesIO(png))
    facts = PngInfo()
    for key, value in opened.info.items():
        if isinstance(key, str) and isinstance(value, str):
            facts.add_text(key, value)
    picture = opened.convert("RGB")
    height = max(14, round(0.05 * picture.width))
    whole = Image.new("RGB", (picture.width, picture.height + height), STAMP)
    whole.paste(picture, (0, 0))
    size = 0.62 * height
    font = ImageFont.truetype(Path(get_data_path()) / "fonts" / "ttf" / "DejaVuSans-Bold.ttf", size)
    size *= min(1.0, 0.94 * picture.width / font.getlength(text))
    font = font.font_variant(size=size)
    middle = (picture.width / 2, picture.height + height / 2)
    ImageDraw.Draw(whole).text(middle, text, fill="white", font=font, anchor="mm")
    stream = io.BytesIO()
    whole.save(stream, format="png", compress_level=4, pnginfo=facts)
    return stream.getvalue()


def prepare_axes(axes: Axes, plane: Plane) -> None:
    """Set axes to the plane's millimetres, right and down positive, without ticks."""
    axes.set_xlim(-plane.half_mm, plane.half_mm)
    axes.set_ylim(plane.half_mm, -plane.half_mm)
    axes.set_aspect("equal")
    axes.set_xticks([])
    axes.set_yticks([])


def points_per_mm(axes: Axes, plane: Plane) -> float:
    """Typographic points on paper per millimetre of the cut."""
    figure = axes.get_figure(root=True)
    if figure is None:
        raise InputError("These axes belong to no figure, so a cut cannot be drawn to scale.")
    size = axes.get_window_extent().transformed(figure.dpi_scale_trans.inverted())
    return float(min(size.width, size.height) * 72 / (2 * plane.half_mm))


def draw_letters(axes: Axes, letters: dict[str, str], *, size: float = 11) -> None:
    """Print what each edge of an image faces."""
    places = (("left", 0.015, 0.5), ("right", 0.985, 0.5), ("top", 0.5, 0.985), ("bottom", 0.5, 0.015))
    for edge, x, y in places:
        axes.text(
            x,
            y,
            letters[edge],
            transform=axes.transAxes,
            ha=edge if edge in {"left", "right"} else "center",
            va=edge if edge in {"top", "bottom"} else "center",
            color="white",
            fontsize=size,
            fontweight="bold",
            path_effects=HALO,
            zorder=30,
        )


def scale_length_mm(half_mm: float) -> float:
    """A round length of about a quarter of the image's width."""
    for length in (5.0, 10.0, 20.0, 30.0, 50.0):
        if length >= 0.36 * half_mm:
            return length
    return 100.0


def draw_scale_bar(axes: Axes, plane: Plane) -> None:
    """Draw a bar of a round length, in the lower right corner."""
    length = scale_length_mm(plane.half_mm)
    right, y = 0.93 * plane.half_mm, 0.90 * plane.half_mm
    thick = 0.016 * plane.half_mm
    axes.add_patch(
        Rectangle((right - length, y), length, 2 * thick, facecolor="white", edgecolor="black", lw=0.6, zorder=30)
    )
    axes.text(
        right - length / 2,
        y - 0.02 * plane.half_mm,
        f"{length:g} mm",
        color="white",
        fontsize=8,
        ha="center",
        va="bottom",
        path_effects=HALO,
        zorder=30,
    )


def runs_of(mask: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> list[slice]:
    """Stretches of True of at least two points."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
    return [slice(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if b - a >= 2]


def draw_tube(
    axes: Axes, plane: Plane, course_mm: FloatArray, *, radius_mm: float, colour: str, reach_mm: float, zorder: float
) -> None:
    """Draw a tube: to scale where it lies in the plane, a thin dashed projection up to `reach_mm` from it."""
    longest = float(np.linalg.norm(np.diff(course_mm, axis=0), axis=1).max())
    _, distance = plane.project(course_mm)
    if np.abs(distance).min() > reach_mm + longest:
        return
    fine = densify(course_mm, 0.2)
    flat, distance = plane.project(fine)
    if np.abs(flat).max(axis=1).min() > plane.half_mm:
        return
    scale = points_per_mm(axes, plane)
    is_near = np.abs(distance) <= max(radius_mm, 0.8)
    width = max(2 * radius_mm * scale, 2.2)
    for run in runs_of((np.abs(distance) <= reach_mm) & ~is_near):
        axes.plot(flat[run, 0], flat[run, 1], color=colour, lw=1.1, ls=(0, (2, 2)), alpha=0.75, zorder=zorder)
    for run in runs_of(is_near):
        if np.ptp(flat[run], axis=0).max() > 2 * radius_mm:
            axes.plot(
                flat[run, 0],
                flat[run, 1],
                color=colour,
                lw=width,
                solid_capstyle="round",
                path_effects=[withStroke(linewidth=width + 1.2, foreground="black")],
                zorder=zorder,
            )
    crossings = np.flatnonzero(np.diff(np.signbit(distance)))
    for crossing in crossings:
        axes.add_patch(
            Circle(
                tuple(flat[crossing]),
                max(radius_mm, 1.8 / scale),
                facecolor=colour,
                edgecolor="black",
                lw=0.8,
                zorder=zorder + 0.1,
            )
        )


def draw_rod(
    axes: Axes,
    plane: Plane,
    first_mm: FloatArray,
    last_mm: FloatArray,
    *,
    radius_mm: float,
    colour: str,
    zorder: float,
) -> None:
    """Draw a straight rod: solid and to scale within the plane, a dashed projection elsewhere."""
    fine = densify(np.stack([first_mm, last_mm]), 0.1)
    flat, distance = plane.project(fine)
    scale = points_per_mm(axes, plane)
    width = max(2 * radius_mm * scale, 1.6)
    is_near = np.abs(distance) <= radius_mm + 0.25
    for run in runs_of(~is_near):
        axes.plot(flat[run, 0], flat[run, 1], color=colour, lw=1.4, ls=(0, (3, 2)), alpha=0.9, zorder=zorder)
    for run in runs_of(is_near):
        axes.plot(
            flat[run, 0],
            flat[run, 1],
            color=colour,
            lw=width,
            solid_capstyle="round" if np.ptp(flat[run], axis=0).max() < 3 * radius_mm else "butt",
            path_effects=[withStroke(linewidth=width + 1.4, foreground="black")],
            zorder=zorder,
        )


def densify(course_mm: FloatArray, step_mm: float) -> FloatArray:
    """Points along a polyline at most `step_mm` apart."""
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(course_mm, axis=0), axis=1))])
    along = np.union1d(length, np.linspace(0.0, length[-1], int(np.ceil(length[-1] / step_mm)) + 1))
    return np.stack([np.interp(along, length, course_mm[:, axis]) for axis in range(3)], axis=1)
