"""Inverse planning from Python: search settings for a case, and write what was found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from foramen.anatomy.of_case import anatomy_of
from foramen.io.atomic_file import whole_folder, write_bytes
from foramen.io.inverse_json import INVERSE_FILE, write_inverse
from foramen.knowledge.technique_facts import technique_knowledge
from foramen.model.anatomy import Anatomy
from foramen.model.case import Case
from foramen.model.inverse import InverseResult
from foramen.model.levels import parse_level, parse_side
from foramen.planning.inverse import Effort
from foramen.planning.inverse import optimise as optimise_settings
from foramen.planning.settings import choose_cannula
from foramen.report.inverse import draw_front, render_inverse
from foramen.techniques import technique as technique_of
from foramen.workflow import ReportProgress

PAGE_FILE = "inverse.html"


def optimise(
    case: Case,
    *,
    technique: str,
    level: str,
    side: str,
    seed: int = 0,
    devices: Sequence[str] = (),
    anatomy: Anatomy | None = None,
    effort: Effort | None = None,
    threads: int | None = None,
    progress: ReportProgress = lambda _stage, _fraction: None,
) -> InverseResult:
    """Which cannula, place, temperature, time and number of passes? Always beside the textbook setting.

    Parameters
    ----------
    seed : int
        Of the search and the scenarios; the same seed gives the same numbers for any number of threads.
    devices : sequence of str
        Ids of the cannulae to choose from; without any those of the technique's gauges.
    anatomy : Anatomy, optional
        If it is already known; else it is built from the scan.
    effort : Effort, optional
        Sizes of search and table; those of the knowledge if not given.

    Raises
    ------
    InputError
        If level, side, image or seed cannot be used, or pymoo is not installed. A nerve without any plan within the
        hard limits is returned with the limit that prevents it, not raised.
    """
    chosen = technique_of(technique)
    typed = parse_level(level, kind=chosen.level_kind)
    progress("anatomy", 0.0)
    known = anatomy_of(case) if anatomy is None else anatomy
    for vertebra in chosen.needs_vertebrae(typed):
        known.vertebra(vertebra)
    return optimise_settings(
        case,
        known,
        technique=chosen,
        level=typed,
        side=parse_side(side),
        seed=seed,
        devices=[choose_cannula(technique_knowledge(chosen.id), device_id=name) for name in devices],
        effort=effort,
        threads=threads,
        progress=lambda stage, done: progress(stage, 0.05 + 0.95 * done),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedInverse:
    """Where a result was written."""

    folder: Path
    page: Path
    data: Path
    pictures: tuple[Path, ...]


def save_inverse(result: InverseResult, folder: str | Path) -> SavedInverse:
    """Write a result as a new folder, whole or not at all: inverse.json, inverse.html, a plot for each nerve.

    Raises
    ------
    CaseError
        If the folder is in use, or the disk is full or read-only.
    """
    destination = Path(folder)
    names = [f"front-{number}.png" for number in range(1, len(result.targets) + 1)]
    with whole_folder(destination) as temporary:
        write_inverse(result, temporary)
        write_bytes(temporary / PAGE_FILE, render_inverse(result).encode())
        for name, target in zip(names, result.targets, strict=True):
            write_bytes(temporary / name, draw_front(target, result))
    return SavedInverse(
        folder=destination,
        page=destination / PAGE_FILE,
        data=destination / INVERSE_FILE,
        pictures=tuple(destination / name for name in names),
    )
