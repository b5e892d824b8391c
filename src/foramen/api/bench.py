"""Verbs of the bench: electrodes in uniform tissue, by gauge."""

from __future__ import annotations

from foramen.knowledge.devices import cannulae_of_gauge
from foramen.model.device import Thermocouple, TipShape
from foramen.steps.bench import (
    BenchLesion,
    BenchPulsed,
    BenchStrip,
    Order,
    Tines,
    bench_lesion,
    bench_pulsed,
    bench_strip,
)


def lesion(
    *,
    gauge: float,
    tip_mm: float,
    tip_shape: str = "sharp",
    temperature_degC: float | None = None,
    voltage_V: float | None = None,
    power_W: float | None = None,
    time_s: float,
    tissue: str = "muscle",
    perfusion: bool = True,
    cannula_conduction: bool = True,
    baseline_temperature_degC: float = 37.0,
    ramp_s: float = 10.0,
    thermocouple: str = "pole",
    fluid_ml: float = 0.0,
    series_ohm: float = 0.0,
    controller: str = "ideal",
) -> BenchLesion:
    """One heat lesion in uniform tissue, as on the bench; the generator holds a temperature, volts or watts."""
    bore = cannulae_of_gauge(gauge)[0]
    return bench_lesion(
        tip_shape=TipShape(tip_shape),
        outer_diameter_mm=bore.outer_diameter_mm,
        inner_diameter_mm=bore.inner_diameter_mm,
        tip_mm=tip_mm,
        temperature_degC=temperature_degC,
        voltage_V=voltage_V,
        power_W=power_W,
        time_s=time_s,
        tissue=tissue,
        perfusion=perfusion,
        cannula_conduction=cannula_conduction,
        baseline_temperature_degC=baseline_temperature_degC,
        ramp_s=ramp_s,
        thermocouple=Thermocouple(thermocouple),
        fluid_ml=fluid_ml,
        series_ohm=series_ohm,
        controller=controller,
    )


def pulsed(
    *,
    gauge: float,
    tip_mm: float,
    tip_shape: str = "sharp",
    time_s: float,
    voltage_peak_V: float | None = None,
    voltage_rms_V: float | None = None,
    limit_degC: float | None = None,
    rate_Hz: float | None = None,
    width_s: float | None = None,
    tissue: str = "muscle",
    perfusion: bool = True,
    cannula_conduction: bool = True,
    baseline_temperature_degC: float = 37.0,
    thermocouple: str = "pole",
    series_ohm: float = 0.0,
) -> BenchPulsed:
    """Pulsed radiofrequency in uniform tissue, as on the bench; give the peak or the RMS voltage of a pulse."""
    bore = cannulae_of_gauge(gauge)[0]
    return bench_pulsed(
        tip_shape=TipShape(tip_shape),
        outer_diameter_mm=bore.outer_diameter_mm,
        inner_diameter_mm=bore.inner_diameter_mm,
        tip_mm=tip_mm,
        time_s=time_s,
        voltage_peak_V=voltage_peak_V,
        voltage_rms_V=voltage_rms_V,
        limit_degC=limit_degC,
        rate_Hz=rate_Hz,
        width_s=width_s,
        tissue=tissue,
        perfusion=perfusion,
        cannula_conduction=cannula_conduction,
        baseline_temperature_degC=baseline_temperature_degC,
        thermocouple=Thermocouple(thermocouple),
        series_ohm=series_ohm,
    )


def strip_lesion(
    *,
    gauge: float,
    tip_mm: float,
    temperature_degC: float,
    time_s: float,
    spacing_mm: float = 0.0,
    electrodes: int = 2,
    order: str = "sequential",
    is_cooled: bool = False,
    bend_radius_mm: float | None = None,
    tines: Tines | None = None,
    tissue: str = "muscle",
    perfusion: bool = True,
    cannula_conduction: bool = True,
    baseline_temperature_degC: float = 37.0,
    ramp_s: float = 10.0,
    thermocouple: str = "pole",
) -> BenchStrip:
    """Lesion of electrodes in a row, one against the other, or of a single cooled, curved or tined one."""
    bore = cannulae_of_gauge(gauge)[0]
    return bench_strip(
        outer_diameter_mm=bore.outer_diameter_mm,
        inner_diameter_mm=bore.inner_diameter_mm,
        tip_mm=tip_mm,
        temperature_degC=temperature_degC,
        time_s=time_s,
        spacing_mm=spacing_mm,
        electrodes=electrodes,
        order=Order(order),
        is_cooled=is_cooled,
        bend_radius_mm=bend_radius_mm,
        tines=tines,
        tissue=tissue,
        perfusion=perfusion,
        cannula_conduction=cannula_conduction,
        baseline_temperature_degC=baseline_temperature_degC,
        ramp_s=ramp_s,
        thermocouple=Thermocouple(thermocouple),
    )
