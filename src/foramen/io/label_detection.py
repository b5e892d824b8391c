"""Which program's numbers a label file holds: as stated, or the only scheme that fits numbers and geometry."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from foramen.errors import ImageError
from foramen.io import label_agreement
from foramen.io.label_agreement import Region, meanings_of
from foramen.io.label_reading import RawMap
from foramen.io.label_schemes import FORAMEN, LabelScheme, SchemeKind, read_scheme, shipped_schemes
from foramen.knowledge.facts import number
from foramen.knowledge.labels import FIRST_STRUCTURE, label, structure_value
from foramen.model.levels import USUAL_ORDER
from foramen.model.space import Volume

HEAD_TO_FOOT = (*USUAL_ORDER[:19], "T13", *USUAL_ORDER[19:24], "L6", "S1")
"""All vertebrae from above downwards."""


def tell_schemes(maps: list[RawMap], image: Volume) -> list[LabelScheme]:
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
                converted = converted_values(raw, scheme)
                vertebrae |= (converted > 0) & (converted < FIRST_STRUCTURE)
    return [told[place] for place in range(len(maps))]


def _stated(raw: RawMap) -> LabelScheme | None:
    name = raw.source.scheme
    if not name:
        return raw.own_scheme
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


def _detected(raw: RawMap, vertebrae: NDArray[np.bool_] | None) -> LabelScheme | None:
    """The scheme that fits; None in the first round where only a refinement may fit."""
    schemes = [scheme for scheme in shipped_schemes().values() if scheme.is_detected]
    fitting = [scheme for scheme in schemes if not scheme.unknown(raw.numbers)]
    if not fitting:
        nearest = min(schemes, key=lambda scheme: len(scheme.unknown(raw.numbers)))
        raise ImageError(
            f"{raw.source.path} holds numbers that no known scheme has. The nearest, {nearest.name}, does not know "
            f"{_listed(nearest.unknown(raw.numbers))}. Write {raw.source.path.name}:MAPPING.yaml with a mapping file "
            f"(see docs/labels.md), or one of: {', '.join(shipped_schemes())}."
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
        f"{raw.source.path} {problem}. {choices}. If one is right, write {raw.source.path.name}:SCHEME "
        "(:instances if it has one number for each vertebra and no names); "
        "if labels lie on the wrong side or upside down, they are mirrored: make them again."
    )


def _faults(raw: RawMap, scheme: LabelScheme, vertebrae: NDArray[np.bool_] | None) -> list[str]:
    if scheme.kind is SchemeKind.REFINEMENT:
        return _refinement_faults(raw, scheme, vertebrae)
    numbers = {r.value: r.value for r in raw.regions} if scheme.name == FORAMEN else scheme.values
    numbers = {**numbers, **dict.fromkeys(scheme.vertebrae, structure_value("unnamed_vertebra"))}
    meanings = meanings_of({r.value: numbers[r.value] for r in raw.regions if r.value in numbers})
    if not meanings:
        return ["it would leave every number out"]
    ranks = {number: rank for rank, number in enumerate(scheme.head_to_foot)}
    if scheme.name == FORAMEN:
        ranks = vertebra_ranks(raw.regions)
    instances = [r for r in raw.regions if r.value in scheme.vertebrae]
    return [
        *(label_agreement.instance_faults(instances) if scheme.kind is SchemeKind.INSTANCES else ()),
        *label_agreement.order_faults(raw.regions, ranks, step_mm=number("import_checks.level_step_mm")),
        *label_agreement.height_faults(raw.regions, meanings),
        *label_agreement.size_faults(raw.regions, meanings),
        *label_agreement.side_faults(raw.regions, meanings),
        *(label_agreement.density_faults(raw.regions, meanings) if raw.is_ct else ()),
    ]


def _refinement_faults(raw: RawMap, scheme: LabelScheme, vertebrae: NDArray[np.bool_] | None) -> list[str]:
    if vertebrae is None or not vertebrae.any():
        return ["no other map names the vertebrae that it divides: give that map too"]
    is_part = np.isin(raw.values, list(scheme.parts))
    overlap = float(vertebrae[is_part].mean()) if is_part.any() else 0.0
    if overlap < number("import_checks.least_overlap_fraction"):
        return [f"only {100 * overlap:.0f} % of its bone lies in vertebrae that another map names"]
    return []


def _distinct(raw: RawMap, schemes: list[LabelScheme]) -> list[LabelScheme]:
    """The schemes without those that read this map as an earlier one does."""
    seen: dict[tuple[object, ...], LabelScheme] = {}
    for scheme in schemes:
        reading = tuple(
            (scheme.values.get(n, 0), scheme.parts.get(n, ""), n in scheme.discs, n in scheme.vertebrae)
            for n in sorted(raw.numbers)
        )
        seen.setdefault((scheme.name == FORAMEN, *reading), scheme)
    return list(seen.values())


def converted_values(raw: RawMap, scheme: LabelScheme) -> NDArray[np.uint16]:
    """The structures of a label file that its scheme names, in Foramen's numbers; 0 elsewhere."""
    if scheme.name == FORAMEN:
        return raw.values
    table = np.zeros(int(raw.values.max()) + 1, dtype=np.uint16)
    for theirs, value in scheme.values.items():
        if theirs < len(table):
            table[theirs] = value
    converted: NDArray[np.uint16] = table[raw.values]
    return converted


def vertebra_ranks(found: tuple[Region, ...]) -> dict[int, int]:
    """Place of each vertebra from head to foot, of regions in Foramen's numbers."""
    ranks: dict[int, int] = {}
    for region in found:
        meaning = label(region.value)
        if meaning is not None and meaning.vertebra is not None:
            ranks[region.value] = HEAD_TO_FOOT.index(meaning.vertebra.name)
    return ranks


def _listed(numbers: tuple[int, ...]) -> str:
    shown = ", ".join(str(number) for number in numbers[:20])
    return shown + (f" and {len(numbers) - 20} more" if len(numbers) > 20 else "")
