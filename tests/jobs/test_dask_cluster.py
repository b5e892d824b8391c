"""The map on a real Dask cluster of this machine."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import pytest

from foramen.errors import InputError
from foramen.jobs.dask_cluster import on_dask
from foramen.jobs.resumable_map import resumable_map
from map_work import die_on_seven, here, items_of, third_unless_odd

distributed = pytest.importorskip("distributed")


@pytest.mark.slow
def test_a_cluster_gives_what_this_process_gives(tmp_path: Path) -> None:
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        executor = partial(on_dask, address=cluster.scheduler_address)
        for number, items in enumerate((items_of(8), items_of(1))):
            results = [
                resumable_map(third_unless_odd, items, executor=how, ledger=tmp_path / f"{name}-{number}", binding={})
                for name, how in (("dask", executor), ("here", here))
            ]
            assert results[0] == results[1]


@pytest.mark.slow
def test_an_item_that_kills_every_worker_fails_alone(tmp_path: Path) -> None:
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        outcomes = dict(on_dask(die_on_seven, items_of(9), address=cluster.scheduler_address))
    assert "KilledWorker" in outcomes.pop("item 7").failure
    assert len(outcomes) == 8
    assert all(not outcome.failure for outcome in outcomes.values())


def test_no_scheduler_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("foramen.jobs.dask_cluster.PATIENCE_SECONDS", 0.2)
    for address in ("tcp://127.0.0.1:1", "nonsense://x"):
        with pytest.raises(InputError, match="No Dask scheduler answers"):
            list(on_dask(third_unless_odd, items_of(1), address=address))


def test_without_dask_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InputError, match=r"pip install 'foramen\[dask\]'"):
        list(on_dask(third_unless_odd, items_of(1), address="tcp://127.0.0.1:1"))
