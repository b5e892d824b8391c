"""Coloured surfaces as MZ3 files, the mesh format of the page's viewer; converted from LPS to RAS at this door."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Iterable

import numpy as np

from foramen.io.nifti import RAS_FROM_LPS
from foramen.model.space import Surface

MAGIC = 0x5A4D
HAS_FACES, HAS_VERTICES, HAS_COLOURS = 1, 2, 4

ROUNDING_PER_MM = 32.0
"""Positions are rounded to 1/32 mm, which makes the file smaller."""

Colour = tuple[int, int, int]


def mz3_bytes(parts: Iterable[tuple[Surface, Colour]]) -> bytes:
    """A gzipped MZ3 file of several surfaces in their colours; the same content gives the same bytes.

    Parameters
    ----------
    parts : iterable of (Surface, (red, green, blue))
        Colours from 0 to 255.
    """
    vertices, faces, colours = [], [], []
    first = 0
    for surface, colour in parts:
        vertices.append(surface.vertices_mm)
        faces.append(surface.faces + first)
        colours.append(np.tile(np.array([*colour, 255], dtype=np.uint8), (len(surface.vertices_mm), 1)))
        first += len(surface.vertices_mm)
    points = np.concatenate(vertices) @ RAS_FROM_LPS[:3, :3]
    points = (np.rint(points * ROUNDING_PER_MM) / ROUNDING_PER_MM).astype("<f4")
    triangles = np.concatenate(faces).astype("<i4")
    flags = HAS_FACES | HAS_VERTICES | HAS_COLOURS
    head = struct.pack("<HHIII", MAGIC, flags, len(triangles), len(points), 0)
    content = head + triangles.tobytes() + points.tobytes() + np.concatenate(colours).tobytes()
    return gzip.compress(content, compresslevel=9, mtime=0)
