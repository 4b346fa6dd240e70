"""What pymodbus does by itself on a serial line: unit after unit, as an application would, with its own defaults.

`python -m tests.bench.bare_rtu PORT BAUD UNITS REGISTERS SECONDS` prints {"reads": n, "seconds": s} as JSON.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import time

from pymodbus.client import AsyncModbusSerialClient
from pymodbus.exceptions import ModbusException


async def main(port: str, baud: int, units: int, registers: int, seconds: float) -> None:
    """Reads for so long; a unit that does not answer is left at once for the next."""
    logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)
    client = AsyncModbusSerialClient(port, baudrate=baud)
    assert await client.connect()
    begin, reads = time.perf_counter(), 0
    while time.perf_counter() - begin < seconds:
        for unit in range(1, units + 1):
            try:
                answer = await client.read_holding_registers(0, count=registers, device_id=unit)
            except ModbusException:
                if not client.connected:
                    await client.connect()
                continue
            reads += not answer.isError()
    took = time.perf_counter() - begin
    client.close()
    print(json.dumps({"reads": reads, "seconds": took}))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5])))
