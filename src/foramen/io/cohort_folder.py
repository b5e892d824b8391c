"""A folder of virtual patients: one folder each, a table of all, and a manifest with hashes.

``DIR/manifest.json cohort.csv cohort.json VIRTUAL-0001/{image,labels,labels_degraded}.nii.gz truth.json record.json
record.yaml``
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from foramen.anatomy.degrade import Degradation
from foramen.anatomy.reference_body import ReferenceBody
from foramen.anatomy.reference_body.person import Person
from foramen.errors import CaseError
from foramen.io.atomic_file import whole_folder, write_bytes
from foramen.io.dataclass_json import to_data
from foramen.io.fhir_bundle import bundle_of
from foramen.io.nifti import image_bytes
from foramen.io.virtual_story import TOLD_ON, Story
from foramen.model.record import UNKNOWN
from foramen.model.space import LabelMap

TRUTH_FILE, MANIFEST_FILE, TABLE_FILE, TABLE_JSON_FILE = "truth.json", "manifest.json", "cohort.csv", "cohort.json"
LEDGER_FILE = "ledger.jsonl"
PATIENT_FILES = (
    "image.nii.gz", "labels.nii.gz", "labels_degraded.nii.gz", TRUTH_FILE, "record.json", "record.yaml",
)  # fmt: skip
NOTICE = "Made by code: nobody's image and nobody's record. Research use, not a medical device."

Cell = str | int | float | bool | None


def write_patient(
    folder: Path,
    body: ReferenceBody,
    person: Person,
    story: Story,
    *,
    degraded: LabelMap,
    severity: str,
    how: Degradation,
) -> None:
    """Write one patient's folder; it appears whole or not at all."""
    truth = {
        "schema": {"name": "foramen-virtual-patient", "version": "1.0"},
        "notice": NOTICE,
        "patient_id": story.patient_id,
        "person": to_data(person),
        "pathologies": [kind.value for kind in person.pathologies.kinds],
        "anatomy": to_data(body.anatomy),
        "degradation": {"severity": severity, **_mapping(to_data(how))},
    }
    with whole_folder(folder) as part:
        write_bytes(part / "image.nii.gz", image_bytes(body.image))
        write_bytes(part / "labels.nii.gz", image_bytes(body.labels))
        write_bytes(part / "labels_degraded.nii.gz", image_bytes(degraded))
        write_bytes(part / TRUTH_FILE, _json(truth))
        write_bytes(part / "record.json", _json(bundle_of(story, person)))
        text = yaml.safe_dump(_record(story, person), sort_keys=False, allow_unicode=True)
        write_bytes(part / "record.yaml", f"# {NOTICE}\n{text}".encode())


def hashes_of(folder: Path) -> dict[str, str]:
    """SHA-256 of a patient's files; raises `CaseError` if one is missing."""
    found = {}
    for name in PATIENT_FILES:
        path = folder / name
        if not path.exists():
            raise CaseError(f"{path} is missing: {folder} is no whole patient. Delete that folder and the ledger.")
        found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def row_of(person: Person, story: Story, *, severity: str, vertebrae: Sequence[str]) -> dict[str, Cell]:
    """One line of the cohort's table."""
    change = person.pathologies
    return {
        "patient": story.patient_id,
        "seed": person.seed,
        "sex": person.sex,
        "age_years": person.age_years,
        "height_cm": person.height_cm,
        "bmi_kg_per_m2": person.bmi_kg_per_m2,
        "scale_x": round(person.build.scale[0], 4),
        "scale_y": round(person.build.scale[1], 4),
        "scale_z": round(person.build.scale[2], 4),
        "vertebrae": " ".join(vertebrae),
        "cancellous_hu": person.cancellous_hu,
        "deformation_rms_mm": person.deformation_rms_mm,
        "pathologies": " ".join(kind.value for kind in change.kinds),
        "scoliosis_cobb_deg": 0.0 if change.scoliosis is None else change.scoliosis.cobb_deg,
        "degenerate_discs": " ".join(f"{d.above}:{d.grade}" for d in change.discs),
        "arthrotic_joints": " ".join(f"{f.above}:{f.side.value[0]}{f.grade}" for f in change.facets),
        "stenosis": " ".join(f"{s.above}:{s.loss_fraction:g}" for s in change.stenoses),
        "slip": "" if change.listhesis is None else f"{change.listhesis.above}:{change.listhesis.slip_mm:g}",
        "transitional": "" if change.transitional is None else change.transitional.kind.value,
        "fracture": "" if change.fracture is None else f"{change.fracture.level}:{change.fracture.loss_fraction:g}",
        "modic": "" if change.modic is None else f"{change.modic.above}:{change.modic.type}",
        "fusion": "" if change.fusion is None else f"{change.fusion.upper}-{change.fusion.lower}",
        "lipomatosis_fraction": change.lipomatosis_fraction,
        "conjoined": "" if change.conjoined is None else f"{change.conjoined.above}:{change.conjoined.side.value}",
        "nrs": story.nrs,
        "odi_percent": story.odi_percent,
        "patterns": " ".join(str(c.pattern) for c in story.complaints),
        "blocks": len(story.blocks),
        "degradation": severity,
    }


def write_cohort(
    folder: Path,
    *,
    rows: Sequence[Mapping[str, Cell]],
    hashes: Mapping[str, Mapping[str, str]],
    settings: Mapping[str, Cell],
    failures: Mapping[str, str],
) -> None:
    """Write the table of a cohort and the manifest with the hashes of all files."""
    text = io.StringIO()
    columns = list(rows[0]) if rows else ["patient"]
    writer = csv.DictWriter(text, fieldnames=columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_bytes(folder / TABLE_FILE, text.getvalue().encode())
    write_bytes(folder / TABLE_JSON_FILE, _json(list(rows)))
    manifest = {
        "schema": {"name": "foramen-cohort", "version": "1.0"},
        "notice": NOTICE,
        "settings": dict(settings),
        "patients": {key: dict(value) for key, value in hashes.items()},
        "failures": dict(failures),
    }
    write_bytes(folder / MANIFEST_FILE, _json(manifest))


def _record(story: Story, person: Person) -> dict[str, object]:
    """The story in the form of docs/record.md, which holds more than is read from a FHIR bundle."""
    lists = {"complete_as_of": story.complete_as_of} if story.complete_as_of else {}
    return {
        "patient_id": story.patient_id,
        "recorded_on": TOLD_ON.isoformat(),
        "source": "virtual patient",
        "facts": {"age_years": person.age_years, "sex": person.sex, "weight_kg": story.weight_kg},
        "complaints": [
            {
                name: value
                for name in ("region", "side", "pattern", "nrs", "duration_weeks")
                if (value := getattr(complaint, name)) is not UNKNOWN
            }
            for complaint in story.complaints
        ],
        "blocks": {"items": [_mapping(to_data(block)) for block in story.blocks], **lists},
        "medicines": {"items": [{"text": name, "dose": dose} for name, dose in story.medicines], **lists},
        "allergies": {"items": list(story.allergies), **lists},
        "conditions": {"items": [condition.words for condition in story.conditions], **lists},
    }


def _mapping(data: object) -> dict[str, object]:
    return dict(data) if isinstance(data, Mapping) else {}


def _json(content: object) -> bytes:
    return (json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()
