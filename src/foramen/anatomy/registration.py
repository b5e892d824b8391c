"""Registration of the reference vertebra to a patient's bone: affine, then a smooth field on the surface.

Closest points are sought in position and normal together, in both directions, so that the two faces of a
thin process are not confused and a long one is followed to its tip. The field is a sum of Gaussians at control points
with a penalty on its norm that is relaxed step by step. All steps are deterministic.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from foramen.anatomy.bones import Bone, margin_mm
from foramen.anatomy.frames import BodyShape
from foramen.anatomy.reference_body import ReferenceVertebra, reference_vertebra
from foramen.anatomy.reference_body.dimensions import dimensions
from foramen.anatomy.uncertainty import Spread, gaussian_kernel, spread_of_field
from foramen.knowledge.facts import numbers
from foramen.model.anatomy import LandmarkName, VertebraFrame
from foramen.model.levels import Side, Vertebra
from foramen.model.space import FloatArray

NORMAL_WEIGHT_MM = 8.0
"""Distance that counts as much as normals one radian apart."""

KERNEL_MM = 14.0
"""Standard deviation of the Gaussians of the field: the size of an articular process."""

CONTROL_MM = 9.0
"""Spacing of the control points; closer ones add nothing to Gaussians of that width."""

PENALTIES = (300.0, 100.0, 100.0, 30.0, 30.0, 10.0, 10.0, 4.0, 4.0, 4.0)
"""Weight of the field's norm in each round."""

TURNING_KEEP = (0.70, 0.70, 0.75, 0.75, 0.80, 0.80, 0.80, 0.80)
"""Share of the pairs that is believed in each round in which the bone is only turned, scaled and shifted: the frame
read off the label may be turned by 20 degrees where the map is coarse, and a shear must not make up for it."""

TARGET_STRIDE = 3
"""One in so many vertices of the patient's surface is matched; about 1.2 mm lie between them."""

FAR_MM = 20.0
"""Radius around the grooves in which the surfaces are sampled densely and the residual is read."""

COARSE_MM, FINE_MM = 4.0, 2.0
"""Spacing of surface samples on the whole bone and near the grooves."""

BODY_WEIGHT = 0.4
"""Weight of a body's sample against one of the arch."""

_CROSSED = (
    LandmarkName.SACRAL_ALA_NOTCH,
    LandmarkName.SAP_TP_JUNCTION,
    LandmarkName.TRANSVERSE_PROCESS_SUPEROLATERAL,
    LandmarkName.PILLAR_WAIST,
    LandmarkName.PILLAR_POSTERIOR_INFERIOR_EDGE,
)
"""Where a nerve crosses a bone: the first of these that the reference bone has."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Registration:
    """Map from the frame of a reference vertebra to the patient (LPS).

    Parameters
    ----------
    frame : VertebraFrame
        Frame of the patient's vertebra.
    linear, shift_mm : ndarray, shapes (3, 3), (3,)
        Affine part, reference frame to vertebra frame.
    control_mm, weights_mm : ndarray, shape (m, 3)
        Centres of the Gaussians after the affine part and their displacements.
    residual_mm : float
        Root mean square distance of the carried surface from the patient's near the grooves.
    coverage_fraction : float
        Share of the carried surface that lies in the scan.
    spread : Spread
        What the bone's surface leaves open of the field.
    """

    level: Vertebra
    frame: VertebraFrame
    linear: FloatArray
    shift_mm: FloatArray
    control_mm: FloatArray
    weights_mm: FloatArray
    residual_mm: float
    coverage_fraction: float
    spread: Spread

    def carry(self, reference_mm: FloatArray) -> FloatArray:
        """LPS points (n, 3) of points (n, 3) in the reference vertebra's frame."""
        moved = np.atleast_2d(reference_mm) @ self.linear.T + self.shift_mm
        return self.frame.to_lps(moved + _kernel(moved, self.control_mm) @ self.weights_mm)

    def covariance_mm2(self, reference_mm: FloatArray) -> FloatArray:
        """Covariance (n, 3, 3), mm2, LPS, of carried points (n, 3) given in the reference vertebra's frame."""
        return self.spread.at(np.atleast_2d(reference_mm) @ self.linear.T + self.shift_mm)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Samples:
    points: FloatArray
    normals: FloatArray
    weights: FloatArray
    is_near: NDArray[np.bool_]


def register(bone: Bone, body: BodyShape) -> Registration:
    """The registration of the reference vertebra of the same level to a bone whose frame is known."""
    samples = _reference_samples(bone.level)
    target = _target(bone, body.frame)
    linear, shift = _initial(bone.level, body)
    for keep in TURNING_KEEP:
        pairs = _pairs(samples, target, bone, samples.points @ linear.T + shift, linear, keep)
        linear, shift = _similarity(linear, samples.points[pairs.source], target.points[pairs.target], pairs.weights)
    for keep in (0.80, 0.85, 0.90, 0.90, 0.90, 0.90, 0.90, 0.90):
        pairs = _pairs(samples, target, bone, samples.points @ linear.T + shift, linear, keep)
        linear, shift = _affine(samples.points[pairs.source], target.points[pairs.target], pairs.weights)
    affine = samples.points @ linear.T + shift
    control = affine[_thinned(affine, CONTROL_MM)]
    kernel, gram = _kernel(affine, control), _kernel(control, control)
    weights: FloatArray = np.zeros((len(control), 3))
    for penalty in PENALTIES:
        moved = affine + kernel @ weights
        pairs = _pairs(samples, target, bone, moved, linear, 0.92)
        design = kernel[pairs.source]
        wanted = target.points[pairs.target] - affine[pairs.source]
        weighted = design * pairs.weights[:, None]
        system = design.T @ weighted + penalty * gram + 1e-6 * np.eye(len(control))
        weights = np.asarray(np.linalg.solve(system, weighted.T @ wanted), dtype=np.float64)
    moved = body.frame.to_lps(affine + kernel @ weights)
    inside = margin_mm(bone.scan, moved) > bone.spacing_mm
    near = inside & samples.is_near
    off = bone.at(moved)
    residual = float(np.sqrt(np.mean(off[near] ** 2))) if near.any() else np.inf
    spread = spread_of_field(
        bone,
        control_mm=control,
        points_mm=affine[inside],
        normals=bone.slope(moved[inside]) @ body.frame.axes,
        off_mm=off[inside],
        spacing_mm=np.where(samples.is_near[inside], FINE_MM, COARSE_MM),
        axes=body.frame.axes,
        kernel_mm=KERNEL_MM,
    )
    return Registration(
        level=bone.level,
        frame=body.frame,
        linear=linear,
        shift_mm=shift,
        control_mm=control,
        weights_mm=weights,
        residual_mm=residual,
        coverage_fraction=float(inside.mean()),
        spread=spread,
    )


def grooves(reference: ReferenceVertebra) -> FloatArray:
    """Where the nerve crosses the reference bone, left and right, shape (2, 3)."""
    name = next(name for name in _CROSSED if (name, Side.LEFT) in reference.landmarks)
    return np.stack([reference.landmarks[name, side] for side in Side])


def surface_points_mm(level: Vertebra) -> FloatArray:
    """Points (n, 3) of the reference vertebra's surface in its own frame that a registration goes by."""
    return _reference_samples(level).points


def surface_normals(level: Vertebra) -> FloatArray:
    """Outward unit normals (n, 3) at `surface_points_mm`."""
    return _reference_samples(level).normals


@cache
def _reference_samples(level: Vertebra) -> _Samples:
    reference = reference_vertebra(level)
    points = reference.surface.vertices_mm
    if level.name == "S1":  # label maps differ in what lies below the first segment
        points = points[points[:, 2] > -dimensions(level).body_height_mm]
    near = cKDTree(grooves(reference)).query(points)[0] < FAR_MM
    chosen = np.concatenate(
        [np.flatnonzero(part)[_thinned(points[part], mm)] for part, mm in ((near, FINE_MM), (~near, COARSE_MM))]
    )
    points = points[chosen]
    is_body = points[:, 1] < dimensions(level).posterior_wall_mm
    return _Samples(
        points=points,
        normals=reference.bone.normal(points),
        weights=np.where(is_body, BODY_WEIGHT, 1.0),
        is_near=near[chosen],
    )


def _target(bone: Bone, frame: VertebraFrame) -> _Samples:
    """Every few vertices of the surface: in their order, which moving the scan does not change."""
    points = frame.to_vertebra(bone.surface_mm[::TARGET_STRIDE])
    return _Samples(
        points=points,
        normals=bone.normals[::TARGET_STRIDE] @ frame.axes,
        weights=np.ones(len(points)),
        is_near=np.zeros(len(points), dtype=bool),
    )


def _initial(level: Vertebra, body: BodyShape) -> tuple[FloatArray, FloatArray]:
    own = dimensions(level)
    size = np.array([own.body_width_mm, own.body_depth_mm, own.body_height_mm])
    smallest, largest = numbers("registration.body_ratio_range")
    ratio = np.clip(body.size_mm / size, smallest, largest)
    ratio = np.where(np.isfinite(ratio), ratio, np.nanmean(ratio))
    ratio = 0.5 * (ratio + ratio.mean())  # half-way to a similarity: the body's edges are read roughly
    top = body.frame.to_vertebra(body.frame.superior_endplate_mm)
    shift = np.array([0.0, 0.0, top[2] - 0.5 * ratio[2] * own.body_height_mm])
    return np.diag(ratio), shift


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Pairs:
    source: NDArray[np.int64]
    target: NDArray[np.int64]
    weights: FloatArray


def _pairs(
    samples: _Samples, target: _Samples, bone: Bone, moved: FloatArray, linear: FloatArray, keep: float
) -> _Pairs:
    """Closest points both ways; the worst share beyond `keep` and samples outside the scan are dropped."""
    turned = samples.normals @ np.linalg.inv(linear)
    turned /= np.linalg.norm(turned, axis=1, keepdims=True)
    source_6d = np.hstack([moved, NORMAL_WEIGHT_MM * turned])
    target_6d = np.hstack([target.points, NORMAL_WEIGHT_MM * target.normals])
    distance, found = cKDTree(target_6d).query(source_6d)
    source = np.flatnonzero(_in_scan(bone, moved, target, samples) & (distance <= np.quantile(distance, keep)))
    back_distance, back = cKDTree(source_6d).query(target_6d[::4])
    chosen = np.flatnonzero(back_distance <= np.quantile(back_distance, keep))
    return _Pairs(
        source=np.concatenate([source, back[chosen]]),
        target=np.concatenate([found[source], 4 * chosen]),
        weights=np.concatenate([samples.weights[source], 0.5 * samples.weights[back[chosen]]]),
    )


def _in_scan(bone: Bone, moved: FloatArray, target: _Samples, samples: _Samples) -> NDArray[np.bool_]:
    if not bone.is_cut:
        return np.ones(len(moved), dtype=bool)
    low, high = target.points.min(axis=0) - 3.0, target.points.max(axis=0) + 3.0
    near: NDArray[np.bool_] = ((moved > low) & (moved < high)).all(axis=1)
    return near


def _affine(points: FloatArray, wanted: FloatArray, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    design = np.hstack([points, np.ones((len(points), 1))])
    weighted = design * weights[:, None]
    solution = np.asarray(np.linalg.solve(design.T @ weighted, weighted.T @ wanted), dtype=np.float64)
    linear: FloatArray = solution[:3].T
    shift: FloatArray = solution[3]
    return linear, shift


def _similarity(
    linear: FloatArray, points: FloatArray, wanted: FloatArray, weights: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """The map turned, scaled alike in all directions and shifted so that points (n, 3) come nearest to those wanted.

    Notes
    -----
    Umeyama S. IEEE TPAMI 1991;13(4):376-380, with weights.
    """
    share = (weights / weights.sum())[:, None]
    moved = points @ linear.T
    from_middle, to_middle = (share * moved).sum(axis=0), (share * wanted).sum(axis=0)
    start, end = moved - from_middle, wanted - to_middle
    left, stretch, right = np.linalg.svd((share * end).T @ start)
    sign = np.array([1.0, 1.0, np.sign(np.linalg.det(left @ right))])
    turn = (left * sign) @ right
    scale = float((stretch * sign).sum() / (share * start**2).sum())
    found: FloatArray = scale * turn @ linear
    return found, to_middle - scale * turn @ from_middle


def _thinned(points: FloatArray, spacing_mm: float) -> NDArray[np.int64]:
    """Indices of one point per cube of that size, in the order of the points."""
    cube = np.floor(points / spacing_mm).astype(np.int64)
    _, first = np.unique(cube, axis=0, return_index=True)
    return np.sort(first)


def _kernel(points: FloatArray, control: FloatArray) -> FloatArray:
    return gaussian_kernel(points, control, KERNEL_MM)
