"""Landmarks of a patient's vertebra: carried over from the reference, put on the bone, judged.

A landmark that the image cannot support is left out, with the reason in the note; asking for it raises.
"""

from __future__ import annotations

import numpy as np

from foramen.anatomy.bones import Bone
from foramen.anatomy.reference_body import reference_vertebra
from foramen.anatomy.registration import Registration
from foramen.knowledge.facts import number
from foramen.model.anatomy import Landmark, LandmarkName, Origin
from foramen.model.levels import Side
from foramen.model.space import FloatArray


def find_landmarks(bone: Bone, registration: Registration) -> tuple[tuple[Landmark, ...], str]:
    """Landmarks of a bone and, in words, which ones are missing and why.

    Parameters
    ----------
    bone : Bone
        The patient's bone.
    registration : Registration
        Of the reference vertebra to this bone.

    Notes
    -----
    Standard uncertainty: the root of the sum of squares of the residual of the registration, half a
    voxel, what differs between people although the surfaces agree (`registration.yaml`), and half
    the way from the carried point to the bone.
    """
    limit_mm = residual_limit_mm(bone)
    if not registration.residual_mm <= limit_mm:
        return (), (
            f"The reference vertebra does not fit this bone: residual {registration.residual_mm:.1f} mm, limit "
            f"{limit_mm:.1f} mm. Check the label map, or choose a finer scan."
        )
    found, missing = [], []
    reference = reference_vertebra(bone.level)
    for (name, side), position in reference.landmarks.items():
        landmark, reason = _place(bone, registration, name, side, registration.carry(position)[0])
        if landmark is None:
            missing.append(f"{side.value} {name.value.replace('_', ' ')} ({reason})")
        else:
            found.append(landmark)
    note = f"Not found: {'; '.join(missing)}. Use a scan that shows the whole bone." if missing else ""
    return tuple(found), note


def residual_limit_mm(bone: Bone) -> float:
    """Largest residual (mm) with which a registration is believed: a limit plus half a voxel."""
    return number("registration.residual_limit_mm") + 0.5 * bone.spacing_mm


def standard_deviation_mm(bone: Bone, registration: Registration, natural_sd_mm: float) -> float:
    """Standard uncertainty (mm) of a point carried to a bone."""
    return float(np.sqrt(registration.residual_mm**2 + (0.5 * bone.spacing_mm) ** 2 + natural_sd_mm**2))


def _place(
    bone: Bone, registration: Registration, name: LandmarkName, side: Side, carried: FloatArray
) -> tuple[Landmark | None, str]:
    if float(bone.margin_mm(carried)[0]) < bone.spacing_mm:
        return None, "outside the scan"
    position = bone.onto_surface(carried)[0]
    moved_mm = float(np.linalg.norm(position - carried))
    limit_mm = number("registration.snap_limit_mm") + 0.5 * bone.spacing_mm
    if moved_mm > limit_mm:
        return None, f"the bone lies {moved_mm:.1f} mm from where it should be, limit {limit_mm:.1f} mm"
    natural_mm = number("registration.landmark_variation_sd_mm")
    sd_mm = float(np.hypot(standard_deviation_mm(bone, registration, natural_mm), 0.5 * moved_mm))
    doubt = (registration.residual_mm**2 + moved_mm**2) / limit_mm**2
    return (
        Landmark(
            name=name,
            vertebra=bone.level,
            side=side,
            position_mm=position,
            sd_mm=sd_mm,
            confidence_fraction=float(np.exp(-doubt) * registration.coverage_fraction),
            origin=Origin.REGISTERED,
        ),
        "",
    )
