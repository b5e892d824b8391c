"""`foramen pulsed`: pulsed radiofrequency of one electrode in uniform tissue."""

from __future__ import annotations

from typing import Annotated, Literal

from cyclopts import Parameter
from rich.table import Table

from foramen.cli.commands import Json, Switch, app
from foramen.cli.printing import DISCLAIMER, print_json, stdout


@app.command
def pulsed(
    *,
    gauge: float = 22,
    tip_mm: float = 5,
    tip_shape: Literal["sharp", "hemispherical"] = "sharp",
    voltage_peak_v: Annotated[float | None, Parameter(help="Peak of the carrier during a burst.")] = None,
    voltage_rms_v: Annotated[float | None, Parameter(help="RMS of the carrier during a burst (peak / 1.414).")] = None,
    limit_c: Annotated[float | None, Parameter(help="Lower the voltage to keep the display's mean below this.")] = None,
    time_s: float = 120,
    rate_hz: Annotated[float | None, Parameter(help="Bursts per second; 2 if not given.")] = None,
    width_ms: Annotated[float | None, Parameter(help="Length of a burst; 20 if not given.")] = None,
    tissue: str = "muscle",
    perfusion: Switch = "on",
    cannula_conduction: Switch = "on",
    baseline_temperature_c: float = 37,
    thermocouple: Literal["pole", "mid"] = "pole",
    series_ohm: Annotated[float, Parameter(help="Return pad, body and cable.")] = 0.0,
    json: Json = False,
) -> None:
    """Simulate pulsed radiofrequency on the bench: mean heat, spikes, and the field on the pulse."""
    from foramen import api

    found = api.pulsed(
        gauge=gauge,
        tip_mm=tip_mm,
        tip_shape=tip_shape,
        time_s=time_s,
        voltage_peak_V=voltage_peak_v,
        voltage_rms_V=voltage_rms_v,
        limit_degC=limit_c,
        rate_Hz=rate_hz,
        width_s=None if width_ms is None else width_ms / 1e3,
        tissue=tissue,
        perfusion=perfusion == "on",
        cannula_conduction=cannula_conduction == "on",
        baseline_temperature_degC=baseline_temperature_c,
        thermocouple=thermocouple,
        series_ohm=series_ohm,
    )
    if json:
        print_json(found.as_json())
        return
    table = Table("beside the tip, mm", "field, kV/m", "mean, degC", "spike, degC")
    for row in found.beside:
        table.add_row(
            f"{row.distance_mm:g}", f"{row.field_peak_kV_per_m:.1f}", f"{row.mean_degC:.1f}", f"{row.spike_degC:.1f}"
        )
    stdout.print(table)
    stdout.print(
        f"delivered {found.delivered_peak_V:.1f} V peak ({found.delivered_rms_V:.1f} V RMS) of "
        f"{found.asked_peak_V:.1f} V peak at {100 * found.duty:g} % duty; display {found.display_mean_degC:.1f} degC, "
        f"in spikes {found.display_spike_degC:.1f}; hottest tissue {found.hottest_mean_degC:.1f} degC, in spikes "
        f"{found.hottest_spike_degC:.1f}; impedance {found.impedance_initial_ohm:.0f} to "
        f"{found.impedance_final_ohm:.0f} ohm"
    )
    if found.is_temperature_limited:
        stdout.print("The temperature limit lowered the voltage: the field is less than that of the set voltage.")
    stdout.print(f"{found.note} {DISCLAIMER}")
