"""`rtu`: Modbus RTU at 9600 8N1, one unit, reads of 10 registers as fast as the line lets them.

The line is paced.c, where a byte takes as long as on the wire; the unit is rtu_units.c. The bound is what the bits
take: request, answer, and 3.5 characters of silence before both, which the unit keeps to the point.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import uvloop

from tests.bench.lines import PacedLine, Units, exchange_s
from tests.bench.process import GatewayProcess, probe_profile, probe_site
from tests.bench.rows import Row, median
from tests.bench.slaves import json_of_python

BAUD = 9600
REGISTERS = 10
SATURATED_S = 0.001


class Line(NamedTuple):
    """`rate`: reads a second; `hurried`: requests that came within 3.5 characters of an answer; `timeouts`."""

    rate: float
    hurried: int
    timeouts: float


def run(short: bool) -> Iterable[Row]:
    """The share of the bound; medians of the runs."""
    runs, seconds = (1, 5.0) if short else (3, 12.0)
    bound = 1 / exchange_s(BAUD, REGISTERS)
    ours = [uvloop.run(of_gateway(seconds)) for _ in range(runs)]
    bare = [uvloop.run(of_bare(seconds)) for _ in range(runs)]
    yield Row(
        "rtu", f"{BAUD} 8N1, {REGISTERS} registers: share of the wire's bound", "",
        ours=median([one.rate for one in ours]) / bound, limit=1.0, aim=0.95, better="higher", runs=runs,
        notes={
            "bound, reads/s": round(bound, 2),
            "ours, reads/s": round(median([one.rate for one in ours]), 2),
            "requests within 3.5 characters of an answer": sum(one.hurried for one in ours),
            "time-outs": sum(one.timeouts for one in ours),
            "bare pymodbus loop, reads/s": round(median([one.rate for one in bare]), 2),
            "bare pymodbus, requests within 3.5 characters": sum(one.hurried for one in bare),
        },
    )  # fmt: skip


async def of_gateway(seconds: float) -> Line:
    """Our gateway."""
    async with PacedLine(BAUD) as line, Units(line.slave, BAUD, 1, REGISTERS) as slave:
        with tempfile.TemporaryDirectory() as folder:
            site = probe_site(line_bus(line), {"u1": ("line", 1)}, SATURATED_S)
            async with GatewayProcess(Path(folder), site, probe_profile(REGISTERS)) as gateway:
                await asyncio.sleep(1.0)
                begin, before = time.perf_counter(), await slave.counts()
                await asyncio.sleep(seconds)
                took, after = time.perf_counter() - begin, await slave.counts()
                timeouts = (await gateway.metrics())["bus_timeouts_total"]
        return Line((after[1] - before[1]) / took, (await line.counts())["hurried"], timeouts)


async def of_bare(seconds: float) -> Line:
    """A bare pymodbus loop."""
    async with PacedLine(BAUD) as line, Units(line.slave, BAUD, 1, REGISTERS):
        done = await json_of_python("tests.bench.bare_rtu", line.master, BAUD, 1, REGISTERS, seconds)
        return Line(done["reads"] / done["seconds"], (await line.counts())["hurried"], 0)


def line_bus(line: PacedLine) -> dict[str, dict[str, object]]:
    """The site's bus `line` on the master's end."""
    return {"line": {"kind": "modbus-rtu", "port": line.master, "baud": line.baud, "parity": "N"}}
