"""The bones of one person, scaled, diseased, deformed and put in their places."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from foramen.anatomy.reference_body.bending import bent_frames
from foramen.anatomy.reference_body.bone import bone_field
from foramen.anatomy.reference_body.build import Build
from foramen.anatomy.reference_body.canal_state import CanalState
from foramen.anatomy.reference_body.column import Member, column_of, lumbar_levels
from foramen.anatomy.reference_body.deformation import Deformation, draw_deformation, with_change
from foramen.anatomy.reference_body.dimensions import joint_space_mm
from foramen.anatomy.reference_body.diseased_bone import Growth, grown, growth_above, growth_below, sacralised
from foramen.anatomy.reference_body.field import BoneField
from foramen.anatomy.reference_body.fracture import before_fracture
from foramen.anatomy.reference_body.pathology import Pathologies, TransitionalKind
from foramen.anatomy.reference_body.person import Person
from foramen.anatomy.reference_body.placement import Placement
from foramen.anatomy.reference_body.spine_line import SpineLine
from foramen.knowledge.facts import numbers
from foramen.model.anatomy import VertebraFrame
from foramen.model.levels import Side, Vertebra, neighbour_below

DEFORMATION_STREAM, GROWTH_STREAM = 11, 12
"""Second numbers of the seeds of a person's draws, so that no two share a stream."""


def bones_of(person: Person, levels: tuple[Vertebra, ...] | None = None) -> dict[Vertebra, Placement]:
    """Placements of a person's bones, from above downwards; those of the lumbar region if no levels are given."""
    column = column_of(person.pathologies.transitional)
    frames = bent_frames(person.build, column, person.pathologies)
    lumbar = lumbar_levels(column)
    found: dict[Vertebra, Placement] = {}
    for place, member in enumerate(column):
        if member.level not in levels if levels is not None else member.level.name not in lumbar:
            continue
        above = column[place - 1] if place else None
        below = column[place + 1] if place + 1 < len(column) else None
        growths = _growths(member, above, below, person.pathologies)
        found[member.level] = Placement(
            level=member.level,
            frame=frames[member.level],
            scale=person.build.scale,
            deformation=_deformation(member, person),
            shape=member.drawn_as,
            diseased=_diseased(member, growths, person),
            growths=growths,
        )
    return found


def _deformation(member: Member, person: Person) -> Deformation | None:
    drawn = None
    if person.deformation_rms_mm > 0:
        drawn = draw_deformation(
            np.random.default_rng([person.seed, DEFORMATION_STREAM, member.level.number]),
            rms_mm=person.deformation_rms_mm,
            correlation_mm=person.deformation_correlation_mm,
        )
    fracture = person.pathologies.fracture
    if fracture is None or fracture.level != member.level:
        return drawn
    return with_change(drawn, lambda points: before_fracture(points, fracture, person.build))


def _growths(member: Member, above: Member | None, below: Member | None, change: Pathologies) -> tuple[Growth, ...]:
    found = []
    for side in Side:
        grade = change.facet_grade(above.level, side) if above is not None else 0
        if grade:
            found.append(growth_above(member.drawn_as, side, grade))
        grade = change.facet_grade(member.level, side)
        if grade and below is not None:
            lower = (
                neighbour_below(member.drawn_as) or below.drawn_as
            )  # the bone that its inferior facets were fitted to
            found.append(growth_below(member.drawn_as, lower, side, grade))
    return tuple(found)


def _diseased(member: Member, growths: tuple[Growth, ...], person: Person) -> BoneField | None:
    transitional = person.pathologies.transitional
    is_sacralised = (
        transitional is not None
        and transitional.kind is TransitionalKind.SACRALISED_L5
        and member.drawn_as.name == "L5"
    )
    if not growths and not is_sacralised:
        return None
    field = bone_field(member.drawn_as)
    if is_sacralised and transitional is not None:
        field = sacralised(field, transitional.sides)
    generator = np.random.default_rng([person.seed, GROWTH_STREAM, member.level.number])
    return grown(field, growths, generator) if growths else field


def joint_spaces_mm(change: Pathologies) -> dict[Vertebra, tuple[float, float]]:
    """Left and right joint space below each vertebra that has an arthrotic joint."""
    spaces = (joint_space_mm(), *numbers("cohort.facet_space_mm"))
    return {
        facet.above: (
            spaces[change.facet_grade(facet.above, Side.LEFT)],
            spaces[change.facet_grade(facet.above, Side.RIGHT)],
        )
        for facet in change.facets
    }


def canal_of(change: Pathologies, frames: Mapping[Vertebra, VertebraFrame]) -> CanalState:
    """Where the sac of a body is narrow: at the middle of each stenotic disc, and below L3's with lipomatosis."""
    levels = list(frames)
    narrow = []
    for stenosis in change.stenoses:
        upper, lower = frames[stenosis.above], frames[levels[levels.index(stenosis.above) + 1]]
        height_mm = 0.5 * (upper.inferior_endplate_mm[2] + lower.superior_endplate_mm[2])
        narrow.append((float(height_mm), stenosis.loss_fraction))
    top_mm = float(frames[Vertebra("L3")].origin_mm[2])
    return CanalState(narrow=tuple(narrow), fat=(top_mm, change.lipomatosis_fraction))


def spine_of(column: tuple[Member, ...], frames: Mapping[Vertebra, VertebraFrame], build: Build) -> SpineLine:
    """Lines of the spine; of two bones drawn as one reference bone the upper gives the places of organs."""
    first: dict[Vertebra, VertebraFrame] = {}
    more = []
    for member in column:
        if member.drawn_as in first:
            more.append((member.drawn_as, frames[member.level]))
        else:
            first[member.drawn_as] = frames[member.level]
    return SpineLine(frames=first, build=build, more=tuple(more))
