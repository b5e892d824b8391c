"""The command line: thin commands over `api`; heavy imports happen inside them."""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal, NoReturn

import cyclopts
from cyclopts import Parameter
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from foramen import __version__
from foramen.errors import ForamenError, InputError, PlanRejected

DISCLAIMER = "Research use, not a medical device."

JsonObject = dict[str, object]

app = cyclopts.App(
    name="foramen",
    help=f"Treatment planning for image-guided pain procedures of the spine. {DISCLAIMER}",
    version=__version__,
    result_action="return_value",
)
case_app = cyclopts.App(name="case", help="Import and inspect patient cases.")
knowledge_app = cyclopts.App(name="knowledge", help="Check and show the sourced facts.")
app.command(case_app)
app.command(knowledge_app)

Json = Annotated[
    bool, Parameter(name="--json", negative="", help="Print one JSON object on stdout; logs go to stderr.")
]

stderr = Console(stderr=True)
stdout = Console()


def main() -> NoReturn:
    """Run the command line; exits 0, 2 (bad input), 3 (rejected) or 1 (fault)."""
    arguments = sys.argv[1:]
    try:
        app(arguments, exit_on_error=False, print_error=False)
    except cyclopts.CycloptsError as error:
        _fail(str(error), code=InputError.exit_code)
    except ForamenError as error:
        _fail(str(error), code=error.exit_code)
    except KeyboardInterrupt:
        _fail("Stopped by the user. Nothing half-written was left behind.", code=1)
    except BrokenPipeError:
        raise SystemExit(0) from None
    except Exception as error:  # noqa: BLE001 - the outermost border: say it is our fault, and how to report it
        if "--debug" in arguments:
            traceback.print_exc()
        _fail(
            f"Foramen failed: {type(error).__name__}: {error}. This is a fault of the program, not of your input. "
            "Set FORAMEN_DEBUG=1 to see where, and report it.",
            code=1,
            error=error,
        )
    raise SystemExit(0)


def _fail(message: str, *, code: int, error: Exception | None = None) -> NoReturn:
    import os

    if error is not None and os.environ.get("FORAMEN_DEBUG"):
        traceback.print_exception(error)
    stderr.print(
        f"foramen: {message}", style="bold red" if code != PlanRejected.exit_code else "bold yellow", markup=False
    )
    if "--json" in sys.argv:
        print(json.dumps({"error": message, "exit_code": code}))
    raise SystemExit(code)


def _print_json(content: JsonObject) -> None:
    print(json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False))


ProgressCall = Callable[[str, float], None]


@contextmanager
def _progress(*, quiet: bool) -> Iterator[ProgressCall]:
    """A bar on stderr with the stage and the time left; silent where stderr is no terminal and JSON is asked for."""
    columns = (
        TextColumn("{task.description:<28}"),
        BarColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=stderr, disable=quiet, transient=True) as bar:
        task = bar.add_task("starting", total=1.0)

        def report(stage: str, fraction: float) -> None:
            bar.update(task, description=stage, completed=fraction)

        yield report


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise InputError(f"{text!r} is not a date and hour. Write it as 2026-12-01T09:30.") from None
