"""`rtu-dead`: Modbus RTU at 9600, ten units, one of which loses its power and gets it back.

The line is always busy, before and after, so the reads a second of all units that are there can be compared. The peer
is pymodbus as it comes (time-out 3 s, 3 retries), on a line of its own in the same run.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import uvloop

from tests.bench.lines import PacedLine, Units
from tests.bench.process import GatewayProcess, probe_profile, probe_site
from tests.bench.rows import Row, median
from tests.bench.rtu import BAUD, REGISTERS, SATURATED_S, line_bus
from tests.bench.slaves import json_of_python

UNITS = 10
DEAD = 4
BACK_OFF_S = 8.0
"""After so long the unit is asked as rarely as it will be, nearly."""


class Dead(NamedTuple):
    """Shares of the healthy line's reads; `back_s`: from when the unit has power again to its first read."""

    at_once: float
    kept: float
    back_s: float


def run(short: bool) -> Iterable[Row]:
    """The share of the healthy rate and the time until the unit is back; medians of the runs, the longest time."""
    runs, seconds = (1, 6.0) if short else (3, 20.0)
    ours, peer = [], []
    for _ in range(runs):
        mine, other = uvloop.run(_both(seconds))
        ours.append(mine)
        peer.append(other)
    yield Row(
        "rtu-dead", f"{BAUD}, one of {UNITS} without power: reads of the line, after back-off", "",
        ours=median([one.kept for one in ours]), peer=median([one.kept for one in peer]),
        aim=0.90, better="higher", runs=runs,
        notes={
            f"in the first {BACK_OFF_S:g} s": round(median([one.at_once for one in ours]), 3),
            "peer": "pymodbus with its defaults: time-out 3 s, 3 retries",
        },
    )  # fmt: skip
    yield Row("rtu-dead", "power again → read again", "s", ours=max(one.back_s for one in ours), aim=10.0, runs=runs)


async def _both(seconds: float) -> tuple[Dead, Dead]:
    ours, peer = await asyncio.gather(of_gateway(seconds), of_peer(seconds))
    return ours, peer


async def of_gateway(seconds: float, back_off_s: float = BACK_OFF_S) -> Dead:
    """Ours. `back_off_s`: how long the unit is dead before its cost is looked at."""
    async with PacedLine(BAUD) as line, Units(line.slave, BAUD, UNITS, REGISTERS) as slave:
        with tempfile.TemporaryDirectory() as folder:
            units = {f"u{unit}": ("line", unit) for unit in range(1, UNITS + 1)}
            site = probe_site(line_bus(line), units, SATURATED_S)
            async with GatewayProcess(Path(folder), site, probe_profile(REGISTERS)):
                await asyncio.sleep(1.0)
                healthy = await _rate(slave, seconds)
                slave.dead(DEAD)
                at_once = await _rate(slave, back_off_s)
                kept = await _rate(slave, seconds)
                slave.back(DEAD)
                return Dead(at_once / healthy, kept / healthy, await _back(slave))


async def _rate(slave: Units, seconds: float) -> float:
    begin, before = time.perf_counter(), sum((await slave.counts()).values())
    await asyncio.sleep(seconds)
    return (sum((await slave.counts()).values()) - before) / (time.perf_counter() - begin)


async def _back(slave: Units) -> float:
    begin, before = time.perf_counter(), (await slave.counts())[DEAD]
    while (took := time.perf_counter() - begin) < 60:
        if (await slave.counts())[DEAD] > before:
            return took
        await asyncio.sleep(0.1)
    return float("inf")


async def of_peer(seconds: float) -> Dead:
    """pymodbus."""
    async with PacedLine(BAUD) as line, Units(line.slave, BAUD, UNITS, REGISTERS) as slave:
        args = ("tests.bench.bare_rtu", line.master, BAUD, UNITS, REGISTERS)
        healthy = await json_of_python(*args, seconds)
        slave.dead(DEAD)
        # It ends with the cycle that it has begun: every cycle has its 12 s of silence.
        sick = await json_of_python(*args, seconds)
        share = (sick["reads"] / sick["seconds"]) / (healthy["reads"] / healthy["seconds"])
        return Dead(share, share, float("nan"))
