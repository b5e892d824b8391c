"""Time Foramen's heat engine beside a finite-element peer (NGSolve), on the same problems, in one process.

`measure()` returns what `python -m benchmarks.rf_speed` prints. Both are set as coarse as their own refinement allows
for 2 % in width, length, impedance and power; Foramen is timed at the setting of a plan as well. Errors are against
the peer's own converged values (`rf_reference.json`), which `--reference [CASE]` makes anew, in some minutes.
"""

from __future__ import annotations

import gc
import importlib.metadata
import json
import resource
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path

from benchmarks import rf_scaling
from benchmarks.peers.rf_case import AXISYMMETRIC, COMPARED, PATIENT_3D, Case, Outcome, difference_percent, run_foramen
from foramen.physics.grid import Resolution
from foramen.steps.bench.setup import GRID_STEP
from foramen.steps.effect.simulation import RESOLUTION

REFERENCE = Path(__file__).with_name("rf_reference.json")
CASES = (PATIENT_3D, AXISYMMETRIC)

FORAMEN = {"patient_3d": RESOLUTION, "axisymmetric": Resolution(step=GRID_STEP)}
"""As plans and `foramen lesion` use it."""
FORAMEN_COARSE = {"patient_3d": Resolution(step=0.3, angles=8), "axisymmetric": Resolution(step=0.3)}
"""The coarsest grids within 2 % of converged."""
PEER_SIZE = {"patient_3d": 0.75, "axisymmetric": 0.6}
"""The peer's coarsest meshes within 2 % of converged."""
REFERENCE_SIZES = {"patient_3d": (0.75, 0.5, 0.36), "axisymmetric": (0.4, 0.2, 0.1)}
FORAMEN_STUDY = {
    "patient_3d": ((0.4, 6), (0.3, 8), (0.2, 16), (0.16, 16), (0.16, 32), (0.12, 24), (0.1, 48)),
    "axisymmetric": ((0.3, 1), (0.2, 1), (0.1, 1), (0.05, 1)),
}
"""Step and angles of the grids that are run beside the reference."""
USUAL_STEPS = {"patient_3d": 3, "axisymmetric": 40}
"""Steps of the usual script that are run; the rest is extrapolated."""


def measure(*, foramen_runs: int = 3) -> dict[str, object]:
    """Seconds, ratios, errors and memory of both, for each case; without NGSolve only what Foramen does."""
    found: dict[str, object] = {"versions": _versions(), "peer": _absence() or "NGSolve"}
    reference = json.loads(REFERENCE.read_text(encoding="utf-8"))
    for case in CASES:
        run_foramen(case, Resolution(step=0.5, angles=1 if case.layers is None else 4), per_side=1)  # compiles
    for case in CASES:
        found[case.name] = _compared(case, reference[case.name]["values"], foramen_runs)
    found["scaling"] = rf_scaling.measure()
    return found


def _compared(case: Case, reference: dict[str, float], runs: int) -> dict[str, object]:
    usual, usual_s, usual_cpu_s = _timed(lambda: run_foramen(case, FORAMEN[case.name]), runs)
    coarse, coarse_s, coarse_cpu_s = _timed(lambda: run_foramen(case, FORAMEN_COARSE[case.name]), runs)
    row: dict[str, object] = {
        "foramen_s": usual_s,
        "foramen_cpu_s": usual_cpu_s,
        "foramen_coarse_s": coarse_s,
        "foramen_coarse_cpu_s": coarse_cpu_s,
        "error_percent": _worst(usual, reference),
        "coarse_error_percent": _worst(coarse, reference),
        "foramen_unknowns": usual.unknowns,
        "foramen_outcome": asdict(usual),
        "peak_memory_foramen_MB": _peak_MB(),
    }
    if _absence():
        return row
    from benchmarks.peers.ngsolve_rf import THREADS, Setting, run_ngsolve, usual_script

    size, is_flat = PEER_SIZE[case.name], case.layers is None
    setting = Setting(size=size, is_direct=is_flat)
    peer, peer_s, peer_cpu_s = _timed(lambda: run_ngsolve(case, setting), runs if is_flat else 1)
    _, script_s = usual_script(case, size, steps=USUAL_STEPS[case.name])
    row |= {
        "ngsolve_s": peer_s,
        "ngsolve_cpu_s": peer_cpu_s,
        "ratio_vs_ngsolve": peer_s / usual_s,
        "ratio_vs_ngsolve_equal_accuracy": peer_s / coarse_s,
        "ratio_vs_ngsolve_cpu": peer_cpu_s / usual_cpu_s,
        "usual_script_extrapolated_s": script_s,
        "ratio_vs_usual_script": script_s / usual_s,
        "usual_script_steps_run": USUAL_STEPS[case.name],
        "peer_error_percent": _worst(peer, reference),
        "ngsolve_unknowns": peer.unknowns,
        "ngsolve_outcome": asdict(peer),
        "ngsolve_threads": THREADS,
        "peak_memory_both_MB": _peak_MB(),
    }
    return row


def _timed(work: Callable[[], Outcome], runs: int) -> tuple[Outcome, float, float]:
    """The outcome, and the median seconds by the clock and of the processor (all threads)."""
    clock, processor = [], []
    for _ in range(runs):
        gc.collect()
        started, used = time.perf_counter(), time.process_time()
        found = work()
        clock.append(time.perf_counter() - started)
        processor.append(time.process_time() - used)
    return found, statistics.median(clock), statistics.median(processor)


def _worst(found: Outcome, reference: dict[str, float]) -> float:
    return max(abs(difference) for difference in difference_percent(found, reference).values())


def _absence() -> str:
    """Why there is no peer; empty if there is."""
    return "" if find_spec("ngsolve") else "NGSolve is not installed (pip install 'foramen[bench]'): no peer was run."


def _versions() -> dict[str, str]:
    names = ["numpy", "scipy", "numba", *(["ngsolve"] if find_spec("ngsolve") else [])]
    return {"python": sys.version.split()[0], **{name: importlib.metadata.version(name) for name in names}}


def _peak_MB() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def make_reference(*names: str) -> dict[str, object]:
    """Converged values of the peer: extrapolated from its two finest meshes as second order, of all cases or some.

    The uncertainty is how far the extrapolation went beyond the finest mesh.
    """
    from benchmarks.peers.ngsolve_rf import Setting, run_ngsolve

    made: dict[str, object] = json.loads(REFERENCE.read_text(encoding="utf-8"))
    for case in (case for case in CASES if not names or case.name in names):
        runs = {}
        for size in REFERENCE_SIZES[case.name]:
            runs[size] = asdict(run_ngsolve(case, Setting(size=size, is_direct=case.layers is None)))
            print(case.name, size, runs[size], flush=True)
        made[case.name] = extrapolated(runs) | {"foramen": foramen_study(case)}
    return {**made, "how": make_reference.__doc__, "versions": _versions()}


def foramen_study(case: Case) -> dict[str, dict[str, object]]:
    """Foramen's outcome on finer and finer grids."""
    study = {}
    for step, angles in FORAMEN_STUDY[case.name]:
        study[f"step {step:g}, {angles} angles"] = asdict(run_foramen(case, Resolution(step=step, angles=angles)))
    return study


def extrapolated(runs: dict[float, dict[str, float]]) -> dict[str, object]:
    """Values for a vanishing size, their uncertainty in percent, and the runs behind them."""
    coarse, fine = sorted(runs)[1::-1]
    gain = 1 / ((coarse / fine) ** 2 - 1)
    names = (*COMPARED, "volume_mm3")
    values = {name: runs[fine][name] + gain * (runs[fine][name] - runs[coarse][name]) for name in names}
    return {
        "values": values,
        "uncertainty_percent": {name: 100 * abs(values[name] / runs[fine][name] - 1) for name in names},
        "runs": {str(size): run for size, run in runs.items()},
    }


if __name__ == "__main__":
    if "--reference" in sys.argv:
        made = make_reference(*sys.argv[sys.argv.index("--reference") + 1 :])
        REFERENCE.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
    else:
        print(json.dumps(measure(), indent=1))
