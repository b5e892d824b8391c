"""What does an electrode do or a row of them do in uniform tissue, as on the bench?"""

from foramen.steps.bench.course import Tines
from foramen.steps.bench.heat import BenchLesion, bench_lesion, held_generator
from foramen.steps.bench.pulsed import BenchPulsed, bench_pulsed
from foramen.steps.bench.setup import BenchSetup, LesionSize, require_time
from foramen.steps.bench.strip import BenchStrip, Order, StripSize, bench_strip, require_row

__all__ = [
    "BenchLesion",
    "BenchPulsed",
    "BenchSetup",
    "BenchStrip",
    "LesionSize",
    "Order",
    "StripSize",
    "Tines",
    "bench_lesion",
    "bench_pulsed",
    "bench_strip",
    "held_generator",
    "require_row",
    "require_time",
]
