"""What a setting comes to, quickly: by fields that were solved nearby and are moved with the needle.

Only the search uses it; nothing of it is shown. It reads every other section of the nerve, and neighbours and burnt
tissue on the nominal plan alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from foramen.geometry.segments import point_polyline_distance
from foramen.knowledge.facts import number
from foramen.model.plan import Target
from foramen.model.space import FloatArray
from foramen.planning.inverse.library import Library
from foramen.planning.inverse.space import Design, Space
from foramen.planning.robust.basis import PEAK
from foramen.planning.robust.outcome import deciding_K, section_margins_K
from foramen.planning.robust.scenario import Scenario
from foramen.planning.robust.scene import Scene as HeatScene
from foramen.planning.robust.uncertainty import Uncertainty
from foramen.steps.trajectory import Placed, Scene, parallel_passes, place

PATH, BOILING, NEIGHBOURS = "path", "boiling", "neighbours"
"""Hard limits in the order in which they are tried."""

GRID_MM = 1.25
ROUND_MM = 7.0
"""Step of the points at which burnt tissue is counted, and how far they reach beyond the bare tips."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What a setting comes to, and by how much it breaks each hard limit (at most 0: kept)."""

    capture: float
    burnt_mm3: float
    passes: int
    excess: tuple[tuple[str, float], ...]

    @property
    def is_kept(self) -> bool:
        """Whether every hard limit is kept."""
        return all(amount <= 0 for _, amount in self.excess)

    @property
    def first_broken(self) -> str:
        """The first hard limit that is broken; empty if none is."""
        return next((name for name, amount in self.excess if amount > 0), "")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Needles:
    """Where the passes of a setting are in scenarios: tips (s, 3) and axes (s, 3, 3) of each pass."""

    tips_mm: tuple[FloatArray, ...]
    axes: tuple[FloatArray, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Quick:
    """The search model of one nerve.

    Parameters
    ----------
    libraries : mapping
        By the id of the cannula.
    spreads : mapping
        What is not known exactly, by the id of the cannula.
    heat : scene of planning.robust
        The nerve's sections, and the neighbours of all starting paths.
    """

    space: Space
    scene: Scene
    heat: HeatScene
    libraries: Mapping[str, Library]
    spreads: Mapping[str, Uncertainty]
    scenarios: Sequence[Scenario]
    captured_fraction: float

    def judge(self, design: Design) -> Judged:
        """What a setting comes to; one that breaks a limit is judged by that alone."""
        library = self.libraries[self.space.starts[design.start].device.id]
        placed = self.place(design)
        refused = float(np.count_nonzero(~placed.is_kept))
        hottest = library.hottest_at(design.temperature_degC) + number("inverse.boiling_margin_K")
        excess = [(PATH, refused), (BOILING, hottest - number("tissues.boiling_from_degC"))]
        nominal = self._needles(placed, library, is_nominal=True)
        if not any(amount > 0 for _, amount in excess):
            excess.append((NEIGHBOURS, self._neighbour_excess_K(library, design, nominal)))
        if any(amount > 0 for _, amount in excess):
            return Judged(capture=0.0, burnt_mm3=np.inf, passes=design.passes, excess=tuple(excess))
        return Judged(
            capture=self.capture(library, design, self._needles(placed, library, is_nominal=False)),
            burnt_mm3=self._burnt_mm3(library, design, nominal),
            passes=design.passes,
            excess=tuple(excess),
        )

    def place(self, design: Design) -> Placed:
        """The passes where they would lie, with whether each keeps the limits of a path."""
        path = self.space.starts[design.start]
        needles = parallel_passes(
            self.scene, path, turn_deg=design.turn_deg, across_mm=design.across_mm, along_mm=design.back_mm
        )
        return place(self.scene, needles, path.device)

    def capture(self, library: Library, design: Design, needles: _Needles) -> float:
        """Mean over scenarios of the probability that enough of the nerve is captured, given the model's error."""
        weights = library.weights(design.temperature_degC, design.time_s, self._tissue)
        sections = self._sections
        points = np.ascontiguousarray(sections.reshape(len(sections), -1, 3))
        baseline = library.basis.baseline_degC + self._tissue[:, -1:]
        warm = baseline + np.exp(self._read(library, PEAK, weights, points, needles).max(axis=0))
        doses = [
            np.logaddexp.reduce(self._read(library, damage.id, weights, points, needles), axis=0)
            for damage in self.heat.sets
        ]
        shape = sections.shape[:3]
        margins = section_margins_K(
            self.heat, warm.reshape(shape), [dose.reshape(shape) for dose in doses], time_s=design.time_s
        )
        decisive = deciding_K(margins, self.captured_fraction)
        return float(ndtr(decisive / number("inverse.search_error_K")).mean())

    @staticmethod
    def _read(library: Library, name: str, weights: FloatArray, points_mm: FloatArray, needles: _Needles) -> FloatArray:
        """A logarithm (passes, s, n)."""
        pairs = zip(needles.tips_mm, needles.axes, strict=True)
        return np.stack([library.read(name, weights, points_mm, tips, axes) for tips, axes in pairs])

    def _neighbour_excess_K(self, library: Library, design: Design, nominal: _Needles) -> float:
        """How far the neighbour nearest to its limit is above it, less the margin."""
        if not len(self._neighbours[0]):
            return -np.inf
        points, limits = self._neighbours
        peaks = self._nominal_degC(library, design, points, nominal)
        return float((peaks - limits).max() + number("inverse.neighbour_margin_K"))

    def _burnt_mm3(self, library: Library, design: Design, nominal: _Needles) -> float:
        """Tissue outside the nerve from the burning temperature on, needles included."""
        middles = [
            tips[0] + library.device.active_tip_mm / 2 * axes[0, 2]
            for tips, axes in zip(nominal.tips_mm, nominal.axes, strict=True)
        ]
        reach = ROUND_MM + library.device.active_tip_mm / 2
        low, high = np.min(middles, axis=0) - reach, np.max(middles, axis=0) + reach
        sides = [np.arange(a, b + GRID_MM, GRID_MM) for a, b in zip(low, high, strict=True)]
        points = np.stack(np.meshgrid(*sides, indexing="ij"), axis=-1).reshape(-1, 3)
        hot = points[self._nominal_degC(library, design, points, nominal) >= number("inverse.burnt_degC")]
        return float(np.count_nonzero(is_outside(self.heat.target, hot))) * GRID_MM**3

    def _nominal_degC(self, library: Library, design: Design, points_mm: FloatArray, nominal: _Needles) -> FloatArray:
        """Highest temperature (n,) at points (n, 3) of the plan itself."""
        weights = library.weights(design.temperature_degC, design.time_s, np.zeros((1, 5)))
        rise = np.exp(self._read(library, PEAK, weights, points_mm[None], nominal).max(axis=0)[0])
        degC: FloatArray = library.basis.baseline_degC + rise
        return degC

    def _needles(self, placed: Placed, library: Library, *, is_nominal: bool) -> _Needles:
        """Where the passes are on the nominal plan (one scenario), or in every scenario."""
        needles, spread = placed.tried.needles, self.spreads[library.device.id]
        errors = np.zeros((1, len(needles.tips_mm), 7)) if is_nominal else self._errors
        tips, axes = [], []
        for lesion, (tip, back) in enumerate(zip(needles.tips_mm, needles.backs, strict=True)):
            own = turned_axes(library.basis.axes, back[None])[0]
            off = errors[:, lesion]
            sds = np.array([spread.across_mm, spread.across_mm, spread.along_mm])
            bend = spread.curvature_per_mm * placed.tried.length_mm[lesion] / 2
            tilt = np.tan(off[:, 3:5] * np.radians(spread.angle_deg) + off[:, 5:7] * bend)
            tips.append(np.ascontiguousarray(tip + (off[:, :3] * sds) @ own))
            axes.append(turned_axes(own, own[2] + tilt @ own[:2]))
        return _Needles(tips_mm=tuple(tips), axes=tuple(axes))

    @cached_property
    def _spread(self) -> Uncertainty:
        """What does not depend on the cannula is the same in every spread."""
        return next(iter(self.spreads.values()))

    @cached_property
    def _tissue(self) -> FloatArray:
        return np.array([scenario.tissue(self._spread) for scenario in self.scenarios])

    @cached_property
    def _errors(self) -> FloatArray:
        return np.array([scenario.needles for scenario in self.scenarios])

    @cached_property
    def _sections(self) -> FloatArray:
        """Every other section (s, n, m, 3) of the nerve where it lies in each scenario, with the ends."""
        count, around = self.heat.sections_mm.shape[:2]
        kept = np.unique(np.append(np.arange(0, count, 2), count - 1))
        moved = [self.heat.sections(s, self._spread).reshape(count, around, 3)[kept] for s in self.scenarios]
        return np.array(moved)

    @cached_property
    def _neighbours(self) -> tuple[FloatArray, FloatArray]:
        """Points (n, 3) of every neighbour with a limit, and the limits (n,)."""
        shown = [
            (n.points_mm, np.full(len(n.points_mm), n.reject_degC))
            for n in self.heat.neighbours
            if n.points_mm is not None and n.reject_degC is not None
        ]
        points, limits = zip(*shown, strict=True) if shown else ([np.empty((0, 3))], [np.empty(0)])
        return np.ascontiguousarray(np.concatenate(points)), np.concatenate(limits)

    def warm_up(self) -> None:
        """Compute what all settings share, before threads ask for it."""
        for name in ("_spread", "_tissue", "_errors", "_sections", "_neighbours"):
            getattr(self, name)
        for library in self.libraries.values():
            library.stacked  # noqa: B018


def turned_axes(axes: FloatArray, along: FloatArray) -> FloatArray:
    """Rows across, sideways and axis (s, 3, 3) turned from `axes` (3, 3) so that the axis points along (s, 3)."""
    axis = along / np.linalg.norm(along, axis=1, keepdims=True)
    across = axes[0] - (axis @ axes[0])[:, None] * axis
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    return np.ascontiguousarray(np.stack([across, np.cross(axis, across), axis], axis=1))


def is_outside(target: Target, points_mm: FloatArray) -> NDArray[np.bool_]:
    """Whether points (n, 3) lie outside the needed segment of the nerve."""
    distance = point_polyline_distance(points_mm, target.needed_segment_mm)
    return np.asarray(distance > target.nerve_radius_mm)
