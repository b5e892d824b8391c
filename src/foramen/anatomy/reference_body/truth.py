"""Landmarks, nerves and keep-outs of a reference body: its truth in LPS."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from foramen.anatomy.reference_body.build import Build
from foramen.anatomy.reference_body.dimensions import dimensions, per_level
from foramen.anatomy.reference_body.nerves import ganglion, ramus_origin, spinal_nerve
from foramen.anatomy.reference_body.vertebra import on_side, reference_vertebra
from foramen.knowledge.drawings import drawing
from foramen.knowledge.facts import number
from foramen.knowledge.labels import structure_labels
from foramen.model.anatomy import (
    Anatomy,
    KeepOut,
    KeepOutStatus,
    Landmark,
    LevelCount,
    Nerve,
    NerveKind,
    Origin,
    VertebraAnatomy,
    VertebraFrame,
)
from foramen.model.levels import Root, Side, Vertebra, neighbour_above
from foramen.model.space import FloatArray

DRAWN_KEEP_OUTS = (
    "thecal_sac", "canal", "aorta", "inferior_vena_cava", "iliac_vessels", "kidneys", "bowel", "solid_organs",
)  # fmt: skip
"""Keep-out groups of labels.yaml that the reference body shows."""


def true_anatomy(
    frames: Mapping[Vertebra, VertebraFrame], build: Build, frame_uid: str, levels: tuple[Vertebra, ...]
) -> Anatomy:
    """The truth of a body: frames, landmarks and nerves of `levels`, and its keep-outs."""
    vertebrae = tuple(_vertebra(level, frames[level], build) for level in levels)
    nerves = [nerve for level in levels for side in Side for nerve in _nerves_of_root(level, side, frames, build)]
    nerves += [
        _crossing_branch(level, side, frames, build)
        for level in levels
        if neighbour_above(level) in frames
        for side in Side
    ]
    return Anatomy(
        frame_uid=frame_uid,
        vertebrae=vertebrae,
        nerves=tuple(nerves),
        keep_outs=_keep_outs(),
        level_count=LevelCount(
            method="generated", is_ambiguous=False, reason="The reference body names its own levels."
        ),
        is_patient_specific=False,
        notes=("Reference body made by code: not a patient.",),
    )


def _vertebra(level: Vertebra, frame: VertebraFrame, build: Build) -> VertebraAnatomy:
    reference = reference_vertebra(level)
    sd_mm = drawing("reference_bones.landmarks").numbers["sd_mm"]
    landmarks = tuple(
        Landmark(
            name=name,
            vertebra=level,
            side=side,
            position_mm=frame.to_lps(point * np.array(build.scale)),
            sd_mm=sd_mm,
            confidence_fraction=1.0,
            origin=Origin.TRUTH,
        )
        for (name, side), point in reference.landmarks.items()
    )
    return VertebraAnatomy(level=level, frame=frame, landmarks=landmarks, is_complete=True)


def _nerves_of_root(
    level: Vertebra, side: Side, frames: Mapping[Vertebra, VertebraFrame], build: Build
) -> tuple[Nerve, Nerve]:
    own, root = dimensions(level), Root(level.name)
    course = spinal_nerve(own)
    swelling = ganglion(own, course, per_level("anatomy.drg_length_mm", level))
    variation = number("anatomy.spinal_nerve_variation_sd_mm")

    def lps(points_mm: FloatArray) -> FloatArray:
        return frames[level].to_lps(on_side(points_mm, side) * np.array(build.scale))

    return (
        Nerve(
            name=f"{level} spinal nerve",
            kind=NerveKind.SPINAL_NERVE,
            root=root,
            side=side,
            crosses=None,
            centreline_mm=lps(course),
            radius_mm=0.5 * per_level("anatomy.spinal_nerve_diameter_mm", level),
            variation_sd_mm=variation,
            origin=Origin.TRUTH,
        ),
        Nerve(
            name=f"{level} dorsal root ganglion",
            kind=NerveKind.DORSAL_ROOT_GANGLION,
            root=root,
            side=side,
            crosses=None,
            centreline_mm=lps(swelling),
            radius_mm=0.5 * per_level("anatomy.drg_width_mm", level),
            variation_sd_mm=variation,
            origin=Origin.TRUTH,
        ),
    )


def _crossing_branch(level: Vertebra, side: Side, frames: Mapping[Vertebra, VertebraFrame], build: Build) -> Nerve:
    """Medial branch of the root above (for S1 the dorsal ramus of L5) where it crosses a bone."""
    above = neighbour_above(level)
    assert_root = Root(above.name) if above is not None else Root(level.name)
    scale = np.array(build.scale)
    line = frames[level].to_lps(reference_vertebra(level).medial_branch[side] * scale)
    if above is not None:
        start = frames[above].to_lps(on_side(ramus_origin(dimensions(above)), side) * scale)
        line = _begun_at(line, start)
    is_ramus = level.name == "S1"
    return Nerve(
        name=f"{assert_root} {'dorsal ramus' if is_ramus else 'medial branch'}",
        kind=NerveKind.DORSAL_RAMUS if is_ramus else NerveKind.MEDIAL_BRANCH,
        root=assert_root,
        side=side,
        crosses=level,
        centreline_mm=line,
        radius_mm=0.5 * number("anatomy.medial_branch_diameter_mm"),
        variation_sd_mm=number("anatomy.medial_branch_variation_sd_mm"),
        origin=Origin.TRUTH,
    )


def _begun_at(line_mm: FloatArray, start_mm: FloatArray) -> FloatArray:
    """The course shifted at its beginning to start on the spinal nerve of this body; unchanged some mm further."""
    blend_mm = drawing("reference_bones.spinal_nerve").numbers["start_blend_mm"]
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(line_mm, axis=0), axis=1))])
    weight = np.clip(1 - along / blend_mm, 0, 1)[:, None]
    found: FloatArray = line_mm + weight * (start_mm - line_mm[0])
    return found


def _keep_outs() -> tuple[KeepOut, ...]:
    shown = tuple(
        KeepOut(
            name=group,
            status=KeepOutStatus.SHOWN,
            label_values=tuple(entry.value for entry in structure_labels() if entry.keep_out == group),
        )
        for group in DRAWN_KEEP_OUTS
    )
    nerve = KeepOut(name="spinal_nerve", status=KeepOutStatus.SHOWN, note="as centrelines")
    arteries = KeepOut(
        name="periforaminal_arteries",
        status=KeepOutStatus.UNKNOWN,
        note="not imaged: Doppler / live contrast required",
    )
    return (*shown, nerve, arteries)
