"""`foramen lesion`: heat lesions of one or several electrodes in uniform tissue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter, validators
from rich.table import Table

from foramen.cli.commands import Json, Switch, app
from foramen.cli.printing import DISCLAIMER, print_json, stdout
from foramen.errors import InputError

if TYPE_CHECKING:
    from foramen.api import BenchLesion, BenchStrip, Tines

TipShape = Literal["sharp", "hemispherical"]
Ohms = Annotated[float, Parameter(help="Return pad, body and cable: part of the impedance that is shown.")]


@app.command
def lesion(
    *,
    gauge: float = 18,
    tip_mm: float = 10,
    tip_shape: Annotated[
        TipShape | None, Parameter(help="Sharp if not given; several, cooled, curved and tined ones have a round end.")
    ] = None,
    temperature_c: Annotated[float | None, Parameter(help="Set temperature; 80 without volts or watts.")] = None,
    voltage_v: Annotated[float | None, Parameter(help="Hold RMS volts instead of a temperature.")] = None,
    power_w: Annotated[float | None, Parameter(help="Hold watts instead of a temperature.")] = None,
    time_s: float = 90,
    tissue: str = "muscle",
    perfusion: Switch = "on",
    cannula_conduction: Switch = "on",
    baseline_temperature_c: float = 37,
    ramp_s: float = 10,
    thermocouple: Literal["pole", "mid"] = "pole",
    fluid_ml: Annotated[float, Parameter(help="Saline or local anaesthetic about the tip, injected before.")] = 0.0,
    series_ohm: Ohms = 0.0,
    controller: Annotated[
        Literal["ideal", "pi"], Parameter(help="Follow the set curve exactly, or as a real controller does.")
    ] = "ideal",
    spacing_mm: Annotated[
        float | None, Parameter(name=["--spacing-mm", "--spacing"], help="Distance of bipolar electrodes in a row.")
    ] = None,
    electrodes: Annotated[int | None, Parameter(help="How many in the row; 2 with a spacing.")] = None,
    order: Annotated[
        Literal["sequential", "simultaneous"], Parameter(help="Pairs of neighbours in turn, or all at once.")
    ] = "sequential",
    cooled: Annotated[bool, Parameter(negative="", help="Electrodes cooled by a fluid inside.")] = False,
    bend_radius_mm: Annotated[
        float | None,
        Parameter(help="The bare tip lies on an arc of this radius.", validator=validators.Number(lte=10_000)),
    ] = None,
    tines: Annotated[
        tuple[int, float, float, float, float] | None,
        Parameter(help="Wires from the tip: count, length and diameter in mm, angle to the axis, mm from the pole."),
    ] = None,
    json: Json = False,
) -> None:
    """Simulate a heat lesion in uniform tissue, as on the bench, of one electrode or of several (--spacing-mm)."""
    from foramen import api

    if temperature_c is None and voltage_v is None and power_w is None:
        temperature_c = 80.0
    title = f"{gauge:g} G x {tip_mm:g} mm in {tissue}"
    is_embedded = cooled or any(x is not None for x in (spacing_mm, electrodes, bend_radius_mm, tines))
    if is_embedded:
        if temperature_c is None or fluid_ml or series_ohm or controller != "ideal" or tip_shape == "sharp":
            raise InputError(
                "Electrodes in a row, cooled, curved and tined ones are modelled with a round end at a held "
                "temperature only, without fluid, series resistance or a real controller. Leave those options out."
            )
        strip = api.strip_lesion(
            gauge=gauge,
            tip_mm=tip_mm,
            temperature_degC=temperature_c,
            time_s=time_s,
            spacing_mm=spacing_mm or 0.0,
            electrodes=(1 if spacing_mm is None else 2) if electrodes is None else electrodes,
            order=order,
            is_cooled=cooled,
            bend_radius_mm=bend_radius_mm,
            tines=None if tines is None else tines_of(tines),
            tissue=tissue,
            perfusion=perfusion == "on",
            cannula_conduction=cannula_conduction == "on",
            baseline_temperature_degC=baseline_temperature_c,
            ramp_s=ramp_s,
            thermocouple=thermocouple,
        )
        tell_strip(strip, title, as_json=json)
        return
    result = api.lesion(
        gauge=gauge,
        tip_mm=tip_mm,
        tip_shape=tip_shape or "sharp",
        temperature_degC=temperature_c,
        voltage_V=voltage_v,
        power_W=power_w,
        time_s=time_s,
        tissue=tissue,
        perfusion=perfusion == "on",
        cannula_conduction=cannula_conduction == "on",
        baseline_temperature_degC=baseline_temperature_c,
        ramp_s=ramp_s,
        thermocouple=thermocouple,
        fluid_ml=fluid_ml,
        series_ohm=series_ohm,
        controller=controller,
    )
    tell_lesion(result, title, as_json=json)


def tines_of(numbers: tuple[int, float, float, float, float]) -> Tines:
    """Tines by their numbers in the order of the option."""
    from foramen.api import Tines

    count, length_mm, diameter_mm, splay_deg, leave_mm = numbers
    return Tines(count=count, length_mm=length_mm, diameter_mm=diameter_mm, splay_deg=splay_deg, leave_mm=leave_mm)


def tell_lesion(result: BenchLesion, title: str, *, as_json: bool) -> None:
    """Print the lesion of one electrode."""
    if as_json:
        print_json(result.as_json())
        return
    table = Table("isotherm", "width mm", "length mm", "volume mm3", title=title)
    for name, size in result.isotherms.items():
        table.add_row(f"{name} degC", f"{size.width_mm:.2f}", f"{size.length_mm:.2f}", f"{size.volume_mm3:.0f}")
    stdout.print(table)
    stdout.print(
        f"impedance {result.impedance_initial_ohm:.0f} to {result.impedance_final_ohm:.0f} ohm, "
        f"power {result.power_w:.2f} W, hottest tissue {result.hottest_tissue_degC:.1f} degC, "
        f"display {result.tip_temperature_degC:.1f} degC; computed in {result.elapsed_s:.2f} s"
    )
    if result.is_limited:
        stdout.print("The generator reached its limit of volts, amperes or watts: less was delivered than was set.")
    stdout.print(f"Uniform tissue; which isotherm is 'the lesion' must be declared. {DISCLAIMER}")


def tell_strip(strip: BenchStrip, title: str, *, as_json: bool) -> None:
    """Print the lesion of electrodes in a row."""
    if as_json:
        print_json(strip.as_json())
        return
    table = Table("isotherm", "across mm", "thickness mm", "length mm", "volume mm3", "one body", title=title)
    for name, size in strip.isotherms.items():
        sizes = (f"{value:.2f}" for value in (size.across_mm, size.thickness_mm, size.length_mm))
        table.add_row(f"{name} degC", *sizes, f"{size.volume_mm3:.0f}", "yes" if size.is_one_body else "no")
    stdout.print(table)
    middles = ", ".join(f"{value:.1f}" for value in strip.midpoint_peak_degC)
    if middles:
        stdout.print(f"hottest midway between neighbours: {middles} degC")
    stdout.print(
        f"impedance {strip.impedance_initial_ohm:.0f} to {strip.impedance_final_ohm:.0f} ohm, "
        f"power {strip.power_w:.2f} W, hottest tissue {strip.hottest_tissue_degC:.1f} degC, display "
        f"{', '.join(f'{value:.1f}' for value in strip.display_degC)} degC; computed in {strip.elapsed_s:.1f} s"
    )
    if strip.is_limited:
        stdout.print("The generator reached its limit of volts, amperes or watts before the set temperature.")
    stdout.print(f"Uniform tissue; which isotherm is 'the lesion' must be declared. {DISCLAIMER}")
