"""Surfaces from masks against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh

from foramen.errors import ImageError
from foramen.geometry.meshes import surface_from_mask
from foramen.model.space import VolumeGeometry

RADIUS_MM = 12.0
CENTRE_MM = np.array([3.0, -40.0, 25.0])


def grid(axes: np.ndarray, spacing_mm: tuple[float, float, float]) -> VolumeGeometry:
    shape = (52, 46, 40)
    affine = np.eye(4)
    affine[:3, :3] = axes * np.array(spacing_mm)
    affine[:3, 3] = CENTRE_MM - affine[:3, :3] @ (0.5 * (np.array(shape) - 1))
    return VolumeGeometry(shape=shape, affine_mm=affine, frame_uid="1.2.3")


@pytest.mark.parametrize("signs", [(1, 1, 1), (-1, -1, 1), (-1, 1, 1)])  # the last one is a left-handed grid
@pytest.mark.parametrize("spacing_mm", [(0.7, 0.8, 1.0), (1.0, 1.0, 1.0)])
def test_ball_has_its_volume_centre_and_outward_faces(
    signs: tuple[int, int, int], spacing_mm: tuple[float, float, float]
) -> None:
    geometry = grid(np.diag(signs).astype(float), spacing_mm)
    index = np.stack(np.meshgrid(*(np.arange(n) for n in geometry.shape), indexing="ij"), axis=-1).astype(float)
    mask = np.linalg.norm(geometry.lps_mm(index.reshape(-1, 3)) - CENTRE_MM, axis=1) < RADIUS_MM
    surface = surface_from_mask(mask.reshape(geometry.shape), geometry)
    mesh = trimesh.Trimesh(surface.vertices_mm, surface.faces, process=False)
    assert mesh.is_watertight
    assert mesh.volume == pytest.approx(
        4 / 3 * np.pi * RADIUS_MM**3, rel=0.02
    )  # Gaussian smoothing shrinks it a little
    np.testing.assert_allclose(mesh.center_mass, CENTRE_MM, atol=0.05)
    away = np.linalg.norm(surface.vertices_mm - CENTRE_MM, axis=1)
    assert np.abs(away - RADIUS_MM).max() < 0.7 * max(spacing_mm)
    assert surface.frame_uid == "1.2.3"


def test_mask_at_the_edge_is_closed() -> None:
    geometry = grid(np.eye(3), (1.0, 1.0, 1.0))
    mask = np.zeros(geometry.shape, dtype=bool)
    mask[:, :, :10] = True
    surface = surface_from_mask(mask, geometry, smoothing_mm=0.0)
    assert trimesh.Trimesh(surface.vertices_mm, surface.faces, process=False).is_watertight


def test_empty_or_foreign_mask_is_refused() -> None:
    geometry = grid(np.eye(3), (1.0, 1.0, 1.0))
    with pytest.raises(ImageError, match="empty"):
        surface_from_mask(np.zeros(geometry.shape, dtype=bool), geometry)
    with pytest.raises(ImageError, match="differ"):
        surface_from_mask(np.ones((2, 2, 2), dtype=bool), geometry)
