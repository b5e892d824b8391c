"""Whether an array of voxels can be a CT image in Hounsfield units."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from foramen.errors import ImageError

FAT_OR_LESS_HU = -20.0
"""Fat, lung and air lie below this value; a body CT always has some of them."""

LEAST_FAT_OR_LESS_FRACTION = 0.002
"""Smallest fraction of voxels below `FAT_OR_LESS_HU` in a CT image."""

BONE_HU = 200.0
"""Cortical bone exceeds this value in any CT of the spine."""

LOWEST_HU = -33000.0
HIGHEST_HU = 66000.0
"""Range of stored numbers, with padding below and metal above."""


def require_hounsfield(values: NDArray[np.float32], name: str) -> None:
    """Raise `ImageError` with the reason unless the voxels look like Hounsfield units of a body."""
    low, high = float(values.min()), float(values.max())
    found = f"{name} does not look like a CT in Hounsfield units: its values run from {low:g} to {high:g}"
    if low >= 0 and high <= 255:
        raise ImageError(f"{found}, as a picture of 8 bits does. Export the CT itself, not a screenshot or a mask.")
    if low >= 0:
        raise ImageError(
            f"{found}, without the negative values of fat and air: it is an MR image, or a CT whose rescale "
            "intercept (usually -1024) was not applied. Give the CT, converted with its rescale slope and intercept."
        )
    if high < BONE_HU:
        raise ImageError(
            f"{found}: nothing is as dense as bone ({BONE_HU:g} HU). It may be normalised or not a CT of the spine. "
            "Give the CT in Hounsfield units."
        )
    if low < LOWEST_HU or high > HIGHEST_HU:
        raise ImageError(f"{found}, outside {LOWEST_HU:g} to {HIGHEST_HU:g}. Convert the scan again from DICOM.")
    fraction = float((values < FAT_OR_LESS_HU).mean())
    if fraction < LEAST_FAT_OR_LESS_FRACTION:
        raise ImageError(
            f"{found} and only {100 * fraction:.2f} % of its voxels are as light as fat or air "
            f"(at least {100 * LEAST_FAT_OR_LESS_FRACTION} % expected). Give the CT in Hounsfield units."
        )
