"""Workers as real processes: what a killed one loses, how many threads each has, and how they end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from threading import Thread

import pytest

from foramen.errors import ForamenError, InputError
from foramen.jobs.executors import choose_executor
from foramen.jobs.outcome import Work, attempt
from foramen.jobs.processes import ATTEMPTS, in_processes
from map_work import (
    die_on_seven,
    items_of,
    leave_on_seven,
    not_json,
    third,
    third_once_released,
    third_unless_odd,
    threads_here,
    wait_for,
)


def started(folder: Path) -> dict[int, int]:
    """Process by the value on which it works."""
    names = [path.name for path in folder.iterdir() if path.name != "go"]
    return {int(name.split(".")[0]): int(name.split(".")[1]) for name in names}


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that nobody has reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_processes_give_what_one_call_gives() -> None:
    items = items_of(9)
    expected = {key: attempt(third, item) for key, item in items.items()}
    for workers in (1, 3):
        assert dict(in_processes(third, items, workers=workers)) == expected


def test_an_item_that_fails_says_why_and_stops_no_other() -> None:
    outcomes = dict(in_processes(third_unless_odd, items_of(4), workers=2))
    assert {key: outcome.failure for key, outcome in outcomes.items()} == {
        "item 0": "",
        "item 1": "ValueError: 1 is odd",
        "item 2": "",
        "item 3": "ValueError: 3 is odd",
    }


def test_a_result_that_json_cannot_hold_is_a_failure() -> None:
    assert "JSON compliant" in attempt(not_json, {}).failure


def test_a_worker_that_is_killed_in_the_middle_loses_one_item_which_is_done_again(tmp_path: Path) -> None:
    killed: list[int] = []

    def kill_one() -> None:
        wait_for(lambda: len(started(tmp_path)) == 2)
        killed.append(started(tmp_path)[0])
        os.kill(killed[0], signal.SIGKILL)
        wait_for(lambda: len(list(tmp_path.glob("*.*"))) == 3)  # another worker has begun something
        (tmp_path / "go").touch()

    killer = Thread(target=kill_one)
    killer.start()
    items = items_of(4, folder=str(tmp_path))
    outcomes = list(in_processes(third_once_released, items, workers=2))
    killer.join()
    assert sorted(key for key, _ in outcomes) == sorted(items)
    assert all(not outcome.failure for _, outcome in outcomes)
    begun = [path.name for path in tmp_path.glob("*.*")]
    assert len(begun) == len(items) + 1, "one item was begun twice, the others once"
    assert sum(name.startswith("0.") for name in begun) == 2
    assert not is_alive(killed[0])


@pytest.mark.parametrize(
    ("function", "reason"), [(die_on_seven, "was killed by SIGKILL"), (leave_on_seven, "ended with exit code 9")]
)
def test_an_item_that_always_kills_its_worker_is_given_up_and_the_rest_completes(function: Work, reason: str) -> None:
    outcomes = dict(in_processes(function, items_of(9), workers=2))
    assert outcomes.pop("item 7").failure == f"its worker {reason}, {ATTEMPTS} times"
    assert len(outcomes) == 8
    assert all(not outcome.failure for outcome in outcomes.values())


def test_each_worker_has_one_thread_and_leaves_ctrl_c_to_its_parent() -> None:
    import json

    outcomes = [json.loads(outcome.text) for _, outcome in in_processes(threads_here, items_of(3), workers=2)]
    assert {(found["numba"], found["blas"]) for found in outcomes} == {(1, 1)}
    assert all(found["ignores_interrupt"] for found in outcomes)
    assert os.getpid() not in {found["pid"] for found in outcomes}


def test_no_worker_outlives_a_map_that_is_given_up(tmp_path: Path) -> None:
    (tmp_path / "go").touch()
    outcomes = in_processes(third_once_released, items_of(50, folder=str(tmp_path)), workers=2)
    next(outcomes)
    outcomes.close()
    assert not any(is_alive(pid) for pid in started(tmp_path).values())
    assert len(started(tmp_path)) < 50


ORPHANS = """
import sys
from map_work import items_of, third_once_released
from foramen.jobs.processes import in_processes
if __name__ == "__main__":
    list(in_processes(third_once_released, items_of(2, folder=sys.argv[1]), workers=2))
"""


def test_workers_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    script, folder = tmp_path / "script.py", tmp_path / "folder"
    folder.mkdir()
    script.write_text(ORPHANS, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    parent = subprocess.Popen([sys.executable, str(script), str(folder)], env=environment)
    wait_for(lambda: len(started(folder)) == 2)
    parent.kill()
    parent.wait()
    (folder / "go").touch()
    wait_for(lambda: not any(is_alive(pid) for pid in started(folder).values()))


def test_a_script_without_a_guard_is_told_so(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(ORPHANS.replace('if __name__ == "__main__":', "if True:"), encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    run = subprocess.run([sys.executable, str(script), str(tmp_path)], env=environment, capture_output=True, text=True)
    assert run.returncode == 1
    assert "could not start" in run.stderr
    assert "__main__" in run.stderr


def test_a_function_that_a_worker_cannot_import_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    import map_work

    monkeypatch.setattr(map_work, "third_of_tomorrow", third, raising=False)
    monkeypatch.setattr(third, "__qualname__", "third_of_tomorrow")
    with pytest.raises(ForamenError, match="could not start"):
        list(in_processes(third, items_of(2), workers=2))


def test_workers_and_a_cluster_exclude_each_other() -> None:
    with pytest.raises(InputError, match="not both"):
        choose_executor(workers=2, dask="tcp://localhost:1")
    with pytest.raises(InputError, match="0 workers"):
        choose_executor(workers=0, dask=None)
