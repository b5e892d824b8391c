"""Thumbnails of C-arm views: a simulated X-ray through the scan, and how the C-arm stands."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Ellipse
from numpy.typing import NDArray
from scipy import ndimage

from foramen.errors import InputError
from foramen.knowledge.facts import number
from foramen.model.plan import Posture, Trajectory, View
from foramen.model.space import FloatArray, Modality, Volume
from foramen.report.annotation import HALO, draw_letters, new_figure, png_bytes
from foramen.report.camera import Camera
from foramen.report.cuts import bare_tip_start_mm
from foramen.report.messages import message
from foramen.report.slices import crop_box

_HALF_MM = 62.0
_PIXELS = 240
"""Half width of the picture at its centre, and its pixels."""

_REGION_MM = 130.0
"""Half size of the block of the scan that is shone through."""

_STEP_MM = 2.5
"""Step of the line integrals."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Attenuation:
    """Attenuation per millimetre on a grid (float32, i, j, k); `is_of_scan` is False where labels stand for a CT."""

    per_mm: NDArray[np.float32]
    affine_mm: FloatArray
    is_of_scan: bool = True


def attenuation_of(image: Volume, centre_mm: FloatArray, *, bone: NDArray[np.bool_] | None = None) -> Attenuation:
    """Attenuation of the scan around a point, bone enhanced for display.

    An MR tells no attenuation: labelled bone (`bone`, on the image's grid) in nothing stands for it.
    """
    box = crop_box(image.geometry, centre_mm - _REGION_MM, centre_mm + _REGION_MM)
    is_ct = image.modality is Modality.CT
    if not is_ct and bone is None:
        raise InputError("An X-ray view of an MR is drawn from its bone labels: give them.")
    hu = image.values[box] if is_ct or bone is None else np.where(bone[box], number("display.label_bone_hu"), 0.0)
    water, gain = number("display.water_attenuation_per_mm"), number("display.bone_gain")
    per_mm = water * np.clip(1 + hu / 1000, 0, None)
    per_mm += water * gain * np.clip((hu - number("display.bone_gain_from_hu")) / 1000, 0, 2)
    affine = np.array(image.geometry.affine_mm)
    affine[:3, 3] = image.geometry.lps_mm(np.array([part.start for part in box], dtype=np.float64))
    return Attenuation(per_mm=np.ascontiguousarray(per_mm, dtype=np.float32), affine_mm=affine, is_of_scan=is_ct)


def view_camera(view: View) -> Camera:
    """Camera of the person who looks at the detector's picture: against the beam, `up` towards the top."""
    up = view.up - (view.up @ view.beam) * view.beam
    return Camera(
        centre_mm=view.centre_mm,
        look=-view.beam,
        up=up / np.linalg.norm(up),
        half_mm=_HALF_MM,
        pixels=_PIXELS,
        source_mm=number("display.source_to_centre_mm"),
    )


def simulated_xray(
    attenuation: Attenuation, camera: Camera, trajectories: tuple[Trajectory, ...]
) -> NDArray[np.float64]:
    """Grey picture (rows, columns; 0 black to 1 white), dense things dark, of line integrals through the scan."""
    from foramen.kernels.raycast import capsule_chords, line_integrals

    starts, directions = camera.rays(0.0)
    inverse = np.ascontiguousarray(np.linalg.inv(attenuation.affine_mm)[:3])
    reach = 2.0 * number("display.source_to_centre_mm")
    body = line_integrals(attenuation.per_mm, inverse, starts, directions, reach, _STEP_MM)
    path = body.reshape(camera.pixels, camera.pixels)
    # Detail over slow changes of thickness, as C-arms process their pictures.
    detail = path - 0.75 * ndimage.gaussian_filter(path, camera.pixels / 9)
    low, high = np.percentile(detail, [1.5, 99.5])
    grey = 1 - (detail - low) / max(float(high - low), 1e-6)
    grey = 0.16 + 0.80 * np.clip(grey, 0, 1)
    if trajectories:
        ends = np.array([[t.entry_mm - 20 * t.direction, t.tip_mm] for t in trajectories])
        radii = np.array([t.device.radius_mm for t in trajectories])
        metal = capsule_chords(starts, directions, ends, radii).reshape(grey.shape)
        grey = grey * np.exp(-number("display.metal_attenuation_per_mm") * metal)
    shown: NDArray[np.float64] = np.clip(grey, 0, 1)
    return shown


def draw_view(attenuation: Attenuation, view: View, trajectories: tuple[Trajectory, ...]) -> bytes:
    """PNG of a view: the simulated X-ray with its letters, and two sketches of how the C-arm stands."""
    camera = view_camera(view)
    figure = new_figure(5.1, 3.4)
    axes = figure.add_axes((0, 0, 3.4 / 5.1, 1))
    edge = camera.half_mm
    picture = simulated_xray(attenuation, camera, trajectories)
    axes.imshow(picture, cmap="gray", vmin=0, vmax=1, extent=(-edge, edge, -edge, edge), interpolation="bilinear")
    axes.set_axis_off()
    axes.text(
        0.5,
        0.925,
        message("view.simulated") + ("" if attenuation.is_of_scan else f", {message('view.from_labels')}"),
        transform=axes.transAxes,
        color="#FFD84D",
        fontsize=11,
        fontweight="bold",
        ha="center",
        va="top",
        path_effects=HALO,
    )
    draw_letters(axes, camera.letters, size=13)
    for trajectory in trajectories:
        flat = _project_from_source(camera, np.stack([bare_tip_start_mm(trajectory), trajectory.tip_mm]))
        axes.plot(*flat[1], marker="o", ms=9, mfc="none", mec="#00D5E8", mew=1.6)
    axes.set_xlim(-edge, edge)
    axes.set_ylim(-edge, edge)
    _sketch(figure.add_axes((0.675, 0.50, 0.32, 0.46)), view, is_from_feet=True)
    _sketch(figure.add_axes((0.675, 0.02, 0.32, 0.46)), view, is_from_feet=False)
    return png_bytes(figure, dots_per_inch=110)


def _project_from_source(camera: Camera, points_mm: FloatArray) -> FloatArray:
    """Where points appear in the plane through the centre, seen from the source."""
    source = camera.centre_mm + camera.source_mm * camera.look
    offset = points_mm - source
    scale = camera.source_mm / -(offset @ camera.look)
    return camera.project(source + scale[:, None] * offset)


def _sketch(axes: Axes, view: View, *, is_from_feet: bool) -> None:
    """Draw body, source and detector, seen from the feet (side tilt) or from the patient's left (head-foot tilt)."""
    axes.set_xlim(-1.45, 1.45)
    axes.set_ylim(-1.3, 1.5)
    axes.set_aspect("equal")
    axes.set_axis_off()
    turn = -1.0 if view.posture is Posture.SUPINE else 1.0  # the back is up, unless supine
    up = np.array([0.0, turn, 0.0])
    right = np.array([-turn, 0.0, 0.0]) if is_from_feet else np.array([0.0, 0.0, -1.0])
    beam = np.array([view.beam @ right, view.beam @ up])
    width = 1.5 if is_from_feet else 2.7
    axes.add_patch(Ellipse((0, 0), width, 0.8, facecolor="#D9DEE6", edgecolor="#5A6068", lw=1))
    edges = ("R", "L") if is_from_feet and turn > 0 else ("L", "R")
    if not is_from_feet:
        edges = ("F", "H")
    axes.text(width / 2 - 0.05, 0, edges[0], fontsize=9, ha="right", va="center", fontweight="bold")
    axes.text(-width / 2 + 0.05, 0, edges[1], fontsize=9, ha="left", va="center", fontweight="bold")
    length = float(np.hypot(*beam))
    if length < 0.15:
        axes.text(0, 0, message("view.end_on"), fontsize=7, ha="center", va="center", color="#B3261E")
    else:
        source, detector = -1.05 * beam, 1.05 * beam
        across = np.array([-beam[1], beam[0]]) / length
        axes.plot(*np.stack([source, detector]).T, color="#0B57D0", lw=1.4, ls="--")
        axes.plot(*source, marker="o", ms=6, color="#0B57D0")
        plate = np.stack([detector - 0.42 * across, detector + 0.42 * across])
        axes.plot(*plate.T, color="#0B57D0", lw=5, solid_capstyle="butt")
    key = "view.from_feet" if is_from_feet else "view.from_left"
    axes.text(0, 1.47, message(key), fontsize=7.5, ha="center", va="top", color="#333333")
