"""A Modbus RTU master on minimalmodbus, run by that peer's interpreter.

`minimalmodbus_master.py PORT BAUD UNIT ASKS`; ASKS is JSON: [[type, order, function code, address], …]. Prints the
values as one line of JSON. Types and orders are named as profiles name them, "bit" besides.
"""

from __future__ import annotations

import json
import sys

import minimalmodbus  # type: ignore[import-not-found]

ORDERS = {
    "ABCD": minimalmodbus.BYTEORDER_BIG,
    "DCBA": minimalmodbus.BYTEORDER_LITTLE,
    "BADC": minimalmodbus.BYTEORDER_BIG_SWAP,
    "CDAB": minimalmodbus.BYTEORDER_LITTLE_SWAP,
}


def main() -> None:
    """Asks everything, one after the other."""
    unit = minimalmodbus.Instrument(sys.argv[1], int(sys.argv[3]))
    unit.serial.baudrate = int(sys.argv[2])
    unit.serial.timeout = 10
    unit.clear_buffers_before_each_transaction = True
    values: list[float] = []
    for kind, order, fc, address in json.loads(sys.argv[4]):
        signed, width = kind.startswith("i"), int(kind[1:]) // 16 if kind != "bit" else 0
        if kind == "bit":
            values.append(unit.read_bit(address, functioncode=fc))
        elif kind.startswith("f"):
            values.append(unit.read_float(address, fc, width, ORDERS[order]))
        elif width == 1:
            values.append(unit.read_register(address, functioncode=fc, signed=signed))
        else:
            values.append(unit.read_long(address, fc, signed, ORDERS[order], width))
    print(json.dumps(values))


if __name__ == "__main__":
    main()
