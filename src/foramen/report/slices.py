"""Plane cuts through a volume, and the letters that say which way each image edge faces."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from foramen.errors import InputError
from foramen.knowledge.labels import label
from foramen.model.space import FloatArray, LabelMap, Modality, Volume, VolumeGeometry

_LETTERS = (("L", "R"), ("P", "A"), ("H", "F"))
_SECOND_LETTER = 0.38
"""A second letter is printed where the direction leans by more than about 22 deg."""


def direction_letters(direction: FloatArray) -> str:
    """Letters (L R P A H F) of the way a direction points in LPS, the stronger first, as DICOM writes them."""
    order = np.argsort(-np.abs(direction), kind="stable")
    letters = ""
    for position, axis in enumerate(order[:2]):
        if position == 0 or abs(direction[axis]) > _SECOND_LETTER:
            letters += _LETTERS[axis][0 if direction[axis] > 0 else 1]
    return letters


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plane:
    """A square cut: centre (LPS mm), unit vectors to the image's right and down, and half its edge."""

    centre_mm: FloatArray
    right: FloatArray
    down: FloatArray
    half_mm: float

    def __post_init__(self) -> None:
        frame = np.stack([self.right, self.down])
        if np.abs(frame @ frame.T - np.eye(2)).max() > 1e-6:
            raise InputError("The two directions of a cut must be perpendicular unit vectors.")

    @property
    def normal(self) -> FloatArray:
        """Unit normal, away from the viewer."""
        normal: FloatArray = np.cross(self.right, self.down)
        return normal

    @property
    def letters(self) -> dict[str, str]:
        """What is printed at the left, right, top and bottom edge."""
        return {
            "left": direction_letters(-self.right),
            "right": direction_letters(self.right),
            "top": direction_letters(-self.down),
            "bottom": direction_letters(self.down),
        }

    def project(self, points_mm: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Positions in the image (n, 2; mm to the right and down of its centre) and distances from the plane (n,)."""
        offset = np.atleast_2d(points_mm) - self.centre_mm
        return offset @ np.stack([self.right, self.down]).T, offset @ self.normal

    def points_mm(self, pixels: int) -> FloatArray:
        """LPS positions of the pixel centres, shape (rows, columns, 3)."""
        steps = (np.arange(pixels) + 0.5) / pixels * 2 * self.half_mm - self.half_mm
        points: FloatArray = self.centre_mm + steps[None, :, None] * self.right + steps[:, None, None] * self.down
        return points


def axial_plane(centre_mm: FloatArray, half_mm: float) -> Plane:
    """Axial cut in radiological convention: the patient's right on the left of the image, front on top."""
    return Plane(centre_mm=centre_mm, right=np.array([1.0, 0, 0]), down=np.array([0, 1.0, 0]), half_mm=half_mm)


def coronal_plane(centre_mm: FloatArray, half_mm: float) -> Plane:
    """Coronal cut in radiological convention: the patient's right on the left of the image, head on top."""
    return Plane(centre_mm=centre_mm, right=np.array([1.0, 0, 0]), down=np.array([0, 0, -1.0]), half_mm=half_mm)


def sagittal_plane(centre_mm: FloatArray, half_mm: float) -> Plane:
    """Sagittal cut seen from the patient's left: front on the left of the image, head on top."""
    return Plane(centre_mm=centre_mm, right=np.array([0, 1.0, 0]), down=np.array([0, 0, -1.0]), half_mm=half_mm)


def plane_along(
    tip_mm: FloatArray, direction: FloatArray, nerve_mm: FloatArray, *, centre_mm: FloatArray, half_mm: float
) -> Plane:
    """Cut that contains the needle's axis and lies nearest to the nerve's points (least squares)."""
    offset = nerve_mm - tip_mm
    offset = offset - np.outer(offset @ direction, direction)
    _, _, axes = np.linalg.svd(offset, full_matrices=True)
    across = axes[0] - (axes[0] @ direction) * direction
    across = across / np.linalg.norm(across)
    head = np.array([0.0, 0.0, 1.0])
    up = direction * (direction @ head) + across * (across @ head)
    if np.linalg.norm(up) < 0.3:  # a nearly axial cut: front on top
        front = np.array([0.0, -1.0, 0.0])
        up = direction * (direction @ front) + across * (across @ front)
    up = up / np.linalg.norm(up)
    right = np.cross(up, np.cross(direction, across))
    right = right / np.linalg.norm(right)
    if right[np.argmax(np.abs(right))] < 0:  # to the patient's left or back, as in the standard cuts
        right = -right
    return Plane(centre_mm=centre_mm, right=right, down=-up, half_mm=half_mm)


def plane_across(centre_mm: FloatArray, direction: FloatArray, half_mm: float) -> Plane:
    """Cut square to the needle, seen along it from the hub, head towards the top."""
    head = np.array([0.0, 0.0, 1.0])
    up = head - (head @ direction) * direction
    if np.linalg.norm(up) < 0.2:
        up = np.array([0.0, 1.0, 0.0]) - direction[1] * direction
    up = up / np.linalg.norm(up)
    return Plane(centre_mm=centre_mm, right=np.cross(direction, up), down=-up, half_mm=half_mm)


def sample_grid(
    values: NDArray[np.float32], affine_mm: FloatArray, points_mm: FloatArray, *, order: int, outside: float
) -> NDArray[np.float32]:
    """Values of a grid at LPS points (..., 3), interpolated with splines of that order; `outside` beyond the grid."""
    inverse = np.linalg.inv(affine_mm)
    index = points_mm @ inverse[:3, :3].T + inverse[:3, 3]
    top = np.array(values.shape) - 1
    low = np.clip(np.floor(index.reshape(-1, 3).min(axis=0)).astype(int) - 6, 0, top)
    high = np.clip(np.ceil(index.reshape(-1, 3).max(axis=0)).astype(int) + 6, 0, top) + 1
    part = values[low[0] : high[0], low[1] : high[1], low[2] : high[2]].astype(np.float32)
    found: NDArray[np.float32] = ndimage.map_coordinates(
        part, np.moveaxis(index - low, -1, 0), order=order, mode="nearest", output=np.float32
    )
    is_outside = np.any((index < -0.5) | (index > top + 0.5), axis=-1)
    found[is_outside] = outside
    return found


def cut_volume(volume: Volume, plane: Plane, pixels: int) -> NDArray[np.float32]:
    """Image (rows, columns) of a volume in a plane, cubic interpolation; black outside the scan."""
    outside = -1024.0 if volume.modality is Modality.CT else float(volume.values.min())
    return sample_grid(volume.values, volume.geometry.affine_mm, plane.points_mm(pixels), order=3, outside=outside)


def bone_mask(labels: LabelMap) -> NDArray[np.bool_]:
    """Where the label map shows bone."""
    largest = int(labels.values.max())
    table = np.zeros(largest + 1, dtype=bool)
    for value in np.flatnonzero(np.bincount(labels.values.ravel(), minlength=largest + 1)):
        entry = label(int(value))
        table[value] = entry is not None and entry.tissue == "bone"
    mask: NDArray[np.bool_] = table[labels.values]
    return mask


def crop_box(geometry: VolumeGeometry, low_mm: FloatArray, high_mm: FloatArray) -> tuple[slice, slice, slice]:
    """Index ranges of the smallest part of a grid that holds an LPS box."""
    corners = np.array(
        [[(low_mm, high_mm)[bit >> axis & 1][axis] for axis in range(3)] for bit in range(8)], dtype=np.float64
    )
    index = geometry.index(corners)
    first = np.clip(np.floor(index.min(axis=0)).astype(int), 0, np.array(geometry.shape) - 1)
    last = np.clip(np.ceil(index.max(axis=0)).astype(int) + 1, first + 1, geometry.shape)
    return slice(first[0], last[0]), slice(first[1], last[1]), slice(first[2], last[2])
