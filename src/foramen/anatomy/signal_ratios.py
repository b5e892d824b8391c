"""Signal of marrow beside endplates and of discs on MR: ratios as numbers, an interpretation only as a suggestion."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from foramen.anatomy.disc_space import DiscSpace
from foramen.errors import ImageError
from foramen.knowledge.facts import number, numbers
from foramen.knowledge.labels import disc_value, structure_value
from foramen.model.anatomy import VertebraAnatomy
from foramen.model.case import Case
from foramen.model.finding import Finding, FindingStatus, ImageEvidence
from foramen.model.levels import Vertebra
from foramen.model.space import FloatArray, Modality, MrSequence, Volume

MODIC = "modic_type"
"""Kind of the one finding that interprets; it is suggested and stays so until a person confirms it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OtherSequence:
    """A second MR of the same patient in the same place, on the grid of the case's image."""

    image: Volume
    sha256: str


def read_signal(case: Case, space: DiscSpace, other: OtherSequence | None = None) -> tuple[Finding, ...]:
    """Ratios of marrow beside both endplates to the body's core, and of the disc to cerebrospinal fluid.

    A Modic type is suggested only where T1 and T2 are both given and both speak clearly; it is a reading of two
    ratios, not a diagnosis. Nothing is read on a CT.

    Raises
    ------
    ImageError
        If the second image is not on the grid of the first, or is of the same sequence.
    """
    if case.image.modality is not Modality.MR:
        return ()
    images = {case.image.sequence: case.image}
    if other is not None:
        _require_pair(case.image, other.image)
        images[other.image.sequence] = other.image
    reading = _Reading(case=case, space=space, images=images, other_sha256="" if other is None else other.sha256)
    found: list[Finding] = []
    for vertebra, is_upper in ((space.upper, True), (space.lower, False)):
        found += _endplate(reading, vertebra, is_upper=is_upper)
    return (*found, _disc(reading))


def _require_pair(first: Volume, second: Volume) -> None:
    same = first.geometry.shape == second.geometry.shape and np.allclose(
        first.geometry.affine_mm, second.geometry.affine_mm, atol=1e-3
    )
    if not same:
        raise ImageError("The second MR is not on the grid of the first. Resample it, or give the pair of one session.")
    if second.modality is not Modality.MR or second.sequence in (first.sequence, MrSequence.UNKNOWN):
        raise ImageError(
            f"The second image must be an MR of another sequence than {first.sequence}: state T1 or T2 for it."
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Reading:
    case: Case
    space: DiscSpace
    images: dict[MrSequence, Volume]
    other_sha256: str

    def evidence(self, sequence: MrSequence, words: str, centres: tuple[FloatArray, ...]) -> ImageEvidence:
        is_own = sequence is self.case.image.sequence
        return ImageEvidence(
            image_sha256=self.case.image_sha256 if is_own else self.other_sha256,
            labels_sha256=self.case.labels_sha256,
            modality=Modality.MR,
            sequence=sequence,
            cut=words,
            points_mm=tuple((float(round(p[0], 2)), float(round(p[1], 2)), float(round(p[2], 2))) for p in centres),
        )


def _near_axis(case: Case, space: DiscSpace, values: tuple[int, ...]) -> tuple[NDArray[np.intp], FloatArray]:
    """Voxels of some labels within a radius of the disc's axis: indices (n, 3) and LPS positions (n, 3)."""
    index = np.argwhere(np.isin(case.labels.values, values))
    points = case.labels.geometry.lps_mm(index.astype(np.float64))
    offset = points - space.middle_mm
    away = offset - np.outer(offset @ space.superior, space.superior)
    near = np.linalg.norm(away, axis=1) <= number("measures.region_radius_mm")
    return index[near], points[near]


def _endplate(reading: _Reading, vertebra: VertebraAnatomy, *, is_upper: bool) -> list[Finding]:
    """The ratio of marrow beside one endplate to the body's core for each sequence, and the suggested Modic type."""
    name = f"{vertebra.level}_{'inferior' if is_upper else 'superior'}"
    own = 100 * vertebra.level.number
    index, points = _near_axis(reading.case, reading.space, tuple(range(own, own + 100)))
    plate = vertebra.frame.inferior_endplate_mm if is_upper else vertebra.frame.superior_endplate_mm
    inwards = vertebra.frame.superior if is_upper else -vertebra.frame.superior
    depth = (points - plate) @ inwards
    low, high = numbers("measures.endplate_slab_mm")
    centre = (vertebra.frame.origin_mm - plate) @ inwards
    core = np.abs(depth - centre) <= number("measures.core_fraction") * 2 * centre
    slab = (depth >= low) & (depth <= high)
    found: list[Finding] = []
    ratios: dict[MrSequence, float] = {}
    for sequence, image in reading.images.items():
        kind = f"marrow_ratio_{sequence.lower()}_{name}"
        words = f"marrow {low:g} to {high:g} mm from the endplate over the middle of the body"
        ratio = _ratio(image, index[slab], index[core])
        centres = tuple(points[mask].mean(axis=0) for mask in (slab, core) if mask.any())
        evidence = reading.evidence(sequence, words, centres)
        found.append(_number(reading, kind, ratio, evidence, "too few voxels beside the endplate or in the body"))
        if ratio is not None:
            ratios[sequence] = ratio[0]
    return [*found, _modic(reading, name, ratios, found)]


def _modic(reading: _Reading, name: str, ratios: dict[MrSequence, float], found: list[Finding]) -> Finding:
    """The suggested Modic type of an endplate, or UNKNOWN with the reason."""
    level, kind = str(reading.space.segment), f"{MODIC}_{name}"
    evidence = replace(found[0].evidence, other_image_sha256=reading.other_sha256)
    if not {MrSequence.T1, MrSequence.T2} <= ratios.keys():
        why = "a Modic type needs T1 and T2 of the same place; only a person with both can tell"
        return Finding(kind=kind, level=level, value=None, status=FindingStatus.UNKNOWN, evidence=evidence, note=why)
    suggested = suggested_modic(ratios[MrSequence.T1], ratios[MrSequence.T2])
    words = ", ".join(f"{sequence} {ratio:.2f}" for sequence, ratio in sorted(ratios.items()))
    if suggested is None:
        why = f"the ratios ({words}) suggest no type; they do not exclude one"
        return Finding(kind=kind, level=level, value=None, status=FindingStatus.UNKNOWN, evidence=evidence, note=why)
    return Finding(
        kind=kind,
        level=level,
        value=suggested,
        status=FindingStatus.SUGGESTED,
        evidence=evidence,
        note=f"from the ratios {words}; look at the images and confirm or refute it",
    )


def suggested_modic(t1_ratio: float, t2_ratio: float) -> str | None:
    """Modic type that two ratios of endplate to body suggest: 1 (T1 low, T2 high), 2 (T1 high, T2 not low) or none."""
    change = number("measures.modic_change_fraction")
    if t1_ratio <= 1 - change and t2_ratio >= 1 + change:
        return "1"
    if t1_ratio >= 1 + change and t2_ratio > 1 - change:
        return "2"
    return None


def _disc(reading: _Reading) -> Finding:
    """Signal of the middle of the disc over that of cerebrospinal fluid, on T2 alone."""
    kind = "disc_to_fluid_ratio_t2"
    image = reading.images.get(MrSequence.T2)
    if image is None:
        evidence = reading.evidence(reading.case.image.sequence, "no T2 image", ())
        return _number(reading, kind, None, evidence, "the signal of a disc is judged on T2")
    disc, points = _near_axis(reading.case, reading.space, (disc_value(Vertebra(reading.space.segment.upper.name)),))
    fluid = [structure_value(name) for name in ("csf", "canal")]
    where = np.argwhere(np.isin(reading.case.labels.values, fluid))
    heights = reading.case.labels.geometry.lps_mm(where.astype(np.float64)) - reading.space.middle_mm
    beside = np.abs(heights @ reading.space.superior) <= 2 * number("measures.region_radius_mm")
    ratio = _ratio(image, disc, where[beside])
    centres = (points.mean(axis=0),) if len(points) else ()
    evidence = reading.evidence(MrSequence.T2, "middle of the disc over fluid in the canal beside it", centres)
    return _number(reading, kind, ratio, evidence, "the labels do not show both the disc and fluid beside it")


def _ratio(image: Volume, above: NDArray[np.intp], below: NDArray[np.intp]) -> tuple[float, float] | None:
    """Ratio of the medians in two sets of voxels and its standard uncertainty, or None where there are too few.

    The uncertainty is that of the medians from the spread of the voxels; what the coil's fall-off adds is not in it.
    """
    least = number("measures.least_voxels")
    if min(len(above), len(below)) < least:
        return None
    one, two = (image.values[tuple(index.T)] for index in (above, below))
    if np.median(two) <= 0:
        return None
    ratio = float(np.median(one) / np.median(two))
    relative = [_median_sd(values) / max(float(np.median(values)), 1e-9) for values in (one, two)]
    return ratio, ratio * float(np.hypot(relative[0], relative[1]))


def _median_sd(values: NDArray[np.float32]) -> float:
    low, high = np.percentile(values, [25, 75])
    return float(1.2533 * (high - low) / 1.349 / np.sqrt(len(values)))  # of a normal spread with these quartiles


def _number(
    reading: _Reading, kind: str, ratio: tuple[float, float] | None, evidence: ImageEvidence, why: str
) -> Finding:
    level = str(reading.space.segment)
    if ratio is None:
        return Finding(kind=kind, level=level, value=None, status=FindingStatus.UNKNOWN, evidence=evidence, note=why)
    return Finding(
        kind=kind,
        level=level,
        value=ratio[0],
        sd=ratio[1],
        unit="1",
        status=FindingStatus.MEASURED,
        evidence=evidence,
        note="ratio of medians; fall-off of the coil's sensitivity is not corrected",
    )
