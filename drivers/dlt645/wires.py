"""How DL/T 645 meters hang on their lines. Pure."""

from __future__ import annotations

from drivers.meters.wires import METER_BUSES, printed
from drivers.wiring import Wires

DIGITS = 12
"""Of an address, as it is printed on the meter."""

WIRES = Wires(buses=METER_BUSES, address=printed(DIGITS))
