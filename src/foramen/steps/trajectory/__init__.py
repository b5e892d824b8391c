"""Straight paths from skin to target: search, hard limits, ranking and description."""

from __future__ import annotations

from foramen.knowledge.trajectory_rules import TrajectoryRules, trajectory_rules
from foramen.steps.trajectory.placing import Placed, described, parallel_passes, place, ranked_paths
from foramen.steps.trajectory.scene import Scene, set_scene
from foramen.steps.trajectory.search import TrajectorySearch, companions, search_trajectories

__all__ = [
    "Placed",
    "Scene",
    "TrajectoryRules",
    "TrajectorySearch",
    "companions",
    "described",
    "parallel_passes",
    "place",
    "ranked_paths",
    "search_trajectories",
    "set_scene",
    "trajectory_rules",
]
