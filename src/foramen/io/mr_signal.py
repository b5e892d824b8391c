"""Whether an array of voxels can be an MR image, and which sequence its headers tell."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from foramen.errors import ImageError
from foramen.knowledge.facts import number
from foramen.model.space import MrSequence


def require_signal(values: NDArray[np.float32], name: str) -> None:
    """Raise `ImageError` with the reason unless the voxels look like MR signal: mostly not negative, not flat."""
    low, high = float(values.min()), float(values.max())
    found = f"{name} does not look like an MR image: its values run from {low:g} to {high:g}"
    if low == high:
        raise ImageError(f"{found}, all the same. Export the series again.")
    negative = float((values < 0).mean())
    most = number("import_checks.mr_most_negative_fraction")
    if negative > most:
        raise ImageError(
            f"{found} and {100 * negative:.0f} % of its voxels are below 0 (at most {100 * most:g} %). It may be a CT, "
            "a phase or a difference image: give the magnitude image, or state another --modality."
        )
    kinds = len(np.unique(values[:: max(1, values.shape[0] // 32)]))
    least = round(number("import_checks.mr_least_grey_values"))
    if kinds < least:
        raise ImageError(f"{found} in {kinds} different values (at least {least}): it may be a label map or a mask.")


def sequence_of(header: Any) -> MrSequence:
    """T1 or T2 of a DICOM header; UNKNOWN where the header does not say it clearly.

    Acquisition Contrast (0008,9209) decides where it stands. Otherwise repetition and echo time (0018,0080 and
    0018,0081) must both be in a plain range; an inversion time (0018,0082) makes it UNKNOWN, since fat or fluid is
    then suppressed. The description of a series is free text and is not read.
    """
    stated = str(getattr(header, "AcquisitionContrast", "") or "").upper()
    if stated in (MrSequence.T1, MrSequence.T2):
        return MrSequence(stated)
    repetition, echo = _time_ms(header, "RepetitionTime"), _time_ms(header, "EchoTime")
    if repetition is None or echo is None or (_time_ms(header, "InversionTime") or 0) > 0:
        return MrSequence.UNKNOWN
    if repetition <= number("import_checks.mr_t1_longest_repetition_ms"):
        is_t1 = echo <= number("import_checks.mr_t1_longest_echo_ms")
        return MrSequence.T1 if is_t1 else MrSequence.UNKNOWN
    is_t2 = repetition >= number("import_checks.mr_t2_shortest_repetition_ms")
    is_t2 &= echo >= number("import_checks.mr_t2_shortest_echo_ms")
    return MrSequence.T2 if is_t2 else MrSequence.UNKNOWN


def _time_ms(header: Any, tag: str) -> float | None:
    value = getattr(header, tag, None)
    return None if value in (None, "") else float(value)
