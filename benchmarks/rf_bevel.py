"""What point with an axis stands for a bevel; writes docs/validation/rf_bevel.md. Needs NGSolve.

A sharp cannula is ground at one side: its point lies on the wall and has no axis of symmetry. A grid with an axis can
only hold a cone. Here a true bevel of one plane is solved by finite elements in three dimensions, and cones of many
lengths in the half-plane, all with the same bare length, measured from the very point. The tissue is muscle whose
properties do not change with temperature, so the sizes differ from those of the engine; the differences between the
ends are what counts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path

import ngsolve as ng
import numpy as np
from scipy.interpolate import PchipInterpolator

from benchmarks.peers.ngsolve_linear import Extent, Heating
from benchmarks.peers.ngsolve_points import Cone, bevel_mesh, point_mesh, turned_mesh
from benchmarks.peers.rf_case import AXISYMMETRIC, LEVEL_DEGC, Case
from foramen.knowledge.devices import device
from foramen.knowledge.facts import fact
from foramen.model.device import RfCannula
from foramen.physics.grid import NeedleShape

PAGE = Path(__file__).resolve().parents[1] / "docs" / "validation" / "rf_bevel.md"
STEP_S = 2.0
PLANE_CELL, SOLID_CELL = 0.1, 0.39
"""Cells on the bare tip over the needle's radius."""
INSIDE_MM = 1e-3
"""How far within the metal the thermocouple lies that is meant to be at the point."""
LENGTHS = (0.75, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0)
"""Of the cones, in diameters."""
THIN = ("rf_22g_5mm", "22 G, 5 mm")
USUAL_NAME = "18 G, 10 mm"
FAMILIES: dict[str, float | None] = {"cone with corners": None, "hull, ball 0.1": 0.1, "hull, ball 0.25": 0.25}
"""Kinds of cone: with corners, or the convex hull of the shaft's ball and of one at the point (in needle radii)."""
ROUNDED: dict[str, float | None] = {
    "cone with corners": None,
    "hull, no ball": 0.0,
    "hull, ball 0.1": 0.1,
    "hull, ball 0.25": 0.25,
    "hull, ball 0.5": 0.5,
}
PLACES = ("at the point", "half the bevel behind it")
SIZES = {"width, mm": "width_mm", "length, mm": "length_mm", "volume, mm3": "volume_mm3"}


@dataclass(frozen=True)
class Bevel:
    """A bevel on a needle: its case, its angle, and the solved warming."""

    name: str
    case: Case
    angle_deg: float
    heating: Heating

    @property
    def length_mm(self) -> float:
        """Along the axis: the diameter over the tangent of the angle."""
        return diameter_mm(self.case) / math.tan(math.radians(self.angle_deg))

    @cached_property
    def extents(self) -> tuple[Extent, ...]:
        """With the thermocouple at each of the places: in the point of the wall, and on the face in the lumen."""
        radius = diameter_mm(self.case) / 2
        rise = self.length_mm * INSIDE_MM / (2 * radius) + INSIDE_MM
        return (
            self.heating.held((radius - INSIDE_MM, 0, rise)),
            self.heating.held((0, 0, self.length_mm / 2 + INSIDE_MM)),
        )


def diameter_mm(case: Case) -> float:
    """Outer diameter of the needle."""
    return 2e3 * case.shape.radius_m


def thin_case() -> Case:
    """A thin cannula of the catalogue, otherwise as the usual case."""
    needle = device(THIN[0])
    if not isinstance(needle, RfCannula):
        raise TypeError(f"{THIN[0]} is no cannula.")
    shape = NeedleShape(
        radius_m=needle.outer_diameter_mm / 2e3,
        bore_m=needle.inner_diameter_mm / 2e3,
        tip_m=needle.active_tip_mm / 1e3,
        is_conducting=True,
    )
    return replace(AXISYMMETRIC, shape=shape)


def bevels() -> list[Bevel]:
    """The bevels of the knowledge's range on the usual needle, and the middle one on a thin needle."""
    angle = fact("devices.sharp_bevel_angle_deg")
    wanted = [(USUAL_NAME, AXISYMMETRIC, x) for x in (angle.low, angle.number, angle.high) if x is not None]
    wanted.append((THIN[1], thin_case(), angle.number))
    found = []
    for name, case, angle_deg in wanted:
        length = diameter_mm(case) / math.tan(math.radians(angle_deg))
        mesh = bevel_mesh(case, length, SOLID_CELL * diameter_mm(case) / 2)
        found.append(Bevel(name, case, angle_deg, Heating(case, mesh, STEP_S)))
    return found


def cone(case: Case, lengths: float, ball: float | None) -> Cone:
    """A cone by its length in diameters and its ball in radii."""
    return Cone(
        length_mm=lengths * diameter_mm(case),
        ball_mm=(ball or 0.0) * diameter_mm(case) / 2,
        is_hull=ball is not None,
    )


def plane(case: Case, point: Cone) -> Heating:
    """The warming about a point with an axis."""
    return Heating(case, point_mesh(case, point, PLANE_CELL * diameter_mm(case) / 2), STEP_S)


@cache
def family(case: Case, ball: float | None) -> tuple[Heating, ...]:
    """The cones of all lengths."""
    return tuple(plane(case, cone(case, lengths, ball)) for lengths in LENGTHS)


def sensed_mm(bevel: Bevel) -> tuple[float, float]:
    """Where the thermocouple lies on the axis of a cone that stands for the bevel."""
    return INSIDE_MM, bevel.length_mm / 2


def same(values: list[float], wanted: float) -> float:
    """The length in diameters at which a family has the wanted value, which changes one way along it."""
    order = np.argsort(values)
    return float(PchipInterpolator(np.array(values)[order], np.array(LENGTHS)[order], extrapolate=False)(wanted))


def percent(value: float, usual: float) -> float:
    """Signed difference in percent."""
    return 100 * (value / usual - 1)


def agreement() -> str:
    """The round end in both set-ups."""
    radius = diameter_mm(AXISYMMETRIC) / 2
    point = Cone(length_mm=radius, ball_mm=radius)
    flat, solid = (
        plane(AXISYMMETRIC, point),
        Heating(AXISYMMETRIC, turned_mesh(AXISYMMETRIC, point, SOLID_CELL * radius), STEP_S),
    )
    rows = []
    for name, run in (("half-plane", flat), ("three dimensions", solid)):
        extent = run.held((0, 0, INSIDE_MM))
        sizes = " | ".join(f"{getattr(extent, x):.2f}" for x in SIZES.values())
        rows.append(f"| {name} | {run.space.ndof} | {run.ohm:.2f} | {sizes} |")
    return "\n".join(rows)


def bevel_rows(found: list[Bevel]) -> str:
    """What each bevel does, against the round end with its thermocouple at the pole."""
    rows = []
    for case in dict.fromkeys(bevel.case for bevel in found):
        radius = diameter_mm(case) / 2
        run = plane(case, Cone(length_mm=radius, ball_mm=radius))
        usual = run.held((0, 0, INSIDE_MM))
        name = next(bevel.name for bevel in found if bevel.case is case)
        sizes = " | ".join(f"{getattr(usual, x):.2f}" for x in SIZES.values())
        rows.append(f"| {name} | round | | at the pole | {run.ohm:.2f} | {sizes} | 0 |")
        for bevel in (b for b in found if b.case is case):
            length = f"{bevel.length_mm:.2f} mm, {bevel.length_mm / diameter_mm(case):.2f} d"
            for place, extent in zip(PLACES, bevel.extents, strict=True):
                sizes = " | ".join(
                    f"{getattr(extent, x):.2f} ({percent(getattr(extent, x), getattr(usual, x)):+.1f} %)"
                    for x in SIZES.values()
                )
                ohm = f"{bevel.heating.ohm:.2f} ({percent(bevel.heating.ohm, run.ohm):+.1f} %)"
                rows.append(
                    f"| {bevel.name} | bevel {bevel.angle_deg:g} deg | {length} | {place} | {ohm} | {sizes} | "
                    f"{extent.lean_mm:.2f} |"
                )
    return "\n".join(rows)


@dataclass(frozen=True, slots=True)
class Match:
    """The cone of one family with a bevel's cold resistance, and what its lesion then misses (percent)."""

    bevel: Bevel
    place: str
    family: str
    lengths: float
    missed: dict[str, float]
    lengths_by_volume: float

    @property
    def share(self) -> float:
        """Length over that of the bevel."""
        return self.lengths * diameter_mm(self.bevel.case) / self.bevel.length_mm

    @property
    def row(self) -> str:
        """The match as a row of the page's table."""
        missed = " | ".join(f"{x:+.1f} %" for x in self.missed.values())
        bevel = f"{self.bevel.name} | {self.bevel.angle_deg:g} deg"
        return (
            f"| {bevel} | {self.family} | {self.place} | {self.lengths:.2f} | {self.share:.2f} | {missed} | "
            f"{self.lengths_by_volume:.2f} |"
        )


def matches(found: list[Bevel]) -> list[Match]:
    """Each bevel against each family, for each place of the thermocouple."""
    result = []
    for bevel in found:
        for name, ball in FAMILIES.items():
            runs = family(bevel.case, ball)
            lengths = same([run.ohm for run in runs], bevel.heating.ohm)
            for place, at_mm, true in zip(PLACES, sensed_mm(bevel), bevel.extents, strict=True):
                extents = [run.held((0, 0, at_mm)) for run in runs]
                missed = {}
                for attribute in SIZES.values():
                    values = [getattr(extent, attribute) for extent in extents]
                    missed[attribute] = percent(
                        float(PchipInterpolator(LENGTHS, values)(lengths)), getattr(true, attribute)
                    )
                by_volume = same([extent.volume_mm3 for extent in extents], true.volume_mm3)
                result.append(Match(bevel, place, name, lengths, missed, by_volume))
    return result


def rounding(bevel: Bevel, lengths: float) -> str:
    """What a ball at the point changes at the same length, against the cone with corners."""
    rows, sharp = [], {}
    for name, ball in ROUNDED.items():
        run = plane(bevel.case, cone(bevel.case, lengths, ball))
        extents = [run.held((0, 0, at_mm)) for at_mm in sensed_mm(bevel)]
        values = {"ohm": run.ohm}
        for place, extent in zip(PLACES, extents, strict=True):
            values |= {f"{place} {x}": getattr(extent, x) for x in SIZES.values()}
        sharp = sharp or values
        cells = " | ".join(f"{x:.2f} ({percent(x, sharp[key]):+.1f} %)" for key, x in values.items())
        rows.append(f"| {name} | {cells} |")
    return "\n".join(rows)


def span(values: list[float], digits: int) -> str:
    """Least and largest."""
    return f"{min(values):.{digits}f} to {max(values):.{digits}f}"


def largest(chosen: list[Match]) -> str:
    """Largest missed width, length and volume."""
    return ", ".join(
        f"{name.split(',')[0]} {max(abs(match.missed[attribute]) for match in chosen):.1f} %"
        for name, attribute in SIZES.items()
    )


def shares(found: list[Match]) -> str:
    """The share of every family in words, with what is missed for either place of the thermocouple."""
    lines = []
    for name in FAMILIES:
        chosen = [match for match in found if match.family == name]
        errors = "; ".join(
            f"thermocouple {place}, largest error: {largest([m for m in chosen if m.place == place])}"
            for place in PLACES
        )
        lines.append(f"- {name}: {span([match.share for match in chosen], 2)} of the bevel's length ({errors}).")
    return "\n".join(lines)


def page() -> str:
    """The comparison as a Markdown page."""
    ng.SetNumThreads(1)
    ng.ngsglobals.msg_level = 0
    agreed, found = agreement(), bevels()
    matched = matches(found)
    middle = found[1]
    lengths = next(match.lengths for match in matched if match.bevel is middle and match.family == "cone with corners")
    about = (__doc__ or "").strip().partition("\n\n")[2]
    sizes, missed = " | ".join(SIZES), " | ".join(f"{x.split(',')[0]} missed" for x in SIZES)
    both = " | ".join(f"{x}, {place}" for place in PLACES for x in SIZES)
    angle = fact("devices.sharp_bevel_angle_deg")
    uneven = max(abs(percent(x.along_mm, x.across_mm)) for bevel in found for x in bevel.extents)
    lean = span([extent.lean_mm for bevel in found for extent in bevel.extents], 2)
    return f"""# What cone stands for a bevel

{about}

{AXISYMMETRIC.set_degC:g} degC at the thermocouple for {AXISYMMETRIC.time_s:g} s in steps of {STEP_S:g} s;
sizes at {LEVEL_DEGC:g} degC. The needle conducts heat; its lumen is filled to the face of the bevel, as by the
electrode. A bevel of one plane is as long as the diameter d over the tangent of its angle; angles from
{angle.low:g} to {angle.high:g} deg are taken, since no maker's page that was read states that of a radiofrequency
cannula (`devices.sharp_bevel_angle_deg`, {angle.trace.value}).
The thermocouple lies at the very point, or on the axis half the bevel's length behind the point,
where an electrode in the lumen comes to the face. A cone's thermocouple lies as far behind its point.

## Both set-ups agree on the round end

| set-up | unknowns | ohm, cold | {sizes} |
|---|---|---|{"---|" * len(SIZES)}
{agreed}

## Bevels

In brackets the difference from the round end. Leaning: how far the lesion's middle lies to the side of the point.

| needle | end | length | thermocouple | ohm, cold | {sizes} | leaning, mm |
|---|---|---|---|---|{"---|" * len(SIZES)}---|
{bevel_rows(found)}

## The cone with the same cold resistance

A hull is the convex hull of a ball at the point (its radius in needle radii) and of the shaft's own ball, whose centre
lies at the end of the cone's length; a cone with corners has neither. Lengths in diameters of the needle; share: of
the bevel's length. Missed: what the lesion of this cone differs from that of the bevel. Last column: the length whose
volume is the same.

| needle | bevel | cone | thermocouple | length, d | share | {missed} | length by volume, d |
|---|---|---|---|---|---|{"---|" * len(SIZES)}---|
{chr(10).join(match.row for match in matched)}

## What rounding the point changes

All {lengths:.2f} d long, as the cone with corners that stands for {middle.angle_deg:g} deg; in brackets the difference
from it.

| cone | ohm, cold | {both} |
|---|---|{"---|" * 2 * len(SIZES)}
{rounding(middle, lengths)}

## What this says

The cone with the resistance of a bevel is shorter than the bevel:

{shares(matched)}

A bevel leaves the wall of one side whole up to the point, so it takes less metal away than a cone of its length. With
the thermocouple half a bevel behind the point, amid metal, the cone of that resistance also makes nearly the bevel's
lesion. With the thermocouple at the very point the lesion also depends on how sharp the point itself is, which was
read nowhere. The widths of a bevel's lesion in its plane of symmetry and across it differ by {uneven:.1f} % at most,
and its middle lies {lean} mm to the side of the point.

Left out: the two side grinds of a lancet, the open lumen of an electrode that stops short of the face, changes of
conductivity and perfusion with heat, and where makers measure the bare length from.

Made by `benchmarks/rf_bevel.py`.
"""


if __name__ == "__main__":
    text = page()
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(text, encoding="utf-8")
    print(text)
