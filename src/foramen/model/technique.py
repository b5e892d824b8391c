"""What a technique is: data and callables, no inheritance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from foramen.model.anatomy import Anatomy, LandmarkName
from foramen.model.levels import Level, LevelKind, Side, Vertebra
from foramen.model.plan import Posture, Target, View


@dataclass(frozen=True, slots=True, kw_only=True)
class Technique:
    """One technique of `techniques/`, which holds `TECHNIQUE = Technique(...)`.

    Parameters
    ----------
    id : str
        Identifier; `knowledge/techniques/<id>.yaml` holds its facts.
    level_kind : LevelKind
        Kind of level that it is planned for.
    posture : Posture
        Posture of the patient during the procedure.
    effect_model : str
        Tag of the effect record that it predicts.
    needs_vertebrae : callable
        (level) -> vertebrae that must be in the image.
    needs_landmarks : callable
        (level) -> (vertebra, landmark) pairs that must be found.
    treated_nerves : callable
        (level) -> names of the nerves that are treated, as diagnostic blocks name them (``{"L3", "L4"}``).
    find_targets : callable
        (anatomy, level, side) -> targets, in words and in space.
    plan_views : callable
        (anatomy, target, needle direction or None) -> C-arm views, the working view first.
    """

    id: str
    name: str
    level_kind: LevelKind
    region: str
    guidance: tuple[str, ...]
    posture: Posture
    effect_model: str
    needs_vertebrae: Callable[[Level], tuple[Vertebra, ...]]
    needs_landmarks: Callable[[Level], tuple[tuple[Vertebra, LandmarkName], ...]]
    treated_nerves: Callable[[Level], frozenset[str]]
    find_targets: Callable[[Anatomy, Level, Side], tuple[Target, ...]]
    plan_views: Callable[..., tuple[View, ...]]
