"""What `import foramen as fm` offers: the verbs of the workflow and of the bench."""

from __future__ import annotations

from foramen.api.atlas import sweep
from foramen.api.bench import lesion, pulsed, strip_lesion
from foramen.api.chain import (
    REFERENCE_PROCEDURE_AT,
    Saved,
    assess,
    import_case,
    open_case,
    open_plan,
    plain,
    plan,
    reference_case,
    reference_record,
    require_writable,
    robust,
    save,
    save_case,
    save_in_case,
    techniques,
)
from foramen.api.cohort import Cohort, generate_cohort
from foramen.api.findings import confirm_finding, measure, measure_in_case
from foramen.api.generic import generic_case
from foramen.api.inspection import (
    CONTACT_SHEET_FILE,
    Inspected,
    inspect,
    inspect_labels,
    inspect_with_anatomy,
    save_contact_sheet,
    save_inspection_page,
)
from foramen.api.inverse import SavedInverse, optimise, save_inverse
from foramen.io.atlas import read_atlas
from foramen.io.confirmation import confirmation
from foramen.io.own_file import require_replaceable
from foramen.knowledge.check import check_knowledge
from foramen.knowledge.devices import devices
from foramen.model.case import Case
from foramen.model.inverse import InverseResult
from foramen.model.plan import Confirmation, Plan
from foramen.model.technique import Technique
from foramen.model.verdict import Verdict
from foramen.planning.lesion_atlas import LesionAtlas, LesionSweep, lesion_sweep
from foramen.steps.bench import BenchLesion, BenchPulsed, BenchStrip, Tines
from foramen.techniques import technique_rows
from foramen.workflow import Planned

__all__ = [
    "CONTACT_SHEET_FILE",
    "REFERENCE_PROCEDURE_AT",
    "BenchLesion",
    "BenchPulsed",
    "BenchStrip",
    "Case",
    "Cohort",
    "Confirmation",
    "Inspected",
    "InverseResult",
    "LesionAtlas",
    "LesionSweep",
    "Plan",
    "Planned",
    "Saved",
    "SavedInverse",
    "Technique",
    "Tines",
    "Verdict",
    "assess",
    "check_knowledge",
    "confirm_finding",
    "confirmation",
    "devices",
    "generate_cohort",
    "generic_case",
    "import_case",
    "inspect",
    "inspect_labels",
    "inspect_with_anatomy",
    "lesion",
    "lesion_sweep",
    "measure",
    "measure_in_case",
    "open_case",
    "open_plan",
    "optimise",
    "plain",
    "plan",
    "pulsed",
    "read_atlas",
    "reference_case",
    "reference_record",
    "require_replaceable",
    "require_writable",
    "robust",
    "save",
    "save_case",
    "save_contact_sheet",
    "save_in_case",
    "save_inspection_page",
    "save_inverse",
    "strip_lesion",
    "sweep",
    "technique_rows",
    "techniques",
]
