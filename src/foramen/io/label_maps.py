"""Label maps of other programs, converted to Foramen's numbers on the image's grid.

Several files may be given. Where two of them label a voxel, the first one wins. Vertebrae without names are named
by counting, after all files that name something are read. Files that only divide vertebrae (refinements) are applied
last, whatever their place, to the vertebrae already named.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foramen.errors import ImageError, LevelError
from foramen.io import label_agreement, mr_agreement
from foramen.io.label_agreement import meanings_of, regions
from foramen.io.label_detection import HEAD_TO_FOOT, converted_values, tell_schemes, vertebra_ranks
from foramen.io.label_naming import name_instances, unnamed_value
from foramen.io.label_parts import name_discs, refine
from foramen.io.label_reading import LabelSource, RawMap, parse_label_source, read_raw
from foramen.io.label_schemes import LabelScheme, SchemeKind
from foramen.io.nifti import content_sha256
from foramen.knowledge.facts import number
from foramen.knowledge.labels import FIRST_STRUCTURE
from foramen.model.levels import VERTEBRA_NUMBERS, Vertebra
from foramen.model.space import LabelMap, Modality, Volume

__all__ = [
    "LabelReading",
    "LabelSource",
    "parse_label_source",
    "read_labels",
    "require_agreement",
    "vertebrae_found",
]

_NAME_OF_NUMBER = {number: name for name, number in VERTEBRA_NUMBERS.items()}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LabelReading:
    """A label map in Foramen's numbers, and a line on each file that went into it."""

    labels: LabelMap
    history: tuple[str, ...]


def read_labels(
    sources: Sequence[LabelSource],
    image: Volume,
    *,
    levels_of: Mapping[int, str] | None = None,
    patient_id: str = "",
) -> LabelReading:
    """The label map of one or several files on the grid of `image`, checked against it.

    Parameters
    ----------
    sources : sequence of LabelSource
        Files in the order of their priority; at least one.
    image : Volume
        The scan that they belong to.
    levels_of : mapping, optional
        Number of a vertebra without a name -> its level, as a person says.
    patient_id : str
        Of the scan, to refuse a segmentation of another patient.

    Raises
    ------
    FrameError
        If a file is on another grid or in another frame.
    ImageError
        If a file holds unknown numbers, its scheme cannot be told, or it does not fit the image: mirrored,
        vertebrae out of order, bone labels on soft tissue (CT), or a canal without its contrast (MR).
    LevelError
        If vertebrae carry no name and counting names none, or `levels_of` names what is not there.
    """
    if not sources:
        raise ImageError("No label map was given. Name at least one with --labels FILE[:SCHEME].")
    maps = [read_raw(source, image, patient_id=patient_id) for source in sources]
    schemes = tell_schemes(maps, image)
    pairs = list(zip(maps, schemes, strict=True))
    values = np.zeros(image.geometry.shape, dtype=np.uint16)
    for raw, scheme in pairs:
        values = np.where(values == 0, _converted(raw, scheme), values)
    values, counted = _name_vertebrae(values, pairs, image, levels_of or {})
    for raw, scheme in pairs:
        if scheme.kind is SchemeKind.REFINEMENT:
            values = refine(values, raw, scheme, image)
        if scheme.discs:
            values = name_discs(values, np.isin(raw.values, list(scheme.discs)) & (values == 0), image)
    labels = LabelMap(geometry=image.geometry, values=values)
    require_agreement(labels, image)
    history = [
        f"labels from {raw.source.path.name} read as {scheme.name} "
        f"({len(raw.numbers)} numbers, content SHA-256 {content_sha256(raw.values, image.geometry.affine_mm)[:16]})"
        + (f"; {raw.note}" if raw.note else "")
        for raw, scheme in pairs
    ]
    on_mr = mr_agreement.mr_history(values, image) if image.modality is Modality.MR else ()
    return LabelReading(labels=labels, history=(*history, *counted, *on_mr))


def _converted(raw: RawMap, scheme: LabelScheme) -> NDArray[np.uint16]:
    values = converted_values(raw, scheme)
    if scheme.kind is SchemeKind.INSTANCES:
        values = np.where(np.isin(raw.values, list(scheme.vertebrae)), np.uint16(unnamed_value()), values)
    return values


def _name_vertebrae(
    values: NDArray[np.uint16],
    pairs: Sequence[tuple[RawMap, LabelScheme]],
    image: Volume,
    levels_of: Mapping[int, str],
) -> tuple[NDArray[np.uint16], tuple[str, ...]]:
    """The label map with the vertebrae of an instance map named, and a line on how they were counted."""
    counted = [(raw, scheme) for raw, scheme in pairs if scheme.kind is SchemeKind.INSTANCES]
    if len(counted) > 1:
        raise ImageError("Two label files number vertebrae without names. Give one of them.")
    if not counted:
        if levels_of:
            raise LevelError(
                "--level-of names vertebrae that carry no name, and every vertebra of these label files has one. "
                "Leave it out; a name that is wrong is mended in a mapping file."
            )
        return values, ()
    raw, scheme = counted[0]
    instances = np.where(np.isin(raw.values, list(scheme.vertebrae)) & (values == unnamed_value()), raw.values, 0)
    naming = name_instances(values, instances, image.geometry, told=levels_of, source=str(raw.source.path))
    return naming.values, (naming.history,)


def require_agreement(labels: LabelMap, image: Volume) -> None:
    """Raise `ImageError` unless vertebrae, sides and bones of the label map fit the image.

    Parameters
    ----------
    labels : LabelMap
        Foramen's numbers.
    image : Volume
        The CT or MR on the same grid.
    """
    found = regions(labels.values, image)
    meanings = meanings_of({region.value: region.value for region in found})
    sides = label_agreement.side_faults(found, meanings)
    is_ct = image.modality is Modality.CT
    mirror = (label_agreement if is_ct else mr_agreement).mirror_fault(labels.values, image)
    if sides or mirror:
        raise ImageError(
            f"The label map looks mirrored: {'; '.join([*sides[:3], *([mirror] if mirror else [])])}. Check how it was "
            "converted and make it again; only in a true situs inversus swap the sides in a mapping file."
        )
    faults = label_agreement.order_faults(found, vertebra_ranks(found), step_mm=-number("import_checks.level_step_mm"))
    if faults:
        raise ImageError(
            f"The vertebrae are not in order from head to foot: {'; '.join(faults[:3])} (Foramen's numbers, "
            "100 x vertebra + part). The label map is upside down or read in the wrong scheme: state it as FILE:SCHEME."
        )
    faults = [
        *(label_agreement.density_faults(found, meanings) if is_ct else ()),
        *label_agreement.height_faults(found, meanings),
    ]
    faults += [] if is_ct else mr_agreement.signal_faults(labels.values, image)
    if faults:
        raise ImageError(
            f"The label map does not fit this image: {'; '.join(faults)}. Give the label map made from this scan, "
            "or state its scheme as FILE:SCHEME."
        )


def vertebrae_found(labels: LabelMap) -> tuple[Vertebra, ...]:
    """Vertebrae that the label map shows, from above downwards."""
    present = np.unique(labels.values[(labels.values > 0) & (labels.values < FIRST_STRUCTURE)] // 100)
    names = {_NAME_OF_NUMBER[int(number)] for number in present if int(number) in _NAME_OF_NUMBER}
    return tuple(Vertebra(name) for name in HEAD_TO_FOOT if name in names)
