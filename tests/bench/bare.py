"""The limit in Python: a pymodbus client on uvloop that reads 125 registers of unit after unit and does no more.

`python -m tests.bench.bare PORT UNITS SECONDS` prints reads a second and CPU seconds as one line of JSON.
"""

from __future__ import annotations

import json
import sys
import time

import uvloop
from pymodbus.client import AsyncModbusTcpClient

REGISTERS = 125


async def main(port: int, units: int, seconds: float) -> None:
    """Reads for so long."""
    client = AsyncModbusTcpClient("127.0.0.1", port=port)
    assert await client.connect()
    cpu, begin, reads = time.process_time(), time.perf_counter(), 0
    while time.perf_counter() - begin < seconds:
        for unit in range(1, units + 1):
            answer = await client.read_holding_registers(0, count=REGISTERS, device_id=unit)
            assert len(answer.registers) == REGISTERS
            reads += 1
    took = time.perf_counter() - begin
    client.close()
    print(json.dumps({"reads_s": reads / took, "cpu_s": time.process_time() - cpu, "reads": reads}))


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
