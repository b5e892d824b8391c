"""Small lesion atlases for tests: on a coarse grid and short, so that a case takes some hundredths of a second."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from foramen.jobs.outcome import Executor
from foramen.planning.lesion_atlas import LesionAtlas, LesionSweep, lesion_sweep, make_atlas
from map_work import here

MADE_AT = datetime(2026, 4, 14, 9, 30, tzinfo=UTC)
COARSE = 0.5


def small_sweep(**axes: tuple[float, ...] | tuple[str, ...]) -> LesionSweep:
    """Two gauges, two temperatures and two tissues, unless given otherwise."""
    usual: dict[str, tuple[float, ...] | tuple[str, ...]] = {
        "gauge": (18, 22),
        "tip_mm": (5,),
        "temperature_degC": (70, 80),
        "time_s": (15,),
        "tissue": ("muscle", "bone_cancellous"),
    }
    return lesion_sweep(**{**usual, **axes}, step=COARSE)  # type: ignore[arg-type]


def small_atlas(folder: Path, *, executor: Executor = here, sweep: LesionSweep | None = None) -> LesionAtlas:
    """The atlas of a small sweep, with its ledger in a folder."""
    return make_atlas(sweep or small_sweep(), executor=executor, ledger=folder / "ledger.jsonl", made_at=MADE_AT)
