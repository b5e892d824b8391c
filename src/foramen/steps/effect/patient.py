"""One patient under one set of assumptions, and what is read in the heat."""

from __future__ import annotations

from dataclasses import dataclass

from foramen.anatomy.tissue_map import TissueMap
from foramen.model.anatomy import Anatomy
from foramen.model.space import LabelMap
from foramen.model.thermal import CsfMixing

BOX_MM = 25.0
"""Half width of the reported temperature grid, and the distance within which the image must reach."""

NERVE_SETS = ("coagulation", "nerve_function")
"""Damage sets that say something about a nerve."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Patient:
    """One patient under one set of assumptions: the same for all lesions of a target."""

    technique: str  # whose temperature limits apply
    anatomy: Anatomy
    labels: LabelMap
    tissues: TissueMap
    baseline_degC: float
    is_perfused: bool
    is_conducting: bool
    csf: CsfMixing = CsfMixing.STILL
