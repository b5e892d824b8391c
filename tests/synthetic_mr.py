"""The reference body as a sagittal T2 or T1 of 3.5 mm slices, for tests, with the labels of a spine model."""

from __future__ import annotations

from functools import cache

import numpy as np

from foramen.anatomy.reference_body import make_reference_body
from foramen.anatomy.reference_body.body import ReferenceBody
from foramen.anatomy.reference_body.mr import mr_of_labels
from foramen.knowledge.labels import FIRST_STRUCTURE, structure_value
from foramen.model.space import LabelMap, MrSequence, Volume

SAGITTAL_MM = (3.5, 1.5, 1.5)
FIELD_OF_VIEW_MM = (160.0, 220.0)
LEVELS = ("L3", "L4", "L5", "S1")


@cache
def body() -> ReferenceBody:
    """The lower lumbar spine on the grid of a sagittal MR."""
    return make_reference_body(spacing_mm=SAGITTAL_MM, levels=LEVELS, field_of_view_mm=FIELD_OF_VIEW_MM)


@cache
def image(sequence: MrSequence = MrSequence.T2) -> Volume:
    """Its MR."""
    return mr_of_labels(body().labels, sequence, generator=np.random.default_rng(7))


@cache
def spine_labels() -> LabelMap:
    """Only what spine models label: vertebrae, discs and the thecal sac; everything else is 0."""
    values = body().labels.values.copy()
    sac = [structure_value(name) for name in ("csf", "cauda_equina", "spinal_cord")]
    is_disc = (values >= FIRST_STRUCTURE) & (values < FIRST_STRUCTURE + 100)
    kept = (values < FIRST_STRUCTURE) | is_disc | np.isin(values, sac)
    return LabelMap(geometry=body().labels.geometry, values=np.where(kept, values, 0).astype(np.uint16))
