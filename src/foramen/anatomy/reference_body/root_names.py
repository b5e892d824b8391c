"""Which root a nerve of a bone belongs to, in a body with the usual or another number of vertebrae.

Roots are counted from above where the usual names reach: in a spine with six lumbar vertebrae the nerve below L6 is
S1, and that of the first sacral foramen S2. With thirteen thoracic vertebrae the roots keep the name of the vertebra
below whose pedicle they leave; the root of T13 has no usual name and is not listed.
"""

from __future__ import annotations

from collections.abc import Mapping

from foramen.anatomy.reference_body.course import Course
from foramen.anatomy.reference_body.placement import Placement
from foramen.model.levels import ROOTS, Root, Vertebra


def root_of(course: Course, level: Vertebra, placements: Mapping[Vertebra, Placement]) -> Root | None:
    """Root of a nerve that the bone of `level` lists; None if it has no usual name."""
    shape = placements[level].drawn_as
    levels = list(placements)
    if all(placements[other].drawn_as == other for other in levels):
        return course.root
    step = ROOTS.index(course.root.name) - ROOTS.index(shape.name)
    if step >= 0:
        return _named(level, levels, step)
    place = levels.index(level) + step
    return _named(levels[place], levels, 0) if place >= 0 else course.root


def name_of(course: Course, root: Root) -> str:
    """Name of a nerve in words, after its root."""
    return str(root) + course.name.removeprefix(str(course.root))


def _named(level: Vertebra, levels: list[Vertebra], step: int) -> Root | None:
    if level.name == "T13":
        return None
    has_l6 = Vertebra("L6") in levels
    name = "S1" if level.name == "L6" else "S2" if level.name == "S1" and has_l6 else level.name
    place = ROOTS.index(name) + step
    return Root(ROOTS[place]) if place < len(ROOTS) else None
