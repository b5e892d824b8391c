"""What shall I see? The C-arm views of a procedure, squared to the patient's own vertebra.

Which views, why and what each must show stands in the technique's knowledge file; here they get their beam.
Angles are relative to the vertebra that the nerve crosses; beam vectors are LPS of the planning scan.
"""

from __future__ import annotations

from foramen.errors import KnowledgeError
from foramen.geometry.carm import beam_behind, describe_view
from foramen.knowledge.technique_facts import technique_knowledge
from foramen.model.anatomy import VertebraFrame
from foramen.model.levels import Side
from foramen.model.plan import Posture, View
from foramen.model.space import FloatArray

__all__ = ["describe_view", "technique_views"]

WORKING_VIEW = "working"
"""Id of the view down the needle; it always comes first."""


def technique_views(
    technique_id: str,
    frame: VertebraFrame,
    side: Side,
    *,
    centre_mm: FloatArray,
    posture: Posture,
    oblique_deg: float,
    declined_deg: float,
    needle: FloatArray | None,
) -> tuple[View, ...]:
    """The C-arm views of a technique around one vertebra, the working view first.

    Parameters
    ----------
    centre_mm : ndarray, shape (3,)
        Point to centre on, LPS.
    oblique_deg, declined_deg : float
        Usual angles of the technique: the working view where no needle is planned, and the oblique view.
    needle : ndarray, shape (3,), or None
        Direction of the planned needle from entry to tip, LPS: the working view looks down it.

    Raises
    ------
    KnowledgeError
        If the technique's file names a view that has no beam here.

    Notes
    -----
    The operator stands on the target's side and the C-arm opposite. On the lateral view the arc passes under the
    table, which is the only way for most mobile C-arms: the detector is then beside the stand and the tube, which
    scatters most, on the operator's side, who steps back or behind the detector.
    """
    working = beam_behind(frame, side, oblique_deg=oblique_deg, declined_deg=declined_deg)
    beams = {
        "level": frame.posterior,
        WORKING_VIEW: working if needle is None else -needle,
        "lateral": -side.sign * frame.left,
        "oblique": beam_behind(frame, side, oblique_deg=oblique_deg, declined_deg=0.0),
        "ap_final": frame.posterior,
    }
    known = technique_knowledge(technique_id).views
    missing = sorted({view.id for view in known} - set(beams))
    if missing:
        raise KnowledgeError(f"techniques/{technique_id}.yaml: no beam is known for the views {', '.join(missing)}.")
    return tuple(
        describe_view(
            view.name,
            view.purpose,
            beam=beams[view.id],
            centre_mm=centre_mm,
            posture=posture,
            carm_side=side.other,
            must_show=view.must_show,
        )
        for view in sorted(known, key=lambda view: view.id != WORKING_VIEW)
    )
