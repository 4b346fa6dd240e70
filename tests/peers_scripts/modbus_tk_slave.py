"""A Modbus RTU slave on modbus-tk, run by that peer's interpreter: several units, silent for all others.

`modbus_tk_slave.py PORT BAUD UNITS`; UNITS is JSON: {unit: {"coils"|"discrete"|"input"|"holding": {first: [values]}}}.
Prints "ready". Lines on standard input: "counts" prints {"reads": {unit: n}}, "dead N" takes a unit off the line and
"back N" puts it back. Every write is printed as it comes: {"wrote": unit, "fc": …, "at": seconds, monotonic}.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import modbus_tk.defines as cst  # type: ignore[import-not-found]
import serial  # type: ignore[import-untyped]
from modbus_tk import hooks, modbus_rtu

KINDS = {
    "coils": cst.COILS,
    "discrete": cst.DISCRETE_INPUTS,
    "input": cst.ANALOG_INPUTS,
    "holding": cst.HOLDING_REGISTERS,
}


def say(**fields: Any) -> None:
    """One line of JSON."""
    print(json.dumps(fields), flush=True)


def main() -> None:
    """Serves until standard input ends."""
    port, baud, units = sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3])
    server = modbus_rtu.RtuServer(serial.Serial(port, baudrate=baud))
    present = {int(unit) for unit in units}
    reads = dict.fromkeys(present, 0)

    def asked(args: tuple[Any, bytes]) -> None:
        request = args[1]
        if len(request) < 8 or request[0] not in present:
            return
        if request[1] <= 4:
            reads[request[0]] += 1
        else:
            say(wrote=request[0], fc=request[1], at=time.monotonic())

    def add(unit: int) -> None:
        slave = server.add_slave(unit)
        for kind, blocks in units[str(unit)].items():
            for first, values in blocks.items():
                name = f"{kind}-{first}"
                slave.add_block(name, KINDS[kind], int(first), len(values))
                slave.set_values(name, int(first), values)

    hooks.install_hook("modbus.Server.before_handle_request", asked)
    for unit in sorted(present):
        add(unit)
    server.start()
    print("ready", flush=True)
    for line in sys.stdin:
        word, _, which = line.strip().partition(" ")
        if word == "counts":
            say(reads=reads)
        elif word == "dead":
            present.discard(int(which))
            server.remove_slave(int(which))
        elif word == "back":
            add(int(which))
            present.add(int(which))
    server.stop()


if __name__ == "__main__":
    main()
