"""What a region's module says of one bone: solids, what is cut out of them, and the box that they fill."""

from __future__ import annotations

from dataclasses import dataclass

from foramen.anatomy.reference_body.primitives import Box, Solid, Strut


@dataclass(frozen=True, slots=True, kw_only=True)
class BoneDrawing:
    """One bone in its own frame (left, posterior, superior; mm), given for the left and mirrored.

    Parameters
    ----------
    solids : tuple of Solid
        Solids of the midline and the left, in the order in which they are united.
    cutters : tuple of Strut
        Removed from the union, with their mirror images.
    box : tuple of vectors
        Corners of a box around the bone, symmetric about the midplane.
    joint_box : tuple of vectors or None
        Part of the frame that the bone below can come near: this bone is carved back to the joint space there. None
        if nothing below is to be kept apart.
    """

    solids: tuple[Solid, ...]
    cutters: tuple[Strut, ...]
    box: Box
    joint_box: Box | None
