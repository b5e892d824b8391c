"""Inverse planning: settings that were found, beside the textbook setting, and what they were judged by."""

from __future__ import annotations

from dataclasses import dataclass

from foramen.model.levels import Level, Side
from foramen.model.plan import RfSetting, Trajectory
from foramen.model.robust import Probability, ReducedModelError


@dataclass(frozen=True, slots=True, kw_only=True)
class HottestNeighbour:
    """The structure to be spared that comes nearest to its limit on the nominal plan."""

    structure: str
    peak_degC: float
    reject_degC: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class InversePoint:
    """One way to treat one nerve, solved in full.

    Parameters
    ----------
    number : int
        0 is the textbook setting.
    trajectories : tuple of Trajectory
        One for each pass; all carry the same device.
    setting : RfSetting
        Of each pass.
    spacing_mm, stagger_mm : float
        Distance between the axes of the nearest passes, and between their tips along the needle; 0 for one pass.
    capture : Probability
        That at least `InverseResult.captured_fraction` of the needed segment is captured.
    nominal_fraction : float
        Captured on the nominal plan by the tightest criterion.
    burnt_mm3 : float
        Tissue outside the nerve that reaches `InverseResult.burnt_degC` on the nominal plan.
    any_neighbour : Probability
        That any neighbour that is shown reaches its limit.
    broken : tuple of str
        Hard limits that this way does not keep, in words.
    notes : tuple of str
        What a physician should know of it, such as a temperature outside the usual range.
    """

    number: int
    trajectories: tuple[Trajectory, ...]
    setting: RfSetting
    spacing_mm: float
    stagger_mm: float
    capture: Probability
    nominal_fraction: float
    burnt_mm3: float
    hottest_tissue_degC: float
    hottest_neighbour: HottestNeighbour | None
    any_neighbour: Probability
    broken: tuple[str, ...]
    notes: tuple[str, ...] = ()
    is_on_front: bool = False
    is_recommended: bool = False

    @property
    def is_textbook(self) -> bool:
        """Whether this is the technique's standard setting."""
        return self.number == 0

    @property
    def passes(self) -> int:
        """Needle placements."""
        return len(self.trajectories)

    @property
    def words(self) -> str:
        """Device and setting in words."""
        device, setting = self.trajectories[0].device, self.setting
        passes = "1 pass" if self.passes == 1 else f"{self.passes} passes"
        return (
            f"{device.gauge:g} G, {device.active_tip_mm:g} mm tip, {setting.temperature_degC:g} degC, "
            f"{setting.time_s:g} s, {passes}"
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class InverseTarget:
    """What was found for one nerve: the textbook setting first, then the others by passes and burnt volume.

    Parameters
    ----------
    searched, kept_limits : int
        Settings that the search tried, and those among them that kept every hard limit in the search model.
    prevented : dict
        Settings of the search by the first hard limit that they broke.
    dropped : tuple of str
        Settings of the search that broke a limit when they were solved in full, with the limit.
    unknown : tuple of str
        Structures that the images do not show, so that neither path nor heat can be cleared of them.
    advice : str
        The recommendation in words, or which limit prevents every plan.
    error : ReducedModelError or None
        Full solution minus reduced model over the settings that are shown.
    """

    target: str
    points: tuple[InversePoint, ...]
    searched: int
    kept_limits: int
    prevented: dict[str, int]
    dropped: tuple[str, ...]
    unknown: tuple[str, ...]
    advice: str
    error: ReducedModelError | None

    @property
    def front(self) -> tuple[InversePoint, ...]:
        """The points of which none is better in everything."""
        return tuple(point for point in self.points if point.is_on_front)

    @property
    def recommended(self) -> InversePoint | None:
        """The point that the rule chooses; None if no plan keeps the limits."""
        return next((point for point in self.points if point.is_recommended), None)

    @property
    def textbook(self) -> InversePoint | None:
        """The technique's standard setting; None if it has no path."""
        return next((point for point in self.points if point.is_textbook), None)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class InverseResult:
    """Settings for every nerve of a joint, and in words what was optimised under which model.

    `basis` says what the image keeps the result from meaning; it is empty on a CT of the patient.
    """

    technique: str
    technique_name: str
    level: Level
    side: Side
    case_uid: str
    seed: int
    captured_fraction: float
    burnt_degC: float
    accept_fraction: float  # probability of capture from which a setting is accepted
    scenarios: int
    confidence_fraction: float
    targets: tuple[InverseTarget, ...]
    optimised: tuple[str, ...]
    limits: tuple[str, ...]
    rule: str
    assumptions: tuple[str, ...]
    basis: tuple[str, ...] = ()

    @property
    def is_feasible(self) -> bool:
        """Whether every nerve has a plan within the hard limits."""
        return all(target.recommended is not None for target in self.targets)
