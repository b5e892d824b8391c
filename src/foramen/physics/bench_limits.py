"""What the bench models of heat lesions are made for."""

from __future__ import annotations

from foramen.errors import InputError


def require_modelled(
    *,
    diameter_mm: float,
    tip_mm: float,
    temperature_degC: float,
    time_s: float,
    baseline_degC: float,
    coolest_degC: float,
) -> None:
    """Raise `InputError` for dimensions or settings outside that; `coolest_degC` is the coolest isotherm reported."""
    if not 0.2 <= diameter_mm <= 5:
        raise InputError(f"An outer diameter of {diameter_mm:g} mm is not a needle's (0.2 to 5 mm).")
    if not 0 < tip_mm <= 40:
        raise InputError(f"An active tip of {tip_mm:g} mm is outside what is modelled (up to 40 mm).")
    if not temperature_degC < 100:
        raise InputError(f"A set temperature of {temperature_degC:g} degC would boil tissue; stay below 100 degC.")
    if not 0 < time_s <= 1800:
        raise InputError(f"A lesion of {time_s:g} s is outside what is modelled (up to 1800 s).")
    if not 0 <= baseline_degC < coolest_degC:
        raise InputError(
            f"A baseline of {baseline_degC:g} degC is not usable: give 0 to below {coolest_degC:g} degC, "
            "the coolest isotherm that is reported."
        )
