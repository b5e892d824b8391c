"""Finite-element meshes about pointed needles in one tissue: a true one-plane bevel, and points with an axis, in mm.

The frame is that of `rf_case`: z runs from the point to the hub, the axis of the shaft is x = y = 0. A bevel is the
cylinder cut by one plane; its point lies on the outer wall, at x = radius, and the mesh is the half y >= 0. A point
with an axis is meshed in the half-plane. Materials and boundaries carry the names of `ngsolve_mesh`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from netgen.meshing import MeshingParameters
from netgen.occ import Axis as OccAxis
from netgen.occ import Cylinder, Glue, HalfSpace, OCCGeometry, Pnt, Revolve, Sphere, TopoDS_Shape, Vec, WorkPlane, Z
from ngsolve import Mesh

from benchmarks.peers.ngsolve_mesh import FAR_MM, RING
from benchmarks.peers.rf_case import Case

NEAR = 1e-6
"""Coordinates that differ by less are the same (mm)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cone:
    """A point with an axis.

    Parameters
    ----------
    length_mm : float
        From the very point to the whole shaft.
    ball_mm : float
        Radius of the ball at the point.
    is_hull : bool
        The convex hull of that ball and of the shaft's own, which ends at `length_mm`; else a cone with corners.
    """

    length_mm: float
    ball_mm: float = 0.0
    is_hull: bool = True


def half_angle_rad(cone: Cone, radius: float) -> float:
    """Angle between the axis and the straight part of a point on a shaft of this radius (mm)."""
    if not cone.is_hull:
        return math.atan2(radius, cone.length_mm)
    between, thicker = cone.length_mm - cone.ball_mm, radius - cone.ball_mm
    return math.asin(min(thicker / between, 1.0)) if between > NEAR else 0.0


def _profile(cone: Cone, radius: float) -> WorkPlane:
    """The outline from the very point to the shaft."""
    pen = WorkPlane().MoveTo(0, 0)
    if not cone.is_hull:
        return pen.LineTo(radius, cone.length_mm)
    angle = half_angle_rad(cone, radius)
    straight = math.sqrt(max((cone.length_mm - cone.ball_mm) ** 2 - (radius - cone.ball_mm) ** 2, 0.0))
    turn = 90 - math.degrees(angle)
    pen = pen.Arc(cone.ball_mm, turn) if cone.ball_mm > NEAR else pen.Rotate(turn)
    if straight > NEAR:
        pen = pen.Line(straight)
    return pen.Arc(radius, math.degrees(angle)) if angle > NEAR else pen


def _end(cone: Cone, radius: float) -> TopoDS_Shape:
    return _profile(cone, radius).LineTo(0, cone.length_mm).Close().Face()


def point_mesh(case: Case, cone: Cone, cell_mm: float) -> Mesh:
    """Triangles in the half-plane (distance from the axis, z); `cell_mm` on the bare tip scales all of them."""
    tip, radius, bore = (1e3 * x for x in (case.shape.tip_m, case.shape.radius_m, case.shape.bore_m))
    top, base = tip + FAR_MM, cone.length_mm
    whole = WorkPlane().MoveTo(0, radius - FAR_MM).Arc(FAR_MM, 90).LineTo(FAR_MM, top).LineTo(0, top).Close().Face()
    end = _end(cone, radius)
    flesh = whole - end - _strip(0, radius, base, top)
    low, high, core = _strip(bore, radius, base, tip), _strip(bore, radius, tip, top), _strip(0, bore, base, top)
    for part, name in ((end, "wall"), (low, "wall"), (high, "wall"), (core, "core"), (flesh, case.tissues[0])):
        for face in part.faces:
            face.name = name
    shape = Glue([end, low, high, core, flesh])
    for edge in shape.edges:
        x, z = edge.center.x, edge.center.y
        if abs(x) < NEAR:
            edge.name = "axis"
        elif abs(z - top) < NEAR or x > 2 * radius:
            edge.name = "far"
        elif (abs(x - radius) < NEAR and z < tip) or (z < base - NEAR and x > NEAR):
            edge.name, edge.maxh = "bare", cell_mm
    for vertex in shape.vertices:
        r, z = vertex.p.x, vertex.p.y
        is_corner = r < NEAR and abs(z) < NEAR and cone.ball_mm < radius - NEAR
        is_ring = abs(r - radius) < NEAR and (abs(z - tip) < NEAR or (abs(z - base) < NEAR and not cone.is_hull))
        if is_corner or is_ring:
            vertex.maxh = cell_mm * RING**2
    rules = MeshingParameters(grading=0.2, curvaturesafety=4, maxh=15)
    return _curved(Mesh(OCCGeometry(shape, dim=2).GenerateMesh(rules)))


def bevel_mesh(case: Case, bevel_mm: float, cell_mm: float) -> Mesh:
    """Tetrahedra in the half y >= 0 about a bevel of this length along the axis; the lumen is filled to its face."""
    tip, radius, bore = (1e3 * x for x in (case.shape.tip_m, case.shape.radius_m, case.shape.bore_m))
    uncut = HalfSpace(Pnt(radius, 0, 0), Vec(-bevel_mm / (2 * radius), 0, -1))
    low, core = (_tube(radius, 0, tip) - _tube(bore, 0, tip)) * uncut, _tube(bore, 0, tip + FAR_MM) * uncut
    return _solid_mesh(case, low, core, _tube(radius, 0, tip + FAR_MM) * uncut, cell_mm)


def turned_mesh(case: Case, cone: Cone, cell_mm: float) -> Mesh:
    """The point with an axis as tetrahedra in the half y >= 0, to compare the two set-ups."""
    tip, radius, bore = (1e3 * x for x in (case.shape.tip_m, case.shape.radius_m, case.shape.bore_m))
    top, base = tip + FAR_MM, cone.length_mm
    upright = _end(cone, radius).Rotate(OccAxis(Pnt(0, 0, 0), Vec(1, 0, 0)), 90)
    end = Revolve(upright, OccAxis(Pnt(0, 0, 0), Z), 360)
    low = end + (_tube(radius, base, tip) - _tube(bore, base, tip))
    return _solid_mesh(case, low, _tube(bore, base, top), end + _tube(radius, base, top), cell_mm)


def _solid_mesh(case: Case, low: TopoDS_Shape, core: TopoDS_Shape, whole: TopoDS_Shape, cell_mm: float) -> Mesh:
    """Needle (bare wall, core, all of it) in its tissue, halved."""
    tip, radius, bore = (1e3 * x for x in (case.shape.tip_m, case.shape.radius_m, case.shape.bore_m))
    top, half = tip + FAR_MM, HalfSpace(Pnt(0, 0, 0), Vec(0, -1, 0))
    high = _tube(radius, tip, top) - _tube(bore, tip, top)
    centre = Pnt(0, 0, radius)
    body = Sphere(centre, FAR_MM) * HalfSpace(centre, Vec(0, 0, 1)) + _tube(FAR_MM, radius, top)
    parts = [part * half for part in (low, high, core, body - whole)]
    for part, name in zip(parts, ("wall", "wall", "core", case.tissues[0]), strict=True):
        part.mat(name)
    shape = Glue(parts)
    for face in shape.faces:
        place = face.center
        if abs(place.y) < NEAR:
            face.name = "cut"
        elif abs(place.z - top) < NEAR or math.hypot(place.x, place.y) > FAR_MM / 4 or place.z < -FAR_MM / 4:
            face.name = "far"
    flesh = next(solid for solid in shape.solids if solid.name == case.tissues[0])
    for face in flesh.faces:
        if face.name not in {"cut", "far"} and face.center.z < tip:
            face.name, face.maxh = "bare", cell_mm
    for face in flesh.faces:
        for edge in face.edges if face.name == "bare" else ():
            if abs(edge.center.y) > NEAR:
                edge.maxh = cell_mm * RING
    for vertex in shape.vertices:
        if abs(vertex.p.z) < NEAR and math.hypot(vertex.p.x, vertex.p.y) < 2 * radius:
            vertex.maxh = cell_mm * RING**2
    rules = MeshingParameters(grading=0.4, curvaturesafety=2, maxh=15)
    return _curved(Mesh(OCCGeometry(shape).GenerateMesh(rules)))


def _curved(mesh: Mesh) -> Mesh:
    mesh.Curve(2)
    return mesh


def _strip(left: float, right: float, low: float, high: float) -> TopoDS_Shape:
    return WorkPlane().MoveTo(left, low).Rectangle(right - left, high - low).Face()


def _tube(radius: float, low: float, high: float) -> TopoDS_Shape:
    return Cylinder(Pnt(0, 0, low), Z, r=radius, h=high - low)
