"""Factors of the conversions at the one border between the clinic's units and SI.

Outside `physics` and `kernels` lengths are millimetres (LPS), temperatures degrees Celsius and
volumes millilitres. Inside them everything is SI.
"""

from __future__ import annotations

MM_PER_M = 1000.0
"""Millimetres in a metre."""

MM3_PER_ML = 1000.0
"""Cubic millimetres in a millilitre."""

KELVIN_AT_ZERO_DEGC = 273.15
"""Absolute temperature of 0 degrees Celsius, in kelvin."""
