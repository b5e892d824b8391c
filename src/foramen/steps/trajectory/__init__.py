"""Straight paths from skin to target: search, hard limits, ranking and description."""

from __future__ import annotations

from foramen.knowledge.trajectory_rules import TrajectoryRules, trajectory_rules
from foramen.steps.trajectory.search import TrajectorySearch, companions, search_trajectories

__all__ = ["TrajectoryRules", "TrajectorySearch", "companions", "search_trajectories", "trajectory_rules"]
