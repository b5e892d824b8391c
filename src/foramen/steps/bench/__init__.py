"""What does an electrode do or a row of them do in uniform tissue, as on the bench?"""

from foramen.steps.bench.heat import BenchLesion, bench_lesion
from foramen.steps.bench.pulsed import BenchPulsed, bench_pulsed
from foramen.steps.bench.setup import LesionSize
from foramen.steps.bench.strip import BenchStrip, Order, bench_strip

__all__ = [
    "BenchLesion",
    "BenchPulsed",
    "BenchStrip",
    "LesionSize",
    "Order",
    "bench_lesion",
    "bench_pulsed",
    "bench_strip",
]
