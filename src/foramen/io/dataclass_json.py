"""Any of our dataclasses to plain JSON data and back, by their type hints.

Enumerations become their values, typed levels their spelling (``L4`` a vertebra, ``L4-L5`` a segment, ``L4 root``
a root, ``L4,L5`` and ``L4,`` a set), UNKNOWN the text ``UNKNOWN``, arrays nested lists (or references handed out by
the caller); members of a union of dataclasses are told apart by their `kind` field. Reading checks every key: an
unknown or a missing one raises.
"""

from __future__ import annotations

import math
import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray

from foramen.errors import CaseError, ForamenError
from foramen.model.levels import Level, Root, Segment, Vertebra, VertebraSet
from foramen.model.record import UNKNOWN, Unknown

Made = TypeVar("Made")

StoreArray = Callable[[str, NDArray[Any]], object]
"""Takes the path of a field and its array; returns what stands for it in the JSON data."""

LoadArray = Callable[[str, object], NDArray[Any]]
"""Takes the path of a field and what stood for it; returns the array."""

UNKNOWN_TEXT = "UNKNOWN"
"""How UNKNOWN is written."""


def _array_to_list(path: str, array: NDArray[Any]) -> object:
    del path
    return array.tolist()


def _list_to_array(path: str, value: object) -> NDArray[Any]:
    try:
        return np.array(value, dtype=np.float64)
    except (TypeError, ValueError) as failure:
        raise CaseError(f"{path}: an array of numbers is needed, found {_short(value)}.") from failure


def to_data(value: object, *, store: StoreArray = _array_to_list, path: str = "") -> object:
    """JSON data (dict, list, str, float, bool, None) of one of our objects.

    Parameters
    ----------
    value : object
        A dataclass of `model`, or anything that its fields may hold.
    store : callable
        What to do with arrays; nested lists if not given.
    path : str
        Where the value stands, for messages and for `store`.
    """
    if value is UNKNOWN:
        return UNKNOWN_TEXT
    if isinstance(value, Vertebra | Segment | Root | VertebraSet):
        return level_text(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, np.ndarray):
        return store(path, value)
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_data(getattr(value, f.name), store=store, path=_join(path, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): to_data(item, store=store, path=_join(path, str(key))) for key, item in value.items()}
    if isinstance(value, frozenset):
        return sorted(to_data(item, store=store, path=path) for item in value)  # type: ignore[type-var]
    if isinstance(value, tuple | list):
        return [to_data(item, store=store, path=_join(path, str(i))) for i, item in enumerate(value)]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        raise CaseError(f"{path}: {value} is not a finite number and cannot be stored.")
    if value is None or isinstance(value, str | bool | int | float):
        return value
    raise TypeError(f"{path}: {type(value).__name__} has no JSON form.")


@dataclass(frozen=True, slots=True)
class _Reader:
    array: LoadArray
    ignores_unknown: bool


def from_data(
    kind: type[Made],
    data: object,
    *,
    load: LoadArray = _list_to_array,
    ignores_unknown: bool = False,
    path: str = "",
) -> Made:
    """The object of that type from its JSON data.

    Parameters
    ----------
    kind : type
        Dataclass to make.
    data : object
        Parsed JSON.
    load : callable
        Makes an array of what stands for one.
    ignores_unknown : bool
        Pass over unknown keys, as a file of a later minor version may have.
    path : str
        Where the data stand, for messages.

    Raises
    ------
    CaseError
        If a key is unknown or missing, or a value is of the wrong type; the message names the place.
    """
    made: Made = _read(kind, data, _Reader(load, ignores_unknown), path)
    return made


@cache
def type_hints(kind: Any) -> dict[str, Any]:
    """The resolved type hints of a dataclass."""
    return get_type_hints(kind)


def _read(kind: Any, data: Any, load: _Reader, path: str) -> Any:
    origin = get_origin(kind)
    if kind == Level:
        return _read_level(data, path)
    if origin in (Union, types.UnionType):
        return _read_union(get_args(kind), data, load, path)
    if origin is Literal:
        if data not in get_args(kind):
            raise _wrong(path, " or ".join(map(repr, get_args(kind))), data)
        return data
    if origin is np.ndarray or kind is np.ndarray:
        return load.array(path, data)
    if origin in (tuple, list, frozenset):
        return _read_sequence(origin, get_args(kind), data, load, path)
    if origin is dict:
        _need(isinstance(data, dict), path, "an object", data)
        return {key: _read(get_args(kind)[1], item, load, _join(path, key)) for key, item in data.items()}
    if kind in (Vertebra, Segment, Root, VertebraSet):
        level = _read_level(data, path)
        _need(isinstance(level, kind), path, kind.__name__, data)
        return level
    target = origin or kind
    if is_dataclass(target):
        return _read_dataclass(target, get_args(kind), data, load, path)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _read_enum(kind, data, path)
    return _read_plain(kind, data, path)


def _read_plain(kind: Any, data: Any, path: str) -> Any:
    if kind is float and isinstance(data, int | float) and not isinstance(data, bool):
        return float(data)
    if kind is int and isinstance(data, int) and not isinstance(data, bool):
        return data
    if kind in (str, bool, type(None)) and type(data) is kind:
        return data
    if kind in (object, Any):
        return data
    raise _wrong(path, getattr(kind, "__name__", str(kind)), data)


def _read_enum(kind: type[Enum], data: Any, path: str) -> Enum:
    if kind is Unknown:
        _need(data == UNKNOWN_TEXT, path, UNKNOWN_TEXT, data)
        return UNKNOWN
    try:
        return kind(data)
    except ValueError as failure:
        raise _wrong(path, "one of " + ", ".join(str(member.value) for member in kind), data) from failure


def _read_union(members: tuple[Any, ...], data: Any, load: _Reader, path: str) -> Any:
    if data is None and type(None) in members:
        return None
    if data == UNKNOWN_TEXT and Unknown in members:
        return UNKNOWN
    if set(members) == set(get_args(Level)):
        return _read_level(data, path)
    tagged: list[Any] = [m for m in members if is_dataclass(m)]
    if isinstance(data, dict) and len(tagged) > 1:
        for member in tagged:
            if get_args(type_hints(member).get("kind", None)) == (data.get("kind"),):
                return _read(member, data, load, path)
        raise _wrong(_join(path, "kind"), "a known kind", data.get("kind"))
    for member in sorted(members, key=lambda m: m is float):  # whole numbers stay whole where both may stand
        try:
            return _read(member, data, load, path)
        except CaseError:
            if len([m for m in members if m not in (type(None), Unknown)]) == 1 and member not in (type(None), Unknown):
                raise
    raise _wrong(path, " or ".join(getattr(m, "__name__", str(m)) for m in members), data)


def _read_sequence(origin: Any, arguments: tuple[Any, ...], data: Any, load: _Reader, path: str) -> Any:
    _need(isinstance(data, list), path, "a list", data)
    if origin is tuple and arguments[-1] is not Ellipsis:
        _need(len(data) == len(arguments), path, f"a list of {len(arguments)}", data)
        return tuple(
            _read(kind, item, load, _join(path, str(i)))
            for i, (kind, item) in enumerate(zip(arguments, data, strict=True))
        )
    return origin(_read(arguments[0], item, load, _join(path, str(i))) for i, item in enumerate(data))


def _read_dataclass(kind: Any, arguments: tuple[Any, ...], data: Any, load: _Reader, path: str) -> Any:
    _need(isinstance(data, dict), path, f"an object ({kind.__name__})", data)
    hints = type_hints(kind)
    if arguments:  # a generic such as Listed[Medicine]
        bound = dict(zip(kind.__parameters__, arguments, strict=True))
        hints = {name: _substitute(hint, bound) for name, hint in hints.items()}
    known = {f.name: f for f in fields(kind) if f.init}
    unknown = sorted(set(data) - set(known))
    missing = sorted(
        name for name, f in known.items() if name not in data and f.default is MISSING and f.default_factory is MISSING
    )
    if load.ignores_unknown:
        unknown = []
    if unknown or missing:
        problem = f"unknown key {unknown[0]!r}" if unknown else f"the key {missing[0]!r} is missing"
        raise CaseError(
            f"{path or 'top level'}: {problem} in {kind.__name__}. The file was written by another version."
        )
    made = {name: _read(hints[name], item, load, _join(path, name)) for name, item in data.items() if name in known}
    try:
        return kind(**made)
    except ForamenError as failure:
        raise CaseError(f"{path or 'top level'}: {failure}") from failure


def _substitute(hint: Any, bound: Mapping[Any, Any]) -> Any:
    if hint in bound:
        return bound[hint]
    arguments = get_args(hint)
    if not arguments or get_origin(hint) in (Literal, np.ndarray):
        return hint
    origin = get_origin(hint)
    return origin[tuple(_substitute(a, bound) for a in arguments)] if origin is not types.UnionType else hint


def level_text(level: Level) -> str:
    """The spelling of a typed level from which its kind can be read again."""
    if isinstance(level, Root):
        return f"{level.name} root"
    if isinstance(level, VertebraSet):
        return f"{level}," if len(level.vertebrae) == 1 else str(level)
    return level.name


def _read_level(data: Any, path: str) -> Level:
    _need(isinstance(data, str), path, "a level such as L4, L4-L5 or L4 root", data)
    name, _, word = data.partition(" ")
    try:
        if word == "root":
            return Root(name)
        if "," in data:
            return VertebraSet(tuple(Vertebra(part) for part in data.split(",") if part))
        return Segment(data) if "-" in data else Vertebra(data)
    except ForamenError as failure:
        raise CaseError(f"{path}: {failure}") from failure


def _need(condition: bool, path: str, wanted: str, found: object) -> None:
    if not condition:
        raise _wrong(path, wanted, found)


def _wrong(path: str, wanted: str, found: object) -> CaseError:
    return CaseError(f"{path or 'top level'}: {wanted} is needed, found {_short(found)}.")


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
