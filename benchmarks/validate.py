"""Make the large validation tables, one after the other; what is up to date is not made again.

A ledger (docs/validation/ledger.json) keeps, for each page, a digest of the code and knowledge that it was made
from. A run that is stopped goes on where it was: a finished page is skipped, an unfinished one made again.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LEDGER = ROOT / "docs" / "validation" / "ledger.json"

ENGINE = ("physics", "kernels", "steps/bench", "knowledge/tissues.yaml", "knowledge/damage.yaml")
ANATOMY = (
    "anatomy",
    "geometry",
    *(
        f"knowledge/{name}.yaml"
        for name in ("anatomy", "registration", "reference_bones", "reference_sacrum", "reference_torso")
    ),
)

BENCH = "../../benchmarks"
CONVERGED = f"{BENCH}/converged.py"
PEER = tuple(f"{BENCH}/peers/{name}.py" for name in ("rf_case", "ngsolve_rf", "ngsolve_mesh", "ngsolve_extent"))
CLOSED_FORMS = f"{BENCH}/closed_forms.py"
MEASURED = f"{BENCH}/measurements.yaml"

TABLES: dict[str, tuple[str, ...]] = {
    "rf_accuracy": (*ENGINE, "steps/effect/simulation.py", CONVERGED, CLOSED_FORMS),
    "rf_relations": ENGINE,
    "rf_measurements": (*ENGINE, "knowledge/devices.yaml", "steps/effect/simulation.py", CONVERGED, MEASURED),
    "rf_sensitivity": (*ENGINE, "knowledge/rf_priors.yaml"),
    "rf_tips": (*PEER, *ENGINE, "knowledge/devices.yaml"),
    "rf_bevel": (
        *(
            f"{BENCH}/peers/{name}.py"
            for name in ("rf_case", "ngsolve_mesh", "ngsolve_points", "ngsolve_linear", "ngsolve_extent")
        ),
        "physics/generator.py",
        "knowledge/tissues.yaml",
        "knowledge/devices.yaml",
    ),
    "rf_embedded": (*ENGINE, f"{BENCH}/rf_conformal.py"),
    "landmarks": ANATOMY,
    "cohort_anatomy": (
        *ANATOMY,
        "knowledge/cohort.yaml",
        "knowledge/counting.yaml",
        f"{BENCH}/anatomy_errors.py",
        "io/label_naming.py",
    ),
    "real_scans": (*ANATOMY, "steps/targeting.py", "steps/trajectory", "techniques"),
}
"""Scripts of this folder, each with the parts of the package that its page depends on."""


def digest(name: str) -> str:
    """Digest of a script and of the parts of the package that it depends on."""
    total = hashlib.sha256((ROOT / "benchmarks" / f"{name}.py").read_bytes())
    for part in TABLES[name]:
        path = ROOT / "src" / "foramen" / part
        files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.suffix in {".py", ".yaml"})
        for file in files:
            total.update(file.read_bytes())
    return total.hexdigest()


def main() -> int:
    """Make every table that is out of date; returns the number that failed."""
    ledger: dict[str, str] = json.loads(LEDGER.read_text()) if LEDGER.is_file() else {}
    failed = 0
    for name in TABLES:
        wanted = digest(name)
        if ledger.get(name) == wanted:
            print(f"{name}: up to date")
            continue
        started = time.perf_counter()
        print(f"{name}: running", flush=True)
        code = subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], cwd=ROOT, check=False).returncode
        if code:
            failed += 1
            print(f"{name}: FAILED with exit code {code}")
            continue
        ledger[name] = wanted
        temporary = LEDGER.with_suffix(f".{os.getpid()}.tmp")
        temporary.write_text(json.dumps(ledger, indent=1) + "\n")
        temporary.replace(LEDGER)
        print(f"{name}: done in {time.perf_counter() - started:.0f} s")
    return failed


if __name__ == "__main__":
    raise SystemExit(main())
