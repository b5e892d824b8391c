"""Bones, discs, joints and foramina of the reference body on the voxel grid."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType

import numpy as np
from scipy.ndimage import map_coordinates

from foramen.anatomy.reference_body.canvas import Canvas, paint_ellipsoid
from foramen.anatomy.reference_body.dimensions import dimensions, joint_space_mm
from foramen.anatomy.reference_body.drawings_by_region import body_form_of, facet_of, foramen_of
from foramen.anatomy.reference_body.field import FIELD_SPACING_MM, BoneField
from foramen.anatomy.reference_body.pelvis import coccyx_field, hip_field
from foramen.anatomy.reference_body.placement import Placement
from foramen.anatomy.reference_body.primitives import FAR_MM, Field, section_power
from foramen.anatomy.reference_body.rib_cage import CARRIERS
from foramen.anatomy.reference_body.ribs import rib_pieces
from foramen.anatomy.reference_body.shapes import vector
from foramen.anatomy.reference_body.spine_line import SpineLine
from foramen.anatomy.reference_body.tissue_hu import USUAL_BONE, BoneMaterial, bone_hu
from foramen.anatomy.reference_body.vertebra import on_side
from foramen.knowledge.drawings import drawing
from foramen.knowledge.facts import number
from foramen.knowledge.labels import FIRST_STRUCTURE, disc_value, structure_value
from foramen.model.anatomy import VertebraFrame
from foramen.model.levels import Side, Vertebra

Block = tuple[slice, slice, slice]

_MARGIN_MM = 3.0
"""Air left around a bone on the voxel grid."""

_DISC_BOX_MM = (32, 28, 18)
"""Half size of the block of voxels in which a disc is painted: larger than any disc."""


_LOOK_UP_MM = 4.0
"""Distance of the voxels at which a deformation is looked up; finer than the deformation's own grid."""

_SOUND: Mapping[Vertebra, tuple[float, float]] = MappingProxyType({})
_FLAT: Mapping[Vertebra, float] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlacedBone:
    """Signed distance (mm) of one bone on a block of the voxel grid, with the label values it would give.

    `value` is the label of the whole bone; `extra_shell_mm` is by how much its shell is thicker than usual, if it is.
    """

    value: int
    block: Block
    distance_mm: Field
    values: np.ndarray
    is_body: np.ndarray
    extra_shell_mm: Field | None = None


def place_bones(
    canvas: Canvas,
    placements: Mapping[Vertebra, Placement],
    carriers: Mapping[Vertebra, Placement],
    spaces: Mapping[Vertebra, tuple[float, float]] = _SOUND,
) -> list[PlacedBone]:
    """Bones on the grid, from the lowest upwards, then ribs, hips and coccyx of `carriers`; joints are kept open.

    `spaces` are the left and right joint spaces (mm) below a vertebra that are not the usual one.
    """
    placed: list[PlacedBone] = []
    lower: PlacedBone | None = None
    for level in reversed(list(placements)):
        bone = _place(canvas, placements[level].bone, placements[level], 100 * level.number)
        if lower is not None:
            _keep_apart(bone, lower, _space_mm(canvas, bone, lower, placements[level], spaces.get(level)))
        placed.append(bone)
        lower = bone
    near = [bone for bone in placed if bone.distance_mm.size]
    for field, carrier, name, side in _carried(carriers):
        other = _place(canvas, field, carriers[carrier], structure_value(name), side=side)
        if not other.distance_mm.size:
            continue
        for bone in near:
            _keep_apart(other, bone, joint_space_mm())
        placed.append(other)
    return placed


def _space_mm(
    canvas: Canvas,
    bone: PlacedBone,
    lower: PlacedBone,
    placement: Placement,
    sides_mm: tuple[float, float] | None,
) -> float | Field:
    """Least distance of two neighbours on the voxels that they share: one value, or another to the left and right."""
    block = _shared(bone.block, lower.block)
    if sides_mm is None or block is None:
        return joint_space_mm(placement.drawn_as)
    x, _, _ = _local(canvas, block, placement.frame, placement.scale)
    return np.where(x > 0, np.float32(sides_mm[0]), np.float32(sides_mm[1]))


def _carried(placements: Mapping[Vertebra, Placement]) -> Iterator[tuple[BoneField, Vertebra, str, Side]]:
    """Fields of ribs, hip bones and coccyx, the vertebra that carries each, its label and side."""
    for level, placement in placements.items():
        if placement.drawn_as in CARRIERS:
            pieces = rib_pieces(placement.drawn_as)
            yield from ((piece, level, f"ribs_{side.value}", side) for piece in pieces for side in Side)
        elif level.name == "S1":
            yield from ((hip_field(), level, f"hip_{side.value}", side) for side in Side)
            yield coccyx_field(), level, "coccyx", Side.LEFT


def paint_bones(canvas: Canvas, bones: list[PlacedBone]) -> None:
    """Write the labels of placed bones."""
    for bone in bones:
        labels = canvas.labels[bone.block]
        inside = bone.distance_mm < 0
        labels[inside] = bone.values[inside]


def blend_bones(image: Field, canvas: Canvas, bones: list[PlacedBone], material: BoneMaterial = USUAL_BONE) -> None:
    """Write Hounsfield units of bones into the image, mixing with what lies beside them at their surface."""
    size_mm = np.float32(canvas.geometry.spacing_mm.mean())
    for bone in bones:
        fraction = np.clip(0.5 - bone.distance_mm / size_mm, 0, 1)
        block = image[bone.block]
        block += fraction * (bone_hu(bone.distance_mm, bone.is_body, material, bone.extra_shell_mm) - block)


def paint_discs(
    canvas: Canvas, placements: Mapping[Vertebra, Placement], bulges_mm: Mapping[Vertebra, float] = _FLAT
) -> None:
    """Paint each disc with its nucleus between its neighbours; `bulges_mm` is how far it stands out behind."""
    shape = drawing("reference_bones.disc").numbers
    for upper, lower in pairwise(placements.values()):
        if upper.level.name == "C1":  # no disc between atlas and axis
            continue
        above, below, body = dimensions(upper.drawn_as), dimensions(lower.drawn_as), body_form_of(upper.drawn_as)
        middle = 0.5 * (upper.frame.inferior_endplate_mm + lower.frame.superior_endplate_mm)
        block = _block_around(canvas, middle[None] - _DISC_BOX_MM, middle[None] + _DISC_BOX_MM)
        if min(span.stop - span.start for span in block) <= 0:  # beside the image
            continue
        x, y, z = own_coordinates(canvas, block, upper)
        _, y_lower, z_lower = own_coordinates(canvas, block, lower)
        half_width = 0.25 * (above.body_width_mm + below.body_width_mm) + shape["overhang_mm"]
        half_depth = 0.25 * (above.body_depth_mm + below.body_depth_mm) + shape["overhang_mm"]
        plate = (z + 0.5 * above.body_height_mm) * np.cos(above.wedge_rad) + y * np.sin(above.wedge_rad)
        bulge_mm, bulge = bulges_mm.get(upper.level), np.zeros(1, dtype=np.float32)
        if bulge_mm is not None:  # a changed disc lies between both bodies, which may have slipped
            y = 0.5 * (y + y_lower - float(np.mean(y_lower - y)))
            bulge = np.where(y > 0, bulge_mm, 0.0).astype(np.float32)
        middle_part = np.clip(1 - (body["hollow_narrowing"] * x / half_width) ** 2, 0, 1)
        flat = np.where(y > 0, shape["flat_mm"] * middle_part, 0)
        power = section_power(body, y)
        outline = np.abs(x / half_width) ** power + np.abs((y + flat) / (half_depth + bulge)) ** power
        overlap_mm = shape["overlap_mm"]
        inside = (outline < 1) & (plate < overlap_mm) & (z_lower > 0.5 * below.body_height_mm - overlap_mm)
        canvas.labels[block][inside] = disc_value(upper.level)
        core = np.hypot(x / half_width, y / half_depth - shape["nucleus_back_fraction"]) < shape["nucleus_fraction"]
        from_plate_mm = -shape["nucleus_from_endplate_mm"]
        core &= (plate < from_plate_mm) & (z_lower > 0.5 * below.body_height_mm - from_plate_mm)
        canvas.labels[block][core] = structure_value("nucleus_pulposus")


def paint_joints(canvas: Canvas, bones: list[PlacedBone], placements: Mapping[Vertebra, Placement]) -> None:
    """Paint cartilage and capsule between the facets of neighbouring vertebrae."""
    shape = drawing("reference_bones.facet_joint").numbers
    value, gap = structure_value("facet_joint"), joint_space_mm() + shape["capsule_mm"]
    upwards = list(reversed(list(placements.values())))
    for lower, below, above in zip(upwards[:-1], bones[: len(upwards) - 1], bones[1 : len(upwards)], strict=True):
        block = _shared(below.block, above.block)
        if block is None:
            continue
        between = _between(below, above, block, gap, shape["both_fraction"])
        x, y, z = own_coordinates(canvas, block, lower)
        centre, _, _ = facet_of(lower.drawn_as)
        away = (np.abs(x) - centre[0]) ** 2 + (y - centre[1]) ** 2 + (z - centre[2]) ** 2
        canvas.labels[block][between & (away < shape["reach_mm"] ** 2)] = value


def paint_sacroiliac_joints(canvas: Canvas, bones: list[PlacedBone], sacrum_placed: Placement) -> None:
    """Paint the cartilage between sacrum and hip bones, as far as the auricular surface reaches."""
    shape = drawing("reference_sacrum.joint")
    facets = drawing("reference_bones.facet_joint").numbers
    gap, value = joint_space_mm() + shape.numbers["capsule_mm"], structure_value("sacroiliac_joint")
    centre, radii = shape.ellipsoids["auricular"].centre_mm, shape.ellipsoids["auricular"].radii_mm
    by_value = {bone.value: bone for bone in bones}
    sacrum = by_value.get(100 * Vertebra("S1").number)
    for side in Side:
        hip = by_value.get(structure_value(f"hip_{side.value}"))
        block = None if sacrum is None or hip is None else _shared(sacrum.block, hip.block)
        if sacrum is None or hip is None or block is None:
            continue
        x, y, z = own_coordinates(canvas, block, sacrum_placed)
        away = ((y - centre[1]) / radii[1]) ** 2 + ((z - centre[2]) / radii[2]) ** 2
        near = _between(sacrum, hip, block, gap, facets["both_fraction"]) & (away < 1) & (x * side.sign > 0)
        canvas.labels[block][near] = value


def paint_foramina(canvas: Canvas, spine: SpineLine) -> None:
    """Paint the fat of the intervertebral foramina."""
    value = structure_value("foraminal_fat")
    soft = tuple(
        structure_value(name)
        for name in (
            "deep_fat",
            "psoas_left",
            "psoas_right",
            "multifidus_left",
            "multifidus_right",
            "ligamentum_flavum",
            "chest_wall",
        )
    )
    for level in spine.frames:
        if level.name == "S1":
            continue
        corner, fat = foramen_of(level)
        left, back, up = np.array(corner) + np.array(fat.centre_mm)
        for side in Side:
            place = vector(spine.point(level.name, side.sign * left, back, up))
            paint_ellipsoid(canvas, value, place, fat.radii_mm, only=soft)


def _place(canvas: Canvas, field: BoneField, placement: Placement, value: int, *, side: Side = Side.LEFT) -> PlacedBone:
    occupied = np.argwhere(field.distance_mm[::3, ::3, ::3] < 1.0) * 3
    low = np.array(field.low_mm) + FIELD_SPACING_MM * (occupied.min(0) - 3) - _MARGIN_MM
    high = np.array(field.low_mm) + FIELD_SPACING_MM * (occupied.max(0) + 3) + _MARGIN_MM
    corners = np.array(
        [[(low, high)[i][0], (low, high)[j][1], (low, high)[k][2]] for i in (0, 1) for j in (0, 1) for k in (0, 1)]
    )
    lps = placement.frame.to_lps(on_side(corners, side) * np.array(placement.scale))
    reach_mm = 0.0 if placement.deformation is None else placement.deformation.largest_mm
    block = _block_around(canvas, lps.min(0, keepdims=True) - reach_mm, lps.max(0, keepdims=True) + reach_mm)
    x, y, z = own_coordinates(canvas, block, placement)
    index = np.stack(
        np.broadcast_arrays(
            *((c - o) / FIELD_SPACING_MM for c, o in zip((x * side.sign, y, z), field.low_mm, strict=True))
        )
    )
    distance = map_coordinates(field.distance_mm, index, order=1, cval=FAR_MM, output=np.float32)
    distance *= np.float32(np.mean(placement.scale))
    if value >= FIRST_STRUCTURE:
        values = np.full(distance.shape, value, dtype=np.uint16)
        is_body = np.zeros(distance.shape, dtype=bool)
    else:
        parts = field.part_at(field_points(index, field)).reshape(distance.shape)
        values = (np.uint16(value) + parts).astype(np.uint16)
        is_body = parts == 1
    shell = _extra_shell_mm(placement, x, y, z) if value < FIRST_STRUCTURE else None
    return PlacedBone(
        value=value, block=block, distance_mm=distance, values=values, is_body=is_body, extra_shell_mm=shell
    )


def _extra_shell_mm(placement: Placement, x: Field, y: Field, z: Field) -> Field | None:
    """How much thicker the shell is about arthrotic joints, at coordinates in the mean bone's frame."""
    if not placement.growths:
        return None
    width_mm = number("cohort.facet_reach_mm")
    found: Field = np.zeros(np.broadcast_shapes(x.shape, y.shape, z.shape), dtype=np.float32)
    for growth in placement.growths:
        cx, cy, cz = (np.float32(c) for c in growth.centre_mm)
        away = (x - cx) ** 2 + (y - cy) ** 2 + (z - cz) ** 2
        found += np.float32(growth.shell_mm) * np.exp(-away / np.float32(2 * width_mm**2))
    return found


def field_points(index: np.ndarray, field: BoneField) -> np.ndarray:
    """Points (n, 3) in the vertebra's frame of field indices (3, ...)."""
    points: np.ndarray = index.reshape(3, -1).T * FIELD_SPACING_MM + np.array(field.low_mm)
    return points


def _keep_apart(bone: PlacedBone, other: PlacedBone, space_mm: float | Field) -> None:
    """Carve a bone back to the joint space from its neighbour, in place."""
    block = _shared(bone.block, other.block)
    if block is None:
        return
    own = _cut(bone, block)
    space = np.float32(space_mm) if isinstance(space_mm, float) else space_mm
    np.maximum(own, space - _cut(other, block), out=own)


def _between(first: PlacedBone, second: PlacedBone, block: Block, gap_mm: float, both_fraction: float) -> np.ndarray:
    """Voxels of a block that lie in the narrow space between two bones."""
    one, other = _cut(first, block), _cut(second, block)
    found: np.ndarray = (
        (one > 0) & (other > 0) & (one + other < both_fraction * gap_mm) & (one < gap_mm) & (other < gap_mm)
    )
    return found


def _shared(first: Block, second: Block) -> Block | None:
    found = [slice(max(a.start, b.start), min(a.stop, b.stop)) for a, b in zip(first, second, strict=True)]
    return None if any(s.start >= s.stop for s in found) else (found[0], found[1], found[2])


def _cut(bone: PlacedBone, block: Block) -> Field:
    inner = tuple(slice(b.start - a.start, b.stop - a.start) for a, b in zip(bone.block, block, strict=True))
    view: Field = bone.distance_mm[inner]
    return view


def _block_around(canvas: Canvas, low_mm: np.ndarray, high_mm: np.ndarray) -> Block:
    spans = [canvas.span(axis, low_mm[0, axis], high_mm[0, axis]) for axis in range(3)]
    return spans[0], spans[1], spans[2]


def own_coordinates(canvas: Canvas, block: Block, placement: Placement) -> tuple[Field, Field, Field]:
    """Coordinates in the mean bone's frame of a block's voxels, the deformation undone.

    A smooth deformation is looked up on every few voxels and taken linearly between them.
    """
    if placement.deformation is None:
        return _local(canvas, block, placement.frame, placement.scale)
    local = _local(canvas, block, placement.frame, (1.0, 1.0, 1.0))
    shape = tuple(s.stop - s.start for s in block)
    if min(shape) <= 0:  # beside the image
        return local
    steps = [max(round(_LOOK_UP_MM / size), 1) for size in canvas.geometry.spacing_mm]
    nodes = [np.unique(np.append(np.arange(0, n, step), n - 1)) for n, step in zip(shape, steps, strict=True)]
    coarse = [c[np.ix_(*nodes)] for c in np.broadcast_arrays(*local)]
    moved = placement.deformation.at(np.stack([c.ravel() for c in coarse], axis=1)).astype(np.float32)
    found = []
    for axis in range(3):
        values = moved[:, axis].reshape(coarse[0].shape)
        for along in range(3):
            values = _interpolated(values, nodes[along], shape[along], along)
        found.append((local[axis] - values) / np.float32(placement.scale[axis]))
    return found[0], found[1], found[2]


def _interpolated(values: Field, nodes: np.ndarray, count: int, axis: int) -> Field:
    """Values known at `nodes` along one axis, linear at all of its `count` places."""
    if len(nodes) == count:
        return values
    place = np.arange(count)
    upper = np.clip(np.searchsorted(nodes, place, side="right"), 1, len(nodes) - 1)
    weight = ((place - nodes[upper - 1]) / (nodes[upper] - nodes[upper - 1])).astype(np.float32)
    weight = weight.reshape([-1 if a == axis else 1 for a in range(3)])
    low, high = np.take(values, upper - 1, axis=axis), np.take(values, upper, axis=axis)
    found: Field = low + weight * (high - low)
    return found


def _local(
    canvas: Canvas, block: Block, frame: VertebraFrame, scale: tuple[float, float, float]
) -> tuple[Field, Field, Field]:
    """Coordinates in the mean vertebra's frame of a block's voxels (each broadcastable to the block)."""
    offsets = [canvas.axis_mm(axis)[block[axis]] - frame.origin_mm[axis] for axis in range(3)]
    x, y, z = offsets[0][:, None, None], offsets[1][None, :, None], offsets[2][None, None, :]
    axes = frame.axes / np.array(scale)
    local = [(x * axes[0, c] + y * axes[1, c] + z * axes[2, c]).astype(np.float32) for c in range(3)]
    return local[0], local[1], local[2]
