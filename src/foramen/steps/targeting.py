"""Which nerve, on which bone, and which part of it must be captured.

A lumbar joint Ln-Ln+1 is supplied by the medial branches of Ln-1 and Ln. The branch of Ln-1 crosses the
transverse process of Ln; the L5 nerve is a dorsal ramus on the ala of the sacrum.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from foramen.errors import LandmarkError, LevelError
from foramen.geometry.segments import arc_length, cut_polyline, project_on_polyline
from foramen.model.anatomy import Anatomy, Landmark, LandmarkName, Nerve, NerveKind, VertebraAnatomy
from foramen.model.levels import Root, Segment, Side, Vertebra, neighbour_above, neighbour_below
from foramen.model.plan import Target
from foramen.model.space import FloatArray

SAMPLING_STEP_MM = 0.2
"""Longest step at which the needed part of a nerve is sampled."""

SACRUM = Vertebra("S1")

LUMBAR_JOINTS_BELOW = ("T12", "L1", "L2", "L3", "L4", "L5")
"""Vertebrae below which the joint is supplied in the lumbar way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Supply:
    """One nerve that supplies a joint, and the bone that it crosses."""

    root: Root
    kind: NerveKind
    crosses: Vertebra

    @property
    def nerve_name(self) -> str:
        """Name of the nerve, such as ``L3 medial branch``."""
        return f"{self.root} {self.kind.value.replace('_', ' ')}"

    @property
    def words(self) -> str:
        """The target in words, such as ``L3 medial branch, on the L4 transverse process``."""
        place = "the sacral ala" if self.crosses == SACRUM else f"the {self.crosses} transverse process"
        return f"{self.nerve_name}, on {place}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NeededPart:
    """The part of a nerve's centreline that must be captured, as the technique names it.

    From the point nearest to landmark `start`, or where the nerve passes behind the posterior border of the
    foramen if that is more distal (no tip may go before it), to the point nearest to landmark `end`; where
    `end` is None it reaches over `length_mm` in the distal direction. It may not be shorter than
    `shortest_mm`: landmarks that fall together mean that the image did not support them. The whole cross-section
    of a nerve of `nerve_radius_mm` must be captured, an upper bound so that capture is not overstated.
    """

    start: LandmarkName
    end: LandmarkName | None
    length_mm: float
    shortest_mm: float
    nerve_radius_mm: float

    @property
    def words(self) -> str:
        """The definition in words, for the plan."""
        start = self.start.value.replace("_", " ")
        end = f"over {self.length_mm:g} mm" if self.end is None else f"to the {self.end.value.replace('_', ' ')}"
        return f"centreline of the nerve behind the posterior border of the foramen, from the {start} {end}"


def lumbar_joint_supply(segment: Segment) -> tuple[Supply, ...]:
    """The two nerves that supply a lumbar facet joint (T12-L1 to L5-S1), the upper first.

    Raises
    ------
    LevelError
        If the segment is not one of T12-L1 ... L5-S1 of a spine with the usual count.
    """
    upper = segment.upper
    above = neighbour_above(upper)
    is_usual = neighbour_below(upper) == segment.lower
    if not is_usual or upper.name not in LUMBAR_JOINTS_BELOW or above is None:
        raise LevelError(
            f"{segment}: the nerves of this joint are known for T12-L1 to L5-S1 of a spine with five lumbar vertebrae. "
            "For a transitional or cervical or thoracic level a person must name the nerves."
        )
    return _supply(above, upper), _supply(upper, segment.lower)


def _supply(origin: Vertebra, crosses: Vertebra) -> Supply:
    kind = NerveKind.DORSAL_RAMUS if crosses == SACRUM else NerveKind.MEDIAL_BRANCH
    return Supply(root=Root(origin.name), kind=kind, crosses=crosses)


def find_target(anatomy: Anatomy, supply: Supply, *, joint: Segment, side: Side, needed: NeededPart) -> Target:
    """The target on one nerve: where it must be captured, in words and in space.

    Parameters
    ----------
    needed : NeededPart
        The part of the nerve that must be captured.

    Raises
    ------
    LandmarkError
        If nerve or landmark could not be placed, or the needed part is implausibly short.

    Notes
    -----
    The standard uncertainty of the position joins that of the nerve's course with that of the landmarks
    which cut it: sqrt(sd_nerve^2 + mean(sd_landmark^2)). It is not below either of them.
    """
    vertebra = anatomy.vertebra(supply.crosses)
    nerve = anatomy.nerve(supply.kind, supply.root, side)
    start = vertebra.landmark(needed.start, side)
    end = vertebra.landmark(needed.end, side) if needed.end is not None else None
    segment = _cut(nerve, vertebra, start, end, needed)
    used = [start] if end is None else [start, end]
    landmarks = {str(landmark.name): _triple(landmark) for landmark in vertebra.landmarks if landmark.side is side}
    return Target(
        name=supply.words,
        nerve=supply.nerve_name,
        crosses_bone=supply.crosses,
        joint_served=str(joint),
        level=joint,
        side=side,
        position_mm=segment[len(segment) // 2].copy(),
        needed_segment_mm=segment,
        nerve_radius_mm=max(needed.nerve_radius_mm, nerve.radius_mm),
        position_sd_mm=float(np.sqrt(nerve.variation_sd_mm**2 + np.mean([mark.sd_mm**2 for mark in used]))),
        confidence_fraction=min(mark.confidence_fraction for mark in used),
        segment_definition=needed.words,
        landmarks_mm=landmarks,
    )


def _cut(
    nerve: Nerve, vertebra: VertebraAnatomy, start: Landmark, end: Landmark | None, needed: NeededPart
) -> FloatArray:
    course = nerve.centreline_mm
    first = _behind_foramen(course, vertebra, project_on_polyline(start.position_mm, course), nerve.side)
    last = first + needed.length_mm if end is None else project_on_polyline(end.position_mm, course)
    last = min(last, float(arc_length(course)[-1]))
    if last - first < needed.shortest_mm:
        raise LandmarkError(
            f"{nerve.words}: the needed part is {last - first:.1f} mm long, below "
            f"{needed.shortest_mm:g} mm: the landmarks on {start.vertebra} fall together or in the wrong order. "
            "Check the label map in the contact sheet (foramen case inspect)."
        )
    part = cut_polyline(course, first, last, step_mm=SAMPLING_STEP_MM)
    return part


def _behind_foramen(course_mm: FloatArray, vertebra: VertebraAnatomy, start_mm: float, side: Side | None) -> float:
    """Length along a nerve, at or after `start_mm`, from which it lies behind the foramen's posterior border."""
    border = vertebra.landmark(LandmarkName.FORAMEN_POSTERIOR_BORDER, side)
    end = float(arc_length(course_mm)[-1])
    if start_mm >= end:
        return start_mm
    rest = cut_polyline(course_mm, start_mm, end, step_mm=SAMPLING_STEP_MM)
    behind = vertebra.frame.to_vertebra(rest)[:, 1] >= vertebra.frame.to_vertebra(border.position_mm)[1]
    return start_mm + float(arc_length(rest)[behind.argmax()]) if behind.any() else end


def _triple(landmark: Landmark) -> tuple[float, float, float]:
    x, y, z = (float(value) for value in landmark.position_mm)
    return x, y, z
