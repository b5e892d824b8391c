"""What was measured or suggested on a patient's images, with the evidence for it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from foramen.errors import RecordError
from foramen.model.space import Modality, MrSequence

Point = tuple[float, float, float]


class FindingStatus(StrEnum):
    """How far a finding can be trusted; only what a person confirmed answers a question of the record."""

    MEASURED = "measured"  # a number read off labels or signal
    SUGGESTED = "suggested"  # an interpretation of such numbers
    UNKNOWN = "unknown"  # could not be read; the note says why
    CONFIRMED = "confirmed"  # by a named person


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageEvidence:
    """Where a finding comes from: image and labels by hash, the cut in words, the points that were used.

    Parameters
    ----------
    points_mm : tuple of points
        LPS, in the frame of the image: the ends of a distance, or the centres of the regions compared.
    label_values : tuple of int
        Values of the label map that were read.
    other_image_sha256 : str
        Of the second sequence, where two were compared.
    """

    image_sha256: str
    labels_sha256: str
    modality: Modality
    sequence: MrSequence
    cut: str
    points_mm: tuple[Point, ...] = ()
    label_values: tuple[int, ...] = ()
    other_image_sha256: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One measure or reading at one level.

    Parameters
    ----------
    kind : str
        Such as ``canal_ap_mm`` or ``modic_type``; a length, area or ratio carries its unit in the name.
    level : str
        As a technique spells it: ``L4-L5`` for a disc, ``L4`` for a vertebra.
    value : float, str or None
        None where it could not be read.
    sd : float or None
        Standard uncertainty of a number.
    by, when : str
        Who confirmed it, and on which day.
    """

    kind: str
    level: str
    value: float | str | None
    status: FindingStatus
    evidence: ImageEvidence
    unit: str = ""
    sd: float | None = None
    note: str = ""
    by: str = ""
    when: str = ""

    def __post_init__(self) -> None:
        if (self.value is None) != (self.status is FindingStatus.UNKNOWN):
            raise RecordError(f"The finding {self.kind} at {self.level}: only an unknown one has no value.")
        if self.status is FindingStatus.CONFIRMED and not (self.by and self.when):
            raise RecordError(f"The finding {self.kind} at {self.level} is confirmed by nobody: name who, and when.")
