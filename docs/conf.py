"""Sphinx settings: Markdown by MyST, docstrings by numpydoc, and a role that prints a fact from the knowledge files."""

from __future__ import annotations

from docutils import nodes
from docutils.parsers.rst.states import Inliner
from sphinx.application import Sphinx

import foramen
from foramen.knowledge.facts import fact

project = "Foramen"
author = "The Foramen authors"
version = release = foramen.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "numpydoc"]
myst_enable_extensions = ["colon_fence"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
exclude_patterns = ["_build"]
html_theme = "alabaster"
html_theme_options = {"description": "Research use; not a medical device."}
autodoc_typehints = "none"
numpydoc_show_class_members = False
nitpicky = False


def fact_text(fact_id: str) -> str:
    """Value, unit, range, tracing and sources of a fact in one line, such as ``80 degC (80 to 90; seen: KEY)``."""
    found = fact(fact_id)
    value = f"{found.value:g}" if isinstance(found.value, int | float) else str(found.value)
    unit = f" {found.unit}" if found.unit not in ("", "1") else ""
    ends = (found.low, found.high)
    if None not in ends:
        span = f"{found.low:g} to {found.high:g}; "
    elif found.high is not None:
        span = f"at most {found.high:g}; "
    else:
        span = f"at least {found.low:g}; " if found.low is not None else ""
    return f"{value}{unit} ({span}{found.trace.value}: {', '.join(found.sources)})"


def fact_role(
    name: str, rawtext: str, text: str, lineno: int, inliner: Inliner, options: object = None, content: object = None
) -> tuple[list[nodes.Node], list[nodes.system_message]]:
    """Text node of a fact for the role ``fact``; an unknown id raises and stops the build."""
    return [nodes.inline(rawtext, fact_text(text), classes=["fact"])], []


def setup(app: Sphinx) -> None:
    """Register the role ``fact``."""
    app.add_role("fact", fact_role)
