"""One patient's case: image, labels, record and what is known about the scan."""

from __future__ import annotations

from dataclasses import dataclass

from foramen.errors import FrameError
from foramen.model.record import ClinicalRecord
from foramen.model.space import LabelMap, PatientPosition, Volume


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Case:
    """Everything a plan starts from; `image` and `labels` share one grid.

    `acquired_on` is an ISO date or empty if unknown; `history` says where image and labels came from
    and what was done to them at the door.
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

    def __post_init__(self) -> None:
        if not self.image.geometry.same_as(self.labels.geometry):
            raise FrameError(
                "Image and label map are on different grids or in different frames of reference. "
                "Resample the labels to the image, or choose those that belong to it."
            )
