"""Items on local processes: each has its own pipe, so that one that is killed takes down nothing but its item.

`concurrent.futures` breaks as a whole when a worker dies, and pools whose workers share a queue can lock for ever
when one is killed while it holds the queue's lock; here nothing is shared.
"""

from __future__ import annotations

import os
import signal
from collections import Counter, deque
from collections.abc import Generator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import connection, get_context
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import cast

from foramen.errors import ForamenError
from foramen.jobs.outcome import Item, Outcome, Work, attempt

ATTEMPTS = 3
"""How often an item may lose its worker before it counts as failed."""

READY = "ready"
"""First message of a worker; the others are outcomes."""

THREAD_VARIABLES = ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(slots=True, kw_only=True)
class _Worker:
    process: SpawnProcess
    key: str
    is_ready: bool = False


def in_processes(
    function: Work, items: Mapping[str, Item], *, workers: int
) -> Generator[tuple[str, Outcome], None, None]:
    """(id, outcome) of every item, computed by new processes with one thread each.

    An item whose worker dies is given to another, `ATTEMPTS` times in all. The processes end with the generator.

    Raises
    ------
    ForamenError
        If a worker cannot start.
    """
    waiting = deque(items)
    lost: Counter[str] = Counter()
    crew: dict[Connection, _Worker] = {}
    try:
        while waiting or crew:
            while waiting and len(crew) < workers:
                key = waiting.popleft()
                pipe, process = _started(function, items[key])
                crew[pipe] = _Worker(process=process, key=key)
            for pipe in cast("list[Connection]", connection.wait(list(crew))):
                worker = crew[pipe]
                key = worker.key
                try:
                    said = pipe.recv()
                except (EOFError, OSError):  # it died, perhaps in the middle of a message
                    reason = _end(pipe, crew.pop(pipe))
                    lost[key] += 1
                    if lost[key] < ATTEMPTS:
                        waiting.append(key)
                    else:
                        yield key, Outcome(failure=f"its worker {reason}, {ATTEMPTS} times")
                    continue
                if said == READY:
                    worker.is_ready = True
                    continue
                if waiting:
                    worker.key = waiting.popleft()
                    with suppress(OSError):  # it died meanwhile: the next `recv` says so
                        pipe.send(items[worker.key])
                else:
                    crew.pop(pipe)
                    pipe.close()
                yield key, said
    finally:
        for pipe, worker in crew.items():
            worker.process.kill()
            worker.process.join()
            pipe.close()


def _started(function: Work, item: Item) -> tuple[Connection, SpawnProcess]:
    context = get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(there,), daemon=True)
    process.start()
    there.close()  # else its end would never be seen
    with suppress(OSError):
        here.send(function)
        here.send(item)
    return here, process


def _end(pipe: Connection, worker: _Worker) -> str:
    """How a worker ended, in words; raises if it did so on its own before it was ready."""
    pipe.close()
    worker.process.join()
    code = worker.process.exitcode or 0
    if code >= 0 and not worker.is_ready:
        raise ForamenError(
            f"A worker process could not start (exit code {code}). In a script, call this "
            'below `if __name__ == "__main__":`.'
        )
    return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"


def _serve(pipe: Connection) -> None:
    """Life of a worker: the function, then items until the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent ends its workers
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, "1"))  # before the function brings in numba
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        function = pipe.recv()
        pipe.send(READY)
        while True:
            pipe.send(attempt(function, pipe.recv()))
