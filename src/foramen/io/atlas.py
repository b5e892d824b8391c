"""The lesion atlas on disk: a Parquet table with one row for each case, and Zarr arrays over the axes.

Both carry the same provenance. The arrays follow the conventions that xarray reads: named dimensions, each with a
coordinate array of its name; texts are whole numbers (-1: none) with their meanings in the attribute `meanings`.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import zarr
from numpy.typing import NDArray

from foramen.errors import CaseError
from foramen.io.atomic_file import moved_away, require_unused, whole_folder, write_bytes
from foramen.io.dataclass_json import from_data, to_data
from foramen.model.evidence import Provenance
from foramen.planning.lesion_atlas import Cell, LesionAtlas

if TYPE_CHECKING:
    import pyarrow as pa

TABLE_FILE = "atlas.parquet"
ARRAY_STORE = "atlas.zarr"
PAGE_FILE = "atlas.html"
LEDGER_FILE = "ledger.jsonl"

SCHEMA = {"name": "foramen.lesion_atlas", "version": "1.0"}

_METADATA_KEY = b"foramen"


def atlas_ledger(folder: Path) -> Path:
    """The ledger of an atlas that is made in a folder; raises `CaseError` if the folder holds something else."""
    ledger = folder / LEDGER_FILE
    if not ledger.exists():
        require_unused(folder)
    return ledger


def write_atlas(atlas: LesionAtlas, folder: Path, *, page: str) -> None:
    """Write the table, the arrays and the page (HTML) into a folder. An older atlas there is replaced.

    Raises
    ------
    CaseError
        If the folder cannot be written; older arrays in it then stay as they were.
    """
    store = folder / ARRAY_STORE
    with moved_away(store):
        with whole_folder(store) as temporary:
            _write_arrays(atlas, temporary)
        write_bytes(folder / TABLE_FILE, table_bytes(atlas))
        write_bytes(folder / PAGE_FILE, page.encode())


def table_bytes(atlas: LesionAtlas) -> bytes:
    """The Parquet file of an atlas; equal atlases give equal bytes."""
    import pyarrow as pa  # here, as it takes a fifth of a second and few commands need it
    import pyarrow.parquet as pq

    names = list(atlas.rows[0])
    arrays = [_column([row[name] for row in atlas.rows]) for name in names]
    metadata = {_METADATA_KEY: json.dumps(_attributes(atlas)).encode()}
    table = pa.table(arrays, names=names).replace_schema_metadata(metadata)
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def read_atlas(folder: str | Path) -> LesionAtlas:
    """The atlas of a folder, from its table.

    Raises
    ------
    CaseError
        If there is none, or it is damaged or of another version.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = Path(folder) / TABLE_FILE
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowException) as failure:
        raise CaseError(f"{path} cannot be read as a lesion atlas ({failure}). Make it with `foramen sweep`.") from None
    content = json.loads((table.schema.metadata or {}).get(_METADATA_KEY, b"{}"))
    if content.get("schema") != SCHEMA:
        raise CaseError(f"{path} is no lesion atlas of version {SCHEMA['version']}. Make it with `foramen sweep`.")
    return LesionAtlas(
        axes={name: tuple(values) for name, values in content["axes"].items()},
        rows=tuple(table.to_pylist()),
        provenance=from_data(Provenance, content["provenance"], path=TABLE_FILE),
    )


def read_arrays(folder: Path) -> dict[str, NDArray[Any]]:
    """The arrays of an atlas by column, each over the axes in their order; texts and truths as whole numbers.

    Raises
    ------
    CaseError
        If there are none.
    """
    store = folder / ARRAY_STORE
    try:
        group = zarr.open_group(os.fspath(store), mode="r")
    except (OSError, ValueError) as failure:
        raise CaseError(
            f"{store} cannot be read as a lesion atlas ({failure}). Make it with `foramen sweep`."
        ) from None
    axes = group.attrs["axes"]
    return {name: np.asarray(array[...]) for name, array in group.arrays() if name not in axes}


def _attributes(atlas: LesionAtlas) -> dict[str, object]:
    return {
        "schema": SCHEMA,
        "axes": {name: list(values) for name, values in atlas.axes.items()},
        "provenance": to_data(atlas.provenance),
        "notice": "Research use, not a medical device.",
    }


def _column(values: list[Cell]) -> pa.Array:
    import pyarrow as pa

    kinds = {type(value) for value in values if value is not None}
    kind = pa.bool_() if kinds == {bool} else pa.string() if kinds == {str} else pa.float64()
    return pa.array(values, type=kind)


def _write_arrays(atlas: LesionAtlas, folder: Path) -> None:
    group = zarr.open_group(os.fspath(folder), mode="w", zarr_format=3)
    group.attrs.update(_attributes(atlas))
    for axis, values in atlas.axes.items():
        _write_array(group, axis, list(values), shape=(len(values),), dimensions=(axis,))
    for name in atlas.columns:
        _write_array(group, name, [row[name] for row in atlas.rows], shape=atlas.shape, dimensions=tuple(atlas.axes))


def _write_array(
    group: Any, name: str, values: list[Cell], *, shape: tuple[int, ...], dimensions: tuple[str, ...]
) -> None:
    content, attributes = _coded(values)
    group.create_array(
        name,
        data=content.reshape(shape),
        chunks=shape,
        dimension_names=dimensions,
        attributes=attributes,
    )


def _coded(values: list[Cell]) -> tuple[NDArray[Any], dict[str, Any]]:
    """Numbers as they are, NaN for none; texts and truths as whole numbers with their meanings."""
    if any(isinstance(value, str | bool) for value in values):
        meanings = list(dict.fromkeys(value for value in values if value is not None))
        codes = [-1 if value is None else meanings.index(value) for value in values]
        return np.array(codes, dtype=np.int32), {"meanings": meanings}
    numbers = [np.nan if value is None else value for value in values]
    return np.array(numbers, dtype=np.float64), {}
