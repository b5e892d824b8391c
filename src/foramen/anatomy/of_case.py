"""The anatomy of a case: of its own scan, or of a reference body that stands for a patient without one."""

from __future__ import annotations

from foramen.anatomy.build import build_anatomy
from foramen.anatomy.widening import widened_for_population
from foramen.model.anatomy import Anatomy
from foramen.model.case import Case


def anatomy_of(case: Case) -> Anatomy:
    """Frames, landmarks, nerves and keep-outs of a case; see `build_anatomy` for what is raised.

    The anatomy of a case that is not patient-specific is marked so and carries the spread between people.
    """
    anatomy = build_anatomy(case.image, case.labels)
    return anatomy if case.is_patient_specific else widened_for_population(anatomy)
