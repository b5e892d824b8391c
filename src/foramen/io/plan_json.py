"""plan.json: a plan on disk, with the grids of its effects beside it in effect.zarr.

Reading what was written gives the same plan, bit by bit. Where the plan holds None because this patient's
images do not show a structure, plan.json says ``UNKNOWN``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray

from foramen.errors import CaseError
from foramen.io.atomic_file import moved_away, whole_folder, write_bytes
from foramen.io.dataclass_json import UNKNOWN_TEXT, from_data, to_data
from foramen.io.dataclass_schema import schema_of
from foramen.model.case import Case
from foramen.model.plan import Plan

PLAN_FILE = "plan.json"
EFFECT_STORE = "effect.zarr"
SCHEMA_NAME = "foramen-plan"
SCHEMA_VERSION = "1.3"
NOTICE = "Research use, not a medical device."
NOT_PATIENT_SPECIFIC = "NOT PATIENT-SPECIFIC: made without a scan of this patient."

_OWN_KEYS = ("schema", "notice")


def plan_data(plan: Plan) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """The JSON data of a plan, and the arrays of its effects by the name that stands for them."""
    arrays: dict[str, NDArray[Any]] = {}

    def store(path: str, array: NDArray[Any]) -> object:
        if array.ndim < 3:
            return array.tolist()
        name = path.replace("/", "_")
        arrays[name] = array
        return {"store": EFFECT_STORE, "array": name, "shape": list(array.shape), "dtype": str(array.dtype)}

    content = to_data(plan, store=store)
    if not isinstance(content, dict):
        raise TypeError("A plan must become an object.")
    _swap_unknown(content, lambda value: UNKNOWN_TEXT if value is None else value)
    notice = NOTICE if plan.case.is_patient_specific else f"{NOTICE} {NOT_PATIENT_SPECIFIC}"
    head = {"schema": {"name": SCHEMA_NAME, "version": SCHEMA_VERSION}, "notice": notice}
    return {**head, **content}, arrays


def plan_text(plan: Plan) -> str:
    """The text of plan.json, without writing anything."""
    return json.dumps(plan_data(plan)[0], indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def write_plan(plan: Plan, folder: Path) -> Path:
    """Write plan.json and, if there are grids, effect.zarr into a plan folder; returns the path of plan.json.

    Raises
    ------
    CaseError
        If the folder cannot be written; an older plan in it then stays as it was.
    """
    data, arrays = plan_data(plan)
    text = json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    store = folder / EFFECT_STORE
    with moved_away(store):
        if arrays:
            with whole_folder(store) as temporary:
                group = zarr.open_group(os.fspath(temporary), mode="w")
                for name, array in sorted(arrays.items()):
                    group.create_array(name, data=np.ascontiguousarray(array), chunks=array.shape)
        write_bytes(folder / PLAN_FILE, text.encode())
    return folder / PLAN_FILE


def read_plan(path: Path) -> Plan:
    """The plan of a plan folder or its plan.json.

    Raises
    ------
    CaseError
        If it is no plan, of another major version, or damaged; the message names the place.
    """
    file = plan_file(path)
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as failure:
        raise CaseError(f"{file} cannot be read as JSON ({failure}). Plan again.") from failure
    schema = data.get("schema") if isinstance(data, dict) else None
    if not isinstance(schema, dict) or schema.get("name") != SCHEMA_NAME:
        raise CaseError(f"{file} is no plan of Foramen: its schema is not {SCHEMA_NAME}.")
    major, minor = _version(str(schema.get("version", "")), file)
    own_major, own_minor = _version(SCHEMA_VERSION, file)
    if major != own_major:
        raise CaseError(
            f"{file} is of plan version {schema['version']}, this Foramen reads {own_major}.x. "
            "Use the matching version of Foramen, or plan again."
        )
    content = {key: value for key, value in data.items() if key not in _OWN_KEYS}
    try:
        _swap_unknown(content, lambda value: None if value == UNKNOWN_TEXT else value)
    except (KeyError, TypeError, AttributeError) as failure:
        raise CaseError(f"{file} is damaged ({failure!r} is missing or of a wrong kind). Plan again.") from failure
    load = _loader(file.parent)
    return from_data(Plan, content, load=load, ignores_unknown=minor > own_minor, path=PLAN_FILE)


def plan_file(path: Path) -> Path:
    """The plan.json that a user means by a plan folder or the file itself; raises `CaseError` if there is none."""
    file = path / PLAN_FILE if path.is_dir() else path
    if not file.is_file():
        raise CaseError(f"There is no plan at {path}. Give a plan folder or its {PLAN_FILE}.")
    return file


def _version(text: str, file: Path) -> tuple[int, int]:
    major, _, minor = text.partition(".")
    if not (major.isdigit() and minor.isdigit()):
        raise CaseError(f"{file} has no readable schema version (found {text!r}).")
    return int(major), int(minor)


def _loader(folder: Path) -> Callable[[str, object], NDArray[Any]]:
    def load(path: str, value: object) -> NDArray[Any]:
        if not isinstance(value, dict):
            try:
                return np.array(value, dtype=np.float64)
            except (TypeError, ValueError) as failure:
                raise CaseError(f"{path}: an array of numbers is needed.") from failure
        store = folder / EFFECT_STORE
        try:
            if value["store"] != EFFECT_STORE:
                raise ValueError(f"unknown store {value['store']!r}")
            array = np.asarray(zarr.open_group(os.fspath(store), mode="r")[value["array"]][...])
        except (OSError, KeyError, ValueError) as failure:
            raise CaseError(f"{path}: its grid is missing or damaged in {store} ({failure}). Plan again.") from failure
        if list(array.shape) != value.get("shape") or str(array.dtype) != value.get("dtype"):
            raise CaseError(f"{path}: the grid in {store} has another shape than the plan says. Plan again.")
        return array

    return load


def _swap_unknown(content: dict[str, Any], swap: Callable[[Any], Any]) -> None:
    """Exchange None and UNKNOWN where None means that the images do not show a structure."""
    for trajectory in [*content["trajectories"], *content["alternatives"]]:
        for clearance in trajectory["clearances"]:
            clearance["distance_mm"] = swap(clearance["distance_mm"])
    for delivery in content["deliveries"]:
        for peak in delivery["effect"].get("peaks", ()):
            peak["peak_degC"] = swap(peak["peak_degC"])
    for structure in (content.get("robust") or {}).get("structures", ()):
        for key in ("median_degC", "high_degC"):
            structure[key] = swap(structure[key])


def case_path_of(plan: Plan, path: Path, *, case: Path | None = None) -> Path:
    """The case folder of a plan: `case` if given, else where the plan says, relative to its folder."""
    if case is not None:
        return case
    return (plan_file(path).parent / plan.case.relative_path).resolve()


def require_case(plan: Plan, case: Case) -> None:
    """Raise `CaseError` unless a plan was made on exactly this case's image and labels."""
    pairs = {
        "image": (plan.case.image_sha256, case.image_sha256),
        "label map": (plan.case.labels_sha256, case.labels_sha256),
        "frame of reference": (plan.case.frame_uid, case.image.geometry.frame_uid),
    }
    for what, (planned, given) in pairs.items():
        if planned != given:
            raise CaseError(
                f"The plan {plan.id} was made on another {what} than this case has ({planned[:16]} and {given[:16]}). "
                "Give the right case with --case, or plan again."
            )
    if plan.case.modality is not case.image.modality or (
        plan.case.is_patient_specific and not case.is_patient_specific
    ):
        raise CaseError(
            f"The plan {plan.id} says that it was made on a {plan.case.modality} of the patient, but this case holds "
            f"{case.image.modality if case.is_patient_specific else 'no scan of the patient'}. Plan again."
        )


def json_schema() -> dict[str, Any]:
    """The published JSON Schema of plan.json (docs/plan.schema.json)."""
    schema = schema_of(Plan)
    definitions = schema["$defs"]
    unknown = {"anyOf": [{"type": "number"}, {"const": UNKNOWN_TEXT}]}
    definitions["Clearance"]["properties"]["distance_mm"] = unknown
    definitions["PeakTemperature"]["properties"]["peak_degC"] = unknown
    for key in ("median_degC", "high_degC"):
        definitions["RobustStructure"]["properties"][key] = unknown
    plan = definitions["Plan"]
    plan["properties"] = {
        "schema": {
            "type": "object",
            "properties": {"name": {"const": SCHEMA_NAME}, "version": {"type": "string", "pattern": r"^1\.\d+$"}},
            "required": ["name", "version"],
        },
        "notice": {"type": "string"},
        **plan["properties"],
    }
    plan["required"] = ["schema", *plan["required"]]
    schema["title"] = f"{SCHEMA_NAME} {SCHEMA_VERSION}"
    return schema
