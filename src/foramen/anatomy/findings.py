"""Everything that is measured at every disc space of a case."""

from __future__ import annotations

from itertools import pairwise

from foramen.anatomy.canal import measure_canal
from foramen.anatomy.disc_space import disc_space
from foramen.anatomy.signal_ratios import OtherSequence, read_signal
from foramen.errors import InputError, LandmarkError, LevelError
from foramen.model.anatomy import Anatomy
from foramen.model.case import Case
from foramen.model.finding import Finding
from foramen.model.levels import USUAL_ORDER, Segment


def find_all(case: Case, anatomy: Anatomy, other: OtherSequence | None = None) -> tuple[Finding, ...]:
    """Measures and readings of every disc space whose two vertebrae are known, from above downwards.

    Parameters
    ----------
    anatomy : Anatomy
        Of this case.
    other : OtherSequence, optional
        The second of T1 and T2, on the same grid.

    Raises
    ------
    InputError
        If the case is not of the patient's own image.
    """
    if not case.is_patient_specific:
        raise InputError(
            "This case holds a reference body, no image of the patient: nothing on it is a finding. Import an image "
            "(CT or MR) with labels."
        )
    found: list[Finding] = []
    for segment in _segments(anatomy):
        try:
            space = disc_space(anatomy, segment)
        except (LandmarkError, LevelError):  # cut by the image: no plane of this disc, so nothing to read in it
            continue
        found += measure_canal(case, space)
        found += read_signal(case, space, other)
    return tuple(found)


def _segments(anatomy: Anatomy) -> tuple[Segment, ...]:
    names = [v.level.name for v in anatomy.vertebrae]
    found = []
    for upper, lower in pairwise(USUAL_ORDER):
        if upper in names and lower in names:
            found.append(Segment(f"{upper}-{lower}"))
    return tuple(found)
