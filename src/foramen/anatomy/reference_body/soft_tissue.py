"""Which painter draws the soft tissues at which height: the lumbar torso below the middle of T11, the thorax
above it, the neck above the middle of T1."""

from __future__ import annotations

import numpy as np

from foramen.anatomy.reference_body.assembly import paint_foramina
from foramen.anatomy.reference_body.canal_state import OPEN_CANAL, CanalState
from foramen.anatomy.reference_body.canvas import Canvas
from foramen.anatomy.reference_body.neck import paint_neck, paint_neck_canal
from foramen.anatomy.reference_body.spine_line import SpineLine
from foramen.anatomy.reference_body.thoracic_canal import paint_thoracic_canal
from foramen.anatomy.reference_body.thorax import paint_thorax
from foramen.anatomy.reference_body.torso import paint_canal, paint_torso

THORAX_ABOVE, NECK_ABOVE = "T11", "T1"
"""Thorax and neck are painted above the middle of these bodies."""


def paint_soft_tissue(canvas: Canvas, spine: SpineLine, canal: CanalState = OPEN_CANAL) -> None:
    """Paint everything but bones, discs and joints, from outside inwards."""
    border, nape = spine.z(THORAX_ABOVE), spine.z(NECK_ABOVE)
    lower, upper = canvas.between(-np.inf, border), canvas.between(border, nape)
    neck = canvas.between(nape, np.inf)
    if lower is not None:
        paint_torso(lower, spine)
    if upper is not None:
        paint_thorax(upper, spine)
    if neck is not None:
        paint_neck(neck, spine)
    paint_foramina(canvas, spine)
    if lower is not None:
        paint_canal(lower, spine, canal)
    if upper is not None:
        paint_thoracic_canal(upper, spine)
    if neck is not None:
        paint_neck_canal(neck, spine)
