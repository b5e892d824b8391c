"""With what, and how hot? Device and setting of a plan, from the technique's knowledge and the user's wishes."""

from __future__ import annotations

import math

from foramen.errors import InputError
from foramen.knowledge.devices import device as device_of
from foramen.knowledge.devices import rf_cannulae
from foramen.knowledge.facts import number
from foramen.knowledge.technique_facts import TechniqueKnowledge
from foramen.model.device import RfCannula
from foramen.model.plan import RfSetting

MILLIMETRE_TOLERANCE = 1e-6
"""Two catalogue lengths closer than this are the same."""


def choose_cannula(knowledge: TechniqueKnowledge, *, device_id: str | None) -> RfCannula:
    """The cannula asked for by id, or the first of the catalogue with the technique's gauge and tip."""
    if device_id is not None:
        chosen = device_of(device_id)
        if not isinstance(chosen, RfCannula):
            raise InputError(f"{device_id} is a {chosen.kind.replace('_', ' ')}, not an RF cannula.")
        return chosen
    gauge, tip_mm = knowledge.number("gauge"), knowledge.number("active_tip_mm")
    for cannula in rf_cannulae():
        if cannula.gauge == gauge and abs(cannula.active_tip_mm - tip_mm) < MILLIMETRE_TOLERANCE:
            return cannula
    known = ", ".join(cannula.id for cannula in rf_cannulae())
    raise InputError(
        f"The catalogue has no {gauge:g} G cannula with a {tip_mm:g} mm tip. Name one with --device: {known}."
    )


def choose_setting(
    knowledge: TechniqueKnowledge,
    device: RfCannula,
    *,
    temperature_degC: float | None,
    time_s: float | None,
    lesions: int | None,
) -> RfSetting:
    """The technique's setting with the request's departures; raises `InputError` outside the device's limit."""
    temperature = knowledge.number("temperature_degC") if temperature_degC is None else temperature_degC
    seconds = knowledge.number("time_s") if time_s is None else time_s
    ramp_s = knowledge.number("ramp_s")
    if not (math.isfinite(temperature) and math.isfinite(seconds) and seconds > ramp_s):
        raise InputError(
            f"A lesion of {seconds:g} s at {temperature:g} degC cannot be planned: give finite numbers, and more time "
            f"than the ramp of {ramp_s:g} s that it includes."
        )
    if seconds > number("planning.longest_lesion_s"):
        raise InputError(
            f"A lesion of {seconds:g} s is longer than {number('planning.longest_lesion_s'):g} s. Give less."
        )
    if temperature > device.max_temperature_degC:
        raise InputError(
            f"{temperature:g} degC is above the limit of {device.name}, {device.max_temperature_degC:g} degC. "
            "Choose less."
        )
    usual = knowledge.fact("lesions")
    wanted = int(usual.number) if lesions is None else lesions
    fewest, most = usual.low or 1.0, usual.high or usual.number
    if not fewest <= wanted <= most:
        raise InputError(f"{wanted} lesions on one nerve are outside {fewest:g} to {most:g}. Choose within.")
    return RfSetting(
        temperature_degC=temperature,
        time_s=seconds,
        ramp_s=ramp_s,
        thermocouple=device.thermocouple,
        frequency_hz=knowledge.number("frequency_hz"),
        lesions=wanted,
        sources=knowledge.fact("temperature_degC").sources,
    )
