"""A reference bone as it stands in one body: scaled, deformed and put in its place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from foramen.anatomy.reference_body.bone import bone_field
from foramen.anatomy.reference_body.deformation import Deformation
from foramen.anatomy.reference_body.diseased_bone import Growth
from foramen.anatomy.reference_body.field import BoneField
from foramen.model.anatomy import VertebraFrame
from foramen.model.levels import Vertebra
from foramen.model.space import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Placement:
    """The map from a reference bone's own frame to LPS in one body.

    Parameters
    ----------
    level : Vertebra
        Which bone of this body.
    frame : VertebraFrame
        Where it stands.
    scale : tuple of float
        Its size along left, posterior, superior relative to the mean.
    deformation : Deformation or None
        Of the scaled bone, in its frame.
    shape : Vertebra or None
        Reference bone that it is drawn as; None is that of its level.
    diseased : BoneField or None
        The bone's field, in the mean bone's frame, if disease has changed it.
    growths : tuple of Growth
        Where bone has grown about its joints.
    """

    level: Vertebra
    frame: VertebraFrame
    scale: tuple[float, float, float]
    deformation: Deformation | None = None
    shape: Vertebra | None = None
    diseased: BoneField | None = None
    growths: tuple[Growth, ...] = ()

    @property
    def drawn_as(self) -> Vertebra:
        """Reference bone whose shape and courses it has."""
        return self.level if self.shape is None else self.shape

    @property
    def bone(self) -> BoneField:
        """Signed distance and parts of this bone in the mean bone's frame."""
        return bone_field(self.drawn_as) if self.diseased is None else self.diseased

    def to_lps(self, own_mm: FloatArray) -> FloatArray:
        """LPS points of points (..., 3) in the mean bone's frame."""
        scaled = np.asarray(own_mm) * np.array(self.scale)
        if self.deformation is not None:
            scaled = self.deformation.apply(scaled.reshape(-1, 3)).reshape(scaled.shape)
        return self.frame.to_lps(scaled)

    def to_own(self, points_mm: FloatArray) -> FloatArray:
        """Points (n, 3) in the mean bone's frame of LPS points (n, 3)."""
        local = self.frame.to_vertebra(np.atleast_2d(points_mm))
        if self.deformation is not None:
            local = self.deformation.undo(local)
        own: FloatArray = local / np.array(self.scale)
        return own

    def at(self, points_mm: FloatArray) -> FloatArray:
        """Distance (n,) of LPS points (n, 3) to the bone, negative inside; first order in scale and deformation."""
        found: FloatArray = self.bone.at(self.to_own(points_mm)) * float(np.mean(self.scale))
        return found

    def onto_surface(self, points_mm: FloatArray, *, offset_mm: float = 0.0) -> FloatArray:
        """LPS points (n, 3) moved to `offset_mm` outside the bone."""
        offset = offset_mm / float(np.mean(self.scale))
        return self.to_lps(self.bone.onto_surface(self.to_own(points_mm), offset_mm=offset))
