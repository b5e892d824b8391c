"""The ledger and the map on it: torn lines, other work, two at once, a full disk, going on."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Generator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from foramen.errors import CaseError
from foramen.jobs.ledger import open_ledger
from foramen.jobs.outcome import Item, Outcome, Work
from foramen.jobs.resumable_map import MapResult, resumable_map, work_digest
from map_work import here, items_of, third, third_unless_odd

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
RESULTS = st.dictionaries(
    st.text(min_size=1), st.dictionaries(st.text(), NUMBERS | st.text() | st.none() | st.booleans())
)


def run_map(
    ledger: Path, *, function: Work = third, count: int = 6, binding: str = "a", executor: Any = here, **more: Any
) -> MapResult:
    """The map of some items."""
    return resumable_map(
        function, items_of(count), executor=executor, ledger=ledger, binding={"version": binding}, **more
    )


def counted(calls: list[str]) -> Any:
    """An executor that notes what it is given."""

    def executor(function: Work, items: Mapping[str, Item]) -> Generator[tuple[str, Outcome], None, None]:
        calls.extend(items)
        yield from here(function, items)

    return executor


def stopped_after(count: int) -> Any:
    """An executor during whose work the user presses Ctrl-C."""

    def executor(function: Work, items: Mapping[str, Item]) -> Generator[tuple[str, Outcome], None, None]:
        for number, found in enumerate(here(function, items)):
            if number == count:
                raise KeyboardInterrupt
            yield found

    return executor


def write(path: Path, results: Mapping[str, object]) -> None:
    """Add results to a ledger of the digest "d"."""
    import json

    with open_ledger(path, digest="d") as ledger:
        for key, result in results.items():
            ledger.add(key, json.dumps(result))


@given(results=RESULTS, cut=st.integers(min_value=0))
def test_a_ledger_cut_anywhere_keeps_every_whole_line_and_goes_on(results: dict[str, object], cut: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.jsonl"
        write(path, results)
        whole = path.read_bytes()
        kept = whole[: cut % (len(whole) + 1)]
        path.write_bytes(kept)
        lines = max(kept.count(b"\n") - 1, 0)  # the first is the header
        with open_ledger(path, digest="d") as ledger:
            assert ledger.results == dict(list(results.items())[:lines])
        write(path, dict(list(results.items())[lines:]))
        assert path.read_bytes() == whole


@settings(max_examples=40)
@example(results={}, rubbish=b"\r\0")
@given(results=RESULTS, rubbish=st.binary(min_size=1).filter(lambda text: b"\n" not in text))
def test_rubbish_at_the_end_is_dropped(results: dict[str, object], rubbish: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.jsonl"
        write(path, results)
        whole = path.read_bytes()
        for end in (rubbish, b"\0" * 512, b"[]\n", b"\0\n"):
            path.write_bytes(whole + end)
            with open_ledger(path, digest="d") as ledger:
                assert ledger.results == results
            assert path.read_bytes() == whole


@given(count=st.integers(1, 12), stop=st.integers(0, 11), cut=st.integers(0, 200))
def test_a_map_stopped_anywhere_and_run_again_gives_the_same(count: int, stop: int, cut: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path, other = Path(folder) / "a", Path(folder) / "b"
        expected = run_map(other, count=count)
        if stop < count:
            with pytest.raises(KeyboardInterrupt):
                run_map(path, count=count, executor=stopped_after(stop))
            content = path.read_bytes()
            path.write_bytes(content[: len(content) - cut % (len(content) + 1)])
        assert run_map(path, count=count) == expected
        assert list(expected.results) == list(items_of(count))


def test_what_is_finished_is_not_done_again(tmp_path: Path) -> None:
    path, calls = tmp_path / "ledger", list[str]()
    with pytest.raises(KeyboardInterrupt):
        run_map(path, executor=stopped_after(4))
    seen: list[tuple[int, int, float | None]] = []
    run_map(path, executor=counted(calls), progress=lambda *count: seen.append(count))
    assert calls == ["item 4", "item 5"]
    assert [(done, total) for done, total, _ in seen] == [(4, 6), (5, 6), (6, 6)]
    assert seen[0][2] is None
    assert seen[-1][2] == 0
    calls.clear()
    run_map(path, executor=counted(calls))
    assert calls == []


def test_failures_are_reported_and_tried_again(tmp_path: Path) -> None:
    path, calls = tmp_path / "ledger", list[str]()
    found = run_map(path, function=third_unless_odd)
    assert list(found.results) == ["item 0", "item 2", "item 4"]
    assert found.failures == {f"item {value}": f"ValueError: {value} is odd" for value in (1, 3, 5)}
    assert run_map(path, function=third_unless_odd, executor=counted(calls)) == found
    assert calls == ["item 1", "item 3", "item 5"]


def test_other_work_is_refused_and_the_ledger_stays(tmp_path: Path) -> None:
    path = tmp_path / "ledger"
    run_map(path)
    before = path.read_bytes()
    for other in ({"count": 7}, {"binding": "b"}, {"function": third_unless_odd}):
        with pytest.raises(CaseError, match="other work"):
            run_map(path, **other)
    assert path.read_bytes() == before


def test_the_digest_is_of_the_function_inside_a_partial_and_of_every_item() -> None:
    items = items_of(2)
    digest = work_digest(third, items, {})
    assert work_digest(partial(third), items, {}) == digest
    assert work_digest(third, dict(reversed(items.items())), {}) == digest
    assert work_digest(third, items | {"item 1": {"value": 1.0 + 2**-52}}, {}) != digest


def test_a_file_that_is_no_ledger_is_refused_and_stays(tmp_path: Path) -> None:
    path = tmp_path / "ledger"
    path.write_text("my notes\n", encoding="utf-8")
    with pytest.raises(CaseError, match="other work"):
        run_map(path)
    assert path.read_text(encoding="utf-8") == "my notes\n"


def test_damage_in_the_middle_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ledger"
    run_map(path)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:2], b'{"id": "it\n', *lines[3:]]))
    with pytest.raises(CaseError, match="damaged after byte"):
        run_map(path)


def test_one_process_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "ledger"
    with open_ledger(path, digest="d"), pytest.raises(CaseError, match="in use"), open_ledger(path, digest="d"):
        pass
    with open_ledger(path, digest="d") as ledger:
        assert ledger.results == {}


def test_a_full_disk_is_one_clear_error_and_loses_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "ledger"
    flush, flushed = os.fsync, list[int]()

    def full(descriptor: int) -> None:
        flushed.append(descriptor)
        if len(flushed) == 4:  # header, two results, and no more
            raise OSError(errno.ENOSPC, "No space left on device")
        flush(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CaseError, match="No space left"):
        run_map(path)
    monkeypatch.undo()
    calls: list[str] = []
    assert run_map(path, executor=counted(calls)) == run_map(tmp_path / "other")
    assert "item 0" not in calls
    assert "item 5" in calls


def test_a_folder_that_cannot_be_written_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CaseError, match="Cannot write"):
        run_map(tmp_path / "file" / "ledger")
