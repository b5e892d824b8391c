"""Functions that the tests of the map run in other processes, and an executor that runs them here."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from typing import Any

from foramen.jobs.outcome import Item, Outcome, Work, attempt

PATIENCE_S = 60.0


def wait_for(what: Callable[[], bool]) -> None:
    """Return as soon as something is so; fails if it never is."""
    until = time.monotonic() + PATIENCE_S
    while not what():
        assert time.monotonic() < until, "it never happened"
        time.sleep(0.005)


def third(item: Item) -> dict[str, Any]:
    """A result with every digit, and which process made it."""
    return {"third": item["value"] / 3.0}


def third_unless_odd(item: Item) -> dict[str, Any]:
    """Fails for odd values."""
    if item["value"] % 2:
        raise ValueError(f"{item['value']} is odd")
    return third(item)


def third_once_released(item: Item) -> dict[str, Any]:
    """Writes its process's id into the item's folder, and ends when a file `go` lies there."""
    folder = Path(item["folder"])
    (folder / f"{item['value']}.{os.getpid()}").touch()
    wait_for((folder / "go").exists)
    return third(item)


def die_on_seven(item: Item) -> dict[str, Any]:
    """Kills its own process for the value 7."""
    if item["value"] == 7:
        os.kill(os.getpid(), signal.SIGKILL)
    return third(item)


def leave_on_seven(item: Item) -> dict[str, Any]:
    """Ends its own process for the value 7, as a fault inside a library may."""
    if item["value"] == 7:
        os._exit(9)
    return third(item)


def threads_here(item: Item) -> dict[str, Any]:
    """What numba and BLAS would use, the process, and its reaction to Ctrl-C."""
    import numpy as np
    from numba import config
    from threadpoolctl import threadpool_info

    assert np.eye(2).sum() == 2
    return {
        "numba": config.NUMBA_NUM_THREADS,
        "blas": max(pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"),
        "pid": os.getpid(),
        "ignores_interrupt": signal.getsignal(signal.SIGINT) is signal.SIG_IGN,
    }


def not_json(item: Item) -> float:
    """A result that JSON has no word for."""
    return float("nan")


def here(function: Work, items: Mapping[str, Item]) -> Generator[tuple[str, Outcome], None, None]:
    """Executor without processes."""
    for key, item in items.items():
        yield key, attempt(function, item)


def items_of(count: int, **more: object) -> dict[str, dict[str, Any]]:
    """Items ``item 0`` ... with the values 0, 1, ..."""
    return {f"item {value}": {"value": value, **more} for value in range(count)}
