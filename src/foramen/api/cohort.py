"""The verb of the virtual cohort: patients with known truth, one folder each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np

import foramen
from foramen.anatomy.degrade import SEVERITIES, degradation, degrade
from foramen.anatomy.reference_body import make_reference_body
from foramen.anatomy.reference_body.virtual_person import cohort_member, vertebrae_of, virtual_people
from foramen.errors import InputError
from foramen.io.cohort_folder import LEDGER_FILE, Cell, hashes_of, row_of, write_cohort, write_patient
from foramen.io.virtual_story import story_of
from foramen.jobs.executors import choose_executor
from foramen.jobs.resumable_map import ReportCount, resumable_map
from foramen.knowledge.documents import knowledge_sha256

REGIONS = ("lumbar",)
"""Regions of which a cohort can be made."""

DEGRADE_STREAM = 51
"""Second number of the seeds of degraded label maps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """What was made: table rows, reasons of failures, and how many patients an earlier run had made."""

    folder: Path
    rows: tuple[Mapping[str, Cell], ...]
    failures: Mapping[str, str]


def generate_cohort(
    count: int,
    *,
    seed: int,
    out: str | Path,
    region: str = "lumbar",
    spacing_mm: float | tuple[float, float, float] = 1.0,
    jobs: int | None = None,
    deformation: bool = True,
    progress: ReportCount = lambda _done, _total, _left: None,
) -> Cohort:
    """Write `count` virtual patients into the folder `out`, or go on with it where an earlier run was stopped.

    Parameters
    ----------
    count : int
        How many.
    seed : int
        Of the cohort. The same seed gives the same bytes, whatever `jobs` is; a smaller cohort of the same seed is the
        beginning of a larger one.
    out : path
        A new or empty folder, or that of an earlier run with the same arguments.
    region : str
        "lumbar": T12 to S1.
    spacing_mm : float or tuple of three floats
        Voxel size.
    jobs : int, optional
        Local processes; one for each core if not given.
    deformation : bool
        Whether each bone is deformed at random, outside the generator's own parameters.

    Raises
    ------
    InputError
        If an argument is impossible.
    CaseError
        If the folder holds another cohort or cannot be written.
    """
    if region not in REGIONS:
        raise InputError(f"No cohort of the region {region!r} can be made yet. Give {', '.join(REGIONS)}.")
    people = virtual_people(count, seed, deformation=deformation)
    spacing = [float(s) for s in (spacing_mm if isinstance(spacing_mm, tuple) else (spacing_mm,) * 3)]
    items = {
        f"VIRTUAL-{place:04d}": {
            "place": place,
            "seed": person.seed,
            "kinds": [kind.value for kind in person.pathologies.kinds],
            "spacing_mm": spacing,
            "deformation": deformation,
        }
        for place, person in enumerate(people, 1)
    }
    folder = Path(out)
    binding = {"foramen_version": foramen.__version__, "knowledge_sha256": knowledge_sha256(), "region": region}
    done = resumable_map(
        partial(make_patient, folder=str(folder)),
        items,
        executor=choose_executor(workers=jobs, dask=None),
        ledger=folder / LEDGER_FILE,
        binding=binding,
        progress=progress,
    )
    results = cast("Mapping[str, Mapping[str, Any]]", done.results)
    rows = tuple(results[key]["row"] for key in results)
    settings: dict[str, Cell] = {
        "count": count,
        "seed": seed,
        "spacing_mm": " ".join(f"{s:g}" for s in spacing),
        "deformation": deformation,
        **binding,
    }
    hashes = {key: hashes_of(folder / key) for key in results}
    write_cohort(folder, rows=rows, hashes=hashes, settings=settings, failures=done.failures)
    return Cohort(folder=folder, rows=rows, failures=done.failures)


def make_patient(item: Mapping[str, Any], *, folder: str) -> dict[str, Any]:
    """Make one patient of a cohort and write its folder; what a worker does."""
    place, seed = int(item["place"]), int(item["seed"])
    person = cohort_member(place, seed, deformation=bool(item["deformation"]))
    story = story_of(person, place)
    severity = SEVERITIES[(place - 1) % len(SEVERITIES)]
    target = Path(folder) / story.patient_id
    spacing = item["spacing_mm"]
    if not (target / "truth.json").exists():  # written whole by a run that was stopped before it was counted
        body = make_reference_body(spacing_mm=(spacing[0], spacing[1], spacing[2]), person=person)
        how = degradation(severity)
        degraded = degrade(body.labels, how, np.random.default_rng([seed, DEGRADE_STREAM]))
        write_patient(target, body, person, story, degraded=degraded, severity=severity, how=how)
    return {"row": row_of(person, story, severity=severity, vertebrae=vertebrae_of(person))}
