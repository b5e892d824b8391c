"""Colours and display windows of every picture; safe for the common kinds of colour blindness (Okabe and Ito)."""

from __future__ import annotations

from dataclasses import dataclass

from foramen.model.anatomy import NerveKind

TARGET_NERVE = "#F0E442"
"""The nerve aimed at."""

SHAFT = "#E8E8E8"
"""Insulated shaft."""

BARE_TIP = "#00D5E8"
"""Bare, active tip."""

NERVE_COLOURS: dict[NerveKind, str] = {
    NerveKind.MEDIAL_BRANCH: "#B8AE3A",
    NerveKind.DORSAL_RAMUS: "#B8AE3A",
    NerveKind.SPINAL_NERVE: "#CC79A7",
    NerveKind.DORSAL_ROOT_GANGLION: "#E377C2",
}
"""Nerves that are not the target."""

BONE = "#E6DCC3"
BONE_OUTLINE = "#9FC5E8"
BACKGROUND = "#12161C"


@dataclass(frozen=True, slots=True, kw_only=True)
class IsothermLook:
    """How one isotherm is drawn."""

    temperature_degC: float
    colour: str
    line: str
    opacity_fraction: float


ISOTHERMS: tuple[IsothermLook, ...] = (
    IsothermLook(temperature_degC=45.0, colour="#56B4E9", line="dotted", opacity_fraction=0.10),
    IsothermLook(temperature_degC=50.0, colour="#E69F00", line="dashed", opacity_fraction=0.22),
    IsothermLook(temperature_degC=60.0, colour="#FF5A1F", line="solid", opacity_fraction=0.38),
)
"""From outside inwards; told apart by line as well as by colour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Display window in Hounsfield units; a matter of display, printed on each picture."""

    name: str
    level_hu: float
    width_hu: float

    @property
    def limits(self) -> tuple[float, float]:
        """Values shown black and white."""
        return self.level_hu - self.width_hu / 2, self.level_hu + self.width_hu / 2


BONE_WINDOW = Window(name="bone", level_hu=300.0, width_hu=1400.0)
SOFT_WINDOW = Window(name="soft tissue", level_hu=50.0, width_hu=500.0)


def rgb(colour: str) -> tuple[float, float, float]:
    """Red, green and blue (0 to 1) of a colour written ``#RRGGBB``."""
    return int(colour[1:3], 16) / 255, int(colour[3:5], 16) / 255, int(colour[5:7], 16) / 255
