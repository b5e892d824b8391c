"""One virtual person: who it is, how large, what has changed in the spine, and which random draws shape the rest."""

from __future__ import annotations

from dataclasses import dataclass, field

from foramen.anatomy.reference_body.build import MEAN_BUILD, Build
from foramen.anatomy.reference_body.pathology import Pathologies


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Everything that decides a virtual body; the same person gives the same voxels.

    Parameters
    ----------
    seed : int
        Of the draws that are not written out here: deformation of each bone, bumps of arthrosis, shifts of nerves.
    build : Build
        Size, disc height, sagittal curve and fat.
    sex : str
        "female" or "male".
    age_years, height_cm, bmi_kg_per_m2 : float
        Of the person.
    cancellous_hu : float or None
        Spongy bone on CT; None is that of the reference body.
    pathologies : Pathologies
        What has changed.
    deformation_rms_mm : float
        Independent smooth deformation of each bone; 0 is none.
    deformation_correlation_mm : float
        Its correlation length.
    has_nerve_variation : bool
        Whether nerves and ganglia lie beside their mean course, by their natural standard deviation.
    """

    seed: int = 0
    build: Build = MEAN_BUILD
    sex: str = "female"
    age_years: float = 55.0
    height_cm: float = 170.0
    bmi_kg_per_m2: float = 25.0
    cancellous_hu: float | None = None
    pathologies: Pathologies = field(default_factory=Pathologies)
    deformation_rms_mm: float = 0.0
    deformation_correlation_mm: float = 15.0
    has_nerve_variation: bool = False


MEAN_PERSON = Person()
