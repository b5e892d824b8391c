"""Entry of the command line: every failure becomes one message and an exit code."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import traceback
from typing import NoReturn

import cyclopts

from foramen.cli.commands import app
from foramen.cli.printing import stderr
from foramen.errors import ForamenError, InputError, PlanRejected


def main() -> NoReturn:
    """Run the command line; exits 0, 2 (bad input), 3 (rejected) or 1 (fault)."""
    arguments = sys.argv[1:]
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _stop)  # as Ctrl-C: what is half-written is removed
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
    except OSError as error:  # a path that cannot be used; a file of Foramen's own is found by its import
        _fail(f"{error.filename or 'A file'} cannot be used: {error.strerror or error}. Choose another path.", code=2)
    except Exception as error:  # noqa: BLE001 - the outermost border: say it is our fault, and how to report it
        _fail(
            f"Foramen failed: {type(error).__name__}: {error}. This is a fault of the program, not of your input. "
            "Set FORAMEN_DEBUG=1 to see where, and report it.",
            code=1,
            error=error,
        )
    raise SystemExit(0)


def _stop(number: int, frame: object) -> NoReturn:
    raise KeyboardInterrupt


def _fail(message: str, *, code: int, error: Exception | None = None) -> NoReturn:
    if error is not None and os.environ.get("FORAMEN_DEBUG"):
        traceback.print_exception(error)
    stderr.print(
        f"foramen: {message}", style="bold red" if code != PlanRejected.exit_code else "bold yellow", markup=False
    )
    if "--json" in sys.argv:
        print(json.dumps({"error": message, "exit_code": code}))
    raise SystemExit(code)
