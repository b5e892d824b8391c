"""Courses of medial branches, spinal nerves and ganglia, carried over from the reference and kept off the bone."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.ndimage import gaussian_filter1d

from foramen.anatomy.bones import Bone
from foramen.anatomy.landmarks import standard_deviation_mm
from foramen.anatomy.reference_body import reference_vertebra
from foramen.anatomy.reference_body.dimensions import dimensions, per_level
from foramen.anatomy.reference_body.nerves import ganglion, spinal_nerve
from foramen.anatomy.registration import Registration
from foramen.knowledge.facts import number
from foramen.model.anatomy import LandmarkName, Nerve, NerveKind, Origin, VertebraAnatomy
from foramen.model.levels import Root, Side, Vertebra, neighbour_above, neighbour_below
from foramen.model.space import FloatArray

REACH_MM = 1.5
"""A stretch nearer to the bone than its offset and this runs along the bone, and is laid on it."""

BRANCH_SMOOTHING_STEPS, SPINAL_SMOOTHING_STEPS = 1.5, 2.0
"""Standard deviation, in steps of the course, by which a course is smoothed."""


def find_nerves(
    bones: Mapping[Vertebra, Bone],
    registrations: Mapping[Vertebra, Registration],
    vertebrae: Mapping[Vertebra, VertebraAnatomy],
) -> tuple[Nerve, ...]:
    """All nerves that the registered bones support, from above downwards, left before right."""
    found: list[Nerve] = []
    for level in registrations:
        for side in Side:
            branch = _branch(bones[level], registrations[level], vertebrae[level], side)
            found.extend([branch] if branch is not None else [])
            found.extend(_spinal(level, bones, registrations, side))
    return tuple(found)


def _branch(bone: Bone, registration: Registration, vertebra: VertebraAnatomy, side: Side) -> Nerve | None:
    """The medial branch (at the sacrum: L5 dorsal ramus) that crosses a bone, None if its groove was not found."""
    above = neighbour_above(bone.level)
    is_sacral = bone.level.name == "S1"
    groove = LandmarkName.SACRAL_ALA_NOTCH if is_sacral else LandmarkName.SAP_TP_JUNCTION
    has_groove = any(m.name is groove and m.side is side for m in vertebra.landmarks)
    if above is None or not has_groove or bone.level.name == "T12":
        return None  # the branch of T11 over T12 belongs to the thoracic techniques
    radius_mm = 0.5 * number("anatomy.medial_branch_diameter_mm")
    carried = registration.carry(reference_vertebra(bone.level).medial_branch[side])
    line = _beside_bone(bone, carried, radius_mm + number("anatomy.medial_branch_clear_of_bone_mm"))
    return Nerve(
        name=f"{above} dorsal ramus" if is_sacral else f"{above} medial branch",
        kind=NerveKind.DORSAL_RAMUS if is_sacral else NerveKind.MEDIAL_BRANCH,
        root=Root(above.name),
        side=side,
        crosses=bone.level,
        centreline_mm=line,
        radius_mm=radius_mm,
        variation_sd_mm=standard_deviation_mm(bone, registration, number("anatomy.medial_branch_variation_sd_mm")),
        origin=Origin.REGISTERED,
    )


def _spinal(
    level: Vertebra, bones: Mapping[Vertebra, Bone], registrations: Mapping[Vertebra, Registration], side: Side
) -> list[Nerve]:
    """The spinal nerve that leaves below a vertebra's pedicle, and its ganglion."""
    own = dimensions(level)
    mirror = np.array([side.sign, 1.0, 1.0])
    local = spinal_nerve(own)
    of_ganglion = ganglion(own, local, per_level("anatomy.drg_length_mm", level))
    first = int(np.linalg.norm(local - of_ganglion[0], axis=1).argmin())
    line = registrations[level].carry(local * mirror)
    below = neighbour_below(level)
    touching = [bones[level]]
    if below in registrations and below is not None:
        # the lower vertebra sees the same nerve in the foramen above it; both are believed alike
        seen = registrations[below].carry(reference_vertebra(below).spinal_nerve[side])
        line = 0.5 * (line + seen)
        touching.append(bones[below])
    radius_mm = 0.5 * per_level("anatomy.spinal_nerve_diameter_mm", level)
    ganglion_radius_mm = 0.5 * per_level("anatomy.drg_width_mm", level)
    if level.name != "S1":
        line = _clear_of_bones(touching, line, radius_mm)
    sd_mm = standard_deviation_mm(bones[level], registrations[level], number("anatomy.spinal_nerve_variation_sd_mm"))
    parts = (
        (NerveKind.SPINAL_NERVE, "spinal nerve", line, radius_mm),
        (
            NerveKind.DORSAL_ROOT_GANGLION,
            "dorsal root ganglion",
            line[first : first + len(of_ganglion)],
            ganglion_radius_mm,
        ),
    )
    return [
        Nerve(
            name=f"{level} {words}",
            kind=kind,
            root=Root(level.name),
            side=side,
            crosses=None,
            centreline_mm=course,
            radius_mm=thick,
            variation_sd_mm=sd_mm,
            origin=Origin.REGISTERED,
        )
        for kind, words, course, thick in parts
    ]


def _beside_bone(bone: Bone, line_mm: FloatArray, offset_mm: float) -> FloatArray:
    """The course with every stretch that runs near the bone laid at `offset_mm` from it, and none inside."""
    line = line_mm.copy()
    for _ in range(3):
        close = bone.at(line) < offset_mm + REACH_MM
        line[close] = bone.onto_surface(line[close], offset_mm=offset_mm)
        line[1:-1] = gaussian_filter1d(line, BRANCH_SMOOTHING_STEPS, axis=0, mode="nearest")[1:-1]
    close = bone.at(line) < offset_mm
    line[close] = bone.onto_surface(line[close], offset_mm=offset_mm)
    return line


def _clear_of_bones(bones: list[Bone], line_mm: FloatArray, radius_mm: float) -> FloatArray:
    line = line_mm.copy()
    for _ in range(3):
        for bone in bones:
            close = bone.at(line) < radius_mm
            if close.any():
                line[close] = bone.onto_surface(line[close], offset_mm=radius_mm)
        line[1:-1] = gaussian_filter1d(line, SPINAL_SMOOTHING_STEPS, axis=0, mode="nearest")[1:-1]
    return line
