"""One item of a map, computed where a worker runs, and how that ended."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any

from foramen.errors import ForamenError
from foramen.jobs.blas import with_one_blas_thread

Item = Mapping[str, Any]
"""What a function of a map is called with; it can be written as JSON."""

Work = Callable[[Item], object]
"""A function that can be pickled, with a result that can be written as JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Result of one item as JSON text, or why there is none."""

    text: str = ""
    failure: str = ""


Executor = Callable[[Work, Mapping[str, Item]], Generator[tuple[str, Outcome], None, None]]
"""Runs a function on every item and yields (id, outcome) in the order in which they end; closing it ends the work."""


def attempt(function: Work, item: Item) -> Outcome:
    """The outcome of one item, computed with one thread inside BLAS; an exception becomes its reason.

    The result is written as JSON here, where it was made, so that it is the same text however it travels.
    """
    try:
        return Outcome(text=json.dumps(with_one_blas_thread(function)(item), allow_nan=False))
    except ForamenError as error:
        return Outcome(failure=str(error))
    except Exception as error:  # noqa: BLE001 - one item that fails must not end the others
        return Outcome(failure=f"{type(error).__name__}: {error}")
