"""The body's surface in an MR image, whose signal has no scale and whose muscle is nearly as dark as air."""

from __future__ import annotations

import cc3d
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from foramen.errors import ImageError
from foramen.knowledge.facts import number
from foramen.model.space import VolumeGeometry

SMOOTHING_MM = 1.5
"""Standard deviation of the smoothing that parts dark muscle from the noise of air."""


def inside_on_mr(values: NDArray[np.float32], geometry: VolumeGeometry) -> NDArray[np.bool_]:
    """Voxels (i, j, k) of the body: between the first signal from the back and the first from the front.

    Parameters
    ----------
    values : ndarray
        Signal on the grid.

    Raises
    ------
    ImageError
        If nothing in the image has a signal.

    Notes
    -----
    What is dark inside (muscle, cortex, bowel gas) cannot be told from air by its signal, so everything between
    front and back counts as body. Where the signal reaches the image's border the skin is not in view: a path that
    ends there leaves the image. If what would be air is not dark enough for it, no skin is in view at all.
    """
    threshold = number("mr_reading.air_below_fraction") * float(np.percentile(values, 95))
    smooth = ndimage.gaussian_filter(values, SMOOTHING_MM / geometry.spacing_mm, mode="nearest")
    parts = np.asarray(cc3d.connected_components(smooth > threshold, connectivity=6))
    counts = np.bincount(parts.ravel())
    counts[0] = 0
    if threshold <= 0 or not counts.any():
        raise ImageError("Nothing in this MR has a signal: this is no image of a body. Check the image.")
    blurred = parts == int(counts.argmax())
    depth = int(np.abs(geometry.axes[1]).argmax())
    outside = ~_between(blurred, depth)
    limit = number("mr_reading.air_mean_fraction") * threshold
    if not outside.any() or float(smooth[outside].mean()) > limit:  # dark tissue, not air
        return np.ones_like(blurred)
    # smoothing carried the skin outwards: within its reach of the air only what has a signal itself is body
    rim = ndimage.distance_transform_edt(~outside, sampling=geometry.spacing_mm) <= 3 * SMOOTHING_MM
    filled = _between(blurred & (~rim | (values > threshold)), depth)
    opened = ndimage.binary_opening(np.pad(filled, 1, mode="edge"), iterations=1)[1:-1, 1:-1, 1:-1]
    inside: NDArray[np.bool_] = opened if opened.any() else filled
    return inside


def _between(body: NDArray[np.bool_], depth: int) -> NDArray[np.bool_]:
    """Voxels with body on both sides of them along an array axis, and the body itself."""
    along = np.moveaxis(body, depth, -1)
    first = np.maximum.accumulate(along, axis=-1)
    last = np.maximum.accumulate(along[..., ::-1], axis=-1)[..., ::-1]
    return np.moveaxis(first & last, -1, depth)
