"""Foramen: treatment planning for image-guided pain procedures of the spine. Research use, not a medical device.

`import foramen as fm` offers the names of `foramen.api`, which are loaded when first used.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name.startswith("_") or find_spec(f"foramen.{name}") is not None:
        raise AttributeError(f"module 'foramen' has no attribute {name!r}")  # Python then imports the submodule
    api = import_module("foramen.api")
    if name not in api.__all__:
        raise AttributeError(f"module 'foramen' has no attribute {name!r}. It offers {', '.join(api.__all__)}.")
    return getattr(api, name)
