"""The project's own rules, checked on its files: units, frozen objects, the error tree, docstrings."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import pkgutil
import re
import types
import typing
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpydoc.hooks.validate_docstrings import AstValidator
from numpydoc.validate import validate

import foramen
import foramen.errors
import foramen.model

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "foramen"

UNIT = (
    "m|mm|mm2|mm3|m2|m3|ml|s|ms|us|min|hours|days|weeks|months|years|hz|Hz|v|V|a|A|ma|w|W|j|J|ohm|S|degC|K|rad|deg|"
    "mg|kg|mol|psi|hu|percent|fraction"
)
"""Units as names end with them; `percent` and `fraction` say that there is none."""

UNIT_SUFFIX = re.compile(rf"_(?:(?:{UNIT})(?:_per_(?:{UNIT})(?:_(?:{UNIT}))*)?|per_(?:{UNIT})(?:_(?:{UNIT}))*)$")
"""End of a name that says its unit, such as `_mm`, `_degC`, `_per_K` or `_W_per_m3_K`."""

WITHOUT_UNIT = {
    "Answer.value": "unit of the declared fact",
    "Capture.fraction": "the whole name is the unit",
    "Complaint.nrs": "numeric rating scale, 0 to 10",
    "CurvedElectrode.gauge": "needle gauge",
    "Fact.high": "unit in Fact.unit",
    "Fact.low": "unit in Fact.unit",
    "Fact.sd": "unit in Fact.unit",
    "Fact.value": "unit in Fact.unit",
    "Finding.sd": "unit in Finding.unit",
    "Finding.value": "unit in Finding.unit",
    "HeatHistogram.levels": "unit said by HeatHistogram.quantity",
    "Introducer.gauge": "needle gauge",
    "Needle.gauge": "needle gauge",
    "RfCannula.gauge": "needle gauge",
    "RfHeatEffect.history": "each key ends with its unit",
    "RfHeatEffect.omega": "damage integral",
    "RfHeatEffect.tissue_origin": "fractions of a volume",
    "TissueShift.contrast_exponent": "exponent",
    "TissueShift.perfusion_factor": "factor",
    "TissueShift.thermal_factor": "factor",
    "Trajectory.costs": "dimensionless costs",
    "VertebraFrame.axes": "unit vectors",
    "View.beam": "unit vector",
    "View.up": "unit vector",
    "Volume.values": "Hounsfield units or arbitrary (MR), said by Volume.modality",
}
"""Fields that hold real numbers and no unit suffix, each with the reason."""

MAX_LINES = 450
"""Most lines of a source file; the aim is 300."""

LONG_FILES: dict[str, str] = {}
"""Files allowed above MAX_LINES (path from the root: reason); only for tables."""

FORBIDDEN_NAMES = {"utils", "common", "helpers", "core", "manager"}

MACHINE_PATH = re.compile(
    r"""(?:(?<=["'\s(=`])|^)(?:/(?:work|tmp|opt|home|root|mnt|Users|usr|var|srv)/|[A-Z]:[\\/](?=\w))""", re.M
)

DOCSTRING_CHECKS = {
    "GL08": "no docstring",
    "SS01": "no summary",
    "SS04": "summary begins with a blank",
    "GL01": "text begins on the wrong line",
    "GL06": "unknown section",
    "GL07": "sections in the wrong order",
}
"""numpydoc checks for every public module, class and function."""

PARAMETER_CHECKS = {"PR02": "unknown parameter documented", "PR03": "wrong order of the parameters"}
"""numpydoc checks for public functions that have a Parameters section.

Not PR01 (every parameter documented): a parameter whose name and type say everything is left out.
"""


def source_files() -> list[Path]:
    """All Python files of the package."""
    return sorted(SOURCE.rglob("*.py"))


@cache
def tree_of(path: Path) -> ast.Module:
    """Syntax tree of one file."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def place(path: Path, node: ast.AST | None = None) -> str:
    """Path from the root, with the line where a node is given."""
    line = f":{node.lineno}" if node is not None and hasattr(node, "lineno") else ""
    return f"{path.relative_to(ROOT)}{line}"


def public_dataclasses() -> list[type]:
    """Every public dataclass that a module of `foramen.model` defines."""
    found: list[type] = []
    for info in pkgutil.iter_modules(foramen.model.__path__, "foramen.model."):
        module = importlib.import_module(info.name)
        found.extend(
            value
            for name, value in inspect.getmembers(module, inspect.isclass)
            if dataclasses.is_dataclass(value) and value.__module__ == module.__name__ and not name.startswith("_")
        )
    return found


def holds_real_numbers(hint: object) -> bool:
    """Whether an annotation can hold a float, directly, in a container or in an array of floats."""
    if isinstance(hint, type) and not isinstance(hint, types.GenericAlias):
        return hint is float or issubclass(hint, np.floating)
    if typing.get_origin(hint) is None or isinstance(hint, typing.TypeVar):
        return False
    if typing.get_origin(hint) is typing.Literal:
        return False
    if typing.get_origin(hint) in {Callable, typing.get_origin(Callable[[], None])}:
        return False
    return any(holds_real_numbers(part) for part in typing.get_args(hint))


def real_fields() -> Iterator[tuple[str, str]]:
    """(class.field, field) of every field in `foramen.model` that holds real numbers."""
    for cls in public_dataclasses():
        hints = typing.get_type_hints(cls)
        for field in dataclasses.fields(cls):
            if holds_real_numbers(hints[field.name]):
                yield f"{cls.__name__}.{field.name}", field.name


def test_every_real_number_in_the_model_names_its_unit() -> None:
    bad = [name for name, field in real_fields() if not UNIT_SUFFIX.search(field) and name not in WITHOUT_UNIT]
    assert not bad, f"fields without a unit suffix: {bad}. Rename them, or give the reason in WITHOUT_UNIT."


@pytest.mark.parametrize("name", ["tip_mm", "set_degC", "slope_per_K", "perfusion_W_per_m3_K", "relief_percent"])
def test_names_that_say_their_unit(name: str) -> None:
    assert UNIT_SUFFIX.search(name)


@pytest.mark.parametrize(
    "name", ["tip", "temperature", "ramp_x", "alarm", "items", "_per_", "costs", "form_per_patient"]
)
def test_names_that_say_none(name: str) -> None:
    assert not UNIT_SUFFIX.search(name)


def test_the_check_of_units_sees_real_numbers_in_every_disguise() -> None:
    names = {name for name, _ in real_fields()}
    # One of each: plain, optional, tuple, dict of tuples, union with UNKNOWN, array, float32 array, dict of arrays.
    for name in (
        "RfSetting.time_s",
        "Clearance.distance_mm",
        "Needle.lengths_mm",
        "Target.landmarks_mm",
        "Complaint.nrs",
        "Nerve.centreline_mm",
        "Volume.values",
        "RfHeatEffect.omega",
    ):
        assert name in names, f"the check overlooks {name}"
    assert "LabelMap.values" not in names
    assert "Lead.contacts" not in names


def test_the_list_of_numbers_without_a_unit_has_no_dead_entry() -> None:
    suffixed = {name for name, field in real_fields() if UNIT_SUFFIX.search(field)}
    classes = {cls.__name__ for cls in public_dataclasses()}
    stale = suffixed & set(WITHOUT_UNIT)
    unknown = [name for name in WITHOUT_UNIT if name.partition(".")[0] not in classes]
    assert not stale, f"these carry a unit now; take them off the list: {stale}"
    assert not unknown, f"no such class any more: {unknown}"


@pytest.mark.parametrize("cls", public_dataclasses(), ids=lambda cls: cls.__name__)
def test_objects_of_the_model_are_frozen_and_slotted(cls: type) -> None:
    assert cls.__dataclass_params__.frozen, f"{cls.__name__} is not frozen"  # type: ignore[attr-defined]
    assert "__slots__" in vars(cls), f"{cls.__name__} has no slots"
    assert not (cls.__doc__ or "").startswith(f"{cls.__name__}("), f"{cls.__name__} says nothing of itself"


def drawn_errors() -> dict[str, tuple[str | None, int | None]]:
    """Parent and exit code of each exception as drawn in the docstring of `errors.py`."""
    drawn: dict[str, tuple[str | None, int | None]] = {}
    parents: dict[int, str] = {}
    for line in (foramen.errors.__doc__ or "").splitlines():
        match = re.match(r"^    ([│ ├└─]*)([A-Z]\w+)", line)
        if match is None:
            continue
        depth, name = len(match[1]) // 4, match[2]
        code = re.search(r"\(exit (\d)\)", line)
        parents[depth] = name
        drawn[name] = (parents.get(depth - 1), int(code[1]) if code else None)
    return drawn


def test_the_drawn_tree_of_exceptions_is_the_real_one() -> None:
    real = {
        name: value
        for name, value in inspect.getmembers(foramen.errors, inspect.isclass)
        if issubclass(value, foramen.errors.ForamenError)
    }
    drawn = drawn_errors()
    assert set(drawn) == set(real) == set(foramen.errors.__all__)
    assert foramen.errors.__all__ == sorted(foramen.errors.__all__)
    for name, (parent, code) in drawn.items():
        base = real[name].__bases__[0].__name__
        assert base == (parent or "Exception"), f"{name} is drawn under {parent} but derives from {base}"
        if code is not None:
            assert real[name].exit_code == code, f"{name} exits {real[name].exit_code}, drawn as {code}"


def test_exceptions_raised_on_purpose_are_of_the_tree() -> None:
    foreign: list[str] = []
    for path in source_files():
        for node in ast.walk(tree_of(path)):
            if not isinstance(node, ast.ClassDef):
                continue
            bases = {base.id for base in node.bases if isinstance(base, ast.Name)}
            if bases & {"Exception", "ValueError", "RuntimeError", "Warning"} and path.name != "errors.py":
                foreign.append(place(path, node))
    assert not foreign, f"exceptions belong in errors.py: {foreign}"


def test_nothing_asserts_prints_or_warns_inside_the_package() -> None:
    bad: list[str] = []
    for path in source_files():
        is_cli = path == SOURCE / "cli.py" or (SOURCE / "cli") in path.parents
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Assert):
                bad.append(f"{place(path, node)} asserts")
            if not isinstance(node, ast.Call):
                continue
            called = ast.unparse(node.func)
            if called == "print" and not is_cli:
                bad.append(f"{place(path, node)} prints")
            if called in {"warnings.warn", "warn"} and "DeprecationWarning" not in ast.unparse(node):
                bad.append(f"{place(path, node)} warns and goes on: raise instead")
    assert not bad, bad


def test_no_file_names_a_path_of_one_machine() -> None:
    texts = [
        path
        for suffix in ("py", "yaml", "md", "j2", "html", "json", "js", "css")
        for path in SOURCE.rglob(f"*.{suffix}")
    ]
    texts += [
        path for path in (ROOT / "docs").rglob("*.*") if "_build" not in path.parts and path.suffix in {".md", ".py"}
    ]
    texts += [path for path in ROOT.glob("*.*") if path.suffix in {".md", ".toml"}]
    bad = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in texts
        for match in MACHINE_PATH.finditer(path.read_text(encoding="utf-8"))
    ]
    assert not bad, bad


@pytest.mark.parametrize("text", ['open("/work/a")', "see `/tmp/x`", r"C:\Users", " /home/somebody"])
def test_the_check_of_machine_paths_finds_one(text: str) -> None:
    assert MACHINE_PATH.search(text)
    assert not MACHINE_PATH.search("g/tmp/x 5/opt/2 https://example.org/home/ HTTP://x")


def test_files_have_one_idea() -> None:
    files = [*source_files(), *sorted((ROOT / "tests").rglob("*.py"))]
    counts = {place(path): len(path.read_text(encoding="utf-8").splitlines()) for path in files}
    long = {name: count for name, count in counts.items() if count > MAX_LINES and name not in LONG_FILES}
    assert not long, f"files above {MAX_LINES} lines: {long}. Split them by idea."
    for name in LONG_FILES:
        assert counts.get(name, 0) > MAX_LINES, f"{name} is short or gone: take it off LONG_FILES"


def test_no_file_is_named_after_nothing() -> None:
    bad = [
        place(path)
        for path in source_files()
        if {part.lower() for part in path.relative_to(SOURCE).with_suffix("").parts} & FORBIDDEN_NAMES
    ]
    assert not bad, f"name files after the noun they are about: {bad}"


def public_nodes(path: Path) -> Iterator[tuple[str, ast.AST, list[ast.AST]]]:
    """(dotted name, node, ancestors) of a module, its public classes and functions and their public methods."""
    module = tree_of(path)
    name = ".".join(path.relative_to(SOURCE.parent).with_suffix("").parts)
    yield name, module, []
    for node in module.body:
        if not isinstance(node, ast.ClassDef | ast.FunctionDef) or node.name.startswith("_"):
            continue
        yield f"{name}.{node.name}", node, [module]
        if isinstance(node, ast.ClassDef):
            for method in node.body:
                if isinstance(method, ast.FunctionDef) and not method.name.startswith("_"):
                    yield f"{name}.{node.name}.{method.name}", method, [module, node]


class NodeValidator(AstValidator):  # type: ignore[misc]
    """numpydoc's validator on one parsed node; it does not read the file again."""

    @property
    def method_source(self) -> str:
        """Source of the node."""
        return ast.unparse(self.node)


@pytest.mark.parametrize("path", source_files(), ids=place)
def test_public_names_have_docstrings_in_numpydoc_form(path: Path) -> None:
    bad: list[str] = []
    for name, node, ancestry in public_nodes(path):
        report = validate(name, NodeValidator, ast_node=node, filename=str(path), ancestry=ancestry)
        checks = set(DOCSTRING_CHECKS)
        text = ast.get_docstring(node) or "" if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) else ""
        if isinstance(node, ast.FunctionDef) and re.search(r"^Parameters\n-+$", text, re.M):
            checks |= set(PARAMETER_CHECKS)
        bad.extend(
            f"{place(path, node)} {name}: {code} {reason}" for code, reason in report["errors"] if code in checks
        )
    assert not bad, "\n".join(bad)
