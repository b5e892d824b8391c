"""Plan L4-L5 and L5-S1, left and right, on the real CT, and write docs/validation/real_scans.md.

Nobody has marked the nerves on this scan. The table therefore shows what can be checked from outside: distance of
each target to the labelled bone (to the faces of its voxels; wanted: at most 3 mm) and, because the spine-only map
labels S1 without its alae, to bone of the CT (labelled, or unlabelled above 200 HU), distance to the opposite target
mirrored through the vertebra's midplane (wanted: at most 4 mm), the angles, and the nearest structures.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from foramen.anatomy.build import build_anatomy
from foramen.io.label_maps import parse_label_source, read_labels
from foramen.io.nifti import read_image
from foramen.knowledge.labels import label
from foramen.knowledge.technique_facts import technique_knowledge
from foramen.knowledge.trajectory_rules import trajectory_rules
from foramen.model.anatomy import Anatomy
from foramen.model.levels import Segment, Side
from foramen.model.plan import Target
from foramen.model.space import LabelMap, Volume
from foramen.planning.settings import choose_cannula
from foramen.steps.trajectory import search_trajectories
from foramen.techniques import technique

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "validation" / "real_scans.md"
DATA = Path(os.environ.get("FORAMEN_TEST_DATA", ROOT.parent / "shared" / "data")) / "ct_lumbar_3mm"
TECHNIQUE = technique("lumbar_medial_branch_rf")
DENSE_HU = 200.0
"""Unlabelled voxels above this are bone in this scan without contrast medium near the sacrum."""

LABELS = {"spine": ("totalseg.nii.gz",), "spine and organs": ("totalseg.nii.gz", "organs.nii.gz")}
HEAD = (
    "| labels | joint | side | target | to labelled bone (mm) | to bone of the CT (mm) | to mirrored opposite (mm) "
    "| angle to nerve (deg) | oblique, declined (deg) | skin to tip (mm) | nearest limit | paths (s) |\n"
    + "|---" * 12
    + "|\n"
)


def main() -> None:
    """Write the page."""
    if not DATA.is_dir():
        raise SystemExit(f"No scan at {DATA}: set FORAMEN_TEST_DATA.")
    rows = [row for name, files in LABELS.items() for row in rows_of(name, files)]
    text = (__doc__ or "").strip().replace(", and write docs/validation/real_scans.md", "")
    PAGE.write_text(
        f"# Paths on a real CT\n\n{text}\n\nMade by `benchmarks/real_scans.py`; 3 mm voxels.\n\n{HEAD}" + "".join(rows)
    )
    print(PAGE.read_text())


def rows_of(name: str, files: tuple[str, ...]) -> list[str]:
    """Rows of one set of label maps."""
    image = read_image(DATA / "ct.nii.gz")
    labels = read_labels([parse_label_source(str(DATA / file)) for file in files], image).labels
    anatomy = build_anatomy(image, labels)
    rows = []
    for joint in ("L4-L5", "L5-S1"):
        targets = {side: TECHNIQUE.find_targets(anatomy, Segment(joint), side) for side in Side}
        for side in Side:
            for target, opposite in zip(targets[side], targets[side.other], strict=True):
                rows.append(f"| {name} | {joint} | {side} | {row(image, labels, anatomy, target, opposite)}")
    return rows


def row(image: Volume, labels: LabelMap, anatomy: Anatomy, target: Target, opposite: Target) -> str:
    """The rest of one row."""
    frame = anatomy.vertebra(target.crosses_bone).frame
    mirrored = frame.to_vertebra(opposite.position_mm) * (-1.0, 1.0, 1.0)
    apart = float(np.linalg.norm(frame.to_vertebra(target.position_mm) - mirrored))
    known = {int(v): label(int(v)) for v in np.unique(labels.values) if v}
    own = [value for value, entry in known.items() if entry is not None and entry.vertebra == target.crosses_bone]
    bone = np.isin(labels.values, own)
    near = to_voxels_mm(labels, bone, target)
    dense = to_voxels_mm(labels, bone | ((image.values > DENSE_HU) & (labels.values == 0)), target)
    device = choose_cannula(technique_knowledge(TECHNIQUE.id), device_id=None)
    started = time.perf_counter()
    best = search_trajectories(anatomy, image, labels, target, (device,), rules=trajectory_rules(TECHNIQUE.id)).ranked[
        0
    ]
    seconds = time.perf_counter() - started
    tight = min(
        (c for c in best.clearances if c.distance_mm is not None), key=lambda c: (c.distance_mm or 0.0) - c.required_mm
    )
    return (
        f"{target.name} | {near:.1f} | {dense:.1f} | {apart:.1f} | {best.angle_to_nerve_deg:.0f} | "
        f"{best.oblique_deg:.0f}, {best.declined_deg:.0f} | {best.length_mm:.0f} | "
        f"{tight.structure} {tight.distance_mm:.1f} of {tight.required_mm:g} mm | {seconds:.1f} |\n"
    )


def to_voxels_mm(labels: LabelMap, mask: NDArray[np.bool_], target: Target) -> float:
    """Distance from a target to the faces of the nearest voxel of a mask."""
    geometry = labels.geometry
    centres = geometry.lps_mm(np.argwhere(mask).astype(np.float64))
    offset = np.abs((centres - target.position_mm) @ geometry.axes)
    return float(np.linalg.norm(np.maximum(offset - geometry.spacing_mm / 2, 0.0), axis=1).min())


if __name__ == "__main__":
    main()
