"""The command line: thin commands over `api`; heavy imports happen inside them."""

from __future__ import annotations

import os

# Many small dense systems are solved: threads inside BLAS cost more than they give, and replay stays bitwise equal.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from foramen.cli.commands import app
from foramen.cli.entry import main

__all__ = ["app", "main"]
