"""The command line: thin commands over `api`; heavy imports happen inside them."""

from __future__ import annotations

import foramen.cli.bench
import foramen.cli.cases
import foramen.cli.cohort
import foramen.cli.lesion
import foramen.cli.optimise
import foramen.cli.pulsed
import foramen.cli.sweep  # noqa: F401 - adds its command to the app
from foramen.cli.commands import app
from foramen.cli.entry import main

__all__ = ["app", "main"]
