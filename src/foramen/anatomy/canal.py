"""Measures of canal, sac, epidural space and disc at one disc space, each with its uncertainty and its points.

They are read off the label map, so they are as good as the labels. What the labels do not show is UNKNOWN with the
reason; nothing is filled in from elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from foramen.anatomy.disc_space import STEP_MM, DiscSpace, cut, is_labelled, run_behind, spacing_along
from foramen.geometry.skin import find_body
from foramen.knowledge.facts import number
from foramen.knowledge.labels import FIRST_STRUCTURE, disc_value, structure_labels, structure_value
from foramen.model.case import Case
from foramen.model.finding import Finding, FindingStatus, ImageEvidence, Point
from foramen.model.levels import Vertebra
from foramen.model.space import FloatArray

_FLUID = ("csf", "cauda_equina")
_CONTENT = ("spinal_cord", "thecal_content")
_REACH_MM = 40.0
"""How far behind the sac bone and ligament are looked for."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Reading:
    """A case, one disc space of it, and the evidence that every finding there shares."""

    case: Case
    space: DiscSpace
    evidence: ImageEvidence

    def edge_sd_mm(self, direction: FloatArray) -> float:
        """Standard uncertainty of one edge of a label along a direction."""
        voxel_mm = number("registration.mr_slice_fraction") * spacing_along(self.case.labels, direction)
        return float(np.hypot(number("measures.edge_sd_mm"), voxel_mm))

    def found(
        self,
        kind: str,
        value: float,
        sd: float,
        points: tuple[FloatArray, ...],
        values: tuple[int, ...],
        note: str = "",
    ) -> Finding:
        """A measured finding."""
        evidence = replace(self.evidence, points_mm=tuple(map(_point, points)), label_values=values)
        unit = "mm2" if kind.endswith("mm2") else "mm"
        level = str(self.space.segment)
        status = FindingStatus.MEASURED
        return Finding(
            kind=kind, level=level, value=value, sd=sd, unit=unit, status=status, evidence=evidence, note=note
        )

    def unknown(self, kind: str, why: str) -> Finding:
        """A finding that could not be read."""
        level = str(self.space.segment)
        status = FindingStatus.UNKNOWN
        return Finding(kind=kind, level=level, value=None, status=status, evidence=self.evidence, note=why)


def measure_canal(case: Case, space: DiscSpace) -> tuple[Finding, ...]:
    """Canal AP and width, sac area, dorsal epidural depth, depth from the skin, disc height and slip of a disc space.

    Parameters
    ----------
    case : Case
        Image and labels; the image is needed for the skin only.
    space : DiscSpace
        From `disc_space`.
    """
    evidence = ImageEvidence(
        image_sha256=case.image_sha256,
        labels_sha256=case.labels_sha256,
        modality=case.image.modality,
        sequence=case.image.sequence,
        cut=f"plane of the disc {space.segment}, through {_in_words(space.middle_mm)} mm (LPS), normal "
        f"{_in_words(space.superior)}",
    )
    reading = _Reading(case=case, space=space, evidence=evidence)
    return (*_canal(reading), *_sac(reading), *_behind_the_sac(reading), _disc_height(reading), _slip(reading))


def _present(reading: _Reading, names: tuple[str, ...]) -> tuple[int, ...]:
    values = [structure_value(name) for name in names]
    return tuple(v for v in values if (reading.case.labels.values == v).any())


def _sac_values(reading: _Reading) -> tuple[tuple[int, ...], str]:
    """Values of the labels that make up the sac here, and what is to be said about them.

    Where fluid is labelled it is the sac with what it holds. Otherwise a label of the canal counts, with cord or
    content inside it: many models label as canal what lies within the dura.
    """
    if _present(reading, _FLUID):
        return _present(reading, (*_FLUID, *_CONTENT)), ""
    if _present(reading, ("canal",)):
        return _present(reading, ("canal", *_CONTENT)), "of the label canal, which in many label maps is the sac alone"
    return _present(reading, _CONTENT), "of the labelled content of the sac"


def _canal(reading: _Reading) -> tuple[Finding, ...]:
    groups = ("canal", "thecal_sac")
    values = tuple(e.value for e in structure_labels() if e.keep_out in groups)
    values = tuple(v for v in values if (reading.case.labels.values == v).any())
    mask, points = cut(reading.case.labels, reading.space, values)
    names = ("canal_ap_mm", "canal_width_mm")
    if not mask.any():
        return tuple(reading.unknown(name, "no label of canal or sac in the plane of the disc") for name in names)
    if not _is_whole(reading, mask, points):
        return tuple(reading.unknown(name, "the canal is cut by the edge of the image") for name in names)
    note = "" if structure_value("canal") in values else "of the labelled sac and fat; the labels name no canal"
    column = round(float(np.argwhere(mask)[:, 0].mean()))  # the midline of the canal itself
    row = int(mask.sum(axis=0).argmax())
    found = []
    for name, line, chord in (
        (names[0], points[column], np.flatnonzero(mask[column])),
        (names[1], points[:, row], np.flatnonzero(mask[:, row])),
    ):
        if not len(chord):
            found.append(reading.unknown(name, "the canal is in two pieces in the plane of the disc"))
            continue
        direction = reading.space.axes[:, 1 if name == names[0] else 0]
        sd = float(np.sqrt(2) * reading.edge_sd_mm(direction))
        length = STEP_MM * float(chord[-1] - chord[0] + 1)
        found.append(reading.found(name, length, sd, (line[chord[0]], line[chord[-1]]), values, note))
    return tuple(found)


def _is_whole(reading: _Reading, mask: np.ndarray[tuple[int, int], np.dtype[np.bool_]], points: FloatArray) -> bool:
    edge = np.concatenate([mask[0], mask[-1], mask[:, -1]])
    return not edge.any() and bool(reading.case.labels.geometry.contains(points[mask]).all())


def _sac(reading: _Reading) -> tuple[Finding, ...]:
    values, note = _sac_values(reading)
    mask, points = cut(reading.case.labels, reading.space, values)
    if not mask.any() or not _is_whole(reading, mask, points):
        return (reading.unknown("sac_area_mm2", "the labels show no whole sac in the plane of the disc"),)
    area = float(mask.sum() * STEP_MM**2)
    around = float(
        STEP_MM * (np.abs(np.diff(mask.astype(int), axis=0)).sum() + np.abs(np.diff(mask.astype(int))).sum())
    )
    sd = around * np.pi / 4 * reading.edge_sd_mm(reading.space.posterior)  # steps overstate a rim by 4 / pi
    return (reading.found("sac_area_mm2", area, float(sd), (points[mask].mean(axis=0),), values, note),)


def _behind_the_sac(reading: _Reading) -> tuple[Finding, ...]:
    """Dorsal epidural depth in the midline, and the depth of its back wall from the skin."""
    names = ("dorsal_epidural_depth_mm", "skin_to_epidural_mm")
    sac, _ = _sac_values(reading)
    mask, points = cut(reading.case.labels, reading.space, sac)
    if not mask.any():
        return tuple(reading.unknown(name, "the labels show no sac in the plane of the disc") for name in names)
    column = round(float(np.argwhere(mask)[:, 0].mean()))
    along = np.flatnonzero(mask[column])
    if not len(along):
        return tuple(reading.unknown(name, "the sac is not in the midline") for name in names)
    back, posterior = points[column, along[-1]], reading.space.posterior
    depth, values, note = _epidural_depth(reading, back)
    sd = float(np.sqrt(2) * reading.edge_sd_mm(posterior))
    if depth is None:
        first = reading.unknown(names[0], note)
        wall, note = back, "to the back of the sac, since the back wall of the epidural space is not labelled"
    else:
        wall = back + depth * posterior
        first = reading.found(names[0], depth, sd, (back, wall), (*sac, *values), note)
    return (first, _skin_depth(reading, names[1], wall, note))


def _epidural_depth(reading: _Reading, back: FloatArray) -> tuple[float | None, tuple[int, ...], str]:
    """Depth behind the sac's back, the values that end it, and what it includes."""
    labels, posterior = reading.case.labels, reading.space.posterior
    fat = _present(reading, ("epidural_fat",))
    run = run_behind(labels, back, posterior, fat, _REACH_MM) if fat else None
    if run is not None and run[0] <= 2 * spacing_along(labels, posterior):
        return run[1], fat, "of the label epidural fat"
    flavum = _present(reading, ("ligamentum_flavum",))
    run = run_behind(labels, back, posterior, flavum, _REACH_MM) if flavum else None
    if run is not None:
        return run[0], flavum, "from the sac to the labelled ligamentum flavum"
    bone = tuple(range(1, FIRST_STRUCTURE))
    run = run_behind(labels, back, posterior, bone, _REACH_MM)
    if run is not None:
        return run[0], (), "from the sac to bone in the midline: an upper bound, which includes the ligamentum flavum"
    return None, (), "neither epidural fat, ligamentum flavum nor bone is labelled behind the sac in the midline"


def _skin_depth(reading: _Reading, name: str, wall: FloatArray, note: str) -> Finding:
    body = find_body(reading.case.image, threshold_hu=number("tissues.air_below_hu"))
    start, back = wall[None], reading.space.posterior[None]
    distance, is_in_image = body.exit_distance_mm(start, back, longest_mm=number("measures.longest_skin_depth_mm"))
    if not is_in_image[0]:
        return reading.unknown(name, "the skin is not in view behind this level")
    sd = float(np.hypot(reading.edge_sd_mm(reading.space.posterior), body.surface_tolerance_mm))
    skin = wall + distance[0] * reading.space.posterior
    note = f"in the plane of the disc, as the patient lay; {note}"
    return reading.found(name, float(distance[0]), sd, (wall, skin), (), note)


def _disc_height(reading: _Reading) -> Finding:
    """Height in the middle: of the labelled disc, or without one between the endplates."""
    space, labels = reading.space, reading.case.labels
    value = disc_value(Vertebra(space.segment.upper.name))
    sd = float(np.sqrt(2) * reading.edge_sd_mm(space.superior))
    along = np.arange(-20.0, 20.0, STEP_MM)
    line = space.middle_mm + along[:, None] * space.superior
    inside = np.flatnonzero(is_labelled(labels, line, (value,)))
    if len(inside):
        ends = line[inside[0]], line[inside[-1]]
        height = float(along[inside[-1]] - along[inside[0]] + STEP_MM)
        return reading.found("disc_height_mm", height, sd, ends, (value,))
    ends = space.lower.frame.superior_endplate_mm, space.upper.frame.inferior_endplate_mm
    height = float((ends[1] - ends[0]) @ space.superior)
    return reading.found("disc_height_mm", height, sd, ends, (), "between the endplates; the disc is not labelled")


def _slip(reading: _Reading) -> Finding:
    """How far the upper vertebra's back wall lies before (positive: anterolisthesis) the lower one's."""
    space, name = reading.space, "listhesis_mm"
    inset = number("measures.wall_inset_mm")
    upper = _back_wall(
        reading, space.upper.frame.inferior_endplate_mm + inset * space.upper.frame.superior, space.segment.upper
    )
    lower = _back_wall(
        reading, space.lower.frame.superior_endplate_mm - inset * space.lower.frame.superior, space.segment.lower
    )
    if upper is None or lower is None:
        return reading.unknown(name, "the back wall of a vertebral body is not seen in the midline")
    posterior = space.posterior  # half-way between both vertebrae, or lordosis would look like a slip
    sd = float(np.sqrt(2) * reading.edge_sd_mm(posterior))
    note = "of the upper vertebra on the lower one, forwards positive, as the patient lay; lying hides part of a slip"
    return reading.found(name, float((lower - upper) @ posterior), sd, (upper, lower), (), note)


def _back_wall(reading: _Reading, start: FloatArray, level: Vertebra) -> FloatArray | None:
    values = tuple(range(100 * level.number, 100 * level.number + 100))
    posterior = reading.space.posterior
    run = run_behind(reading.case.labels, start, posterior, values, _REACH_MM)
    if run is None or run[1] >= _REACH_MM:
        return None
    wall: FloatArray = start + run[1] * posterior
    return wall


def _point(point_mm: FloatArray) -> Point:
    x, y, z = (round(float(value), 2) for value in point_mm)
    return x, y, z


def _in_words(vector: FloatArray) -> str:
    return ", ".join(f"{value:.2f}" for value in vector)
