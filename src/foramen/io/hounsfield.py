"""Whether an array of voxels can be a CT image in Hounsfield units."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from foramen.errors import ImageError
from foramen.knowledge.facts import number


def require_hounsfield(values: NDArray[np.float32], name: str) -> None:
    """Raise `ImageError` with the reason unless the voxels look like Hounsfield units of a body."""
    low, high = float(values.min()), float(values.max())
    lowest_hu, highest_hu = number("import_checks.lowest_hu"), number("import_checks.highest_hu")
    bone_hu = number("import_checks.bone_hu")
    least_fraction = number("import_checks.least_fat_or_less_fraction")
    found = f"{name} does not look like a CT in Hounsfield units: its values run from {low:g} to {high:g}"
    if low >= 0 and high <= 255:
        raise ImageError(
            f"{found}, as a picture of 8 bits does. Export the scan, not a screenshot or mask (an MR: --modality MR)."
        )
    if low >= 0:
        raise ImageError(
            f"{found}, without the negative values of fat and air: it is an MR image (state --modality MR), or a CT "
            "whose rescale intercept (usually -1024) was not applied (then convert it with slope and intercept)."
        )
    if high < bone_hu:
        raise ImageError(
            f"{found}: nothing is as dense as bone ({bone_hu:g} HU). It may be normalised or not a CT of the spine. "
            "Give it in Hounsfield units, or state --modality MR if it is an MR."
        )
    if low < lowest_hu or high > highest_hu:
        raise ImageError(f"{found}, outside {lowest_hu:g} to {highest_hu:g}. Convert the scan again from DICOM.")
    fraction = float((values < number("import_checks.fat_or_less_hu")).mean())
    if fraction < least_fraction:
        raise ImageError(
            f"{found} and only {100 * fraction:.2f} % of its voxels are as light as fat or air "
            f"(at least {100 * least_fraction} % expected). Give it in Hounsfield units, or state --modality MR."
        )
