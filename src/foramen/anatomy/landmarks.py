"""Landmarks of a patient's vertebra: carried over from the reference, put on the bone, judged.

A landmark that the image cannot support is left out, with the reason in the note; asking for it raises.
"""

from __future__ import annotations

import numpy as np
from scipy.special import gammainc

from foramen.anatomy.bones import Bone
from foramen.anatomy.coverage import beyond_sd_mm, is_shown
from foramen.anatomy.reference_body import reference_vertebra
from foramen.anatomy.registration import Registration
from foramen.knowledge.facts import number
from foramen.model.anatomy import Landmark, LandmarkName, Origin, sided
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
    The covariance is the sum of what the bone's surface leaves open of the field that carried the point
    (`uncertainty.py`), what differs along the bone between people whose surfaces agree, what being carried beyond the
    registered part adds, and across the bone the error of the labelled surface, of the voxels (``h^2 / 12``) and half
    the way from the carried point to the bone (`registration.yaml`). A landmark in an opening of the bone or within it
    stays where it was carried.
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
        landmark, reason = _place(bone, registration, name, side, position)
        if landmark is None:
            missing.append(f"{sided(name.value.replace('_', ' '), side)} ({reason})")
        else:
            found.append(landmark)
    note = f"Not found: {'; '.join(missing)}. Use a scan that shows the whole bone." if missing else ""
    return tuple(found), note


def residual_limit_mm(bone: Bone) -> float:
    """Largest residual (mm) with which a registration is believed: a limit plus half a voxel."""
    return number("registration.residual_limit_mm") + 0.5 * bone.spacing_mm


def probability_within(covariance_mm2: FloatArray, radius_mm: float) -> float:
    """Probability that a point of normal law and that covariance (3, 3) lies within a radius of its mean.

    Notes
    -----
    The squared distance is taken as a scaled chi-squared law of the same mean and variance (Satterthwaite).
    """
    mean, spread = float(np.trace(covariance_mm2)), float((covariance_mm2**2).sum())
    if mean <= 0.0:
        return 1.0
    return float(gammainc(0.5 * mean**2 / spread, 0.5 * radius_mm**2 * mean / spread))


def _place(
    bone: Bone, registration: Registration, name: LandmarkName, side: Side | None, reference_mm: FloatArray
) -> tuple[Landmark | None, str]:
    carried = registration.carry(reference_mm)[0]
    if float(bone.margin_mm(carried)[0]) < bone.spacing_mm:
        return None, "outside the scan"
    if not is_shown(bone, registration, reference_mm, is_in_opening=not name.is_on_bone):
        return None, "the label map does not show this part of the bone"
    beyond_mm2 = beyond_sd_mm(bone.level, reference_mm) ** 2
    open_mm2 = registration.covariance_mm2(reference_mm)[0] + beyond_mm2 * np.eye(3)
    unseen = float(np.trace(open_mm2)) / number("registration.shape_variation_rms_mm") ** 2
    is_judged = beyond_mm2 > 0 or not name.is_on_bone  # its surroundings were looked at above
    if unseen > number("registration.largest_unseen_fraction") and not is_judged:
        return None, "too little of the bone around it is in the scan"
    position = bone.onto_surface(carried)[0] if name.is_on_bone else carried
    moved_mm = float(np.linalg.norm(position - carried))
    limit_mm = number("registration.snap_limit_mm") + 0.5 * bone.spacing_mm
    if moved_mm > limit_mm:
        return None, f"the bone lies {moved_mm:.1f} mm from where it should be, limit {limit_mm:.1f} mm"
    normal = bone.slope(position[None])[0]
    across = np.outer(normal, normal)
    along_mm, boundary_mm = number("registration.landmark_variation_sd_mm"), number("registration.label_boundary_sd_mm")
    of_surface = bone.spacing_mm**2 / 12.0 + (0.5 * moved_mm) ** 2
    if name.is_tip:
        of_surface += number("registration.tip_loss_sd_mm") ** 2
    covariance = open_mm2 + boundary_mm**2 * np.eye(3) + along_mm**2 * (np.eye(3) - across) + of_surface * across
    covariance = 0.5 * (covariance + covariance.T)
    return (
        Landmark(
            name=name,
            vertebra=bone.level,
            side=side,
            position_mm=position,
            sd_mm=float(np.sqrt(np.trace(covariance) / 3.0)),
            confidence_fraction=probability_within(covariance, number("registration.confidence_radius_mm")),
            origin=Origin.REGISTERED,
            covariance_mm2=covariance,
        ),
        "",
    )
