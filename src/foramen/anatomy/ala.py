"""The sacral ala where the label map leaves it out: many models label only the first segment's body and arch."""

from __future__ import annotations

import cc3d
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from foramen.knowledge.facts import number
from foramen.model.space import LabelMap, Volume


def lacks_ala(labels: LabelMap, mask: NDArray[np.bool_]) -> bool:
    """Whether a sacral label is too narrow to hold the alae."""
    index = np.argwhere(mask)
    across_mm = labels.geometry.lps_mm(index.astype(np.float64))[:, 0]
    return bool(np.ptp(np.quantile(across_mm, (0.002, 0.998))) < number("registration.narrow_sacrum_mm"))


def with_ala(image: Volume, labels: LabelMap, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """A sacral label with the unlabelled bone of the CT that is joined to it and near it.

    Notes
    -----
    Bone is what exceeds a threshold of Hounsfield units; voxels with another label stay out. The
    distance limit keeps the ilium out, which lies beyond the sacroiliac joint.
    """
    reach_mm = number("registration.ala_reach_mm")
    spacing = labels.geometry.spacing_mm
    box = ndimage.find_objects(mask.astype(np.uint8))[0]
    grow = np.ceil(reach_mm / spacing).astype(int) + 1
    block = tuple(slice(max(s.start - g, 0), s.stop + int(g)) for s, g in zip(box, grow, strict=True))
    own = mask[block]
    near = ndimage.distance_transform_edt(~own, sampling=spacing) <= reach_mm
    dense = image.values[block] > number("registration.bone_hu")
    candidate = own | (near & dense & (labels.values[block] == 0))
    pieces = cc3d.connected_components(candidate, connectivity=6)
    joined = np.isin(pieces, np.unique(pieces[own]))
    found = mask.copy()
    found[block] = own | (joined & candidate)
    return found
