"""On what a plan stands: a CT, an MR or a body that is not the patient's; nothing but a CT of the patient passes."""

from __future__ import annotations

from foramen.knowledge.facts import number
from foramen.model.anatomy import Anatomy
from foramen.model.case import Case
from foramen.model.plan import Check, CheckStatus
from foramen.model.space import Modality


def is_patient_specific(case: Case, anatomy: Anatomy) -> bool:
    """Whether both the image and the anatomy are this patient's."""
    return case.is_patient_specific and anatomy.is_patient_specific


def check_basis(case: Case, anatomy: Anatomy) -> tuple[Check, ...]:
    """Cautions of a plan that stands on an MR or on no image of the patient, and what could not be checked."""
    checks = []
    if not is_patient_specific(case, anatomy):
        checks.append(
            Check(
                id="not patient-specific",
                text="NOT PATIENT-SPECIFIC: planned without a scan of this patient",
                status=CheckStatus.CAUTION,
                reason="The anatomy is a reference body scaled to the patient. Angles, depths, clearances and "
                "temperatures are those of that body; depths from the skin differ between people by "
                f"{number('anatomy.skin_depth_sd_mm'):g} mm (SD). Find every landmark under imaging guidance.",
            )
        )
    if case.image.modality is Modality.MR:
        checks.append(
            Check(
                id="planned on MR",
                text="Planned on MR",
                status=CheckStatus.CAUTION,
                reason=f"Planned on MR ({case.image.sequence} sequence). Bone is known by its labels only, unlabelled "
                "tissue is taken as soft tissue, skin is the first signal from behind; places are less certain.",
            )
        )
    if case.not_checked:
        checks.append(
            Check(
                id="not checked",
                text="Not checked at import",
                status=CheckStatus.CAUTION,
                reason=f"{'; '.join(case.not_checked)}. Compare labels and image by eye (foramen case inspect).",
            )
        )
    return tuple(checks)


NOT_PATIENT_SPECIFIC = (
    "NOT PATIENT-SPECIFIC: no scan of this patient was used. The pictures, angles and depths are those of a reference "
    "body scaled to the patient."
)
PLANNED_ON_MR = (
    "Planned on MR: no Hounsfield units. Bone is where the labels say, unlabelled tissue counts as soft tissue, metal "
    "and bowel gas are not told apart from it, and simulated X-ray views are made from the bone labels."
)


def limits_of_basis(case: Case, anatomy: Anatomy) -> tuple[str, ...]:
    """What the kind of image keeps a plan from saying, the weightiest first."""
    generic = () if is_patient_specific(case, anatomy) else (NOT_PATIENT_SPECIFIC,)
    return (*generic, PLANNED_ON_MR) if case.image.modality is Modality.MR else generic
