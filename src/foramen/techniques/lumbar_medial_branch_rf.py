"""Lumbar medial-branch radiofrequency (facet rhizotomy by heat)."""

from __future__ import annotations

from foramen.errors import LevelError
from foramen.knowledge.facts import number as common_number
from foramen.knowledge.technique_facts import fact, number
from foramen.model.anatomy import Anatomy, LandmarkName
from foramen.model.levels import Level, LevelKind, Segment, Side, Vertebra
from foramen.model.plan import Posture, Target, View
from foramen.model.space import FloatArray
from foramen.model.technique import Technique
from foramen.steps.guidance import technique_views
from foramen.steps.targeting import SACRUM, NeededPart, find_target, lumbar_joint_supply

ID = "lumbar_medial_branch_rf"


def _joint(level: Level) -> Segment:
    if not isinstance(level, Segment):
        raise LevelError(f"{ID} treats a joint: give a motion segment such as L4-L5, not {level}.")
    return level


def _needed(crosses: Vertebra) -> NeededPart:
    """The part to capture; on the ala it starts in the groove beside the process and has no end landmark."""
    is_sacral = crosses == SACRUM
    start = fact(ID, "needed_segment_start_sacrum" if is_sacral else "needed_segment_start")
    return NeededPart(
        start=LandmarkName(str(start.value)),
        end=None if is_sacral else LandmarkName(str(fact(ID, "needed_segment_end").value)),
        length_mm=number(ID, "needed_segment_length_mm"),
        shortest_mm=common_number("trajectory.shortest_needed_part_mm"),
        nerve_radius_mm=number(ID, "nerve_radius_mm"),
    )


def needs_vertebrae(level: Level) -> tuple[Vertebra, ...]:
    """Vertebrae that the two nerves of the joint cross."""
    return tuple(supply.crosses for supply in lumbar_joint_supply(_joint(level)))


def needs_landmarks(level: Level) -> tuple[tuple[Vertebra, LandmarkName], ...]:
    """Landmarks that cut the needed part of each nerve and stop the tip."""
    found: list[tuple[Vertebra, LandmarkName]] = []
    for vertebra in needs_vertebrae(level):
        needed = _needed(vertebra)
        found += [(vertebra, name) for name in (needed.start, needed.end) if name is not None]
        found.append((vertebra, LandmarkName.FORAMEN_POSTERIOR_BORDER))
    return tuple(found)


def treated_nerves(level: Level) -> frozenset[str]:
    """Names of the two nerves, as a diagnostic block names them."""
    return frozenset(supply.root.name for supply in lumbar_joint_supply(_joint(level)))


def find_targets(anatomy: Anatomy, level: Level, side: Side) -> tuple[Target, ...]:
    """The two nerves of the joint, the upper first."""
    joint = _joint(level)
    return tuple(
        find_target(anatomy, supply, joint=joint, side=side, needed=_needed(supply.crosses))
        for supply in lumbar_joint_supply(joint)
    )


def plan_views(anatomy: Anatomy, target: Target, needle: FloatArray | None = None) -> tuple[View, ...]:
    """C-arm views for one target, the working view first; no oblique for the L5 dorsal ramus."""
    is_sacral = target.crosses_bone == SACRUM
    return technique_views(
        ID,
        anatomy.vertebra(target.crosses_bone).frame,
        target.side,
        centre_mm=target.position_mm,
        posture=Posture.PRONE,
        oblique_deg=number(ID, "oblique_l5_deg" if is_sacral else "oblique_deg"),
        declined_deg=number(ID, "declined_deg"),
        needle=needle,
    )


TECHNIQUE = Technique(
    id=ID,
    name="Lumbar medial branch radiofrequency (facet rhizotomy by heat)",
    level_kind=LevelKind.SEGMENT,
    region="lumbar",
    guidance=("fluoroscopy",),
    posture=Posture.PRONE,
    effect_model="rf_heat",
    needs_vertebrae=needs_vertebrae,
    needs_landmarks=needs_landmarks,
    treated_nerves=treated_nerves,
    find_targets=find_targets,
    plan_views=plan_views,
)
