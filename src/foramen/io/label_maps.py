"""Label maps of other programs, converted to Foramen's numbers on the image's grid.

Several files may be given. Where two of them label a voxel, the first one wins. Files that only divide
vertebrae (refinements) are applied after all others, whatever their place, to the vertebrae already named.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from foramen.errors import ImageError
from foramen.io import label_agreement
from foramen.io.label_agreement import Region, meanings_of, regions
from foramen.io.label_schemes import FORAMEN, LabelScheme, SchemeKind, read_scheme, shipped_schemes
from foramen.io.nifti import content_sha256, on_grid_of, read_array
from foramen.knowledge.facts import number
from foramen.knowledge.labels import FIRST_STRUCTURE, disc_value, label, vertebra_value
from foramen.model.levels import USUAL_ORDER, VERTEBRA_NUMBERS, Vertebra
from foramen.model.space import FloatArray, LabelMap, Volume

LARGEST_NUMBER = 65535
"""Largest number of a label map (uint16)."""

_HEAD_TO_FOOT = (*USUAL_ORDER[:19], "T13", *USUAL_ORDER[19:24], "L6", "S1")
_NAME_OF_NUMBER = {number: name for name, number in VERTEBRA_NUMBERS.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelSource:
    """One label file and, where stated, the scheme of its numbers (a name or a mapping file)."""

    path: Path
    scheme: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LabelReading:
    """A label map in Foramen's numbers, and a line on each file that went into it."""

    labels: LabelMap
    history: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _RawMap:
    source: LabelSource
    values: NDArray[np.uint16]
    regions: tuple[Region, ...]

    @property
    def numbers(self) -> frozenset[int]:
        return frozenset(region.value for region in self.regions)


def parse_label_source(text: str) -> LabelSource:
    """The file and scheme of an argument ``FILE`` or ``FILE:SCHEME``."""
    path, colon, scheme = text.rpartition(":")
    if colon and path and not Path(text).exists() and not scheme.endswith((".nii", ".nii.gz")):
        return LabelSource(path=Path(path), scheme=scheme)
    return LabelSource(path=Path(text))


def read_labels(sources: Sequence[LabelSource], image: Volume) -> LabelReading:
    """The label map of one or several files on the grid of `image`, checked against it.

    Parameters
    ----------
    sources : sequence of LabelSource
        Files in the order of their priority; at least one.
    image : Volume
        The CT that they belong to.

    Raises
    ------
    FrameError
        If a file is on another grid.
    ImageError
        If a file holds unknown numbers, its scheme cannot be told, or it does not fit the image: mirrored,
        vertebrae out of order, or bone labels on soft tissue.
    """
    if not sources:
        raise ImageError("No label map was given. Name at least one with --labels FILE[:SCHEME].")
    maps = [_read_raw(source, image) for source in sources]
    schemes = _tell_schemes(maps, image)
    values = np.zeros(image.geometry.shape, dtype=np.uint16)
    for raw, scheme in zip(maps, schemes, strict=True):
        converted = _convert(raw, scheme)
        values = np.where(values == 0, converted, values)
    for raw, scheme in zip(maps, schemes, strict=True):
        if scheme.kind is SchemeKind.REFINEMENT:
            values = _refine(values, raw, scheme, image)
    labels = LabelMap(geometry=image.geometry, values=values)
    require_agreement(labels, image)
    history = tuple(
        f"labels from {raw.source.path.name} read as {scheme.name} "
        f"({len(raw.numbers)} numbers, content SHA-256 {content_sha256(raw.values, image.geometry.affine_mm)[:16]})"
        for raw, scheme in zip(maps, schemes, strict=True)
    )
    return LabelReading(labels=labels, history=history)


def require_agreement(labels: LabelMap, image: Volume) -> None:
    """Raise `ImageError` unless vertebrae, sides and bones of the label map fit the image.

    Parameters
    ----------
    labels : LabelMap
        Foramen's numbers.
    image : Volume
        The CT on the same grid.
    """
    found = regions(labels.values, image)
    meanings = meanings_of({region.value: region.value for region in found})
    sides = label_agreement.side_faults(found, meanings)
    mirror = label_agreement.mirror_fault(labels.values, image)
    if sides or mirror:
        raise ImageError(
            f"The label map looks mirrored: {'; '.join([*sides[:3], *([mirror] if mirror else [])])}. Check how it was "
            "converted and make it again; only in a true situs inversus swap the sides in a mapping file."
        )
    faults = label_agreement.order_faults(found, _vertebra_ranks(found), step_mm=-number("import_checks.level_step_mm"))
    if faults:
        raise ImageError(
            f"The vertebrae are not in order from head to foot: {'; '.join(faults[:3])} (Foramen's numbers, "
            "100 x vertebra + part). The label map is upside down or read in the wrong scheme: state it as FILE:SCHEME."
        )
    faults = [*label_agreement.density_faults(found, meanings), *label_agreement.height_faults(found, meanings)]
    if faults:
        raise ImageError(
            f"The label map does not fit this image: {'; '.join(faults)}. Give the label map made from this scan, "
            "or state its scheme as FILE:SCHEME."
        )


def vertebrae_found(labels: LabelMap) -> tuple[Vertebra, ...]:
    """Vertebrae that the label map shows, from above downwards."""
    present = np.unique(labels.values[(labels.values > 0) & (labels.values < FIRST_STRUCTURE)] // 100)
    names = {_NAME_OF_NUMBER[int(number)] for number in present if int(number) in _NAME_OF_NUMBER}
    return tuple(Vertebra(name) for name in _HEAD_TO_FOOT if name in names)


def _vertebra_ranks(found: tuple[Region, ...]) -> dict[int, int]:
    ranks: dict[int, int] = {}
    for region in found:
        meaning = label(region.value)
        if meaning is not None and meaning.vertebra is not None:
            ranks[region.value] = _HEAD_TO_FOOT.index(meaning.vertebra.name)
    return ranks


def _read_raw(source: LabelSource, image: Volume) -> _RawMap:
    values, affine_mm = read_array(source.path)
    is_whole = np.issubdtype(values.dtype, np.integer)
    if not is_whole and (not np.isfinite(values).all() or not np.array_equal(values, np.rint(values))):
        raise ImageError(f"{source.path} holds values that are not whole numbers: it is no label map.")
    if values.min() < 0:
        raise ImageError(f"{source.path} holds negative values (down to {values.min()}): it is no label map.")
    if values.max() > LARGEST_NUMBER:
        raise ImageError(f"{source.path} holds numbers up to {values.max()}; label maps end at {LARGEST_NUMBER}.")
    turned = on_grid_of(image.geometry, values, affine_mm, name=str(source.path)).astype(np.uint16)
    found = regions(turned, image)
    if not found:
        raise ImageError(f"{source.path} labels nothing: every voxel is 0.")
    return _RawMap(source=source, values=turned, regions=found)


def _tell_schemes(maps: list[_RawMap], image: Volume) -> list[LabelScheme]:
    """Scheme of each map: as stated, or the only one that fits its numbers and the geometry."""
    told: dict[int, LabelScheme] = {}
    vertebrae = np.zeros(image.geometry.shape, dtype=bool)
    for rounds in range(2):  # refinements can be judged only beside the maps that name the vertebrae
        for place, raw in enumerate(maps):
            if place in told:
                continue
            scheme = _stated(raw) or _detected(raw, vertebrae if rounds else None)
            if scheme is not None:
                told[place] = scheme
                converted = _convert(raw, scheme)
                vertebrae |= (converted > 0) & (converted < FIRST_STRUCTURE)
    return [told[place] for place in range(len(maps))]


def _stated(raw: _RawMap) -> LabelScheme | None:
    name = raw.source.scheme
    if not name:
        return None
    schemes = shipped_schemes()
    if name not in schemes and not Path(name).is_file():
        raise ImageError(
            f"{name!r} is neither a label scheme ({', '.join(schemes)}) nor a mapping file. "
            f"Write {raw.source.path.name}:SCHEME with one of these."
        )
    scheme = schemes[name] if name in schemes else read_scheme(Path(name))
    unknown = scheme.unknown(raw.numbers)
    if unknown:
        raise ImageError(
            f"{raw.source.path} holds numbers that the scheme {scheme.name} does not know: {_listed(unknown)}. "
            "Give the right scheme, or a mapping file that names them (or lists them under ignore)."
        )
    return scheme


def _detected(raw: _RawMap, vertebrae: NDArray[np.bool_] | None) -> LabelScheme | None:
    """The scheme that fits; None in the first round where only a refinement may fit."""
    schemes = list(shipped_schemes().values())
    fitting = [scheme for scheme in schemes if not scheme.unknown(raw.numbers)]
    if not fitting:
        nearest = min(schemes, key=lambda scheme: len(scheme.unknown(raw.numbers)))
        raise ImageError(
            f"{raw.source.path} holds numbers that no known scheme has. The nearest, {nearest.name}, does not know "
            f"{_listed(nearest.unknown(raw.numbers))}. Write {raw.source.path.name}:MAPPING.yaml with a mapping file "
            f"(see docs/labels.md), or one of: {', '.join(s.name for s in schemes)}."
        )
    judged = [(scheme, _faults(raw, scheme, vertebrae)) for scheme in fitting]
    if vertebrae is None and any(scheme.kind is SchemeKind.REFINEMENT for scheme in fitting):
        return None
    agreeing = _distinct(raw, [scheme for scheme, faults in judged if not faults])
    if len(agreeing) == 1:
        return agreeing[0]
    choices = "; ".join(f"{s.name} ({s.title}): {', '.join(f[:2]) or 'fits'}" for s, f in judged)
    problem = "fits no scheme that has its numbers" if not agreeing else "could be read in several ways"
    raise ImageError(
        f"{raw.source.path} {problem}. {choices}. If one is right, write {raw.source.path.name}:SCHEME; "
        "if labels lie on the wrong side or upside down, they are mirrored: make them again."
    )


def _faults(raw: _RawMap, scheme: LabelScheme, vertebrae: NDArray[np.bool_] | None) -> list[str]:
    if scheme.kind is SchemeKind.REFINEMENT:
        return _refinement_faults(raw, scheme, vertebrae)
    numbers = {r.value: r.value for r in raw.regions} if scheme.name == FORAMEN else scheme.values
    meanings = meanings_of({r.value: numbers[r.value] for r in raw.regions if r.value in numbers})
    if not meanings:
        return ["it would leave every number out"]
    ranks = {number: rank for rank, number in enumerate(scheme.head_to_foot)}
    if scheme.name == FORAMEN:
        ranks = _vertebra_ranks(raw.regions)
    return [
        *label_agreement.order_faults(raw.regions, ranks, step_mm=number("import_checks.level_step_mm")),
        *label_agreement.height_faults(raw.regions, meanings),
        *label_agreement.side_faults(raw.regions, meanings),
        *label_agreement.density_faults(raw.regions, meanings),
    ]


def _refinement_faults(raw: _RawMap, scheme: LabelScheme, vertebrae: NDArray[np.bool_] | None) -> list[str]:
    if vertebrae is None or not vertebrae.any():
        return ["no other map names the vertebrae that it divides: give that map too"]
    is_part = np.isin(raw.values, list(scheme.parts))
    overlap = float(vertebrae[is_part].mean()) if is_part.any() else 0.0
    if overlap < number("import_checks.least_overlap_fraction"):
        return [f"only {100 * overlap:.0f} % of its bone lies in vertebrae that another map names"]
    return []


def _distinct(raw: _RawMap, schemes: list[LabelScheme]) -> list[LabelScheme]:
    """The schemes without those that read this map as an earlier one does."""
    seen: dict[tuple[object, ...], LabelScheme] = {}
    for scheme in schemes:
        reading = tuple(
            (scheme.values.get(n, 0), scheme.parts.get(n, ""), n in scheme.discs) for n in sorted(raw.numbers)
        )
        seen.setdefault((scheme.name == FORAMEN, *reading), scheme)
    return list(seen.values())


def _convert(raw: _RawMap, scheme: LabelScheme) -> NDArray[np.uint16]:
    if scheme.name == FORAMEN:
        return raw.values
    table = np.zeros(int(raw.values.max()) + 1, dtype=np.uint16)
    for theirs, value in scheme.values.items():
        if theirs < len(table):
            table[theirs] = value
    converted: NDArray[np.uint16] = table[raw.values]
    return converted


def _refine(values: NDArray[np.uint16], raw: _RawMap, scheme: LabelScheme, image: Volume) -> NDArray[np.uint16]:
    """The label map with its whole vertebrae divided into parts, and discs named by the vertebra above."""
    is_vertebra = (values > 0) & (values < FIRST_STRUCTURE)
    if not is_vertebra.any():
        raise ImageError(
            f"{raw.source.path} divides vertebrae without naming them, and no other label map names them. "
            "Give that map too."
        )
    box = ndimage.find_objects((is_vertebra | (raw.values > 0)).astype(np.uint8))[0]
    bones, parts, before = is_vertebra[box], raw.values[box], values[box]
    distance, nearest = ndimage.distance_transform_edt(~bones, sampling=image.geometry.spacing_mm, return_indices=True)
    vertebra = before[tuple(nearest)] // 100
    reach_mm = number("import_checks.refinement_reach_mm")
    refined = values.copy()
    for theirs, part in scheme.parts.items():
        offset = vertebra_value(Vertebra("L1"), part) % 100
        is_here = (parts == theirs) & (distance <= reach_mm)
        is_here &= (bones & (before % 100 == 0)) | (before == 0)
        refined[box][is_here] = (100 * vertebra + offset)[is_here]
    discs = np.isin(raw.values, list(scheme.discs))
    if discs.any():
        refined = _name_discs(refined, discs & (values == 0), image)
    return refined


def _name_discs(values: NDArray[np.uint16], discs: NDArray[np.bool_], image: Volume) -> NDArray[np.uint16]:
    """The label map with each disc voxel named by the pair of vertebrae whose bodies' centres are nearest."""
    named = values.copy()
    centres = _body_centres(values, image)
    pairs = [(a, b) for a, b in pairwise([n for n in _HEAD_TO_FOOT if n in centres])]
    index = np.argwhere(discs)
    if not pairs or not len(index):
        return named
    points_mm = image.geometry.lps_mm(index.astype(np.float64))
    reach_mm = np.stack(
        [
            np.linalg.norm(points_mm - centres[a], axis=1) + np.linalg.norm(points_mm - centres[b], axis=1)
            for a, b in pairs
        ],
        axis=1,
    )
    middle = np.argmin(reach_mm - [float(np.linalg.norm(centres[a] - centres[b])) for a, b in pairs], axis=1)
    upper = np.array([disc_value(Vertebra(a)) for a, _ in pairs], dtype=np.uint16)
    named[tuple(index.T)] = upper[middle]
    return named


def _body_centres(values: NDArray[np.uint16], image: Volume) -> dict[str, FloatArray]:
    centres: dict[str, FloatArray] = {}
    for name in _HEAD_TO_FOOT:
        vertebra = Vertebra(name)
        body = np.argwhere(values == vertebra_value(vertebra, "body"))
        if len(body):
            centres[name] = image.geometry.lps_mm(body.mean(axis=0))
    return centres


def _listed(numbers: tuple[int, ...]) -> str:
    shown = ", ".join(str(number) for number in numbers[:20])
    return shown + (f" and {len(numbers) - 20} more" if len(numbers) > 20 else "")
