"""Whether a label map can belong to an MR: by the contrast of the canal to the bone, and what that leaves open."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from foramen.knowledge.facts import number
from foramen.knowledge.labels import FIRST_STRUCTURE, structure_value
from foramen.model.case import NOT_CHECKED
from foramen.model.space import MrSequence, Volume

_FLUID = ("csf", "canal")
"""Labels that are mostly cerebrospinal fluid; what is called thecal content may be cord."""

_DIRECTIONS = ("left-right", "front-back", "head-foot")


def contrast_of(values: NDArray[np.uint16], image: Volume) -> float | None:
    """How many times the canal's median signal exceeds that of vertebral labels (T2), or the reverse (T1).

    None where the sequence is UNKNOWN, no canal or bone is labelled, or the signal there is zero.
    """
    if image.sequence is MrSequence.UNKNOWN:
        return None
    fluid = np.isin(values, [structure_value(name) for name in _FLUID])
    bone = (values > 0) & (values < FIRST_STRUCTURE)
    return _ratio(image, fluid, bone)


def _ratio(image: Volume, fluid: NDArray[np.bool_], bone: NDArray[np.bool_]) -> float | None:
    if not fluid.any() or not bone.any():
        return None
    wet, dry = float(np.median(image.values[fluid])), float(np.median(image.values[bone]))
    if min(wet, dry) <= 0:
        return None
    return wet / dry if image.sequence is MrSequence.T2 else dry / wet


def signal_faults(values: NDArray[np.uint16], image: Volume) -> list[str]:
    """Whether the canal looks on the MR as it must beside bone, in words."""
    found = contrast_of(values, image)
    least = number("import_checks.mr_canal_contrast_ratio")
    if found is None or found >= least:
        return []
    kind = "brighter" if image.sequence is MrSequence.T2 else "darker"
    return [
        f"the labelled canal is not {kind} than the labelled bone, as on a {image.sequence} image: {found:.2f} times, "
        f"{least:g} wanted"
    ]


def mirror_fault(values: NDArray[np.uint16], image: Volume) -> str:
    """The direction in which the label map, mirrored, would fit the MR better; empty if there is none."""
    given = contrast_of(values, image)
    least = number("import_checks.mr_canal_contrast_ratio")
    for direction, mirrored in _mirrored(values, image).items():
        if mirrored >= least and given is not None and mirrored > given * number("import_checks.mr_flip_gain_ratio"):
            return f"mirrored {direction}, the canal to bone contrast would be {mirrored:.2f} instead of {given:.2f}"
    return ""


def _mirrored(values: NDArray[np.uint16], image: Volume) -> dict[str, float]:
    found: dict[str, float] = {}
    for axis in range(3):
        contrast = contrast_of(np.flip(values, axis), image)
        if contrast is not None:
            found[_DIRECTIONS[int(np.argmax(np.abs(image.geometry.axes[:, axis])))]] = contrast
    return found


def mr_history(values: NDArray[np.uint16], image: Volume) -> tuple[str, ...]:
    """What was found of the labels on this MR, and what could not be checked, a line each."""
    lines = [f"{NOT_CHECKED}whether bone labels lie on bone: an MR has no Hounsfield units"]
    given = contrast_of(values, image)
    if given is None:
        why = (
            "the sequence is UNKNOWN"
            if image.sequence is MrSequence.UNKNOWN
            else "neither canal nor cerebrospinal fluid is labelled beside bone"
        )
        lines.append(f"{NOT_CHECKED}whether the label map is mirrored, shifted or of another scan: {why}")
        return tuple(lines)
    lines.append(f"contrast of canal to bone on {image.sequence}: {given:.2f} times, as it should be")
    gain = number("import_checks.mr_flip_gain_ratio")
    blind = [direction for direction, mirrored in _mirrored(values, image).items() if mirrored > given / gain]
    if blind:
        lines.append(
            f"{NOT_CHECKED}whether the label map is mirrored {' or '.join(blind)}: mirrored it fits about as well"
        )
    return tuple(lines)
