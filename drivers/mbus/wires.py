"""How M-Bus meters hang on their lines: by a primary address (`unit`), or selected by `address`. Pure."""

from __future__ import annotations

import re

from contract.texts import Text
from drivers.meters.wires import METER_BUSES
from drivers.wiring import Address, Hanging, Wires

UNITS = range(251)
"""Primary addresses (EN 13757-2, section 5.7.5)."""

SECONDARY = re.compile(r"[0-9F]{8}(?:[0-9A-F]{8})?", re.IGNORECASE)
"""Secondary addresses: the digits on the meter, where needed with maker, version and medium; F fits anything."""


def _address(of: Hanging) -> Address:
    if of.device.address is None:
        unit = str(of.device.unit)
        if of.device.unit not in UNITS:
            return Address("unit", unit, wrong=Text("M-Bus 主地址为 0–250", "a primary M-Bus address is 0 to 250"))
        return Address("unit", unit, alike=f"mbus unit {unit}")
    found = of.device.address.upper()
    if SECONDARY.fullmatch(of.device.address) is None:
        words = Text(
            "应为表上印的 8 位数字，或加上厂家、版本和介质共 16 位（F 代表任意）",
            "expected the 8 digits printed on the meter, or 16 with maker, version and medium (F fits anything)",
        )
        return Address("address", found, wrong=words)
    return Address("address", found, alike=f"mbus {found}")


WIRES = Wires(buses=METER_BUSES, address=_address)
