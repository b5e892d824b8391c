"""Anatomy of virtual patients against their truth, and write docs/validation/cohort_anatomy.md.

Virtual patients with all changes that the generator knows are labelled as a segmentation program would, and their
landmarks, nerves and levels are found as those of any patient. Stopped, it goes on where it was; 100 patients unless
told otherwise.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.anatomy_errors import PROBABILITY, landmark_errors, nerve_errors
from foramen.anatomy.build import build_anatomy
from foramen.anatomy.degrade import degradation, degrade
from foramen.anatomy.reference_body import ReferenceBody, make_reference_body
from foramen.anatomy.reference_body.person import Person
from foramen.anatomy.reference_body.person_bones import bones_of
from foramen.anatomy.reference_body.truth import true_anatomy
from foramen.anatomy.reference_body.virtual_person import virtual_people
from foramen.errors import ForamenError
from foramen.io.label_naming import name_instances, unnamed_value
from foramen.jobs.processes import in_processes
from foramen.jobs.resumable_map import resumable_map
from foramen.knowledge.labels import FIRST_STRUCTURE, structure_value
from foramen.model.anatomy import Anatomy
from foramen.model.levels import VERTEBRA_NUMBERS
from foramen.model.space import LabelMap

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "validation" / "cohort_anatomy.md"
LEDGER = Path(tempfile.gettempdir()) / f"foramen-cohort-anatomy-{os.getuid()}"

PATIENTS, SEED = 100, 1
FIELD_OF_VIEW_MM = (150.0, 140.0)
"""Of the images: the bones with what lies around them; the flanks bear on nothing here and cost time."""

Arm = tuple[str, float, bool, str | None]

ARMS: tuple[Arm, ...] = (
    ("as drawn, 1 mm", 1.0, False, None),
    ("deformed, labels degraded, 1 mm", 1.0, True, "moderate"),
    ("deformed, labels degraded, 3 mm", 3.0, True, "mild"),
)
"""What is told apart: voxels (mm), whether each bone is deformed on its own, and how the label map is degraded."""

LIMITS_MM = {ARMS[0][0]: (1.5, 4.0, 2.0), ARMS[1][0]: (2.5, 6.0, 3.0), ARMS[2][0]: (3.0, None, 3.0)}
"""Wanted: median and 95th percentile of the landmarks, median of the nerves."""

LUMBAR_NUMBERS = frozenset(VERTEBRA_NUMBERS[f"L{i}"] for i in range(1, 7))

VIEWS = ("T12 to the sacrum", "sacrum out of view", "L2 to L4")
RIBS = ("ribs labelled", "no rib labels")

HEAD = """# Anatomy of virtual patients against their truth

{doc}

**The same generator draws these patients and the reference vertebrae that are carried over to them**, so the errors are
smaller than those in people: what is left of a real vertebra after the best affine map is 2.2 to 2.9 mm (root mean
square), of these with the independent deformation 1.1 mm. The same landmark on bodies from elsewhere stands in
[landmarks](landmarks.md). Nerves lie beside their mean course by a natural spread that is **assumed**, for no nerve
labels of people exist.

Made by `python -m benchmarks.cohort_anatomy`, {patients} patients of seed {seed}, T12 to the sacrum; label maps of
whole vertebrae.

## Landmarks

Held: share of the {share:.0f} % ellipsoids that hold the truth when it is moved along the bone by the stated spread
between people (drawn, so assumed); held by the fit: share of those without that spread that hold the truth itself.

| patients | landmarks | median (mm) | 95 % (mm) | wanted | largest (mm) | not found | held | held by the fit |
|---|---|---|---|---|---|---|---|---|
{landmarks}
## Nerves

Mean distance of the true course from the found one. "By the method": from the course that the nerve would have in this
body without its drawn natural spread; "with the spread": from the one that it has. Held: share of the latter within the
{share:.0f} % tube against the landmarks of its bone.

| patients | nerve | n | method: median (mm) | 95 % (mm) | wanted | spread: median (mm) | 95 % (mm) | not found | held |
|---|---|---|---|---|---|---|---|---|---|
{nerves}
## By change of the spine

Median and 95th percentile of the landmarks' errors (mm), {arm}.

| change | patients | median (mm) | 95 % (mm) | not found |
|---|---|---|---|---|
{changes}
## Levels from maps that only number the vertebrae

Named: every lumbar vertebra in view named, and right. Ambiguous: at least one left open, none named wrong. Wrong: any
bone named wrong. The sacrum is told from the vertebrae, as the programs do that number them.

| in view | labels | patients | named | ambiguous | wrong |
|---|---|---|---|---|---|
{levels}"""


def main() -> int:
    """Measure what the ledger lacks and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=PATIENTS)
    parser.add_argument("--ledger", type=Path, default=None, help="file that keeps what is finished")
    parser.add_argument("--page", type=Path, default=PAGE)
    options = parser.parse_args()
    from benchmarks.validate import digest

    wanted = digest("cohort_anatomy")
    ledger = options.ledger or LEDGER.with_name(f"{LEDGER.name}-{wanted[:12]}-{options.patients}.json")
    items = {
        f"{place:03d} {name}": {"place": place, "arm": number}
        for number, (name, *_rest) in enumerate(ARMS)
        for place in range(options.patients)
    }
    found = resumable_map(
        measure,
        items,
        executor=partial(in_processes, workers=len(os.sched_getaffinity(0))),
        ledger=ledger,
        binding={"digest": wanted},
        progress=_told,
    )
    if found.failures:
        raise SystemExit("\n".join(f"{key}: {why}" for key, why in found.failures.items()))
    results: list[dict[str, Any]] = [dict(r) for r in found.results.values() if isinstance(r, Mapping)]
    options.page.write_text(_page(results, options.patients))
    print(options.page.read_text())
    return 0


def measure(item: Mapping[str, Any]) -> dict[str, Any]:
    """Errors of one patient in one arm."""
    place, (name, spacing, is_deformed, severity) = int(item["place"]), ARMS[int(item["arm"])]
    person = virtual_people(PATIENTS, SEED, deformation=is_deformed)[place]
    made = make_reference_body(person=person, spacing_mm=spacing, field_of_view_mm=FIELD_OF_VIEW_MM)
    labels = _degraded(made, severity, np.random.default_rng([place, 1]))
    row: dict[str, Any] = {"arm": name, "place": place, "changes": [kind.value for kind in person.pathologies.kinds]}
    try:
        found = build_anatomy(made.image, labels)
    except ForamenError as error:
        return {
            **row,
            "refused": str(error),
            "landmarks": [],
            "nerves": [],
            "mean_nerves": [],
            "levels": _levels(made, place),
        }
    return {
        **row,
        "refused": "",
        "landmarks": [asdict(e) for e in landmark_errors(made.anatomy, found, np.random.default_rng([place, 2]))],
        "nerves": [asdict(e) for e in nerve_errors(made.anatomy, found)],
        "mean_nerves": [asdict(e) for e in nerve_errors(_with_mean_nerves(made, person), found)],
        "levels": _levels(made, place) if spacing > 1.0 else {},
    }


def _with_mean_nerves(made: ReferenceBody, person: Person) -> Anatomy:
    """The truth of the same body if its nerves ran their mean course on its bones."""
    levels = tuple(vertebra.level for vertebra in made.anatomy.vertebrae)
    bones = bones_of(person)
    usual = replace(person, has_nerve_variation=False)
    return true_anatomy(bones, made.anatomy.frame_uid, levels, usual)


def _degraded(made: ReferenceBody, severity: str | None, generator: np.random.Generator) -> LabelMap:
    if severity is None:
        values = made.labels.values
        is_bone = values < FIRST_STRUCTURE
        return LabelMap(geometry=made.labels.geometry, values=np.where(is_bone, values // 100 * 100, values))
    return degrade(made.labels, replace(degradation(severity), slice_mm=0.0), generator)


def _levels(made: ReferenceBody, place: int) -> dict[str, str]:
    """For each view and kind of labels: named, ambiguous or wrong."""
    values, geometry = made.labels.values, made.labels.geometry
    numbers = np.where(values < FIRST_STRUCTURE, values // 100, 0).astype(np.uint16)
    found: dict[str, str] = {}
    for view in VIEWS:
        keep = _in_view(made, view)
        seen = replace(geometry, shape=(*geometry.shape[:2], keep.stop - keep.start))
        affine = geometry.affine_mm.copy()
        affine[:3, 3] += keep.start * affine[:3, 2]
        seen = replace(seen, affine_mm=affine)
        for ribs in RIBS:
            part, bones = values[:, :, keep].copy(), numbers[:, :, keep]
            if ribs == RIBS[1]:
                part[np.isin(part, [structure_value(f"ribs_{side}") for side in ("left", "right")])] = 0
            found[f"{view}|{ribs}"] = _named(part, bones, seen, place)
    return found


def _named(values: np.ndarray, bones: np.ndarray, geometry: Any, place: int) -> str:
    sacrum = VERTEBRA_NUMBERS["S1"]
    present = [int(n) for n in np.unique(bones) if n and n != sacrum]
    shuffled = np.random.default_rng([place, 3]).permutation(len(present)) + 1
    table = np.zeros(int(bones.max()) + 1, dtype=np.uint16)
    table[present] = shuffled
    instances = table[bones]
    unnamed = np.where(bones > 0, np.where(bones == sacrum, 100 * sacrum, unnamed_value()), 0)
    mixed = np.where(values < FIRST_STRUCTURE, unnamed, values).astype(np.uint16)
    try:
        named = name_instances(mixed, instances, geometry, told={}, source="the map").values
    except ForamenError:
        return "ambiguous"
    is_bone = bones > 0
    given = np.where(named < FIRST_STRUCTURE, named // 100, 0)
    is_wrong = is_bone & (given > 0) & (given != bones)
    if is_wrong.any():
        return "wrong"
    lumbar = [n for n in present if n in LUMBAR_NUMBERS]
    return "named" if all((given[bones == n] > 0).all() for n in lumbar) else "ambiguous"


def _in_view(made: ReferenceBody, view: str) -> slice:
    """Slices of a view, cut between bodies."""
    frames = {v.level.name: v.frame for v in made.anatomy.vertebrae}
    low, high = 0, made.labels.geometry.shape[2]
    affine = made.labels.geometry.affine_mm

    def slice_at(height_mm: float) -> int:
        return int(np.clip(round((height_mm - affine[2, 3]) / affine[2, 2]), 0, high))

    if view == VIEWS[1]:
        is_sacrum = made.labels.values // 100 == VERTEBRA_NUMBERS["S1"]
        low = int(np.flatnonzero(is_sacrum.any(axis=(0, 1)))[-1]) + 1
    elif view == VIEWS[2]:
        low = slice_at(float(frames["L4"].inferior_endplate_mm[2]) - 3.0)
        return slice(low, slice_at(float(frames["L2"].superior_endplate_mm[2]) + 3.0))
    return slice(low, high)


def _page(results: list[dict[str, Any]], patients: int) -> str:
    doc = (__doc__ or "").strip().replace(", and write docs/validation/cohort_anatomy.md", "")
    return HEAD.format(
        doc=doc,
        patients=patients,
        seed=SEED,
        share=100 * PROBABILITY,
        landmarks="".join(_landmark_rows(results)),
        nerves="".join(_nerve_rows(results)),
        arm=ARMS[1][0],
        changes="".join(_change_rows([r for r in results if r["arm"] == ARMS[1][0]])),
        levels="".join(_level_rows(results)),
    )


def _landmark_rows(results: list[dict[str, Any]]) -> Iterable[str]:
    for name, *_rest in ARMS:
        rows = [mark for r in results if r["arm"] == name for mark in r["landmarks"]]
        median, most, _ = LIMITS_MM[name]
        wanted = f"{median:g} / {most:g}" if most is not None else f"{median:g} / -"
        errors = _values(rows, "error_mm")
        yield (
            f"| {name} | {len(rows)} | {np.median(errors):.2f} | {np.percentile(errors, 95):.2f} | {wanted} | "
            f"{errors.max():.1f} | {_missing(rows, 'error_mm')} | {_share(rows, 'is_held')} | "
            f"{_share(rows, 'is_held_fit')} |\n"
        )


def _nerve_rows(results: list[dict[str, Any]]) -> Iterable[str]:
    for name, *_rest in ARMS:
        rows = [nerve for r in results if r["arm"] == name for nerve in r["nerves"]]
        usual = [nerve for r in results if r["arm"] == name for nerve in r["mean_nerves"]]
        for kind in ("", *dict.fromkeys(str(row["kind"]) for row in rows)):
            own = [row for row in rows if not kind or row["kind"] == kind]
            errors, method = (
                _values(own, "mean_mm"),
                _values([r for r in usual if not kind or r["kind"] == kind], "mean_mm"),
            )
            if not len(errors):
                continue
            yield (
                f"| {name} | {kind.replace('_', ' ') or 'all'} | {len(own)} | {np.median(method):.2f} | "
                f"{np.percentile(method, 95):.2f} | {LIMITS_MM[name][2] if not kind else ''} | "
                f"{np.median(errors):.2f} | {np.percentile(errors, 95):.2f} | "
                f"{_missing(own, 'mean_mm')} | {_share(own, 'held_fraction')} |\n"
            )


def _change_rows(results: list[dict[str, Any]]) -> Iterable[str]:
    kinds = sorted({kind for r in results for kind in r["changes"]})
    chosen: dict[str, Callable[[dict[str, Any]], bool]] = {"none": lambda r: not r["changes"]}
    chosen |= {kind: partial(_has, kind) for kind in kinds}
    for kind, holds in chosen.items():
        own = [r for r in results if holds(r)]
        rows = [mark for r in own for mark in r["landmarks"]]
        errors = _values(rows, "error_mm")
        if not len(errors):
            continue
        yield (
            f"| {kind.replace('_', ' ')} | {len(own)} | {np.median(errors):.2f} | {np.percentile(errors, 95):.2f} | "
            f"{_missing(rows, 'error_mm')} |\n"
        )


def _level_rows(results: list[dict[str, Any]]) -> Iterable[str]:
    told = [r["levels"] for r in results if r["levels"]]
    for view in VIEWS:
        for ribs in RIBS:
            own = [levels[f"{view}|{ribs}"] for levels in told]
            counts = " | ".join(str(own.count(word)) for word in ("named", "ambiguous", "wrong"))
            yield f"| {view} | {ribs} | {len(own)} | {counts} |\n"


def _has(kind: str, result: dict[str, Any]) -> bool:
    return kind in result["changes"]


def _values(rows: Iterable[dict[str, Any]], key: str) -> np.ndarray:
    return np.array([row[key] for row in rows if row[key] is not None], dtype=float)


def _missing(rows: list[dict[str, Any]], key: str) -> str:
    count = sum(row[key] is None for row in rows)
    return f"{count} ({100 * count / max(len(rows), 1):.1f} %)"


def _share(rows: Iterable[dict[str, Any]], key: str) -> str:
    values = _values(rows, key)
    return f"{100 * values.mean():.0f} %" if len(values) else "-"


def _told(done: int, total: int, left_s: float | None) -> None:
    left = "" if left_s is None else f", {left_s / 60:.0f} min left"
    print(f"\r{done} of {total}{left}   ", end="", flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
