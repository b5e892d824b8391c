"""Hounsfield units of the drawn tissues, and the profile of bone from its surface inwards."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from foramen.knowledge.facts import number
from foramen.knowledge.labels import FIRST_STRUCTURE, disc_value, label, structure_labels
from foramen.model.levels import VERTEBRA_NUMBERS, Vertebra

Field = NDArray[np.float32]

GAS_VALUE = FIRST_STRUCTURE + 999
"""Private value of bowel gas while a body is being drawn; never in a finished label map."""

_FACT_OF_TISSUE = {
    "csf": "hu_csf",
    "spinal_cord": "hu_spinal_cord",
    "nerve": "hu_nerve",
    "fat": "hu_fat",
    "ligament": "hu_ligament",
    "muscle": "hu_muscle",
    "skin": "hu_skin",
    "cartilage": "hu_cartilage",
    "blood": "hu_blood",
    "organ": "hu_organ",
    "lung": "hu_lung",
    "disc": "hu_disc",
    "bone": "hu_cancellous",
}


@cache
def hu_of_label() -> NDArray[np.float32]:
    """Table of Hounsfield units by label value (uint16 range in use); unlabelled is air."""
    entries = [*structure_labels(), *(label(disc_value(Vertebra(name))) for name in VERTEBRA_NUMBERS)]
    table = np.full(FIRST_STRUCTURE + 1000, number("anatomy.hu_air"), dtype=np.float32)
    table[1:FIRST_STRUCTURE] = number("anatomy.hu_cancellous")
    for entry in entries:
        if entry is not None and entry.tissue in _FACT_OF_TISSUE:
            table[entry.value] = number(f"anatomy.{_FACT_OF_TISSUE[entry.tissue]}")
    table[GAS_VALUE] = number("anatomy.hu_bowel_gas")
    return table


@dataclass(frozen=True, slots=True, kw_only=True)
class BoneMaterial:
    """Bone of one person: spongy bone on CT (None: as the reference body), thickness of the shell over the usual."""

    cancellous_hu: float | None = None
    shell_fraction: float = 1.0


USUAL_BONE = BoneMaterial()


def bone_hu(
    distance_mm: Field,
    is_body: NDArray[np.bool_],
    material: BoneMaterial = USUAL_BONE,
    extra_shell_mm: Field | None = None,
) -> Field:
    """Hounsfield units inside bone from the signed distance to its surface: a cortical shell over spongy bone."""
    cortical = number("anatomy.hu_cortical")
    cancellous = number("anatomy.hu_cancellous") if material.cancellous_hu is None else material.cancellous_hu
    body, arch = number("anatomy.cortical_thickness_body_mm"), number("anatomy.cortical_thickness_arch_mm")
    transition = np.float32(number("anatomy.cortical_transition_mm"))
    depth = -distance_mm
    thickness = np.where(is_body, np.float32(body), np.float32(arch)) * np.float32(material.shell_fraction)
    if extra_shell_mm is not None:
        thickness = thickness + extra_shell_mm
    spongy = np.clip((depth - thickness) / transition, 0, 1)
    found: Field = (cortical + (cancellous - cortical) * spongy).astype(np.float32)
    return found
