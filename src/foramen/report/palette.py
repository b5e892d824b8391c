"""Colours and display windows of every picture; safe for the common kinds of colour blindness (Okabe and Ito)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from foramen.knowledge.facts import numbers
from foramen.model.anatomy import NerveKind
from foramen.model.space import Modality, Volume
from foramen.report.messages import message

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
    NerveKind.THIRD_OCCIPITAL_NERVE: "#B8AE3A",
    NerveKind.SYMPATHETIC_CHAIN: "#009E73",
    NerveKind.STELLATE_GANGLION: "#009E73",
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


_LOOKS = (("#56B4E9", "dotted", 0.10), ("#E69F00", "dashed", 0.22), ("#FF5A1F", "solid", 0.38))

ISOTHERMS: tuple[IsothermLook, ...] = tuple(
    IsothermLook(temperature_degC=level, colour=colour, line=line, opacity_fraction=opacity)
    for level, (colour, line, opacity) in zip(numbers("damage.isotherms_degC"), _LOOKS, strict=True)
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


def _window(name: str, fact_id: str) -> Window:
    level_hu, width_hu = numbers(fact_id)
    return Window(name=name, level_hu=level_hu, width_hu=width_hu)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalWindow:
    """Display window of an MR, whose signal has no scale: from the image's own percentiles."""

    low: float
    high: float

    @property
    def limits(self) -> tuple[float, float]:
        """Values shown black and white."""
        return self.low, self.high


def window_of(image: Volume, window: Window) -> Window | SignalWindow:
    """The window in which an image is shown: the given one of a CT, its own of an MR."""
    if image.modality is Modality.CT:
        return window
    low, high = np.percentile(image.values, numbers("display.mr_window_percent"))
    return SignalWindow(low=float(low), high=float(max(high, low + 1e-6)))


def window_text(window: Window | SignalWindow) -> str:
    """What is printed of a window on a picture."""
    if isinstance(window, Window):
        return message("cut.window", level=f"{window.level_hu:g}", width=f"{window.width_hu:g}")
    return message("cut.window_mr", low=f"{window.low:.0f}", high=f"{window.high:.0f}")


BONE_WINDOW = _window("bone", "display.bone_window_hu")
SOFT_WINDOW = _window("soft tissue", "display.soft_window_hu")


def rgb(colour: str) -> tuple[float, float, float]:
    """Red, green and blue (0 to 1) of a colour written ``#RRGGBB``."""
    return int(colour[1:3], 16) / 255, int(colour[3:5], 16) / 255, int(colour[5:7], 16) / 255
