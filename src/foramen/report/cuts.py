"""The cuts of one target: along the needle, across it, and the three orthogonal ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from foramen.model.anatomy import Anatomy, NerveKind
from foramen.model.case import Case
from foramen.model.plan import RfHeatEffect, Target, Trajectory
from foramen.model.space import FloatArray
from foramen.report.annotation import (
    HALO,
    draw_letters,
    draw_rod,
    draw_scale_bar,
    draw_tube,
    new_figure,
    png_bytes,
    prepare_axes,
)
from foramen.report.messages import message
from foramen.report.palette import (
    BARE_TIP,
    BONE_OUTLINE,
    BONE_WINDOW,
    ISOTHERMS,
    NERVE_COLOURS,
    SHAFT,
    SOFT_WINDOW,
    TARGET_NERVE,
    Window,
    window_of,
    window_text,
)
from foramen.report.slices import (
    Plane,
    axial_plane,
    coronal_plane,
    cut_volume,
    plane_across,
    plane_along,
    sagittal_plane,
    sample_grid,
)

_PIXELS = 300
_HEAT_PIXELS = 200
_NEAR_MM = 26.0
_WIDE_MM = 42.0
_MARGIN_MM = 22.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CutScene:
    """What the cuts of one target show; `trajectories` and `effect` may be missing in a rejected plan."""

    case: Case
    anatomy: Anatomy
    bone: NDArray[np.bool_]
    target: Target
    trajectories: tuple[Trajectory, ...]
    effect: RfHeatEffect | None


def bare_tip_start_mm(trajectory: Trajectory) -> FloatArray:
    """Where the insulation of a cannula ends, LPS."""
    start: FloatArray = trajectory.tip_mm - trajectory.device.active_tip_mm * trajectory.direction
    return start


def planes_of(scene: CutScene) -> dict[str, tuple[Plane, Window]]:
    """Planes of a target's cuts by message key, with the display window of each."""
    target = scene.target
    planes: dict[str, tuple[Plane, Window]] = {}
    if scene.trajectories:
        needle = scene.trajectories[0]
        middle = 0.5 * (needle.tip_mm + bare_tip_start_mm(needle))
        nerve = target.needed_segment_mm
        along = plane_along(needle.tip_mm, needle.direction, nerve, centre_mm=middle, half_mm=_NEAR_MM)
        path = plane_along(
            needle.tip_mm,
            needle.direction,
            nerve,
            centre_mm=0.5 * (needle.entry_mm + needle.tip_mm),
            half_mm=0.5 * needle.length_mm + _MARGIN_MM,
        )
        planes["cut.along"] = (along, BONE_WINDOW)
        planes["cut.across"] = (plane_across(middle, needle.direction, 0.7 * _NEAR_MM), BONE_WINDOW)
        planes["cut.path"] = (path, SOFT_WINDOW)
    planes["cut.axial"] = (axial_plane(target.position_mm, _WIDE_MM), BONE_WINDOW)
    planes["cut.sagittal"] = (sagittal_plane(target.position_mm, _WIDE_MM), BONE_WINDOW)
    planes["cut.coronal"] = (coronal_plane(target.position_mm, _WIDE_MM), BONE_WINDOW)
    return planes


def draw_cuts(scene: CutScene) -> bytes:
    """PNG with every cut of a target, letters, scale bars, isotherms and one legend."""
    planes = planes_of(scene)
    rows = (len(planes) + 2) // 3
    width, panel, head, foot = 11.4, 3.72, 0.30, 0.42
    height = rows * (panel + head) + foot
    figure = new_figure(width, height)
    for number, (key, (plane, window)) in enumerate(planes.items()):
        row, column = divmod(number, 3)
        left = (0.06 + column * (panel + 0.07)) / width
        bottom = (foot + (rows - 1 - row) * (panel + head)) / height
        axes = figure.add_axes((left, bottom, panel / width, panel / height))
        draw_cut(axes, scene, plane, window)
        level = message("cut.level", level=scene.target.crosses_bone, side=message(f"side.{scene.target.side.value}"))
        axes.set_title(f"{message(key)}   {level}", fontsize=9.5, loc="left", pad=3, fontweight="bold")
    _legend(figure, has_heat=scene.effect is not None)
    return png_bytes(figure, dots_per_inch=120)


def draw_cut(axes: Axes, scene: CutScene, plane: Plane, window: Window) -> None:
    """Draw one cut into axes: image, bone outline, nerves, needle, isotherms, letters, scale bar."""
    prepare_axes(axes, plane)
    shown = window_of(scene.case.image, window)
    low, high = shown.limits
    edge = plane.half_mm
    extent = (-edge, edge, edge, -edge)
    image = cut_volume(scene.case.image, plane, _PIXELS)
    axes.imshow(image, cmap="gray", vmin=low, vmax=high, extent=extent, interpolation="bilinear", zorder=0)
    _draw_bone_outline(axes, scene, plane)
    if scene.effect is not None:
        _draw_isotherms(axes, scene.effect, plane)
    _draw_nerves(axes, scene, plane)
    for trajectory in scene.trajectories:
        start = bare_tip_start_mm(trajectory)
        radius = trajectory.device.radius_mm
        draw_rod(axes, plane, trajectory.entry_mm, start, radius_mm=radius, colour=SHAFT, zorder=10)
        draw_rod(axes, plane, start, trajectory.tip_mm, radius_mm=radius, colour=BARE_TIP, zorder=11)
    draw_letters(axes, plane.letters)
    draw_scale_bar(axes, plane)
    text = window_text(shown)
    axes.text(
        0.02,
        0.02,
        text,
        transform=axes.transAxes,
        color="white",
        fontsize=6.5,
        va="bottom",
        path_effects=HALO,
        zorder=30,
    )


def _draw_bone_outline(axes: Axes, scene: CutScene, plane: Plane) -> None:
    count = _PIXELS // 2
    shown = sample_grid(
        scene.bone.view(np.uint8),
        scene.case.labels.geometry.affine_mm,
        plane.points_mm(count),
        order=1,
        outside=0.0,
    )
    if shown.max() > 0.5 > shown.min():
        steps = (np.arange(count) + 0.5) / count * 2 * plane.half_mm - plane.half_mm
        axes.contour(steps, steps, shown, levels=[0.5], colors=[BONE_OUTLINE], linewidths=0.7, alpha=0.6, zorder=2)


def _draw_isotherms(axes: Axes, effect: RfHeatEffect, plane: Plane) -> None:
    heat = sample_grid(
        effect.peak_temperature_degC, effect.grid_affine_mm, plane.points_mm(_HEAT_PIXELS), order=1, outside=np.nan
    )
    shown = np.ma.masked_invalid(heat)
    if shown.count() == 0:
        return
    steps = (np.arange(_HEAT_PIXELS) + 0.5) / _HEAT_PIXELS * 2 * plane.half_mm - plane.half_mm
    for look in ISOTHERMS:
        if not float(shown.min()) < look.temperature_degC < float(shown.max()):
            continue
        axes.contour(
            steps, steps, shown, levels=[look.temperature_degC], colors=["black"], linewidths=2.6, alpha=0.7, zorder=6
        )
        axes.contour(
            steps,
            steps,
            shown,
            levels=[look.temperature_degC],
            colors=[look.colour],
            linewidths=1.5,
            linestyles=[look.line],
            zorder=6.1,
        )
    if plane.half_mm <= _NEAR_MM:
        _label_isotherms(axes, shown, steps)


def _label_isotherms(
    axes: Axes, shown: np.ma.MaskedArray[tuple[int, int], np.dtype[np.float32]], steps: FloatArray
) -> None:
    """Write each temperature at the contour's outermost point on its own ray, so that labels never overlap."""
    filled = shown.filled(-1.0)
    row, column = np.unravel_index(int(np.argmax(filled)), filled.shape)
    centre = np.array([steps[column], steps[row]])
    for look, angle in zip(ISOTHERMS, np.deg2rad([205.0, 155.0, 330.0]), strict=True):
        ray = np.array([np.cos(angle), -np.sin(angle)])
        reach = np.arange(0, steps[-1] * 1.5, steps[1] - steps[0])
        path = centre + reach[:, None] * ray
        pixel = np.rint((path - steps[0]) / (steps[1] - steps[0])).astype(int)
        inside = np.all((pixel >= 0) & (pixel < len(steps)), axis=1)
        values = filled[pixel[inside, 1], pixel[inside, 0]]
        hot = np.flatnonzero(values >= look.temperature_degC)
        if len(hot) == 0:
            continue
        place = path[inside][hot[-1]]
        note = place + 0.16 * steps[-1] * ray
        axes.annotate(
            f"{look.temperature_degC:g} °C",
            xy=tuple(place),
            xytext=tuple(note),
            color=look.colour,
            fontsize=8.5,
            fontweight="bold",
            ha="left" if ray[0] > 0 else "right",
            va="center",
            path_effects=HALO,
            arrowprops={"arrowstyle": "-", "color": look.colour, "lw": 0.9},
            zorder=25,
        )


def _draw_nerves(axes: Axes, scene: CutScene, plane: Plane) -> None:
    target = scene.target
    for nerve in scene.anatomy.nerves:
        is_target = nerve.name == target.nerve and nerve.side is target.side
        colour = TARGET_NERVE if is_target else NERVE_COLOURS[nerve.kind]
        is_large = nerve.kind in {NerveKind.SPINAL_NERVE, NerveKind.DORSAL_ROOT_GANGLION}
        draw_tube(
            axes,
            plane,
            nerve.centreline_mm,
            radius_mm=nerve.radius_mm,
            colour=colour,
            reach_mm=6.0 if is_target else (4.0 if is_large else 2.0),
            zorder=9 if is_target else 7,
        )
        if is_large:
            _name_nerve(axes, plane, nerve.centreline_mm, nerve.name, colour)


def _name_nerve(axes: Axes, plane: Plane, course_mm: FloatArray, name: str, colour: str) -> None:
    flat, distance = plane.project(course_mm)
    nearest = int(np.argmin(np.abs(distance)))
    x, y = flat[nearest]
    if abs(distance[nearest]) > 2.0 or max(abs(x), abs(y)) > 0.8 * plane.half_mm:
        return
    short = name.replace("spinal nerve", "SN").replace("dorsal root ganglion", "DRG")
    axes.text(
        x, y, short, color="white", fontsize=7, ha="center", va="center", path_effects=HALO, zorder=20, clip_on=True
    )


def _legend(figure: Figure, *, has_heat: bool) -> None:
    handles = [
        Line2D([], [], color=TARGET_NERVE, lw=4, label=message("legend.target_nerve")),
        Line2D([], [], color=NERVE_COLOURS[NerveKind.SPINAL_NERVE], lw=4, label=message("legend.spinal_nerve")),
        Line2D([], [], color=SHAFT, lw=4, label=message("legend.shaft")),
        Line2D([], [], color=BARE_TIP, lw=4, label=message("legend.bare_tip")),
        Line2D([], [], color=BONE_OUTLINE, lw=1.2, label=message("legend.bone")),
    ]
    if has_heat:
        handles += [
            Line2D(
                [],
                [],
                color=look.colour,
                lw=2,
                ls=look.line,
                label=message("legend.isotherm", value=f"{look.temperature_degC:g}"),
            )
            for look in ISOTHERMS
        ]
    figure.legend(
        handles=handles,
        loc="lower center",
        ncol=len(handles),
        fontsize=8,
        frameon=True,
        facecolor="#5A6068",
        labelcolor="white",
        handlelength=1.8,
        columnspacing=1.2,
        borderpad=0.4,
    )
