"""How far a point carried to a patient's bone may be off: the spread that the bone's surface leaves open.

The field that carries the reference bone is seen as a Gaussian process: between people it varies smoothly by some
millimetres (measured on bones that had no part in the reference), and the patient's surface tells how far the bone
moved along its normal, where it is in the scan, as exactly as the fit and the voxels allow. Along the surface it tells
nothing. What remains unknown is the posterior covariance: small across a well fitted surface, larger along it, and as
large as between people where the scan shows no bone.

References
----------
Lüthi M et al. Gaussian Process Morphable Models. IEEE TPAMI 2018;40(8):1860-1873, doi:10.1109/TPAMI.2017.2739743
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from foramen.anatomy.bones import Bone
from foramen.knowledge.facts import number
from foramen.model.space import FloatArray

NUGGET = 1e-6
"""Added to the covariance of neighbouring control points, relative to its size, to keep it positive."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Spread:
    """Posterior of the field that carries a reference bone.

    Parameters
    ----------
    control_mm : ndarray, shape (m, 3)
        Control points in the vertebra's frame.
    covariance_mm2 : ndarray, shape (3 m, 3 m)
        Covariance of the field's weights, components outermost; a weight is a displacement of the prior's kernel.
    kernel_mm : float
        Standard deviation of the Gaussian kernel.
    prior_sd_mm : float
        Standard deviation of one component of the field between people.
    axes : ndarray, shape (3, 3)
        Axes of the vertebra, to turn covariances to LPS.
    """

    control_mm: FloatArray
    covariance_mm2: FloatArray
    kernel_mm: float
    prior_sd_mm: float
    axes: FloatArray

    def at(self, points_mm: FloatArray) -> FloatArray:
        """Covariance (n, 3, 3), mm2, LPS, of the field at points (n, 3) in the vertebra's frame.

        Notes
        -----
        What the control points cannot represent at a point far from all of them is prior variance.
        """
        count = len(self.control_mm)
        kernel = gaussian_kernel(np.atleast_2d(points_mm), self.control_mm, self.kernel_mm)
        blocks = self.covariance_mm2.reshape(3, count, 3, count)
        local = np.einsum("ni,aibj,nj->nab", kernel, blocks, kernel, optimize=True)
        own = gaussian_kernel(self.control_mm, self.control_mm, self.kernel_mm) + NUGGET * np.eye(count)
        explained = np.einsum("ni,in->n", kernel, np.linalg.solve(own, kernel.T))
        local += (self.prior_sd_mm**2 * np.clip(1.0 - explained, 0.0, None))[:, None, None] * np.eye(3)
        found: FloatArray = self.axes @ local @ self.axes.T
        return found


def spread_of_field(
    bone: Bone,
    *,
    control_mm: FloatArray,
    points_mm: FloatArray,
    normals: FloatArray,
    off_mm: FloatArray,
    spacing_mm: FloatArray,
    axes: FloatArray,
    kernel_mm: float,
) -> Spread:
    """Posterior of the field after the surface has been seen.

    Parameters
    ----------
    bone : Bone
        The patient's bone.
    control_mm : ndarray, shape (m, 3)
        Control points of the field, vertebra's frame.
    points_mm, normals : ndarray, shape (n, 3)
        Carried samples that lie in the scan, and the bone's normals there, vertebra's frame.
    off_mm : ndarray, shape (n,)
        Their distance from the bone after the fit.
    spacing_mm : ndarray, shape (n,)
        Distance of neighbouring samples.
    axes : ndarray, shape (3, 3)
        Axes of the vertebra in LPS.
    kernel_mm : float
        Standard deviation of the field's Gaussian kernel.

    Notes
    -----
    Weights ``w ~ N(0, s^2 G^-1)`` give the prior ``s^2 k``; an observation ``n . (K w)`` has the variance of the local
    misfit plus that of a boundary drawn in voxels of edge ``h`` (uniform, ``h^2 / 12``). Misfits of neighbouring
    samples are alike over some millimetres, so samples closer than that share one observation.
    """
    count = len(control_mm)
    own = gaussian_kernel(control_mm, control_mm, kernel_mm) + NUGGET * np.eye(count)
    prior_sd = number("registration.shape_variation_rms_mm") / np.sqrt(3.0)
    precision = np.zeros((3, count, 3, count))
    for a in range(3):
        precision[a, :, a, :] = own / prior_sd**2
    if len(points_mm):
        kernel = gaussian_kernel(points_mm, control_mm, kernel_mm)
        near = gaussian_kernel(points_mm, points_mm, number("registration.misfit_correlation_mm"))
        misfit = near @ off_mm**2 / near.sum(axis=1)
        share = np.minimum(1.0, (spacing_mm / number("registration.misfit_correlation_mm")) ** 2)
        weight = share / (misfit + bone.spacing_mm**2 / 12.0)
        for a in range(3):
            for b in range(a, 3):
                block = kernel.T @ (kernel * (weight * normals[:, a] * normals[:, b])[:, None])
                precision[a, :, b, :] += block
                if a != b:
                    precision[b, :, a, :] += block
    matrix = precision.reshape(3 * count, 3 * count)
    covariance = cho_solve(cho_factor(matrix, lower=True), np.eye(3 * count))
    return Spread(
        control_mm=control_mm, covariance_mm2=covariance, kernel_mm=kernel_mm, prior_sd_mm=float(prior_sd), axes=axes
    )


def gaussian_kernel(points_mm: FloatArray, control_mm: FloatArray, width_mm: float) -> FloatArray:
    """Gaussians (n, m) of standard deviation `width_mm` about control points (m, 3) at points (n, 3)."""
    squared = (points_mm**2).sum(axis=1)[:, None] + (control_mm**2).sum(axis=1) - 2 * points_mm @ control_mm.T
    found: FloatArray = np.exp(-0.5 * np.maximum(squared, 0.0) / width_mm**2)
    return found
