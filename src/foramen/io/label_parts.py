"""Parts of vertebrae and discs that carry no name, named by the vertebrae of another map."""

from __future__ import annotations

from itertools import pairwise

import cc3d
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from foramen.errors import ImageError
from foramen.io.label_detection import HEAD_TO_FOOT
from foramen.io.label_reading import RawMap
from foramen.io.label_schemes import LabelScheme
from foramen.knowledge.facts import number
from foramen.knowledge.labels import FIRST_STRUCTURE, disc_value, vertebra_value
from foramen.model.levels import USUAL_ORDER, Vertebra
from foramen.model.space import FloatArray, Volume


def refine(values: NDArray[np.uint16], raw: RawMap, scheme: LabelScheme, image: Volume) -> NDArray[np.uint16]:
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
    return refined


def name_discs(values: NDArray[np.uint16], discs: NDArray[np.bool_], image: Volume) -> NDArray[np.uint16]:
    """The label map with each disc named by the pair of neighbouring vertebrae between whose centres it lies.

    Voxel by voxel where the vertebrae's bodies are labelled; otherwise disc by disc, because the centre of a whole
    vertebra lies behind its body. A disc that lies between no labelled pair stays unlabelled.
    """
    named = values.copy()
    centres, are_bodies = _centres(values, image)
    order = [name for name in HEAD_TO_FOOT if name in centres]
    pairs = [(a, b) for a, b in pairwise(order) if _are_neighbours(a, b, order)]
    index = np.argwhere(discs)
    if not pairs or not len(index):
        return named
    points_mm = image.geometry.lps_mm(index.astype(np.float64))
    group = np.arange(len(index))
    if not are_bodies:
        pieces = cc3d.connected_components(discs, connectivity=26)[tuple(index.T)]
        middles = np.stack([points_mm[pieces == piece].mean(axis=0) for piece in range(1, int(pieces.max()) + 1)])
        points_mm, group = middles, pieces.astype(np.int64) - 1
    apart_mm = np.array([float(np.linalg.norm(centres[a] - centres[b])) for a, b in pairs])
    detour_mm = np.stack(
        [
            np.linalg.norm(points_mm - centres[a], axis=1) + np.linalg.norm(points_mm - centres[b], axis=1)
            for a, b in pairs
        ],
        axis=1,
    )
    best = np.argmin(detour_mm - apart_mm, axis=1)
    upper = np.array([disc_value(Vertebra(a)) for a, _ in pairs], dtype=np.uint16)
    is_between = np.take_along_axis(detour_mm, best[:, None], axis=1)[:, 0] < 2 * apart_mm[best]
    is_sure = is_between if not are_bodies else np.ones(len(best), dtype=bool)
    named[tuple(index.T)] = np.where(is_sure, upper[best], 0)[group]
    return named


def _are_neighbours(upper: str, lower: str, order: list[str]) -> bool:
    """Whether no vertebra is missing between two names (T13 and L6 are there only where they are labelled)."""
    between = HEAD_TO_FOOT[HEAD_TO_FOOT.index(upper) + 1 : HEAD_TO_FOOT.index(lower)]
    return not [name for name in between if name in order or name in USUAL_ORDER]


def _centres(values: NDArray[np.uint16], image: Volume) -> tuple[dict[str, FloatArray], bool]:
    """Centres of the vertebrae's bodies, or of whole vertebrae where no body is labelled apart."""
    bodies = _body_centres(values, image)
    if bodies:
        return bodies, True
    whole = {
        name: image.geometry.lps_mm(np.argwhere(values // 100 == Vertebra(name).number).mean(axis=0))
        for name in HEAD_TO_FOOT
        if (values // 100 == Vertebra(name).number).any()
    }
    return whole, False


def _body_centres(values: NDArray[np.uint16], image: Volume) -> dict[str, FloatArray]:
    centres: dict[str, FloatArray] = {}
    for name in HEAD_TO_FOOT:
        vertebra = Vertebra(name)
        body = np.argwhere(values == vertebra_value(vertebra, "body"))
        if len(body):
            centres[name] = image.geometry.lps_mm(body.mean(axis=0))
    return centres
