"""Print how long the parts of a plan take here, after compilation; for orientation, never a gate.

The comparison of the radiofrequency engine with a peer set up by its own expert comes after it (`foramen bench rf`).
"""

from __future__ import annotations

import time
from collections.abc import Callable

from foramen import api


def timed(name: str, work: Callable[[], object], *, runs: int = 3) -> None:
    """Print the median of several runs, the first left out."""
    work()
    seconds = []
    for _ in range(runs):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    print(f"{name:<40} {sorted(seconds)[runs // 2]:8.2f} s")


def main() -> None:
    """Time the bench-top lesion and a whole plan by stage."""
    timed(
        "bench-top lesion, 18 G x 10 mm, 90 s", lambda: api.lesion(gauge=18, tip_mm=10, temperature_degC=80, time_s=90)
    )
    case = api.reference_case()
    what = {"technique": "lumbar_medial_branch_rf", "level": "L4-L5", "side": "left"}
    for name in ("first plan (compiles)", "second plan"):
        planned = api.plan(case, **what, procedure_at=api.REFERENCE_PROCEDURE_AT)
        print(f"{name:<40} {sum(planned.stage_seconds.values()):8.2f} s  {planned.stage_seconds}")


if __name__ == "__main__":
    main()
