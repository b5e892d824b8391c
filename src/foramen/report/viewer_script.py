"""NiiVue's script from the installed ipyniivue wheel, checked, with its class exported. Nothing is fetched."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import metadata

from foramen.errors import InputError

PACKAGE = "ipyniivue"
VERSION = "2.4.4"
SCRIPT = "ipyniivue/static/widget.js"
SCRIPT_SHA256 = "922951141f03da6294cc74a7c520d694a9723733ee25d997b85da8136057a96b"

CURE = f"Install it: pip install {PACKAGE}=={VERSION}."

VIEWER_CLASS = "t2"
"""What the script of this very hash calls NiiVue's class; it exports only a notebook's widget."""

LICENSE_LINE = "viewer: NiiVue, from the Python package ipyniivue"
"""Said on every page that contains the script."""

LICENSE_FILE = "LICENSE"


@cache
def viewer_script() -> bytes:
    """The script as a module that exports ``Niivue``.

    Raises
    ------
    InputError
        If the package is missing, or its script is not the one that Foramen was tested with.
    """
    content = _file(SCRIPT)
    found = hashlib.sha256(content).hexdigest()
    if found != SCRIPT_SHA256:
        raise InputError(
            f"The script of {PACKAGE} is not the one that Foramen was tested with (SHA-256 "
            f"begins {found[:12]}, {SCRIPT_SHA256[:12]} is expected). {CURE}"
        )
    return content + f"\nexport{{{VIEWER_CLASS} as Niivue}};\n".encode()


@cache
def viewer_license() -> str:
    """The text of the script's licence, which every page that contains the script repeats."""
    files = _distribution().files or []
    name = next((str(file) for file in files if file.name == LICENSE_FILE), LICENSE_FILE)
    return _file(name).decode("utf-8")


def _distribution() -> metadata.Distribution:
    try:
        return metadata.distribution(PACKAGE)
    except metadata.PackageNotFoundError:
        raise InputError(f"The page needs the package {PACKAGE}, which is not installed. {CURE}") from None


def _file(name: str) -> bytes:
    try:
        with open(str(_distribution().locate_file(name)), "rb") as stream:
            return stream.read()
    except OSError as failure:
        raise InputError(f"{name} of {PACKAGE} cannot be read ({failure.strerror}). {CURE}") from failure
