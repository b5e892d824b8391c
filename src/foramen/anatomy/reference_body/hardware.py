"""Pedicle screws and rods: labels, metal on CT, and the streaks that a scanner makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
from scipy.ndimage import zoom

from foramen.anatomy.reference_body.canvas import Canvas
from foramen.anatomy.reference_body.dimensions import dimensions
from foramen.anatomy.reference_body.pathology import Fusion
from foramen.anatomy.reference_body.placement import Placement
from foramen.anatomy.reference_body.primitives import Field
from foramen.anatomy.reference_body.regions import REGIONS
from foramen.anatomy.reference_body.vertebra import on_side
from foramen.knowledge.drawings import drawing
from foramen.knowledge.facts import number, numbers
from foramen.knowledge.labels import structure_value
from foramen.model.levels import Side, Vertebra
from foramen.model.space import FloatArray

STREAK_GRID_MM, STREAK_VIEWS = 2.0, 150
"""In-plane step on which streaks are computed, and views of the modelled scanner over half a turn."""

Rod = tuple[FloatArray, FloatArray, float]
"""Ends (3,) in LPS and radius in mm of one cylinder."""


def draw_hardware(image: Field, canvas: Canvas, placements: Mapping[Vertebra, Placement], fusion: Fusion) -> None:
    """Paint screws and rods into the labels and the image, with their streaks."""
    labels = canvas.labels
    metal = np.zeros(image.shape, dtype=np.float32)
    for cylinder in cylinders(placements, fusion):
        _add_cylinder(metal, canvas, cylinder)
    labels[metal > 0.5] = structure_value("hardware")
    image += _streaks(metal, canvas)
    image += metal * (number("cohort.hu_metal") - image)


def cylinders(placements: Mapping[Vertebra, Placement], fusion: Fusion) -> list[Rod]:
    """Screws with their heads, and a rod on each side, in LPS."""
    levels = list(placements)
    fused = levels[levels.index(fusion.upper) : levels.index(fusion.lower) + 1]
    found: list[Rod] = []
    for side in Side:
        heads = []
        for level in fused:
            tip, entry, head = screw(placements[level], side)
            found.append((tip, entry, 0.5 * number("cohort.screw_diameter_mm")))
            found.append((entry, head, 0.5 * number("cohort.screw_head_diameter_mm")))
            heads.append(head)
        over = number("cohort.rod_overhang_mm")
        up, down = heads[0] - heads[1], heads[-1] - heads[-2]
        points = [heads[0] + over * up / np.linalg.norm(up), *heads, heads[-1] + over * down / np.linalg.norm(down)]
        radius_mm = 0.5 * number("cohort.rod_diameter_mm")
        found += [(a, b, radius_mm) for a, b in pairwise(points)]
    return found


def screw(placement: Placement, side: Side) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Tip, entry and end of the head (3,) of a pedicle screw in LPS, along the pedicle towards the midline."""
    own = dimensions(placement.drawn_as)
    row = REGIONS["lumbar"].index(placement.drawn_as.name)
    converge = np.radians(numbers("cohort.screw_converge_deg")[row])
    forwards = np.array([-np.sin(converge), -np.cos(converge), 0.0])
    if placement.drawn_as.name == "S1":  # the sacrum states no pedicle dimensions: its own drawing does
        pedicle = drawing("reference_sacrum.dorsum").struts["pedicle"]
        middle = np.array([pedicle.start_mm[0], own.posterior_wall_mm, pedicle.start_mm[2]])
    else:
        below_mm = drawing("reference_bones.pedicle").numbers["below_endplate_mm"]
        middle = np.array(
            [
                0.5 * (own.canal_width_mm + own.pedicle_width_mm),
                own.posterior_wall_mm,
                0.5 * (own.body_height_mm - own.pedicle_height_mm) - below_mm,
            ]
        )
    tip = middle + forwards * number("cohort.screw_depth_fraction") * own.body_depth_mm / np.cos(converge)
    entry = middle - forwards * number("cohort.screw_entry_behind_wall_mm") / np.cos(converge)
    head = entry - forwards * number("cohort.screw_head_length_mm")
    straight = placement.to_lps(on_side(np.stack([tip, entry, head]), side))
    return straight[0], straight[1], straight[2]


def _add_cylinder(metal: Field, canvas: Canvas, rod: Rod) -> None:
    start, end, radius_mm = rod
    low, high = np.minimum(start, end) - radius_mm - 2, np.maximum(start, end) + radius_mm + 2
    block = tuple(canvas.span(axis, low[axis], high[axis]) for axis in range(3))
    x, y, z = (canvas.axis_mm(axis)[block[axis]] for axis in range(3))
    offset = [x[:, None, None] - start[0], y[None, :, None] - start[1], z[None, None, :] - start[2]]
    axis_mm = end - start
    length = float(np.linalg.norm(axis_mm))
    along = axis_mm / length
    position = sum(o * a for o, a in zip(offset, along, strict=True))
    beyond = np.abs(position - 0.5 * length) - 0.5 * length
    across2 = np.maximum(sum(o**2 for o in offset) - position**2, 0.0)
    distance = np.maximum(np.sqrt(across2) - radius_mm, beyond)
    size_mm = float(canvas.geometry.spacing_mm.mean())
    np.maximum(metal[block], np.clip(0.5 - distance / size_mm, 0, 1).astype(np.float32), out=metal[block])


def _streaks(metal: Field, canvas: Canvas) -> Field:
    """Streaks of beam hardening: the square of each view's metal path, filtered and projected back, slice by slice."""
    spacing = canvas.geometry.spacing_mm
    steps = [max(round(STREAK_GRID_MM / size), 1) for size in spacing]
    coarse = metal[:: steps[0], :: steps[1], :: steps[2]].astype(np.float64)
    size = [spacing[axis] * steps[axis] for axis in range(2)]
    x = (np.arange(coarse.shape[0]) - 0.5 * coarse.shape[0]) * size[0]
    y = (np.arange(coarse.shape[1]) - 0.5 * coarse.shape[1]) * size[1]
    bins = 2 * int(np.hypot(np.abs(x).max(), np.abs(y).max()) / STREAK_GRID_MM) + 3
    angles = np.pi * np.arange(STREAK_VIEWS) / STREAK_VIEWS
    place = (np.cos(angles)[:, None, None] * x[None, :, None] + np.sin(angles)[:, None, None] * y[None, None, :]) / (
        STREAK_GRID_MM
    ) + 0.5 * bins
    cell = place.astype(np.int64)
    ramp = np.abs(np.fft.rfftfreq(2 * bins))
    found = np.zeros(coarse.shape, dtype=np.float32)
    rows = np.arange(STREAK_VIEWS)[:, None, None]
    for k in np.flatnonzero(coarse.any(axis=(0, 1))):
        i, j = np.nonzero(coarse[:, :, k])
        paths = np.zeros((STREAK_VIEWS, bins))
        np.add.at(paths, (np.arange(STREAK_VIEWS)[:, None], cell[:, i, j]), coarse[i, j, k][None, :])
        error = paths - paths**2 / max(float(paths.max()), 1e-9)  # what a scanner takes the longest paths short by
        filtered = np.fft.irfft(np.fft.rfft(error, 2 * bins, axis=1) * ramp, axis=1)[:, :bins]
        found[:, :, k] = filtered[rows, cell].mean(axis=0)
    scale = np.percentile(np.abs(found[found != 0]), 99.5) if (found != 0).any() else 1.0
    found *= np.float32(number("cohort.streak_hu") / max(float(scale), 1e-9))
    full = np.zeros(metal.shape, dtype=np.float32)
    shown = np.flatnonzero(found.any(axis=(0, 1)))
    if len(shown):
        first, last = int(shown[0]), int(shown[-1]) + 1
        whole = slice(first * steps[2], min(last * steps[2], metal.shape[2]))
        factors = np.array(full[:, :, whole].shape) / np.array(found[:, :, first:last].shape)
        full[:, :, whole] = zoom(found[:, :, first:last], factors.tolist(), order=1)
    result: Field = np.clip(full, -3 * number("cohort.streak_hu"), 3 * number("cohort.streak_hu")).astype(np.float32)
    return result
