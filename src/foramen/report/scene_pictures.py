"""The three views of the three-dimensional picture, with cube, scale bar, letters and legend."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Polygon, Rectangle

from foramen.model.anatomy import NerveKind
from foramen.model.plan import Target, Trajectory
from foramen.model.space import FloatArray
from foramen.report.annotation import HALO, draw_letters, new_figure, png_bytes, scale_length_mm
from foramen.report.camera import Camera, camera_facing
from foramen.report.messages import message
from foramen.report.palette import BARE_TIP, BONE, ISOTHERMS, NERVE_COLOURS, SHAFT, TARGET_NERVE
from foramen.report.scene import Scene, render

_PIXELS = 600
_HALF_MM = 44.0
_DOTS_PER_INCH = 100

_FACES: tuple[tuple[str, tuple[float, float, float]], ...] = (
    ("L", (1, 0, 0)),
    ("R", (-1, 0, 0)),
    ("P", (0, 1, 0)),
    ("A", (0, -1, 0)),
    ("H", (0, 0, 1)),
    ("F", (0, 0, -1)),
)


def cameras_of(target: Target, trajectories: tuple[Trajectory, ...]) -> dict[str, Camera]:
    """Cameras by message key: the working C-arm direction, from behind and the target's side, and lateral."""
    side = target.side.sign
    centre = target.position_mm
    cameras = {}
    if trajectories:
        view = trajectories[0].view
        cameras["scene.working"] = camera_facing(
            -view.beam, centre_mm=centre, half_mm=_HALF_MM, pixels=_PIXELS, up_hint=view.up
        )
    oblique = np.array([-0.62 * side, -0.68, -0.42])
    cameras["scene.oblique"] = camera_facing(oblique, centre_mm=centre, half_mm=_HALF_MM, pixels=_PIXELS)
    lateral = np.array([-side, 0.0, 0.0])
    cameras["scene.lateral"] = camera_facing(lateral, centre_mm=centre, half_mm=_HALF_MM, pixels=_PIXELS)
    return cameras


def draw_scene(scene: Scene, camera: Camera, *, title: str) -> bytes:
    """PNG of a scene, annotated, as many pixels square as its camera has."""
    picture = render(scene, camera)
    inches, head = camera.pixels / _DOTS_PER_INCH, 0.42
    share = inches / (inches + head)
    figure = new_figure(inches, inches + head, colour="#12161C")
    figure.text(0.02, (1 + share) / 2, title, color="white", fontsize=14, va="center", fontweight="bold")
    axes = figure.add_axes((0, 0, 1, share))
    edge = camera.half_mm
    axes.imshow(picture, extent=(-edge, edge, -edge, edge), interpolation="nearest")
    axes.set_axis_off()
    axes.set_xlim(-edge, edge)
    axes.set_ylim(-edge, edge)
    draw_letters(axes, camera.letters, size=17)
    _scale_bar(axes, edge)
    _legend(axes, has_heat=scene.heat is not None)
    draw_cube(figure.add_axes((0.83, 0.84 * share, 0.16, 0.16 * share)), camera)
    return png_bytes(figure, dots_per_inch=_DOTS_PER_INCH)


def _scale_bar(axes: Axes, edge: float) -> None:
    length = scale_length_mm(edge)
    axes.add_patch(Rectangle((0.94 * edge - length, -0.93 * edge), length, 0.02 * edge, facecolor="white"))
    axes.text(
        0.94 * edge - length / 2,
        -0.90 * edge,
        f"{length:g} mm",
        color="white",
        fontsize=12,
        ha="center",
        va="bottom",
        path_effects=HALO,
    )


def _legend(axes: Axes, *, has_heat: bool) -> None:
    entries = [
        (TARGET_NERVE, message("legend.target_nerve_thick")),
        (NERVE_COLOURS[NerveKind.SPINAL_NERVE], message("legend.spinal_nerve")),
        (SHAFT, message("legend.shaft")),
        (BARE_TIP, message("legend.bare_tip")),
        (BONE, message("legend.bone_surface")),
    ]
    if has_heat:
        entries += [(look.colour, message("legend.isotherm", value=f"{look.temperature_degC:g}")) for look in ISOTHERMS]
    axes.legend(
        handles=[Line2D([], [], color=colour, lw=5, label=text) for colour, text in entries],
        loc="lower left",
        fontsize=10,
        facecolor="#12161C",
        labelcolor="white",
        framealpha=0.72,
        edgecolor="#444B55",
        handlelength=1.2,
    )


def draw_cube(axes: Axes, camera: Camera) -> None:
    """Draw a cube turned as the patient is, its visible faces lettered L R A P H F."""
    axes.set_xlim(-1.9, 1.9)
    axes.set_ylim(-1.9, 1.9)
    axes.set_aspect("equal")
    axes.set_axis_off()
    for letter, face in _FACES:
        outward = np.array(face, dtype=np.float64)
        facing = float(-outward @ camera.look)
        if facing < 0.05:
            continue
        first, second = (axis for axis in np.eye(3) if abs(axis @ outward) < 0.5)
        corners = np.array([outward + a * first + b * second for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))])
        flat = _flatten(corners, camera)
        grey = 0.45 + 0.45 * facing
        axes.add_patch(Polygon(flat, closed=True, facecolor=(grey, grey, grey * 1.03), edgecolor="black", lw=1.0))
        if facing > 0.25:
            x, y = _flatten(outward[None], camera)[0]
            axes.text(x, y, letter, fontsize=8 + 8 * facing, fontweight="bold", color="black", ha="center", va="center")


def _flatten(points: FloatArray, camera: Camera) -> FloatArray:
    flat: FloatArray = points @ np.stack([camera.right, camera.up]).T
    return flat
