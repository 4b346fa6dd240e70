"""Units that a meter writes as a code after the value. Pure.

Source: CJ/T 188-2004, annex A; EN 1434-3:1997, table of unit codes.
"""

from __future__ import annotations

from typing import Literal, NamedTuple


class Unit(NamedTuple):
    """What a unit's code stands for: `factor` times the basic unit of its quantity."""

    quantity: Literal["energy", "power", "volume", "flow"]
    factor: float


UNIT_CODES: dict[int, Unit] = {
    0x01: Unit("energy", 1.0),
    0x02: Unit("energy", 3.6e3),
    0x05: Unit("energy", 3.6e6),
    0x08: Unit("energy", 3.6e9),
    0x0A: Unit("energy", 3.6e11),
    0x0B: Unit("energy", 1e3),
    0x0E: Unit("energy", 1e6),
    0x11: Unit("energy", 1e9),
    0x13: Unit("energy", 1e11),
    0x14: Unit("power", 1.0),
    0x17: Unit("power", 1e3),
    0x1A: Unit("power", 1e6),
    0x29: Unit("volume", 1e-3),
    0x2C: Unit("volume", 1.0),
    0x32: Unit("flow", 1e-3),
    0x35: Unit("flow", 1.0),
}
"""By code; basic units are J, W, m³ and m³/h."""

UNITS: dict[str, int] = {
    "J": 0x01, "Wh": 0x02, "kWh": 0x05, "MWh": 0x08, "kJ": 0x0B, "MJ": 0x0E, "GJ": 0x11, "W": 0x14, "kW": 0x17,
    "MW": 0x1A, "L": 0x29, "m3": 0x2C, "L/h": 0x32, "m3/h": 0x35,
}  # fmt: skip
"""Units as profiles name them."""


def conversion(code: int, unit: str) -> float | None:
    """What a value in the unit of `code` is multiplied with to be in `unit`; None if that is another quantity."""
    found, wanted = UNIT_CODES.get(code), UNIT_CODES[UNITS[unit]]
    if found is None or found.quantity != wanted.quantity:
        return None
    return found.factor / wanted.factor
