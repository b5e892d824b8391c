"""Ribs 1 to 12 as solids in the frame of the vertebra that carries them (left side; mm).

A rib goes from its head at the vertebral body, by neck and tubercle before the transverse process, to its angle and
along the surface of the rib cage. It is long and bent: its distance field is kept in pieces, one for each stretch.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy.interpolate import PchipInterpolator

from foramen.anatomy.reference_body import thoracic
from foramen.anatomy.reference_body.dimensions import dimensions
from foramen.anatomy.reference_body.field import BoneField, union_of
from foramen.anatomy.reference_body.posture import mean_frames
from foramen.anatomy.reference_body.primitives import Strut
from foramen.anatomy.reference_body.rib_cage import cage_at, rib_head, rib_row
from foramen.anatomy.reference_body.shapes import vector
from foramen.knowledge.drawings import drawing
from foramen.model.levels import Vertebra
from foramen.model.space import FloatArray

SHAFT_POINTS = 9
"""Points on the cage through which a shaft is drawn, from its angle to its end."""

STRETCH_MM = 18.0
"""Length of the struts that make up a rib: short enough for its bend."""

PIECE_MARGIN_MM = 2.4
"""Reach of a piece's grid beyond its strut."""


@cache
def rib_pieces(level: Vertebra) -> tuple[BoneField, ...]:
    """Distance fields of the stretches of the left rib that a vertebra T1 to T12 carries, from head to end."""
    struts = rib_struts(level)
    pieces = []
    for i, strut in enumerate(struts):
        low, high = (np.array(corner) for corner in strut.box)
        box = (vector(low - PIECE_MARGIN_MM), vector(high + PIECE_MARGIN_MM))
        pieces.append(union_of(struts[max(i - 1, 0) : i + 2], box, is_paired=False))
    return tuple(pieces)


def rib_distance(level: Vertebra, points_mm: FloatArray) -> FloatArray:
    """Distance (n,) of points (n, 3) in the vertebra's frame to its left rib; far away `FAR_MM`."""
    found: FloatArray = np.min([piece.at(points_mm) for piece in rib_pieces(level)], axis=0)
    return found


@cache
def rib_line(level: Vertebra) -> FloatArray:
    """Middle line (n, 3) of a left rib from head to end, in the frame of the vertebra that carries it."""
    points = np.vstack([rib_head(level), rib_tubercle(level), _shaft(level)])
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    count = int(np.ceil((along[-1] - along[1]) / STRETCH_MM)) + 1
    places = np.concatenate([[0.0], np.linspace(along[1], along[-1], count)])
    found: FloatArray = PchipInterpolator(along, points)(places)
    return found


def rib_tubercle(level: Vertebra) -> FloatArray:
    """Middle (3,) of a left rib where it passes before the transverse process, in the vertebra's frame."""
    own, shape = dimensions(level), drawing("reference_thoracic.rib")
    if level.name == "T12":
        return np.array(shape.rows["twelfth_neck_mm"])
    found: FloatArray = thoracic.costal_facet(own) + np.array(shape.rows["from_facet_mm"])
    return found


def rib_struts(level: Vertebra) -> tuple[Strut, ...]:
    """Struts of a left rib from its head to its end, in the frame of the vertebra that carries it."""
    form, line = drawing("reference_thoracic.rib").numbers, rib_line(level)
    half_height, thickness = rib_row(level, "half_height_mm"), form["thickness_mm"]
    neck = (form["neck_height_mm"], form["neck_thickness_mm"])
    radii = [(form["head_radius_mm"], form["head_radius_mm"]), (form["tubercle_mm"], form["tubercle_mm"])]
    radii += [(half_height, thickness)] * (len(line) - 2)
    struts = [_strut(level, line[0], 0.5 * (line[0] + line[1]), radii[0], neck)]
    struts.append(_strut(level, 0.5 * (line[0] + line[1]), line[1], neck, radii[1]))
    for i in range(1, len(line) - 1):
        struts.append(_strut(level, line[i], line[i + 1], radii[i], radii[i + 1]))
    return tuple(struts)


def _strut(
    level: Vertebra, start: FloatArray, end: FloatArray, first: tuple[float, float], last: tuple[float, float]
) -> Strut:
    form = drawing("reference_thoracic.rib").numbers
    up = mean_frames()[level].axes.T @ np.array([0.0, 0.0, 1.0])
    along = (end - start) / np.linalg.norm(end - start)
    outwards = np.cross(along, up)
    tilt = np.radians(form["flat_tilt_deg"]) * {"T1": 1.0, "T2": 0.5}.get(level.name, 0.0)
    return Strut(
        start=vector(start),
        end=vector(end),
        wide=vector(np.cos(tilt) * up + np.sin(tilt) * outwards),
        start_radii_mm=first,
        end_radii_mm=last,
        part="whole",
        blend_mm=form["blend_mm"],
    )


def _shaft(level: Vertebra) -> FloatArray:
    """Points (n, 3) of the middle line from the angle of a left rib to its end, in the vertebra's frame."""
    frames, frame = mean_frames(), mean_frames()[level]
    top = float(frame.to_lps(rib_tubercle(level))[2])
    turns = np.linspace(0.0, np.radians(rib_row(level, "end_turn_deg")), 181)
    heights = np.full_like(turns, top)
    for _ in range(5):  # the section depends on the height, the fall on where the angle lies on the section
        lateral, _ = cage_at(frames, heights).edge(turns)
        begin = turns[np.argmax(lateral > rib_row(level, "angle_lateral_mm"))]
        share = np.clip((turns - begin) / (turns[-1] - begin), 0.0, 1.0)
        heights = top - rib_row(level, "fall_mm") * share
    lateral, posterior = cage_at(frames, heights).edge(turns)
    points = np.stack([lateral, posterior, heights], axis=1)[turns >= begin]
    chosen = points[np.linspace(0, len(points) - 1, SHAFT_POINTS).round().astype(int)]
    return frame.to_vertebra(chosen)
