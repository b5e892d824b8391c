"""Truth for the junction of superior articular and transverse process on two labelled patches of real spines.

`ct_lumbar_segment` and `mr_lumbar_segment` come with a sub-region map (41 arch, 42 spinous, 43/44 left/right
transverse, 45/46 left/right superior articular, 47/48 left/right inferior articular, 49/50 body) and an instance map.
The method was tuned with the four points of the CT in sight; those of the MR were looked at afterwards, with the
method as it stands: they are held out. This definition was written before the method was tuned and is not touched
by it:

1. voxels of the superior articular process whose centre lies within 1.5 mm of a voxel centre of the transverse
   process of the same vertebra and side;
2. their centroid;
3. projected to the posterolateral surface: the nearest point of the vertebra's surface (half level of its
   instance mask) whose outward normal lies within 60 degrees of the direction half-way between posterior and
   lateral (axes of the scanner, the patient lies straight in it). A ray in that direction would not do:
   it runs out along the inside of a transverse process that points backwards.

That 43 and 45 are the patient's left is checked against the geometry (their x in LPS is larger than the body's).

The MR shows no bone density: the method sees the instance map and an image made from it (bone 400 HU, elsewhere
40 HU). That tests where landmarks are put on the shape of real labels, not the reading of a CT. Nobody says which
levels the patch shows; its three vertebrae are taken as L2 to L4 (docs/validation/landmarks.md has other names too).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree
from skimage import measure

from foramen.model.levels import Side, Vertebra

NEAR_MM = 1.5
SMALLEST_PROCESS_VOXELS = 50
TRANSVERSE = {Side.LEFT: 43, Side.RIGHT: 44}
SUPERIOR_ARTICULAR = {Side.LEFT: 45, Side.RIGHT: 46}
BODY = 49
RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentFiles:
    """Arrays of a data set; `affine_mm` maps index to LPS, `levels` the instances to the levels they are taken as."""

    affine_mm: NDArray[np.float64]
    image: NDArray[np.float32]
    instances: NDArray[np.uint16]
    parts: NDArray[np.uint16]
    levels: dict[int, Vertebra]


def load_segment(data_folder: Path) -> SegmentFiles:
    """The CT, its instance map and its sub-region map."""
    folder = data_folder / "ct_lumbar_segment"
    image = nib.load(folder / "sub-ct_label-22_ct.nii.gz")
    instances = nib.load(folder / "sub-ct_seg-vert_label-22_msk.nii.gz")
    parts = nib.load(folder / "sub-ct_seg-subreg_label-22_msk.nii.gz")
    return SegmentFiles(
        affine_mm=RAS_TO_LPS @ image.affine,
        image=np.asarray(image.dataobj, dtype=np.float32),
        instances=np.asarray(instances.dataobj).astype(np.uint16),
        parts=np.asarray(parts.dataobj).astype(np.uint16),
        levels={21: Vertebra("L2"), 22: Vertebra("L3"), 23: Vertebra("L4")},
    )


def load_mr_segment(data_folder: Path, names: tuple[str, str, str] = ("L2", "L3", "L4")) -> SegmentFiles:
    """The labels of the MR with a flat image made from them; its vertebrae from the top are taken as `names`."""
    folder = data_folder / "mr_lumbar_segment"
    instances = nib.load(folder / "sub-mri_seg-vert_label-6_msk.nii.gz")
    parts = nib.load(folder / "sub-mri_seg-subreg_label-6_msk.nii.gz")
    values = np.asarray(instances.dataobj).astype(np.uint16)
    levels = {5 + below: Vertebra(name) for below, name in enumerate(names)}
    return SegmentFiles(
        affine_mm=RAS_TO_LPS @ instances.affine,
        image=np.where(np.isin(values, list(levels)), 400.0, 40.0).astype(np.float32),
        instances=values,
        parts=np.asarray(parts.dataobj).astype(np.uint16),
        levels=levels,
    )


def junction_truth(files: SegmentFiles) -> dict[tuple[Vertebra, Side], NDArray[np.float64]]:
    """True junctions (LPS, mm) of every vertebra and side where both processes are in the patch."""
    found: dict[tuple[Vertebra, Side], NDArray[np.float64]] = {}
    for value, level in files.levels.items():
        mask = files.instances == value
        for side in Side:
            transverse = _centres(files, mask & (files.parts == TRANSVERSE[side]))
            articular = _centres(files, mask & (files.parts == SUPERIOR_ARTICULAR[side]))
            if min(len(transverse), len(articular)) < SMALLEST_PROCESS_VOXELS:
                continue  # stray voxels where the patch cuts a vertebra
            near = cKDTree(transverse).query(articular)[0] <= NEAR_MM + 1e-6
            if not near.any():
                continue
            body = _centres(files, mask & (files.parts == BODY)).mean(axis=0)
            if side.sign * (transverse.mean(axis=0) - body)[0] <= 0:
                raise AssertionError("43 must be the left transverse process")
            found[level, side] = _project(files, mask, articular[near].mean(axis=0), side)
    return found


def _centres(files: SegmentFiles, mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    return np.argwhere(mask) @ files.affine_mm[:3, :3].T + files.affine_mm[:3, 3]


def _project(
    files: SegmentFiles, mask: NDArray[np.bool_], start: NDArray[np.float64], side: Side
) -> NDArray[np.float64]:
    smooth = ndimage.gaussian_filter(np.pad(mask, 1).astype(np.float32), 0.5)
    vertices, _, normals, _ = measure.marching_cubes(smooth, 0.5)
    surface = (vertices - 1) @ files.affine_mm[:3, :3].T + files.affine_mm[:3, 3]
    outward = normals @ files.affine_mm[:3, :3].T  # isotropic grid: the affine is a scaled rotation
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    middle = surface.mean(axis=0)
    if ((surface - middle) * outward).sum() < 0:
        outward = -outward
    direction = np.array([side.sign, 1.0, 0.0]) / np.sqrt(2)
    facing = surface[outward @ direction >= np.cos(np.radians(60))]
    return facing[np.linalg.norm(facing - start, axis=1).argmin()]
