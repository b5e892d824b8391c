"""Plan L4-L5 and L5-S1, left and right, on the real CT, and write docs/validation/real_scans.md.

Nobody has marked the nerves on this scan. The table therefore shows what can be checked from outside: distance of
each target to the labelled bone, distance to the opposite target mirrored through the vertebra's midplane, the
angles, and the nearest structures.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np

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
LABELS = {"spine": ("totalseg.nii.gz",), "spine and organs": ("totalseg.nii.gz", "organs.nii.gz")}
HEAD = (
    "| labels | joint | side | target | to its bone (mm) | to mirrored opposite (mm) | angle to nerve (deg) "
    "| oblique, declined (deg) | skin to tip (mm) | nearest limit | paths (s) |\n" + "|---" * 11 + "|\n"
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
    bone = labels.geometry.lps_mm(np.argwhere(np.isin(labels.values, own)).astype(np.float64))
    near = float(np.linalg.norm(bone - target.position_mm, axis=1).min())
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
        f"{target.name} | {near:.1f} | {apart:.1f} | {best.angle_to_nerve_deg:.0f} | {best.oblique_deg:.0f}, "
        f"{best.declined_deg:.0f} | {best.length_mm:.0f} | {tight.structure} {tight.distance_mm:.1f} "
        f"of {tight.required_mm:g} mm | {seconds:.1f} |\n"
    )


if __name__ == "__main__":
    main()
