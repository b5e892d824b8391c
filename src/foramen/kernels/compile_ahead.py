"""Compile every kernel into the cache on disk: ``python -m foramen.kernels.compile_ahead``.

The first run after an installation would otherwise wait for the compiler in the middle of a plan; a process of
its own does it on another core while the plan begins. Each kernel is called once on arrays of the types that
the callers pass.
"""

from __future__ import annotations

import numpy as np

from foramen.kernels import conductance, distance, exposure, needle_field, raycast, stencil


def compile_all() -> None:
    """Call each kernel once on small arrays."""
    shape = (3, 3, 3)
    halves = (np.ones((3, 3)), np.ones((3, 3)), np.ones((3, 3)), np.ones((3, 3)), np.ones((3, 3)))
    *links, far = conductance.face_conductances(np.ones(shape), halves, True, False)
    diagonal = conductance.sum_of_conductances(*links, far)
    conductance.joule_heat_w(np.ones(shape), np.ones(shape), halves, *links, far, np.ones((3, 3)))
    none = (np.empty((0, 0, 0)),) * 3
    for is_revolved in (True, False):
        factors = stencil.preconditioner(diagonal, (links[0], links[1], links[2]), is_revolved=is_revolved)
        stencil.conjugate_gradients(diagonal, *links, *factors, *none, np.ones(shape), np.zeros(shape), 1e-3, 3)
    exposure.add_exposure(np.ones(2), np.ones(2), 1.0, np.ones((4, 2)), 0.0, 1.0, np.zeros((2, 2)))

    field = np.zeros((8, 8, 8), dtype=np.float32)
    field[2:6, 2:6, 2:6] = 1.0
    index_from_world = np.ascontiguousarray(np.eye(4)[:3])
    points = np.zeros((2, 3))
    distance.sample_trilinear(field, index_from_world, points)
    distance.segments_to_polyline(points, points + 1.0, points + np.array([[2.0], [3.0]]))

    nodes = (np.arange(3.0), np.array([0.4, 1.2]), np.arange(1.0, 3.0))
    needle_field.read_field(points, np.zeros(3), np.eye(3), nodes, 1.0, np.zeros((3, 4, 3)))
    several = np.zeros((3, 4, 3, 2), dtype=np.float32)
    needle_field.read_combined(points[None], np.zeros((1, 3)), np.eye(3)[None], nodes, 1.0, several, np.zeros((1, 2)))

    starts = np.array([[4.0, 4.0, -2.0], [3.0, 3.0, -2.0]])
    directions = np.array([[0.0, 0.0, 1.0], [0.0, 0.0, 1.0]])
    leaps = raycast.safe_leaps(field, 0.5)
    raycast.surface_crossings(field, index_from_world, leaps, starts, directions, 10.0, 0.5, 0.5, 2)
    raycast.line_integrals(field, index_from_world, starts, directions, 10.0, 0.5)
    ends, radii = np.array([[[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]]]), np.ones(1)
    raycast.capsule_hits(starts, directions, ends, radii)
    raycast.capsule_chords(starts, directions, ends, radii)


if __name__ == "__main__":
    compile_all()
