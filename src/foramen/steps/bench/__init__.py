"""What does an electrode do in uniform tissue, as on the bench? Exactly axisymmetric."""

from foramen.steps.bench.heat import BenchLesion, bench_lesion
from foramen.steps.bench.pulsed import BenchPulsed, bench_pulsed
from foramen.steps.bench.setup import LesionSize

__all__ = ["BenchLesion", "BenchPulsed", "LesionSize", "bench_lesion", "bench_pulsed"]
