"""Quantities and units of M-Bus records: those of profiles, those of the decoder, and the way between them. Pure.

Source: EN 13757-3:2013, tables 10 to 14; unit names of the decoder are those of UCUM.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Literal, NamedTuple

Quantity = Literal[
    "energy", "volume", "mass", "power", "volume_flow", "mass_flow", "flow_temperature", "return_temperature",
    "temperature_difference", "external_temperature", "pressure", "on_time", "operating_time", "voltage", "current",
    "frequency", "date", "date_time", "fabrication_number", "error_flags", "allocation",
]  # fmt: skip
"""What a record can be a value of. `allocation`: units of a heat cost allocator."""

WORDS: Mapping[str, str] = {
    "energy": "Energy",
    "volume": "Volume",
    "mass": "Mass",
    "power": "Power",
    "volume_flow": "Volume flow",
    "mass_flow": "Mass flow",
    "flow_temperature": "Flow temperature",
    "return_temperature": "Return temperature",
    "temperature_difference": "Temperature difference",
    "external_temperature": "External temperature",
    "pressure": "Pressure",
    "on_time": "On time",
    "operating_time": "Operating time",
    "voltage": "Voltage",
    "current": "Current",
    "frequency": "Frequency",
    "date": "Time point (date)",
    "date_time": "Time point (date and time)",
    "fabrication_number": "Fabrication number",
    "error_flags": "Error flags",
    "allocation": "Dimensionless HCA",
}
"""The decoder's word for each quantity."""

TEXTS = frozenset({"date", "date_time", "fabrication_number"})
"""Quantities that are read as text."""


class Unit(NamedTuple):
    """A unit: `factor` times the basic unit of its dimension."""

    dimension: str
    factor: Fraction


def _unit(dimension: str, factor: Fraction | int = 1) -> Unit:
    return Unit(dimension, Fraction(factor))


_MILLI = Fraction(1, 1000)

SENT: Mapping[str, Unit] = {
    "W.h": _unit("energy", 3600),
    "J": _unit("energy"),
    "m3": _unit("volume"),
    "kg": _unit("mass"),
    "t": _unit("mass", 1000),
    "W": _unit("power"),
    "J.h-1": _unit("power", Fraction(1, 3600)),
    "m3.h-1": _unit("volume flow"),
    "m3.min-1": _unit("volume flow", 60),
    "m3.s-1": _unit("volume flow", 3600),
    "kg.h-1": _unit("mass flow"),
    "Cel": _unit("temperature"),
    "K": _unit("difference"),
    "bar": _unit("pressure"),
    "s": _unit("time"),
    "min": _unit("time", 60),
    "h": _unit("time", 3600),
    "d": _unit("time", 86400),
    "V": _unit("voltage"),
    "A": _unit("current"),
    "Hz": _unit("frequency"),
    "": _unit("number"),
}
"""Units of the wire, as the decoder names them."""

READ: Mapping[str, Unit] = {
    "J": _unit("energy"),
    "kJ": _unit("energy", 10**3),
    "MJ": _unit("energy", 10**6),
    "GJ": _unit("energy", 10**9),
    "Wh": _unit("energy", 3600),
    "kWh": _unit("energy", 3600 * 10**3),
    "MWh": _unit("energy", 3600 * 10**6),
    "m3": _unit("volume"),
    "L": _unit("volume", _MILLI),
    "kg": _unit("mass"),
    "t": _unit("mass", 1000),
    "W": _unit("power"),
    "kW": _unit("power", 1000),
    "m3/h": _unit("volume flow"),
    "L/h": _unit("volume flow", _MILLI),
    "kg/h": _unit("mass flow"),
    "°C": _unit("temperature"),
    "K": _unit("difference"),
    "bar": _unit("pressure"),
    "s": _unit("time"),
    "min": _unit("time", 60),
    "h": _unit("time", 3600),
    "d": _unit("time", 86400),
    "V": _unit("voltage"),
    "A": _unit("current"),
    "Hz": _unit("frequency"),
    "": _unit("number"),
}
"""Units as profiles name them."""

DIMENSIONS: Mapping[str, str] = {
    "energy": "energy",
    "volume": "volume",
    "mass": "mass",
    "power": "power",
    "volume_flow": "volume flow",
    "mass_flow": "mass flow",
    "flow_temperature": "temperature",
    "return_temperature": "temperature",
    "external_temperature": "temperature",
    "temperature_difference": "difference",
    "pressure": "pressure",
    "on_time": "time",
    "operating_time": "time",
    "voltage": "voltage",
    "current": "current",
    "frequency": "frequency",
}
"""What a quantity is measured in; those that are not here are plain numbers or texts."""


def turned(value: str | float, sent_in: str, unit: str) -> float | int | None:
    """A record's number in the unit of a profile; None if the units are not of one dimension, or it is no number."""
    sent, read = SENT.get(sent_in), READ.get(unit)
    if sent is None or read is None or sent.dimension != read.dimension:
        return None
    try:
        exact = Fraction(value) * sent.factor / read.factor
        near = float(exact)
    except (ValueError, OverflowError, ZeroDivisionError):
        return None
    if not math.isfinite(near):
        return None
    return int(exact) if exact.denominator == 1 and isinstance(value, str) and abs(exact) < 2**53 else near
