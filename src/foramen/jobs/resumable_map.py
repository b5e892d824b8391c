"""A function over many items that can be stopped at any moment and goes on where it was."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from foramen.jobs.ledger import open_ledger
from foramen.jobs.outcome import Executor, Item, Work

ReportCount = Callable[[int, int, float | None], None]
"""Called with items done, items in all, and the seconds left, None before anything was measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MapResult:
    """Results and reasons of failures by id, in the order of the items."""

    results: Mapping[str, object]
    failures: Mapping[str, str]


def resumable_map(
    function: Work,
    items: Mapping[str, Item],
    *,
    executor: Executor,
    ledger: Path,
    binding: Mapping[str, str],
    progress: ReportCount = lambda _done, _total, _left: None,
) -> MapResult:
    """Results of a function on every item; those that the ledger holds already are not computed again.

    Parameters
    ----------
    function : callable
        It can be pickled, depends on nothing but its item, and its result can be written as JSON.
    items : mapping
        Items by their stable ids.
    executor : callable
        Where the work is done: `in_processes` or `on_dask` with its own arguments given.
    ledger : Path
        File that keeps what is finished. Failures are not kept: the next run tries them again.
    binding : mapping
        What else the results depend on, such as versions; a ledger made with another is refused.

    Raises
    ------
    CaseError
        If the ledger is of other work, in use, damaged or cannot be written.
    """
    with open_ledger(ledger, digest=work_digest(function, items, binding)) as kept:
        missing = {key: item for key, item in items.items() if key not in kept.results}
        resumed = len(items) - len(missing)
        failures: dict[str, str] = {}
        started = time.monotonic()
        progress(resumed, len(items), None)
        with closing(executor(function, missing)) as outcomes:
            for count, (key, outcome) in enumerate(outcomes, start=1):
                if outcome.failure:
                    failures[key] = outcome.failure
                else:
                    kept.add(key, outcome.text)
                left = (time.monotonic() - started) / count * (len(missing) - count)
                progress(resumed + count, len(items), left)
        return MapResult(
            results={key: kept.results[key] for key in items if key in kept.results},
            failures={key: failures[key] for key in items if key in failures},
        )


def work_digest(function: Work, items: Mapping[str, Item], binding: Mapping[str, str]) -> str:
    """SHA-256 of everything that decides the results: name of the function, items, binding."""
    inner = function.func if isinstance(function, partial) else function
    name = f"{inner.__module__}.{inner.__qualname__}"
    text = json.dumps({"function": name, "items": items, "binding": binding}, sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()
