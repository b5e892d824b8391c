"""Limits and preferences of the search for straight paths, read from the knowledge files."""

from __future__ import annotations

from dataclasses import dataclass

from foramen.errors import KnowledgeError
from foramen.knowledge.facts import number as common_number
from foramen.knowledge.technique_facts import number
from foramen.model.levels import Vertebra

SACRUM = Vertebra("S1")

_GROUP_FACT = {
    "thecal_sac": "shaft_to_thecal_sac_mm",
    "canal": "shaft_to_thecal_sac_mm",
    "aorta": "shaft_to_vessel_mm",
    "inferior_vena_cava": "shaft_to_vessel_mm",
    "iliac_vessels": "shaft_to_vessel_mm",
    "other_vessels": "shaft_to_vessel_mm",
    "vertebral_artery": "shaft_to_vessel_mm",
    "carotid_artery": "shaft_to_vessel_mm",
    "jugular_vein": "shaft_to_vessel_mm",
    "kidneys": "shaft_to_organ_mm",
    "bowel": "shaft_to_organ_mm",
    "solid_organs": "shaft_to_organ_mm",
    "pleura": "shaft_to_organ_mm",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AngleBand:
    """Angles (deg) that are searched, and the usual ones among them."""

    search_low_deg: float
    usual_low_deg: float
    usual_high_deg: float
    search_high_deg: float

    def __post_init__(self) -> None:
        if not self.search_low_deg <= self.usual_low_deg <= self.usual_high_deg <= self.search_high_deg:
            raise KnowledgeError("The usual angles of a trajectory must lie within the searched ones.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """Weights of the ranking, in units of "as bad as 1 mm between needed nerve and electrode axis"."""

    capture_per_mm: float
    parallel_per_deg: float
    oblique_per_deg: float
    declined_per_deg: float
    withdrawn_per_mm: float
    border_per_mm: float
    in_bone_per_mm: float
    off_bone_per_mm: float
    nerve: float
    depth_per_mm: float
    reach_per_deg: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TrajectoryRules:
    """Everything that limits or ranks a straight path to a nerve on bone.

    Parameters
    ----------
    oblique, declined : AngleBand
        Angles relative to the squared vertebra: towards the target's side, and towards the feet.
    sacral_oblique, sacral_declined : AngleBand
        The same for a target on the sacrum.
    keep_out_distances_mm : dict
        Least distance from the needle's surface by group of keep-outs.
    bone_overlap_mm : float
        How far the needle may overlap labelled bone at the target, where half a voxel's diagonal is less.
    """

    oblique: AngleBand
    declined: AngleBand
    sacral_oblique: AngleBand
    sacral_declined: AngleBand
    parallel_max_deg: float
    keep_out_distances_mm: dict[str, float]
    shaft_to_nerve_mm: float
    electrode_to_nerve_mm: float
    electrode_to_hardware_mm: float
    bone_overlap_mm: float
    bone_graze_mm: float
    tip_beyond_mm: float
    tip_behind_border_mm: float
    tip_past_border_max_mm: float
    skin_threshold_hu: float
    bone_threshold_hu: float
    skin_angle_deg: float
    entry_lateral_max_mm: float
    depth_max_mm: float
    length_reserve_mm: float
    carm_oblique_max_deg: float
    carm_declined_max_deg: float
    distinct_deg: float
    preferences: Preferences

    def keep_out_distance_mm(self, group: str) -> float:
        """Least distance from the needle to a group of keep-outs; raises `KnowledgeError` for an unknown group."""
        if group not in self.keep_out_distances_mm:
            raise KnowledgeError(f"No distance is stated for the keep-out {group!r}. Add it to the technique's facts.")
        return self.keep_out_distances_mm[group]


def trajectory_rules(technique_id: str) -> TrajectoryRules:
    """The rules of a technique, from ``techniques/<id>.yaml`` and ``trajectory.yaml``."""

    def own(key: str) -> float:
        return number(technique_id, key)

    def common(key: str) -> float:
        return common_number(f"trajectory.{key}")

    declined = AngleBand(
        search_low_deg=own("declined_search_low_deg"),
        usual_low_deg=own("declined_low_deg"),
        usual_high_deg=own("declined_high_deg"),
        search_high_deg=own("declined_search_high_deg"),
    )
    sacral = own("oblique_l5_deg")
    return TrajectoryRules(
        oblique=AngleBand(
            search_low_deg=own("oblique_parasagittal_deg"),
            usual_low_deg=own("oblique_low_deg"),
            usual_high_deg=own("oblique_deg"),
            search_high_deg=own("oblique_high_deg"),
        ),
        declined=declined,
        sacral_oblique=AngleBand(
            search_low_deg=sacral - common("sacral_oblique_search_deg"),
            usual_low_deg=sacral,
            usual_high_deg=sacral,
            search_high_deg=sacral + common("sacral_oblique_search_deg"),
        ),
        sacral_declined=AngleBand(
            search_low_deg=common("sacral_declined_search_low_deg"),
            usual_low_deg=declined.usual_low_deg,
            usual_high_deg=declined.usual_high_deg,
            search_high_deg=common("sacral_declined_search_high_deg"),
        ),
        parallel_max_deg=own("parallel_max_deg"),
        keep_out_distances_mm={group: own(key) for group, key in _GROUP_FACT.items()} | {"hardware": 0.0},
        shaft_to_nerve_mm=max(own("shaft_to_spinal_nerve_mm"), own("shaft_to_dorsal_root_ganglion_mm")),
        electrode_to_nerve_mm=own("bare_electrode_to_spinal_nerve_mm"),
        electrode_to_hardware_mm=own("bare_electrode_to_hardware_mm"),
        bone_overlap_mm=own("max_bone_overlap_mm"),
        bone_graze_mm=common("bone_graze_mm"),
        tip_beyond_mm=common("tip_beyond_mm"),
        tip_behind_border_mm=own("tip_behind_foramen_border_mm"),
        tip_past_border_max_mm=own("tip_past_foramen_border_max_mm"),
        skin_threshold_hu=common("skin_threshold_hu"),
        bone_threshold_hu=common("bone_threshold_hu"),
        skin_angle_deg=common("skin_angle_deg"),
        entry_lateral_max_mm=own("skin_entry_lateral_max_mm"),
        depth_max_mm=own("insertion_depth_max_mm"),
        length_reserve_mm=own("length_reserve_mm"),
        carm_oblique_max_deg=own("carm_oblique_max_deg"),
        carm_declined_max_deg=own("carm_declined_max_deg"),
        distinct_deg=common("distinct_deg"),
        preferences=Preferences(
            capture_per_mm=common("weight_capture_per_mm"),
            parallel_per_deg=common("weight_parallel_per_deg"),
            oblique_per_deg=common("weight_oblique_per_deg"),
            declined_per_deg=common("weight_declined_per_deg"),
            withdrawn_per_mm=common("weight_withdrawn_per_mm"),
            border_per_mm=common("weight_border_per_mm"),
            in_bone_per_mm=common("weight_in_bone_per_mm"),
            off_bone_per_mm=common("weight_off_bone_per_mm"),
            nerve=common("weight_nerve"),
            depth_per_mm=common("weight_depth_per_mm"),
            reach_per_deg=common("weight_reach_per_deg"),
        ),
    )
