"""Natural variation of nerves in one person: courses beside the mean, ganglia further in or out, conjoined roots."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

from foramen.anatomy.reference_body.course import STEP_MM, Course
from foramen.anatomy.reference_body.lay_course import REACH_MM, SPINAL_SMOOTHING_STEPS
from foramen.anatomy.reference_body.person import Person
from foramen.anatomy.reference_body.placement import Placement
from foramen.knowledge.drawings import drawing
from foramen.knowledge.facts import number
from foramen.model.anatomy import NerveKind
from foramen.model.levels import Root, Side, Vertebra
from foramen.model.space import FloatArray

NERVE_STREAM = 13
"""Second number of the seeds of a person's nerves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NerveVariation:
    """How one person's nerves differ from the mean course on their bones."""

    person: Person

    def beside(self, line_mm: FloatArray, course: Course, root: Root, side: Side | None) -> FloatArray:
        """The course (n, 3) moved aside by its natural standard deviation, the same way for nearby points."""
        if not self.person.has_nerve_variation or course.variation_sd_mm == 0:
            return line_mm
        generator = self._generator(course.kind, root, side)
        along = np.gradient(line_mm, axis=0)
        along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
        wave = number("cohort.nerve_wave_mm") / STEP_MM
        pad = int(3 * wave)
        noise = gaussian_filter1d(generator.standard_normal((len(line_mm) + 2 * pad, 3)), 0.5 * wave, axis=0)
        noise = noise[pad : pad + len(line_mm)] * np.sqrt(np.sqrt(np.pi) * wave)  # unit variance again
        across = noise - (noise * along).sum(axis=1, keepdims=True) * along
        moved: FloatArray = line_mm + course.variation_sd_mm * across
        return moved

    def conjoined(self, line_mm: FloatArray, level: Vertebra, course: Course, side: Side | None) -> FloatArray:
        """The course (n, 3) of a spinal nerve whose root leaves the sac lower, with the next one."""
        pair = self.person.pathologies.conjoined
        if pair is None or pair.above != level or pair.side is not side or course.kind is not NerveKind.SPINAL_NERVE:
            return line_mm
        end = course.ganglion[0] if course.ganglion is not None else len(line_mm) // 2
        weight = np.clip(1 - np.arange(len(line_mm)) / max(end, 1), 0, 1) ** 0.5
        moved: FloatArray = line_mm - np.outer(weight, [0.0, 0.0, number("cohort.conjoined_drop_mm")])
        return moved

    def ganglion(self, course: Course, root: Root, side: Side | None, count: int) -> tuple[int, int]:
        """First and last point of the ganglion on a course of `count` points."""
        first, last = course.ganglion if course.ganglion is not None else (0, count - 1)
        if not self.person.has_nerve_variation:
            return first, last
        generator = self._generator(NerveKind.DORSAL_ROOT_GANGLION, root, side)
        shift = round(float(generator.normal(0.0, number("cohort.ganglion_shift_sd_mm"))) / STEP_MM)
        shift = int(np.clip(shift, -first, count - 1 - last))
        return first + shift, last + shift

    def _generator(self, kind: NerveKind, root: Root, side: Side | None) -> np.random.Generator:
        which = zlib.crc32(f"{kind} {root} {side}".encode())
        return np.random.default_rng([self.person.seed, NERVE_STREAM, which])


CROWDED_ROUNDS, CROWDED_SHARE = 8, 0.3
"""Rounds of pushing a nerve out of bones that stand close, and the share of its distance that it keeps at least."""


def out_of_crowding(
    bones: Sequence[Placement], line_mm: FloatArray, distance_mm: float, *, keeps_start: bool = False
) -> FloatArray:
    """A course (n, 3) pushed out of bones that have come together, as far as they leave room."""
    line = line_mm.copy()
    for place in range(CROWDED_ROUNDS):
        target = distance_mm * (1.0 if place < CROWDED_ROUNDS // 2 else CROWDED_SHARE)
        for bone in bones:
            close = bone.at(line) < target
            close[0] &= not keeps_start
            if close.any():
                line[close] = bone.onto_surface(line[close], offset_mm=target)
    return line


def on_this_bone(placement: Placement, mean_mm: FloatArray, line_mm: FloatArray) -> FloatArray:
    """A course (n, 3) laid again on its bone wherever the mean course runs along it, and nowhere inside."""
    offset_mm = drawing("reference_bones.medial_branch").numbers["from_bone_mm"]
    line = line_mm.copy()
    touches = placement.at(mean_mm) < offset_mm + REACH_MM
    for _ in range(3):
        line[touches] = placement.onto_surface(line[touches], offset_mm=offset_mm)
        line[1:-1] = gaussian_filter1d(line, SPINAL_SMOOTHING_STEPS, axis=0, mode="nearest")[1:-1]
    inside = placement.at(line) < offset_mm
    inside[0] = False
    line[inside] = placement.onto_surface(line[inside], offset_mm=offset_mm)
    return line


def person_differs(person: Person) -> bool:
    """Whether bones of a person may stand otherwise than those of the mean body scaled: changed, or deformed."""
    return bool(person.pathologies.kinds) or person.deformation_rms_mm > 0
