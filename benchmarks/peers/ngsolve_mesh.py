"""Finite-element meshes whose faces are the interfaces of `rf_case`: needle, tissues and far field, in millimetres.

Materials carry the names of the tissues, "wall" and "core"; boundaries are "bare" (the tip in the tissue), "far",
and in the plane mesh "axis".
"""

from __future__ import annotations

import math

from netgen.meshing import MeshingParameters
from netgen.occ import (
    Cylinder,
    Dir,
    Face,
    Glue,
    HalfSpace,
    OCCGeometry,
    Pnt,
    Sphere,
    TopoDS_Shape,
    Vec,
    WorkPlane,
    Z,
)
from ngsolve import Mesh

from benchmarks.peers.rf_case import FAR_M, Case, Layers
from foramen.physics.grid import POINT_SHARE

FAR_MM = 1e3 * FAR_M
BARE = 0.4
"""Cell size on the bare tip (mm) per `size`."""
RING = 0.25
"""Cell size at the end of the insulation, where the current density is singular, over that on the tip."""


def solid_mesh(case: Case, size: float) -> Mesh:
    """Tetrahedra for a case with layers; `size` is the growth per cell, and scales all of them."""
    if case.layers is None:
        raise ValueError("A solid mesh is made for a case with layers; use plane_mesh.")
    shape = Glue([*_needle(case), *_tissues(case, case.layers)])
    tip, radius = 1e3 * case.shape.tip_m, 1e3 * case.shape.radius_m
    for face in shape.faces:
        if face.name == "bare":
            face.maxh = BARE * size
    for edge in shape.edges:
        if abs(edge.center.z - tip) < 1e-6 and abs(edge.mass - 2 * math.pi * radius) < 1e-3:
            edge.maxh = BARE * size * RING
    rules = MeshingParameters(grading=size, curvaturesafety=max(1.0, 0.6 / size), maxh=15)
    mesh = Mesh(OCCGeometry(shape).GenerateMesh(rules))
    mesh.Curve(2)
    return mesh


OWN, FLAT = "own", 0.0
"""Ends of the plane needle: that of the case's shape, cut off square, or (any length in mm) a perfectly sharp cone."""


def plane_mesh(case: Case, size: float, end_shape: str | float = OWN) -> Mesh:
    """Triangles in the half-plane (distance from the axis, z) for a case without layers."""
    tip, radius, bore = (1e3 * x for x in (case.shape.tip_m, case.shape.radius_m, case.shape.bore_m))
    top = tip + FAR_MM
    own = 1e3 * case.shape.length_of_end_m
    solid = {OWN: own, FLAT: radius}.get(end_shape) or float(end_shape)  # length of the end without a lumen
    if end_shape == OWN:
        end = _own_end(radius, own, case.shape.is_pointed)
    elif end_shape == FLAT:
        end = _strip(0, radius, 0, radius)
    else:
        end = WorkPlane().MoveTo(0, 0).LineTo(radius, solid).LineTo(0, solid).Close().Face()
    whole = WorkPlane().MoveTo(0, radius - FAR_MM).Arc(FAR_MM, 90).LineTo(FAR_MM, top).LineTo(0, top).Close().Face()
    core = _strip(0, bore, solid, top)
    low, high = _strip(bore, radius, solid, tip), _strip(bore, radius, tip, top)
    flesh = whole - end - _strip(0, radius, solid, top)
    for part, name in ((end, "wall"), (low, "wall"), (high, "wall"), (core, "core"), (flesh, case.tissues[0])):
        for face in part.faces:
            face.name = name
    shape = Glue([end, low, high, core, flesh])
    for edge in shape.edges:
        x, y = edge.center.x, edge.center.y
        if abs(x) < 1e-9:
            edge.name = "axis"
        elif abs(y - top) < 1e-9 or x > 2 * radius:
            edge.name = "far"
        elif (abs(x - radius) < 1e-6 and y < tip) or y < 0.9 * solid:
            edge.name, edge.maxh = "bare", BARE * size
    for vertex in shape.vertices:
        is_ring = abs(vertex.p.x - radius) < 1e-6 and abs(vertex.p.y - tip) < 1e-6
        if is_ring or (end_shape != OWN and vertex.p.y < solid + 1e-6 and vertex.p.x < radius + 1e-6):
            vertex.maxh = BARE * size * RING**2
    rules = MeshingParameters(grading=size, curvaturesafety=1 / size, maxh=15)
    mesh = Mesh(OCCGeometry(shape, dim=2).GenerateMesh(rules))
    mesh.Curve(2)
    return mesh


def _own_end(radius: float, length: float, is_pointed: bool) -> Face:
    """Half a ball, or a cone between a small ball and that of the shaft, as `foramen.physics.grid` has it."""
    tip = WorkPlane().MoveTo(0, 0)
    if is_pointed:
        small = POINT_SHARE * radius
        slope = math.asin((radius - small) / (length - small))
        tip = tip.Arc(small, 90 - math.degrees(slope)).Line((length - small) * math.cos(slope))
        return tip.Arc(radius, math.degrees(slope)).LineTo(0, length).Close().Face()
    return tip.Arc(radius, 90).LineTo(0, radius).Close().Face()


def _strip(left: float, right: float, low: float, high: float) -> Face:
    return WorkPlane().MoveTo(left, low).Rectangle(right - left, high - low).Face()


def _tube(radius: float, low: float, high: float) -> TopoDS_Shape:
    return Cylinder(Pnt(0, 0, low), Z, r=radius, h=high - low)


def _needle(case: Case) -> list[TopoDS_Shape]:
    """Solid metal end, bare and insulated wall, and what fills the lumen."""
    tip, radius, bore = (1e3 * x for x in (case.shape.tip_m, case.shape.radius_m, case.shape.bore_m))
    top, centre = tip + FAR_MM, Pnt(0, 0, radius)
    end = Sphere(centre, radius) * HalfSpace(centre, Vec(0, 0, 1))
    low = _tube(radius, radius, tip) - _tube(bore, radius, tip)
    high = _tube(radius, tip, top) - _tube(bore, tip, top)
    core = _tube(bore, radius, top)
    for face in end.faces:
        if face.center.z < 0.9 * radius:
            face.name = "bare"
    for face in low.faces:
        if abs(face.mass - 2 * math.pi * radius * (tip - radius)) < 1e-3:
            face.name = "bare"
    for part, name in ((end, "wall"), (low, "wall"), (high, "wall"), (core, "core")):
        part.mat(name)
        for face in part.faces:
            if abs(face.center.z - top) < 1e-6:
                face.name = "far"
    return [end, low, high, core]


def _tissues(case: Case, layers: Layers) -> list[TopoDS_Shape]:
    """Bone, vessel, fat and muscle about the needle, out to the far field."""
    tip, radius = 1e3 * case.shape.tip_m, 1e3 * case.shape.radius_m
    top, centre = tip + FAR_MM, Pnt(0, 0, radius)
    below = HalfSpace(centre, Vec(0, 0, 1))
    body = Sphere(centre, FAR_MM) * below + _tube(FAR_MM, radius, top)
    for face in body.faces:
        face.name = "far"
    flesh = body - (Sphere(centre, radius) * below + _tube(radius, radius, top))
    before, inside = (_before(layers.bone_normal, x) for x in (layers.bone_m, layers.bone_m + layers.cortex_m))
    soft, bone = flesh * before, flesh - before
    start = [1e3 * x - 2 * FAR_MM * u for x, u in zip(layers.vessel_point_m, layers.vessel_axis, strict=True)]
    pipe = Cylinder(Pnt(*start), Dir(*layers.vessel_axis), r=1e3 * layers.vessel_radius_m, h=4 * FAR_MM)
    under = _before(layers.fat_normal, layers.fat_m)
    muscle, cortical, cancellous, fat, blood = (
        (soft - pipe) * under,
        bone * inside,
        bone - inside,
        (soft - pipe) - under,
        soft * pipe,
    )
    parts = [muscle, cortical, cancellous, fat, blood]
    for part, name in zip(parts, case.tissues, strict=True):
        part.mat(name)
    return parts


def _before(normal: tuple[float, float, float], offset_m: float) -> TopoDS_Shape:
    """The half-space normal . p <= offset."""
    return HalfSpace(Pnt(*(1e3 * offset_m * n for n in normal)), Vec(*normal))
