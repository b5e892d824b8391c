"""Regions of the column: which bones are drawn by which module, and the order of all of them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from foramen.errors import LevelError
from foramen.model.levels import Vertebra

REGIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "cervical": tuple(f"C{i}" for i in range(1, 8)),
        "thoracic": tuple(f"T{i}" for i in range(1, 12)),
        "lumbar": ("T12", "L1", "L2", "L3", "L4", "L5", "S1"),
    }
)
"""Vertebrae by the region that draws them; rows of facts and drawings of a region follow it. T12 is drawn as L1 is."""

FACTS_OF_REGION: Mapping[str, str] = MappingProxyType(
    {"cervical": "cervical", "thoracic": "thoracic", "lumbar": "anatomy"}
)
"""Knowledge file that holds the dimensions of a region."""

COLUMN: tuple[str, ...] = tuple(name for names in REGIONS.values() for name in names)
"""All vertebrae from above downwards."""

LEVELS: tuple[str, ...] = COLUMN
"""Vertebrae whose bones are drawn, from above downwards."""


def region_of(level: Vertebra) -> str:
    """Region that draws a vertebra; raises `LevelError` for those of an unusual count (L6, T13)."""
    for region, names in REGIONS.items():
        if level.name in names:
            return region
    raise LevelError(f"The reference body has no {level}. It has {COLUMN[0]} to {COLUMN[-1]}.")


def place_in_region(level: Vertebra) -> int:
    """Place of a vertebra in its region's rows."""
    return REGIONS[region_of(level)].index(level.name)


def require_bone(level: Vertebra) -> None:
    """Raise `LevelError` unless the bone of a vertebra is drawn."""
    if level.name not in LEVELS:
        raise LevelError(f"The reference body has no {level}. It has {', '.join(LEVELS)}.")
