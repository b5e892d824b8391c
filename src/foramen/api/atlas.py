"""The verb of the lesion atlas."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from foramen.io.atlas import atlas_ledger, write_atlas
from foramen.jobs.executors import choose_executor
from foramen.jobs.resumable_map import ReportCount
from foramen.planning.lesion_atlas import LesionAtlas, LesionSweep, make_atlas
from foramen.report.atlas import render_atlas


def sweep(
    what: LesionSweep,
    *,
    out: str | Path,
    workers: int | None = None,
    dask: str | None = None,
    progress: ReportCount = lambda _done, _total, _left: None,
) -> LesionAtlas:
    """Make the lesion atlas of a sweep in the folder `out`, or go on with it where an earlier run was stopped.

    Parameters
    ----------
    what : LesionSweep
        The axes, as `lesion_sweep` makes them.
    out : path
        A new or empty folder, or that of an earlier run of the same sweep.
    workers : int, optional
        Local processes; as many as there are cores if not given. Results do not depend on it.
    dask : str, optional
        Address of a Dask scheduler that does the work instead.
    """
    executor = choose_executor(workers=workers, dask=dask)
    folder = Path(out)
    ledger = atlas_ledger(folder)
    atlas = make_atlas(what, executor=executor, ledger=ledger, made_at=datetime.now(UTC), progress=progress)
    write_atlas(atlas, folder, page=render_atlas(atlas))
    return atlas
