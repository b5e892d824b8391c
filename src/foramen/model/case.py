"""One patient's case: image, labels, record and what is known about the scan."""

from __future__ import annotations

from dataclasses import dataclass

from foramen.errors import FrameError
from foramen.model.record import ClinicalRecord
from foramen.model.space import LabelMap, PatientPosition, Volume

NOT_CHECKED = "not checked: "
"""Start of the lines of a case's history that say what could not be checked."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Case:
    """Everything a plan starts from; `image` and `labels` share one grid.

    `acquired_on` is an ISO date or empty if unknown; `history` says where image and labels came from
    and what was done to them at the door. `is_patient_specific` is False where the image is not this
    patient's: a reference body scaled to the record.
    """

    uid: str
    image: Volume
    labels: LabelMap
    record: ClinicalRecord
    patient_id: str
    patient_position: PatientPosition
    acquired_on: str
    series_uid: str
    image_sha256: str
    labels_sha256: str
    history: tuple[str, ...] = ()
    is_patient_specific: bool = True

    @property
    def not_checked(self) -> tuple[str, ...]:
        """What the door could not check of image and labels, in words."""
        return tuple(line.removeprefix(NOT_CHECKED) for line in self.history if line.startswith(NOT_CHECKED))

    def __post_init__(self) -> None:
        if not self.image.geometry.same_as(self.labels.geometry):
            raise FrameError(
                "Image and label map are on different grids or in different frames of reference. "
                "Resample the labels to the image, or choose those that belong to it."
            )
