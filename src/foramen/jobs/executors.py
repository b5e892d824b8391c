"""Where the work of a map is done: on this machine, or on a cluster."""

from __future__ import annotations

import os
from functools import partial

from foramen.errors import InputError
from foramen.jobs.dask_cluster import on_dask
from foramen.jobs.outcome import Executor
from foramen.jobs.processes import in_processes


def choose_executor(*, workers: int | None, dask: str | None) -> Executor:
    """Local processes, as many as there are cores if not given, or the Dask cluster at an address.

    Raises
    ------
    InputError
        If both are given, or less than one worker.
    """
    if dask is not None:
        if workers is not None:
            raise InputError("Give a number of local workers or the address of a Dask cluster, not both.")
        return partial(on_dask, address=dask)
    count = len(os.sched_getaffinity(0)) if workers is None else workers
    if count < 1:
        raise InputError(f"{count} workers cannot work. Give 1 or more.")
    return partial(in_processes, workers=count)
