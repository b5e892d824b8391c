"""Findings of the record at the planned level, in words for the report, and a picture of where they were measured."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes

from foramen.model.case import Case
from foramen.model.finding import Finding
from foramen.model.plan import Plan
from foramen.report.annotation import HALO, draw_letters, draw_scale_bar, new_figure, png_bytes, prepare_axes
from foramen.report.messages import message
from foramen.report.palette import SOFT_WINDOW, window_of
from foramen.report.slices import Plane, cut_volume, sagittal_plane

_HALF_MM = 60.0
_PIXELS = 320
_MM_WORDS = ("mm2", "mm")
_SEEN_MM = 4.0
"""Shorter than this on the cut, a longer distance runs across it."""

_COLOURS = ("#56B4E9", "#CC79A7", "#F0E442", "#E69F00", "#00D98B", "#FF6F3C")


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingLine:
    """One finding in words."""

    name: str
    value: str
    status: str
    evidence: str


def findings_at(plan: Plan, case: Case) -> tuple[FindingLine, ...]:
    """The findings of the case's record at the level of a plan."""
    return tuple(_line(finding) for finding in case.record.findings if finding.level == str(plan.level))


def _line(finding: Finding) -> FindingLine:
    value = message("finding.unknown")
    if isinstance(finding.value, str):
        value = finding.value
    elif finding.value is not None:
        spread = "" if finding.sd is None else f" ± {finding.sd:.2f}"
        value = (
            f"{finding.value:.2f}{spread} {finding.unit.replace('mm2', 'mm²') if finding.unit != '1' else ''}".rstrip()
        )
    points = ", ".join(f"({p[0]:.1f}, {p[1]:.1f}, {p[2]:.1f})" for p in finding.evidence.points_mm)
    source = f"{finding.evidence.modality} {finding.evidence.sequence} {finding.evidence.image_sha256[:12]}"
    return FindingLine(
        name=_name(finding.kind),
        value=value,
        status=message(f"finding.{finding.status.value}", by=finding.by, when=finding.when),
        evidence="; ".join(part for part in (finding.note, finding.evidence.cut, points, source) if part),
    )


def _name(kind: str) -> str:
    words = kind.split("_")
    return " ".join(words[:-1] if words[-1] in _MM_WORDS else words)


def distances(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Those findings that are distances with two ends."""
    return tuple(f for f in findings if f.unit == "mm" and len(f.evidence.points_mm) == 2)


def draw_findings(case: Case, findings: tuple[Finding, ...]) -> bytes:
    """PNG of a sagittal cut through the measured points with every distance drawn, and one without any mark.

    Distances across the body (the canal's width) end beside this cut and are drawn as they project onto it.
    """
    drawn = distances(findings)
    centre = np.mean([point for finding in drawn for point in finding.evidence.points_mm], axis=0)
    plane = sagittal_plane(centre, _HALF_MM)
    figure = new_figure(11.4, 5.9)
    for number in range(2):
        axes = figure.add_axes((0.005 + 0.5 * number, 0.01, 0.49, 0.94))
        prepare_axes(axes, plane)
        low, high = window_of(case.image, SOFT_WINDOW).limits
        edge = plane.half_mm
        image = cut_volume(case.image, plane, _PIXELS)
        axes.imshow(image, cmap="gray", vmin=low, vmax=high, extent=(-edge, edge, edge, -edge))
        if number:
            for place, finding in enumerate(drawn):
                _draw(axes, plane, finding, place)
        draw_letters(axes, plane.letters)
        draw_scale_bar(axes, plane)
        axes.set_title(f"{message('cut.findings')}   {drawn[0].level}", fontsize=9.5, loc="left", pad=3)
    return png_bytes(figure, dots_per_inch=110)


def _draw(axes: Axes, plane: Plane, finding: Finding, place: int) -> None:
    """One distance as a line between its ends, and its name and length in the same colour."""
    colour = _COLOURS[place % len(_COLOURS)]
    flat, _ = plane.project(np.array(finding.evidence.points_mm))
    axes.plot(*flat.T, color=colour, lw=2.0, marker="o", ms=3.5, path_effects=HALO, zorder=10)
    length = "" if finding.value is None else f" {float(finding.value):.1f} mm"
    across = "" if np.linalg.norm(flat[1] - flat[0]) > _SEEN_MM else message("finding.across")
    axes.text(
        0.015,
        0.965 - 0.045 * place,
        f"{_name(finding.kind)}{length}{across}",
        transform=axes.transAxes,
        color=colour,
        fontsize=9,
        fontweight="bold",
        va="top",
        path_effects=HALO,
        zorder=20,
    )
