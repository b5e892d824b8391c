"""The atlas on disk: equal bytes, read back whole, replaced whole, and read by others."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import zarr

from foramen.errors import CaseError
from foramen.io import atlas as on_disk
from foramen.io.atlas import atlas_ledger, read_arrays, read_atlas, write_atlas
from foramen.jobs.processes import in_processes
from foramen.planning.lesion_atlas import FAILURE, LesionAtlas
from small_atlas import small_atlas, small_sweep


@pytest.fixture(scope="module")
def atlas(tmp_path_factory: pytest.TempPathFactory) -> LesionAtlas:
    """A small atlas whose last case failed."""
    made = small_atlas(tmp_path_factory.mktemp("atlas"))
    lost = {name: value if name in made.axes else None for name, value in made.rows[-1].items()}
    return replace(made, rows=(*made.rows[:-1], {**lost, FAILURE: "its worker was killed"}))


def hashes(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below a folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_table_is_read_back_whole(atlas: LesionAtlas, tmp_path: Path) -> None:
    write_atlas(atlas, tmp_path, page="<html>")
    assert read_atlas(tmp_path) == atlas
    assert (tmp_path / "atlas.html").read_text(encoding="utf-8") == "<html>"


def test_files_are_equal_to_the_last_byte_for_one_and_two_workers(tmp_path: Path) -> None:
    found = []
    for workers in (1, 2):
        made = small_atlas(tmp_path / f"work-{workers}", executor=partial(in_processes, workers=workers))
        write_atlas(made, tmp_path / f"{workers}", page="")
        found.append(hashes(tmp_path / f"{workers}"))
    assert found[0] == found[1]
    assert len(found[0]) > 2


def test_other_programs_find_names_units_and_origin_in_the_table(atlas: LesionAtlas, tmp_path: Path) -> None:
    write_atlas(atlas, tmp_path, page="")
    table = pq.read_table(tmp_path / "atlas.parquet")
    assert table.num_rows == len(atlas.rows)
    assert table.column_names[:6] == list(atlas.axes)
    assert str(table.schema.field("is_limited").type) == "bool"
    assert str(table.schema.field("isotherm_50degC_width_mm").type) == "double"
    origin = json.loads(table.schema.metadata[b"foramen"])
    assert origin["provenance"]["knowledge_sha256"] == atlas.provenance.knowledge_sha256
    assert origin["provenance"]["settings"]["baseline_temperature_degC"] == "37.0"
    assert origin["provenance"]["made_at"] == "2026-04-14T09:30:00+00:00"
    assert origin["notice"] == "Research use, not a medical device."


def test_arrays_have_named_axes_with_coordinates_and_say_what_is_missing(atlas: LesionAtlas, tmp_path: Path) -> None:
    write_atlas(atlas, tmp_path, page="")
    group: Any = zarr.open_group(str(tmp_path / "atlas.zarr"), mode="r")
    assert group.metadata.zarr_format == 3
    for axis, values in atlas.axes.items():
        if axis != "tissue":
            assert group[axis][...].tolist() == list(values)
    assert [group["tissue"].attrs["meanings"][code] for code in group["tissue"][...]] == list(atlas.axes["tissue"])
    width = group["isotherm_50degC_width_mm"]
    assert width.metadata.dimension_names == tuple(atlas.axes)
    np.testing.assert_array_equal(width[...], atlas.grid("isotherm_50degC_width_mm"))
    assert np.isnan(width[-1, -1, -1, -1, -1, -1])
    assert group["is_limited"][...].ravel()[-1] == -1
    assert group.attrs["provenance"] == json.loads(json.dumps(group.attrs["provenance"]))
    failure = group["failure"]
    assert failure.attrs["meanings"][failure[...].ravel()[-1]] == "its worker was killed"
    arrays = read_arrays(tmp_path)
    assert set(arrays) == set(atlas.columns)
    np.testing.assert_array_equal(arrays["power_mean_w"], atlas.grid("power_mean_w"))


def test_an_atlas_without_any_result_can_be_written(tmp_path: Path) -> None:
    sweep = small_sweep()
    rows = tuple({**dict(list(case.items())[:6]), FAILURE: "no luck"} for case in sweep.cases.values())
    made = small_atlas(tmp_path / "work")
    empty = LesionAtlas(axes=sweep.axes, rows=rows, provenance=made.provenance)
    write_atlas(empty, tmp_path / "out", page="")
    assert read_atlas(tmp_path / "out") == empty


def test_a_new_atlas_replaces_the_old_one_or_leaves_it(
    monkeypatch: pytest.MonkeyPatch, atlas: LesionAtlas, tmp_path: Path
) -> None:
    write_atlas(atlas, tmp_path, page="old")
    before = hashes(tmp_path)

    def interrupt(*_: object) -> bytes:
        raise KeyboardInterrupt

    monkeypatch.setattr(on_disk, "table_bytes", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_atlas(atlas, tmp_path, page="new")
    assert hashes(tmp_path) == before
    monkeypatch.undo()
    write_atlas(atlas, tmp_path, page="new")
    assert set(hashes(tmp_path)) == set(before)
    assert (tmp_path / "atlas.html").read_text(encoding="utf-8") == "new"


def test_what_is_no_atlas_is_one_clear_error(tmp_path: Path) -> None:
    for read in (read_atlas, read_arrays):
        with pytest.raises(CaseError, match="foramen sweep"):
            read(tmp_path)
    (tmp_path / "atlas.parquet").write_text("nonsense", encoding="utf-8")
    with pytest.raises(CaseError, match="foramen sweep"):
        read_atlas(tmp_path)
    import pyarrow as pa

    pq.write_table(pa.table({"a": [1]}), tmp_path / "atlas.parquet")
    with pytest.raises(CaseError, match="no lesion atlas"):
        read_atlas(tmp_path)


def test_a_folder_with_other_things_is_left_alone(tmp_path: Path) -> None:
    assert atlas_ledger(tmp_path / "new") == tmp_path / "new" / "ledger.jsonl"
    (tmp_path / "notes.txt").touch()
    with pytest.raises(CaseError, match="exists already"):
        atlas_ledger(tmp_path)
    (tmp_path / "ledger.jsonl").touch()
    assert atlas_ledger(tmp_path).name == "ledger.jsonl"
