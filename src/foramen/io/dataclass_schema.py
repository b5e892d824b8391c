"""JSON Schema (draft 2020-12) of our dataclasses, by their type hints."""

from __future__ import annotations

import types
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from typing import Any, Literal, Union, get_args, get_origin

import numpy as np

from foramen.io.dataclass_json import UNKNOWN_TEXT, type_hints
from foramen.model.levels import Root, Segment, Vertebra, VertebraSet
from foramen.model.record import Unknown

ARRAY_REFERENCE = "array_reference"
"""Name of the definition of a reference to an array that is stored beside the JSON file."""

_LEVELS = (Vertebra, Segment, Root, VertebraSet)
_PLAIN = {str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null"}


def schema_of(kind: Any) -> dict[str, Any]:
    """The JSON Schema of a dataclass, with every dataclass and enumeration in it under ``$defs``."""
    definitions: dict[str, Any] = {}
    root = _schema(kind, definitions)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **root, "$defs": definitions}


def _schema(kind: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    origin, arguments = get_origin(kind), get_args(kind)
    if kind in _PLAIN:
        return {"type": _PLAIN[kind]}
    if kind in _LEVELS:
        return {"type": "string", "description": "L4 (vertebra), L4-L5 (segment), L4 root (root), L4,L5 (set)"}
    if kind is Unknown:
        return {"const": UNKNOWN_TEXT}
    if origin in (Union, types.UnionType):
        members = [_schema(member, definitions) for member in arguments]
        distinct = [member for i, member in enumerate(members) if member not in members[:i]]
        return distinct[0] if len(distinct) == 1 else {"anyOf": distinct}
    if origin is Literal:
        return {"enum": list(arguments)}
    if origin is np.ndarray or kind is np.ndarray:
        return {"anyOf": [{"$ref": "#/$defs/numbers"}, {"$ref": f"#/$defs/{ARRAY_REFERENCE}"}]} | _array(definitions)
    if origin in (tuple, list, frozenset):
        return _sequence(arguments, definitions)
    if origin is dict:
        return {"type": "object", "additionalProperties": _schema(arguments[1], definitions)}
    if is_dataclass(kind) or (isinstance(kind, type) and issubclass(kind, Enum)):
        name = getattr(kind, "__name__", "")
        if name not in definitions:
            definitions[name] = {}
            definitions[name] = _definition(kind, definitions)
        return {"$ref": f"#/$defs/{name}"}
    raise TypeError(f"{kind!r} has no JSON Schema.")


def _array(definitions: dict[str, Any]) -> dict[str, Any]:
    definitions["numbers"] = {
        "type": "array",
        "items": {"anyOf": [{"type": "number"}, {"$ref": "#/$defs/numbers"}]},
    }
    definitions[ARRAY_REFERENCE] = {
        "type": "object",
        "properties": {
            "store": {"type": "string"},
            "array": {"type": "string"},
            "shape": {"type": "array", "items": {"type": "integer"}},
            "dtype": {"type": "string"},
        },
        "required": ["store", "array", "shape", "dtype"],
        "additionalProperties": False,
    }
    return {}


def _sequence(arguments: tuple[Any, ...], definitions: dict[str, Any]) -> dict[str, Any]:
    if len(arguments) == 1 or arguments[-1] is Ellipsis:
        return {"type": "array", "items": _schema(arguments[0], definitions)}
    items = [_schema(item, definitions) for item in arguments]
    return {"type": "array", "prefixItems": items, "minItems": len(items), "maxItems": len(items)}


def _definition(kind: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    first_line = (kind.__doc__ or "").strip().partition("\n")[0]
    if isinstance(kind, type) and issubclass(kind, Enum):
        return {"description": first_line, "enum": [member.value for member in kind]}
    hints = type_hints(kind)
    return {
        "type": "object",
        "description": first_line,
        "properties": {f.name: _schema(hints[f.name], definitions) for f in fields(kind)},
        "required": [f.name for f in fields(kind) if f.default is MISSING and f.default_factory is MISSING],
    }
